"""`make bench-listeners`: what listeners of GET /api/ao-vivo cost in memory.

Starts PostgreSQL, Redis and build/alicerce-api, all private, and lets --listeners connect. Printed is the
memory of the API (resident, and its peak) before, with all of them idle, after a burst of events to all, after
those whose clients are slow have filled their queues, and once all have left. Exit code 1 when the peak is
over --most MB."""
import argparse
import os
import re
import resource
import socket
import sys
import time

from bench import forget_peak, servers

sys.path.insert(0, os.path.join(servers.PROJECT, "tests", "support"))
import client  # noqa: E402
import tokens  # noqa: E402


def memory_mb(server):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as f:
        text = f.read()
    return [int(re.search(rf"{name}:\s+(\d+)", text).group(1)) / 1024 for name in ("VmRSS", "VmHWM", "RssAnon", "RssFile")]


def show(server, what):
    now, peak, own, files = memory_mb(server)
    print(f"{what:34}{now:7.1f} MB ({own:.1f} its own, {files:.1f} of files), {peak:.1f} MB at its peak", flush=True)
    return peak


def ask(port, token, last=None):
    s = socket.create_connection(("127.0.0.1", port), 20)
    more = f"Last-Event-ID: {last}\r\n" if last else ""
    s.sendall(f"GET /api/ao-vivo HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n{more}\r\n".encode())
    return s


def begin(s):
    """Its first bytes."""
    got = b""
    while b"retry: 3000" not in got:
        data = s.recv(4096)
        if not data or not (got + data).startswith(b"HTTP/1.1 200"):
            raise servers.Trouble(f"not listening: {(got + data)[:300]!r}")
        got += data
    return got


def posts(port, n):
    with client.Connection(port) as c:
        for i in range(n):
            answer = c.call("POST", "/api/posts", json={"titulo": f"{i} " + "t" * 190, "conteudo": "x",
                                                        "autor": "a" * 90})
            assert answer.status == 201, answer


def read_all(sockets, wanted, seconds=20):
    """Until each has heard `wanted`."""
    deadline = time.monotonic() + seconds
    for s in sockets:
        s.settimeout(seconds)
        tail = b""
        while wanted not in tail:
            data = s.recv(65536)
            if not data or time.monotonic() > deadline:
                raise servers.Trouble("a listener was cut, or heard nothing")
            tail = tail[-len(wanted):] + data


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--listeners", type=int, default=1000, help="how many (1000)")
    p.add_argument("--posts", type=int, default=60, help="events of a burst (60)")
    p.add_argument("--bursts", type=int, default=5, help="(5)")
    p.add_argument("--most", type=float, default=20, help="MB that the API may have at its peak (20)")
    given = p.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    stack = servers.Stack(worker=0, durable=False, env={**tokens.ENV, "RATE_LIMIT": "0"})
    with stack:
        api = stack.api
        token = client.call(api.port, "POST", "/api/auth/login", json={
            "email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD}).json["token"]
        time.sleep(5)  # the API gives back what its start needed
        forget_peak(api)  # of the sign-in's hash, which takes 19 MiB for some hundredths of a second
        show(api, "before")
        sockets = [ask(api.port, token) for _ in range(given.listeners)]
        first = [begin(s) for s in sockets][0]
        last = re.search(rb"id: (\S+)", first).group(1).decode()
        time.sleep(1)
        show(api, f"{given.listeners} listeners")
        for burst in range(given.bursts):
            posts(api.port, given.posts)
            end = f'"titulo":"fim {burst}"'
            time.sleep(1.1)  # the second may be full: then the last one is told in the next
            client.call(api.port, "POST", "/api/posts", json={"titulo": f"fim {burst}", "conteudo": "x"})
            read_all(sockets, end.encode())
        show(api, f"after {given.bursts} bursts of {given.posts} posts")
        for _ in range(20):  # nobody reads: what waits for them grows until they are cut
            posts(api.port, given.posts)
            time.sleep(0.5)
        show(api, "nobody reads any more")
        for s in sockets:
            s.close()
        time.sleep(2)
        show(api, "all have left")
        sockets = [ask(api.port, token, last) for _ in range(given.listeners)]
        time.sleep(1)
        show(api, "all come back, and missed much")
        for s in sockets:
            begin(s)
        peak = show(api, "they have read it")
    print(f"the peak is {peak:.1f} MB, {given.most:.1f} are allowed")
    return int(peak > given.most)


if __name__ == "__main__":
    sys.exit(main())
