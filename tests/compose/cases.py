"""What must hold of the stack in containers, in the order in which it is tried. A case takes the project
and raises when it does not hold; FOUNDATION are those without which the rest means nothing."""
import json
import os
import re
import signal
import subprocess
import threading
import time

from engine import eventually
from load import Load, ask, signed

FIGURES = []  # lines for the end of the output
SERVICES = ("db", "redis", "backend", "worker", "frontend")
SECRET = "segredo-do-app-de-teste"


# ---- small things --------------------------------------------------------------------

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
           + "\n".join(load.failures[:20]))
    return load


def kill_9(project, container):
    """As a crash: by the process, not by the engine, which then starts it again."""
    os.kill(project.inspect(container)["State"]["Pid"], signal.SIGKILL)


# ---- coming up -----------------------------------------------------------------------

def case_template(project):
    """.env.docker as it is starts nothing and says what to fill in"""
    project.shell("cp", ".env.docker", ".env")
    done = project.compose("up", "-d", check=False)
    expect(done.returncode != 0, "compose took empty secrets")
    expect("POSTGRES_PASSWORD" in done.stdout and "make env" in done.stdout, done.stdout)
    same(project.engine.docker("ps", "-aq").stdout, "", "containers")


def case_up(project):
    """cp .env.docker .env, make env, docker-compose 1.29 up: a first answer through the front"""
    project.shell("make", "-s", "env")
    for name in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "JWT_SECRET"):
        expect(len(project.env_value(name)) >= 32, f"make env left {name} empty")
    project.set_env(HTTP_PORT=project.http, HTTPS_PORT=project.https, META_APP_SECRET=SECRET,
                    COMPOSE_PROJECT_NAME="alicerce", FRONT_RATE=2000, FRONT_BURST=4000)
    began = time.monotonic()
    project.compose("up", "-d", seconds=300)
    wait_ok(project)
    FIGURES.append(f"up from nothing to the first answer: {time.monotonic() - began:.1f} s")
    for service in SERVICES:
        wait_healthy(project, service, 1)


def case_overrides(project):
    """the compose files of docker/ fit the main one, for 1.29"""
    for name in ("secrets", "remote"):
        project.shell(*project.compose_words, "-f", "docker-compose.yml", "-f",
                      f"docker/compose.{name}.yml", "config", "-q", env={"REDIS_HOST": "redis1"})


def case_routes(project):
    """every route through the front; /metrics not"""
    same(get_json(project, "/health"), {"status": "healthy"}, "/health")
    same(get_json(project, "/status")["status"], "ok", "/status")
    head, row = post(project, "/api/posts", {"titulo": "olá", "conteudo": "daqui"}, 201)
    same(head["Location"], f"/api/posts/{row['id']}", "Location")
    same(get_json(project, f"/api/posts/{row['id']}")["titulo"], "olá", "the post")
    same(get_json(project, "/api/posts?limite=1")["posts"][0]["id"], row["id"], "the newest")
    same(get_json(project, "/api/posts/cache")["posts"][0]["id"], row["id"], "the cached page")
    first = get_json(project, "/api/contador")["contador"]
    same(get_json(project, "/api/contador")["contador"], first + 1, "the counter")
    post(project, "/api/contadores/compose", {"incremento": 5}, 200)
    same(get_json(project, "/api/contadores/compose")["contador"], 5, "the named counter")
    expect(get_json(project, "/api/stats")["total_posts"] >= 4, "/api/stats")
    token = project.env_value("META_VERIFY_TOKEN")
    same(get(project, f"/webhook?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=77")[1],
         b"77", "the handshake")
    get(project, "/metrics", 404)
    get(project, "/api/%2e%2e/metrics", 404)
    log = project.engine.docker("logs", project.ids("frontend")[0]).stdout
    expect(token not in log, "the verify token is in the front's log")


