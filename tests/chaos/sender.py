"""The independent client: sends its part of the plan until each delivery is acknowledged, as Meta does, and
keeps the books of it: a line in an append-only ledger for each acknowledgement, on disk (fdatasync) before
anything else counts it.

    n  seconds when its first attempt began  when the acknowledged one began  when it was acknowledged  attempts

Times are those of the machine's monotonic clock. Some deliveries are sent again after their acknowledgement,
as they were or among others; what becomes of those is not booked. Ends with one line of JSON."""
import argparse
import asyncio
import collections
import itertools
import json
import os
import random
import time

import plan
import meta

ANSWER_SECONDS = 10
AGAIN = 0.08  # of the acknowledged ones are sent once more


class Ledger:
    """Lines from many coroutines, one fdatasync for those that came while the last one was under way."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self.lines, self.synced, self.busy = [], None, None

    async def write(self, line):
        """Returns when it is on disk."""
        self.lines.append(line)
        self.synced = self.synced or asyncio.get_running_loop().create_future()
        mine = self.synced
        if self.busy is None:
            self.busy = asyncio.ensure_future(self._sync())
        await mine

    async def _sync(self):
        while self.lines:
            text, synced = "".join(self.lines).encode(), self.synced
            self.lines, self.synced = [], None
            await asyncio.get_running_loop().run_in_executor(None, self._to_disk, text)
            synced.set_result(None)
        self.busy = None

    def _to_disk(self, text):
        os.write(self.fd, text)
        os.fdatasync(self.fd)


class Connection:
    """Kept alive; opened anew, to any replica, after anything went wrong with it."""

    def __init__(self, ports, rng):
        self.ports, self.rng, self.reader, self.writer = ports, rng, None, None

    async def post(self, delivery):
        """The status, None when there was no answer."""
        try:
            return await asyncio.wait_for(self._post(delivery), ANSWER_SECONDS)
        except (OSError, EOFError, ValueError, asyncio.TimeoutError):
            self.close()
            return None

    async def _post(self, delivery):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.rng.choice(self.ports))
        head = meta.client.head("POST", "/webhook", {**delivery.headers, "Content-Length": len(delivery.body)})
        self.writer.write(head + delivery.body)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.partition(b"content-length:")[2].split(b"\r\n")[0])
        await self.reader.readexactly(length)
        if b"connection: close" in answer:
            self.close()
        return int(answer.split(b" ", 2)[1])

    def close(self):
        if self.writer:
            self.writer.close()
        self.reader = self.writer = None


class Client:
    def __init__(self, given):
        self.given = given
        self.plan, self.ledger = plan.Plan(given.seed), Ledger(given.ledger)
        self.numbers = iter(range(given.first, given.count, given.step))
        self.sent = itertools.count()
        self.statuses = collections.Counter()
        self.begun = time.monotonic()
        self.acknowledged, self.repeated = 0, 0

    async def pace(self):
        """Whoever sends next waits for its turn; nobody catches up on turns that nobody could take."""
        if self.given.rate:
            turn = self.begun + next(self.sent) / self.given.rate
            late = time.monotonic() - turn
            if late > 0.5:
                self.begun += late
            await asyncio.sleep(max(0, -late))

    async def run(self):
        tasks = [asyncio.ensure_future(self.go(random.Random(self.given.seed * 1000 + k)))
                 for k in range(self.given.clients)]
        try:
            await asyncio.wait_for(asyncio.gather(*tasks), self.given.seconds)
        except asyncio.TimeoutError:
            pass
        return {"acknowledged": self.acknowledged, "repeated": self.repeated,
                "statuses": {str(k): v for k, v in self.statuses.items()}}

    async def go(self, rng):
        connection = Connection(self.given.ports, rng)
        for n in self.numbers:
            await self.pace()
            await self.until_acknowledged(connection, n)
            if rng.random() < AGAIN:
                self.repeated += 1
                self.statuses[await connection.post(self.plan.again(n))] += 1
        connection.close()

    async def until_acknowledged(self, connection, n):
        delivery, first, waits = self.plan.delivery(n), time.monotonic(), meta.pauses(0.05, 1.0)
        for attempt in itertools.count(1):
            await asyncio.sleep(next(waits))
            begun = time.monotonic()
            status = await connection.post(delivery)
            self.statuses[status] += 1
            if status == 200:
                await self.ledger.write(f"{n} {first:.6f} {begun:.6f} {time.monotonic():.6f} {attempt}\n")
                self.acknowledged += 1
                return


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ports", type=int, nargs="+", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--first", type=int, default=0, help="this process sends first, first + step, …")
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--count", type=int, required=True, help="of the whole plan")
    parser.add_argument("--rate", type=float, default=0, help="deliveries a second; 0: as fast as it goes")
    parser.add_argument("--clients", type=int, default=32, help="connections")
    parser.add_argument("--seconds", type=float, required=True, help="gives up after so long")
    parser.add_argument("--ledger", required=True)
    print(json.dumps(asyncio.run(Client(parser.parse_args()).run())))


if __name__ == "__main__":
    main()
