#!/usr/bin/env python3
"""The page in a real browser against the real stack: PostgreSQL, Redis, API, worker and nginx as the tests have them,
then web/e2e (Vitest drives Chromium by playwright-core).

    tests/web/run.py                 everything
    tests/web/run.py --only posts    files of web/e2e whose name has "posts" in it
    tests/web/run.py --stack         the stack alone, until Ctrl-C: for a look by hand

What the tests are told stands in `environment`. By CONTROL_URL they stop and start servers."""
import argparse
import http.server
import os
import signal
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(PROJECT, "tests", "support"))
import client  # noqa: E402
import front  # noqa: E402
import servers  # noqa: E402

WEB = os.path.join(PROJECT, "web")
SECRET = "segredo-do-app"
PASSWORD = "três gatos no telhado"
EMAILS = {"admin": "admin@exemplo.com.br", "operador": "olga@exemplo.com.br", "leitor": "leo@exemplo.com.br"}
NAMES = {"operador": "Olga Operadora", "leitor": "Leo Leitor"}
ENV = {"JWT_SECRET": "uma chave de teste com bem mais de 32 bytes", "META_APP_SECRET": SECRET,
       "META_VERIFY_TOKEN": "token-de-verificacao", "ADMIN_EMAIL": EMAILS["admin"], "ADMIN_PASSWORD": PASSWORD}
SECONDS = 2400


class Control(http.server.BaseHTTPRequestHandler):
    """POST /stop/redis, /start/redis, /freeze/pg, /thaw/pg, /kill/api …; GET /log/api."""

    servers = {}

    def do_POST(self):
        _, verb, name = self.path.split("/")
        server = self.servers[name]
        getattr(server, verb)()
        if verb == "start" and isinstance(server, servers.Program) and name.startswith("api"):
            server.wait_serving()
        self.say(b"ok")

    def do_GET(self):
        _, _, name = self.path.split("/")
        server = self.servers[name]
        self.say((server.access_log() if name == "front" else server.log()).encode())

    def say(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def accounts(port):
    """An operator and a reader beside the administrator."""
    answer = client.call(port, "POST", "/api/auth/login", json={"email": EMAILS["admin"], "senha": PASSWORD})
    token = {"Authorization": f"Bearer {answer.json['token']}"}
    for role, name in NAMES.items():
        made = client.call(port, "POST", "/api/usuarios", token,
                           json={"nome": name, "email": EMAILS[role], "papel": role, "senha": PASSWORD})
        assert made.status == 201, made


def environment(nginx, stack, control):
    told = {"FRONT_URL": nginx.url, "API_URL": stack.api.url, "CONTROL_URL": control,
            "META_APP_SECRET": SECRET, "PASSWORD": PASSWORD, "DATABASE_URL": stack.pg.url,
            "SHOTS": os.path.join(PROJECT, "build", "screens")}
    return {**told, **{f"{role.upper()}_EMAIL": email for role, email in EMAILS.items()}}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="NAME")
    parser.add_argument("--stack", action="store_true")
    return parser.parse_args()


def drive(told, only):
    command = ["npx", "--no-install", "vitest", "run", "--config", "e2e/vitest.config.ts"]
    return subprocess.run([*command, *([only] if only else [])], cwd=WEB, env={**os.environ, **told},
                          stdin=subprocess.DEVNULL, timeout=SECONDS, check=False).returncode


def wait(told):
    for name, value in told.items():
        print(f"{name}={value}", flush=True)
    signal.pause()


def main():
    given = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    user = "postgres" if os.geteuid() == 0 else None
    with servers.Stack(env=ENV) as stack:
        nginx = front.Front(stack.folder, [api.port for api in stack.apis], user=user).start()
        try:
            accounts(stack.api.port)
            Control.servers = {"front": nginx, "pg": stack.pg, "redis": stack.redis, "api": stack.api,
                               "worker": stack.worker}
            with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Control) as control:
                threading.Thread(target=control.serve_forever, daemon=True).start()
                told = environment(nginx, stack, f"http://127.0.0.1:{control.server_port}")
                return wait(told) if given.stack else drive(told, given.only)
        finally:
            nginx.stop()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
