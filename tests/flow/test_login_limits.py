"""Guessing and flooding: sign-ins are slowed, floods of them hold up nobody, and RATE_LIMIT counts."""
import re
import select
import threading
import time

from case import StackCase, eventually, shared_stack
import client
import tokens

PROXY = {**tokens.ENV, "TRUSTED_PROXIES": "127.0.0.1", "POSTS_WRITE": "token"}
Shared, setUpModule, tearDownModule = shared_stack(worker=0, replicas=2, env=PROXY)


class Limits(Shared):
    def setUp(self):
        self.stack.redis.call("FLUSHALL")

    def sign_in(self, email=tokens.ADMIN_EMAIL, senha="errada errada", address="203.0.113.9", api=None,
                request_id=None):
        return self.post("/api/auth/login", {"email": email, "senha": senha}, api=api,
                         headers={"X-Forwarded-For": address,
                                  **({"X-Request-Id": request_id} if request_id else {})})

    def assertSlowed(self, answer):
        self.assertRefused(answer, 429)
        self.assertTrue(1 <= int(answer.header("retry-after")) <= 900, answer)

    def test_thirty_wrong_ones_are_slowed_on_all_replicas(self):
        found = [self.sign_in(api=self.stack.apis[i % 2]).status for i in range(30)]
        self.assertEqual(found, [401] * 10 + [429] * 20)
        for api in self.stack.apis:
            self.assertSlowed(self.sign_in(api=api))
            self.assertSlowed(self.sign_in(senha=tokens.ADMIN_PASSWORD, api=api))  # the right one, too
        self.assertStatus(self.sign_in(senha=tokens.ADMIN_PASSWORD, address="203.0.113.10"), 200)
        self.assertStatus(self.sign_in("outra@alicerce.test"), 401)

    def test_case_and_spelling_of_the_address_do_not_help(self):
        for i in range(10):
            email = "".join(c.upper() if (i >> (n % 4)) & 1 else c for n, c in enumerate(tokens.ADMIN_EMAIL))
            self.assertStatus(self.sign_in(email), 401)
        self.assertSlowed(self.sign_in())

    def test_guesses_that_share_an_id_are_counted_each(self):
        """A try had the request's id as its name, which the caller chooses: all with one id counted as one."""
        for request_id in ("a" * 40, "a" * 40, "a" * 39 + "b"):
            self.sign_in(request_id=request_id)
        counted = {key: self.stack.redis.call("ZCARD", key) for key in self.keys("login:*")}
        self.assertEqual(list(counted.values()), [3, 3, 3], counted)

    def test_guesses_sent_at_once_are_counted_too(self):
        """Planted once: counted after the hash instead of before, all of them pass."""
        found = []

        def guess():
            found.append(self.sign_in().status)
        threads = [threading.Thread(target=guess) for _ in range(24)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual((found.count(401), found.count(429)), (10, 14), found)

    def test_a_right_password_forgives_the_wrong_ones(self):
        for _ in range(3):
            for _ in range(9):
                self.assertStatus(self.sign_in(), 401)
            self.assertStatus(self.sign_in(senha=tokens.ADMIN_PASSWORD), 200)

    def test_it_survives_a_restart_of_redis_and_of_the_api(self):
        for _ in range(10):
            self.sign_in()
        self.stack.redis.kill()
        self.stack.redis.start()
        self.stack.apis[0].restart()
        for api in self.stack.apis:
            api.wait_serving()
            self.assertSlowed(self.sign_in(api=api))

    def test_one_address_cannot_try_many_accounts(self):
        self.fill("login:endereco:", "203.0.113.9")
        self.assertSlowed(self.sign_in("alguem@alicerce.test"))
        self.assertStatus(self.sign_in("alguem@alicerce.test", address="203.0.113.10"), 401)

    def test_one_account_cannot_be_tried_from_many_addresses(self):
        self.sign_in()  # so that the key's name is known
        key, = [k for k in self.keys("login:conta:*") if k.count(":") == 2]
        self.fill_key(key)
        self.assertSlowed(self.sign_in(address="198.51.100.1"))
        self.assertStatus(self.sign_in("outra@alicerce.test", address="198.51.100.1"), 401)

    def keys(self, pattern):
        return [k.decode() for k in self.stack.redis.call("KEYS", pattern)]

    def fill(self, prefix, address):
        self.sign_in("primeira@alicerce.test", address=address)
        key, = self.keys(prefix + "*")
        self.fill_key(key)

    def fill_key(self, key):
        now = int(time.time() * 1000)
        with self.stack.redis.session() as session:
            for n in range(100):
                session.call("ZADD", key, str(now - n), f"cheio-{n}")

    def test_the_window_slides(self):
        for _ in range(10):
            self.sign_in()
        self.assertSlowed(self.sign_in())
        with self.stack.redis.session() as session:  # a quarter of an hour ago, all of them
            for key in self.keys("login:*"):
                for member in session.call("ZRANGE", key, "0", "-1"):
                    session.call("ZINCRBY", key, str(-900 * 1000), member.decode())
        self.assertStatus(self.sign_in(), 401)

    def test_keys_end_by_themselves_and_hold_no_address_of_people(self):
        self.sign_in()
        for key in self.keys("login:*"):
            self.assertNotIn("@", key)
            self.assertTrue(1 <= self.stack.redis.call("TTL", key) <= 900)

    def test_only_the_last_hop_counts(self):
        """What the client wrote itself stands before what the proxy added."""
        for i in range(10):
            self.assertStatus(self.sign_in(address=f"192.0.2.{i}, 203.0.113.9"), 401)
        self.assertSlowed(self.sign_in(address="192.0.2.77, 203.0.113.9"))

    def test_of_two_lines_the_last_counts(self):
        body = b'{"email":"a@b.c","senha":"errada"}'
        for i in range(11):
            with self.connect() as c:
                c.send(client.head("POST", "/api/auth/login", [
                    ("X-Forwarded-For", f"192.0.2.{i}"), ("X-Forwarded-For", "203.0.113.9"),
                    ("Content-Length", str(len(body)))]) + body)
                answer = c.read()
        self.assertStatus(answer, 429)

    def test_an_ipv6_client_is_its_64(self):
        for i in range(10):
            self.assertStatus(self.sign_in(address=f"2001:db8:1:2::{i}"), 401)
        self.assertSlowed(self.sign_in(address="2001:db8:1:2:ffff::1"))
        self.assertStatus(self.sign_in(address="2001:db8:1:3::1"), 401)

    def test_a_flood_of_sign_ins_holds_up_nobody(self):
        """Planted once: hashed on the loop, everybody waits for each hash."""
        stop, statuses, times = threading.Event(), [], []

        def flood(n):
            i = 0
            while not stop.is_set():
                i += 1
                answer = self.sign_in(f"inundacao{n}-{i}@alicerce.test", address=f"10.{n}.{i >> 8}.{i & 255}")
                statuses.append(answer.status)
        threads = [threading.Thread(target=flood, args=(n,)) for n in range(8)]
        for t in threads:
            t.start()
        with self.connect() as c:
            for _ in range(150):
                begun = time.monotonic()
                self.assertStatus(c.call("GET", "/api/posts/1"), 200)
                times.append(time.monotonic() - begun)
                time.sleep(0.01)
        stop.set()
        for t in threads:
            t.join()
        self.assertLessEqual(set(statuses), {401, 503})
        self.assertGreater(statuses.count(401), 20)
        times.sort()
        self.assertLess(times[len(times) // 2], 0.1, times[-10:])  # a hash takes 0.01 to 0.03 s

    def test_the_queue_of_passwords_is_bounded(self):
        """More at once than may wait: 503 with Retry-After at once, and it does not count as a guess."""
        found, lock = [], threading.Lock()

        def one(n):
            answer = self.sign_in(f"muitos{n}@alicerce.test", address=f"10.99.{n >> 8}.{n & 255}", api=self.stack.apis[0])
            with lock:
                found.append(answer)
        threads = [threading.Thread(target=one, args=(n,)) for n in range(180)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        refused = [a for a in found if a.status == 503]
        self.assertLessEqual({a.status for a in found}, {401, 503})
        for answer in refused:
            self.assertRetryLater(answer)
        self.assertStatus(self.sign_in(senha=tokens.ADMIN_PASSWORD), 200)


    def test_while_hashes_wait_all_else_is_answered(self):
        """Planted once: hashed on the loop, the other requests wait for all of the sign-ins."""
        api = self.stack.apis[1]
        answer = self.sign_in(senha=tokens.ADMIN_PASSWORD, api=api)
        token = self.assertStatus(answer, 200).json["token"]
        crowd = [self.connect(api=api, timeout=60) for _ in range(200)]
        for n, c in enumerate(crowd):  # 64 may wait, 2 are in work
            c.send(client.request_bytes("POST", "/api/auth/login", {"X-Forwarded-For": f"10.98.0.{n}"},
                                        json={"email": f"cheio{n}@alicerce.test", "senha": "errada errada"}))
        while not select.select([c.sock for c in crowd], [], [], 20)[0]:
            self.fail("none of the sign-ins was answered")  # the first ones are on their way
        for path in ("/health", "/api/posts/1", "/api/auth/eu"):
            answer = self.get(path, api=api, headers={"Authorization": f"Bearer {token}"})
            self.assertStatus(answer, 200)
        ready = select.select([c.sock for c in crowd], [], [], 0)[0]
        self.assertLess(len(ready), len(crowd), "others were answered before all sign-ins were")
        answers = [c.read() for c in crowd]
        self.assertEqual({a.status for a in answers}, {401, 503})
        for a in answers:
            if a.status == 503:
                self.assertRetryLater(a)


    def test_who_finds_the_queue_full_costs_no_server_anything(self):
        """Planted once: asked after Redis and PostgreSQL, a flood is as dear as if it were let in."""
        api = self.stack.apis[1]
        crowd = self.crowd(api, "fila", 160)
        full = lambda: any(a.status == 503 for a in self.ready(crowd))
        self.assertTrue(eventually(full, 20), "the queue was never full")
        time.sleep(0.1)  # the last ones of the crowd have found it so, too
        asked, late = self.tries(), self.crowd(api, "tarde", 240)
        time.sleep(0.3)
        refused = self.ready(late)
        self.assertGreater(len(refused), 120)
        for answer in refused:
            self.assertRetryLater(answer)
        self.assertLess(self.tries() - asked, 120)  # four for each place that a hash has left

    def crowd(self, api, name, n):
        found = [self.connect(api=api, timeout=60) for _ in range(n)]
        for i, c in enumerate(found):
            c.send(client.request_bytes("POST", "/api/auth/login", {"X-Forwarded-For": f"10.97.{len(name)}.{i}"},
                                        json={"email": f"{name}{i}@alicerce.test", "senha": "errada errada"}))
        return found

    def ready(self, crowd):
        return [c.read() for c in crowd if select.select([c.sock], [], [], 0)[0]]

    def tries(self):
        found = re.search(r"cmdstat_eval:calls=(\d+)", self.stack.redis.call("INFO", "commandstats").decode())
        return int(found.group(1)) if found else 0


class Untrusted(StackCase):
    """Without a trusted proxy the header is worth nothing."""
    options = {"worker": 0, "env": {**tokens.ENV, "TRUSTED_PROXIES": "none"}}

    def test_x_forwarded_for_is_not_believed(self):
        for i in range(11):
            answer = self.post("/api/auth/login", {"email": tokens.ADMIN_EMAIL, "senha": "errada"},
                               headers={"X-Forwarded-For": f"203.0.113.{i}"})
        self.assertStatus(answer, 429)


class RateLimit(StackCase):
    options = {"worker": 0, "env": {**tokens.ENV, "RATE_LIMIT": "20", "TRUSTED_PROXIES": "127.0.0.1"}}

    def ask(self, address, path="/api/posts/1"):
        return self.get(path, headers={"X-Forwarded-For": address})

    def test_each_client_has_so_many_a_minute(self):
        first = self.ask("203.0.113.1")
        self.assertEqual((first.header("ratelimit-limit"), first.header("ratelimit-remaining")), ("20", "19"))
        self.assertEqual(first.header("ratelimit-reset"), "3")
        statuses = [self.ask("203.0.113.1").status for _ in range(30)]
        self.assertIn(429, statuses)
        self.assertTrue(18 <= statuses.count(200) <= 25, statuses)  # three seconds give one more
        slowed = self.ask("203.0.113.1")
        for _ in range(5):
            if slowed.status == 429:
                break
            slowed = self.ask("203.0.113.1")
        self.assertRefused(slowed, 429)
        self.assertTrue(1 <= int(slowed.header("retry-after")) <= 3, slowed)
        self.assertEqual(slowed.header("ratelimit-remaining"), "0")
        self.assertStatus(self.ask("203.0.113.2"), 200)

    def test_probes_are_not_limited(self):
        for _ in range(40):
            self.assertStatus(self.ask("203.0.113.3", "/health"), 200)
        self.assertIsNone(self.ask("203.0.113.3", "/health").header("ratelimit-limit"))

    def test_many_clients_take_no_more_memory(self):
        before = self.api.rss_kb()
        with self.connect() as c:
            for i in range(6000):
                c.call("GET", "/api/none", {"X-Forwarded-For": f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}"})
        if not self.api.sanitized():
            self.assertLess(self.api.rss_kb() - before, 512)

    def test_without_it_no_answer_tells_of_limits(self):
        api = self.stack.add_api(env={"RATE_LIMIT": "0"}).start()
        self.addCleanup(api.stop)
        api.wait_serving()
        self.assertIsNone(self.get("/api/posts/1", api=api).header("ratelimit-limit"))