def case_page(project):
    """the page, its assets, headers and caching"""
    head, page = get(project, "/")
    same(head["Cache-Control"], "no-store", "Cache-Control of the page")
    expect("frame-ancestors 'none'" in head["Content-Security-Policy"], "no CSP")
    same(get(project, "/um/caminho/da/pagina")[1], page, "another path of the page")
    for asset in re.findall(rb'(?:src|href)="(/assets/[^"]+)"', page):
        head, plain = get(project, asset.decode())
        expect("immutable" in head["Cache-Control"], asset)
        head, packed = get(project, asset.decode(), headers={"Accept-Encoding": "gzip"})
        same(head["Content-Encoding"], "gzip", asset)
        expect(len(packed) < len(plain), asset)


def case_webhook(project):
    """a delivery through the front lands in leads"""
    body, headers = signed(SECRET, 7001)
    got, _, said = ask(project.http, "POST", "/webhook", body, headers)
    same((got, said), (200, b"EVENT_RECEIVED"), "the answer")
    expect(eventually(lambda: project.sql(
        "SELECT count(*) FROM leads WHERE leadgen_id = '7001'") == "1", 20), "no lead")
    same(ask(project.http, "POST", "/webhook", body + b" ", headers)[0], 401, "a bad signature")


def case_hardening(project):
    """nobody is root, can write to its image, has capabilities or a published port too many"""
    for service in SERVICES:
        found = project.inspect(project.ids(service)[0])
        host = found["HostConfig"]
        expect(re.match(r"[1-9]\d*:\d+$", found["Config"]["User"]), f"{service}: user")
        same(host["CapDrop"], ["ALL"], f"{service}: CapDrop")
        expect(host["ReadonlyRootfs"], f"{service}: its root can be written to")
        expect(any("no-new-privileges" in o for o in host["SecurityOpt"]), f"{service}: privileges")
        expect(host["Memory"] > 0 and host["PidsLimit"] > 0 and host["NanoCpus"] > 0,
               f"{service}: a limit is missing")
        same(host["RestartPolicy"]["Name"], "unless-stopped", f"{service}: restart")
        same(host["LogConfig"]["Config"].get("max-size"), "10m", f"{service}: log rotation")
        expect(found["Config"].get("Healthcheck"), f"{service}: no health check")
        published = [p for p in (host["PortBindings"] or {}).values() if p]
        same(bool(published), service == "frontend", f"{service}: published ports")
    backend = project.inspect(project.ids("backend")[0])
    same(backend["Config"]["Labels"]["org.opencontainers.image.version"], "0.1.0", "version label")
    networks = json.loads(project.engine.docker("network", "inspect", "alicerce_db-network").stdout)
    expect(networks[0]["Internal"], "db-network leads out")


def case_idle_memory(project):
    """backend, worker and front together take 40 MB at rest"""
    time.sleep(5)
    total = 0
    for service in ("backend", "worker", "frontend"):
        pids = project.engine.docker("top", project.ids(service)[0], "-eo", "pid").stdout.split()[1:]
        kib = 0
        for pid in pids:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                kib += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.MULTILINE).group(1))
        total += kib
        FIGURES.append(f"idle memory (proportional set size), {service}: {kib / 1024:.1f} MiB")
    FIGURES.append(f"idle memory of the three: {total / 1024:.1f} MiB")
    expect(total * 1024 <= 40e6, f"{total} KiB")


def case_image_size(project):
    """the backend image: programs and libraries, file by file"""
    said = project.shell("sh", "docker/image-size.sh", "alicerce-backend:0.1.0",
                         env={"LINES_SHOWN": "4000"}).stdout
    FIGURES.append("with Debian's libraries, not Alpine's: " + said.splitlines()[0].split(" ", 1)[1])
    own = sum(int(line.split()[0]) for line in said.splitlines()[1:] if "local/bin" in line)
    FIGURES.append(f"  of which the two programs: {own / 1e6:.2f} MB")
    expect(own < 2e6, f"the programs take {own} bytes")
    expect(not re.search(r" (bin/(sh|busybox)|usr/bin/)", said), "there is a shell in it")


