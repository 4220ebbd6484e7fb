"""What passes between the API and its servers is cut, halved, held and delayed; or another speaks there."""
import contextlib
import socket
import threading
import time

from case import ServerCase, eventually
import client
import deliveries
from faultcase import RETURN
import proxy
import rules
import servers

TIMEOUT = 1.5


class Network(ServerCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = servers.Stack(replicas=2, env={"META_APP_SECRET": deliveries.SECRET, "THREADS": "1",
                                                   "REQUEST_TIMEOUT_MS": str(int(TIMEOUT * 1000))})
        cls.pg, cls.redis = proxy.Proxy(cls.stack.pg.port), proxy.Proxy(cls.stack.redis.port)
        cls.stack.api.env["DATABASE_URL"] = cls.stack.pg.url.replace(f":{cls.stack.pg.port}/", f":{cls.pg.port}/")
        cls.stack.api.env["REDIS_PORT"] = str(cls.redis.port)
        cls.stack.start()

    @classmethod
    def tearDownClass(cls):
        try:
            cls.stack.stop()
        finally:
            cls.pg.close()
            cls.redis.close()

    @property
    def api(self):
        return self.stack.api

    def tearDown(self):
        for middle in (self.pg, self.redis):
            middle.refusing, middle.delay = False, 0.0
        self.back()

    def back(self):
        """All is well again, soon; also what is left of a cut."""
        for middle in (self.pg, self.redis):
            middle.release()
        since = time.monotonic()
        routes = (("GET", "/api/posts"), ("GET", "/api/contador"), ("POST", "/api/posts"), ("GET", "/api/posts?busca=a"))
        for method, path in routes:
            body = {"titulo": "volta", "conteudo": "x"} if method == "POST" else None
            while (answer := self.call(method, path, json=body)).status >= 300:
                self.assertLess(time.monotonic() - since, RETURN, f"{method} {path}: {answer}\n{self.api.log_tail()}")
                time.sleep(0.02)

    def test_a_read_whose_answer_is_cut_at_any_byte_is_503_and_the_next_is_well(self):
        for size in (1, 3, 5, 8, 20, 60, 150, 300):
            with self.subTest(size):
                self.pg.cut_after(size)
                self.assertStatus(self.get("/api/posts"), (200, 503))
                self.back()

    def test_a_write_whose_answer_is_cut_is_503_and_at_most_one_row(self):
        """Its outcome is unknown: it is told so and never sent again in silence."""
        for size in (1, 5, 17, 40, 80, 200):
            title = f"cortado em {size}"
            with self.subTest(size):
                self.pg.cut_after(size)
                answer = self.post("/api/posts", {"titulo": title, "conteudo": "x"})
                self.assertStatus(answer, (201, 503))
                self.back()
                rows = int(self.stack.pg.value(f"SELECT count(*) FROM posts WHERE titulo = '{title}'"))
                self.assertIn(rows, (1,) if answer.status == 201 else (0, 1))

    def test_a_counter_whose_answer_is_cut_is_503_and_no_number_comes_twice(self):
        numbers = []
        for size in (1, 2, 4, 1, 3):
            self.redis.cut_after(size)
            for _ in range(3):
                answer = self.get("/api/contador")
                self.assertStatus(answer, (200, 503))
                if answer.status == 200:
                    numbers.append(answer.json["contador"])
            self.back()
        self.assertEqual(len(numbers), len(set(numbers)))

    def test_a_delivery_whose_xadd_is_cut_ends_in_one_lead(self):
        for n, size in enumerate((1, 3, 6, 10)):
            body = deliveries.lead(str(620 + n))
            with self.subTest(size):
                self.redis.cut_after(size)
                answer = self.post("/webhook", body=body, headers=deliveries.signed(body))
                self.assertStatus(answer, (200, 503))
                self.back()
                if answer.status == 200:
                    found = eventually(lambda: self.stack.pg.value(
                        f"SELECT count(*) FROM leads WHERE leadgen_id = '{620 + n}'") == "1", 10)
                    self.assertTrue(found)
        self.assertEqual(self.stack.pg.value("SELECT count(*) FROM eventos"),
                         self.stack.pg.value("SELECT count(*) FROM leads"))

    def test_a_slow_network_is_slow_and_right(self):
        for middle in (self.pg, self.redis):
            middle.delay = 0.03
        numbers, rows, older = [], [], []

        def work():
            with client.Connection(self.api.port) as c:
                for _ in range(8):
                    numbers.append(c.call("GET", "/api/contador").json["contador"])
                    row = c.call("POST", "/api/posts", json={"titulo": "devagar", "conteudo": "x"}).json["id"]
                    rows.append(row)
                    newest = c.call("GET", "/api/posts").json["posts"][0]["id"]
                    if newest < row:
                        older.append((row, newest))
        threads = [threading.Thread(target=work) for _ in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual((len(numbers), len(set(numbers))), (48, 48))
        self.assertEqual((len(rows), len(set(rows))), (48, 48))
        self.assertEqual(older, [], "a page older than one's own post")

    def test_a_silent_network_costs_the_deadline_and_health_goes_on(self):
        for middle, path in ((self.pg, "/api/posts"), (self.redis, "/api/contador")):
            with self.subTest(path):
                middle.hold_all()
                waiting = rules.Background(self.api.port, "GET", path)
                for _ in range(20):
                    begun = time.monotonic()
                    self.assertStatus(self.get("/health"), 200)
                    self.assertLess(time.monotonic() - begun, 0.5)
                begun = time.monotonic()
                self.assertRetryLater(waiting.result())
                self.assertLess(time.monotonic() - begun, TIMEOUT + 0.7)
                middle.release()
                self.back()

    def test_a_write_that_met_its_deadline_says_that_it_may_have_been_made(self):
        """The server has it: it is made as soon as the network lets it pass, behind the answer."""
        self.pg.hold_all()
        late = rules.Background(self.api.port, "POST", "/api/posts", json={"titulo": "tarde", "conteudo": "x"})
        answer = self.assertRetryLater(late.result())
        self.assertEqual(answer.json["title"], "Resultado desconhecido", answer)
        self.pg.hold_all()
        answer = self.assertRetryLater(rules.Background(self.api.port, "GET", "/api/posts").result())
        self.assertNotEqual(answer.json["title"], "Resultado desconhecido", answer)

    def test_a_request_that_waited_behind_a_slow_flight_keeps_its_own_deadline(self):
        """No connection stalls here: each answer takes less than the deadline, the two together more."""
        self.pg.delay = 0.65 * TIMEOUT
        first = rules.Background(self.api.port, "GET", "/api/posts/1")
        time.sleep(0.1)
        begun = time.monotonic()
        second = rules.Background(self.api.port, "GET", "/api/posts/1")
        self.assertStatus(first.result(), 200)
        self.assertRetryLater(second.result())
        self.assertLess(time.monotonic() - begun, TIMEOUT + 0.4)

    def test_answers_that_come_after_the_deadline_go_to_nobody(self):
        """The late answer of one request must not become the next one's."""
        self.pg.hold_next(b"posts")
        late = rules.Background(self.api.port, "GET", "/api/posts/1")
        self.assertTrue(self.pg.wait_held())
        self.assertRetryLater(late.result())
        self.pg.release()
        for n in (2, 3, 2):
            answer = self.get(f"/api/posts/{n}")
            if answer.status == 200:
                self.assertEqual(answer.json["id"], n)
        self.redis.hold_next(b"contador")
        late = rules.Background(self.api.port, "GET", "/api/contador")
        self.assertTrue(self.redis.wait_held())
        self.assertRetryLater(late.result())
        self.redis.release()
        self.assertTrue(eventually(lambda: self.get("/api/contadores/outra").status == 200))
        self.assertEqual(self.get("/api/contadores/outra").json["contador"], 0)

    def test_a_client_that_vanishes_while_its_write_is_on_the_way_does_no_harm(self):
        for n in range(10):
            self.pg.hold_next(b"sumiu")
            c = client.Connection(self.api.port)
            c.send(client.request_bytes("POST", "/api/posts", json={"titulo": f"sumiu {n}", "conteudo": "x"}))
            self.assertTrue(self.pg.wait_held())
            (c.reset if n % 2 else c.close)()
            self.pg.release()
            self.assertStatus(self.get("/api/posts"), 200)
        self.assertTrue(eventually(lambda: self.stack.pg.value(
            "SELECT count(*) FROM posts WHERE titulo LIKE 'sumiu %'") == "10"), "a write was not finished")
        self.assertTrue(eventually(lambda: self.metric("alicerce_http_parked") == 0, 3))

    def test_connections_that_are_refused_or_cut_in_the_greeting_are_tried_again(self):
        for middle, path in ((self.pg, "/api/posts"), (self.redis, "/api/contador")):
            for trouble in ("refuse", "cut"):
                with self.subTest(path=path, trouble=trouble):
                    if trouble == "refuse":
                        middle.refusing = True
                        middle.cut()
                    else:
                        for size in (0, 1, 10, 50):
                            middle.cut()
                            middle.cut_after(size)
                            time.sleep(0.2)
                    self.assertTrue(eventually(lambda: self.get(path).status in (200, 503)))
                    self.assertStatus(self.get("/health"), 200)
                    middle.refusing = False
                    self.back()

    def test_a_large_page_in_small_pieces_is_whole(self):
        self.stack.pg.query("INSERT INTO posts (titulo, conteudo) SELECT 'grande', repeat('é', 20000) FROM"
                            " generate_series(1, 100)")
        self.pg.delay = 0.001
        posts = self.assertStatus(self.get("/api/posts?limite=100"), 200).json["posts"]
        self.assertEqual(len(posts), 100)
        self.assertEqual({len(p["conteudo"]) for p in posts[:50]}, {20000})


class Impostor:
    """A server that says something of its own to whoever connects."""

    def __init__(self, words):
        self.words = words
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.sock.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), peer:
                peer.settimeout(0.5)
                peer.recv(1000)
                peer.sendall(self.words)
                peer.recv(1000)

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


# Not among them, because hiredis itself falls over: "*2147483647" (takes and clears 16 GB) and more
# replies than were asked for (an assertion of its). No server that speaks for Redis says either.
WORDS = (b"", b"\0" * 5000, b"\xff" * 5000, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-ERR no\r\n", b"$999999999\r\n",
         b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I" * 50, b"E\x7f\xff\xff\xff", b"+PONG\r\n", b"$-2\r\n", b"*-5\r\n", b"S" * 3000)


class Impostors(ServerCase):
    def test_another_program_on_a_servers_port_is_no_trouble(self):
        stack = servers.Stack(replicas=0, worker=0).start()
        self.addCleanup(stack.stop)
        for words in WORDS:
            for which in ("pg", "redis"):
                with self.subTest(words=words[:20], which=which):
                    impostor = Impostor(words)
                    self.addCleanup(impostor.close)
                    env = {"REDIS_PORT": str(impostor.port)} if which == "redis" else \
                        {"DATABASE_URL": stack.pg.url.replace(f":{stack.pg.port}/", f":{impostor.port}/")}
                    api = servers.Program("alicerce-api", servers.temporary_folder(), {**stack.addresses(), **env,
                                                                                      "REQUEST_TIMEOUT_MS": "500"})
                    api.start()
                    time.sleep(0.15)
                    self.assertStatus(client.call(api.port, "GET", "/health"), 200)
                    path = "/api/contador" if which == "redis" else "/api/posts"
                    self.assertRetryLater(client.call(api.port, "GET", path))
                    self.assertEqual(api.stop(12), 0, api.log_tail())
                    self.assertIsNone(api.sanitizer_report())
