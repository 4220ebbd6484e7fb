"""LOG_LEVEL=debug: PostgreSQL sees which request a statement is for."""
import threading

from case import StackCase, eventually

WAITING = "SELECT application_name FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


class TraceCase(StackCase):
    def assertHeldUpAs(self, name, call):
        """What the server calls a connection whose statement waits for a lock on posts."""
        with self.stack.pg.session() as lock:
            lock.query("BEGIN; LOCK TABLE posts IN ACCESS EXCLUSIVE MODE")
            thread = threading.Thread(target=call)
            thread.start()
            names = eventually(lambda: self.stack.pg.query(WAITING))
            lock.query("COMMIT")
            thread.join(10)
        self.assertEqual(names, [(name,)])

    def read(self, request_id):
        return lambda: self.assertStatus(self.get("/api/posts/1", headers={"X-Request-Id": request_id}), 200)

    def write(self, request_id):
        row = {"titulo": "t", "conteudo": "c"}
        return lambda: self.assertStatus(self.post("/api/posts", row, headers={"X-Request-Id": request_id}), 201)


class Trace(TraceCase):
    options = {"worker": 0, "env": {"LOG_LEVEL": "debug", "THREADS": "1"}}

    def test_a_statement_names_its_request(self):
        for i in range(3):
            self.assertHeldUpAs(f"alicerce-api leitura-{i}", self.read(f"leitura-{i}"))
            self.assertHeldUpAs(f"alicerce-api gravacao-{i}", self.write(f"gravacao-{i}"))

    def test_a_long_id_is_cut_off(self):
        self.assertHeldUpAs(("alicerce-api " + "x" * 128)[:63], self.read("x" * 128))


class NoTrace(TraceCase):
    options = {"worker": 0}

    def test_only_then(self):
        self.assertHeldUpAs("alicerce-api", self.read("leitura"))
        self.assertHeldUpAs("alicerce-api", self.write("gravacao"))