def case_client(project):
    """the client under its profile asks every route"""
    project.compose("--profile", "client", "up", "-d", "client")
    wanted = r"POST /webhook +\d+ ms  EVENT_RECEIVED"
    log = eventually(lambda: (lambda text: re.search(wanted, text) and text)(
        project.logs("client")), 40)
    expect(log, f"the client's log:\n{project.logs('client')}")
    expect("FALHOU" not in log, log)
    project.compose("--profile", "client", "rm", "-sf", "client")


def case_deploy_by_the_old_compose(project):
    """make deploy by docker-compose 1.29 under 100 requests a second: none fails"""
    before = set(project.ids("backend"))
    steady(project, 100, "rolling replacement of one, by docker-compose 1.29",
           lambda: project.shell("make", "-s", "deploy", env={"BUILD": "no"}, seconds=240))
    after = set(project.ids("backend"))
    expect(len(after) == 1 and before.isdisjoint(after), f"{before} became {after}")


# ---- down and up, in any order -------------------------------------------------------

def case_down_and_up(project):
    """SIGTERM drains; data survive down and up, which Compose 2 does in the wrong order"""
    before = (project.sql("SELECT count(*) FROM posts"), project.sql("SELECT count(*) FROM leads"),
              get_json(project, "/api/contadores/compose"))
    programs = project.ids("backend") + project.ids("worker")
    began = time.monotonic()
    project.compose("stop", seconds=120)
    FIGURES.append(f"stopping all: {time.monotonic() - began:.1f} s")
    for program in programs:
        same(project.inspect(program)["State"]["ExitCode"], 0, "the exit code of a program")
    project.compose("down")
    if project.engine.install_compose_2():
        project.use_compose_2()
    FIGURES.append("from here on: " + project.compose("version").stdout.splitlines()[0])
    for service in ("frontend", "worker", "backend", "redis", "db"):
        project.compose("up", "-d", "--no-deps", service)
    wait_ok(project)
    project.compose("up", "-d")
    wait_ok(project)
    after = (project.sql("SELECT count(*) FROM posts"), project.sql("SELECT count(*) FROM leads"),
             get_json(project, "/api/contadores/compose"))
    same(after, before, "what was there before")


def case_overrides_by_compose_2(project):
    """the compose files of docker/ fit the main one, for Compose 2"""
    case_overrides(project)


def case_backup_and_restore(project):
    """docs/operations.md's backup of PostgreSQL and Redis, restored"""
    def sh(text):
        project.shell("sh", "-euc", text.replace("COMPOSE", " ".join(project.compose_words)))
    count = "SELECT count(*) || ' ' || coalesce(max(id), 0) FROM posts"
    before, counter = project.sql(count), get_json(project, "/api/contadores/compose")
    sh("COMPOSE exec -T db pg_dump -U postgres -Fc alicerce > pg.dump")
    sh("COMPOSE exec -T redis tar -C /data -c . > redis.tar")
    post(project, "/api/posts", {"titulo": "depois", "conteudo": "x"}, 201)
    post(project, "/api/contadores/compose", {"incremento": 100}, 200)
    sh("COMPOSE stop backend worker")
    sh("COMPOSE exec -T db pg_restore -U postgres -d alicerce --clean --if-exists < pg.dump")
    sh("COMPOSE stop redis && docker run --rm -i -v alicerce_redis_data:/data --network none alpine:3.23 "
       "sh -c 'rm -rf /data/* && tar -C /data -x' < redis.tar")
    sh("COMPOSE up -d")
    wait_ok(project)
    same(project.sql(count), before, "posts")
    same(get_json(project, "/api/contadores/compose"), counter, "the counter")
    post(project, "/api/posts", {"titulo": "e anda", "conteudo": "x"}, 201)


def case_services_lost(project):
    """database, Redis, worker, front killed one after the other: it comes back by itself"""
    for service in ("db", "redis", "worker", "frontend"):
        kill_9(project, project.ids(service)[0])
        wait_ok(project)
        wait_healthy(project, service, 1)
    case_webhook_again(project, 7002)


