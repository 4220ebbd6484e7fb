"""SIGTERM: readiness turns 503, open requests are answered, exit 0 within ten seconds."""
import signal
import time

from case import ServerCase, eventually
import client
import deliveries
from load import EVERYTHING, Load
import proxy
import rules
import servers

LIMIT = 10


class Stop(ServerCase):
    """Every test has a stack of its own, whose API and worker may be stopped."""

    def stack(self, **options):
        env = {"META_APP_SECRET": deliveries.SECRET, "REQUEST_TIMEOUT_MS": "2000", **options.pop("env", {})}
        stack = servers.Stack(env=env, **options)
        self.addCleanup(stack.stop)
        return stack.start()

    def behind_proxy(self, program, stack, which):
        """Puts a proxy between a program that does not run yet and one of its servers."""
        target = {"pg": stack.pg, "redis": stack.redis}[which]
        middle = proxy.Proxy(target.port)
        self.addCleanup(middle.close)
        if which == "pg":
            program.env["DATABASE_URL"] = program.env["DATABASE_URL"].replace(f":{target.port}/", f":{middle.port}/")
        else:
            program.env["REDIS_PORT"] = str(middle.port)
        return middle

    def assertStops(self, program, since=None, limit=LIMIT):
        since = since or time.monotonic()
        code = program.wait(limit + 5)
        took = time.monotonic() - since
        self.assertEqual(code, 0, program.log_tail())
        self.assertLess(took, limit, program.log_tail())
        self.assertIsNone(program.sanitizer_report())
        return took

    def test_status_turns_503_and_the_open_request_is_answered(self):
        stack = self.stack(worker=0, env={"REQUEST_TIMEOUT_MS": "6000"})
        api = stack.add_api({"THREADS": "1"})
        middle = self.behind_proxy(api, stack, "pg")
        api.start()
        api.wait_serving()
        with client.Connection(api.port) as probe:
            self.assertStatus(probe.call("GET", "/status"), 200)
            middle.hold_next()
            waiting = rules.Background(api.port, "GET", "/api/posts")
            self.assertTrue(middle.wait_held())
            api.signal(signal.SIGTERM)
            since = time.monotonic()
            time.sleep(0.3)
            answer = probe.call("GET", "/status")
            self.assertStatus(answer, 503)
            self.assertTrue(answer.closes, "clients are to go elsewhere")
            self.assertTrue(api.running(), "it left with a request open")
            middle.release()
            self.assertStatus(waiting.result(), 200)
        self.assertStops(api, since)

    def test_open_requests_whose_server_hangs_are_answered_503(self):
        stack = self.stack(worker=0)
        held = rules.Background(stack.api.port, "GET", "/api/posts")
        held.result()
        for server in (stack.pg, stack.redis):
            with self.subTest(server.name):
                api = stack.add_api()
                api.start()
                api.wait_serving()
                server.freeze()
                open_ones = [rules.Background(api.port, "GET", path) for path in
                             ("/api/posts", "/api/contador", "/api/stats", "/api/posts/cache", "/status")]
                time.sleep(0.2)
                api.signal(signal.SIGTERM)
                since = time.monotonic()
                for one in open_ones:
                    self.assertStatus(one.result(), (200, 503))
                self.assertStops(api, since)
                server.thaw()

    def test_idle_keep_alive_clients_do_not_hold_it_up(self):
        stack = self.stack(worker=0)
        idle = [client.Connection(stack.api.port) for _ in range(100)]
        for c in idle:
            self.addCleanup(c.close)
        for c in idle[::2]:
            self.assertStatus(c.call("GET", "/health"), 200)
        stack.api.signal(signal.SIGTERM)
        self.assertStops(stack.api)

    def test_slow_uploads_do_not_hold_it_up(self):
        stack = self.stack(worker=0)
        for n in range(5):
            c = client.Connection(stack.api.port)
            self.addCleanup(c.close)
            c.send(client.head("POST", "/api/posts", {"Content-Type": "application/json", "Content-Length": "100"}))
            c.send(b"{" * (n + 1))
        time.sleep(0.1)
        stack.api.signal(signal.SIGTERM)
        self.assertStops(stack.api)

    def test_clients_that_honour_connection_close_see_no_error(self):
        stack = self.stack(replicas=2)
        with Load([stack.apis[0]], EVERYTHING, clients=8, pause=0) as traffic:
            time.sleep(0.7)
            stack.apis[0].signal(signal.SIGTERM)
            since = time.monotonic()
            self.assertStops(stack.apis[0], since)
        results = traffic.since(0)
        self.assertGreater(len(results), 100)
        self.assertEqual([r for r in results if r.error and r.sent], [], "a request was taken and not answered")
        self.assertEqual({r.status for r in results if r.status} - {200, 201, 503}, set())

    def test_a_stopping_api_stops_while_both_servers_are_dead(self):
        stack = self.stack()
        stack.pg.kill()
        stack.redis.kill()
        time.sleep(0.3)
        since = time.monotonic()
        for program in (stack.api, stack.worker):
            program.signal(signal.SIGTERM)
        for program in (stack.api, stack.worker):
            self.assertStops(program, since)

    def test_frozen_servers_do_not_hold_it_up(self):
        stack = self.stack()
        with Load([stack.api], EVERYTHING, clients=4):
            time.sleep(0.3)
            stack.pg.freeze()
            stack.redis.freeze()
            time.sleep(0.3)
            since = time.monotonic()
            for program in (stack.api, stack.worker):
                program.signal(signal.SIGTERM)
            for program in (stack.api, stack.worker):
                self.assertStops(program, since)
        stack.pg.thaw()
        stack.redis.thaw()

    def test_a_worker_that_holds_a_batch_finishes_it(self):
        stack = self.stack(worker=0)
        worker = stack.add_worker()
        middle = self.behind_proxy(worker, stack, "pg")
        worker.start()
        body = deliveries.lead("501")
        time.sleep(1)  # it has connected and is waiting for work
        middle.hold_next(b"501")
        self.assertStatus(client.call(stack.api.port, "POST", "/webhook", deliveries.signed(body), body), 200)
        self.assertTrue(middle.wait_held(), worker.log_tail())
        worker.signal(signal.SIGTERM)
        since = time.monotonic()
        time.sleep(0.5)
        middle.release()
        self.assertStops(worker, since)
        self.assertEqual(stack.pg.value("SELECT count(*) FROM leads WHERE leadgen_id = '501'"), "1")
        self.assertEqual(stack.redis.call("XLEN", "fila:webhooks"), 0, "done, but not acknowledged")

    def test_a_worker_whose_batch_hangs_gives_up_in_time_and_another_does_it(self):
        stack = self.stack(worker=0)
        worker = stack.add_worker()
        middle = self.behind_proxy(worker, stack, "pg")
        worker.start()
        body = deliveries.lead("502")
        time.sleep(1)
        middle.hold_next(b"502")
        self.assertStatus(client.call(stack.api.port, "POST", "/webhook", deliveries.signed(body), body), 200)
        self.assertTrue(middle.wait_held(), worker.log_tail())
        worker.signal(signal.SIGTERM)
        self.assertStops(worker)
        middle.release()
        stack.add_worker().start()
        self.assertTrue(eventually(lambda: stack.redis.call("XLEN", "fila:webhooks") == 0, 15))
        for table in ("leads", "eventos", "entregas"):
            self.assertEqual(stack.pg.value(f"SELECT count(*) FROM {table}"), "1", table)

    def test_a_worker_under_load_stops_and_leaves_nothing_undone_for_the_next(self):
        stack = self.stack(replicas=1)
        with Load([stack.api], (("POST", "/webhook"),), clients=4, pause=0) as traffic:
            for n in range(3):
                up = eventually(lambda seen=n: len(stack.worker.events("working")) > seen, 20)
                self.assertTrue(up, stack.worker.log_tail())
                time.sleep(0.4)
                stack.worker.signal(signal.SIGTERM)
                self.assertStops(stack.worker)
                stack.worker.start()
        sent = {r.note for r in traffic.since(0) if r.status == 200}
        self.assertTrue(eventually(lambda: int(stack.pg.value("SELECT count(*) FROM leads")) >= len(sent), 15))
        self.assertEqual(stack.pg.value("SELECT count(*) FROM eventos"), stack.pg.value("SELECT count(*) FROM leads"))

    def test_a_second_signal_ends_it_at_once(self):
        stack = self.stack(worker=0)
        stack.pg.freeze()
        open_one = rules.Background(stack.api.port, "GET", "/api/posts")
        time.sleep(0.2)
        stack.api.signal(signal.SIGTERM)
        time.sleep(0.2)
        stack.api.signal(signal.SIGTERM)
        self.assertEqual(stack.api.wait(2), 128 + signal.SIGTERM)
        with self.assertRaises(OSError):
            open_one.result()
        stack.pg.thaw()
        stack.apis.clear()
