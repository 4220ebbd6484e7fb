"""Alicerce's two programs as processes: their environment, their logs, what a sanitizer said of them."""
import contextlib
import http.client
import json
import os
import re
import subprocess
import time

from process import PROJECT, Server, Trouble, free_port

SANITIZER = re.compile(r"(ERROR|WARNING): \w+Sanitizer|runtime error:")
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "exitcode=98:second_deadlock_stack=1",
    "LSAN_OPTIONS": "exitcode=97",
}


def program_folder():
    return os.path.abspath(os.environ.get("ALICERCE_BIN", os.path.join(PROJECT, "build")))


def program_environment(env):
    """Nothing of the caller's environment but the path: a DATABASE_URL there is another one's."""
    clean = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", **SANITIZER_ENV}
    clean.update((k, v) for k, v in os.environ.items() if k in SANITIZER_ENV)
    clean.update(env)
    return clean


def run_program(name, *arguments, env=None, seconds=20, folder=None):
    """Runs build/NAME to its end. Returns subprocess.CompletedProcess with text."""
    return subprocess.run(
        [os.path.join(folder or program_folder(), name), *arguments],
        env=program_environment(env or {}), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, errors="replace", timeout=seconds, check=False)


class Program(Server):
    """build/alicerce-api or build/alicerce-worker."""

    def __init__(self, program, folder, env=None, port=None, name=None, binaries=None):
        super().__init__(name or program, folder)
        self.program = program
        self.binaries = binaries or program_folder()
        self.env = dict(env or {})
        self.port = None
        if program == "alicerce-api":
            self.port = port or free_port()
            self.env.setdefault("HOST", "127.0.0.1")
            self.env["PORT"] = str(self.port)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def command(self):
        return [os.path.join(self.binaries, self.program)]

    def environment(self):
        return program_environment(self.env)

    def is_ready(self):
        """The API: it answers. The worker: it runs. For the servers behind them see is_serving."""
        return self.port is None or self.get("/health") == 200

    def get(self, path, timeout=5):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def is_serving(self):
        """Has everything it needs (the API's /status; the worker does not tell)."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.port is None or self.get("/status") == 200
        return False

    def wait_serving(self, seconds=20):
        deadline = time.monotonic() + seconds
        while not self.is_serving():
            if not self.running():
                raise Trouble(f"{self.name} ended with {self.process.returncode}\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise Trouble(f"{self.name}: /status is not 200 after {seconds} s\n{self.log_tail()}")
            time.sleep(0.02)

    def events(self, name=None):
        """Its log lines (LOG_FORMAT=json) as dictionaries; those of one event when it is named."""
        found = []
        for line in self.log().splitlines():
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict) and name in (None, event.get("evento")):
                    found.append(event)
        return found

    def log_tail(self, lines=25):
        """With a sanitizer's report: its beginning, which says more than its end."""
        report = self.sanitizer_report()
        if report is None:
            return super().log_tail(lines)
        return "\n".join(f"  {self.name}| {line}" for line in report.splitlines()[:lines])

    def sanitized(self):
        """Was it built with a sanitizer? Those keep freed memory back: its size tells nothing."""
        with open(self.command()[0], "rb") as f:
            return re.search(rb"__[at]san_init", f.read()) is not None

    def sanitizer_report(self):
        """The report in its log, None when there is none."""
        text = self.log()
        found = SANITIZER.search(text)
        return text[found.start():found.start() + 6000] if found else None