def case_webhook_again(project, leadgen_id):
    body, headers = signed(SECRET, leadgen_id)
    same(ask(project.http, "POST", "/webhook", body, headers)[0], 200, "a delivery")
    expect(eventually(lambda: project.sql(
        f"SELECT count(*) FROM leads WHERE leadgen_id = '{leadgen_id}'") == "1", 30), "no lead")


# ---- replicas ------------------------------------------------------------------------

def scale(project, n, seconds=90):
    project.compose("up", "-d", "--no-recreate", "--scale", f"backend={n}")
    wait_healthy(project, "backend", n, seconds)


def case_scale_to_three(project):
    """--scale backend=3: requests spread within 2 : 1, counters and cache exact"""
    project.compose("up", "-d", "--scale", "backend=3")
    wait_healthy(project, "backend", 3)
    wait_ok(project)
    time.sleep(2)
    found = replicas_of(project, "/api/stats", 300)
    FIGURES.append(f"300 requests over three replicas: {sorted(found.values())}")
    same(len(found), 3, f"replicas that answered {found}")
    expect(max(found.values()) <= 2 * min(found.values()), found)
    look_at_counters(project)
    look_at_cache(project)


def look_at_counters(project):
    """400 callers from 8 threads: every one its own number, none skipped."""
    seen, lock = [], threading.Lock()

    def work():
        for _ in range(50):
            number = get_json(project, "/api/contador")["contador"]
            with lock:
                seen.append(number)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    same(sorted(seen), list(range(min(seen), min(seen) + 400)), "the numbers")


def look_at_cache(project):
    """A post whose 201 was sent is in the cached page, whichever replica is asked."""
    for i in range(40):
        row = post(project, "/api/posts", {"titulo": f"cache {i}", "conteudo": "x"}, 201)[1]
        for _ in range(3):
            same(get_json(project, "/api/posts/cache")["posts"][0]["id"], row["id"], "the first")


def case_scale_up_and_down(project):
    """3 to 5 to 2 under load: all five answer, none fails"""
    def work():
        scale(project, 5)
        time.sleep(2)
        found = replicas_of(project, "/health", 200)
        same(len(found), 5, f"replicas that answered {found}")
        scale(project, 2)
    steady(project, 100, "3 to 5 to 2 replicas", work, with_posts=False)


def case_kill_9_of_a_backend(project):
    """kill -9 of a backend under load: no GET fails, and it comes back"""
    def work():
        kill_9(project, project.ids("backend")[0])
        time.sleep(3)
    steady(project, 100, "kill -9 of one of two", work, with_posts=False)
    wait_healthy(project, "backend", 2)


def case_rolling_replacement(project):
    """make deploy five times under 200 requests a second: none fails, POSTs among them"""
    scale(project, 3)
    before = set(project.ids("backend"))

    def work():
        for _ in range(5):
            project.shell("make", "-s", "deploy", env={"BUILD": "no"}, seconds=240)
    steady(project, 200, "rolling replacement of three, five times", work)
    same(len(project.ids("backend")), 3, "backends after it")
    expect(before.isdisjoint(project.ids("backend")), "an old one is still there")


def case_failed_deploy(project):
    """a new version that does not get ready is taken away again, unnoticed"""
    before = set(project.ids("backend"))
    project.set_env(REQUEST_TIMEOUT_MS="errado")

    def work():
        done = project.shell("sh", "docker/deploy.sh", env={"BUILD": "no", "READY_SECONDS": "8"},
                             check=False)
        expect(done.returncode != 0, done.stdout)
        expect("REQUEST_TIMEOUT_MS" in done.stdout, done.stdout)
    try:
        steady(project, 50, "a deploy that fails", work)
    finally:
        project.set_env(REQUEST_TIMEOUT_MS=5000)
    same(set(project.ids("backend")), before, "backends after it")


