"""posts_contagem: sum(n) is the number of posts at every snapshot, and no writer waits for another."""
import contextlib
import random
import threading
import time

from cluster import SqlError

TOTAL = "SELECT coalesce(sum(n), 0) FROM posts_contagem"
BOTH = f"SELECT count(*), ({TOTAL}) FROM posts"
ONE = "INSERT INTO posts (titulo, conteudo, autor) VALUES ('t', 'c', 'a')"
MANY = "INSERT INTO posts (titulo, conteudo) SELECT 't' || i, 'c' FROM generate_series(1, {}) i"


def exact(t, database, expected=None):
    counted, total = t.sql(database, BOTH).split("|")
    assert counted == total, f"{counted} posts, total says {total}"
    assert expected is None or counted == str(expected), f"{counted} posts, not {expected}"
    twice = t.sql(database, "SELECT vaga FROM posts_contagem WHERE vaga IS NOT NULL GROUP BY vaga HAVING count(*) > 1")
    assert twice == "", f"place {twice} has two rows: whoever adds to it adds twice"


def after(t, text, expected, database=None):
    """In a fresh database (three posts): the total is exact and is `expected` after `text`."""
    database = database or t.database()
    t.sql(database, text)
    exact(t, database, expected)
    return database


def test_three_first_posts(t):
    after(t, "", 3)


def test_insert_of_one_of_many_and_of_none(t):
    after(t, f"{ONE}; {MANY.format(2)}; {MANY.format(3)}; {MANY.format(4)}; {MANY.format(5000)};"
             f" {MANY.format(0)}; INSERT INTO posts (titulo, conteudo) VALUES ('a', 'b'), ('c', 'd')", 3 + 1 + 2 + 3 + 4 + 5000 + 2)


def test_copy(t):
    rows = "".join(f"título {i}\tconteúdo\tMaria\n" for i in range(1000))
    after(t, f"COPY posts (titulo, conteudo, autor) FROM stdin;\n{rows}\\.\n", 1003)


def test_rolled_back_statements_and_savepoints(t):
    after(t, f"BEGIN; {MANY.format(10)}; ROLLBACK;"
             f"BEGIN; {MANY.format(10)}; SAVEPOINT a; {MANY.format(100)}; DELETE FROM posts WHERE id < 3;"
             f"ROLLBACK TO a; {ONE}; SAVEPOINT b; {ONE}; RELEASE b; COMMIT", 15)


def test_failed_statement_adds_nothing(t):
    database = t.database()
    try:
        t.sql(database, "INSERT INTO posts (id, titulo, conteudo) VALUES (100, 'a', 'b'), (1, 'a', 'b')")
        raise AssertionError("two posts with one id")
    except SqlError:
        exact(t, database, 3)


def test_delete(t):
    after(t, f"{MANY.format(100)}; DELETE FROM posts WHERE id % 2 = 0; DELETE FROM posts WHERE false;"
             "DELETE FROM posts WHERE id = 1", 51)


def test_on_conflict(t):
    after(t, "INSERT INTO posts (id, titulo, conteudo) SELECT i, 't', 'c' FROM generate_series(1, 10) i"
             " ON CONFLICT DO NOTHING;"
             "INSERT INTO posts (id, titulo, conteudo) SELECT i, 't', 'c' FROM generate_series(6, 15) i"
             " ON CONFLICT (id) DO UPDATE SET titulo = excluded.titulo", 15)


def test_merge(t):
    if t.server.version < 15:
        return
    after(t, f"{MANY.format(20)};"
             "MERGE INTO posts p USING generate_series(1, 40) i ON p.id = i"
             " WHEN MATCHED AND i % 3 = 0 THEN DELETE WHEN MATCHED AND i % 3 = 1 THEN UPDATE SET titulo = 'm'"
             " WHEN NOT MATCHED THEN INSERT (id, titulo, conteudo) VALUES (i, 't', 'c')", 40 - 7)


