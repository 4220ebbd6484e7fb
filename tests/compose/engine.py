"""A Docker engine of our own for one test run: its daemon, the images that stand in for the real ones, and
the two composes. All of it lies in one temporary folder; the daemon is ended by its own pid."""
import contextlib
import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))
STANDINS = os.path.join(HERE, "standins")
DEBIAN = "trixie"


def mirror():
    """The one that this machine's apt uses."""
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"],
                          stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split()[0]

BASE = "alicerce-standin/debian:13"
# The tags are those of Dockerfile.* and docker-compose.yml.
IMAGES = {"postgres:16-alpine": "postgres", "redis:7-alpine": "redis",
          "nginx:1.30-alpine-slim": "nginx", "alpine:3.23": "alpine",
          "alicerce-standin/compose": "compose"}
# Debian's own client: a newer one elsewhere in the path refuses to speak to its daemon.
PATH = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin"
# What docker build takes as arguments without being told of them.
PROXIES = [case(name) for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY") for case in (str.upper, str.lower)]
BUILD_SECONDS, BOOTSTRAP_SECONDS = 600, 900


class Impossible(Exception):
    """No engine can run here; the text says why."""


class Trouble(Exception):
    """A command failed; the text has its output."""


def say(text):
    print(text, flush=True)


def run(command, seconds=120, check=True, **more):
    """Returns CompletedProcess with text; Trouble when it fails or takes too long."""
    try:
        done = subprocess.run(command, stdin=more.pop("stdin", subprocess.DEVNULL), text=True,
                              errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=seconds, check=False, **more)
    except subprocess.TimeoutExpired as late:
        raise Trouble(f"{' '.join(command)}: not done after {seconds} s\n{late.stdout or ''}") from None
    if check and done.returncode != 0:
        raise Trouble(f"{' '.join(command)}: ended with {done.returncode}\n{done.stdout[-6000:]}")
    return done


def missing():
    """Why there can be no engine here, None when there can."""
    if os.geteuid() != 0:
        return "not root"
    if not os.path.ismount("/sys/fs/cgroup"):
        return "no cgroups (/sys/fs/cgroup is not mounted)"
    for tool in ("dockerd", "debootstrap", "docker-compose"):
        if not shutil.which(tool, path=PATH):
            return f"{tool} is not installed, and could not be"
    return None


class Engine:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="alicerce-docker-", dir="/var/tmp")
        self.socket = os.path.join(self.folder, "docker.sock")
        self.config = os.path.join(self.folder, "config")
        self.log = os.path.join(self.folder, "dockerd.log")
        os.makedirs(os.path.join(self.config, "cli-plugins"))
        self.process = None
        self.env = {"PATH": PATH, "HOME": self.folder, "DOCKER_HOST": f"unix://{self.socket}",
                    "DOCKER_CONFIG": self.config, "LC_ALL": "C.UTF-8"}

    # -- the daemon --

    def command(self):
        words = ["dockerd", "--data-root", os.path.join(self.folder, "data"), "--exec-root",
                 os.path.join(self.folder, "exec"), "--pidfile", os.path.join(self.folder, "pid"),
                 "-H", f"unix://{self.socket}", "--bridge", "none",
                 "--default-address-pool", "base=10.213.0.0/16,size=24"]
        if os.path.exists("/var/run/docker.sock"):  # another engine's chains are not ours to touch
            words += ["--iptables=false", "--ip-masq=false"]
        return words

    def start(self, seconds=60):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command(), env=self.env, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + seconds
        while self.docker("info", check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(self.log, encoding="utf-8", errors="replace") as f:
                    tail = "".join(f.readlines()[-15:])
                raise Impossible(f"dockerd does not come up here\n{tail}")
            time.sleep(0.2)

    def stop(self):
        """Containers first: what they mount would hold the folder. Then the daemon, by its pid; what it
        left behind, which is of our own making, by theirs."""
        if self.process and self.process.poll() is None:
            with contextlib.suppress(Trouble):
                ids = self.docker("ps", "-aq", check=False).stdout.split()
                if ids:
                    self.docker("rm", "-f", *ids, seconds=180, check=False)
                self.docker("network", "prune", "-f", check=False)
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(60)
        for pid in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process:
            self.process.wait(10)
        for mount in reversed(self._mounts()):
            subprocess.run(["umount", "-l", mount], stderr=subprocess.DEVNULL, check=False)
        if not self._mounts():
            shutil.rmtree(self.folder, ignore_errors=True)

    def _processes(self):
        """Those that were started with our folder among their arguments."""
        found = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            with contextlib.suppress(OSError), open(path, "rb") as f:
                if self.folder.encode() + b"/" in f.read():
                    found.append(int(path.split("/")[2]))
        return [pid for pid in found if pid != os.getpid()]

    def _mounts(self):
        with open("/proc/mounts", encoding="utf-8") as f:
            return [m for m in (line.split()[1] for line in f) if m.startswith(self.folder + "/")]

    def docker(self, *words, seconds=120, check=True, **more):
        return run(["docker", *words], seconds, check, env={**self.env, **more.pop("env", {})}, **more)

    # -- the images --

    def build(self, tag, folder, *more, buildkit=False, seconds=BUILD_SECONDS):
        """Build steps reach Debian's packages and npm's by the host's network, as the host does."""
        arguments = [word for name in PROXIES if name in os.environ
                     for word in ("--build-arg", f"{name}={os.environ[name]}")]
        self.docker("build", "--network", "host", "-t", tag, *arguments, *more, folder, seconds=seconds,
                    env={"DOCKER_BUILDKIT": "1" if buildkit else "0"})

    @staticmethod
    def npm_registry():
        """The argument for the page's build stage, where this machine has a registry of its own."""
        if not shutil.which("npm"):
            return []
        said = run(["npm", "config", "get", "registry"], 30, check=False, env=dict(os.environ)).stdout.split()
        return ["--build-arg", f"NPM_CONFIG_REGISTRY={said[-1]}"] if said and "://" in said[-1] else []

    def make_standins(self):
        kept = self._kept()
        if kept and os.path.exists(kept):
            self.docker("load", "-i", kept, seconds=600)
            return "loaded"
        self._bootstrap()
        for tag, name in IMAGES.items():
            self.build(tag, os.path.join(STANDINS, name))
        if kept:
            self._keep(kept)
        return "made"

    def _kept(self):
        """Where they are kept between runs: a folder that somebody made for it, or nowhere."""
        folder = os.environ.get("ALICERCE_STANDINS", "/var/cache/alicerce-standins")
        if not os.path.isdir(folder):
            return None
        digest = hashlib.sha256(DEBIAN.encode())
        for path in sorted(glob.glob(os.path.join(STANDINS, "**"), recursive=True)):
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    digest.update(path[len(STANDINS):].encode() + f.read())
        return os.path.join(folder, f"standins-{digest.hexdigest()[:16]}.tar")

    def _keep(self, path):
        for old in glob.glob(os.path.join(os.path.dirname(path), "standins-*.tar")):
            os.unlink(old)
        self.docker("save", "-o", path + ".new", BASE, *IMAGES, seconds=600)
        os.replace(path + ".new", path)

    def _bootstrap(self):
        root = os.path.join(self.folder, "debian")
        run(["debootstrap", "--variant=minbase", "--include=ca-certificates", DEBIAN, root, mirror()],
            BOOTSTRAP_SECONDS, env=self.env)
        self._share_trust(root)
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
            self.docker("import", "--change", 'CMD ["/bin/sh"]', "-", BASE, seconds=300,
                        stdin=tar.stdout)
        shutil.rmtree(root)

    @staticmethod
    def _share_trust(root):
        """Build steps trust whom this machine trusts: npm's registry may be reached through a proxy of its own."""
        bundle = "etc/ssl/certs/ca-certificates.crt"
        if os.path.exists("/" + bundle):
            shutil.copyfile("/" + bundle, os.path.join(root, bundle))

    def install_compose_2(self):
        """Debian 13's package as the client's plugin. False where it cannot run."""
        plugin = os.path.join(self.config, "cli-plugins", "docker-compose")
        made = self.docker("create", "--network", "none", "alicerce-standin/compose", "true")
        self.docker("cp", f"{made.stdout.strip()}:/docker-compose", plugin)
        self.docker("rm", made.stdout.strip())
        return self.docker("compose", "version", check=False).returncode == 0


def stop_on_signals():
    """The end of a job is a signal: it must not leave the daemon behind."""
    def end(number, _):
        sys.exit(128 + number)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


class Project:
    """A copy of this checkout in a folder of its own, as after a clone, and the compose that drives it."""

    def __init__(self, engine, ports):
        self.engine = engine
        self.folder = os.path.join(engine.folder, "alicerce")
        self.http, self.https = ports
        self.compose_words = ["docker-compose"]
        os.mkdir(self.folder)
        with subprocess.Popen(["tar", "-C", PROJECT, "-c", "--exclude=./build", "--exclude=./.run",
                               "--exclude=./.git", "--exclude=./.env", "--exclude=./secrets",
                               "--exclude=node_modules", "."], stdout=subprocess.PIPE) as tar:
            run(["tar", "-C", self.folder, "-x"], stdin=tar.stdout)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def shell(self, *words, seconds=180, check=True, env=None):
        return run(list(words), seconds, check, cwd=self.folder, env={**self.engine.env, **(env or {})})

    def compose(self, *words, seconds=180, check=True):
        return self.shell(*self.compose_words, *words, seconds=seconds, check=check)

    def use_compose_2(self):
        self.compose_words = ["docker", "compose"]

    def ids(self, service):
        """Of the running ones."""
        return self.engine.docker(
            "ps", "-q", "--no-trunc", "--filter", "label=com.docker.compose.project=alicerce",
            "--filter", f"label=com.docker.compose.service={service}").stdout.split()

    def inspect(self, container):
        return json.loads(self.engine.docker("inspect", container).stdout)[0]

    def set_env(self, **values):
        with open(self.path(".env"), encoding="utf-8") as f:
            lines = [line for line in f if line.split("=")[0] not in values]
        with open(self.path(".env"), "w", encoding="utf-8") as f:
            f.writelines([*lines, *(f"{name}={value}\n" for name, value in values.items())])

    def env_value(self, name):
        with open(self.path(".env"), encoding="utf-8") as f:
            return [line.strip().split("=", 1)[1] for line in f if line.startswith(name + "=")][-1]

    def sql(self, text):
        """As the superuser, by the socket in the container."""
        return self.engine.docker("exec", self.ids("db")[0], "psql", "-U", "postgres", "-d",
                                  "alicerce", "-Atc", text).stdout.strip()

    def logs(self, service):
        return "".join(self.engine.docker("logs", "--tail", "40", i, check=False).stdout
                       for i in self.ids(service))


def eventually(check, seconds, every=0.3):
    """The first true value of check(), None when there was none in time."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, Trouble, ValueError, IndexError):
            value = check()
            if value:
                return value
        if time.monotonic() > deadline:
            return None
        time.sleep(every)
