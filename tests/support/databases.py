"""PostgreSQL and Redis, private, as tests and `make run` start them."""
import glob
import json
import os
import pwd
import re
import shutil
import signal
import subprocess

from process import Server, Trouble, free_port, temporary_folder
import wire

PASSWORD = "alicerce"


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
