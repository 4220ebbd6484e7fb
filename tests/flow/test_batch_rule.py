"""A request never joins a read that was sent before it came, and no page older than an acknowledged
write is stored. A proxy before PostgreSQL holds an answer while the write goes by, so nothing here
depends on luck; the same checks must see the two bugs that are planted in build/plant/."""
import re
import selectors
import socket
import time
import unittest

import client
from plants import plant
import rules
import servers
import tokens

POST = b'{"titulo":"a","conteudo":"b"}'
REQUEST = b"POST /api/posts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(POST), POST)
SLOW_COMMITS = """CREATE FUNCTION devagar() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END$$;
    CREATE TRIGGER devagar AFTER INSERT ON posts FOR EACH STATEMENT EXECUTE FUNCTION devagar()"""


class TheRealProgram(unittest.TestCase):
    def test_keeps_the_rules(self):
        with rules.HeldStack() as held:
            for check in rules.ALL:
                for round_number in range(3):
                    with self.subTest(check.__name__, round=round_number):
                        self.assertIsNone(check(held))

    def test_answers_requests_that_came_while_a_read_was_held_all_at_once(self):
        """The gathering batch is sent as one when the flight has landed, none is forgotten."""
        with rules.HeldStack() as held:
            first = held.hold("/api/posts")
            others = [rules.Background(held.held.port, "GET", f"/api/posts?limite={1 + n % 5}")
                      for n in range(30)]
            held.pg.release()
            self.assertEqual(first.result().status, 200)
            for n, other in enumerate(others):
                self.assertEqual(len(other.result().json["posts"]), min(3, 1 + n % 5))

    def test_a_slow_read_does_not_hold_up_other_kinds(self):
        with rules.HeldStack() as held:
            first = held.hold("/api/posts")
            for path in ("/health", "/api/contador", "/api/contadores/x", "/metrics"):
                self.assertEqual(client.call(held.held.port, "GET", path, timeout=2).status, 200, path)
            post = client.call(held.held.port, "POST", "/api/posts", timeout=2,
                               json={"titulo": "a", "conteudo": "b"})
            self.assertEqual(post.status, 201)
            held.pg.release()
            first.result()


class Company(unittest.TestCase):
    """A flight that takes long waits a little for those whom the last one has answered."""

    def flights(self, port):
        text = client.call(port, "GET", "/metrics").text
        return [int(re.search(rf'{name}{{tipo="create"}} (\d+)', text).group(1))
                for name in ("alicerce_batches_total", "alicerce_batched_requests_total")]

    def write_post_after_post(self, port, clients, posts):
        """Each client asks again as soon as it was answered. Returns the posts of one flight in the mean."""
        before, sent, written = self.flights(port), clients, 0
        with selectors.DefaultSelector() as selector:
            for _ in range(clients):
                one = socket.create_connection(("127.0.0.1", port), timeout=5)
                self.addCleanup(one.close)
                selector.register(one, selectors.EVENT_READ)
                one.sendall(REQUEST)
            while written < posts:
                ready = selector.select(5)
                self.assertTrue(ready, f"no answer after {written} posts")
                for key, _ in ready:
                    self.assertTrue(key.fileobj.recv(65536).startswith(b"HTTP/1.1 201 "))
                    written += 1
                    if sent < posts:
                        key.fileobj.sendall(REQUEST)
                        sent += 1
        flights, requests = (after - b for after, b in zip(self.flights(port), before))
        return requests / flights

    def test_writers_share_their_commits(self):
        """Without it two would take turns: one flies while the other gathers, and one is all of a flight."""
        with servers.Stack(worker=0, env={"THREADS": "1"}) as stack:
            stack.pg.query(SLOW_COMMITS)
            self.assertGreater(self.write_post_after_post(stack.api.port, 2, 60), 1.3)
            self.assertEqual(self.write_post_after_post(stack.api.port, 1, 5), 1)


class QuestionsAboutTokens(unittest.TestCase):
    """Whether a token was revoked is asked when the request's batch is sent, not before."""

    def setUp(self):
        self.held = self.enterContext(rules.HeldStack(env=tokens.ENV))
        self.token = tokens.make()
        self.first = self.held.hold("/api/auth/eu", headers=self.bearer(self.token))

    def bearer(self, token):
        return {"Authorization": f"Bearer {token}"}

    def who_am_i(self, token):
        return rules.Background(self.held.held.port, "GET", "/api/auth/eu", headers=self.bearer(token))

    def asked(self):
        found = re.search(r"cmdstat_mget:calls=(\d+)", self.held.stack.redis.call("INFO", "commandstats").decode())
        return int(found.group(1))

    def test_those_of_a_flight_are_one_question(self):
        """Planted once: asked in each pass of the loop, they are as many as passes."""
        before, others = self.asked(), []
        for _ in range(12):
            others.append(self.who_am_i(tokens.make()))
            time.sleep(0.05)  # a pass of its own
        self.assertEqual(self.asked(), before)
        self.held.pg.release()
        for request in [self.first, *others]:
            self.assertEqual(request.result().status, 200)
        self.assertLessEqual(self.asked(), before + 2)  # the last of them may have come late

    def test_a_token_that_ends_while_its_request_waits_is_refused(self):
        token = tokens.make()
        waits = self.who_am_i(token)
        time.sleep(0.3)
        answer = client.call(self.held.straight.port, "POST", "/api/auth/logout", headers=self.bearer(token))
        self.assertEqual(answer.status, 204)
        self.held.pg.release()
        self.assertEqual(waits.result().status, 401)
        self.assertEqual(self.first.result().status, 200)


class PlantedBugs(unittest.TestCase):
    """A test that cannot fail is a defect: here is the proof that these can."""

    def test_a_request_that_joins_a_sent_read_is_seen(self):
        with rules.HeldStack(binaries=plant("join-sent")) as held:
            seen = [check.__name__ for check in rules.JOINS if check(held)]
            self.assertIn("list_joins", seen)

    def test_a_page_stored_after_a_newer_write_is_seen(self):
        with rules.HeldStack(binaries=plant("stale-fill")) as held:
            self.assertIsNotNone(rules.stale_page_is_stored(held))
