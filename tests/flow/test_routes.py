"""What all routes have in common: ids, HEAD, 405 and Allow, 404, CORS, queries; and the probes."""
import datetime
import email.utils
import re
import time

from case import StackCase, parse_time

GETS = ["/health", "/status", "/metrics", "/api/posts", "/api/posts/1", "/api/posts/cache",
        "/api/contador", "/api/contadores/visitas", "/api/stats"]
ALLOWED = {
    "/health": {"GET", "HEAD", "OPTIONS"},
    "/status": {"GET", "HEAD", "OPTIONS"},
    "/metrics": {"GET", "HEAD", "OPTIONS"},
    "/api/posts": {"GET", "HEAD", "POST", "OPTIONS"},
    "/api/posts/1": {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"},
    "/api/posts/cache": {"GET", "HEAD", "OPTIONS"},
    "/api/contador": {"GET", "HEAD", "OPTIONS"},
    "/api/contadores/visitas": {"GET", "HEAD", "POST", "OPTIONS"},
    "/api/stats": {"GET", "HEAD", "OPTIONS"},
    "/api/auth/login": {"POST", "OPTIONS"},
    "/api/auth/renovar": {"POST", "OPTIONS"},
    "/api/auth/logout": {"POST", "OPTIONS"},
    "/api/auth/senha": {"POST", "OPTIONS"},
    "/api/entregas/teste": {"POST", "OPTIONS"},
    "/api/auth/eu": {"GET", "HEAD", "OPTIONS"},
    "/api/usuarios": {"GET", "HEAD", "POST", "OPTIONS"},
    "/api/usuarios/1": {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"},
    "/webhook": {"GET", "HEAD", "POST", "OPTIONS"},
}
UNKNOWN = ["/", "/healthy", "/health/", "/api", "/api/", "/api/post", "/api/posts/", "/api/posts/1/x",
           "/API/POSTS", "//health", "/api/contadores", "/api/contadores/", "/api/contadores/a/b",
           "/webhook/x", "/api/posts%2F1", "/favicon.ico", "/.git/config", "/api/posts/../stats"]


def methods(answer):
    return {m.strip() for m in (answer.header("allow") or "").split(",")}


class Routes(StackCase):
    options = {"worker": 0, "env": {"FRONTEND_URL": "https://painel.example"}}

    def test_health_says_healthy(self):
        answer = self.get("/health")
        self.assertStatus(answer, 200)
        self.assertEqual(answer.json, {"status": "healthy"})

    def test_every_answer_has_the_date_of_its_second(self):
        """Answers that share a response, too, whose Date is written over; others have libmicrohttpd's."""
        for turn in range(3):
            for path in ("/health", "/api/posts", "/api/none"):
                with self.subTest(path, turn=turn):
                    began = int(time.time())
                    text = self.get(path).header("date")
                    told = email.utils.parsedate_to_datetime(text)
                    self.assertTrue(began - 1 <= told.timestamp() <= time.time(), text)  # a coarse clock
                    self.assertEqual(email.utils.format_datetime(told, usegmt=True), text)
            time.sleep(1)

    def test_status_tells_of_both_servers_and_the_time(self):
        answer = self.get("/status")
        self.assertStatus(answer, 200)
        state = answer.json
        told = parse_time(state.pop("timestamp"))
        self.assertEqual(state, {"banco_dados": "conectado", "cache": "conectado", "status": "ok"})
        now = datetime.datetime.now(datetime.timezone.utc)
        self.assertLess(abs((now - told).total_seconds()), 5)

    def test_every_known_path_answers_get(self):
        for path in GETS:
            with self.subTest(path):
                self.assertStatus(self.get(path), 200)

    def test_head_is_get_without_the_body(self):
        for path in GETS:
            with self.subTest(path):
                with self.connect() as c:
                    whole = c.call("GET", path)
                    head = c.call("HEAD", path)
                    again = c.call("GET", "/health")  # no stray body in between
                self.assertEqual(head.status, whole.status)
                self.assertEqual(head.body, b"")
                self.assertEqual(head.header("content-type"), whole.header("content-type"))
                self.assertEqual(again.json, {"status": "healthy"})

    def test_head_tells_the_length_and_tag_of_get(self):
        for path in ("/health", "/api/posts", "/api/posts/1"):
            with self.subTest(path):
                whole, head = self.get(path), self.call("HEAD", path)
                self.assertEqual(head.header("content-length"), str(len(whole.body)))
                self.assertEqual(head.header("etag"), whole.header("etag"))

    def test_a_known_path_with_another_method_is_405_with_allow(self):
        for path, allowed in ALLOWED.items():
            for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get", "XYZZY"):
                if method in allowed:
                    continue
                with self.subTest(path=path, method=method):
                    answer = self.call(method, path)
                    self.assertRefused(answer, 405)
                    self.assertEqual(methods(answer), allowed)

    def test_405_with_a_body_leaves_the_connection_in_step(self):
        with self.connect() as c:
            answer = c.call("PUT", "/api/stats", json={"titulo": "x" * 5000})
            self.assertEqual(answer.status, 405)
            if not answer.closes:
                self.assertEqual(c.call("GET", "/health").status, 200)

    def test_an_unknown_path_is_404_whatever_the_method(self):
        for path in UNKNOWN:
            for method in ("GET", "POST", "DELETE"):
                with self.subTest(path=path, method=method):
                    self.assertRefused(self.call(method, path), 404)

    def test_a_problem_names_its_path_but_not_its_query(self):
        answer = self.get("/nada/aqui?senha=segredo")
        self.assertRefused(answer, 404)
        self.assertEqual(answer.json["instance"], "/nada/aqui")
        self.assertNotIn("segredo", answer.text)

    def test_a_problem_names_whatever_path_as_a_uri(self):
        for path, instance in (("/nada/%C3%A7", "/nada/%C3%A7"), ("/%22%zz", "/%22%25zz")):
            with self.subTest(path):
                self.assertEqual(self.get(path).json["instance"], instance)
        answer = self.get("/" + "\x01" * 3000)  # in JSON's own escapes this would be 18 kB
        self.assertRefused(answer, 400)
        self.assertEqual(answer.json["instance"], "/" + "%01" * 3000)

    def test_an_escaped_path_is_the_same_path(self):
        self.assertStatus(self.get("/%68ealth"), 200)
        self.assertStatus(self.get("/api/posts/%31"), 200)

    def test_an_unknown_query_parameter_is_refused_by_name(self):
        for path in [*GETS, "/api/posts?limite=2"]:
            with self.subTest(path):
                target = path + ("&" if "?" in path else "?") + "inventado=1"
                self.assertRefused(self.get(target), (400, 422), field="inventado")

    def test_a_repeated_query_parameter_is_refused_by_name(self):
        self.assertRefused(self.get("/api/posts?limite=2&limite=2"), (400, 422), field="limite")

    def test_malformed_escapes_in_a_query_are_refused(self):
        for query in ("autor=%", "autor=%4", "autor=%zz", "autor=%ff", "autor=%c0%80", "autor=%00",
                      "autor=%ed%a0%80", "%ff=1", "busca=%00", "cursor=%00", "limite=%00"):
            with self.subTest(query):
                self.assertRefused(self.get("/api/posts?" + query), (400, 422))

    def test_many_parameters_are_refused_and_no_trouble(self):
        self.assertRefused(self.get("/api/posts?" + "&".join(f"p{i}=1" for i in range(400))),
                           (400, 414, 422))

    # ids

    def test_the_callers_request_id_comes_back(self):
        for sent in ("abc", "5f0c7d1e-8b1a-4f7e-9a53-1f1f4c0f9d11", "a" * 64, "A.b_c-9"):
            with self.subTest(sent):
                answer = self.get("/health", headers={"X-Request-Id": sent})
                self.assertEqual(answer.header("x-request-id"), sent)

    def test_an_insane_request_id_is_replaced(self):
        for sent in ("a" * 1000, "tem espaço", "\xe9\xff", 'a"b', "<script>", "a\tb", ""):
            with self.subTest(sent):
                answer = self.get("/health", headers={"X-Request-Id": sent})
                self.assertStatus(answer, 200)
                self.assertNotEqual(answer.header("x-request-id"), sent)

    def test_new_request_ids_differ(self):
        ids = {self.get("/health").header("x-request-id") for _ in range(50)}
        self.assertEqual(len(ids), 50)

    def test_errors_carry_the_request_id_too(self):
        for path in ("/nada", "/api/posts?limite=0", "/api/posts/999999999"):
            answer = self.get(path, headers={"X-Request-Id": "meu-id"})
            self.assertEqual(answer.header("x-request-id"), "meu-id", answer)

    # CORS (Fetch standard, section 3.2)

    def test_options_answers_cors_for_the_frontend(self):
        for path, allowed in ALLOWED.items():
            with self.subTest(path):
                answer = self.call("OPTIONS", path, headers={
                    "Origin": "https://painel.example", "Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": "content-type, idempotency-key"})
                self.assertStatus(answer, (200, 204))
                self.assertEqual(methods(answer), allowed)
                self.assertEqual(answer.header("access-control-allow-origin"),
                                 "https://painel.example")
                self.assertTrue(answer.header("access-control-allow-methods"))
                wanted = (answer.header("access-control-allow-headers") or "").lower()
                self.assertIn("content-type", wanted)
                self.assertIn("idempotency-key", wanted)

    def test_answers_let_the_frontend_read_them_and_nobody_else(self):
        for origin in ("https://painel.example", "https://outro.example", None):
            headers = {"Origin": origin} if origin else {}
            for path in ("/api/posts", "/nada"):
                allowed = self.get(path, headers=headers).header("access-control-allow-origin")
                self.assertIn(allowed, ("https://painel.example", None), (origin, path))
                if origin == "https://painel.example":
                    self.assertEqual(allowed, origin)

    def test_options_of_an_unknown_path_is_404(self):
        self.assertRefused(self.call("OPTIONS", "/nada"), 404)

    def test_options_of_the_server_as_a_whole_is_answered(self):
        self.assertStatus(self.call("OPTIONS", "*"), (200, 204))

    # the metrics

    def test_metrics_are_prometheus_text(self):
        answer = self.get("/metrics")
        self.assertRegex(answer.header("content-type"), r"^text/plain; version=0\.0\.4")
        typed = set()
        for line in answer.text.splitlines():
            if line.startswith("# TYPE "):
                typed.add(line.split()[2])
            elif not line.startswith("#"):
                match = re.match(r'([a-z_:][a-z0-9_:]*)(\{[^{}]*\})? (\d+(\.\d+)?(e[+-]?\d+)?|\+Inf)$',
                                 line)
                self.assertTrue(match, line)
                name = re.sub(r"_(bucket|sum|count)$", "", match.group(1))
                self.assertTrue({name, match.group(1)} & typed, f"{line}: no TYPE before it")

    def test_metrics_count_the_answers(self):
        text = self.get("/metrics").text
        before = sum_of_2xx(text)
        for _ in range(10):
            self.get("/health")
        self.assertGreaterEqual(sum_of_2xx(self.get("/metrics").text) - before, 10, text)


def sum_of_2xx(text):
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if re.match(r'\w+\{[^}]*(classe|codigo)="2', line))
