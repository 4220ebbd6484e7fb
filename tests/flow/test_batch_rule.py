"""A request never joins a read that was sent before it came, and no page older than an acknowledged
write is stored. A proxy before PostgreSQL holds an answer while the write goes by, so nothing here
depends on luck; the same checks must see the two bugs that are planted in build/plant/."""
import unittest

import client
from plants import plant
import rules


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


class PlantedBugs(unittest.TestCase):
    """A test that cannot fail is a defect: here is the proof that these can."""

    def test_a_request_that_joins_a_sent_read_is_seen(self):
        with rules.HeldStack(binaries=plant("join-sent")) as held:
            seen = [check.__name__ for check in rules.JOINS if check(held)]
            self.assertIn("list_joins", seen)

    def test_a_page_stored_after_a_newer_write_is_seen(self):
        with rules.HeldStack(binaries=plant("stale-fill")) as held:
            self.assertIsNotNone(rules.stale_page_is_stored(held))
