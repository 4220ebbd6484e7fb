"""`make bench`: what each route costs, with nginx, pgbench and redis-benchmark beside it.

Starts a PostgreSQL (fsync on), a Redis (as the queue wants it: on disk before it is acknowledged) and
build/alicerce-api with its default THREADS, all private and on the loopback, loads one route after the
other with wrk and prints requests/s, latency, and the CPU time that API, PostgreSQL and Redis took for
one request. The yardsticks do the same work without an API in between. Each case lasts --seconds and
ends by itself. The worker does not run: what it costs is not the route's.
"""
import argparse
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests", "support"))
import cleaner  # noqa: E402
import servers  # noqa: E402

SECRET = "bench"
POST = json.dumps({"titulo": "Título de teste de carga", "autor": "Maria",
                   "conteudo": "Conteúdo com acentuação, \"aspas\" e cento e vinte caracteres, "
                               "para que a linha tenha um tamanho parecido com o de uso real."},
                  ensure_ascii=False)
DELIVERY = json.dumps({"object": "page", "entry": [{"id": "1029384756", "time": 1700000000, "changes": [
    {"field": "leadgen", "value": {"leadgen_id": "444444444444", "page_id": "1029384756",
                                   "form_id": "777777777", "created_time": 1700000000}}]}]})
ROUTES = {  # name: method, path, body
    "health": ("GET", "/health", None),
    "posts": ("GET", "/api/posts", None),
    "create": ("POST", "/api/posts", POST),
    "cache": ("GET", "/api/posts/cache", None),
    "counter": ("GET", "/api/contador", None),
    "stats": ("GET", "/api/stats", None),
    "webhook": ("POST", "/webhook", DELIVERY),
}
SELECT = "SELECT id, titulo, conteudo, autor, data_criacao FROM posts ORDER BY id DESC LIMIT 50"
INSERT = ("INSERT INTO posts (titulo, conteudo, autor) VALUES ('Título de teste de carga', 'Conteúdo com "
          "acentuação e cento e vinte caracteres, para que a linha tenha um tamanho parecido com o de "
          "uso real', 'Maria') RETURNING id, titulo, conteudo, autor, data_criacao")
TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")
FOREIGN = 10  # percent of the machine's CPU taken by others, from which on a case is marked


# ---- CPU and memory, from /proc ------------------------------------------------------

def cpu_us(server):
    """User and system time of a server's processes, those included that have ended."""
    total = 0
    for pid in cleaner.tree(server.pid):
        fields = cleaner.stat_fields(pid)
        total += sum(map(int, fields[11:15])) if fields else 0
    return total * TICK_US


def machine_us():
    """Busy and all CPU time of the machine."""
    with open("/proc/stat", encoding="ascii") as f:
        user, nice, system, idle, wait, irq, softirq, steal = map(int, f.readline().split()[1:9])
    busy = user + nice + system + irq + softirq
    return busy * TICK_US, (busy + idle + wait + steal) * TICK_US


def forget_peak(server):
    with open(f"/proc/{server.pid}/clear_refs", "w", encoding="ascii") as f:
        f.write("5")


def peak_mb(server):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) / 1024


class Meter:
    """CPU of the servers between its birth and stop(), and how much of the machine others took."""

    def __init__(self, watched):
        self.watched = watched
        self.before = self.read()

    def read(self):
        own = os.times()
        return ([cpu_us(s) if s else 0 for s in self.watched],
                sum(own[:4]) * 1e6, machine_us())

    def stop(self, requests):
        servers_0, own_0, (busy_0, all_0) = self.before
        servers_1, own_1, (busy_1, all_1) = self.read()
        used = [after - before for before, after in zip(servers_0, servers_1)]
        foreign = busy_1 - busy_0 - sum(used) - (own_1 - own_0)
        return {"cpu": [u / max(requests, 1) for u in used],
                "foreign": max(0.0, 100 * foreign / max(all_1 - all_0, 1))}


# ---- what is measured ----------------------------------------------------------------

class Nginx(servers.Server):
    """Answers 200 and the body of /health: what HTTP alone costs on this machine."""

    def __init__(self, folder):
        super().__init__("nginx", folder)
        self.port = servers.free_port()
        self.conf = os.path.join(folder, "nginx.conf")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f"""worker_processes auto; daemon off; pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 2048; }}
http {{
  access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{self.port} reuseport; default_type application/json;
           location / {{ return 200 '{{"status":"healthy"}}'; }} }}
}}
""")

    def command(self):
        return ["nginx", "-e", "stderr", "-p", self.folder, "-c", self.conf]

    def is_ready(self):
        return servers.Program.get(self, "/health") == 200


