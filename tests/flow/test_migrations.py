"""sql/ is applied forward only, once, by however many replicas start at once."""
import os
import re
import threading
import time

from case import ServerCase, eventually
import client
import servers
from servers import run_program

FILES = sorted(f[:-4] for f in os.listdir(os.path.join(servers.PROJECT, "sql")) if f.endswith(".sql"))


class Migrations(ServerCase):
    """Every test has a database of its own in one cluster."""

    @classmethod
    def setUpClass(cls):
        cls.stack = servers.Stack(replicas=0, worker=0).start()

    @classmethod
    def tearDownClass(cls):
        cls.stack.stop()

    def setUp(self):
        self.database = "m_" + re.sub(r"\W", "", self.id().split(".")[-1])[:50]
        self.stack.pg.query(f"CREATE DATABASE {self.database} OWNER alicerce", user="postgres")
        self.env = {**self.stack.addresses(), "HOST": "127.0.0.1",
                    "DATABASE_URL": self.stack.pg.url.rsplit("/", 1)[0] + "/" + self.database}
        self.programs = []

    def tearDown(self):
        for program in self.programs:
            code = program.stop()
            self.assertIn(code, (0, None, 65, 70, -9), program.log_tail())
            self.assertIsNone(program.sanitizer_report())

    def sql(self, text):
        with self.stack.pg.session(database=self.database) as session:
            return session.query(text)

    def applied(self):
        return [row[0] for row in self.sql("SELECT nome FROM migracoes ORDER BY nome")]

    def program(self, name="alicerce-api"):
        self.programs.append(servers.Program(name, servers.temporary_folder(), self.env))
        return self.programs[-1]

    def migrate(self, program="alicerce-api"):
        return run_program(program, "--migrate", env=self.env)

    def test_migrate_applies_everything_and_exits_with_0(self):
        for program in ("alicerce-api", "alicerce-worker"):
            done = self.migrate(program)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.applied(), FILES)
        rows = self.sql("SELECT count(*), count(sha256), count(aplicada_em) FROM migracoes")
        self.assertEqual(rows, [(str(len(FILES)),) * 3])
        self.assertEqual(self.sql("SELECT count(*) FROM posts"), [("3",)])

    def test_it_is_idempotent(self):
        self.migrate()
        before = self.sql("SELECT * FROM migracoes ORDER BY nome")
        self.assertEqual(self.migrate().returncode, 0)
        self.assertEqual(self.sql("SELECT * FROM migracoes ORDER BY nome"), before)

    def test_five_replicas_and_two_workers_may_start_at_once(self):
        replicas = [self.program() for _ in range(5)]
        others = [self.program("alicerce-worker") for _ in range(2)]
        for program in replicas + others:
            program.launch()
        for program in replicas:
            program.wait_serving()
        self.assertEqual(self.applied(), FILES)
        self.assertEqual(self.sql("SELECT count(*) FROM posts"), [("3",)])
        for program in replicas + others:
            self.assertTrue(program.running(), program.log_tail())

    def test_many_migrate_commands_at_once_all_succeed(self):
        results = []
        threads = [threading.Thread(target=lambda: results.append(self.migrate())) for _ in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual([r.returncode for r in results], [0] * 6, [r.stderr for r in results])
        self.assertEqual(self.applied(), FILES)

    def test_a_changed_file_stops_the_start_and_is_named(self):
        self.migrate()
        changed = FILES[1]
        self.sql(f"UPDATE migracoes SET sha256 = (SELECT sha256 FROM migracoes WHERE nome = '{FILES[0]}')"
                 f" WHERE nome = '{changed}'")
        for program in ("alicerce-api", "alicerce-worker"):
            with self.subTest(program):
                done = self.migrate(program)
                self.assertEqual(done.returncode, 65, done)
                self.assertIn(changed, done.stderr)
                serving = self.program(program).launch()
                self.assertEqual(serving.wait(15), 65, serving.log_tail())
                self.assertIn(changed, serving.log())

    def test_newer_migrations_than_it_knows_are_no_hindrance(self):
        self.migrate()
        self.sql("INSERT INTO migracoes (nome, sha256) SELECT '9999_do_futuro', sha256 FROM migracoes LIMIT 1")
        self.assertEqual(self.migrate().returncode, 0)
        program = self.program().start()
        program.wait_serving()
        self.assertStatus(client.call(program.port, "GET", "/api/posts"), 200)
        worker = self.program("alicerce-worker").launch()
        time.sleep(0.5)
        self.assertTrue(worker.running(), worker.log_tail())

    def test_what_is_missing_is_applied_on_top(self):
        """As of a database that was made by a version with all files but the last."""
        self.migrate()
        self.sql("CREATE SCHEMA guarda; ALTER TABLE migracoes SET SCHEMA guarda; DROP SCHEMA public CASCADE;"
                 " CREATE SCHEMA public; ALTER TABLE guarda.migracoes SET SCHEMA public; DROP SCHEMA guarda;"
                 f" DELETE FROM migracoes WHERE nome = '{FILES[-1]}'")
        for name in FILES[:-1]:
            with open(os.path.join(servers.PROJECT, "sql", name + ".sql")) as f:
                self.sql(f.read())
        done = self.migrate()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.applied(), FILES)
        self.assertEqual(self.sql("SELECT count(*) FROM entregas"), [("0",)])

    def test_a_file_that_fails_leaves_nothing_behind_and_is_named(self):
        """A table of that name is there already: the file's other tables must not stay."""
        self.sql("CREATE TABLE leads (x int)")
        done = self.migrate()
        self.assertEqual(done.returncode, 70, done)
        culprit = next(name for name in FILES if name.endswith("_entregas"))
        self.assertIn(culprit, done.stderr)
        self.assertEqual(self.applied(), FILES[:FILES.index(culprit)])
        self.assertEqual(self.sql("SELECT to_regclass('entregas')"), [(None,)])
        self.sql("DROP TABLE leads")
        self.assertEqual(self.migrate().returncode, 0)

    def test_without_a_server_migrate_is_69_and_says_so(self):
        env = {**self.env, "DATABASE_URL": f"postgresql://a:SEGREDO@127.0.0.1:{servers.free_port()}/b"}
        for program in ("alicerce-api", "alicerce-worker"):
            done = run_program(program, "--migrate", env=env)
            self.assertEqual(done.returncode, 69, done)
            self.assertIn("DATABASE_URL", done.stderr)
            self.assertNotIn("SEGREDO", done.stderr)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)

    def test_a_replica_waits_for_one_that_holds_the_lock_and_answers_health_meanwhile(self):
        lock = self.stack.pg.session(database=self.database)
        self.addCleanup(lock.close)
        first = self.program().start()
        first.wait_serving()
        keys = self.sql("SELECT 1")  # the database is migrated; now a second one finds it locked
        self.assertEqual(keys, [("1",)])
        lock.query("BEGIN; LOCK TABLE migracoes IN ACCESS EXCLUSIVE MODE")
        second = self.program().start()
        self.assertStatus(client.call(second.port, "GET", "/health"), 200)
        self.assertStatus(client.call(second.port, "GET", "/api/posts"), 503)
        lock.query("COMMIT")
        self.assertTrue(eventually(second.is_serving, 10), second.log_tail())

    def test_the_role_needs_no_more_than_its_database(self):
        """The role alicerce is neither superuser nor may it make roles: all above ran with it."""
        rows = self.stack.pg.query("SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname ="
                                   " 'alicerce'", user="postgres")
        self.assertEqual(rows, [("f", "f", "f")])
