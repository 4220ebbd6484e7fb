"""What every test over real servers starts from: a stack for the class, calls, and looks at answers."""
import datetime
import re
import time
import unittest

import client
import servers

SANE_ID = re.compile(r"[\x21-\x7e]{1,128}\Z")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")
PROBLEM_KEYS = {"type", "title", "status", "detail", "instance", "erros"}


def eventually(check, seconds=5, every=0.02):
    """The first true value of check() within so many seconds, else its last one."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(every)


def parse_time(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


class ServerCase(unittest.TestCase):
    """Looks at answers; no server of its own."""

    maxDiff = None
    longMessage = True

    def look_at(self, answer, method="GET"):
        """What holds for every answer."""
        self.assertRegex(answer.header("x-request-id") or "", SANE_ID, answer)
        if answer.body:
            kind = answer.header("content-type") or ""
            self.assertRegex(kind, r"^(application/((problem\+)?json|octet-stream)|text/plain)(;.*)?$", answer)
            if kind != "application/octet-stream":
                answer.text  # UTF-8
            if "json" in kind:
                answer.json
        told = answer.status == 503 and b'"degradado"' in answer.body  # /status has a form of its own
        if answer.status >= 400 and method != "HEAD" and not told:
            self.look_at_problem(answer)

    def look_at_problem(self, answer):
        """RFC 9457 section 3.1."""
        self.assertEqual((answer.header("content-type") or "").split(";")[0],
                         "application/problem+json", answer)
        problem = answer.json
        self.assertEqual(problem["status"], answer.status)
        for key in ("type", "title", "detail", "instance"):
            self.assertIsInstance(problem.get(key), str, answer)
            self.assertTrue(problem[key], answer)
        self.assertLessEqual(set(problem), PROBLEM_KEYS)
        for error in problem.get("erros", []):
            self.assertEqual(set(error), {"campo", "mensagem"}, answer)
            self.assertTrue(error["mensagem"], answer)

    def assertStatus(self, answer, status):
        wanted = status if isinstance(status, (tuple, set, list)) else (status,)
        self.assertIn(answer.status, wanted, answer)
        return answer

    def assertRefused(self, answer, status, field=None):
        """A problem document, naming the field when there is one."""
        self.assertStatus(answer, status)
        self.look_at_problem(answer)
        if field is not None:
            self.assertIn(field, [e["campo"] for e in answer.json.get("erros", [])], answer)
        return answer

    def assertRetryLater(self, answer):
        self.assertStatus(answer, 503)
        self.assertRegex(answer.header("retry-after") or "", r"^[1-9]\d*$", answer)
        return answer

    def call(self, method, target, *, api=None, headers=None, body=None, json=None, timeout=10):
        port = (api or self.api).port
        answer = client.call(port, method, target, headers, body, json, timeout)
        self.look_at(answer, method)
        return answer

    def get(self, target, **more):
        return self.call("GET", target, **more)

    def post(self, target, json=None, **more):
        return self.call("POST", target, json=json, **more)

    def connect(self, api=None, timeout=10):
        connection = client.Connection((api or self.api).port, timeout)
        self.addCleanup(connection.close)
        return connection

    def metric(self, name, api=None, **labels):
        """The sum of a metric's samples that carry these labels."""
        answer = self.get("/metrics", api=api)
        total, seen = 0.0, False
        for line in answer.text.splitlines():
            match = re.match(r"(\w+)(?:\{(.*)\})? (\S+)$", line)
            if match and match.group(1) == name and \
                    all(f'{k}="{v}"' in (match.group(2) or "") for k, v in labels.items()):
                total, seen = total + float(match.group(3)), True
        self.assertTrue(seen, f"no metric {name} {labels} in\n{answer.text}")
        return total


class StackCase(ServerCase):
    """One stack for all tests of the class. `options` are those of servers.Stack."""

    options = {}
    stack = None

    @classmethod
    def setUpClass(cls):
        cls.stack = servers.Stack(**cls.options).start()

    @classmethod
    def tearDownClass(cls):
        if cls.stack:
            cls.stack.stop()

    @property
    def api(self):
        return self.stack.api

    def tearDown(self):
        for program in self.stack.apis + self.stack.workers:
            if program.process is not None and not program.running() \
                    and program.process.returncode not in (0, -9):
                self.fail(f"{program.name} ended with {program.process.returncode}\n"
                          f"{program.log_tail(60)}")

    def new_post(self, titulo="título", conteudo="conteúdo", **fields):
        """Creates a post; returns its row."""
        api = fields.pop("api", None)
        answer = self.post("/api/posts", {"titulo": titulo, "conteudo": conteudo, **fields}, api=api)
        self.assertStatus(answer, 201)
        return answer.json


def shared_stack(**options):
    """For a file whose classes share one stack, which takes seconds less:
    Base, setUpModule, tearDownModule = shared_stack(worker=0)"""
    class Base(StackCase):
        @classmethod
        def setUpClass(cls):
            pass

        @classmethod
        def tearDownClass(cls):
            pass

    def set_up():
        Base.stack = servers.Stack(**options).start()

    def tear_down():
        if Base.stack:
            Base.stack.stop()
    return Base, set_up, tear_down
