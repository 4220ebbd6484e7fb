"""Plans of every page, filter and look-up on a table of --rows posts: an index each, never all of posts.

Prints each plan with what it really took. Statements that the programs prepare are planned without the values
(generic plans), as they are after five executions; a search is planned with them."""
import itertools
import random
import re
import tempfile

SYLLABLES = (("ca", "do", "ri", "me", "lu", "pa", "to", "ve", "ni", "bo", "fra", "gre", "cla", "pro", "tre"),
             ("ba", "ce", "di", "fo", "gu", "la", "mi", "no", "pe", "ru"), ("ra", "te", "si", "lo", "mu", "nhe"),
             ("do", "ção", "ste", "nha", "ral", "ções", "mente", "ável", "ência", "dade"))
COLUMNS = "id, titulo, conteudo, autor, data_criacao"
LAST = 2 ** 63 - 1
MAX_MS = 250  # far above what any of them takes on an idle machine


def vocabulary():
    words = ["".join(parts) for parts in itertools.product(*SYLLABLES)]
    random.Random(7).shuffle(words)
    return words


def write_posts(f, rows, words):
    """20 words each, the k-th most frequent with weight 1/k; a tenth of the posts by one author."""
    rnd = random.Random(8)
    weights = list(itertools.accumulate(1 / (k + 2) for k in range(len(words))))
    for i in range(1, rows + 1):
        text = " ".join(rnd.choices(words, cum_weights=weights, k=20))
        f.write(f"Post número {i}\t{text}.\tAutor {i % 1000 if i % 10 else 0}\n")
    f.flush()


def fill(t, database, words):
    with tempfile.TemporaryFile("w+", encoding="utf-8") as f:
        write_posts(f, t.rows, words)
        f.seek(0)
        t.sql(database, "COPY posts (titulo, conteudo, autor) FROM stdin", f)
    t.sql(database, f"""
        DO $$ BEGIN WHILE posts_indexar(2000) > 0 LOOP COMMIT; END LOOP; END $$;
        INSERT INTO idempotencia SELECT i, '\\x00', i, now() - interval '1 s' * i FROM generate_series(1, {t.rows // 5}) i;
        INSERT INTO entregas (fila_id, recebida_em, via, corpo, estado)
            SELECT i || '-0', now(), 'fila', '\\x7b7d', CASE i % 1000 WHEN 1 THEN 'pendente' WHEN 2 THEN 'morta'
                   ELSE 'processada' END FROM generate_series(1, {t.rows // 5}) i;
        INSERT INTO eventos (entrega_id, chave) SELECT i, 'leadgen:' || i FROM generate_series(1, {t.rows // 5}) i;
        INSERT INTO eventos (entrega_id, chave, assunto, estado, ordem)
            SELECT i, 'wamid:w' || i || ':sent', 'w' || i, 'sent', 1 FROM generate_series(1, {t.rows // 5}) i;
        INSERT INTO leads (leadgen_id, pagina_id, formulario_id, criado_em, estado)
            SELECT 10000000000000000 + i, 'p' || i % 20, 'f' || i % 200, now() - interval '1 s' * i,
                   CASE i % 100 WHEN 0 THEN 'pendente' WHEN 1 THEN 'falhou' ELSE 'completo' END
              FROM generate_series(1, {t.rows // 5}) i;
        VACUUM (ANALYZE)""")
    # then a few that nobody has indexed yet, and a change of an old one
    t.sql(database, f"INSERT INTO posts (titulo, conteudo) SELECT 'novo', '{words[0]} {words[3000]}'"
                    " FROM generate_series(1, 20); UPDATE posts SET titulo = 'mudado' WHERE id = 100;")


