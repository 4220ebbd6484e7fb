"""The archive: pages, any field of the payload at every moment of indexing, retention, replay, and their plans."""
import re

import plans

FILL = """
INSERT INTO entregas (fila_id, recebida_em, criada_em, via, corpo, estado, motivo, proxima_em)
SELECT i || '-0', t, t, 'fila', '\\x7b7d', CASE i % 100 WHEN 1 THEN 'pendente' WHEN 2 THEN 'morta' ELSE 'processada' END,
       CASE i % 100 WHEN 2 THEN 'motivo ' || i % 3 END, t
  FROM generate_series(1, {0}) i CROSS JOIN LATERAL (SELECT now() - interval '1 second' * ({0} - i)) x (t);
INSERT INTO eventos (entrega_id, chave, criado_em, conteudo)
SELECT i, 'leadgen:' || i, now() - interval '1 second' * ({0} - i),
       jsonb_build_object('field', 'leadgen', 'value', jsonb_build_object('leadgen_id', 10000000000000000 + i,
           'form_id', (i % 50)::text, 'page_id', 'p' || i % 3, 'raro', CASE WHEN i % 1000 = 7 THEN i END,
           'nota', jsonb_build_array('a' || i % 7, jsonb_build_object('fundo', 'f' || i % 11))))
  FROM generate_series(1, {0}) i;
INSERT INTO leads (leadgen_id, formulario_id, criado_em, entrega_id)
SELECT 10000000000000000 + i, i % 50, now(), i FROM generate_series(1, {0}) i"""

INDEX_ALL = "DO $$ BEGIN WHILE eventos_indexar({}) > 0 LOOP COMMIT; END LOOP; END $$"
FIELDS = (("{form_id}", "7"), ("{value,form_id}", "7"), ("{field,form_id}", "7"), ("{}", "7"), ("NULL", "p1"),
          ("{field}", "leadgen"), ("{nota}", "a3"), ("{fundo}", "f5"), ("{value,nota,fundo}", "f5"), ("{raro}", "1007"),
          ("{leadgen_id}", "10000000000000042"), ("{}", "10000000000000042"), ("{raro}", "nada"), ("{}", "p"))


def ids(t, database, text):
    return t.sql(database, f"SELECT coalesce(string_agg(id::text, ' '), '') FROM ({text}) t").split()


def found(t, database, path, value, since="NULL", until="NULL", before="NULL", limit=100_000):
    path = path if path == "NULL" else f"'{path}'"
    return ids(t, database, f"SELECT id FROM eventos_buscar({path}, '{value}', {since}, {until}, NULL, {before}, {limit})")


def wanted(t, database, path, value, more="true", limit=100_000):
    path = path if path == "NULL" else f"'{path}'"
    return ids(t, database, f"SELECT id FROM eventos WHERE eventos_contem(conteudo, eventos_caminho({path}), '{value}')"
                            f" AND {more} ORDER BY criado_em DESC, id DESC LIMIT {limit}")


def exact(t, database):
    for path, value in FIELDS:
        got, right = found(t, database, path, value), wanted(t, database, path, value)
        assert got == right, f"{path} = {value}: {len(got)} {got[:9]}, not {len(right)} {right[:9]}"


def test_any_field_unindexed_half_indexed_and_indexed(t):
    database = t.database()
    t.sql(database, FILL.format(1200))
    assert len(found(t, database, "{value,form_id}", "7")) == 24, "the path is not understood"
    assert found(t, database, "{leadgen_id}", "10000000000000042") == ["42"], "ids are found as numbers and as text"
    exact(t, database)
    assert int(t.sql(database, "SELECT eventos_indexar(500)")) >= 50
    exact(t, database)
    t.sql(database, INDEX_ALL.format(70))
    assert t.sql(database, "SELECT count(*), eventos_atraso(), eventos_indexar(10) FROM eventos_busca") == "1200|0|0"
    exact(t, database)
    t.sql(database, "INSERT INTO eventos (entrega_id, chave, conteudo) VALUES (1, 'x', '{\"form_id\": 7}'), (1, 'y', NULL)")
    assert found(t, database, "{form_id}", "7", limit=1) == ["1201"]
    exact(t, database)
    t.sql(database, INDEX_ALL.format(70))
    exact(t, database)


