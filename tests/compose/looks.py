"""What the cases are made of: questions to the front and to the engine, waiting, a load, and losses."""
import json
import os
import signal
import time

from engine import eventually
from load import Load, ask, signed

FIGURES = []  # lines for the end of the output
SERVICES = ("db", "redis", "backend", "worker", "frontend")
SECRET = "segredo-do-app-de-teste"


def expect(value, message):
    if not value:
        raise AssertionError(message)
    return value


def same(found, wanted, message):
    expect(found == wanted, f"{message}: {found!r}, want {wanted!r}")


def get(project, path, status=200, headers=None):
    got, head, body = ask(project.http, "GET", path, headers=headers)
    same(got, status, f"GET {path} ({body[:300]!r})")
    return head, body


def get_json(project, path):
    return json.loads(get(project, path)[1])


def post(project, path, value, status):
    got, head, body = ask(project.http, "POST", path, json.dumps(value).encode())
    same(got, status, f"POST {path} ({body[:300]!r})")
    return head, json.loads(body)


def wait_ok(project, seconds=90):
    expect(eventually(lambda: ask(project.http, "GET", "/status", timeout=5)[0] == 200, seconds),
           f"/status is not 200 after {seconds} s")


def health(project, container):
    return project.inspect(container)["State"].get("Health", {}).get("Status")


def wait_healthy(project, service, n, seconds=90):
    expect(eventually(lambda: len(project.ids(service)) == n and all(
        health(project, i) == "healthy" for i in project.ids(service)), seconds),
        f"{service}: not {n} healthy after {seconds} s")


def replicas_of(project, path, n):
    """How many of n requests each replica answered, of the front's log."""
    since = f"{time.time():.6f}"
    for _ in range(n):
        get(project, path)
    time.sleep(0.3)
    log = project.engine.docker("logs", "--since", since, project.ids("frontend")[0]).stdout
    found = {}
    for line in log.splitlines():
        if line.startswith("{") and json.loads(line)["caminho"] == path.split("?")[0]:
            replica = json.loads(line)["replica"]
            found[replica] = found.get(replica, 0) + 1
    return found


def kinds(project, with_posts=True):
    """A mixture: lists, the cached page, counts, one delivery in ten, one new post in ten."""
    serial = int(time.time()) * 100000

    def read(path):
        return lambda number: ("GET", path, None, None)

    def webhook(number):
        body, headers = signed(SECRET, serial + number)
        return "POST", "/webhook", body, headers

    def new_post(number):
        return "POST", "/api/posts", b'{"titulo":"carga","conteudo":"%d"}' % number, None
    reads = [read("/api/posts?limite=5"), read("/api/posts/cache"), read("/api/stats"),
             read("/api/contador"), read("/status")]
    return [*reads, *reads[:3], webhook if with_posts else reads[0],
            new_post if with_posts else reads[1]]


def steady(project, rate, what, work, with_posts=True):
    """work() under a load; no request may fail."""
    with Load(project.http, rate, kinds(project, with_posts)) as load:
        time.sleep(1)
        work()
        time.sleep(1)
    took = time.monotonic() - load._began
    FIGURES.append(f"{what}: {load.total} requests in {took:.0f} s ({load.total / took:.0f}/s of "
                   f"{rate}/s asked for), {len(load.failures)} failed, slowest {load.slowest:.2f} s")
    expect(not load.failures, f"{len(load.failures)} of {load.total} failed:\n"
           + "\n".join(load.failures[:20]) + "\n" + front_errors(project))
    return load


def front_errors(project):
    """The last lines of the front's error log."""
    log = project.engine.docker("logs", "--tail", "20000", project.ids("frontend")[0]).stdout
    return "\n".join([line[:300] for line in log.splitlines() if "[error]" in line][-40:])


def kill_9(project, container):
    """As a crash: by the process, not by the engine, which then starts it again."""
    os.kill(project.inspect(container)["State"]["Pid"], signal.SIGKILL)


def deliver(project, leadgen_id):
    """A signed delivery through the front, until it is in leads."""
    body, headers = signed(SECRET, leadgen_id)
    got, _, said = ask(project.http, "POST", "/webhook", body, headers)
    same((got, said), (200, b"EVENT_RECEIVED"), "the answer to a delivery")
    expect(eventually(lambda: project.sql(
        f"SELECT count(*) FROM leads WHERE leadgen_id = '{leadgen_id}'") == "1", 30), "no lead")
