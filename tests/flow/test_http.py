"""The wire: what libmicrohttpd would let pass is refused, everything is answered once and in order, and
no bytes give a 5xx, a hang or a second answer."""
import random
import time

from case import eventually, shared_stack
import client

HOST = b"Host: alicerce.test\r\n"
GET = b"GET /health HTTP/1.1\r\n" + HOST
POST = b"POST /api/posts HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
BODY = b'{"titulo":"t","conteudo":"c"}'
Shared, setUpModule, tearDownModule = shared_stack(worker=0, env={"META_APP_SECRET": "segredo"})


def library_page(answer):
    """A refusal that libmicrohttpd sends by itself, in HTML, before it has called any code of ours. It
    closes the connection with it; 0.9.75 says the head of some of them twice."""
    return answer.closes and answer.header("x-request-id") is None


class WireCase(Shared):
    def count(self):
        return int(self.stack.pg.value("SELECT count(*) FROM posts"))

    def answers(self, *requests, patience=1.0):
        """What comes back to each of these byte strings, all sent at once, each on a connection of its
        own: lists of answers until the server closes or is silent."""
        connections, found = [], []
        for data in requests:
            c = self.connect(timeout=patience)
            connections.append(c)
            try:
                c.send(data)
            except OSError:
                pass  # it closed while we were sending
        for c in connections:
            found.append([])
            try:
                while True:
                    answer = c.read()
                    c.sock.settimeout(0.05)
                    if answer.status >= 200:
                        found[-1].append(answer)
                    if library_page(answer):
                        break
            except TimeoutError:
                patience = 0.05  # the others have had their time, too
            except ConnectionError:
                pass
            c.sock.settimeout(patience)
            c.close()
            for later in connections[len(found):]:
                later.sock.settimeout(patience)
        return found

    def at_most_one_refusal(self, data, statuses):
        found, = self.answers(data)
        self.assertLessEqual(len(found), 1, found)
        for answer in found:
            self.assertIn(answer.status, statuses, answer)
        return found

    def refused(self, data, status=400):
        """One refusal, then the connection is closed: nothing that follows may be taken for a request."""
        before = self.count()
        with client.Connection(self.api.port, 5) as c:
            c.send(data)
            answer = c.read()
            self.assertStatus(answer, status)
            self.assertTrue(c.ended(3), "the connection stays open after a request of unclear length")
        self.assertEqual(self.count(), before, "it was done all the same")
        return answer


