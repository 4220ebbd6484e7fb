"""Private servers on free ports of the loopback: PostgreSQL, Redis, Alicerce's programs, all of them.

Used by the tests and by `make run`. Nothing outside of the given folder is touched, only processes
that were started here are ever signalled, and all of them end with python, however that ends: the
kernel tells them (PR_SET_PDEATHSIG) and cleaner.py, a process of its own, sees to it.

    with Stack(replicas=2, env={"META_APP_SECRET": "s"}) as stack:
        stack.api.url, stack.apis[1].port, stack.pg.query("SELECT 1"), stack.redis.call("PING")
        stack.pg.kill(); stack.pg.start()          # kill -9, then again on the same port and data
        stack.redis.freeze(); stack.redis.thaw()   # SIGSTOP, SIGCONT
"""
import atexit
import contextlib
import ctypes
import glob
import http.client
import json
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cleaner  # noqa: E402
import wire  # noqa: E402

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PASSWORD = "alicerce"
SANITIZER = re.compile(r"(ERROR|WARNING): \w+Sanitizer|runtime error:")
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "exitcode=98:second_deadlock_stack=1",
    "LSAN_OPTIONS": "exitcode=97",
}
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Trouble(Exception):
    """A server did not do what it should; the text says which, what, and the end of its log."""


# ---- processes and folders -----------------------------------------------------------

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


