"""eventos: the newest of one key stays; `mensagens` has each message's present status; look-ups have an index."""
import itertools
import re

RANKS = {"sent": 1, "failed": 2, "delivered": 3, "read": 4, "played": 5}
# As lib/store_evento.c has it.
UPSERT = ("INSERT INTO eventos (entrega_id, chave, assunto, estado, ordem, ocorrido_em, conteudo) VALUES ({})"
          " ON CONFLICT (chave) DO UPDATE SET conteudo = excluded.conteudo, ocorrido_em = excluded.ocorrido_em,"
          " estado = excluded.estado, ordem = excluded.ordem, contato = excluded.contato"
          " WHERE excluded.ocorrido_em > eventos.ocorrido_em"
          " OR (eventos.ocorrido_em IS NULL AND excluded.ocorrido_em IS NOT NULL)")


def status(wamid, word, second):
    rank = RANKS.get(word, "NULL")
    return UPSERT.format(f"1, 'wamid:{wamid}:{word}', '{wamid}', '{word}', {rank}, to_timestamp({second}), '{{}}'")


def test_the_later_of_one_key_stays(t):
    database = t.database()

    def event(delivery, time, content):
        return UPSERT.format(f"{delivery}, 'comment:1:edited', '1', 'edited', NULL, {time}, '{content}'")
    with t.session(database) as s:
        for delivery, time, content, want in ((1, "NULL", 1, "1|1"), (2, "to_timestamp(5)", 2, "1|2"),
                                              (3, "to_timestamp(4)", 3, "1|2"), (4, "to_timestamp(5)", 4, "1|2"),
                                              (5, "NULL", 5, "1|2"), (6, "to_timestamp(6)", 6, "1|6")):
            s.ask(event(delivery, time, content))
            assert s.ask("SELECT entrega_id, conteudo FROM eventos") == want, (delivery, want)


def test_a_status_never_goes_backwards(t):
    """In every order of arrival, by clocks that go with it and against it."""
    database = t.database()
    with t.session(database) as s:
        for n, order in enumerate(itertools.permutations(RANKS, 3)):
            for i, word in enumerate(order):
                s.ask(status(f"w{n}", word, 100 - i if n % 2 else 100 + i))
                want = max(order[:i + 1], key=RANKS.get)
                assert s.ask(f"SELECT estado FROM mensagens WHERE wamid = 'w{n}'") == want, (order, want)


def test_a_message_without_a_status_has_none_and_unknown_words_rank_last(t):
    database = t.database()
    t.sql(database, UPSERT.format("1, 'wamid:w', 'w', NULL, NULL, to_timestamp(1), '{}'") + ";"
          + UPSERT.format("1, 'mid:m', 'm', NULL, NULL, to_timestamp(1), '{}'"))
    assert t.sql(database, "SELECT wamid, estado IS NULL FROM mensagens") == "w|t"
    t.sql(database, status("w", "warning", 9))
    assert t.sql(database, "SELECT estado FROM mensagens") == "warning"
    t.sql(database, status("w", "sent", 5))
    assert t.sql(database, "SELECT estado FROM mensagens") == "sent"


def test_look_ups_by_assunto_have_an_index_and_leads_are_not_in_it(t):
    database = t.database()
    n = t.rows
    t.sql(database, f"""
        INSERT INTO eventos (entrega_id, chave) SELECT i, 'leadgen:' || i FROM generate_series(1, {n}) i;
        INSERT INTO eventos (entrega_id, chave, assunto, estado, ordem, ocorrido_em)
            SELECT i, 'wamid:w' || i || ':' || e, 'w' || i, e, o, now()
              FROM generate_series(1, {n} / 5) i, (VALUES ('sent', 1), ('delivered', 3), ('read', 4)) AS s(e, o);
        VACUUM (ANALYZE)""")
    for text in ("SELECT * FROM eventos WHERE assunto = $1", "SELECT * FROM mensagens WHERE wamid = $1",
                 "SELECT * FROM mensagens WHERE wamid = ANY(ARRAY[$1, 'w2', 'w3'])"):
        plan = t.sql(database, f"PREPARE s(text) AS {text}; SET plan_cache_mode = force_generic_plan;"
                               " EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE s('w77')")
        assert "eventos_assunto" in plan and "Seq Scan" not in plan, f"{text}\n{plan}"
        assert not re.search(r"Rows Removed by Filter", plan), plan
    entries = t.sql(database, "SELECT reltuples::bigint FROM pg_class WHERE relname = 'eventos_assunto'")
    assert int(entries) < n, f"{entries} entries for {3 * (n // 5)} rows with an assunto"  # an estimate


def test_the_view_and_its_index_are_commented(t):
    for name in ("mensagens", "eventos_assunto"):
        assert t.sql("modelo", f"SELECT obj_description('{name}'::regclass, 'pg_class')")
