#!/usr/bin/env python3
"""`make chaos`: deliveries go in while everything they pass through is killed, frozen, filled up and cut off;
afterwards what was acknowledged is looked for. Ends with 1 when something was lost, doubled, or is not done.

    make chaos                                 2,000 deliveries, 12 faults
    make chaos N=100000 FAULTS=100 SEED=7      the long form
    make chaos N=1000000 FAULTS=0              no faults, as fast as the client can
    make chaos ONLY='redis|both'               faults whose name has this in it (a regular expression)

The seed is printed; the same one gives the same deliveries and the same faults in the same order (the moment at
which each hits is the machine's). README.md has the rest."""
import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time

import plan
import books
import faults
import deliveries  # of tests/support, as all below
import disk
import process
import proxy
import servers
import wire

SECONDS_A_FAULT = 1.6  # about; the client's pace is chosen so that it lasts as long as the faults
DRAIN_SECONDS = 60
PATIENCE = 120         # seconds for the client beyond the faults


def say(text):
    print(text, flush=True)


class Link:
    """A program's own proxies before the two servers."""

    def __init__(self, stack, program):
        self.pg, self.redis = proxy.Proxy(stack.pg.port), proxy.Proxy(stack.redis.port)
        program.env["DATABASE_URL"] = stack.pg.url.replace(f":{stack.pg.port}/", f":{self.pg.port}/")
        program.env["REDIS_PORT"] = str(self.redis.port)

    def close(self):
        self.pg.close()
        self.redis.close()