def prepared(name, types, text, *values):
    return name, (f"PREPARE s({types}) AS {text}; SET plan_cache_mode = force_generic_plan;"
                  f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE s({', '.join(str(v) for v in values)})")


def immediate(name, text):
    return name, f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {text}"


def pages(rows):
    half = rows // 2
    plain = f"SELECT {COLUMNS} FROM posts WHERE id < $1 ORDER BY id DESC LIMIT $2"
    author = f"SELECT {COLUMNS} FROM posts WHERE autor = $3 AND id < $1 ORDER BY id DESC LIMIT $2"
    yield prepared("first page", "bigint, bigint", plain, LAST, 51)
    yield prepared("a page in the middle", "bigint, bigint", plain, half, 51)
    yield prepared("pages of one author of a thousand", "bigint, bigint, text", author, LAST, 51, "'Autor 7'")
    yield prepared("pages of the author of every tenth post", "bigint, bigint, text", author, half, 51, "'Autor 0'")
    yield prepared("posts by their ids", "bigint[]",
                   f"SELECT {COLUMNS} FROM posts WHERE id = ANY($1) ORDER BY id", f"ARRAY[7, {half}, {rows}]")
    yield immediate("the total", "SELECT coalesce(sum(n), 0)::bigint FROM posts_contagem")


def searches(rows, words):
    def search(name, query, before=LAST, author="NULL"):
        return immediate(f"search: {name}",
                         f"SELECT {COLUMNS} FROM posts_buscar('{query}', {before}, 51, {author})")
    yield search("the most frequent word", words[0])
    yield search("the most frequent word, middle of the table", words[0], rows // 2)
    yield search("a rare word", words[5000])
    yield search("a word of medium frequency", words[200])
    yield search("two frequent words", f"{words[1]} {words[2]}")
    yield search("a phrase", f'"{words[1]} {words[2]}"')
    yield search("one word or another", f"{words[4]} or {words[6000]}")
    yield search("a frequent word of one author of a thousand", words[0], author="'Autor 7'")
    yield search("a rare word of the author of every tenth post", words[5000], author="'Autor 0'")
    yield search("a word that no post has", "inexistente")


def others(rows):
    yield prepared("expired keys", "int", "SELECT chave FROM idempotencia WHERE criada_em <= now() - interval '24 hours'"
                   " ORDER BY criada_em LIMIT $1 FOR UPDATE SKIP LOCKED", 100)
    yield prepared("a stream entry", "text, timestamptz", "SELECT id FROM entregas WHERE fila_id = $1 AND recebida_em = $2",
                   "'77-0'", "now()")
    yield immediate("deliveries for the worker", "SELECT id, corpo FROM entregas WHERE estado = 'pendente'"
                    " AND proxima_em <= now() ORDER BY proxima_em, id LIMIT 1000 FOR UPDATE SKIP LOCKED")
    yield prepared("events", "bigint, bigint", "SELECT * FROM eventos WHERE id < $1 ORDER BY id DESC LIMIT $2", LAST, 51)
    yield prepared("events of one message", "text", "SELECT * FROM eventos WHERE assunto = $1", "'w77'")
    yield prepared("the present status of one message", "text", "SELECT * FROM mensagens WHERE wamid = $1", "'w77'")
    keyset = "(criado_em, leadgen_id) < (now(), 'z') ORDER BY criado_em DESC, leadgen_id DESC LIMIT 51"
    for filter_ in ("true", "pagina_id = 'p7'", "formulario_id = 'f7'", "estado = 'pendente'"):
        yield immediate(f"leads where {filter_}", f"SELECT * FROM leads WHERE {filter_} AND {keyset}")


def check(name, plan):
    whole = re.search(r"Seq Scan on (posts|posts_busca|idempotencia|entregas|eventos|leads)\b", plan)
    assert not whole, f"{name}: reads all of {whole.group(1)}\n{plan}"
    wasted = re.search(r"Rows Removed by Filter: (\d+)", plan)
    borne = 1 if " behind " in name else 0  # the row that the page begins behind
    assert not wasted or name.startswith("search") or int(wasted.group(1)) <= borne, f"{name}: {wasted.group()}\n{plan}"
    took = float(re.search(r"Execution Time: ([0-9.]+)", plan).group(1))
    assert took < MAX_MS, f"{name}: {took} ms\n{plan}"


def explain_all(t, database, statements):
    failures = []
    for name, text in statements:
        plan = min((t.sql(database, text) for _ in range(2)),
                   key=lambda p: float(re.search(r"Execution Time: ([0-9.]+)", p).group(1)))
        print(f"\n--- {name}\n{plan}")
        try:
            check(name, plan)
        except AssertionError as e:
            failures.append(str(e))
    assert not failures, "\n".join(failures)


SCANS = "SELECT string_agg(relname || ' ' || seq_scan, ', ' ORDER BY relname) FROM pg_stat_user_tables"\
        " WHERE relname IN ('posts', 'posts_busca', 'idempotencia')"


def check_chores(t, database):
    """What stands in functions has no plan to look at: the server's own count of scans of whole tables tells."""
    before = t.sql(database, SCANS)
    t.sql(database, "INSERT INTO posts (titulo, conteudo) SELECT 'novo', 'x' FROM generate_series(1, 300);"
                    "DELETE FROM posts WHERE id BETWEEN 200 AND 300;"
                    "UPDATE idempotencia SET criada_em = now() - interval '2 days' WHERE chave BETWEEN '1' AND '11';"
                    + "SELECT posts_indexar(150), idempotencia_limpar(100);" * 8)
    after = t.sql(database, SCANS)
    assert before == after, f"{before} before, {after} after"


def test_every_page_and_filter_has_an_index(t):
    database, words = t.database(), vocabulary()
    fill(t, database, words)
    print(f"\nPlans at {t.rows} posts, PostgreSQL {t.server.version}")
    explain_all(t, database, [*pages(t.rows), *searches(t.rows, words), *others(t.rows)])
    check_chores(t, database)
