"""Processes of our own, their folders and ports: what each server of servers.py is.

Nothing outside of the given folder is touched, only processes that were started here are ever
signalled, and all of them end with python, however that ends: the kernel tells them
(PR_SET_PDEATHSIG) and cleaner.py, a process of its own, sees to it."""
import atexit
import contextlib
import ctypes
import http.client
import os
import pwd
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import cleaner
import wire

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Trouble(Exception):
    """A server did not do what it should; the text says which, what, and the end of its log."""


_cleaner = None


def _tell_cleaner(line):
    global _cleaner
    if _cleaner is None:
        _cleaner = subprocess.Popen(
            [sys.executable, "-S", cleaner.__file__], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, start_new_session=True)
        atexit.register(_end_cleaner)
    _cleaner.stdin.write(line.encode() + b"\n")
    _cleaner.stdin.flush()


def _end_cleaner():
    _cleaner.stdin.close()
    _cleaner.wait()


def temporary_folder():
    """Removed when python ends. Others may pass through, not look into it."""
    path = tempfile.mkdtemp(prefix="alicerce-")
    os.chmod(path, 0o711)
    _tell_cleaner(f"folder {path}")
    return path


_reserved = {}  # port: the socket that keeps others of us from choosing it


def free_port():
    """A port nobody has, below those the kernel hands out to clients, so that it stays free while
    its server is down. Two test runs do not choose the same one: a bound socket that does not listen
    keeps it, which hinders no server (they all set SO_REUSEADDR)."""
    for _ in range(1000):
        port = random.SystemRandom().randrange(15000, 32000)
        s = socket.socket()
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            s.close()
            continue
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _reserved[port] = s
        return port
    raise Trouble("no free port on the loopback")


def dies_with_python(sig):
    """What the child runs before exec. The kernel watches the thread, so only the main one counts."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return lambda: _libc.prctl(PR_SET_PDEATHSIG, int(sig))


def end_with_parent():
    """This very process gets SIGTERM when its parent ends."""
    _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))


class Server:
    """One process, started again and again on the same port with the same folder."""

    polite = signal.SIGTERM
    ready_seconds = 20

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self.log_path = os.path.join(folder, f"{name}.log")
        self.process = None
        self.frozen = False
        self.asked = False  # to stop; a second signal would mean: at once

    # What a kind of server says of itself.
    def command(self):
        raise NotImplementedError

    def environment(self):
        return None

    def user(self):
        return None

    def is_ready(self):
        """True, or False, OSError or WireError while it is not."""
        raise NotImplementedError

    # Life.
    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process is not None and self.process.poll() is None

    def launch(self):
        """Starts it and does not wait."""
        if self.running():
            raise Trouble(f"{self.name} is running already")
        user = self.user()
        identity = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user \
            else {}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), executable=self.executable(), cwd=self.folder,
                env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=dies_with_python(self.polite), **identity)
        self.frozen = self.asked = False
        _tell_cleaner(f"add {self.pid} {int(self.polite)} {cleaner.birth(self.pid)}")
        return self

    def executable(self):
        return None  # the command's first word

    def start(self):
        self.launch()
        self.wait_ready()
        return self

    def wait_ready(self, seconds=None):
        seconds = seconds or self.ready_seconds
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.running():
                raise Trouble(f"{self.name} ended with {self.process.returncode} before it was "
                              f"ready\n{self.log_tail()}")
            with contextlib.suppress(OSError, http.client.HTTPException, wire.WireError):
                if self.is_ready():
                    return
            time.sleep(0.02)
        raise Trouble(f"{self.name} is not ready after {seconds} s\n{self.log_tail()}")

    def tree(self):
        return cleaner.tree(self.pid)

    def signal(self, sig):
        self.process.send_signal(sig)

    def wait(self, seconds):
        """Its exit code; Trouble when it is still there after so many seconds."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Trouble(f"{self.name} did not end within {seconds} s\n{self.log_tail()}") from None
        _tell_cleaner(f"forget {self.pid}")
        return code

    def ask_to_stop(self):
        if self.running() and not self.asked:
            self.thaw()
            self.signal(self.polite)
            self.asked = True

    def stop(self, seconds=15):
        """Politely, by force when that does not help. Returns the exit code, None: did not run."""
        if self.process is None:
            return None
        self.ask_to_stop()
        try:
            return self.wait(seconds)
        except Trouble:
            self.kill()
            raise

    def kill(self):
        """kill -9 of the process and all it started, and waits until none is left."""
        members = self.tree()
        cleaner.send(members, signal.SIGKILL)
        code = self.wait(10)
        if not cleaner.wait_for_end(members, 10):
            raise Trouble(f"{self.name}: a process outlived SIGKILL")
        self.frozen = False
        return code

    def freeze(self):
        """SIGSTOP of the whole tree: open connections stay, nothing answers."""
        before = []
        while before != self.tree():  # a child may have been born meanwhile
            before = self.tree()
            cleaner.send(before, signal.SIGSTOP)
        self.frozen = True

    def thaw(self):
        if self.frozen:
            cleaner.send(reversed(self.tree()), signal.SIGCONT)
        self.frozen = False

    def restart(self):
        self.stop()
        return self.start()

    # Looks from outside.
    def log(self):
        with contextlib.suppress(OSError), open(self.log_path, encoding="utf-8",
                                                errors="replace") as f:
            return f.read()
        return ""

    def log_tail(self, lines=25):
        return "\n".join(f"  {self.name}| {line}" for line in self.log().splitlines()[-lines:])

    def rss_kb(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))
