"""The API and the worker are killed and frozen under load; both start while the servers are away."""
import time

from case import StackCase, eventually
import deliveries
from faultcase import FaultCase, RETURN
from load import COUNTS, EVERYTHING, HealthWatch, Load, READS, WEBHOOK, WRITES
import proxy
import rules
import servers


class ApiLost(FaultCase):
    def test_a_killed_replica_leaves_the_other_alone_and_comes_back_on_its_port(self):
        first, second = self.stack.apis
        watch = HealthWatch(second)
        with Load([first], EVERYTHING, clients=3) as hit, Load([second], EVERYTHING, clients=3) as spared:
            for _ in range(3):
                time.sleep(0.5)
                first.kill()
                first.start()
                since = time.monotonic()
                while not first.is_serving():
                    self.assertLess(time.monotonic() - since, RETURN, first.log_tail())
                    time.sleep(0.02)
        self.assertEqual(watch.stop(), [])
        self.assertEqual({r.status for r in spared.since(0)} - {200, 201}, set())
        self.assertEqual([r for r in hit.since(0) if r.status and r.status >= 500 and r.status != 503], [])
        everything = hit.since(0) + spared.since(0)
        self.assertNumbersDistinct(everything)
        self.assertAcknowledgedPostsAreThere(everything)
        self.assertAcknowledgedLeadsAreThere(everything)

    def test_a_frozen_replica_leaves_the_other_alone_and_goes_on_afterwards(self):
        first, second = self.stack.apis
        with Load([first], EVERYTHING, clients=3) as hit, Load([second], EVERYTHING, clients=3) as spared:
            time.sleep(0.5)
            first.freeze()
            time.sleep(3)
            first.thaw()
            self.wait_all_back(time.monotonic())
        self.assertEqual({r.status for r in spared.since(0)} - {200, 201}, set())
        for r in hit.since(0):
            self.assertIsNone(r.error, r)
            self.assertIn(r.status, (200, 201, 503), r)
        everything = hit.since(0) + spared.since(0)
        self.assertNumbersDistinct(everything)
        self.assertAcknowledgedPostsAreThere(everything)
        self.assertAcknowledgedLeadsAreThere(everything)

    def test_a_post_on_a_replica_is_in_the_others_cached_page_while_replicas_come_and_go(self):
        path = "/api/posts/cache"
        for n in range(6):
            row = self.new_post(f"vaivém {n}", api=self.stack.apis[n % 2])
            (self.stack.apis[n % 2].kill if n % 3 else self.stack.apis[n % 2].stop)()
            other = self.stack.apis[(n + 1) % 2]
            self.assertEqual(self.get(path, api=other).json["posts"][0]["id"], row["id"])
            self.stack.apis[n % 2].start()
            self.stack.apis[n % 2].wait_serving()
            for api in self.stack.apis:
                self.assertEqual(self.get(path, api=api).json["posts"][0]["id"], row["id"])


class WorkerLost(FaultCase):
    options = {**FaultCase.options, "replicas": 1}

    def entries(self):
        return self.stack.redis.call("XLEN", "fila:webhooks")

    def test_a_killed_workers_entries_are_taken_over_and_nothing_is_doubled(self):
        with Load(self.stack.apis, WEBHOOK, clients=4, pause=0) as traffic:
            for _ in range(4):
                time.sleep(0.4)
                self.stack.worker.kill()
                self.stack.worker.start()
        self.assertEqual({r.status for r in traffic.since(0)}, {200})
        self.assertAcknowledgedLeadsAreThere(traffic.since(0))
        self.assertTrue(eventually(lambda: self.entries() == 0, 15), self.entries())

    def test_another_worker_takes_over_what_a_frozen_one_holds(self):
        second = self.stack.add_worker().start()
        try:
            with Load(self.stack.apis, WEBHOOK, clients=4, pause=0) as traffic:
                time.sleep(0.5)
                self.stack.worker.freeze()
                time.sleep(1)
            self.assertAcknowledgedLeadsAreThere(traffic.since(0))
            self.assertTrue(eventually(lambda: self.entries() == 0, 15), self.entries())
            self.stack.worker.thaw()
            time.sleep(0.5)
            self.assertTrue(self.stack.worker.running())
            with Load(self.stack.apis, WEBHOOK, clients=2) as traffic:
                time.sleep(0.5)
            self.assertAcknowledgedLeadsAreThere(traffic.since(0))
        finally:
            self.stack.worker.thaw()
            self.stack.workers.remove(second)
            self.assertEqual(second.stop(), 0)

    def test_five_workers_share_the_queue_without_doubling(self):
        more = [self.stack.add_worker().start() for _ in range(4)]
        try:
            with Load(self.stack.apis, WEBHOOK, clients=6, pause=0) as traffic:
                time.sleep(1)
                more[0].kill()
                time.sleep(0.5)
            self.assertAcknowledgedLeadsAreThere(traffic.since(0))
            self.assertTrue(eventually(lambda: self.entries() == 0, 15), self.entries())
        finally:
            for worker in more:
                self.stack.workers.remove(worker)
                self.assertIn(worker.stop(), (0, -9))
                self.assertIsNone(worker.sanitizer_report())

    def test_the_worker_takes_no_memory_for_a_long_queue(self):
        self.stack.worker.stop()
        with Load(self.stack.apis, WEBHOOK, clients=4, pause=0) as traffic:
            time.sleep(2)
        waiting = self.entries()
        self.assertGreater(waiting, 300)
        self.stack.worker.start()
        self.assertAcknowledgedLeadsAreThere(traffic.since(0), 30)
        if not self.stack.worker.sanitized():
            self.assertLess(self.stack.worker.rss_kb(), 64 * 1024)


