"""The front: nginx with the project's configuration, before two replicas and before backends that are none."""
import hashlib
import hmac
import json
import os
import re
import socket
import threading
import time
import unittest

import case
import client
import front
import servers
from case import eventually

SECRET, TOKEN = "segredo-do-app", "token-de-verificacao"
SHAKE = f"/webhook?hub.mode=subscribe&hub.verify_token={TOKEN}&hub.challenge=42"
Shared, set_up_stack, tear_down_stack = case.shared_stack(
    replicas=2, worker=0, env={"META_APP_SECRET": SECRET, "META_VERIFY_TOKEN": TOKEN})
FRONT = None


def new_front(replicas, **settings):
    user = "postgres" if os.geteuid() == 0 else None
    name = f"nginx-{time.monotonic_ns()}"
    return front.Front(Shared.stack.folder, replicas, settings=settings, user=user, name=name).start()


def setUpModule():
    global FRONT
    set_up_stack()
    FRONT = new_front([api.port for api in Shared.stack.apis])


def tearDownModule():
    if FRONT:
        FRONT.stop()
    tear_down_stack()


def signed(body):
    mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={mac}"}


class FrontCase(Shared):
    @property
    def api(self):
        return FRONT

    def another(self, replicas, **settings):
        one = new_front(replicas, **settings)
        self.addCleanup(one.stop)
        return one

    def logged(self, path, nginx=None):
        """The lines of the access log that tell of this path."""
        def found():
            lines = [json.loads(line) for line in (nginx or FRONT).access_log().splitlines()]
            return [line for line in lines if line["caminho"] == path]
        return eventually(found)

    def page(self, target="/", **more):
        """As call, without the looks that only answers of the API stand."""
        return client.call(FRONT.port, "GET", target, more.get("headers"))


class Backend:
    """One that is none: hands each connection to a function, in a thread of its own."""

    def __init__(self, test, behave):
        self.behave, self.heads = behave, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        test.addCleanup(self.listener.close)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(10)
        with connection, connection.makefile("rb") as lines:
            head = []
            while (line := lines.readline()) not in (b"\r\n", b""):
                head.append(line.decode().strip())
            if head:
                self.heads.append(head)
                self.behave(connection, lines)


def hangs_up(connection, _):
    """After it has the request: what it did with it cannot be known."""
    connection.shutdown(socket.SHUT_RDWR)


def says_ok(connection, _):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")


