"""`make bench-auth`: what a token adds to the CPU time of a GET.

Starts PostgreSQL, Redis and the API, all private, and loads routes without and with a token in short turns,
again and again within one run, so that the machine's own noise falls on all of them. Printed is the CPU time
of API, PostgreSQL and Redis for one request, how many requests shared a flight to the servers, and for each
pair the ratio of the sums: of each the median of its turns, so that a turn in which the machine did something
else counts for nothing.

    the same GET    GET /api/posts/1 without and with a token that is checked and asked about in Redis: what
                    the token costs, and nothing else. No route of ours is both, so the API is built with
                    BENCH_TOKEN_OPTIONAL: open routes check a token when one is sent (api/auth.c).
    two routes      GET /api/posts/1 and GET /api/auth/eu: a row by its id, without and with a token
    the same list   GET /api/posts, as above
    the same cache  GET /api/posts/cache, as above: it asks Redis by itself, and the question travels with that
    the same count  GET /api/contadores/visitas, as above

Exit code 1 when one of the first two is over --most at 64 connections or more, the load of all the project's
figures of CPU time, or one of the last two at any number. What asks PostgreSQL alone wakes Redis for its token,
and with few connections few requests share that: at one connection Redis' own share is a third of the open GET."""
import argparse
import math
import os
import re
import sys
from statistics import median

from bench import Meter, servers, wrk

sys.path.insert(0, os.path.join(servers.PROJECT, "tests", "support"))
import client  # noqa: E402
import tokens  # noqa: E402

PAIRS = {  # name: without, with (+) a token
    "the same GET": ("/api/posts/1", "+/api/posts/1"),
    "two routes": ("/api/posts/1", "+/api/auth/eu"),
    "the same list": ("/api/posts", "+/api/posts"),
    "the same cache": ("/api/posts/cache", "+/api/posts/cache"),
    "the same count": ("/api/contadores/visitas", "+/api/contadores/visitas"),
}
JUDGED = {"the same GET": 64, "two routes": 64, "the same cache": 1, "the same count": 1}  # from so many connections on
BINARIES = os.path.join(servers.PROJECT, "build", "bench-auth")
FLIGHTS = re.compile(r"^alicerce_(batches|batched_requests)_total{.*} (\d+)$", re.MULTILINE)


class Auth:
    def __init__(self, given):
        self.given = given
        self.stack = servers.Stack(worker=0, durable=True, env=tokens.ENV, binaries=BINARIES)
        self.used = {}  # target, connections: for each turn [CPU of API, PostgreSQL, Redis, sum, requests in a flight]
        self.token = None

    def flights(self):
        """All so far, and requests in them."""
        counted = {"batches": 0, "batched_requests": 0}
        for name, n in FLIGHTS.findall(client.call(self.stack.api.port, "GET", "/metrics").body.decode()):
            counted[name] += int(n)
        return list(counted.values())

    def turn(self, target, conns, counts):
        os.environ.pop("LOAD_TOKEN", None)
        if target.startswith("+"):
            os.environ["LOAD_TOKEN"] = self.token
        meter = []
        watched = [self.stack.api, self.stack.pg, self.stack.redis]
        before = self.flights()
        figures = wrk(self.stack.folder, self.stack.api.port, "GET", target.lstrip("+"), None, conns,
                      self.given.seconds, lambda: meter.append(Meter(watched)))
        if figures["errors"]:
            raise servers.Trouble(f"{target}: {figures['errors']} answers were none of 200")
        cpu = meter[0].stop(1)["cpu"]
        flights, flown = (after - n for after, n in zip(self.flights(), before))
        each = [us / figures["requests"] for us in cpu]
        if counts:
            self.used.setdefault((target, conns), []).append([*each, sum(each), flown / max(flights, 1)])

    def sign_in(self):
        answer = client.call(self.stack.api.port, "POST", "/api/auth/login",
                             json={"email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD})
        self.token = answer.json["token"]

    def run(self):
        targets = list(dict.fromkeys(t for name in self.given.pairs for t in PAIRS[name]))
        for turn in range(self.given.turns + 1):  # the first counts for nothing
            self.sign_in()
            for conns in self.given.conns:
                for target in targets:
                    self.turn(target, conns, turn > 0)

    def show(self):
        print("CPU microseconds of a request; + is with a token; the last column: requests in a flight")
        print(f"{'':26}{'conns':>6}{'API':>8}{'PG':>8}{'Redis':>8}{'sum':>8}{'shared':>8}")
        for (target, conns), turns in self.used.items():
            print(f"{'GET ' + target:26}{conns:6}" + "".join(f"{median(column):8.1f}" for column in zip(*turns)))
        worst = 0
        for name in self.given.pairs:
            without, signed = PAIRS[name]
            for conns in self.given.conns:
                ratio = median(s[3] / w[3] for s, w in zip(self.used[signed, conns], self.used[without, conns]))
                worst = max(worst, ratio) if conns >= JUDGED.get(name, math.inf) else worst
                print(f"{name:14} {conns:3} connections: {signed} costs {ratio:.2f} times {without}")
        return worst


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--pairs", default=",".join(PAIRS), help=f"of {','.join(PAIRS)} (all)")
    p.add_argument("--conns", default="1,16,64", help="connections, comma-separated (1,16,64)")
    p.add_argument("--turns", type=int, default=8, help="turns of each route (8)")
    p.add_argument("--seconds", type=int, default=1, help="of one turn (1)")
    p.add_argument("--most", type=float, default=1.3, help="highest ratio allowed (1.3)")
    given = p.parse_args()
    given.pairs = given.pairs.split(",")
    if any(name not in PAIRS for name in given.pairs):
        p.error(f"--pairs: of {','.join(PAIRS)}")
    given.conns = [int(c) for c in given.conns.split(",")]
    return given


def main():
    given = options()
    auth = Auth(given)
    with auth.stack:
        auth.run()
    worst = auth.show()
    print(f"the worst ratio of those that are judged is {worst:.2f}, {given.most:.2f} is allowed")
    return int(worst > given.most)


if __name__ == "__main__":
    sys.exit(main())
