"""`make bench-flood`: do 10,000 wrong sign-ins slow other users down?

Starts PostgreSQL, Redis and build/alicerce-api, all private, and asks GET /api/posts and an authenticated
GET /api/auth/eu from a few paced clients: quietly, beside a control, and beside wrong sign-ins, in short turns
within one run, so that the machine's own noise falls on all three. The control are as many connections that
send as often something that costs next to nothing (404): what it does to the others is done by the machine,
which has the load generator on it. The floods:

    attack    one who guesses at one account from one address: 401 ten times, then 429. At least --logins
    hashed    each for an account and from an address of its own, so that no limit helps: all are hashed, as
              many as can be
    overflow  the same from more connections than may wait for a hash: the rest gets 503

Printed are p50 and p99, and the ratios of the p99 to the quiet one: of each the median of the turns. Exit code 1
when that of a flood is over --most."""
import argparse
import json
import os
import subprocess
import sys
import time
from statistics import median

from bench import HERE, percentile, servers

sys.path.insert(0, os.path.join(servers.PROJECT, "tests", "support"))
import client  # noqa: E402
import tokens  # noqa: E402

FLOODS = {"attack": (64, "one"), "hashed": (60, "many"), "overflow": (256, "many")}  # connections, who
WATCHED = {"GET /api/posts": ("/api/posts", False), "GET /api/auth/eu": ("/api/auth/eu", True)}
TURNS_MAX = 20


class Flood:
    def __init__(self, given):
        self.given = given
        self.stack = servers.Stack(worker=0, durable=True, env={**tokens.ENV, "TRUSTED_PROXIES": "127.0.0.0/8"})
        self.number = 0

    def wrk(self, script, path, conns, seconds, report, **env):
        threads = min(2, conns)
        return subprocess.Popen(
            ["wrk", "-t", str(threads), "-c", str(conns), "-d", f"{seconds}s", "--timeout", "10s", "-s",
             os.path.join(HERE, script), f"http://127.0.0.1:{self.stack.api.port}{path}"],
            env=dict(os.environ, LOAD_REPORT=report, **env), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL)

    def file(self, name):
        return os.path.join(self.stack.folder, name)

    def watch(self, token):
        """The paced clients, for one turn. Latencies in microseconds by route, each (µs, how many)."""
        runs = []
        for n, (path, signed) in enumerate(WATCHED.values()):
            env = {"LOAD_TOKEN": token} if signed else {}
            runs.append(self.wrk("load.lua", path, self.given.conns, self.given.seconds, self.file(f"r{n}"),
                                 LOAD_METHOD="GET", LOAD_PAUSE=str(self.given.pause),
                                 LOAD_LATENCIES=self.file(f"l{n}"), **env))
        found = {}
        for n, (label, run) in enumerate(zip(WATCHED, runs)):
            if run.wait(self.given.seconds + 30) != 0:
                raise servers.Trouble("wrk failed")
            with open(self.file(f"r{n}"), encoding="ascii") as f:
                if json.load(f)["errors"]:
                    raise servers.Trouble(f"{label}: not all were answered with 200")
            with open(self.file(f"l{n}"), encoding="ascii") as f:
                found[label] = [tuple(map(int, line.split())) for line in f]
        return found

    def token(self):
        """What the flood before has left waiting is hashed first."""
        deadline = time.monotonic() + 60
        while True:
            answer = client.call(self.stack.api.port, "POST", "/api/auth/login",
                                 json={"email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD})
            if answer.status == 200 or time.monotonic() > deadline:
                return answer.json["token"]
            time.sleep(0.5)

    def beside(self, token, conns, who):
        """One turn beside so many connections: what was found, and their answers by status."""
        seconds = self.given.seconds + 1
        run = self.wrk("flood.lua", "/", conns, seconds, self.file("flood"), LOAD_FIRST=str(self.number),
                       LOAD_WHO=who, LOAD_PAUSE=str(self.given.flood_pause))
        self.number += 1 << 16  # its second thread begins there, too: the same addresses twice are few
        time.sleep(0.5)
        found = self.watch(token)
        run.wait(30)
        with open(self.file("flood"), encoding="ascii") as f:
            return found, json.load(f)

    def run(self, name):
        conns, who = FLOODS[name]
        turns, answers = [], {}
        while len(turns) < self.given.turns or (
                who == "one" and sum(answers.values()) < self.given.logins and len(turns) < TURNS_MAX):
            token = self.token()
            quiet = self.watch(token)
            control, _ = self.beside(token, conns, "nobody")
            flood, counted = self.beside(token, conns, who)
            turns.append((quiet, control, flood))
            for status, n in counted.items():
                answers[status] = answers.get(status, 0) + n
        told = ", ".join(f"{n} × {status}" for status, n in answers.items() if n)
        print(f"{name}: {sum(answers.values())} wrong sign-ins ({told}) from {conns} connections, "
              f"{len(turns)} turns", flush=True)
        return max(self.show(label, [[flat(rows[label]) for rows in turn] for turn in turns])
                   for label in WATCHED)

    def show(self, label, turns):
        def typical(share):
            return [median(percentile(rows, share) / 1000 for rows in column) for column in zip(*turns)]
        p50, p99 = typical(0.50), typical(0.99)
        control, flood = (median(percentile(turn[n], 0.99) / percentile(turn[0], 0.99) for turn in turns)
                          for n in (1, 2))
        print(f"  {label:18} p50 {p50[0]:6.2f} → {p50[1]:6.2f}, {p50[2]:6.2f} ms   p99 {p99[0]:6.2f} → "
              f"{p99[1]:6.2f}, {p99[2]:6.2f} ms   ratio: control {control:.2f}, flood {flood:.2f}", flush=True)
        return flood


def flat(rows):
    return sorted(us for us, n in rows for _ in range(n))


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--logins", type=int, default=10000, help="least number of wrong sign-ins of attack (10000)")
    p.add_argument("--turns", type=int, default=4, help="least number of turns of each flood (4)")
    p.add_argument("--floods", default=",".join(FLOODS), help=f"of {','.join(FLOODS)} (all)")
    p.add_argument("--seconds", type=int, default=3, help="of one turn (3)")
    p.add_argument("--conns", type=int, default=8, help="connections of other users, a route (8)")
    p.add_argument("--pause", type=int, default=20, help="ms that each rests before a request (20)")
    p.add_argument("--flood-pause", type=int, default=100, help="the same of the flood's (100)")
    p.add_argument("--most", type=float, default=2.0, help="highest ratio of the p99 (2)")
    given = p.parse_args()
    given.floods = given.floods.split(",")
    if any(name not in FLOODS for name in given.floods):
        p.error(f"--floods: of {','.join(FLOODS)}")
    return given


def main():
    given = options()
    flood = Flood(given)
    with flood.stack:
        flood.watch(flood.token())  # once, before anything counts
        worst = max(flood.run(name) for name in given.floods)
    print(f"quiet → beside the control, beside the flood. The worst ratio is {worst:.2f}, {given.most:.2f} is allowed")
    return int(worst > given.most)


if __name__ == "__main__":
    sys.exit(main())
