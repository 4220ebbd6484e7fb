"""The wire: what libmicrohttpd would let pass is refused, and no bytes give a 5xx, a hang or a second answer."""
import random
import time

from case import eventually, shared_stack
import client
from wirecase import BODY, GET, HOST, POST, WireCase

Shared, setUpModule, tearDownModule = shared_stack(worker=0, env={"META_APP_SECRET": "segredo"})


class HttpCase(WireCase, Shared):
    pass


class Refused(HttpCase):
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
        self.at_most_one_refusal(b"GET /health HTTP/1.1\rHost: a\r\n\r\n", (400, 404))

    def test_names_that_are_no_token(self):
        for line in (b"X A: b", b"X(A): b", b"X\"A: b", b"X/A: b", b"\xc3\xa9: b", b": b", b"X-A", b"X\x01: b", b"a@b: c"):
            with self.subTest(line):
                self.refused(GET + line + b"\r\n\r\n")

    def test_request_lines_that_are_none(self):
        for line in (b"GET", b"GET /health", b"GET /health HTTP/1.1 x", b"/health HTTP/1.1", b"GET /hea lth HTTP/1.1",
                     b"GET /health http/1.1", b"GET /health HTTP/1", b"GET /health HTTP/2.0", b"GET /health HTTP/1.10",
                     b"GET /health HTTPS/1.1", b"G\0T /health HTTP/1.1", b"GET\t/health\tHTTP/1.1", b"(GET) /health HTTP/1.1",
                     b"GET health HTTP/1.1", b" GET /health HTTP/1.1", b"GET /health HTTP/9.9", b"GET /health HTTP/0.9",
                     b"G\xc3\x89T /health HTTP/1.1"):
            with self.subTest(line):
                self.at_most_one_refusal(line + b"\r\n" + HOST + b"\r\n", (400, 404, 405))

    def test_versions_that_nobody_speaks(self):
        """libmicrohttpd would say 505, in HTML: the server's mistake, where it is the client's."""
        for method in (b"GET", b"HEAD", b"POST"):
            for version in (b"HTTP/2.0", b"HTTP/3.0", b"HTTP/0.9", b"HTTP/9.9"):
                with self.subTest(method=method, version=version):
                    answer = self.refused(method + b" /health " + version + b"\r\n" + HOST + b"\r\n")
                    self.assertEqual(answer.header("content-type"), "application/problem+json; charset=utf-8")
                    self.assertOurs(answer)

    def test_many_heads_at_once_that_the_library_refuses(self):
        """Each gets our words, whichever they are, and those that are good their answer."""
        long = GET + b"X-A: " + b"a" * 9000 + b"\r\n\r\n"
        odd = POST + b"Content-Length: 1x\r\n\r\n"
        new = b"GET /health HTTP/2.0\r\n" + HOST + b"\r\n"
        half = [self.connect() for _ in range(30)]
        for c in half:
            c.send(GET + b"X-A: b")
        want = ((long, 431), (odd, 400), (new, 400), (GET + b"\r\n", 200)) * 15
        for (data, status), found in zip(want, self.answers(*(data for data, _ in want))):
            with self.subTest(data[:40]):
                self.assertEqual([a.status for a in found], [status])
        for c in half:
            c.send(b"\r\n\r\n")
            self.assertStatus(c.read(), 200)
            c.close()

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


class Sizes(HttpCase):
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

    def test_what_is_refused_before_it_is_a_request_has_an_id_of_its_own(self):
        """It was a dash, by which no two of them could be told apart."""
        for data in (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", GET + b"X-A: " + b"a" * 9000 + b"\r\n\r\n",
                     b"GET /health HTTP/2.0\r\n" + HOST + b"\r\n", POST + b"Content-Length: 1x\r\n\r\n"):
            with self.subTest(data[:40]):
                ids = [found[0].header("x-request-id") for found in self.answers(data, data)]
                for own in ids:
                    self.assertRegex(own, r"^[0-9a-f]{32}$")
                self.assertNotEqual(*ids)

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


class Ids(HttpCase):
    def test_answers_of_one_batch_have_ids_of_their_own(self):
        """They share one response of libmicrohttpd, in which the id is rewritten for each (api/answer.h).
        Of three, one brings an id that fits in its place, one an id that does not, one brings none."""
        clients = [self.connect() for _ in range(48)]
        made = []
        for path in ("/health", "/api/posts", "/api/posts/cache", "/api/stats", "/api/contador", "/api/posts/1",
                     "/nada"):
            for turn in range(4):
                for n, c in enumerate(clients):
                    own = (f"{n:03}-{turn}-" + "x" * 26, f"curto-{n}-{turn}", None)[n % 3]
                    c.send(client.head("GET", path, {"X-Request-Id": own}.items() if own else ()))
                for n, c in enumerate(clients):
                    own = (f"{n:03}-{turn}-" + "x" * 26, f"curto-{n}-{turn}", None)[n % 3]
                    got = c.read().header("x-request-id")
                    made += [] if own else [got]
                    self.assertEqual(got if own else len(got), own or 32, path)
        self.assertEqual(len(made), len(set(made)), "an id was given twice")
        for c in clients:
            c.close()

    def test_pipelined_answers_have_ids_of_their_own(self):
        with self.connect() as c:
            ids = [f"{n:032}" for n in range(60)]
            c.send(b"".join(client.head("GET", ("/health", "/api/posts")[n % 2], (("X-Request-Id", own),))
                            for n, own in enumerate(ids)))
            self.assertEqual([c.read().header("x-request-id") for _ in ids], ids)


class Garbage(HttpCase):
    def look_at_all(self, answers, data):
        for answer in answers:
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
