"""Pages of leads, deliveries by what they brought, events and the audit log at --rows rows each: what one of them reads.

They are functions, which have no plan to look at: the server's own counts within one transaction tell. No table is
read from end to end, and no page reads more rows than its bound."""
import datetime

LIMIT = 51
FILL = """
INSERT INTO entregas (fila_id, recebida_em, criada_em, via, corpo, estado, motivo, proxima_em, request_id)
SELECT i || '-0', t, t, 'fila', '\\x7b7d', CASE i % 100 WHEN 1 THEN 'pendente' WHEN 2 THEN 'morta' ELSE 'processada' END,
       CASE i % 100 WHEN 2 THEN 'motivo ' || i % 3 END, t, 'r' || i
  FROM generate_series(1, {0}) i CROSS JOIN LATERAL (SELECT '2026-01-01Z'::timestamptz + interval '1 second' * i) x (t);
INSERT INTO eventos (entrega_id, chave, criado_em, conteudo)
SELECT i, 'leadgen:' || i, '2026-01-01Z'::timestamptz + interval '1 second' * i, '{{}}' FROM generate_series(1, {0}) i;
INSERT INTO leads (leadgen_id, pagina_id, formulario_id, criado_em, estado, nome, email, telefone, entrega_id, busca)
SELECT i, 'p' || i % 20, CASE WHEN i % 10000 = 0 THEN 'raro' ELSE 'f' || i % 200 END,
       '2026-01-01Z'::timestamptz + interval '1 second' * i,
       CASE i % 1000 WHEN 0 THEN 'pendente' WHEN 1 THEN 'falhou' WHEN 2 THEN 'teste' ELSE 'completo' END, n, e, f, i,
       leads_vetor(n, e, f)
  FROM generate_series(1, {0}) i CROSS JOIN LATERAL (SELECT 'Ana Silva ' || i % 5000, 'ana.' || i || '@exemplo.com.br',
       '+55 11 9' || lpad(i::text, 8, '0')) v (n, e, f);
INSERT INTO auditoria (em, ator_id, ator, papel, acao, alvo)
SELECT '2026-01-01Z'::timestamptz + interval '1 second' * i, i % 50 + 1, 'conta' || i % 50 + 1 || '@exemplo.com.br', 'admin',
       CASE WHEN i % 1000 = 0 THEN 'conta_criada' ELSE 'login' END, 'usuario:' || i FROM generate_series(1, {0}) i;
DELETE FROM eventos_busca;
VACUUM (ANALYZE)"""
SCANNED = """SELECT coalesce(sum(seq_scan), 0), coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)
  FROM pg_stat_xact_user_tables WHERE relname IN ('leads', 'entregas', 'eventos', 'auditoria')"""


def at(second):
    """A value, as the programs send it: an expression would be planned otherwise."""
    return f"'{datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=second)}Z'"


