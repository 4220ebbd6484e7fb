"""`make bench-drain`: how fast the worker empties the queue, and what bounds it.

Starts a PostgreSQL (fsync on) that is given one core, a Redis (as the queue wants it) and lets
DELIVERIES lead notifications wait in the stream; then the worker starts and empties it. Printed are
deliveries a second, the CPU time that worker, PostgreSQL and Redis took for one delivery, what part of
its core PostgreSQL used (near 100 %: it is the bound), the worker's memory at its peak, and the memory
of Redis for each waiting entry. The entries are written to Redis as fast as it takes them; the intake
is measured by `make bench`.

    python3 bench/drain.py --deliveries 1000000"""
import argparse
import hashlib
import hmac
import json
import os
import sys
import time

from bench import SECRET, cpu_us, peak_mb, servers

CHUNK = 1000  # XADDs of one write


def entry(number):
    """The fields of a stream entry as the API writes them."""
    body = json.dumps({"object": "page", "entry": [{"id": "1029384756", "time": 1700000000, "changes": [
        {"field": "leadgen", "value": {"leadgen_id": str(10 ** 16 + number), "page_id": "1029384756",
                                       "form_id": "777777777", "adgroup_id": "120208", "ad_id": "120209",
                                       "created_time": 1700000000 + number // 100}}]}]}).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return ("corpo", body, "recebida_em", "2026-11-22T02:30:00.123456Z", "request_id", f"{number:032x}",
            "traceparent", "", "assinatura", signature, "agente", "facebookexternalua")


def fill(redis, deliveries):
    with redis.session(timeout=60) as session:
        for first in range(0, deliveries, CHUNK):
            session.call_many([("XADD", "fila:webhooks", "*", *entry(n))
                               for n in range(first, min(first + CHUNK, deliveries))])


def used_memory(redis):
    text = redis.call("INFO", "memory").decode()
    return int(next(line.split(":")[1] for line in text.splitlines() if line.startswith("used_memory:")))


def pin(server, core):
    for thread in server.tree():
        os.sched_setaffinity(thread, {core})


def drain(stack, deliveries, workers, seconds):
    redis = stack.redis
    began = time.monotonic()
    for worker in workers:
        worker.launch()
    while redis.call("XLEN", "fila:webhooks") > 0:
        if time.monotonic() - began > seconds:
            sys.exit(f"not empty after {seconds} s\n{workers[0].log_tail()}")
        time.sleep(0.02)
    return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=200000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=600, help="longest that it may take")
    arguments = parser.parse_args()
    n = arguments.deliveries
    stack = servers.Stack(replicas=0, worker=arguments.workers, durable=True,
                          pg_settings={"max_wal_size": "4GB"})
    stack.pg.launch()
    pin(stack.pg, 0)  # what it forks stays there
    stack.redis.launch()
    for server in (stack.pg, stack.redis):
        server.wait_ready()
    done = servers.run_program("alicerce-worker", "--migrate", env=stack.addresses())
    if done.returncode != 0:
        sys.exit(done.stderr)
    empty = used_memory(stack.redis)
    fill(stack.redis, n)
    waiting = used_memory(stack.redis) - empty
    before = [cpu_us(stack.pg), cpu_us(stack.redis)]
    took = drain(stack, n, stack.workers, arguments.seconds)
    pg, redis = cpu_us(stack.pg) - before[0], cpu_us(stack.redis) - before[1]
    worker = sum(cpu_us(w) for w in stack.workers)
    leads = int(stack.pg.value("SELECT count(*) FROM leads", timeout=60))
    print(f"{n} deliveries in {took:.1f} s: {n / took:,.0f} a second, {leads} leads")
    print(f"CPU us a delivery: PostgreSQL {pg / n:.1f}, worker {worker / n:.1f}, Redis {redis / n:.1f}")
    print(f"PostgreSQL used {pg / took / 1e4:.0f} % of its core")
    print(f"worker's memory at its peak: {max(peak_mb(w) for w in stack.workers):.1f} MB")
    print(f"Redis' memory for a waiting entry: {waiting / n:.0f} bytes")
    stack.stop()
    return 0 if leads == n else 1


if __name__ == "__main__":
    sys.exit(main())
