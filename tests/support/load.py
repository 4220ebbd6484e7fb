"""Bounded load from a few clients, and what came of every request."""
import itertools
import threading
import time

import client
import deliveries

READS = (("GET", "/api/posts"), ("GET", "/api/posts/1"), ("GET", "/api/stats"), ("GET", "/api/posts/cache"))
COUNTS = (("GET", "/api/contador"), ("POST", "/api/contadores/carga"))
WRITES = (("POST", "/api/posts"),)
WEBHOOK = (("POST", "/webhook"),)
EVERYTHING = READS + COUNTS + WRITES + WEBHOOK

_numbers = itertools.count(1)  # of titles and leads: no two alike in one process


class Result:
    __slots__ = ("route", "status", "begun", "ended", "retry_after", "note", "error", "sent")

    def __init__(self, route, begun):
        self.route, self.begun = route, begun
        self.status = self.ended = self.retry_after = self.note = self.error = None
        self.sent = False

    @property
    def seconds(self):
        return self.ended - self.begun

    def __repr__(self):
        return f"<{self.route} {self.status or self.error} {self.note} in {self.seconds:.2f} s>"


class Load:
    """Clients that go through `routes` for ever, each on a kept-alive connection of its own. They
    reconnect after a close and pause a little after an error, as clients do."""

    def __init__(self, apis, routes, clients=4, pause=0.002):
        self.routes, self.pause = routes, pause
        self.results, self.stopping = [], threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(apis[n % len(apis)].port, n), daemon=True)
                        for n in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(15)
        if any(thread.is_alive() for thread in self.threads):
            raise AssertionError("a client hangs: its request was not answered within 15 s")

    def since(self, begun, *paths):
        """Results of requests that began after this moment."""
        with self.lock:
            return [r for r in self.results if r.begun >= begun and (not paths or r.route[1] in paths)]

    def _run(self, port, n):
        connection, at = None, n
        while not self.stopping.is_set():
            route = self.routes[at % len(self.routes)]
            at += 1
            result = Result(route, time.monotonic())
            try:
                connection = connection or client.Connection(port, 12)
                result.sent = True
                answer = self._send(connection, route, result)
                if answer.closes:
                    connection.close()
                    connection = None
            except OSError as error:
                result.error = error
                if connection:
                    connection.close()
                connection = None
            result.ended = time.monotonic()
            with self.lock:
                self.results.append(result)
            time.sleep(self.pause if result.status and result.status < 500 else 0.02)
        if connection:
            connection.close()

    def _send(self, connection, route, result):
        method, path = route
        headers, body, json = {}, None, None
        if route == WRITES[0]:
            result.note = f"carga {next(_numbers)}"
            json = {"titulo": result.note, "conteudo": "x"}
        elif route == WEBHOOK[0]:
            result.note = str(10 ** 16 + next(_numbers))
            body = deliveries.lead(result.note)
            headers = deliveries.signed(body)
        answer = connection.call(method, path, headers, body, json)
        result.status, result.retry_after = answer.status, answer.header("retry-after")
        if path == "/api/contador" and answer.status == 200:
            result.note = answer.json["contador"]
        return answer


class HealthWatch(threading.Thread):
    """Asks /health again and again, each time on a new connection; keeps what was not 200 or slow."""

    def __init__(self, api, slow=1.0):
        super().__init__(daemon=True)
        self.api, self.slow = api, slow
        self.bad, self.asked, self.stopping = [], 0, threading.Event()
        self.start()

    def run(self):
        while not self.stopping.is_set():
            begun = time.monotonic()
            try:
                status = client.call(self.api.port, "GET", "/health", timeout=5).status
            except OSError as error:
                status = error
            took = time.monotonic() - begun
            self.asked += 1
            if status != 200 or took > self.slow:
                self.bad.append((status, round(took, 2)))
            time.sleep(0.02)

    def stop(self):
        self.stopping.set()
        self.join()
        return self.bad