class Sampler(threading.Thread):
    """Asks again and again when the oldest delivery that waits came in, behind the proxies."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack, self.samples, self.stopping = stack, [], threading.Event()
        self.start()

    def oldest(self):
        """Seconds of the wall clock; None: nothing waits. OSError, WireError: nobody tells."""
        with self.stack.redis.session(timeout=1) as session:
            first = session.call("XRANGE", "fila:webhooks", "-", "+", "COUNT", "1")
        direct = self.stack.pg.query("SELECT extract(epoch FROM min(recebida_em)) FROM entregas"
                                     " WHERE estado = 'pendente'", timeout=1)[0][0]
        waiting = [int(first[0][0].split(b"-")[0]) / 1000] if first else []
        return min(waiting + ([float(direct)] if direct else []), default=None)

    def run(self):
        while not self.stopping.wait(0.05):
            try:
                self.samples.append((time.time(), self.oldest()))
            except (OSError, wire.WireError):
                pass

    def drained_after(self, moment):
        """Seconds until nothing waited that had come in before this moment (wall clock); None: never seen."""
        for at, oldest in self.samples:
            if at > moment and (oldest is None or oldest > moment):
                return at - moment
        return None


class World:
    """What the faults act upon, and when they did."""

    def __init__(self, given):
        self.given = given
        env = {"META_APP_SECRET": deliveries.SECRET, "REQUEST_TIMEOUT_MS": "2000"}
        self.stack = servers.Stack(replicas=2, worker=2, durable=True, env=env, redis_settings={
            "appendfsync": given.appendfsync}, pg_settings={"synchronous_commit": "on"})
        self.disk, self.redis_disk, self.links = disk.Disk(self.stack.pg), None, {}
        if given.slow_disk:
            self.redis_disk = disk.Disk(self.stack.redis)
            self.redis_disk.slow(given.slow_disk)
        for program in self.stack.apis + self.stack.workers:
            program.binaries = self.binaries(program)
            if given.faults:
                self.links[program.name] = Link(self.stack, program)
        self.log, self.current = [], None

    def binaries(self, program):
        """A planted bug is in one of the two programs; the other is the usual one."""
        if self.given.plant and os.path.exists(os.path.join(self.given.plant, program.program)):
            return os.path.abspath(self.given.plant)
        return program.binaries

    def sets_in(self):
        self.current.setdefault("sets_in", (time.monotonic(), time.time()))

    def healed(self):
        self.current["healed"] = (time.monotonic(), time.time())

    def inflict(self, name, rng):
        self.current = {"name": name}
        faults.FAULTS[name](self, rng)
        self.log.append(self.current)
        begun = self.log[0]["sets_in"][0]
        say(f"  {len(self.log):3} {self.current['sets_in'][0] - begun:7.1f} s  {name},"
            f" healed after {self.current['healed'][0] - self.current['sets_in'][0]:.1f} s")

    def stop(self):
        try:
            self.stack.stop()
        finally:
            for link in self.links.values():
                link.close()


# ---- the run -------------------------------------------------------------------------

class Run:
    def __init__(self, given):
        self.given, self.folder = given, servers.temporary_folder()
        self.wanted = sorted(name for name in faults.FAULTS if re.search(given.only, name))
        self.rng = random.Random(given.seed)
        self.senders, self.world, self.sampler = [], None, None

    def rate(self):
        """Of each process."""
        if self.given.rate is not None:
            return self.given.rate / self.given.processes
        seconds = self.given.faults * SECONDS_A_FAULT
        return self.given.deliveries / seconds / self.given.processes if seconds else 0

    def ledgers(self):
        return [os.path.join(self.folder, f"ledger-{k}") for k in range(self.given.processes)]

    def start_senders(self):
        seconds = PATIENCE + 10 * self.given.faults + self.given.deliveries / 200
        for k, ledger in enumerate(self.ledgers()):
            command = [sys.executable, "-B", os.path.join(plan.HERE, "sender.py"), "--ports",
                       *(str(api.port) for api in self.world.stack.apis), "--seed", str(self.given.seed),
                       "--first", str(k), "--step", str(self.given.processes), "--count",
                       str(self.given.deliveries), "--rate", str(self.rate()), "--clients",
                       str(self.given.clients // self.given.processes), "--seconds", str(seconds), "--ledger", ledger]
            self.senders.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                                 preexec_fn=process.dies_with_python(15)))

    def inflict_all(self):
        names = faults.order(self.given.seed, self.wanted)
        time.sleep(0.5)
        for _ in range(self.given.faults):
            self.world.inflict(next(names), self.rng)
            time.sleep(self.rng.uniform(0.1, 1.0))

    def sent(self):
        """What the senders say, added up."""
        totals = {"acknowledged": 0, "repeated": 0, "statuses": {}}
        for sender in self.senders:
            said = json.loads(sender.communicate()[0])
            totals["acknowledged"] += said["acknowledged"]
            totals["repeated"] += said["repeated"]
            for status, count in said["statuses"].items():
                totals["statuses"][status] = totals["statuses"].get(status, 0) + count
        return totals

    def wait_drained(self):
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline:
            try:
                if self.sampler.oldest() is None:
                    return
            except (OSError, wire.WireError):
                pass
            time.sleep(0.1)

    def run(self):
        """The report."""
        self.world = World(self.given)
        self.world.stack.start()
        try:
            if self.given.no_key:
                unkeyed(self.world.stack.pg)
            self.sampler = Sampler(self.world.stack)
            begun = time.monotonic()
            self.start_senders()
            self.inflict_all()
            sent = self.sent()
            took = time.monotonic() - begun
            self.wait_drained()
            self.sampler.stopping.set()
            self.sampler.join()
            book = books.read_ledgers(self.ledgers())
            with self.world.stack.pg.session(timeout=300) as session:
                audit = books.Books(plan.Plan(self.given.seed), session)
            outcome = audit.compare(book)
        finally:
            for sender in self.senders:
                if sender.poll() is None:
                    sender.kill()
                    sender.wait()
            self.world.stop()
        return {"seed": self.given.seed, "deliveries": self.given.deliveries, "faults": self.given.faults,
                "seconds": round(took, 1), "sent": sum(sent["statuses"].values()), "acknowledged": len(book),
                "not_acknowledged": self.given.deliveries - len(book), "repeated": sent["repeated"],
                "statuses": sent["statuses"], **outcome, "ways": audit.by_way,
                "bound_95": 3 / len(book) if book and not outcome["lost"] else None,
                **times_of(book), **recoveries(self.world.log, book, self.sampler)}


def unkeyed(pg):
    """A planted bug: events have no key that holds, as each gets one of its own."""
    pg.query("CREATE FUNCTION sem_chave() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
             " NEW.chave := NEW.chave || ' ' || gen_random_uuid(); RETURN NEW; END $$;"
             " CREATE TRIGGER sem_chave BEFORE INSERT ON eventos FOR EACH ROW EXECUTE FUNCTION sem_chave()")


# ---- figures -------------------------------------------------------------------------

def share(sorted_values, part):
    return sorted_values[min(len(sorted_values) - 1, int(part * len(sorted_values)))] if sorted_values else None


def milliseconds(seconds):
    return None if seconds is None else round(1000 * seconds, 1)


def times_of(book):
    """Of the attempt that was acknowledged, and from the first attempt on (outages and retries included)."""
    answer = sorted(acked - begun for _, begun, acked, _ in book.values())
    whole = sorted(acked - first for first, _, acked, _ in book.values())
    return {name: {label: milliseconds(share(values, part)) for label, part in
                   (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1))}
            for name, values in (("ack_ms", answer), ("ack_ms_from_first_attempt", whole))}


def recoveries(log, book, sampler):
    """After each fault: from its setting in to the next acknowledgement of an attempt that began later, and
    from its healing until nothing waits that came in before."""
    attempts = sorted((acked, begun) for _, begun, acked, _ in book.values())
    each = []
    for entry in log:
        at = entry["sets_in"][0]
        after = next((acked - at for acked, begun in attempts if begun > at), None)
        drained = sampler.drained_after(entry["healed"][1])
        each.append({"name": entry["name"], "lasted_s": round(entry["healed"][0] - at, 2),
                     "next_ack_ms": milliseconds(after), "drained_s": None if drained is None else round(drained, 2)})
    return {"each_fault": each, "drained_after_last_fault_s": each[-1]["drained_s"] if each else None}


def failed(report):
    return bool(report["lost"] or report["without_effect"] or sum(report["doubled"].values()) or report["waiting"]
                or report["dead"] or report["strange"] or report["not_acknowledged"] or odd(report))


def odd(report):
    """Answers that a delivery must never get."""
    return {status: n for status, n in report["statuses"].items() if status not in ("200", "503", "None", "null")}


def spread(values):
    known = sorted(v for v in values if v is not None)
    missing = len(values) - len(known)
    text = f"median {share(known, 0.5)}, worst {known[-1]}" if known else "none seen"
    return text + (f", {missing} not seen" if missing else "")


def text_of(report):
    doubled = sum(report["doubled"].values())
    lines = [f"chaos: seed {report['seed']}, {report['deliveries']} deliveries, {report['faults']} faults,"
             f" {report['seconds']} s",
             f"  sent           {report['sent']} attempts ({report['repeated']} of them repeats), answers"
             f" {report['statuses']}",
             f"  acknowledged   {report['acknowledged']}   by way: {report['ways']}",
             f"  lost           {report['lost']}   without effect {report['without_effect']}",
             f"  doubled        {doubled}   {report['doubled'] if doubled else ''}".rstrip(),
             f"  still waiting  {report['waiting']}   dead letters {report['dead']}   not acknowledged"
             f" {report['not_acknowledged']}",
             f"  ack, ms        {report['ack_ms']}",
             f"  from the first attempt, ms  {report['ack_ms_from_first_attempt']}"]
    if report["each_fault"]:
        lines += [f"  next ack after a fault set in, ms  {spread([e['next_ack_ms'] for e in report['each_fault']])}",
                  f"  queue drained after it was healed, s  {spread([e['drained_s'] for e in report['each_fault']])};"
                  f" after the last one {report['drained_after_last_fault_s']}"]
    if report["bound_95"]:
        lines.append(f"  none lost of {report['acknowledged']}: with 95 % confidence at most {report['bound_95']:.2g}"
                     " of all (3/N)")
    if report["examples"]:
        lines.append(f"  examples       {report['examples']}")
    if odd(report):
        lines.append(f"  answers that must not be  {odd(report)}")
    return "\n".join(lines)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=2000)
    parser.add_argument("--faults", type=int, default=12)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", default="", help="faults whose name this regular expression finds")
    parser.add_argument("--rate", type=float, help="deliveries a second (default: to last as long as the faults)")
    parser.add_argument("--clients", type=int, default=64, help="connections")
    parser.add_argument("--processes", type=int, default=1, help="of the client")
    parser.add_argument("--bin", metavar="DIR", help="folder of the programs (default: build)")
    parser.add_argument("--report", metavar="FILE", help="the report as JSON")
    parser.add_argument("--plant", metavar="DIR", help="folder with a program that has a planted bug")
    parser.add_argument("--no-key", action="store_true", help="planted: events without a key")
    parser.add_argument("--appendfsync", default="always", help="planted: Redis' everysec")
    parser.add_argument("--slow-disk", type=int, default=0, metavar="MS", help="each of Redis' syncs takes so much longer")
    parser.add_argument("--count", action="store_true", help="end with 'N passed, N failed', for tests/all.py")
    return parser.parse_args()


def main():
    given = parse()
    if given.bin:
        os.environ["ALICERCE_BIN"] = os.path.abspath(given.bin)
    if given.seed is None:
        given.seed = random.SystemRandom().randrange(plan.SEEDS)
    say(f"chaos: SEED={given.seed} N={given.deliveries} FAULTS={given.faults}"
        + (f" ONLY='{given.only}'" if given.only else ""))
    run = Run(given)
    if not run.wanted and given.faults:
        sys.exit(f"no fault has {given.only} in its name; they are {', '.join(faults.FAULTS)}")
    try:
        report = run.run()
        bad = failed(report)
        say(text_of(report))
    except (servers.Trouble, AssertionError) as trouble:
        say(f"chaos: {trouble}")
        report, bad = {"trouble": str(trouble)}, True
    finally:
        shutil.rmtree(run.folder, ignore_errors=True)
    if given.report:
        os.makedirs(os.path.dirname(os.path.abspath(given.report)), exist_ok=True)
        with open(given.report, "w", encoding="utf-8") as f:
            json.dump(report, f, indent=1, ensure_ascii=False)
    say("0 passed, 1 failed" if bad else "1 passed, 0 failed" if given.count else "chaos: nothing lost, nothing doubled")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
