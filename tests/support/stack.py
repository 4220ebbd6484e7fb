"""`make run`, `dev`, `status` and `stop`: the whole stack, private to this checkout.

All of it lives under .run/: PostgreSQL's and Redis' data (kept between runs), nginx, logs, and what
run_files.py keeps: lock, settings, state.
"""
import argparse
import contextlib
import hashlib
import json
import os
import pwd
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

import front
import process
from run_files import (HOME, SETTINGS, STATE, fail, load_settings, read_json, runner_pid, say, settle_port, take_lock,
                       wanted_port, write_json)
import servers

WATCHED = ("Makefile", "lib", "api", "worker", "sql", "nginx", "web", "docs/openapi.yaml")
NOT_WATCHED = ("node_modules", "gen")  # of web/: others write there
ENDINGS = (".c", ".h", ".sql", ".sh", ".template", ".envsh", ".html", ".css", ".js", ".svg", ".ts", ".tsx", ".json", ".mjs", ".yaml")
TICK = 0.25  # seconds between two looks at logs, children and files


# ---- the servers ---------------------------------------------------------------------

def server_user():
    """Whom the servers run as: PostgreSQL refuses root."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def can_enter(user, folder):
    done = subprocess.run(["test", "-x", folder], user=user.pw_uid, group=user.pw_gid,
                          extra_groups=[], cwd="/", check=False)
    return done.returncode == 0


def data_folder():
    """.run, or, when root's servers may not pass through to it, a folder under /var/tmp."""
    user = server_user()
    if user is None or can_enter(user, HOME):
        return HOME
    name = hashlib.sha256(HOME.encode()).hexdigest()[:12]
    folder = f"/var/tmp/alicerce-{name}"
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o711)
    found = os.lstat(folder)
    if found.st_uid != 0 or not os.path.isdir(folder) or os.path.islink(folder):
        fail(f"{folder} is not root's folder: remove it")
    say(f"the user {user.pw_name} cannot enter {HOME}: the data is in {folder}")
    if not os.path.exists(SETTINGS):
        forget(folder)
    return folder


def forget(folder):
    """Whoever removes .run/ begins anew: what is here goes with it, and its passwords are gone anyway."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def check_data(folder):
    """Says what is wrong with a cluster of an earlier run, before PostgreSQL does."""
    data = os.path.join(folder, "postgres")
    if not os.path.exists(data):
        return
    owner, we = os.stat(data).st_uid, server_user().pw_uid if server_user() else os.geteuid()
    if owner != we:
        fail(f"{data} belongs to uid {owner}, this run is uid {we}'s: run it as before or remove "
             f"{folder}")
    with open(os.path.join(data, "PG_VERSION"), encoding="ascii") as f:
        made_by = f.read().strip()
    version = subprocess.run([os.path.join(servers.postgres_bin(), "postgres"), "--version"],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
    if not re.search(rf"\) {made_by}\b", version):
        fail(f"{data} is PostgreSQL {made_by}'s, installed is {version.strip()}: remove {folder} to "
             "begin anew")


class Redis(servers.Redis):
    """As PostgreSQL: not as root."""

    def user(self):
        return server_user().pw_name if server_user() else None

    def _own(self, path):
        if server_user():
            os.chown(path, server_user().pw_uid, server_user().pw_gid)

    def _password_file(self):
        path = super()._password_file()
        self._own(path)
        return path

    def launch(self):
        os.makedirs(self.data, mode=0o700, exist_ok=True)
        self._own(self.data)
        return super().launch()


def passed_on():
    """Variables of the caller's environment that the programs know: THREADS=1 make run."""
    text = servers.run_program("alicerce-api", "--help").stdout
    text += servers.run_program("alicerce-worker", "--help").stdout
    own = ("DATABASE_URL", "PORT", "REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_URL")
    names = set(re.findall(r"^  ([A-Z][A-Z0-9_]+) ", text, re.MULTILINE)).difference(own)
    return {name: os.environ[name] for name in names if name in os.environ}


