"""nginx in front of the programs, for `make run` and the tests: the templates of nginx/, filled in as the
nginx image does it, and the page as its build makes it. Private: prefix, pid, logs and temporary files
lie in the given folder, whatever the system's own nginx does. Wants no root."""
import contextlib
import http.client
import os
import re
import shutil
import signal
import subprocess

import servers

NGINX = os.path.join(servers.PROJECT, "nginx")
TEMPLATES = os.path.join(NGINX, "templates")
SNIPPETS = os.path.join(TEMPLATES, "front")
SUFFIX = ".template"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

MAIN = """worker_processes 2;
worker_shutdown_timeout 10s;
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    types {{
        text/html html; text/css css; application/javascript js; image/svg+xml svg;
        application/json json map; font/woff2 woff2; image/png png; image/x-icon ico;
        text/plain txt; application/manifest+json webmanifest;
    }}
    {temporary}
    include {folder}/upstream-local.conf;
    include {folder}/20-front.conf;
}}
"""


def fill_in(text, values):
    """As envsubst with a filter: other names, nginx' own variables, stay."""
    return re.sub(r"\$\{(\w+)\}", lambda m: values.get(m.group(1), m.group(0)), text)


def computed(given):
    """The variables that nginx/front.envsh makes of `given`."""
    script = '. "$0" && env -0'
    env = {"PATH": os.environ.get("PATH", os.defpath), **given}
    done = subprocess.run(["sh", "-eu", "-c", script, os.path.join(NGINX, "front.envsh")], env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, text=True)
    pairs = (line.split("=", 1) for line in done.stdout.split("\0") if "=" in line)
    return {name: value for name, value in pairs if name.startswith("FRONT_")}


def nginx_program():
    path = shutil.which("nginx", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin")
    if not path:
        raise servers.Trouble("nginx is not installed")
    return path


class Front(servers.Server):
    """One nginx on one port in front of these replicas. `settings` are variables of front.envsh."""

    polite = signal.SIGQUIT  # requests that are under way are answered

    def __init__(self, folder, replicas, port=None, settings=None, user=None, name="nginx"):
        super().__init__(name, folder)
        self.port = port or servers.free_port()
        self.home = os.path.join(folder, name)  # made anew at each start
        self.access_path = os.path.join(folder, f"{name}-access.log")
        self.replicas = list(replicas)  # their ports
        self.settings = dict(settings or {})
        self.run_as = user

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def user(self):
        return self.run_as

    def command(self):
        return [nginx_program(), "-e", "stderr", "-p", self.home,
                "-c", os.path.join(self.home, "nginx.conf")]

    def environment(self):
        return {"PATH": os.environ.get("PATH", os.defpath)}

    def launch(self):
        self.write()
        return super().launch()

    def is_ready(self):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)) as c:
            c.request("GET", "/front/health")
            return c.getresponse().status == 200

    def access_log(self):
        try:
            with open(self.access_path, encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def reload(self):
        self.write()
        self.signal(signal.SIGHUP)

    # -- what it reads --

    def values(self):
        fixed = {"FRONT_ADDRESS": f"127.0.0.1:{self.port}", "FRONT_ETC": self.home,
                 "FRONT_ROOT": os.path.join(self.home, "page"), "FRONT_LOG": self.access_path,
                 "FRONT_TLS_DIR": self.home, "FRONT_AGAIN": "alicerce"}
        upstream = " ".join(f"server 127.0.0.1:{port} max_fails=2 fail_timeout=2s;"
                            for port in self.replicas)
        return {**computed({**fixed, **self.settings}), "FRONT_SERVERS": upstream}

    def write(self):
        os.makedirs(self.home, mode=0o711, exist_ok=True)
        values = self.values()
        for folder, name in ((NGINX, "upstream-local.conf.template"),
                             (TEMPLATES, "20-front.conf.template"),
                             *((SNIPPETS, n) for n in sorted(os.listdir(SNIPPETS)))):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                text = f.read()
            self._put(name.removesuffix(SUFFIX), fill_in(text, values))
        temporary = " ".join(f"{kind}_temp_path {self.home}/{kind};" for kind in TEMPORARY)
        self._put("nginx.conf", MAIN.format(folder=self.home, temporary=temporary))
        page = os.path.join(self.home, "page")
        subprocess.run(["sh", os.path.join(servers.PROJECT, "web", "build.sh"), page], check=True)
        open(self.access_path, "ab").close()
        if self.run_as:
            for path in (self.home, self.access_path):
                shutil.chown(path, self.run_as)

    def _put(self, name, text):
        with open(os.path.join(self.home, name), "w", encoding="utf-8") as f:
            f.write(text)
