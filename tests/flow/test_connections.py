"""Connections: everything is answered once and in order, bodies come whole or not at all, clients vanish."""
import time

from case import eventually, shared_stack
import client
from wirecase import BODY, GET, HOST, POST, WireCase

Shared, setUpModule, tearDownModule = shared_stack(worker=0, env={"META_APP_SECRET": "segredo"})


class HttpCase(WireCase, Shared):
    pass


class Connections(HttpCase):
    def test_keep_alive_answers_many_requests(self):
        with self.connect() as c:
            for _ in range(200):
                answer = c.call("GET", "/health")
                self.assertEqual((answer.status, answer.closes), (200, False))

    def test_connection_close_closes_after_the_answer(self):
        for path in ("/health", "/api/posts", "/nada"):
            with self.connect() as c:
                answer = c.call("GET", path, {"Connection": "close"})
                self.assertTrue(answer.status)
                self.assertTrue(c.ended())

    def test_http_1_0_is_answered_and_closed(self):
        for path in (b"/health", b"/api/posts", b"/api/contador"):
            with self.connect() as c:
                c.send(b"GET " + path + b" HTTP/1.0\r\n\r\n")
                self.assertStatus(c.read(), 200)
                self.assertTrue(c.ended())

    def test_http_1_0_posts_with_a_length_and_not_chunked(self):
        with self.connect() as c:
            c.send(b"POST /api/posts HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 29\r\n\r\n" + BODY)
            self.assertStatus(c.read("POST"), 201)
        self.refused(b"POST /api/posts HTTP/1.0\r\nContent-Type: application/json\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n1d\r\n" + BODY + b"\r\n0\r\n\r\n")

    def test_the_absolute_form_of_a_target_is_taken(self):
        with self.connect() as c:
            c.send(b"GET http://alicerce.test/health HTTP/1.1\r\n" + HOST + b"\r\n")
            self.assertStatus(c.read(), 200)
            c.send(b"GET http://alicerce.test/api/posts?limite=1 HTTP/1.1\r\n" + HOST + b"\r\n")
            self.assertEqual(len(c.read().json["posts"]), 1)

    def test_empty_lines_before_a_request_are_borne(self):
        """RFC 9112 section 2.2: at least one must be."""
        with self.connect() as c:
            c.send(b"\r\n" + GET + b"\r\n")
            self.assertStatus(c.read(), (200, 400))

    def test_pipelined_requests_are_answered_in_order_each_once(self):
        paths = ["/health", "/api/posts?limite=1", "/api/contador", "/nada", "/api/stats", "/api/posts/1",
                 "/status", "/api/posts/cache", "/metrics", "/api/contadores/fila"] * 6
        with self.connect() as c:
            c.send(b"".join(client.head("GET", p, {"X-Request-Id": f"n-{i}"}) for i, p in enumerate(paths)))
            for i, path in enumerate(paths):
                answer = c.read()
                self.assertEqual(answer.header("x-request-id"), f"n-{i}", path)
                self.assertEqual(answer.status, 404 if path == "/nada" else 200, path)
            c.send(client.head("GET", "/health", {"Connection": "close"}))
            self.assertStatus(c.read(), 200)
            self.assertTrue(c.ended())

    def test_pipelined_posts_are_done_once_each(self):
        before = self.count()
        request = POST + b"Content-Length: 29\r\n\r\n" + BODY
        with self.connect() as c:
            c.send(request * 50)
            found = [c.read("POST").json["id"] for _ in range(50)]
        self.assertEqual(found, sorted(set(found)))
        self.assertEqual(self.count() - before, 50)

    def test_a_request_that_comes_byte_by_byte_is_one_request(self):
        with self.connect() as c:
            for byte in POST + b"Content-Length: 29\r\n\r\n" + BODY:
                c.send(bytes([byte]))
            self.assertStatus(c.read("POST"), 201)

    def test_a_half_closed_client_gets_its_answer(self):
        for request, status in ((GET + b"\r\n", 200),
                                (b"GET /api/posts HTTP/1.1\r\n" + HOST + b"\r\n", 200),
                                (b"GET /api/contador HTTP/1.1\r\n" + HOST + b"\r\n", 200),
                                (POST + b"Content-Length: 29\r\n\r\n" + BODY, 201)):
            with self.subTest(request[:25]), self.connect() as c:
                c.send(request)
                c.half_close()
                self.assertStatus(c.read(), status)

    def test_a_body_that_is_cut_short_is_not_done(self):
        before = self.count()
        for end in ("half_close", "reset", "close"):
            with self.subTest(end), client.Connection(self.api.port, 1) as c:
                c.send(POST + b"Content-Length: 29\r\n\r\n" + BODY[:-1])
                time.sleep(0.05)
                getattr(c, end)()
                if end != "half_close":
                    continue
                try:
                    self.assertStatus(c.read("POST"), (400, 408))
                except ConnectionError:
                    pass
        self.assertEqual(self.count(), before)

    def test_a_slow_body_is_taken(self):
        with self.connect() as c:
            c.send(POST + b"Content-Length: 29\r\n\r\n")
            for i in range(0, 29, 5):
                time.sleep(0.15)
                c.send(BODY[i:i + 5])
            self.assertStatus(c.read("POST"), 201)

    def test_a_slow_body_does_not_hold_up_others(self):
        slow = [self.connect() for _ in range(20)]
        for c in slow:
            c.send(POST + b"Content-Length: 29\r\n\r\n" + BODY[:5])
        for _ in range(20):
            begun = time.monotonic()
            self.assertStatus(self.get("/api/posts"), 200)
            self.assertLess(time.monotonic() - begun, 1)
        for c in slow:
            c.send(BODY[5:])
            self.assertStatus(c.read("POST"), 201)

    def test_expect_100_continue_is_answered_first(self):
        with self.connect() as c:
            c.send(POST + b"Content-Length: 29\r\nExpect: 100-continue\r\n\r\n")
            self.assertEqual(c.read().status, 100)
            c.send(BODY)
            self.assertStatus(c.read("POST"), 201)
            self.assertStatus(c.call("GET", "/health"), 200)

    def test_expect_100_continue_for_a_body_that_is_too_large_is_413(self):
        with self.connect() as c:
            c.send(POST + b"Content-Length: 999999999\r\nExpect: 100-continue\r\n\r\n")
            answer = c.read()
            if answer.status == 100:
                self.fail("a body that will be refused was asked for")
            self.assertStatus(answer, (413, 417))

    def test_an_unknown_expectation_is_refused_or_ignored(self):
        self.at_most_one_refusal(GET + b"Expect: milagre\r\n\r\n", (200, 417))

    def test_chunked_bodies_are_joined(self):
        with self.connect() as c:
            c.send(POST + b"Transfer-Encoding: Chunked\r\n\r\n")
            for i in range(0, len(BODY), 3):
                piece = BODY[i:i + 3]
                c.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            c.send(b"0\r\n\r\n")
            self.assertStatus(c.read("POST"), 201)
            c.send(POST + b"Transfer-Encoding: chunked\r\n\r\n1d\r\n" + BODY + b"\r\n0\r\nTrailer-X: y\r\n\r\n")
            self.assertStatus(c.read("POST"), 201)
            self.assertStatus(c.call("GET", "/health"), 200)

    def test_chunk_extensions_are_ignored_or_refused(self):
        """libmicrohttpd 1.0 takes the line feed behind an extension for content, and then refuses."""
        with self.connect() as c:
            c.send(POST + b"Transfer-Encoding: chunked\r\n\r\n1d;ext=1\r\n" + BODY + b"\r\n0\r\n\r\n")
            answer = c.read("POST")
            self.assertStatus(answer, (201, 400))
            if answer.status == 201:
                self.assertEqual((answer.json["titulo"], answer.json["conteudo"]), ("t", "c"), answer)

    def test_a_get_with_a_body_stays_in_step(self):
        with self.connect() as c:
            c.send(b"GET /health HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello")
            answer = c.read()
            self.assertLess(answer.status, 500)
            if not answer.closes:
                self.assertStatus(c.call("GET", "/health"), 200)

    def test_vanishing_clients_leave_nothing_parked(self):
        before = self.count()
        for n in range(300):
            c = client.Connection(self.api.port)
            request = (b"GET /api/posts HTTP/1.1\r\n" + HOST + b"\r\n", POST + b"Content-Length: 29\r\n\r\n" + BODY,
                       b"GET /api/contador HTTP/1.1\r\n" + HOST + b"\r\n", POST + b"Content-Length: 29\r\n\r\n" + BODY[:9],
                       GET[:20])[n % 5]
            whole = n % 5 < 3
            c.send(request * (1 + n % 3 if whole else 1))
            # A FIN right behind a request may go unseen by libmicrohttpd's edge-triggered epoll, and right
            # behind half a request it does: such a connection lasts until its time-out. Those get an RST.
            (c.reset if n % 2 or not whole else c.close)()
        self.assertTrue(eventually(lambda: self.metric("alicerce_http_parked") <= 1, 3), self.get("/metrics").text)
        self.assertTrue(eventually(lambda: self.metric("alicerce_http_connections") < 30, 3), self.get("/metrics").text)
        self.assertStatus(self.get("/api/posts"), 200)
        self.assertGreaterEqual(self.count(), before)

    def test_many_idle_connections_do_not_hold_up_others(self):
        idle = [self.connect() for _ in range(400)]
        begun = time.monotonic()
        self.assertStatus(self.get("/api/posts"), 200)
        self.assertLess(time.monotonic() - begun, 2)
        for c in idle[::40]:
            self.assertStatus(c.call("GET", "/health"), 200)

    def test_more_requests_at_once_than_may_wait_are_all_answered(self):
        """200 or, past the cap, 503 with Retry-After at once: never a hang."""
        waiting = [self.connect() for _ in range(60)]
        for c in waiting:
            c.send(client.head("GET", "/api/posts") * 40)
        seen = set()
        for c in waiting:
            for _ in range(40):
                answer = c.read()
                seen.add(answer.status)
                if answer.status == 503:
                    self.assertRetryLater(answer)
        self.assertLessEqual(seen, {200, 503})
        self.assertIn(200, seen)