class Whole:
    """Two servers, two programs, nginx in front, and the files that tell of them."""

    def __init__(self):
        self.folder = folder = data_folder()
        check_data(folder)
        self.settings = load_settings()
        self.secrets, ports = self.settings["secrets"], self.settings["ports"]
        self.api_port, self.front_port = wanted_port("PORT"), wanted_port("FRONT_PORT")
        self.pg = servers.PostgreSQL(folder, ports["postgres"], password=self.secrets["postgres"])
        self.redis = Redis(folder, ports["redis"], password=self.secrets["redis"])
        self.programs = []
        self.front = None

    @property
    def all(self):
        """Clients of the others first."""
        return [*([self.front] if self.front else []), *self.programs, self.redis, self.pg]

    def env(self):
        """What the two programs are told."""
        return {"DATABASE_URL": self.pg.url, "REDIS_URL": self.redis_url, "LOG_FORMAT": "text",
                "STORAGE_DIR": os.path.join(HOME, "arquivos"),
                **{k: v for k, v in self.secrets.items() if k.isupper()}, **passed_on()}

    @property
    def redis_url(self):
        return f"redis://:{self.secrets['redis']}@127.0.0.1:{self.redis.port}/0"

    def start_servers(self):
        for server in (self.pg, self.redis):
            server.launch()
        for server in (self.pg, self.redis):
            server.wait_ready()

    def make_programs(self):
        """Once they are built: their --help says which variables are theirs."""
        env = self.env()
        self.api_port = self.api_port or settle_port(self.settings, "api", usual=3000)
        api = servers.Program("alicerce-api", HOME, env, port=self.api_port)
        worker = servers.Program("alicerce-worker", HOME, env)
        self.programs = [api, worker]
        self.front_port = self.front_port or settle_port(self.settings, "front", usual=8080)
        user = server_user()
        self.front = front.Front(self.folder, [self.api_port], self.front_port,
                                 user=user.pw_name if user else None)

    def start_programs(self):
        for program in self.programs:
            if not program.running():
                program.start()
        self.programs[0].wait_serving()
        if self.front.running():
            self.front.reload()
        else:
            self.front.start()

    def stop(self):
        for server in self.all:
            try:
                server.stop()
            except servers.Trouble as trouble:
                say(str(trouble))

    def kill(self):
        for server in self.all:
            if server.running():
                server.kill()

    def state(self):
        return {"pid": os.getpid(), "FRONT_URL": self.front.url,
                "API_URL": f"http://127.0.0.1:{self.api_port}",
                "DATABASE_URL": self.pg.url, "REDIS_URL": self.redis_url,
                **{k: v for k, v in self.secrets.items() if k.isupper()},
                "logs": sorted({self.front.access_path, *(s.log_path for s in self.all)})}


# ---- building, watching, telling -----------------------------------------------------

def build():
    """True when both programs are as their sources say."""
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", "-s", f"-j{os.cpu_count()}", "-C", servers.PROJECT, "all"],
                          env=env, stdin=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def walk(top):
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name not in NOT_WATCHED]
        yield folder, names


def sources():
    """What `make dev` watches: path → when it was saved, and how long it is."""
    found = {}
    for top in WATCHED:
        path = os.path.join(servers.PROJECT, top)
        entries = [path] if os.path.isfile(path) else [
            os.path.join(folder, name) for folder, names in walk(path) for name in names
            if name.endswith(ENDINGS)]
        for entry in entries:
            with contextlib.suppress(OSError):  # an editor is just replacing it
                stat = os.stat(entry)
                found[entry] = (stat.st_mtime_ns, stat.st_size)
    return found


class Tail:
    """Copies what comes to a log, from now on."""

    def __init__(self, name, path):
        self.name = name
        self.file = open(path, encoding="utf-8", errors="replace")  # as long as the runner
        self.file.seek(0, os.SEEK_END)
        self.rest = ""

    def copy(self):
        *lines, self.rest = (self.rest + self.file.read()).split("\n")
        for line in lines:
            say(f"{self.name:6} | {line}")

    def skip(self):
        self.file.seek(0, os.SEEK_END)


def put_old_logs_aside(programs):
    for program in programs:
        with contextlib.suppress(FileNotFoundError):
            os.replace(program.log_path, program.log_path + ".old")
        open(program.log_path, "ab").close()


def curls(url):
    return [f"curl {url}/status",
            f"curl {url}/api/posts",
            f"curl --json '{{\"titulo\":\"Oi\",\"conteudo\":\"Primeiro post\"}}' {url}/api/posts"]


def describe(state):
    say(f"Alicerce runs (pid {state['pid']})")
    for label, key in (("front", "FRONT_URL"), ("API", "API_URL"),
                       ("PostgreSQL", "DATABASE_URL"), ("Redis", "REDIS_URL")):
        say(f"  {label:11}{state[key]}")
    say(f"  {'logs':11}{os.path.relpath(HOME)}/*.log")
    say("Try:")
    for line in curls(state["FRONT_URL"]):
        say(f"  {line}")


class Ended(Exception):
    """A signal asked for the end."""


def on_signal(number, _):
    raise Ended(number)