def leads(rows):
    """(what, arguments of leads_pagina, most rows that it may read)"""
    names = ("pagina", "formulario", "estado", "desde", "ate", "busca", "id", "antes_em", "antes_id")
    few = 4 * LIMIT
    for what, given, most in (
            ("all", {}, few),
            ("behind the middle", {"antes_em": at(rows // 2), "antes_id": f"'{rows // 2}'"}, few),
            ("from-to", {"desde": at(rows // 3), "ate": at(rows // 2)}, few),
            ("of a page", {"pagina": "'p7'"}, 20 * few),  # one in 20 is of this page: newest first finds 51 as soon
            ("of a page, from-to", {"pagina": "'p7'", "desde": at(rows // 3), "ate": at(rows // 2)}, 20 * few),
            ("of a form", {"formulario": "'f7'"}, few),
            ("of a form, behind the middle",
             {"formulario": "'f7'", "antes_em": at(rows // 2), "antes_id": f"'{rows // 2}'"}, few),
            ("of a form that is rare", {"formulario": "'raro'"}, few),
            ("of a form that is not there", {"formulario": "'nada'"}, few),
            ("of a form and another page", {"pagina": "'p8'", "formulario": "'f7'"}, rows // 20 + few),
            ("pending", {"estado": "'pendente'"}, few),
            ("failed", {"estado": "'falhou'"}, few),
            ("tests, from-to", {"estado": "'teste'", "desde": at(rows // 3), "ate": at(rows // 2)}, few),
            ("complete", {"estado": "'completo'"}, few),
            ("by id", {"id": "'77'"}, few),
            ("by a rare word", {"busca": f"'ana.{rows // 2}'"}, 5_001 + few),
            ("by a word that all have", {"busca": "'ana'"}, 5_001 + few),
            ("by a word that nobody has", {"busca": "'inexistente'"}, few),
            ("by a telephone", {"busca": f"'{rows // 2:08}'"}, 5_001 + few)):
        values = ", ".join(given.get(name, "NULL") for name in names)
        yield f"leads {what}", f"leads_pagina({values}, {LIMIT})", most


def log(rows):
    names = ("ator_id", "ator", "acao", "desde", "ate", "antes_em", "antes_id")
    few = 4 * LIMIT
    for what, given, most in (
            ("all", {}, few),
            ("behind the middle", {"antes_em": at(rows // 2), "antes_id": str(rows // 2)}, few),
            ("from-to", {"desde": at(rows // 3), "ate": at(rows // 2)}, few),
            ("of an account", {"ator_id": "7"}, few),
            ("of an account, behind the middle", {"ator_id": "7", "antes_em": at(rows // 2), "antes_id": str(rows // 2)}, few),
            ("of a name", {"ator": "'CONTA7@exemplo.com.br'"}, few),
            ("of nobody", {"ator": "'ninguem'"}, few),
            ("of a rare action", {"acao": "'conta_criada'"}, few),
            ("of a frequent action, from-to", {"acao": "'login'", "desde": at(rows // 3), "ate": at(rows // 2)}, few),
            ("of an action that never was", {"acao": "'logout'"}, few),
            ("of an account and a rare action", {"ator_id": "7", "acao": "'conta_criada'"}, rows // 1000 + few)):
        values = ", ".join(given.get(name, "NULL") for name in names)
        yield f"audit log {what}", f"auditoria_pagina({values}, {LIMIT})", most


def archive(rows):
    few = 6 * LIMIT
    nothing = "NULL, NULL, NULL, NULL"  # estado, desde, ate, motivo
    for what, function, most in (
            ("deliveries all", f"entregas_pagina({nothing}, NULL, NULL, {LIMIT})", few),
            ("deliveries dead", f"entregas_pagina('morta', NULL, NULL, NULL, NULL, NULL, {LIMIT})", few),
            ("deliveries processed, from-to",
             f"entregas_pagina('processada', {at(rows // 3)}, {at(rows // 2)}, NULL, NULL, NULL, {LIMIT})", few),
            ("deliveries dead for a reason", f"entregas_pagina('morta', NULL, NULL, 'motivo 1', NULL, NULL, {LIMIT})", few),
            ("deliveries behind the middle",
             f"entregas_pagina({nothing}, {at(rows // 2)}, {rows // 2}, {LIMIT})", few),
            ("deliveries of a rare form",
             f"entregas_procurar({nothing}, 'raro', NULL, NULL, NULL, NULL, NULL, {LIMIT})", 2 * 5_001),
            ("deliveries of a frequent form",
             f"entregas_procurar({nothing}, 'f7', NULL, NULL, NULL, NULL, NULL, {LIMIT})", 4 * 20_000),
            ("deliveries of no form",
             f"entregas_procurar({nothing}, 'nada', NULL, NULL, NULL, NULL, NULL, {LIMIT})", few),
            ("deliveries by the id of a request that is old",
             f"entregas_procurar({nothing}, NULL, 'r1', NULL, NULL, NULL, NULL, {LIMIT})", 20_000 + few),
            ("events all", f"eventos_pagina(NULL, NULL, NULL, NULL, NULL, {LIMIT})", few),
            ("events of a delivery", f"eventos_pagina(77, NULL, NULL, NULL, NULL, {LIMIT})", few),
            ("events from-to", f"eventos_pagina(NULL, {at(rows // 3)}, {at(rows // 2)}, NULL, NULL, {LIMIT})", few),
            ("events behind the middle",
             f"eventos_pagina(NULL, NULL, NULL, {at(rows // 2)}, {rows // 2}, {LIMIT})", few)):
        yield what, function, most


def test_no_page_of_operators_reads_more_than_its_bound(t):
    """Planted: leads_pagina, auditoria_acao or entregas_motivos dropped."""
    database = t.database()
    t.sql(database, FILL.format(t.rows))
    failures = []
    for what, function, most in (*leads(t.rows), *log(t.rows), *archive(t.rows)):
        with t.session(database) as s:
            s.ask("BEGIN")
            found = int(s.ask(f"SELECT count(p.*) FROM {function} p"))
            scans, read = map(int, s.ask(SCANNED).split("|"))
            s.ask("COMMIT")
        print(f"  {what:50} {found:4} found, {read:7} rows read")
        if scans or read > most:
            failures.append(f"{what}: {scans} tables read from end to end, {read} rows read, {most} are allowed")
    assert not failures, "\n".join(failures)
