"""The worker's own /metrics and /health (METRICS_PORT)."""
import re
import socket

from case import StackCase, eventually
import client
import servers
from deliveries import SECRET, lead, signed
from servers import run_program

OK, UNAVAILABLE, OS, BAD_CONFIG = 0, 69, 71, 78
COUNTED = ("claimed", "taken_over", "direct", "stored", "dead", "postponed", "events", "leads", "acknowledged", "batches",
           "batches_split", "batch_retries", "left", "groups_made")
GAUGES = ("queue_length", "queue_oldest_age_seconds", "queue_in_hand", "queue_memory_bytes", "workers_alive",
          "deliveries_retry_waiting", "deliveries_direct_waiting", "deliveries_dead", "worker_resting",
          "worker_postgresql_up", "worker_redis_up")


class MetricsCase(StackCase):
    options = {"worker": 0, "env": {"META_APP_SECRET": SECRET}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = servers.free_port()
        cls.env = {"METRICS_PORT": str(cls.port), "METRICS_HOST": "127.0.0.1"}
        cls.stack.add_worker(cls.env).start()
        if not eventually(cls.listens, 20):
            raise AssertionError(cls.stack.worker.log_tail())

    @classmethod
    def listens(cls):
        try:
            socket.create_connection(("127.0.0.1", cls.port), 1).close()
            return True
        except OSError:
            return False

    def ask(self, method="GET", path="/metrics", **more):
        return client.call(self.port, method, path, **more)

    def samples(self):
        answer = self.assertStatus(self.ask(), 200)
        found = {}
        for line in answer.text.splitlines():
            match = re.fullmatch(r"(\w+(?:\{[^}]*\})?) ([0-9.]+)", line)
            if not line.startswith("#"):
                self.assertTrue(match, line)
                found[match.group(1)] = float(match.group(2))
        return found

    def sample(self, name):
        return self.samples().get(name)

    def wait(self, name, wanted, seconds=20):
        self.assertTrue(eventually(lambda: self.sample(name) == wanted, seconds, 0.2), (name, self.samples()))

    def health(self):
        return self.ask(path="/health")

    def healthcheck(self):
        return run_program("alicerce-worker", "--healthcheck", env={**self.stack.addresses(), **self.env}).returncode


class Metrics(MetricsCase):
    def test_everything_is_there_and_well_formed(self):
        self.assertTrue(eventually(lambda: self.health().status == 200, 10))
        self.assertTrue(eventually(lambda: {f"alicerce_{name}" for name in GAUGES} <= set(self.samples()), 10), self.samples())
        answer = self.ask()
        self.assertEqual(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8")
        names = set(self.samples())
        for name in COUNTED:
            self.assertIn(f"alicerce_worker_{name}_total", names)
        for name in ("batch_seconds", "batch_deliveries", "graph_seconds"):
            for end in ('_bucket{le="+Inf"}', "_sum", "_count"):
                self.assertIn(f"alicerce_worker_{name}{end}", names)
        for name in {re.sub(r"(_bucket|_sum|_count)?(\{.*)?$", "", n) if re.search("_batch_|_graph_seconds", n) else n for n in names}:
            for kind in ("HELP", "TYPE"):
                self.assertEqual(answer.text.count(f"# {kind} {name} "), 1, name)

    def test_deliveries_are_counted(self):
        self.stack.worker.wait_ready()
        self.assertTrue(eventually(lambda: self.stack.redis.call("EXISTS", "fila:webhooks") == 1, 10))
        before = self.samples()
        bodies = [lead(str(897000 + n)) for n in range(7)] + [b"nao sou json"]
        for body in bodies:
            self.assertStatus(self.post("/webhook", body=body, headers=signed(body)), 200)
        self.wait("alicerce_worker_acknowledged_total", before["alicerce_worker_acknowledged_total"] + 8)
        after = self.samples()
        grown = {name: after[f"alicerce_worker_{name}"] - before[f"alicerce_worker_{name}"] for name in
                 ("claimed_total", "stored_total", "dead_total", "events_total", "leads_total", "batch_deliveries_sum",
                  "batch_deliveries_count", "batches_total", "batch_seconds_count")}
        self.assertEqual([grown[n] for n in ("claimed_total", "stored_total", "dead_total", "events_total", "leads_total",
                                             "batch_deliveries_sum")], [8, 7, 1, 7, 7, 8])
        self.assertEqual(grown["batch_deliveries_count"], grown["batches_total"])
        self.wait("alicerce_deliveries_dead", 1)
        self.wait("alicerce_workers_alive", 1)

    def test_what_waits_is_shown_while_the_queue_rests(self):
        run_program("alicerce-worker", "fila", "pausar", env=self.stack.addresses())
        try:
            self.wait("alicerce_worker_resting", 1)
            self.assertTrue(eventually(lambda: b"blocked_clients:0" in self.stack.redis.call("INFO", "clients"), 5))
            body = lead("897100")
            self.assertStatus(self.post("/webhook", body=body, headers=signed(body)), 200)
            self.stack.pg.query("INSERT INTO entregas (recebida_em, via, corpo, estado, tentativas, proxima_em) VALUES"
                                " (now(), 'direta', '', 'pendente', 2, '2040-01-01'), (now(), 'direta', '', 'pendente', 0, now())")
            self.wait("alicerce_queue_length", 1)
            self.wait("alicerce_deliveries_retry_waiting", 1)
            self.wait("alicerce_deliveries_direct_waiting", 1)
            self.assertGreater(self.sample("alicerce_queue_memory_bytes"), 0)
            self.assertEqual((self.health().status, self.health().json["pausada"]), (200, True))
        finally:
            run_program("alicerce-worker", "fila", "retomar", env=self.stack.addresses())
        self.wait("alicerce_queue_length", 0)
        self.wait("alicerce_deliveries_direct_waiting", 0)

    def test_other_paths_and_methods(self):
        for path in ("/", "/metrics/", "/healthy", "/api/posts", "/%2e%2e", "/" + "x" * 2000):
            self.assertStatus(self.ask(path=path), 404)
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            for path in ("/metrics", "/health"):
                answer = self.assertStatus(self.ask(method, path), 405)
                self.assertEqual(answer.header("allow"), "GET, HEAD")
        for path in ("/metrics", "/health"):
            answer = self.assertStatus(self.ask("HEAD", path), 200)
            self.assertEqual(answer.body, b"")
        self.assertStatus(self.ask("POST", "/metrics", body=b"x" * 100_000), 405)

    def test_idle_and_broken_clients_do_no_harm(self):
        """More than it holds, silent, half a request, noise: whoever asks afterwards is answered."""
        held = []
        try:
            for n in range(40):
                s = socket.create_connection(("127.0.0.1", self.port), 5)
                held.append(s)
                s.sendall((b"", b"GET /met", b"\0\xff\r\n\r\n", b"GET /metrics HTTP/1.1\r\nX: " + b"y" * 9000)[n % 4])
            self.assertTrue(eventually(lambda: self.quiet_health() == 200, 20, 0.5), "idle ones keep it to themselves")
        finally:
            for s in held:
                s.close()
        self.assertTrue(eventually(lambda: self.quiet_health() == 200, 10))
        body = lead("897200")
        self.assertStatus(self.post("/webhook", body=body, headers=signed(body)), 200)
        self.assertTrue(eventually(lambda: self.stack.pg.value("SELECT count(*) FROM leads WHERE leadgen_id = '897200'") == "1", 10))

    def quiet_health(self):
        try:
            return client.call(self.port, "GET", "/health", timeout=2).status
        except (OSError, client.BadAnswer):
            return None


class Health(MetricsCase):
    def test_it_names_the_server_that_is_away(self):
        self.assertTrue(eventually(lambda: self.health().status == 200, 10))
        self.assertEqual(self.healthcheck(), OK)
        for server, name in ((self.stack.redis, "cache"), (self.stack.pg, "banco_dados")):
            server.kill()
            try:
                self.assertStatus(self.health(), 200)  # a restart is no illness
                self.assertTrue(eventually(lambda: self.health().status == 503, 25, 0.2))
                answer = self.health().json
                self.assertEqual((answer[name], answer["status"]), ("desconectado", "degradado"))
                self.assertEqual(answer["banco_dados" if name == "cache" else "cache"], "conectado")
                self.assertEqual(self.healthcheck(), UNAVAILABLE)
                gauge = "alicerce_worker_redis_up" if name == "cache" else "alicerce_worker_postgresql_up"
                self.assertEqual(self.sample(gauge), 0)
            finally:
                server.start()
            self.assertTrue(eventually(lambda: self.health().status == 200, 20, 0.2))

    def test_a_worker_that_stands_still_is_not_healthy(self):
        self.assertTrue(eventually(lambda: self.health().status == 200, 20))
        self.stack.worker.freeze()
        try:
            self.assertEqual(self.healthcheck(), UNAVAILABLE)
        finally:
            self.stack.worker.thaw()
        self.assertTrue(eventually(lambda: self.healthcheck() == OK, 10))


class Start(MetricsCase):
    def test_a_port_that_is_taken_is_71_and_named(self):
        self.assertTrue(eventually(lambda: self.health().status == 200, 10))
        done = run_program("alicerce-worker", env={**self.stack.addresses(), **self.env, "LOG_LEVEL": "error"})
        self.assertEqual(done.returncode, OS, done)
        line, = done.stderr.splitlines()
        self.assertIn(f"METRICS_PORT {self.port}", line)
        self.assertIn("in use", line)

    def test_an_address_that_is_not_ours_is_71(self):
        done = run_program("alicerce-worker", env={**self.stack.addresses(), "METRICS_HOST": "192.0.2.1", "LOG_LEVEL": "error",
                                                   "METRICS_PORT": str(servers.free_port())})
        self.assertEqual(done.returncode, OS, done)
        self.assertIn("METRICS_HOST 192.0.2.1", done.stderr)

    def test_bad_values_are_78(self):
        for name, value in (("METRICS_PORT", "0"), ("METRICS_PORT", "x"), ("METRICS_HOST", "localhost"),
                            ("ENTREGAS_RETENCAO_DIAS", "-1"), ("ENTREGAS_RETENCAO_DIAS", "36501"),
                            ("AUDITORIA_RETENCAO_DIAS", "29"), ("AUDITORIA_RETENCAO_DIAS", "36501")):
            done = run_program("alicerce-worker", "--check-config", env={name: value})
            self.assertEqual(done.returncode, BAD_CONFIG)
            self.assertIn(name, done.stderr)

    def test_nobody_there_is_69(self):
        done = run_program("alicerce-worker", "--healthcheck", env={"METRICS_PORT": str(servers.free_port())})
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (UNAVAILABLE, 1), done)
        self.assertIn("METRICS_PORT", done.stderr)