class Start(StackCase):
    """No server is there yet."""

    @classmethod
    def setUpClass(cls):
        cls.stack = servers.Stack(env={"META_APP_SECRET": deliveries.SECRET, "REQUEST_TIMEOUT_MS": "1000"})

    def look_at_state(self, database, cache):
        """Every loop has to say so before /status does: the last one may need another attempt to connect."""
        state = lambda: (lambda j: (j["banco_dados"], j["cache"]))(self.get("/status").json)
        self.assertTrue(eventually(lambda: state() == (database, cache), RETURN), state())

    def test_programs_start_first_and_servers_come_in_any_order(self):
        stack = self.stack
        for program in (stack.api, stack.worker):
            program.start()
        time.sleep(0.5)
        self.assertStatus(self.get("/health"), 200)
        for method, path in READS + COUNTS + WRITES:
            self.assertRetryLater(self.call(method, path, json={"titulo": "a", "conteudo": "b"}
                                            if path == "/api/posts" and method == "POST" else None))
        body = deliveries.lead("9001")
        self.assertRetryLater(self.post("/webhook", body=body, headers=deliveries.signed(body)))
        self.assertStatus(self.get("/status"), 503)
        self.look_at_state("desconectado", "desconectado")

        stack.redis.start()
        since = time.monotonic()
        self.assertTrue(eventually(lambda: all(self.get("/api/contador").status == 200 for _ in range(4)), RETURN))
        self.look_at_state("desconectado", "conectado")
        self.assertTrue(eventually(lambda: self.post("/webhook", body=body, headers=deliveries.signed(body)).status
                                   == 200, RETURN), "a delivery needs Redis alone")

        stack.pg.start()
        since = time.monotonic()
        self.assertTrue(eventually(lambda: all(self.get("/api/posts").status == 200 for _ in range(4)), RETURN),
                        stack.api.log_tail())
        self.assertLess(time.monotonic() - since, RETURN)
        self.assertTrue(eventually(lambda: self.get("/status").status == 200, RETURN))
        self.assertTrue(eventually(lambda: stack.pg.value("SELECT count(*) FROM leads") == "1", 10),
                        stack.worker.log_tail())


class Ready(StackCase):
    options = {"worker": 0}

    def test_as_soon_as_status_is_200_every_route_of_every_loop_works(self):
        """A load balancer sends traffic from then on. A slow network sets the connections of one replica
        apart: readiness that looks at one of them only is caught here."""
        stack = self.stack
        routes = WRITES + (("GET", "/api/posts?busca=a"),) + READS + COUNTS
        with proxy.Proxy(stack.pg.port) as slow:
            slow.delay = 0.02
            url = stack.pg.url.replace(f":{stack.pg.port}/", f":{slow.port}/")
            for _ in range(5):
                api = stack.add_api({"THREADS": "4", "DATABASE_URL": url})
                try:
                    api.launch()
                    deadline = time.monotonic() + 10
                    while not api.is_serving():
                        self.assertLess(time.monotonic(), deadline, api.log_tail())
                    asked = [rules.Background(api.port, *route, json={"titulo": "a", "conteudo": "b"}
                                              if route in WRITES else None) for route in routes * 4]
                    for one, route in zip(asked, routes * 4):
                        self.assertLess(one.result().status, 300, (route, one.answer))
                finally:
                    stack.apis.remove(api)
                    self.assertEqual(api.stop(), 0)
