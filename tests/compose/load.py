"""A steady load in the background: so many requests a second, whatever the answers take; every one of them
is counted."""
import collections
import hashlib
import hmac
import http.client
import json
import threading
import time

TIMEOUT = 20


def ask(port, method, path, body=None, headers=None, timeout=TIMEOUT, connection=None):
    """status, headers, body. On a connection of its own, or on the given one."""
    c = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        headers = dict(headers or {})
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        c.request(method, path, body, headers)
        answer = c.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        if connection is None:
            c.close()


def signed(secret, leadgen_id):
    """A delivery of Meta's: body and headers."""
    value = {"leadgen_id": str(leadgen_id), "page_id": "1", "form_id": "2", "created_time": 1700000000}
    body = json.dumps({"object": "page", "entry": [
        {"id": "1", "time": 1700000000, "changes": [{"field": "leadgen", "value": value}]}]}).encode()
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return body, {"X-Hub-Signature-256": f"sha256={mac}"}


class Load:
    """with Load(port, rate, kinds) as load: ...; load.failures is empty when all went well.

    kinds: functions that return method, path, body, headers. Half of the threads keep their connection,
    as browsers do: when it was closed between two requests, a GET is sent once more on a new one."""

    THREADS = 16

    def __init__(self, port, rate, kinds):
        self.port, self.rate, self.kinds = port, rate, kinds
        self.done = collections.Counter()
        self.failures = []
        self.slowest = 0.0
        self.late = 0
        self._lock = threading.Lock()
        self._next = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(i % 2 == 0,), daemon=True)
                         for i in range(self.THREADS)]

    def __enter__(self):
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(2 * TIMEOUT)

    @property
    def total(self):
        return sum(self.done.values())

    def _work(self, keeps):
        kept = None
        while not self._stop.is_set():
            with self._lock:
                number = self._next
                self._next += 1
            wait = self._began + number / self.rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            elif wait < -1:
                self.late += 1
            kept = self._one(number, keeps, kept)

    def _one(self, number, keeps, kept):
        """Returns the connection to go on with, or None."""
        method, path, body, headers = self.kinds[number % len(self.kinds)](number)
        if method != "GET" or not kept:
            kept_for_get, connection = kept, self._connection()
        else:
            kept_for_get, connection = None, kept
        began = time.monotonic()
        try:
            try:
                status, got, _ = ask(self.port, method, path, body, headers, connection=connection)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                if connection is not kept:
                    raise
                connection.close()
                connection = self._connection()
                status, got, _ = ask(self.port, method, path, body, headers, connection=connection)
        except (OSError, http.client.HTTPException) as error:
            self._count(f"{method} {path}: {error!r}", began)
            connection.close()
            return kept_for_get
        self._count(None if 200 <= status < 300 else f"{method} {path}: {status}", began)
        if keeps and method == "GET" and got.get("Connection") != "close":
            return connection
        connection.close()
        return kept_for_get

    def _connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)

    def _count(self, failure, began):
        with self._lock:
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.done["failed" if failure else "answered"] += 1
            if failure:
                self.failures.append(f"{time.monotonic() - self._began:.1f} s: {failure}")