def test_one_statement_that_inserts_and_deletes(t):
    after(t, f"WITH fora AS (DELETE FROM posts WHERE id <= 2 RETURNING titulo)"
             " INSERT INTO posts (titulo, conteudo) SELECT titulo, 'x' FROM fora CROSS JOIN generate_series(1, 3)", 7)


def test_cascade_from_another_table(t):
    after(t, "CREATE TABLE dono (id int PRIMARY KEY); INSERT INTO dono VALUES (1), (2);"
             "ALTER TABLE posts ADD COLUMN dono_id int REFERENCES dono ON DELETE CASCADE;"
             "UPDATE posts SET dono_id = 1 + id % 2; DELETE FROM dono WHERE id = 2;", 1)


def test_truncate_in_every_form(t):
    database = t.database()
    for text, expected in ((f"{MANY.format(50)}; TRUNCATE posts", 0),
                           (f"{ONE}; BEGIN; TRUNCATE posts; {ONE}; ROLLBACK", 1),
                           (f"BEGIN; TRUNCATE posts; {MANY.format(7)}; COMMIT", 7),
                           ("TRUNCATE posts RESTART IDENTITY CASCADE", 0),
                           (f"{ONE}; TRUNCATE posts, posts_busca, posts_pendentes, idempotencia", 0),
                           (f"{ONE}; TRUNCATE posts, posts_contagem", 0),
                           (f"BEGIN ISOLATION LEVEL REPEATABLE READ; {ONE}; TRUNCATE posts; {ONE}; COMMIT", 1)):
        after(t, text, expected, database)
    t.sql(database, "TRUNCATE posts RESTART IDENTITY CASCADE")
    assert t.sql(database, ONE + " RETURNING id") == "1"


