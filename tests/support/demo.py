"""`make demo`: a little real traffic through the running stack, and what arrived.

Two posts, three counts, a signed delivery with a lead, the same delivery once more, and signed bytes
that are no JSON, which end as a dead letter."""
import hashlib
import hmac
import http.client
import json
import sys
import time
import urllib.parse

import run_files
import wire

SHOWN = (  # title, SQL
    ("entregas", "SELECT id, estado, via, octet_length(corpo) || ' bytes', coalesce(motivo, '') "
                 "FROM entregas ORDER BY id DESC LIMIT 3"),
    ("eventos", "SELECT id, chave, objeto, campo FROM eventos ORDER BY id DESC LIMIT 3"),
    ("leads", "SELECT leadgen_id, estado, formulario_id, criado_em FROM leads "
              "ORDER BY criado_em DESC LIMIT 3"),
)


class Api:
    def __init__(self, state):
        self.state = state
        self.connection = http.client.HTTPConnection(
            urllib.parse.urlsplit(state["API_URL"]).netloc, timeout=10)

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        text = answer.read().decode("utf-8")
        print(f"{method} {path}\n  {answer.status} {text[:240].strip()}{'...' if len(text) > 240 else ''}")
        if answer.status >= 300:
            sys.exit("demo: that was not to be expected; see .run/alicerce-api.log")
        return text

    def post(self, titulo, conteudo, autor):
        body = json.dumps({"titulo": titulo, "conteudo": conteudo, "autor": autor}).encode()
        self.ask("POST", "/api/posts", body, {"Content-Type": "application/json"})

    def deliver(self, body):
        mac = hmac.new(self.state["META_APP_SECRET"].encode(), body, hashlib.sha256).hexdigest()
        self.ask("POST", "/webhook", body,
                 {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={mac}"})


def lead(number):
    now = int(time.time())
    return json.dumps({"object": "page", "entry": [{"id": "1029384756", "time": now, "changes": [
        {"field": "leadgen", "value": {"leadgen_id": number, "page_id": "1029384756",
                                       "form_id": "777777777", "created_time": now}}]}]}).encode()


def database(state):
    url = urllib.parse.urlsplit(state["DATABASE_URL"])
    return wire.PgSession(url.port, url.username, url.password, url.path[1:])


def wait_for_worker(session, before):
    """Until the three deliveries are there; one of them died."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        done = int(session.value("SELECT count(*) FROM entregas WHERE estado <> 'pendente'"))
        if done >= before + 3:
            return
        time.sleep(0.1)
    sys.exit("demo: the deliveries did not arrive within 15 s; see .run/alicerce-worker.log")


def main():
    if run_files.runner_pid() is None:
        sys.exit("demo: nothing runs here: make run, in another terminal")
    state = run_files.read_json(run_files.STATE)
    if not state:
        sys.exit("demo: it is just starting; once more in a second")
    api, session = Api(state), database(state)
    before = int(session.value("SELECT count(*) FROM entregas WHERE estado <> 'pendente'"))
    api.post("Bem-vindo", "Um post de demonstração, com acentuação.", "Demo")
    api.post("Segundo post", "O mais novo vem primeiro.", "Demo")
    for _ in range(3):
        api.ask("GET", "/api/contador")
    delivery = lead(str(time.time_ns() // 1000))
    api.deliver(delivery)
    api.deliver(delivery)
    api.deliver(b"isto nao e JSON")
    api.ask("GET", "/api/posts?limite=2")
    api.ask("GET", "/api/stats")
    wait_for_worker(session, before)
    print("\nWhat the worker made of the deliveries:")
    for title, sql in SHOWN:
        print(f"{title}:")
        for row in session.query(sql):
            print("  " + "  ".join(cell or "-" for cell in row))


if __name__ == "__main__":
    main()
