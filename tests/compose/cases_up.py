"""Coming up, what is there then, and what outlives going down."""
import json
import re
import time

from engine import eventually
from load import ask, signed
from looks import (FIGURES, SECRET, SERVICES, deliver, expect, get, get_json, kill_9, post, same,
                   wait_healthy, wait_ok)


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
                    ADMIN_EMAIL="admin@exemplo.com.br", ADMIN_PASSWORD="tres-gatos-no-telhado",
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
    deliver(project, 7001)
    body, headers = signed(SECRET, 7001)
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


# Kerberos, LDAP, RTMP and SSH are not built into Alpine's libpq and libcurl (aports, main/postgresql18 and main/curl);
# in the place of glibc's libraries there is musl's one. An estimate, for every run: `make musl-image` measures.
DEBIANS_ALONE = re.compile(r"/lib(krb5|gssapi_krb5|k5crypto|krb5support|keyutils|com_err|ldap|lber|sasl2|ssh2|rtmp|gmp"
                           r"|nettle|hogweed|c|m|resolv)[.-]|/ld-linux")
MUSL = 700e3


def case_image_size(project):
    """the backend image: programs and libraries, file by file"""
    said = project.shell("sh", "docker/image-size.sh", "alicerce-backend:0.1.0",
                         env={"LINES_SHOWN": "4000"}).stdout
    FIGURES.append("with Debian's libraries, not Alpine's: " + said.splitlines()[0].split(" ", 1)[1])
    files = [(int(line.split()[0]), line.split()[1]) for line in said.splitlines()[1:]]
    own = sum(size for size, name in files if "local/bin" in name)
    debians = sum(size for size, name in files if DEBIANS_ALONE.search(name))
    rest = sum(size for size, _ in files) - debians + MUSL
    FIGURES.append(f"  with musl, and without what Debian's curl and libpq link and Alpine's do not: {rest / 1e6:.1f} MB")
    expect(debians > 0 and rest <= 15e6, f"{rest} bytes")
    FIGURES.append(f"  of which the two programs: {own / 1e6:.2f} MB")
    expect(own < 2e6, f"the programs take {own} bytes")
    expect(not re.search(r" (bin/(sh|busybox)|usr/bin/)", said), "there is a shell in it")


def case_client(project):
    """the client under its profile asks every route, an operator's too"""
    project.compose("--profile", "client", "up", "-d", "client")
    wanted = r"POST /webhook +\d+ ms  EVENT_RECEIVED(.|\n)*GET /api/leads +\d+ ms  .\"leads(.|\n)*/api/ao-vivo"
    log = eventually(lambda: (lambda text: re.search(wanted, text) and text)(
        project.logs("client")), 40)
    expect(log, f"the client's log:\n{project.logs('client')}")
    expect("FALHOU" not in log, log)
    project.compose("--profile", "client", "rm", "-sf", "client")


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
    deliver(project, 7002)