def wrk(folder, port, method, path, body, conns, seconds, begin=lambda: None):
    report = os.path.join(folder, "wrk.json")
    env = dict(os.environ, LOAD_METHOD=method, LOAD_REPORT=report)
    if body:
        mac = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
        env.update(LOAD_BODY=body, LOAD_SIGNATURE=f"sha256={mac}")
    begin()
    subprocess.run(["wrk", "-t", "1", "-c", str(conns), "-d", f"{seconds}s", "--timeout", "5s", "-s",
                    os.path.join(HERE, "load.lua"), f"http://127.0.0.1:{port}{path}"],
                   env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    with open(report, encoding="ascii") as f:
        r = json.load(f)
    return {"rps": r["requests"] / r["us"] * 1e6, **r}


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0


class Pgbench:
    """One statement, prepared, from so many connections."""

    def __init__(self, folder, pg, statement, conns):
        self.pg, self.conns, self.folder = pg, conns, folder
        self.log = os.path.join(folder, "pgbench_log")
        self.script = os.path.join(folder, "pgbench.sql")
        self.connecting = 1  # seconds that -T has to allow for it
        with open(self.script, "w", encoding="utf-8") as f:
            f.write(statement + ";\n")

    def __call__(self, seconds, begin):
        """begin() is called once all are connected: processes and log-ins are not the statement's."""
        launched = time.time()
        run = subprocess.Popen(
            [os.path.join(servers.postgres_bin(), "pgbench"), "-n", "-M", "prepared", "-c",
             str(self.conns), "-j", "1", "-T", str(seconds + self.connecting), "-l",
             f"--log-prefix={self.log}", "-f", self.script, "-h", "127.0.0.1", "-p",
             str(self.pg.port), "-U", "pgbench", "alicerce"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        connected = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'pgbench'"
        while run.poll() is None and int(self.pg.value(connected, timeout=30)) < self.conns:
            time.sleep(0.02)
        begin()
        began = time.time()
        self.connecting = 1 + int(began - launched)
        if run.wait() != 0:
            raise servers.Trouble(f"pgbench failed with {run.returncode}")
        elapsed, took = time.time() - began, self.latencies(began)
        return {"requests": len(took), "rps": len(took) / elapsed,
                "p50": percentile(took, 0.50), "p99": percentile(took, 0.99), "errors": 0}

    def latencies(self, since):
        """Of the transactions that ended since then, in order. The log has one file a thread, of
        lines: client, transaction, µs, script, second, µs of it."""
        took = []
        for name in os.listdir(self.folder):
            if name.startswith("pgbench_log"):
                path = os.path.join(self.folder, name)
                with open(path, encoding="ascii") as f:
                    rows = (line.split() for line in f)
                    took += [int(r[2]) for r in rows if int(r[4]) + int(r[5]) / 1e6 >= since]
                os.unlink(path)
        return sorted(took)


def redis_benchmark(redis, words, conns, seconds, begin):
    requests = 25_000 * seconds
    begin()
    out = subprocess.run(["redis-benchmark", "-p", str(redis.port), "-c", str(conns), "-n", str(requests),
                          "--csv", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         text=True, check=True).stdout
    # "test","rps","avg_latency_ms","min","p50","p95","p99","max", the name may hold commas
    figures = re.findall(r'"([\d.]+)"', out.splitlines()[-1])[-7:]
    return {"requests": requests, "rps": float(figures[0]), "p50": float(figures[3]) * 1000,
            "p99": float(figures[5]) * 1000, "errors": 0}


class Bench:
    def __init__(self, given):
        self.given = given
        self.folder = servers.temporary_folder()
        self.pg = servers.PostgreSQL(self.folder, settings={
            "shared_buffers": "256MB", "max_wal_size": "4GB", "max_connections": "400"})
        self.redis = servers.Redis(self.folder)
        if given.no_aof:
            self.redis.settings["appendonly"] = "no"
        self.api = servers.Program("alicerce-api", self.folder, {
            "DATABASE_URL": self.pg.url, "REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(self.redis.port),
            "META_APP_SECRET": SECRET})
        if given.threads:
            self.api.env["THREADS"] = str(given.threads)
        self.nginx = Nginx(self.folder)
        self.bad = self.noisy = False

    def start(self):
        for server in (self.pg, self.redis, self.api):
            server.start()
        self.let_pgbench_in()
        self.api.wait_serving()
        for name, (method, path, body) in ROUTES.items():  # all of them once, before anything counts
            wrk(self.folder, self.api.port, method, path, body, 8, 1)

    def let_pgbench_in(self):
        """Without a password: what logging in costs is no part of the yardstick."""
        self.pg.query("CREATE ROLE pgbench SUPERUSER LOGIN", user="postgres")
        hba = os.path.join(self.pg.data, "pg_hba.conf")
        with open(hba, "r+", encoding="utf-8") as f:
            rules = f.read()
            f.seek(0)
            f.write("host all pgbench 127.0.0.1/32 trust\n" + rules)
        self.pg.query("SELECT pg_reload_conf()", user="postgres")

    def stop(self):
        for server in (self.nginx, self.api, self.redis, self.pg):
            server.stop()

    def reset(self):
        """The same stores for every case: so many posts, nothing in Redis."""
        self.pg.query("TRUNCATE posts RESTART IDENTITY CASCADE", timeout=60)
        self.pg.query("INSERT INTO posts (titulo, conteudo, autor) SELECT 'Post número ' || i, 'Conteúdo "
                      "do post ' || i || ', nem curto nem longo, como os de um blog.', 'Autor ' || i "
                      f"FROM generate_series(1, {self.given.rows}) i", timeout=300)
        self.pg.query("VACUUM ANALYZE posts", timeout=300)
        self.redis.call("FLUSHALL")

    def case(self, label, conns, front, load):
        """front: the server before the two stores, None for none."""
        self.reset()
        load(1, lambda: None)
        if front:
            forget_peak(front)
        meter = []
        figures = load(self.given.seconds, lambda: meter.append(Meter([front, self.pg, self.redis])))
        figures.update(meter[0].stop(figures["requests"]))
        figures["rss"] = peak_mb(front) if front else 0
        self.show(label, conns, front, figures)

    def show(self, label, conns, front, r):
        marks = "~" if r["foreign"] > FOREIGN else ""
        marks += f" {r['errors']} ERRORS" if r["errors"] else ""
        self.noisy |= r["foreign"] > FOREIGN
        self.bad |= bool(r["errors"]) and front is self.api
        cells = [f"{c:7.1f}" if c >= 0.05 else f"{'-':>7}" for c in [*r["cpu"], sum(r["cpu"])]]
        rss = f"{r['rss']:6.1f}" if front is self.api else f"{'':6}"
        print(f"{label:24}{conns:5}{r['rps']:10,.0f}{r['p50'] / 1000:9.2f}{r['p99'] / 1000:9.2f}"
              f"{''.join(cells)} {rss} {marks}".rstrip(), flush=True)

    def route(self, name, conns):
        method, path, body = ROUTES[name]
        self.case(f"{method} {path}", conns, self.api,
                  lambda *when: wrk(self.folder, self.api.port, method, path, body, conns, *when))

    def yardsticks(self, conns):
        f = self.folder
        self.nginx.start()
        self.case("nginx return 200", conns, self.nginx, lambda *when: wrk(
            f, self.nginx.port, "GET", "/health", None, conns, *when))
        self.nginx.stop()
        for label, sql in (("pgbench select", SELECT), ("pgbench insert", INSERT)):
            self.case(label, conns, None, Pgbench(f, self.pg, sql, conns))
        body = DELIVERY
        for label, words in (("redis-benchmark GET", ["GET", "posts_cache"]),
                             ("redis-benchmark INCR", ["INCR", "contador_requisicoes"]),
                             ("redis-benchmark XADD", ["XADD", "s", "*", "corpo", body])):
            self.case(label, conns, None,
                      lambda *when, words=words: redis_benchmark(self.redis, words, conns, *when))


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--conns", default="1,64,256", help="connections, comma-separated (1,64,256)")
    p.add_argument("--routes", default=",".join(ROUTES), help=f"of {','.join(ROUTES)} (all)")
    p.add_argument("--seconds", type=int, default=2, help="measured seconds a case (2)")
    p.add_argument("--rows", type=int, default=3, help="posts in the table (3)")
    p.add_argument("--threads", type=int, help="THREADS of the API (its default: cores)")
    p.add_argument("--no-aof", action="store_true", help="Redis without its append-only file")
    p.add_argument("--no-yardsticks", action="store_true")
    given = p.parse_args()
    given.conns = [int(c) for c in given.conns.split(",")]
    given.routes = given.routes.split(",")
    if any(r not in ROUTES for r in given.routes) or not all(1 <= c <= 1000 for c in given.conns):
        p.error(f"--routes: of {','.join(ROUTES)}; --conns: from 1 to 1000")
    if not 1 <= given.seconds <= 60:
        p.error("--seconds: from 1 to 60")
    return given


def heading(given):
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = re.search(r"model name\s*:\s*(.*)", f.read())
    print(f"{os.cpu_count()} cores, {model.group(1) if model else 'processor unknown'}; "
          f"{given.rows} posts; Redis {'without its append-only file' if given.no_aof else 'appendfsync always'}; "
          f"{given.seconds} s a case\n")
    print(f"{'':24}{'':5}{'':10}{'latency, ms':>18}{'CPU time a request, µs':>28}{'peak':>7}")
    print(f"{'':24}{'conns':>5}{'req/s':>10}{'p50':>9}{'p99':>9}{'front':>7}{'PG':>7}{'Redis':>7}"
          f"{'sum':>7}{'RSS MB':>7}")


def main():
    given = options()
    for tool in ("wrk", "nginx", "redis-benchmark"):
        if not shutil.which(tool):
            print(f"bench: {tool} is not installed (make bench installs it)", file=sys.stderr)
            return 1
    bench, began = Bench(given), time.monotonic()
    bench.start()
    heading(given)
    for conns in given.conns:
        for name in given.routes:
            bench.route(name, conns)
        print()
    if not given.no_yardsticks:
        bench.yardsticks(64 if 64 in given.conns else given.conns[0])
    bench.stop()
    print(f"\nfront: the API, or nginx. {time.monotonic() - began:.0f} s in all."
          + (f" ~ others took more than {FOREIGN} % of this machine's CPU meanwhile." if bench.noisy else ""))
    return 1 if bench.bad else 0


if __name__ == "__main__":
    sys.exit(main())