def test_truncate_takes_what_its_snapshot_does_not_see(t):
    database = t.database()
    with t.session(database) as a:
        a.ask("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        t.sql(database, MANY.format(10))
        a.ask("TRUNCATE posts; COMMIT")
    exact(t, database, 0)


def test_truncate_does_not_deadlock_with_readers(t):
    database = t.database()
    with t.session(database) as reader, t.session(database) as other:
        reader.ask(f"BEGIN; {TOTAL}")
        other.send(f"BEGIN; TRUNCATE posts; {ONE}; COMMIT")
        other.answer(5)
        assert reader.ask("SELECT count(*) FROM posts") == "1"
        assert reader.ask(TOTAL) == "1"
        reader.ask("COMMIT")
    exact(t, database, 1)


def test_truncate_and_folding_at_once(t):
    database = t.database()
    t.sql(database, "SET default_transaction_isolation = 'repeatable read';\n" + f"{ONE};\n" * 50)
    with t.session(database) as folder, t.session(database) as other:
        folder.ask("BEGIN; SELECT posts_contagem_dobrar(100)")
        other.send("TRUNCATE posts")
        assert other.waits()
        folder.ask("COMMIT")
        other.answer()
    exact(t, database, 0)


def test_repeatable_read_and_serializable_never_fail(t):
    """Nothing but inserts: what fails here could only be the counting."""
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        database = t.database()
        with t.session(database) as a, t.session(database) as b:
            a.ask(f"BEGIN ISOLATION LEVEL {level}; SELECT 1 FROM posts WHERE id = 1")
            b.ask(ONE)
            a.ask(ONE)
            b.ask(f"BEGIN ISOLATION LEVEL {level}; {ONE}")
            a.ask(f"{MANY.format(5)}; COMMIT")
            b.ask(f"{MANY.format(20)}; COMMIT")
            b.ask(ONE)
        exact(t, database, 3 + 1 + 1 + 1 + 5 + 20 + 1)


def test_any_search_path(t):
    database = t.database(schema="outro lugar")
    t.sql(database, 'SET search_path = \'\'; INSERT INTO "outro lugar".posts (titulo, conteudo) VALUES (1, 2), (3, 4);'
                    'DELETE FROM "outro lugar".posts WHERE id = 1; UPDATE "outro lugar".posts SET titulo = \'x\'')
    assert t.sql(database, f'SET search_path = "outro lugar"; {BOTH}') == "4|4"
    t.sql(database, 'TRUNCATE "outro lugar".posts')
    assert t.sql(database, f'SET search_path = "outro lugar"; {BOTH}') == "0|0"


def test_writers_do_not_wait_for_each_other(t):
    database = t.database()
    with t.session(database) as a, t.session(database) as b, t.session(database) as c:
        a.ask(f"BEGIN; {ONE}; {ONE}")
        b.ask(f"BEGIN; {ONE}; DELETE FROM posts WHERE id = 1")
        c.ask(f"SET lock_timeout = '100ms'; {ONE}; {MANY.format(10)}; DELETE FROM posts WHERE id = 2")
        exact(t, database, 3 + 11 - 1)
        a.ask("ROLLBACK")
        exact(t, database, 13)
        b.ask("COMMIT")
        exact(t, database, 13)


def test_more_writers_than_places(t):
    database = t.database()
    with contextlib.ExitStack() as all_of_them:
        writers = [all_of_them.enter_context(t.session(database)) for _ in range(20)]
        for s in writers:
            s.ask(f"SET lock_timeout = '100ms'; BEGIN; {ONE}")
        exact(t, database, 3)
        for i, s in enumerate(writers):
            s.ask(f"{ONE}; {'COMMIT' if i % 2 else 'ROLLBACK'}")
    exact(t, database, 3 + 2 * 10)


def test_a_place_is_given_back_by_a_savepoint_that_is_rolled_back(t):
    database = t.database()
    with t.session(database) as a, t.session(database) as b:
        a.ask(f"BEGIN; SAVEPOINT x; {ONE}; ROLLBACK TO x")
        b.ask(ONE)
        assert t.sql(database, "SELECT vaga FROM posts_contagem WHERE vaga IS NOT NULL") == "0", "a keeps its place"
        a.ask(f"{ONE}; COMMIT")
    exact(t, database, 5)


def write_at_random(t, database, seed, statements):
    rnd = random.Random(seed)
    with t.session(database) as s:
        for _ in range(statements):
            level = rnd.choice(("READ COMMITTED", "READ COMMITTED", "REPEATABLE READ"))
            work = [rnd.choice((ONE, MANY.format(rnd.randint(0, 9)), "SAVEPOINT x; " + ONE + "; ROLLBACK TO x",
                                f"DELETE FROM posts WHERE id IN (SELECT id FROM posts WHERE id % 8 = {seed} LIMIT 2)"))
                    for _ in range(rnd.randint(1, 4))]
            s.ask(f"BEGIN ISOLATION LEVEL {level}; {'; '.join(work)}; {rnd.choice(('COMMIT', 'COMMIT', 'ROLLBACK'))}")


def eight_writers_at_once_and_every_snapshot(t, database):
    failures = []

    def work(seed):
        try:
            write_at_random(t, database, seed, 150)
        except Exception as e:
            failures.append(e)
    writers = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for w in writers:
        w.start()
    looks = 0
    with t.session(database) as reader:
        while any(w.is_alive() for w in writers):
            counted, total = reader.ask(BOTH).split("|")
            assert counted == total, f"in the middle: {counted} posts, total says {total}"
            looks += 1
    assert not failures, failures
    assert looks > 5
    exact(t, database)


def test_eight_writers_at_once_and_every_snapshot(t):
    eight_writers_at_once_and_every_snapshot(t, t.database())


def test_eight_writers_at_once_past_page_7(t):
    database = t.database()
    with t.session(database) as backup, t.session(database) as s:
        backup.ask("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM posts")
        seconds_for(s, 5000)
        t.sql(database, "ALTER TABLE posts_contagem SET (autovacuum_enabled = off)")
        eight_writers_at_once_and_every_snapshot(t, database)
        t.sql(database, "SELECT posts_contagem_dobrar(10000);" * 100)
        exact(t, database)


def pages(t, database):
    return int(t.sql(database, "SELECT pg_relation_size('posts_contagem') / 8192"))


def counting_rows(t, database):
    return int(t.sql(database, "SELECT count(*) FROM posts_contagem"))


def test_the_counting_table_stays_small(t):
    database = t.database()
    t.sql(database, f"{ONE};\n" * 10_000)
    exact(t, database, 10_003)
    assert pages(t, database) <= 12, pages(t, database)
    for fold in (f"{ONE};\n" * 2000, "SELECT posts_indexar(1000)"):
        t.sql(database, "SET default_transaction_isolation = 'repeatable read';\n" + f"{ONE};\n" * 500)
        assert counting_rows(t, database) > 500
        t.sql(database, fold)
        assert counting_rows(t, database) < 50, "rows left over are not folded"
    exact(t, database, 3 + 10_000 + 500 + 2000 + 500)


def test_the_counting_table_stays_small_when_all_places_are_taken(t):
    database = t.database()
    with contextlib.ExitStack() as all_of_them:
        for _ in range(16):
            all_of_them.enter_context(t.session(database)).ask(f"BEGIN; {ONE}")
        t.sql(database, f"{ONE};\n" * 3000)
        assert counting_rows(t, database) < 400, counting_rows(t, database)
    exact(t, database, 3 + 3000)


def seconds_for(s, statements):
    begun = time.monotonic()
    s.ask(f"DO $$ BEGIN FOR i IN 1 .. {statements} LOOP EXECUTE '{ONE.replace(chr(39), chr(39) * 2)}';"
          " END LOOP; END $$", 60)
    return time.monotonic() - begun


def test_the_cost_does_not_grow_in_a_long_transaction(t):
    """Dead versions of a counting row cannot be pruned there: a scan for the live one took 1.9 ms a
    statement after 60,000 of them."""
    database = t.database()
    with t.session(database) as s:
        s.ask("BEGIN")
        seconds_for(s, 300)
        first = min(seconds_for(s, 300) for _ in range(4))
        seconds_for(s, 15_000)
        last = min(seconds_for(s, 300) for _ in range(4))
        s.ask("COMMIT")
    exact(t, database, 3 + 300 + 1200 + 15_000 + 1200)
    assert last < 4 * first, f"{first / 300 * 1e6:.0f} us a statement at first, {last / 300 * 1e6:.0f} at last"


def take_turns(sessions, turns):
    for _ in range(turns):
        for s in sessions:
            s.ask(ONE)


def blocks_read(t, database, sessions):
    """Blocks of posts_contagem that statements came by so far, in memory or not."""
    for s in sessions:
        if t.server.version >= 15:
            s.ask("SELECT pg_stat_force_next_flush()")
        else:
            time.sleep(1.1)
            s.ask("SELECT 1")
    return int(t.sql(database, "SELECT pg_stat_get_blocks_fetched('posts_contagem'::regclass)"))


def test_writers_that_take_turns_do_not_scan_what_a_long_transaction_keeps(t):
    """Each moved the row that the other remembered, and scanned all 60,000 dead versions. Afterwards the table becomes
    small again."""
    database = t.database()
    with t.session(database) as backup, t.session(database) as a, t.session(database) as b:
        backup.ask("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM posts")
        for s in (a, b):
            seconds_for(s, 30_000)
        take_turns((a, b), 50)  # each finds a place
        before = blocks_read(t, database, (a, b))
        take_turns((a, b), 50)
        read = (blocks_read(t, database, (a, b)) - before) / 100
        exact(t, database)
        assert pages(t, database) > 100, pages(t, database)
        assert read < 40, f"{read} blocks a statement"
        backup.ask("COMMIT")
        for _ in range(60):
            t.sql(database, "SELECT posts_contagem_dobrar(10000);" * 20 + "VACUUM posts_contagem")
            for s in (a, b):
                s.ask(ONE)
            if pages(t, database) <= 16:
                break
        assert pages(t, database) <= 16, pages(t, database)
    exact(t, database)
