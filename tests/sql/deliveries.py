"""entregas, eventos, leads: what comes again adds nothing, and what is not allowed is refused."""
from cluster import SqlError

QUEUED = ("INSERT INTO entregas (fila_id, recebida_em, via, corpo, estado) VALUES ('{}', '{}', 'fila', '\\x00ff', 'processada')"
          " ON CONFLICT (fila_id, recebida_em) WHERE fila_id IS NOT NULL DO NOTHING RETURNING id")
DIRECT = ("INSERT INTO entregas (recebida_em, via, corpo, estado) VALUES ('2026-11-22', 'direta', '\\x7b', 'pendente')"
          " RETURNING id")


def refused(t, database, text, what):
    try:
        t.sql(database, text)
    except SqlError as e:
        assert what in str(e), e
        return
    raise AssertionError(f"taken: {text}")


def test_a_stream_entry_counts_once(t):
    database = t.database()
    with t.session(database) as s:
        assert s.ask(QUEUED.format("1-0", "2026-11-22 10:00+00")) == "1"
        assert s.ask(QUEUED.format("1-0", "2026-11-22 10:00+00")) == ""
        assert s.ask(QUEUED.format("1-0", "2026-11-22 11:00+00")) != "", "Redis was lost and its clock went back"
        assert s.ask(QUEUED.format("2-0", "2026-11-22 10:00+00")) != ""
        assert s.ask(DIRECT) != s.ask(DIRECT)
        assert s.ask("SELECT count(*), sum(length(corpo)) FROM entregas") == f"5|{3 * 2 + 2 * 1}"


def test_two_workers_with_one_entry(t):
    database = t.database()
    with t.session(database) as a, t.session(database) as b:
        a.ask("BEGIN; " + QUEUED.format("1-0", "2026-11-22"))
        b.send(QUEUED.format("1-0", "2026-11-22"))
        assert b.waits()
        a.ask("COMMIT")
        assert b.answer() == ""


def test_an_event_and_a_lead_count_once(t):
    database = t.database()
    event = ("INSERT INTO eventos (entrega_id, chave, conteudo) VALUES ({}, 'leadgen:1', '{{}}')"
             " ON CONFLICT (chave) DO NOTHING RETURNING entrega_id")
    lead = ("INSERT INTO leads (leadgen_id, criado_em) VALUES ('99999999999999999999', now())"
            " ON CONFLICT (leadgen_id) DO NOTHING RETURNING estado")
    assert t.sql(database, ";".join((event.format(1), event.format(2), lead, lead))) == "1\npendente"


def test_unknown_words_are_refused(t):
    database = t.database()
    refused(t, database, DIRECT.replace("'direta'", "'email'"), "entregas_via_check")
    refused(t, database, DIRECT.replace("'pendente'", "'feita'"), "entregas_estado_check")
    refused(t, database, "INSERT INTO leads (leadgen_id, criado_em, estado) VALUES ('1', now(), 'novo')",
            "leads_estado_check")


def test_everything_is_commented(t):
    database = t.database()
    bare = t.sql(database, "SELECT string_agg(relname, ', ') FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                           " AND relkind = 'r' AND obj_description(oid, 'pg_class') IS NULL")
    assert bare == "", bare
    bare = t.sql(database, "SELECT string_agg(proname, ', ') FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
                           " AND obj_description(oid, 'pg_proc') IS NULL")
    assert bare == "", bare