def test_a_newer_payload_is_found_and_the_older_one_no_more(t):
    """Planted: without the trigger the indexed one is found by its old value; without `id <= indexados` the other
    one twice."""
    database = t.database()
    t.sql(database, FILL.format(300))
    t.sql(database, INDEX_ALL.format(70))
    t.sql(database, "INSERT INTO eventos (entrega_id, chave, conteudo) VALUES (1, 'z', '{\"form_id\": 7}')")
    for event in ("42", "301"):
        t.sql(database, f"UPDATE eventos SET conteudo = '{{\"novo\": \"n{event}\"}}' WHERE id = {event}")
        assert found(t, database, "{novo}", f"n{event}") == [event]
        assert event not in found(t, database, "{form_id}", "42" if event == "42" else "7")
    t.sql(database, INDEX_ALL.format(70))
    assert found(t, database, "{novo}", "n301") == ["301"]
    t.sql(database, "UPDATE eventos SET conteudo = NULL WHERE id = 42")
    assert found(t, database, "{novo}", "n42") == []
    exact(t, database)


def test_pages_and_times_of_a_search(t):
    database = t.database()
    t.sql(database, FILL.format(600))
    t.sql(database, "SELECT eventos_indexar(300)")
    for path, value in FIELDS[:4]:
        right, seen, before = wanted(t, database, path, value), [], "NULL"
        while page := found(t, database, path, value, before=before, limit=5):
            seen, before = seen + page, page[-1]
        assert seen == right, f"{path} = {value}"
        since, until = "now() - interval '400 seconds'", "now() - interval '100 seconds'"
        assert found(t, database, path, value, since, until) == \
            wanted(t, database, path, value, f"criado_em >= {since} AND criado_em < {until}")


def test_an_event_that_commits_late_is_indexed_too(t):
    """Planted: without `esperadas` the second of these is never in the index."""
    database = t.database()
    insert = "INSERT INTO eventos (entrega_id, chave, conteudo) VALUES (1, '{0}', '{{\"n\": \"{0}\"}}')"
    with t.session(database) as slow, t.session(database) as chore:
        slow.ask("BEGIN; " + insert.format("a"))
        t.sql(database, insert.format("b"))
        for _ in range(3):
            assert chore.ask("SELECT eventos_indexar(100)") == "0", "it did not wait for the open transaction"
        assert found(t, database, "{n}", "b") == ["2"]
        slow.ask("COMMIT")
        while chore.ask("SELECT eventos_indexar(100)") != "0":
            pass
        assert chore.ask("SELECT count(*), eventos_atraso() FROM eventos_busca") == "2|0"
        assert found(t, database, "{n}", "a") == ["1"]


def test_a_search_index_begins_anew_after_truncate(t):
    database = t.database()
    t.sql(database, FILL.format(100) + ";" + INDEX_ALL.format(100))
    t.sql(database, f"TRUNCATE eventos, leads, entregas RESTART IDENTITY; {FILL.format(60)}")
    exact(t, database)
    t.sql(database, INDEX_ALL.format(100))
    assert t.sql(database, "SELECT count(*) FROM eventos_busca") == "60"
    exact(t, database)


def page(t, database, state="NULL", since="NULL", until="NULL", reason="NULL", before="NULL", limit=100_000):
    return ids(t, database, f"SELECT id FROM entregas_pagina({state}, {since}, {until}, {reason}, NULL, {before}, {limit})")