class Refused(WireCase):
    """engine.md, trap 7; RFC 9112 sections 2.2, 3.2, 5, 6.3 and 11.2."""

    def test_content_length_with_transfer_encoding(self):
        for pair in (b"Content-Length: 29\r\nTransfer-Encoding: chunked\r\n",
                     b"Transfer-Encoding: chunked\r\nContent-Length: 29\r\n",
                     b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"):
            self.refused(POST + pair + b"\r\n1d\r\n" + BODY + b"\r\n0\r\n\r\n")

    def test_two_content_lengths(self):
        for pair in (b"Content-Length: 29\r\nContent-Length: 29\r\n", b"Content-Length: 29\r\nContent-Length: 0\r\n",
                     b"Content-Length: 0\r\ncontent-length: 29\r\n"):
            self.refused(POST + pair + b"\r\n" + BODY)

    def test_odd_content_lengths(self):
        """libmicrohttpd refuses them by itself, in HTML and, 0.9.75, twice: our answer goes out before its own."""
        before = self.count()
        for value in (b"29, 29", b"+29", b"-1", b"0x1d", b"29 29", b"", b"a", b"1e1", b"29\x0b", b"99999999999999999999999",
                      b"18446744073709551617", b"-0", b"2 9"):
            with self.subTest(value), client.Connection(self.api.port, 5) as c:
                c.send(POST + b"Content-Length: " + value + b"\r\n\r\n" + BODY)
                answer = c.read()
                self.assertStatus(answer, (400, 413))
                self.look_at_problem(answer)
                self.assertTrue(answer.closes)
                c.sock.settimeout(3)
                self.assertEqual(c.file.read(1000), b"", "a second answer")
        self.assertEqual(self.count(), before)

    def test_transfer_encodings_other_than_chunked(self):
        chunks = b"\r\n1d\r\n" + BODY + b"\r\n0\r\n\r\n"
        for value in (b"gzip, chunked", b"chunked, chunked", b"identity", b"chunked, identity", b"xchunked", b"chunked;q=1",
                      b"", b"\x0bchunked", b"chunk", b'"chunked"'):
            with self.subTest(value):
                self.refused(POST + b"Transfer-Encoding: " + value + b"\r\n" + chunks, (400, 501))
        self.refused(POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" + chunks)
        self.refused(POST + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n" + chunks)

    def test_space_before_the_colon(self):
        chunks = b"\r\n1d\r\n" + BODY + b"\r\n0\r\n\r\n"
        for name in (b"Transfer-Encoding ", b"Transfer-Encoding\t", b" Transfer-Encoding"):
            with self.subTest(name):
                self.refused(POST + name + b": chunked\r\n" + chunks)
        self.refused(POST + b"Content-Length : 29\r\n\r\n" + BODY)
        self.refused(GET + b"X-Coisa : 1\r\n\r\n")

    def test_no_host_or_two(self):
        self.refused(b"GET /health HTTP/1.1\r\n\r\n")
        self.refused(GET + HOST + b"\r\n")
        self.refused(GET + b"host: outro\r\n\r\n")

    def test_nul_in_headers(self):
        for line in (b"X-A: a\0b\r\n", b"X-\0A: b\r\n", b"X-A: b\0\r\n", b"\0\r\n", b"X-A: \0\r\n", b"X-A\0: b\r\n"):
            with self.subTest(line):
                self.refused(GET + line + b"\r\n")
                self.refused(b"GET /health HTTP/1.1\r\n" + line + HOST + b"\r\n")

    def test_nul_or_controls_in_the_target(self):
        for target in (b"/hea\0lth", b"/health\0", b"/health\x01", b"/health\x7f", b"/\xc3\xa9", b"/health\xff"):
            with self.subTest(target):
                self.at_most_one_refusal(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n", (400, 404))

    def test_folded_lines(self):
        for fold in (b"X-A: b\r\n c\r\n", b"X-A: b\r\n\tc\r\n", b"X-A:\r\n b\r\n"):
            with self.subTest(fold):
                self.refused(GET + fold + b"\r\n")
        self.refused(b"GET /health HTTP/1.1\r\n Host: a\r\n\r\n")
        self.refused(POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n1d\r\n" + BODY + b"\r\n0\r\n\r\n")

    def test_bare_line_feeds(self):
        for head in (b"GET /health HTTP/1.1\nHost: a\n\n", b"GET /health HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n",
                     b"GET /health HTTP/1.1\r\nHost: a\n\r\n", b"GET /health HTTP/1.1\nHost: a\r\n\r\n",
                     b"GET /health HTTP/1.1\r\nHost: a\r\nX-A: b\n\n"):
            with self.subTest(head):
                self.refused(head)

    def test_bare_carriage_returns_divide_nothing(self):
        """RFC 9112 section 2.2 lets them count as a space or as an error, never as an end of line."""
        for head in (b"POST /api/contadores/cr HTTP/1.1\r\nHost: a\r\nX-A: b\rContent-Length: 5\r\n\r\n",
                     b"POST /api/contadores/cr HTTP/1.1\r\nHost: a\r\nX-A: b\rTransfer-Encoding: chunked\r\n\r\n"):
            with self.subTest(head):
                self.at_most_one_refusal(head, (200, 400, 411))
        self.at_most_one_refusal(b"GET /health HTTP/1.1\rHost: a\r\n\r\n", (400, 404, 505))

    def test_names_that_are_no_token(self):
        for line in (b"X A: b", b"X(A): b", b"X\"A: b", b"X/A: b", b"\xc3\xa9: b", b": b", b"X-A", b"X\x01: b", b"a@b: c"):
            with self.subTest(line):
                self.refused(GET + line + b"\r\n\r\n")

    def test_request_lines_that_are_none(self):
        """505 is libmicrohttpd's own, and right (RFC 9110 section 15.6.6)."""
        for line in (b"GET", b"GET /health", b"GET /health HTTP/1.1 x", b"/health HTTP/1.1", b"GET /hea lth HTTP/1.1",
                     b"GET /health http/1.1", b"GET /health HTTP/1", b"GET /health HTTP/2.0", b"GET /health HTTP/1.10",
                     b"GET /health HTTPS/1.1", b"G\0T /health HTTP/1.1", b"GET\t/health\tHTTP/1.1", b"(GET) /health HTTP/1.1",
                     b"GET health HTTP/1.1", b" GET /health HTTP/1.1", b"GET /health HTTP/9.9", b"GET /health HTTP/0.9",
                     b"G\xc3\x89T /health HTTP/1.1"):
            with self.subTest(line):
                self.at_most_one_refusal(line + b"\r\n" + HOST + b"\r\n", (400, 404, 405, 505))

    def test_what_follows_a_refused_request_is_not_run(self):
        """Request smuggling: the second request stands where a front server saw a body."""
        hidden = b"POST /api/contadores/contrabando HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n"
        for head in (POST + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(hidden)),
                     POST + b"Transfer-Encoding : chunked\r\nContent-Length: %d\r\n\r\n" % len(hidden),
                     POST + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(hidden),
                     GET + b"Content-Length: 0\r\n Transfer-Encoding: chunked\r\n\r\n",
                     POST + b"Transfer-Encoding: xchunked\r\n\r\n",
                     GET + b"X: \0\r\n\r\n"):
            with self.subTest(head):
                self.answers(head + hidden)
                self.assertEqual(self.get("/api/contadores/contrabando").json["contador"], 0)

    def test_malformed_chunks(self):
        head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        for chunks in (b"zz\r\n" + BODY, b"-1\r\n", b"1d" + BODY, b"1d\n" + BODY + b"\n0\n\n", b"1d\r\n" + BODY + b"xx0\r\n\r\n",
                       b"ffffffffffffffff\r\n", b"fffffffffffffffff\r\n", b"0x1d\r\n" + BODY + b"\r\n0\r\n\r\n", b"\r\n0\r\n\r\n",
                       b" 1d\r\n" + BODY + b"\r\n0\r\n\r\n", b"1 d\r\n" + BODY, b"+1d\r\n" + BODY + b"\r\n0\r\n\r\n",
                       b"1d;" + b"x" * 100000 + b"\r\n"):
            with self.subTest(chunks[:40]):
                before = self.count()
                found = self.at_most_one_refusal(head + chunks, (201, 400, 413))
                after = self.count()
                self.assertLessEqual(after - before, 1 if found and found[0].status == 201 else 0)


class Sizes(WireCase):
    def test_long_targets_are_414(self):
        for size in (9000, 40000, 200000):
            with self.subTest(size):
                found, = self.answers(b"GET /" + b"a" * size + b" HTTP/1.1\r\n" + HOST + b"\r\n")
                self.assertEqual([a.status for a in found], [414])

    def test_long_headers_are_431(self):
        for size in (40000, 200000):
            with self.subTest(size):
                found, = self.answers(GET + b"X-A: " + b"a" * size + b"\r\n\r\n")
                self.assertEqual([a.status for a in found], [431])
        found, = self.answers(GET + b"".join(b"X-%d: a\r\n" % n for n in range(5000)) + b"\r\n")
        self.assertEqual([a.status for a in found], [431])

    def test_heads_of_every_size_are_answered_soon(self):
        """Between what fits and what does not, too: nothing in between may hang or close in silence."""
        for size in range(100, 9000, 130):
            with self.subTest(size):
                begun = time.monotonic()
                for data in (GET + b"X-A: " + b"a" * size + b"\r\n\r\n",
                             b"GET /api/posts?busca=" + b"a" * size + b" HTTP/1.1\r\n" + HOST + b"\r\n",
                             GET + b"X-A: a\r\n" * (size // 8) + b"\r\n",
                             b"GET /api/posts?" + b"a&" * (size // 2) + b" HTTP/1.1\r\n" + HOST + b"\r\n"):
                    with client.Connection(self.api.port, 3) as c:
                        c.send(data)
                        self.assertStatus(c.read(), (200, 400, 414, 422, 431))
                self.assertLess(time.monotonic() - begun, 0.5)

    def test_headers_of_a_usual_size_are_taken(self):
        for token in (500, 1000, 2000, 3000):
            with self.subTest(token):
                self.assertStatus(self.get("/health", headers={"Authorization": "Bearer " + "b" * token}), 200)

    def test_cookies_which_nothing_here_reads_are_taken(self):
        # libmicrohttpd keeps a copy of them beside the header: they count twice (docs/architecture.md).
        answer = self.get("/health", headers={"Cookie": "a" * 1000, "Authorization": "Bearer " + "b" * 800})
        self.assertStatus(answer, 200)

    def test_an_endless_header_is_cut(self):
        with client.Connection(self.api.port, 5) as c:
            c.send(GET)
            try:
                for _ in range(400):
                    c.send(b"X-Sem-Fim: " + b"a" * 1000 + b"\r\n")
                answer = c.read()
            except OSError:
                return
            self.assertStatus(answer, (400, 431))


class Connections(WireCase):
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


class Garbage(WireCase):
    def look_at_all(self, answers, data):
        for answer in answers:
            if answer.status != 505:  # libmicrohttpd's own, for a version that it does not speak
                self.assertLess(answer.status, 500, (data[:300], answer))

    def test_garbage_is_refused_and_no_trouble(self):
        garbage = [b"\0" * 1000, b"\xff" * 5000, b"\r\n" * 5000, b"\n" * 5000, b"GET" * 5000, b"\x16\x03\x01\x02\x00\x01\x00",
                   b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"*1\r\n$4\r\nPING\r\n", b"\0\0\0\x08\x04\xd2\x16/", b" " * 70000,
                   b":" * 3000, b"GET / HTTP/1.1\r\n" + b":\r\n" * 100 + b"\r\n", b"<xml/>\r\n\r\n"]
        for data, answers in zip(garbage, self.answers(*garbage)):
            with self.subTest(data[:20]):
                self.assertLessEqual(len(answers), 1)
                self.look_at_all(answers, data)

    def test_random_changes_to_good_requests_are_no_trouble(self):
        """A fixed seed: what fails once fails again."""
        rng = random.Random(20261122)
        for n in range(12):
            volley = [changed(rng) for _ in range(40)]
            for data, answers in zip(volley, self.answers(*volley)):
                with self.subTest(n=n, data=data[:300]):
                    self.look_at_all(answers, data)
        self.assertStatus(self.get("/health"), 200)
        self.assertTrue(eventually(lambda: self.metric("alicerce_http_parked") == 0, 3))


GOOD = (GET + b"\r\n", POST + b"Content-Length: 29\r\n\r\n" + BODY,
        POST + b"Transfer-Encoding: chunked\r\n\r\n1d\r\n" + BODY + b"\r\n0\r\n\r\n",
        b"GET /api/posts?limite=5&busca=caf%C3%A9&cursor=x HTTP/1.1\r\n" + HOST + b'If-None-Match: "a"\r\n\r\n',
        b"POST /webhook HTTP/1.1\r\n" + HOST + b"X-Hub-Signature-256: sha256=00\r\nContent-Length: 2\r\n\r\n{}")
PIECES = (b"\r\n", b"\0", b" ", b"\n", b":", b"%", b'"', b"\xff", b"9" * 30, b"{" * 40)


def changed(rng):
    """A good request with one to four small changes."""
    data = bytearray(rng.choice(GOOD))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) or 1)
        action = rng.randrange(4)
        if action == 0:
            data[at:at + 1] = bytes([rng.randrange(256)])
        elif action == 1:
            del data[at:at + rng.randint(1, 6)]
        elif action == 2:
            data[at:at] = rng.choice(PIECES)
        else:
            data[at:at] = data[max(0, at - 20):at]
    return bytes(data)
