"""PostgreSQL and Redis are killed and frozen under load: /health stays, what needs them says 503 in
time, what does not goes on, and all is back within three seconds of the server's return."""
import time

from faultcase import DEADLINE, FaultCase, RETURN
from load import COUNTS, EVERYTHING, HealthWatch, Load, READS, WEBHOOK, WRITES

SETTLE = 0.15  # what was on its way when the server was hit


class ServersLost(FaultCase):
    def ordeal(self, server, hit, heal, down, up):
        """hit() under load, heal() after a while. down: routes that may say 503 meanwhile; up: those
        that may not."""
        watch = HealthWatch(self.stack.apis[0])
        with Load(self.stack.apis, EVERYTHING, clients=6) as traffic:
            time.sleep(1)
            before = traffic.since(0)
            hit()
            at = time.monotonic()
            time.sleep(3)
            meanwhile = traffic.since(at + SETTLE)
            heal()
            healed = time.monotonic()
            took = self.wait_all_back(healed)
            time.sleep(0.5)
        everything = traffic.since(0)
        self.assertEqual(watch.stop(), [], "/health was not 200, or slow")
        self.assertGreater(watch.asked, 50)
        self.assertGreater(len(before), 100)
        self.assertAnsweredInTime(everything, {200, 201, 503})
        self.assertEqual([r for r in before if r.status == 503], [])
        self.assertTrue([r for r in meanwhile if r.route in down and r.status == 503])
        self.assertEqual([r for r in meanwhile if r.route in up and r.status == 503], [],
                         f"what does not need {server.name} must go on")
        after = [r for r in everything if r.begun > healed + RETURN]
        self.assertEqual([r for r in after if r.status == 503], [])
        self.assertNumbersDistinct(everything)
        self.assertAcknowledgedPostsAreThere(everything)
        self.assertAcknowledgedLeadsAreThere(everything)
        return took

    def test_postgresql_killed(self):
        self.ordeal(self.stack.pg, self.stack.pg.kill, self.stack.pg.start,
                    down=READS[:3] + WRITES, up=COUNTS + WEBHOOK)

    def test_postgresql_frozen(self):
        self.ordeal(self.stack.pg, self.stack.pg.freeze, self.stack.pg.thaw,
                    down=READS[:3] + WRITES, up=COUNTS + WEBHOOK)

    def test_redis_killed(self):
        self.ordeal(self.stack.redis, self.stack.redis.kill, self.stack.redis.start,
                    down=COUNTS + (("GET", "/api/stats"),), up=READS[:2] + READS[3:] + WRITES + WEBHOOK)

    def test_redis_frozen(self):
        """While it is only silent a write may have to wait for what others might still read there."""
        self.ordeal(self.stack.redis, self.stack.redis.freeze, self.stack.redis.thaw,
                    down=COUNTS + (("GET", "/api/stats"),), up=READS[:2])

    def test_status_tells_which_one_is_away(self):
        for server, name in ((self.stack.pg, "banco_dados"), (self.stack.redis, "cache")):
            other = {"banco_dados": "cache", "cache": "banco_dados"}[name]
            for hit, heal in ((server.kill, server.start), (server.freeze, server.thaw)):
                with self.subTest(server=name, how=hit.__name__):
                    hit()
                    deadline = time.monotonic() + DEADLINE
                    while (answer := self.get("/status")).status == 200 and time.monotonic() < deadline:
                        time.sleep(0.05)
                    self.assertStatus(answer, 503)
                    state = answer.json
                    self.assertEqual((state["status"], state[name], state[other]),
                                     ("degradado", "desconectado", "conectado"))
                    heal()
                    self.api.wait_serving(RETURN)

    def test_a_server_that_goes_and_comes_again_and_again_leaves_nothing_behind(self):
        programs = self.stack.apis + self.stack.workers

        def look():
            time.sleep(0.5)
            return [(p.rss_kb(), p.descriptors()) for p in programs]

        def round_of_loss():
            for server in (self.stack.pg, self.stack.redis):
                server.kill()
                time.sleep(0.3)
                server.start()
                self.wait_all_back(time.monotonic())
        with Load(self.stack.apis, EVERYTHING, clients=4):
            round_of_loss()
        first = look()
        with Load(self.stack.apis, EVERYTHING, clients=4):
            for _ in range(4):
                round_of_loss()
        last = look()
        for (rss_before, fds_before), (rss_after, fds_after) in zip(first, last):
            self.assertLessEqual(fds_after, fds_before + 2, (first, last))
            if not self.api.sanitized():
                self.assertLess(rss_after, rss_before + 4096, (first, last))

    def test_backends_that_are_ended_one_by_one_are_made_anew(self):
        with Load(self.stack.apis, READS[:3] + WRITES, clients=6) as traffic:
            for _ in range(10):
                self.stack.pg.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename ="
                                    " 'alicerce' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 3",
                                    user="postgres")
                time.sleep(0.25)
            at = time.monotonic()
            self.wait_all_back(at, READS + WRITES)
        self.assertAnsweredInTime(traffic.since(0), {200, 201, 503})
        self.assertAcknowledgedPostsAreThere(traffic.since(0))

    def test_a_polite_restart_of_postgresql_is_like_a_loss(self):
        with Load(self.stack.apis, EVERYTHING, clients=4) as traffic:
            time.sleep(0.3)
            self.stack.pg.restart()
            self.wait_all_back(time.monotonic())
        self.assertAnsweredInTime(traffic.since(0), {200, 201, 503})
        self.assertAcknowledgedPostsAreThere(traffic.since(0))

    def test_a_role_that_may_not_connect_for_a_while_is_like_a_loss(self):
        self.stack.pg.query("ALTER ROLE alicerce CONNECTION LIMIT 0", user="postgres")
        try:
            self.stack.pg.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename ="
                                " 'alicerce'", user="postgres")
            time.sleep(1)
            self.assertRetryLater(self.get("/api/posts"))
            self.assertStatus(self.get("/health"), 200)
        finally:
            self.stack.pg.query("ALTER ROLE alicerce CONNECTION LIMIT -1", user="postgres")
        self.wait_all_back(time.monotonic())

    def test_a_table_that_is_locked_costs_its_routes_their_deadline_and_no_more(self):
        with self.stack.pg.session() as lock:
            lock.query("BEGIN; LOCK TABLE posts IN ACCESS EXCLUSIVE MODE")
            with Load(self.stack.apis, EVERYTHING, clients=6) as traffic:
                time.sleep(2.5)
            lock.query("ROLLBACK")
        self.wait_all_back(time.monotonic())
        self.assertAnsweredInTime(traffic.since(0), {200, 201, 503})
        self.assertEqual([r for r in traffic.since(0) if r.route in COUNTS and r.status == 503], [])
        self.assertAcknowledgedPostsAreThere(traffic.since(0))

    def test_both_servers_lost_at_once(self):
        watch = HealthWatch(self.stack.apis[0])
        with Load(self.stack.apis, EVERYTHING, clients=4) as traffic:
            time.sleep(0.3)
            self.stack.pg.kill()
            self.stack.redis.kill()
            at = time.monotonic()
            time.sleep(1.5)
            meanwhile = traffic.since(at + SETTLE)
            self.stack.pg.start()
            self.stack.redis.start()
            self.wait_all_back(time.monotonic())
        self.assertEqual(watch.stop(), [])
        self.assertAnsweredInTime(traffic.since(0), {200, 201, 503})
        self.assertEqual({r.status for r in meanwhile}, {503})
        self.assertAcknowledgedPostsAreThere(traffic.since(0))
        self.assertAcknowledgedLeadsAreThere(traffic.since(0))

    def test_a_crowd_before_a_frozen_postgresql_is_turned_away_at_once_and_takes_no_memory(self):
        """Past the cap 503 comes without waiting for the deadline."""
        import client
        self.get("/api/posts")
        before = self.api.rss_kb()
        self.stack.pg.freeze()
        try:
            crowd = [self.connect() for _ in range(50)]
            begun = time.monotonic()
            for c in crowd:
                c.send(client.head("GET", "/api/posts"))
            waiting = [self.connect() for _ in range(2200)]
            for c in waiting:
                c.send(client.head("GET", "/api/posts"))
            self.assertStatus(self.get("/health"), 200)
            statuses = [c.read().status for c in crowd + waiting]
            self.assertLess(time.monotonic() - begun, DEADLINE + 3)
            self.assertEqual(set(statuses), {503})
            self.assertGreater(self.metric("alicerce_http_overloaded_total"), 0)
        finally:
            self.stack.pg.thaw()
        for c in crowd + waiting:
            c.close()
        self.wait_all_back(time.monotonic())
        if not self.api.sanitized():
            self.assertLess(self.api.rss_kb(), before + 40 * 1024)