class Runner:
    def __init__(self, watch):
        self.watch = watch
        self.whole = Whole()
        self.tails = []
        self.seen = sources()
        self.ended = set()  # programs whose end was told

    def start(self):
        built = build()
        if not built and not self.watch:
            fail("it does not build")
        self.whole.start_servers()
        if built:
            self.start_programs()
        else:
            say("it does not build: waiting for a change")

    def start_programs(self):
        self.whole.make_programs()
        put_old_logs_aside(self.whole.programs)
        self.tails = [Tail(p.program.removeprefix("alicerce-"), p.log_path)
                      for p in self.whole.programs]
        self.whole.start_programs()
        state = self.whole.state()
        write_json(STATE, state)
        self.copy_logs()
        describe(state)
        say("Ctrl-C stops all of it." if not self.watch else
            "Each saved change is built and started. Ctrl-C stops all of it.")

    def copy_logs(self):
        for tail in self.tails:
            tail.copy()

    def loop(self):
        while True:
            time.sleep(TICK)
            self.copy_logs()
            self.look_at_children()
            if self.watch:
                self.look_at_files()

    def look_at_children(self):
        for server in self.whole.all:
            if server.running() or server in self.ended:
                continue
            self.copy_logs()
            text = f"{server.name} ended with {server.process.returncode}"
            if not self.watch or server not in self.whole.programs:
                raise servers.Trouble(f"{text}\n{server.log_tail()}")
            say(f"{text}: waiting for a change")
            self.ended.add(server)

    def look_at_files(self):
        now = sources()
        if now == self.seen:
            return
        time.sleep(TICK)  # an editor that saves several files, a checkout of a branch
        changed = sorted(os.path.relpath(path, servers.PROJECT) for path in now.keys() | self.seen
                         if now.get(path) != self.seen.get(path))
        self.seen = sources()
        say(f"changed: {' '.join(changed[:5])}{' ...' if len(changed) > 5 else ''}")
        if not build():
            say("it does not build: " + ("what runs is as it was before" if self.whole.programs
                                         else "waiting for a change"))
            return
        self.ended.clear()
        try:
            self.restart()
        except servers.Trouble as trouble:
            say(str(trouble))
            self.ended.update(p for p in self.whole.programs if not p.running())

    def restart(self):
        if not self.whole.programs:
            self.start_programs()
            return
        began = time.monotonic()
        for program in self.whole.programs:
            program.stop()
        self.whole.start_programs()
        self.copy_logs()
        say(f"restarted in {time.monotonic() - began:.1f} s")


def end_with_make():
    """Ends with the make that started us, however that ends."""
    if "MAKELEVEL" in os.environ:
        process.end_with_parent()


def run(watch):
    os.makedirs(HOME, mode=0o711, exist_ok=True)
    lock = take_lock()
    if lock is None:
        already_running()
    end_with_make()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    runner, code = None, 0
    try:
        runner = Runner(watch)
        runner.start()
        runner.loop()
    except Ended:
        say("\nstopping")
    except servers.Trouble as trouble:
        code = 1
        print(f"alicerce: {trouble}", file=sys.stderr, flush=True)
        for tail in runner.tails if runner else []:
            tail.skip()  # the trouble had it
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(STATE)
        if runner:
            stop_all(runner)
    return code


def stop_all(runner):
    """A second signal while it stops: by force."""
    try:
        runner.whole.stop()
    except Ended:
        runner.whole.kill()
    runner.copy_logs()


def already_running():
    url = read_json(STATE).get("API_URL")
    fail(f"already running: {url} (make status, make stop)" if url else
         f"another run is just starting or stopping (pid {runner_pid()})")


def status(form):
    state = read_json(STATE)
    if runner_pid() is None or not state:
        fail("not running (make run)" if runner_pid() is None else "just starting or stopping")
    if form == "json":
        say(json.dumps(state, indent=1))
    elif form == "env":
        for name, value in state.items():
            if name.isupper():
                say(f"{name}={shlex.quote(value)}")
    else:
        describe(state)
    return 0


def stop():
    pid = runner_pid()
    if not pid:
        say("not running")
        return 0
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 60
    while runner_pid() == pid:
        if time.monotonic() > deadline:
            fail(f"the runner (pid {pid}) does not end")
        time.sleep(0.1)
    return 0


def main():
    parser = argparse.ArgumentParser(description="the stack of this checkout, under .run/")
    parser.add_argument("verb", choices=("run", "dev", "status", "stop"))
    parser.add_argument("--format", choices=("text", "env", "json"), default="text")
    given = parser.parse_args()
    if given.verb == "status":
        return status(given.format)
    if given.verb == "stop":
        return stop()
    return run(watch=given.verb == "dev")


if __name__ == "__main__":
    sys.exit(main())
