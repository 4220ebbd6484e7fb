"""/api/stats: exact under any SQL, without holding writers up."""
import threading

from case import StackCase
import client


class Stats(StackCase):
    options = {"worker": 0, "replicas": 2}

    def total(self, api=None):
        return self.assertStatus(self.get("/api/stats", api=api), 200).json["total_posts"]

    def assertExact(self, note=""):
        counted = int(self.stack.pg.value("SELECT count(*) FROM posts"))
        for api in self.stack.apis:
            self.assertEqual(self.total(api), counted, note)

    def test_it_tells_both_totals(self):
        self.stack.redis.call("SET", "contador_requisicoes", 7)
        stats = self.assertStatus(self.get("/api/stats"), 200).json
        self.assertEqual(stats["total_requisicoes"], 7)
        self.assertEqual(stats["total_posts"], int(self.stack.pg.value("SELECT count(*) FROM posts")))
        self.assertEqual(self.get("/api/stats").json["total_requisicoes"], 7, "it counted itself")

    def test_no_visits_yet_is_zero(self):
        self.stack.redis.call("DEL", "contador_requisicoes")
        self.assertEqual(self.get("/api/stats").json["total_requisicoes"], 0)

    def test_it_counts_posts_of_every_replica_at_once(self):
        for i in range(6):
            before = self.total()
            self.new_post(api=self.stack.apis[i % 2])
            for api in self.stack.apis:
                self.assertEqual(self.total(api), before + 1)

    def test_it_stays_exact_under_any_sql(self):
        statements = [
            "INSERT INTO posts (titulo, conteudo) SELECT 't', 'c' FROM generate_series(1, 1000)",
            "DELETE FROM posts WHERE id % 3 = 0",
            "UPDATE posts SET titulo = 'u' WHERE id % 2 = 0",
            "BEGIN; INSERT INTO posts (titulo, conteudo) SELECT 't', 'c' FROM generate_series(1, 50); ROLLBACK",
            "BEGIN; DELETE FROM posts; ROLLBACK",
            "BEGIN; TRUNCATE posts CASCADE; ROLLBACK",
            "BEGIN; INSERT INTO posts (titulo, conteudo) VALUES ('a', 'b'); SAVEPOINT s;"
            " DELETE FROM posts; ROLLBACK TO s; INSERT INTO posts (titulo, conteudo) VALUES ('a', 'b'); COMMIT",
            "INSERT INTO posts (id, titulo, conteudo) VALUES (1, 'a', 'b') ON CONFLICT DO NOTHING",
            "INSERT INTO posts (id, titulo, conteudo) VALUES (2000000, 'a', 'b')"
            " ON CONFLICT (id) DO UPDATE SET titulo = 'c'",
            "INSERT INTO posts (id, titulo, conteudo) VALUES (2000000, 'a', 'b')"
            " ON CONFLICT (id) DO UPDATE SET titulo = 'c'",
            "DELETE FROM posts WHERE false",
            "WITH d AS (DELETE FROM posts WHERE id % 5 = 0 RETURNING titulo, conteudo)"
            " INSERT INTO posts (titulo, conteudo) SELECT * FROM d",
            "UPDATE posts SET id = id + 5000000 WHERE id % 7 = 0",
            "DO $$ BEGIN FOR i IN 1..20 LOOP BEGIN INSERT INTO posts (titulo, conteudo) VALUES ('x', 'y');"
            " IF i % 2 = 0 THEN RAISE EXCEPTION 'x'; END IF; EXCEPTION WHEN raise_exception THEN NULL;"
            " END; END LOOP; END $$",
            "MERGE INTO posts p USING (SELECT generate_series(6000000, 6000010) AS id) s ON p.id = s.id"
            " WHEN NOT MATCHED THEN INSERT (id, titulo, conteudo) VALUES (s.id, 'm', 'm')",
            "TRUNCATE posts CASCADE",
            "INSERT INTO posts (titulo, conteudo) VALUES ('a', 'b')",
            "TRUNCATE posts RESTART IDENTITY CASCADE",
            "INSERT INTO posts (titulo, conteudo) SELECT 't', 'c' FROM generate_series(1, 10)",
        ]
        for sql in statements:
            with self.subTest(sql):
                self.stack.pg.query(sql)
                self.assertExact(sql)

    def test_it_counts_what_copy_brings(self):
        self.stack.pg.query("COPY posts (titulo, conteudo) FROM PROGRAM $$printf 'a\\tb\\nc\\td\\n'$$",
                            user="postgres")
        self.assertExact()

    def test_writers_do_not_wait_for_each_other(self):
        """A counter in one row would make the second insert wait for the first one's commit."""
        with self.stack.pg.session() as first, self.stack.pg.session() as second:
            first.query("BEGIN")
            first.query("INSERT INTO posts (titulo, conteudo) VALUES ('a', 'b')")
            second.query("SET statement_timeout = '1s'")
            for _ in range(40):  # whatever slots there are, one transaction must not block them
                second.query("INSERT INTO posts (titulo, conteudo) VALUES ('a', 'b')")
                second.query("DELETE FROM posts WHERE id = (SELECT max(id) FROM posts)")
            self.assertStatus(self.post("/api/posts", {"titulo": "a", "conteudo": "b"}), 201)
            first.query("COMMIT")
        self.assertExact()

    def test_an_open_transaction_is_not_counted_before_its_commit(self):
        before = self.total()
        with self.stack.pg.session() as sql:
            sql.query("BEGIN")
            sql.query("INSERT INTO posts (titulo, conteudo) VALUES ('a', 'b')")
            self.assertEqual(self.total(), before)
            sql.query("COMMIT")
        self.assertEqual(self.total(), before + 1)

    def test_it_is_exact_under_concurrent_writers_that_commit_and_roll_back(self):
        def write(n):
            with self.stack.pg.session(timeout=20) as sql:
                for i in range(40):
                    sql.query("BEGIN")
                    sql.query("INSERT INTO posts (titulo, conteudo) SELECT 'w', 'w' FROM"
                              f" generate_series(1, {1 + (n + i) % 4})")
                    sql.query("ROLLBACK" if i % 3 == 0 else "COMMIT")
        threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]

        def post(api):
            with client.Connection(api.port) as c:
                for _ in range(60):
                    c.call("POST", "/api/posts", json={"titulo": "a", "conteudo": "b"})
        threads += [threading.Thread(target=post, args=(api,)) for api in self.stack.apis]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertExact()

    def test_the_bookkeeping_does_not_grow_without_end(self):
        """Its own tables stay small however much is written: the cost of reading them is constant."""
        for _ in range(300):
            self.new_post()
        sizes = self.stack.pg.query(
            "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relname LIKE"
            " 'posts\\_%'")
        for name, size in sizes:
            self.assertLess(int(size), 1 << 20, name)