class Routes(FrontCase):
    def test_every_route_passes(self):
        self.assertStatus(self.get("/health"), 200)
        self.assertStatus(self.get("/status"), 200)
        row = self.new_post("pela frente")
        self.assertEqual(self.get(f"/api/posts/{row['id']}").json["titulo"], "pela frente")
        self.assertEqual(self.get("/api/posts?limite=1").json["posts"][0]["id"], row["id"])
        self.assertEqual(self.get("/api/posts/cache").json["posts"][0]["id"], row["id"])
        self.assertStatus(self.get("/api/contador"), 200)
        self.assertStatus(self.post("/api/contadores/frente", {"incremento": 2}), 200)
        self.assertEqual(self.get("/api/contadores/frente").json["contador"], 2)
        self.assertStatus(self.get("/api/stats"), 200)
        self.assertEqual(self.get(SHAKE).text, "42")
        self.assertStatus(self.post("/webhook", body=b"{}", headers=signed(b"{}")), 200)
        self.assertRefused(self.get("/api/nada"), 404)
        self.assertRefused(self.post("/api/posts", {"titulo": ""}), 422, "titulo")
        self.assertStatus(self.call("DELETE", "/health"), 405)

    def test_metrics_do_not(self):
        """Planted: without its location they are the page; with a proxy_pass they are there."""
        for target in ("/metrics", "/metrics/", "/metrics?x=1", "//metrics", "/%6detrics", "/x/../metrics",
                       "/api/../metrics", "/api/%2e%2e/metrics", "/api/..%2fmetrics"):
            with self.subTest(target):
                self.assertStatus(self.get(target), 404)

    def test_other_paths_are_the_page(self):
        page = self.page()
        self.assertEqual((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"))
        for target in ("/painel", "/leads/123", "/index.html", "/a/b/c?d=e"):
            self.assertEqual(self.page(target).body, page.body, target)
        self.assertRefused(self.get("/.env"), 404)
        self.assertRefused(self.get("/.git/config"), 404)
        self.assertRefused(self.get("/assets/nada.js"), 404)
        self.assertRefused(self.post("/painel", {}), 405)

    def test_the_page_is_not_cached_and_its_assets_are_for_ever(self):
        page = self.page()
        self.assertEqual(page.header("cache-control"), "no-store")
        self.assertNotRegex(page.text, r"(?s)<script>|<style|\sstyle=|\son\w+=")
        assets = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text)
        self.assertEqual(len(assets), 3)
        for asset in assets:
            self.assertRegex(asset, r"-[\w-]{8}\.")
            plain = self.page(asset)
            self.assertEqual(plain.header("cache-control"), "public, max-age=31536000, immutable")
            packed = self.page(asset, headers={"Accept-Encoding": "gzip"})
            self.assertEqual(packed.header("content-encoding"), "gzip")
            self.assertLess(len(packed.body), len(plain.body))

    def test_long_answers_are_compressed_for_those_who_say_so(self):
        self.new_post("longo", "lorem ipsum " * 500)
        self.assertIsNone(self.get("/api/posts?limite=1").header("content-encoding"))
        packed = self.page("/api/posts?limite=1", headers={"Accept-Encoding": "gzip"})
        self.assertEqual(packed.header("content-encoding"), "gzip")
        self.assertIn("accept-encoding", (packed.header("vary") or "").lower())
        # the tag is weak by then, and asks for the same thing all the same
        again = self.page("/api/posts?limite=1", headers={"If-None-Match": packed.header("etag")})
        self.assertEqual(again.status, 304)


class Headers(FrontCase):
    WANTED = {"x-content-type-options": "nosniff", "x-frame-options": "DENY",
              "referrer-policy": "same-origin", "cross-origin-opener-policy": "same-origin"}

    def test_every_answer_has_the_security_headers_once(self):
        """Planted: an add_header in a location without the include drops all others there."""
        asset = re.search(r'"(/assets/[^"]+)"', self.page().text).group(1)
        for target in ("/", "/painel", asset, "/assets/nada", "/health", "/api/posts", "/api/nada", "/metrics",
                       SHAKE, "/front/health"):
            with self.subTest(target):
                answer = self.page(target)
                for name, value in self.WANTED.items():
                    self.assertEqual(answer.header(name), value)
                policy = answer.header("content-security-policy")
                self.assertIn("frame-ancestors 'none'", policy)
                self.assertNotIn("unsafe", policy)
                self.assertIsNone(answer.header("strict-transport-security"))
                self.assertRegex(answer.header("x-request-id"), case.SANE_ID)
                self.assertEqual(answer.header("server"), "nginx")

    def test_the_request_id_goes_through_to_the_queue(self):
        body = b'{"object":"page","entry":[]}'
        answer = self.post("/webhook", body=body, headers={**signed(body), "X-Request-Id": "da-meta:7"})
        self.assertEqual(answer.header("x-request-id"), "da-meta:7")
        entries = self.stack.redis.call("XRANGE", "fila:webhooks", "-", "+")
        self.assertIn(b"da-meta:7", [v for _, fields in entries for v in fields])
        self.assertIn("da-meta:7", [line["id"] for line in self.logged("/webhook")])

    def test_an_id_that_is_not_sane_is_replaced(self):
        for given in ('a"b', "a b", "x" * 129, "<b>", "é"):
            answer = self.get("/health", headers={"X-Request-Id": given})
            self.assertRegex(answer.header("x-request-id"), r"^[0-9a-f]{32}$", given)

    def test_what_the_backend_is_told(self):
        backend = Backend(self, says_ok)
        nginx = self.another([backend.port])
        self.get("/api/x", api=nginx, headers={
            "X-Forwarded-For": "203.0.113.9", "Authorization": "Bearer t", "If-Match": 'W/"abc"',
            "Connection": "keep-alive", "Accept-Encoding": "gzip", "X-Request-Id": "eu"})
        told = dict(line.lower().split(": ", 1) for line in backend.heads[0][1:])
        self.assertEqual(told["x-forwarded-for"], "127.0.0.1")  # not what the client says of itself
        self.assertEqual(told["authorization"], "bearer t")
        self.assertEqual(told["if-match"], '"abc"')  # the front's own gzip had made it weak
        self.assertEqual(told["x-request-id"], "eu")
        self.assertEqual(told["x-forwarded-proto"], "http")
        self.assertNotIn("connection", told)
        self.assertNotIn("accept-encoding", told)

    def test_a_trusted_proxy_tells_who_the_client_is(self):
        backend = Backend(self, says_ok)
        nginx = self.another([backend.port], FRONT_TRUSTED="127.0.0.0/8 10.0.0.0/8")
        self.get("/api/x", api=nginx, headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9, 10.1.1.1"})
        self.assertIn("X-Forwarded-For: 203.0.113.9", backend.heads[0])
        self.assertEqual(self.logged("/api/x", nginx)[0]["cliente"], "203.0.113.9")


class Limits(FrontCase):
    def test_a_body_that_is_too_large_is_a_problem_document(self):
        self.assertRefused(self.post("/api/posts", body=b"x" * ((1 << 20) + 1)), 413)
        self.assertRefused(self.post("/webhook", body=b"x" * ((3 << 20) + 1)), 413)
        self.assertRefused(self.post("/webhook", body=b"x" * (2 << 20)), 401)  # the API has seen it

    def test_headers_that_are_too_long(self):
        answer = self.page("/health", headers={"X-A": "x" * 9000})
        self.assertEqual(answer.status, 400)

    def test_a_client_that_asks_too_often_is_told_to_wait(self):
        nginx = self.another([api.port for api in self.stack.apis], FRONT_RATE="1", FRONT_BURST="2")
        answers = [self.get("/health", api=nginx) for _ in range(6)]
        self.assertEqual([a.status for a in answers[:3]], [200] * 3)
        refused = [a for a in answers if a.status == 429]
        self.assertTrue(refused)
        self.assertEqual(refused[0].header("retry-after"), "1")
        self.assertEqual(refused[0].header("x-frame-options"), "DENY")
        for _ in range(6):  # Meta's deliveries have a measure of their own
            self.assertStatus(self.post("/webhook", api=nginx, body=b"{}", headers=signed(b"{}")), 200)


class Losses(FrontCase):
    def test_a_dead_replica_costs_nobody_a_get_or_a_delivery(self):
        dead = self.stack.apis[1]
        dead.kill()
        self.addCleanup(dead.wait_serving)
        self.addCleanup(dead.start)
        for i in range(60):
            self.assertStatus(self.get("/api/stats"), 200)
            if i % 3 == 0:
                self.assertStatus(self.post("/webhook", body=b"{}", headers=signed(b"{}")), 200)
                self.assertStatus(self.call("HEAD", "/health"), 200)

    def test_both_replicas_are_used(self):
        def used():
            for _ in range(40):
                self.get("/api/contadores/ambas")
            return {line["replica"] for line in self.logged("/api/contadores/ambas")[-40:]}
        both = {f"127.0.0.1:{api.port}" for api in self.stack.apis}
        self.assertTrue(eventually(lambda: used() == both, 20, 0.5), "one of them is left out, or counts as failed for ever")

    def beside_one_that_hangs_up(self):
        backend = Backend(self, hangs_up)
        return backend, self.another([backend.port, self.stack.apis[0].port])

    def until_it_hung_up(self, backend, send):
        """Answers to send(), until the one that is none has had two requests."""
        answers = []
        while len(backend.heads) < 2 and len(answers) < 20:
            answers.append(send())
        self.assertEqual(len(backend.heads), 2)
        return answers

    def test_a_get_goes_to_another_replica(self):
        backend, nginx = self.beside_one_that_hangs_up()
        for answer in self.until_it_hung_up(backend, lambda: self.get("/health", api=nginx)):
            self.assertStatus(answer, 200)

    def test_a_delivery_goes_to_another_replica(self):
        """Planted: without non_idempotent and @again_webhook this is 502."""
        backend, nginx = self.beside_one_that_hangs_up()
        for answer in self.until_it_hung_up(backend, lambda: self.post(
                "/webhook", api=nginx, body=b"{}", headers=signed(b"{}"))):
            self.assertStatus(answer, 200)

    def test_no_other_post_is_sent_twice(self):
        """Planted: non_idempotent for all makes these 201."""
        backend, nginx = self.beside_one_that_hangs_up()
        answers = self.until_it_hung_up(backend, lambda: self.post(
            "/api/posts", {"titulo": "uma vez", "conteudo": "só"}, api=nginx))
        refused = [a for a in answers if a.status != 201]
        self.assertEqual([a.status for a in refused], [502, 502])
        self.assertRefused(refused[0], 502)

    def test_with_no_replica_at_all_the_page_is_there_and_no_secret_in_the_logs(self):
        nginx = self.another([servers.free_port()])
        self.assertRefused(self.get("/api/posts?segredo=xyzzy", api=nginx, headers={
            "Authorization": "Bearer senha-do-token"}), 502)
        self.assertRefused(self.get(SHAKE, api=nginx), 502)
        self.assertRefused(self.post("/api/posts", {"titulo": "a", "conteudo": "b"}, api=nginx), 502)
        self.assertEqual(client.call(nginx.port, "GET", "/").status, 200)
        self.assertEqual(len(self.logged("/webhook", nginx)), 1)
        for secret in (TOKEN, "xyzzy", "senha-do-token"):
            self.assertNotIn(secret, nginx.access_log())
        for secret in (TOKEN, "senha-do-token"):
            self.assertNotIn(secret, nginx.log())


class Streams(FrontCase):
    def read_until(self, connection, end):
        seen = b""
        while end not in seen:
            piece = connection.sock.recv(4096)
            self.assertTrue(piece, f"it closed after {seen!r}")
            seen += piece

    def test_an_event_is_passed_on_as_it_comes(self):
        more = threading.Event()

        def sends_events(connection, _):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: um\n\n")
            more.wait(10)
            connection.sendall(b"data: dois\n\n")
        nginx = self.another([Backend(self, sends_events).port])
        with client.Connection(nginx.port) as c:
            c.send(client.head("GET", "/api/ao-vivo", {"Accept-Encoding": "gzip"}))
            self.read_until(c, b"data: um\n\n")  # the other end has more to say
            more.set()
            self.read_until(c, b"data: dois\n\n")

    def test_an_upload_is_passed_on_as_it_comes(self):
        arrived = threading.Event()

        def takes_a_file(connection, lines):
            lines.read(100)
            arrived.set()
            lines.read(2 << 20)
            says_ok(connection, lines)
        nginx = self.another([Backend(self, takes_a_file).port])
        with client.Connection(nginx.port) as c:
            length = (2 << 20) + 100
            c.send(client.head("POST", "/api/arquivos", {"Content-Length": str(length)}) + b"x" * 100)
            self.assertTrue(arrived.wait(10), "the body is held back until it is whole")
            c.send(b"x" * (length - 100))
            self.assertEqual(c.read("POST").status, 200)


if __name__ == "__main__":
    unittest.main()