def test_pages_of_deliveries(t):
    database = t.database()
    t.sql(database, FILL.format(1000))
    order = "ORDER BY recebida_em DESC, id DESC"
    for state, reason in (("NULL", "NULL"), ("'morta'", "NULL"), ("'pendente'", "NULL"), ("'morta'", "'motivo 1'")):
        right = ids(t, database, f"SELECT id FROM entregas WHERE estado = coalesce({state}, estado)"
                                 f" AND ({reason} IS NULL OR motivo = {reason}) {order}")
        assert right and page(t, database, state, reason=reason) == right
        seen, before = [], "NULL"
        while rows := page(t, database, state, reason=reason, before=before, limit=max(3, len(right) // 5)):
            seen, before = seen + rows, rows[-1]
        assert seen == right, state
    since, until = "now() - interval '300 seconds'", "now() - interval '100 seconds'"
    assert len(page(t, database, since=since, until=until)) == 200


def test_retention_takes_old_processed_deliveries_alone(t):
    database = t.database()
    t.sql(database, FILL.format(3000))
    t.sql(database, "UPDATE entregas SET criada_em = criada_em - interval '91 days' WHERE id <= 2000")
    before = t.sql(database, "SELECT count(*), (SELECT count(*) FROM leads) FROM eventos")
    assert t.sql(database, "SELECT entregas_expirar(0, 100)") == "0", "0 means for ever"
    with t.session(database) as other:
        other.ask("BEGIN; SELECT FROM entregas WHERE id = 3 FOR UPDATE")  # it is being sent again
        with t.session(database) as second:
            second.ask("BEGIN; SELECT entregas_expirar(90, 100)")
            assert t.sql(database, "SELECT entregas_expirar(90, 100)") == "0", "two at a time"
            second.ask("COMMIT")
        steps = 1
        while int(t.sql(database, "SELECT entregas_expirar(90, 100)")):
            steps += 1
        assert steps == 20, steps
    left = t.sql(database, "SELECT estado, count(*) FROM entregas WHERE id <= 2000 GROUP BY estado ORDER BY estado")
    assert left == "morta|20\npendente|20\nprocessada|1", left
    assert t.sql(database, "SELECT count(*) FROM entregas WHERE id > 2000") == "1000"
    assert t.sql(database, "SELECT count(*), (SELECT count(*) FROM leads) FROM eventos") == before
    # what stayed is not looked at again before a day is over, and is then
    t.sql(database, "UPDATE entregas SET estado = 'processada' WHERE id IN (1, 2)")
    assert t.sql(database, "SELECT entregas_expirar(90, 100)") == "0"
    t.sql(database, "UPDATE entregas_limpeza SET recomeco_em = now() - interval '25 hours'")
    while int(t.sql(database, "SELECT entregas_expirar(90, 100)")):
        pass
    assert t.sql(database, "SELECT count(*) FROM entregas WHERE id <= 3") == "0"


def test_retention_goes_on_where_something_young_stopped_it(t):
    database = t.database()
    t.sql(database, FILL.format(300))
    t.sql(database, "UPDATE entregas SET criada_em = criada_em - interval '91 days' WHERE id <> 150")
    assert t.sql(database, "SELECT entregas_expirar(90, 1000), entregas_expirar(90, 1000)") == "149|0"
    t.sql(database, "UPDATE entregas SET criada_em = criada_em - interval '91 days' WHERE id = 150")
    assert t.sql(database, "SELECT entregas_expirar(90, 1000), entregas_expirar(90, 1000)") == "151|0"


def test_replay_by_filter_in_steps(t):
    database = t.database()
    t.sql(database, FILL.format(1000))
    step = ("SELECT coalesce(string_agg(id::text, ' ' ORDER BY recebida_em, id), ''), max(recebida_em), max(id)"
            " FROM entregas_reenviar('morta', NULL, NULL, {}, NULL, {}, {}, 2)")
    seen, where = [], ("NULL", "NULL")
    while (row := t.sql(database, step.format("'motivo 1'", *where)).split("|"))[0]:
        seen, where = seen + row[0].split(), (f"'{row[1]}'", row[2])
    assert seen == ["202", "502", "802"], seen  # i % 100 = 2 and i % 3 = 1
    assert t.sql(database, "SELECT count(*) FROM entregas WHERE estado = 'pendente' AND motivo IS NULL AND tentativas = 0"
                           f" AND proxima_em > now() - interval '1 minute' AND id IN ({','.join(seen)})") == "3"
    form = ids(t, database, "SELECT id FROM entregas_reenviar('processada', now() - interval '500 seconds', NULL, NULL,"
                            " '7', NULL, NULL, 1000)")
    assert sorted(map(int, form)) == list(range(507, 1000, 50)), form


def all_pages(t, database, rows):
    since, until = (f"'{t.sql(database, f'SELECT max(recebida_em) - interval {chr(39)}{rows // part} s{chr(39)} FROM entregas')}'"
                    for part in (2, 3))  # values, as the programs send them
    columns = "id, fila_id, recebida_em, via, estado, tentativas, motivo"
    for name, arguments in (("all", "NULL, NULL, NULL, NULL, NULL, NULL, 51"),
                            ("from-to", f"NULL, {since}, {until}, NULL, NULL, NULL, 51"),
                            ("behind one in the middle", f"NULL, NULL, NULL, NULL, NULL, {rows // 2}, 51"),
                            ("processed, from-to", f"'processada', {since}, {until}, NULL, NULL, NULL, 51"),
                            ("dead", "'morta', NULL, NULL, NULL, NULL, NULL, 51"),
                            ("dead, from-to", f"'morta', {since}, {until}, NULL, NULL, NULL, 51"),
                            ("dead for a reason", "'morta', NULL, NULL, 'motivo 2', NULL, NULL, 51"),
                            ("dead for no such reason", "'morta', NULL, NULL, 'nada', NULL, NULL, 51"),
                            ("pending", "'pendente', NULL, NULL, NULL, NULL, NULL, 51")):
        yield plans.immediate(f"deliveries: {name}", f"SELECT {columns} FROM entregas_pagina({arguments})")
    for name, arguments in (("all", "NULL, NULL, NULL, NULL, NULL, 51"), ("of a delivery", "77, NULL, NULL, NULL, NULL, 51"),
                            ("from-to", f"NULL, {since}, {until}, NULL, NULL, 51"),
                            ("behind one in the middle", f"NULL, NULL, NULL, NULL, {rows // 2}, 51")):
        yield plans.immediate(f"events: {name}", f"SELECT * FROM eventos_pagina({arguments})")
    for path, value in FIELDS:
        if path == "{field,form_id}":
            continue  # the one case that reads every candidate: see eventos_buscar
        path = path if path == "NULL" else f"'{path}'"
        for times in ("NULL, NULL", f"{since}, {until}"):
            yield plans.immediate(f"events: {path} = {value}, {times[:4]}",
                                  f"SELECT * FROM eventos_buscar({path}, '{value}', {times}, NULL, NULL, 51)")
    yield plans.immediate("replay of dead letters", "SELECT * FROM entregas_reenviar('morta', NULL, NULL, NULL, NULL,"
                                                    f" {since}, {rows // 2}, 500)")
    yield plans.immediate("retention", "SELECT entregas_expirar(90, 1000)")
    yield plans.immediate("indexing", "SELECT eventos_indexar(1000)")


SCANS = ("SELECT string_agg(relname || ' ' || seq_scan, ', ' ORDER BY relname) FROM pg_stat_user_tables"
         " WHERE relname IN ('entregas', 'eventos', 'eventos_busca', 'leads')")


def test_every_page_and_search_of_the_archive_has_an_index(t):
    """What stands in functions has no plan to look at: the server's count of scans of whole tables tells."""
    database, rows = t.database(), 2 * t.rows
    t.sql(database, FILL.format(rows) + ";" + INDEX_ALL.format(5000) + "; VACUUM (ANALYZE)")
    t.sql(database, "INSERT INTO eventos (entrega_id, chave, conteudo) SELECT 1, 'n' || i, '{\"form_id\": 7}'"
                    " FROM generate_series(1, 200) i")
    print(f"\nPlans of the archive at {rows} deliveries and events")
    before = t.sql(database, "SELECT pg_stat_force_next_flush(); " * (t.server.version >= 15) + SCANS)
    plans.explain_all(t, database, all_pages(t, database, rows))
    after = t.sql(database, "SELECT pg_stat_force_next_flush(); " * (t.server.version >= 15) + SCANS)
    assert before == after, f"{before} before, {after} after"
    size = t.sql(database, "SELECT pg_size_pretty(pg_total_relation_size('eventos_busca')),"
                           " pg_size_pretty(pg_total_relation_size('eventos'))")
    print(f"eventos_busca and eventos take {re.sub('[|]', ' and ', size)}")