def _dies_with_python(sig):
    """What the child runs before exec. The kernel watches the thread, so only the main one counts."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return lambda: _libc.prctl(PR_SET_PDEATHSIG, int(sig))


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
                start_new_session=True, preexec_fn=_dies_with_python(self.polite), **identity)
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


# ---- PostgreSQL ----------------------------------------------------------------------

def postgres_bin():
    """The folder of the newest installed server."""
    def version(path):
        return int((re.findall(r"\d+", path) or ["0"])[-1])
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb") + glob.glob("/usr/libexec/postgresql*/initdb")
    if found:
        return os.path.dirname(max(found, key=version))
    initdb = shutil.which("initdb")
    if initdb:
        return os.path.dirname(os.path.realpath(initdb))
    raise Trouble("PostgreSQL's server is not installed (initdb was not found)")


_template = None


def postgres_template():
    """A folder with a new cluster to copy: initdb takes seconds, a copy takes none.

    The environment may name one (ALICERCE_TEST_CLUSTER), so that several test processes share it."""
    global _template
    _template = _template or os.environ.get("ALICERCE_TEST_CLUSTER")
    if _template is None:
        maker = PostgreSQL(temporary_folder(), name="template")
        maker.make_cluster(PASSWORD)
        _template = maker.data
    return _template


class PostgreSQL(Server):
    """A cluster with the role and database `alicerce` (and the superuser `postgres`), one password.

    As root it runs as the user postgres, else as oneself. durable=False leaves out fsync: what was
    committed outlives kill -9 all the same, only not the machine's fall."""

    polite = signal.SIGINT  # "fast": does not wait for clients

    def __init__(self, folder, port=None, durable=True, password=PASSWORD, settings=None,
                 template=None, name="postgres"):
        super().__init__(name, folder)
        self.port = port or free_port()
        self.password = password
        self.data = os.path.join(folder, "postgres")
        self.template = template
        self.settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "",
                         "shared_buffers": "64MB", "max_connections": "100"}
        if not durable:
            self.settings.update(fsync="off", full_page_writes="off", autovacuum_naptime="5")
        self.settings.update(settings or {})

    @property
    def url(self):
        return f"postgresql://alicerce:{self.password}@127.0.0.1:{self.port}/alicerce"

    def user(self):
        return "postgres" if os.geteuid() == 0 else None

    def command(self):
        command = [os.path.join(postgres_bin(), "postgres"), "-D", self.data, "-p", str(self.port)]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        return command

    def environment(self):
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}

    def launch(self):
        if not os.path.exists(os.path.join(self.data, "PG_VERSION")):
            if self.template:
                subprocess.run(["cp", "-a", self.template, self.data], check=True)
            else:
                self.make_cluster(self.password)
        return super().launch()

    def is_ready(self):
        return self.query("SELECT 1") == [("1",)]

    def session(self, user="alicerce", database="alicerce", timeout=5):
        return wire.PgSession(self.port, user, self.password, database, timeout)

    def query(self, sql, user="alicerce", timeout=5):
        with self.session(user, timeout=timeout) as session:
            return session.query(sql)

    def value(self, sql, user="alicerce", timeout=5):
        return self.query(sql, user, timeout)[0][0]

    def _run(self, program, *arguments, given=""):
        user = self.user()
        identity = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user \
            else {}
        done = subprocess.run(
            [os.path.join(postgres_bin(), program), *arguments], cwd="/", input=given, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment(), check=False,
            **identity)
        if done.returncode != 0:
            raise Trouble(f"{program} failed with {done.returncode}\n{done.stdout}")

    def make_cluster(self, password):
        """initdb, then role and database by the single-user server. Made aside and moved into place,
        so that a cluster which is there is whole."""
        quoted = password.replace("'", "''")
        new = self.data + ".new"
        shutil.rmtree(new, ignore_errors=True)
        os.mkdir(new, 0o700)
        secret = os.path.join(new, "password")
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as f:
            f.write(password + "\n")
        cluster = os.path.join(new, "cluster")
        os.mkdir(cluster, 0o700)
        if self.user():
            for path in (new, secret, cluster):
                shutil.chown(path, self.user())
            self._check_reachable(new)
        self._run("initdb", "-D", cluster, "-U", "postgres", "--auth=scram-sha-256",
                  f"--pwfile={secret}", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        self._run("postgres", "--single", "-D", cluster, "postgres", given=(
            f"CREATE ROLE alicerce LOGIN PASSWORD '{quoted}'\n"
            "CREATE DATABASE alicerce OWNER alicerce\n"))
        os.rename(cluster, self.data)
        shutil.rmtree(new)

    def _check_reachable(self, path):
        done = subprocess.run(["test", "-w", path], user=self.user(), cwd="/", extra_groups=[],
                              group=pwd.getpwnam(self.user()).pw_gid, check=False)
        if done.returncode != 0:
            raise Trouble(f"the user {self.user()} cannot enter {self.folder}: PostgreSQL does not run "
                          "as root; move the project to a folder that others may pass through, or run "
                          "as a plain user")


# ---- Redis ---------------------------------------------------------------------------

def redis_program():
    """Path of the server; Debian's redis-tools has it as redis-check-rdb."""
    for name in ("redis-server", "redis-check-rdb"):
        path = shutil.which(name)
        if path:
            return os.path.realpath(path)
    raise Trouble("Redis' server is not installed (redis-server was not found)")


class Redis(Server):
    """As the queue wants it: every add is on disk before it is acknowledged, nothing is evicted."""

    def __init__(self, folder, port=None, durable=True, password=None, settings=None, name="redis"):
        super().__init__(name, folder)
        self.port = port or free_port()
        self.password = password
        self.data = os.path.join(folder, "redis")
        self.settings = {"appendonly": "yes", "appendfsync": "always" if durable else "no",
                         "maxmemory-policy": "noeviction", "save": ""}
        self.settings.update(settings or {})

    def command(self):
        command = ["redis-server"]
        if self.password:
            command.append(self._password_file())
        command += ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.data,
                    "--daemonize", "no", "--tcp-backlog", "128"]
        for name, value in self.settings.items():
            command += [f"--{name}", value]
        return command

    def _password_file(self):
        """Not an argument: every user may read those."""
        path = os.path.join(self.folder, f"{self.name}.conf")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as f:
            f.write(f"requirepass {json.dumps(self.password, ensure_ascii=False)}\n")
        return path

    def executable(self):
        return redis_program()

    def environment(self):
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}

    def launch(self):
        os.makedirs(self.data, mode=0o700, exist_ok=True)
        return super().launch()

    def is_ready(self):
        return self.call("PING") == b"PONG"

    def session(self, timeout=5):
        return wire.RedisSession(self.port, self.password, timeout)

    def call(self, *words):
        with self.session() as session:
            return session.call(*words)


