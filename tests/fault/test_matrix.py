"""Redis up, down, frozen, full x PostgreSQL up, down, frozen, full: what becomes of a delivery in each of the
sixteen cells. The table is in docs/durability.md.

Deliveries come at a steady pace, whatever became of those before them, and each one's time counts from the
moment at which it was to be sent: a stall is seen by all that fall into it. The pace begins before the fault,
and what was under way when it set in counts as well."""
import threading
import time

from case import StackCase, eventually
import client
import deliveries
import disk
from load import HealthWatch
import servers

TIMEOUT_MS = 1500
RATE = 60            # deliveries a second
BEFORE, AFTER = 0.3, 2.0  # seconds of them around the moment of the fault
AFTER_FROZEN = 3.0   # of Redis, which is noticed late: as many again behind those that waited
AFTER_NONE = 1.0     # where nothing durable is left
MEDIAN, SLOW, SLOW_SHARE = 0.25, 1.0, 0.01
STATES = ("up", "down", "frozen", "full")


class Shot:
    """One delivery: when it was to be sent, what came of it."""

    def __init__(self, lead, due):
        self.lead, self.due = lead, due
        self.ended = self.status = self.retry_after = self.error = None

    @property
    def seconds(self):
        return self.ended - self.due

    def __repr__(self):
        return f"<{self.lead} {self.status or self.error} in {self.seconds:.2f} s>"


class Salvo:
    """Deliveries at a steady pace to all replicas; enough connections that none waits for another's answer."""

    CLIENTS = 100

    def __init__(self, apis, first, seconds):
        begin = time.monotonic() + 0.05
        self.shots = [Shot(str(first + n), begin + n / RATE) for n in range(int(seconds * RATE))]
        self.threads = [threading.Thread(target=self._run, args=(apis[n % len(apis)].port, self.shots[n::self.CLIENTS]))
                        for n in range(self.CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _run(self, port, shots):
        connection = None
        for shot in shots:
            time.sleep(max(0, shot.due - time.monotonic()))
            body = deliveries.lead(shot.lead)
            try:
                connection = connection or client.Connection(port, 12)
                answer = connection.call("POST", "/webhook", deliveries.signed(body), body)
                shot.status, shot.retry_after = answer.status, answer.header("retry-after")
            except OSError as error:
                shot.error, connection = error, None
            shot.ended = time.monotonic()
        if connection:
            connection.close()

    def wait(self):
        for thread in self.threads:
            thread.join(30)
        if any(thread.is_alive() for thread in self.threads):
            raise AssertionError("a delivery was not answered within 30 s")
        return self.shots


class Matrix(StackCase):
    options = {"replicas": 2, "worker": 2, "pg_settings": {"autovacuum": "off"},
               "env": {"META_APP_SECRET": deliveries.SECRET, "REQUEST_TIMEOUT_MS": str(TIMEOUT_MS)}}

    @classmethod
    def setUpClass(cls):
        cls.stack = servers.Stack(**cls.options)
        cls.disk = disk.Disk(cls.stack.pg)
        cls.stack.start()
        cls.next_lead = 10 ** 16

    def hit(self, redis, pg):
        """Both at once, as nearly as can be. PostgreSQL's last room is used up before."""
        full = {"redis": lambda: self.stack.redis.call("CONFIG", "SET", "maxmemory", "1"), "pg": lambda: None}
        for name, state in (("redis", redis), ("pg", pg)):
            server = getattr(self.stack, name)
            {"up": lambda: None, "down": server.kill, "frozen": server.freeze, "full": full[name]}[state]()

    def heal(self, redis, pg):
        self.disk.free()
        for name, state in (("redis", redis), ("pg", pg)):
            server = getattr(self.stack, name)
            {"down": server.start, "frozen": server.thaw}.get(state, lambda: None)()
        if redis == "full":
            self.stack.redis.call("CONFIG", "SET", "maxmemory", "0")

    def cell(self, redis, pg):
        """The shots that the fault could touch."""
        durable = "up" in (redis, pg)
        for api in self.stack.apis:
            api.wait_serving()
        seconds = BEFORE + (AFTER_NONE if not durable else AFTER_FROZEN if redis == "frozen" else AFTER)
        if pg == "full":
            disk.leave_no_room(self.disk, self.stack.pg)
        salvo = Salvo(self.stack.apis, self.next_lead, seconds)
        self.next_lead += len(salvo.shots)
        time.sleep(BEFORE)
        watch = HealthWatch(self.stack.apis[0], slow=0.02)
        at = time.monotonic()
        self.hit(redis, pg)
        set_in = time.monotonic()
        shots = [s for s in salvo.wait() if s.ended > at]
        watch.stop()
        self.heal(redis, pg)
        return durable, shots, watch, set_in

    def look_at_durable(self, shots, watch):
        """Meta's own standard. A machine so busy that /health takes long may take that much longer."""
        self.assertGreaterEqual(len(shots), 100)
        self.assertEqual([s for s in shots if s.status != 200], [])
        times = sorted(s.seconds for s in shots)
        busy = max((took for _, took in watch.bad), default=0)
        self.assertLessEqual(times[len(times) // 2], MEDIAN + busy, "the median")
        slow = [s for s in shots if s.seconds > SLOW + busy]
        self.assertLess(len(slow), SLOW_SHARE * len(shots), slow)

    def look_at_refused(self, shots, set_in):
        """503 in time, with Retry-After. What was sent before both were gone may have been taken in."""
        for shot in shots:
            self.assertIn(shot.status, (200, 503) if shot.due < set_in + 0.05 else (503,), shot)
            self.assertLess(shot.seconds, TIMEOUT_MS / 1000 + 0.7, shot)
            if shot.status == 503:
                self.assertRegex(shot.retry_after or "", r"^[1-9]\d*$", shot)
        self.assertTrue([s for s in shots if s.status == 503])

    def test_every_cell(self):
        acknowledged = {}
        for redis in STATES:
            for pg in STATES:
                with self.subTest(redis=redis, postgresql=pg):
                    durable, shots, watch, set_in = self.cell(redis, pg)
                    acknowledged.update((s.lead, (redis, pg)) for s in shots if s.status == 200)
                    self.assertEqual([b for b in watch.bad if b[0] != 200], [], "/health")
                    if durable:
                        self.look_at_durable(shots, watch)
                    else:
                        self.look_at_refused(shots, set_in)
        self.assertEqual(self.missing(acknowledged), {}, "acknowledged and not in leads, by cell")

    def missing(self, acknowledged, seconds=20):
        def left():
            found = {row[0] for row in self.stack.pg.query("SELECT leadgen_id FROM leads")}
            return {lead: cell for lead, cell in acknowledged.items() if lead not in found}
        eventually(lambda: not left(), seconds, 0.2)
        return left()
