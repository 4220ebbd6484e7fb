"""A private PostgreSQL for the tests of sql/, and sessions on it.

The server listens on a Unix socket in its own folder only, writes nothing durable, and is gone with the
folder when the program ends, whatever the reason."""
import atexit
import glob
import os
import pwd
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILES = sorted(glob.glob(os.path.join(ROOT, "sql", "*.sql")))
PORT = 5432  # of the socket's name: the folder is ours alone
SERVER_USER = "postgres"  # PostgreSQL refuses to run as root


class SqlError(Exception):
    """What the server answered: "ERROR:  55P03: canceling statement due to lock timeout"."""


def newest_bin():
    def version(path):
        return [int(x) for x in re.findall(r"\d+", path)]
    folders = [os.path.dirname(p) for p in glob.glob("/usr/lib/postgresql/*/bin/postgres")]
    if folders:
        return max(folders, key=version)
    found = shutil.which("postgres")
    if not found:
        raise SystemExit("tests/sql: no PostgreSQL: install postgresql-15 or newer (apt), postgresql (apk)")
    return os.path.dirname(found)


class Cluster:
    def __init__(self):
        self.bin = newest_bin()
        self.folder = tempfile.mkdtemp(prefix="alicerce-sql-")
        self.process = None
        atexit.register(self.stop)
        self.user = SERVER_USER if os.getuid() == 0 else None
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        self._initdb()
        self._start()
        self.version = int(self.sql("postgres", "SHOW server_version_num")) // 10000

    def _run(self, *argv):
        done = subprocess.run(argv, capture_output=True, text=True, user=self.user, cwd=self.folder,
                              env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": self.folder})
        if done.returncode:
            raise SystemExit(f"tests/sql: {argv[0]}: {done.stderr or done.stdout}")

    def _initdb(self):
        self._run(os.path.join(self.bin, "initdb"), "-D", os.path.join(self.folder, "data"), "-A", "trust",
                  "-U", "alicerce", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")

    def _start(self):
        settings = {"listen_addresses": "", "unix_socket_directories": self.folder, "port": PORT,
                    "fsync": "off", "full_page_writes": "off", "max_wal_size": "8GB",
                    "shared_buffers": "256MB", "deadlock_timeout": "200ms", "timezone": "UTC",
                    "lc_messages": "C", "shared_preload_libraries": ""}
        argv = [os.path.join(self.bin, "postgres"), "-D", os.path.join(self.folder, "data")]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            user=self.user, cwd=self.folder, start_new_session=True)
        ready = [os.path.join(self.bin, "pg_isready"), "-q", "-h", self.folder, "-p", str(PORT)]
        for _ in range(300):
            if subprocess.run(ready).returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        with open(os.path.join(self.folder, "log")) as log:
            raise SystemExit("tests/sql: PostgreSQL does not start:\n" + log.read())

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)  # nothing is worth a checkpoint
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def psql(self, database):
        return [os.path.join(self.bin, "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", str(PORT),
                "-U", "alicerce", "-d", database]

    def url(self, database):
        return f"postgresql://alicerce@/{database}?host={self.folder}&port={PORT}"

    def sql(self, database, text, stdin=None):
        """One call of psql; each statement of `text` is a transaction of its own unless it says otherwise."""
        environment = {**os.environ, "PGOPTIONS": "-c client_min_messages=warning"}
        argv = self.psql(database)
        if stdin is None:
            done = subprocess.run(argv, input=text, capture_output=True, text=True, env=environment)
        else:
            done = subprocess.run(argv + ["-c", text], stdin=stdin, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise SqlError(done.stderr.strip())
        return done.stdout.strip()

    def create(self, database, schema=None, options="", files=FILES):
        """A database in which `files` are applied as lib/migrate.c does it: one transaction each."""
        self.sql("postgres", f"CREATE DATABASE {database} {options}")
        text = f'CREATE SCHEMA "{schema}"; SET search_path = "{schema}";' if schema else ""
        for name in files:
            with open(name) as f:
                text += f"BEGIN;\n{f.read()}\nCOMMIT;\n"
        self.sql(database, text)
        return database

    def copy(self, template, database):
        self.sql("postgres", f"CREATE DATABASE {database} TEMPLATE {template}")
        return database


class Session:
    """One connection that stays open. ask() waits for the answer; send() and answer() do it in two steps."""

    END = "-- end of answer --"

    def __init__(self, cluster, database):
        self.process = subprocess.Popen(
            cluster.psql(database) + ["-v", "ON_ERROR_STOP=0", "-v", "VERBOSITY=verbose"], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "PGOPTIONS": "-c client_min_messages=warning"})
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:  # it waits for a lock that another session of the test holds
            self.process.kill()
            self.process.wait()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def send(self, text):
        self.process.stdin.write(f"{text};\n\\echo {self.END}\n")
        self.process.stdin.flush()

    def answer(self, seconds=30):
        """The rows as psql prints them. Raises SqlError, or TimeoutError when nothing came in time."""
        rows, until = [], time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                self.lines.queue.extendleft(reversed(rows))
                raise TimeoutError(f"no answer in {seconds} s") from None
            if line is None:
                raise SqlError("\n".join(rows) or "the connection is gone")
            if line == self.END:
                break
            rows.append(line)
        if any(row.startswith(("ERROR:", "FATAL:")) for row in rows):
            raise SqlError("\n".join(rows))
        return "\n".join(rows)

    def ask(self, text, seconds=30):
        self.send(text)
        return self.answer(seconds)

    def waits(self, seconds=0.4):
        """Is the statement that was sent still without an answer after so long?"""
        try:
            answer = self.answer(seconds)
        except TimeoutError:
            return True
        raise AssertionError(f"it did not wait: {answer!r}")