def case_nginx_reload(project):
    """nginx reload five times under 200 requests a second: none fails"""
    def work():
        for _ in range(5):
            project.engine.docker("exec", project.ids("frontend")[0], "nginx", "-s", "reload")
            time.sleep(1)
    steady(project, 200, "nginx reload, five times", work)


# ---- TLS, secrets from files ---------------------------------------------------------

def make_certificates(project):
    """A server's certificate, an authority, and what Meta's client would show."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=project.path("docker", "tls"), check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def request(name, subject):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out",
                f"{name}.csr", "-subj", subject)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-keyout", "privkey.pem", "-out", "fullchain.pem")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=ca",
            "-keyout", "ca.key", "-out", "meta-ca.pem")
    for name, cn in (("meta", "client.webhooks.fbclientcerts.com"), ("other", "example.com")):
        request(name, f"/O=x/CN={cn}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "meta-ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-out", f"{name}.pem")
    for name in os.listdir(project.path("docker", "tls")):
        os.chmod(project.path("docker", "tls", name), 0o644)


def curl(project, path, *more):
    done = project.shell("curl", "-sk", "-o", "/dev/null", "-D", "-", "--max-time", "10", *more,
                         f"https://127.0.0.1:{project.https}{path}")
    return int(done.stdout.split()[1]), done.stdout


def case_tls(project):
    """certificates in the folder turn TLS on: redirect, HSTS, and Meta's client certificate alone"""
    make_certificates(project)
    project.compose("up", "-d", "--no-deps", "--force-recreate", "frontend")
    expect(eventually(lambda: curl(project, "/health")[0] == 200, 40), "no answer by TLS")
    status, head = curl(project, "/health")
    expect("strict-transport-security" in head.lower(), head)
    got, head, _ = ask(project.http, "GET", "/api/stats?x=1")
    same((got, head["Location"]), (308, f"https://127.0.0.1:{project.https}/api/stats?x=1"), "HTTP")
    folder = project.path("docker", "tls")
    shake = f"/webhook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=" \
            f"{project.env_value('META_VERIFY_TOKEN')}"
    same(curl(project, shake)[0], 403, "/webhook without a certificate")
    for name, wanted in (("other", 403), ("meta", 200)):
        same(curl(project, shake, "--cert", f"{folder}/{name}.pem", "--key", f"{folder}/{name}.key")[0],
             wanted, f"/webhook with {name}'s certificate")
    wait_healthy(project, "frontend", 1)
    for name in os.listdir(folder):
        if name.endswith((".pem", ".key", ".csr", ".srl")):
            os.unlink(os.path.join(folder, name))


def case_secrets_from_files(project):
    """SECRETS=files: the same stack, and no secret in the environment of a container"""
    secrets = [project.env_value(n) for n in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "JWT_SECRET",
                                              "META_VERIFY_TOKEN", "META_APP_SECRET")]
    project.compose("down", "-v", seconds=120)
    project.shell("make", "-s", "env", "SECRETS=files")
    project.compose("up", "-d", seconds=300)
    wait_ok(project)
    case_webhook_again(project, 7003)
    for service in SERVICES:
        environment = json.dumps(project.inspect(project.ids(service)[0])["Config"])
        expect(not any(secret in environment for secret in secrets), f"{service} shows a secret")
    project.compose("down", "-v", seconds=120)
    same(project.engine.docker("ps", "-aq").stdout, "", "containers")


FOUNDATION = (case_template, case_up)
CASES = (case_template, case_up, case_overrides, case_routes, case_page, case_webhook,
         case_hardening, case_idle_memory, case_image_size, case_client,
         case_deploy_by_the_old_compose, case_down_and_up, case_overrides_by_compose_2,
         case_backup_and_restore, case_services_lost, case_scale_to_three, case_scale_up_and_down,
         case_kill_9_of_a_backend, case_rolling_replacement, case_failed_deploy, case_nginx_reload,
         case_tls, case_secrets_from_files)