# ---- Alicerce's programs -------------------------------------------------------------

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


# ---- all of them ---------------------------------------------------------------------

class Stack:
    """PostgreSQL, Redis, API replicas and the worker in one folder.

    folder: given, it is kept; else a temporary one. worker: how many. env: for both programs."""

    def __init__(self, folder=None, replicas=1, worker=1, durable=False, env=None, binaries=None,
                 pg_port=None, redis_port=None, api_port=None, pg_settings=None,
                 redis_settings=None, password=PASSWORD):
        self.kept = folder is not None
        self.folder = os.path.abspath(folder) if folder else temporary_folder()
        os.makedirs(self.folder, exist_ok=True)
        template = None if self.kept or password != PASSWORD else postgres_template()
        self.pg = PostgreSQL(self.folder, pg_port, durable, password, pg_settings, template)
        self.redis = Redis(self.folder, redis_port, durable, settings=redis_settings)
        self.env = dict(env or {})
        self.binaries = binaries
        self.apis, self.workers = [], []
        for i in range(replicas):
            self.add_api(port=api_port if i == 0 else None)
        for _ in range(worker):
            self.add_worker()

    @property
    def api(self):
        return self.apis[0]

    @property
    def worker(self):
        return self.workers[0]

    @property
    def servers(self):
        return [self.pg, self.redis, *self.apis, *self.workers]

    def addresses(self):
        """What tells a program where the two servers are."""
        return {"DATABASE_URL": self.pg.url, "REDIS_HOST": "127.0.0.1",
                "REDIS_PORT": str(self.redis.port)}

    def _program(self, program, siblings, env, **more):
        name = f"{program}-{len(siblings) + 1}"
        env = {**self.addresses(), **self.env, **(env or {})}
        siblings.append(Program(program, self.folder, env, name=name, binaries=self.binaries, **more))
        return siblings[-1]

    def add_api(self, env=None, port=None):
        """One more replica, not started."""
        return self._program("alicerce-api", self.apis, env, port=port)

    def add_worker(self, env=None):
        return self._program("alicerce-worker", self.workers, env)

    def start(self):
        try:
            for server in self.servers:  # all at once, then wait for each
                server.launch()
            for server in self.servers:
                server.wait_ready()
            for api in self.apis:
                api.wait_serving()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self):
        """Ends all, clients of the servers first. Trouble when a program did not exit with 0, had to
        be killed, or when its log has a sanitizer's report."""
        troubles = []
        programs = self.workers + self.apis
        for server in programs:
            server.ask_to_stop()
        for server in [*programs, self.redis, self.pg]:
            try:
                code = server.stop()
            except Trouble as trouble:
                troubles.append(str(trouble))
                continue
            if server in programs and code not in (0, None, -signal.SIGKILL):
                troubles.append(f"{server.name} exited with {code}\n{server.log_tail()}")
        for program in programs:
            report = program.sanitizer_report()
            if report:
                troubles.append(f"{program.name}: {report}")
        self._forget_folder()
        if troubles:
            raise Trouble("\n".join(troubles))

    def kill(self):
        for server in self.servers:
            if server.process is not None and server.running():
                server.kill()
        self._forget_folder()

    def _forget_folder(self):
        """The data of a temporary stack is of no more use; its logs stay until python ends."""
        if not self.kept:
            shutil.rmtree(self.pg.data, ignore_errors=True)
            shutil.rmtree(self.redis.data, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
