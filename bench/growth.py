"""`make bench-growth`: what the same request costs with a thousand posts and with a million.

Starts a PostgreSQL (fsync on), a Redis (on disk before it is acknowledged) and two build/alicerce-api, each
with a database of its own: one has FEW posts, the other MANY. Their routes take turns under the same load, in
rounds that begin with the one and with the other; printed are the medians of the CPU time of API, PostgreSQL
and Redis for one request, and of the ratio within a round. --requests N then sends N requests for the list to
the larger one at 256 connections and prints the most memory that it held after each third.

    python3 bench/growth.py --rounds 7 --requests 3000000"""
import argparse
import statistics
import sys

from bench import ROUTES, cpu_us, peak_mb, servers, wrk

FILL = ("INSERT INTO posts (titulo, conteudo, autor) SELECT 'Post número ' || i, 'Conteúdo do post ' || i || "
        "', nem curto nem longo, como os de um blog.', 'Autor ' || i % 1000 FROM generate_series(1, {}) i")


class Side:
    """One API and its database."""

    def __init__(self, folder, pg, redis, database, posts):
        self.pg, self.redis, self.database, self.posts = pg, redis, database, posts
        self.api = servers.Program("alicerce-api", folder, name=database, env={
            "DATABASE_URL": pg.url.rsplit("/", 1)[0] + "/" + database,
            "REDIS_URL": f"redis://127.0.0.1:{redis.port}/{0 if database == 'alicerce' else 1}"})

    def start(self):
        if self.database != "alicerce":
            self.pg.query(f"CREATE DATABASE {self.database} OWNER alicerce", user="postgres")
        self.api.start()
        self.api.wait_serving()
        with self.pg.session(database=self.database, timeout=600) as session:
            session.query(FILL.format(self.posts))
            session.query("VACUUM ANALYZE")

    def cost(self, folder, route, conns, seconds):
        """CPU microseconds of all three for one request."""
        watched = (self.api, self.pg, self.redis)
        wrk(folder, self.api.port, *ROUTES[route], conns, 1)
        before = [cpu_us(s) for s in watched]
        figures = wrk(folder, self.api.port, *ROUTES[route], conns, seconds)
        if figures["errors"]:
            sys.exit(f"{route}: {figures['errors']} errors")
        return sum(cpu_us(s) - b for s, b in zip(watched, before)) / figures["requests"]


def compare(folder, few, many, given):
    """True when no route costs more than the limit allows."""
    print(f"{'':10}{few.posts:>12,}{many.posts:>12,}{'ratio':>8}   CPU us a request, {given.conns} connections")
    good = True
    for route in given.routes:
        costs = []
        for turn in range(given.rounds):
            sides = (few, many) if turn % 2 == 0 else (many, few)
            found = {side: side.cost(folder, route, given.conns, given.seconds) for side in sides}
            costs.append((found[few], found[many], found[many] / found[few]))
        small, large, ratio = (statistics.median(column) for column in zip(*costs))
        each = " ".join(f"{c[2]:.2f}" for c in costs)
        print(f"{route:10}{small:12.1f}{large:12.1f}{ratio:8.2f}   rounds: {each}", flush=True)
        good &= ratio <= given.most
    return good


def endure(folder, side, requests):
    sent = 0
    for third in (1, 2, 3):
        while sent < requests * third / 3:
            sent += wrk(folder, side.api.port, *ROUTES["posts"], 256, 2)["requests"]
        print(f"{sent:>12,} requests at 256 connections: {peak_mb(side.api):.1f} MB at the most", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--few", type=int, default=1000)
    p.add_argument("--many", type=int, default=1_000_000)
    p.add_argument("--routes", type=lambda s: s.split(","), default=["posts", "create", "stats"])
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=int, default=2, help="of a case")
    p.add_argument("--conns", type=int, default=64)
    p.add_argument("--most", type=float, default=1.15, help="the ratio from which on it fails (1.15)")
    p.add_argument("--requests", type=int, default=0, help="then so many at 256 connections (none)")
    given = p.parse_args()
    folder = servers.temporary_folder()
    pg = servers.PostgreSQL(folder, settings={"shared_buffers": "256MB", "max_wal_size": "4GB"})
    redis = servers.Redis(folder)
    few = Side(folder, pg, redis, "alicerce", given.few)
    many = Side(folder, pg, redis, "grande", given.many)
    for server in (pg, redis, few, many):
        server.start()
    good = compare(folder, few, many, given)
    if given.requests:
        endure(folder, many, given.requests)
    for server in (few.api, many.api, redis, pg):
        server.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
