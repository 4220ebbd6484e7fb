"""What was acknowledged is never lost: everything is killed with kill -9, again and again, while a client
with a ledger sends deliveries as Meta does, until each is acknowledged."""
import random
import threading
import time

from case import StackCase, eventually
import client
import deliveries

TOTAL = 2000


class Sender(threading.Thread):
    """Sends its part of the ledger; what is not acknowledged with 200 is sent again later."""

    def __init__(self, apis, ids, acknowledged, paused):
        super().__init__(daemon=True)
        self.apis, self.waiting, self.acknowledged, self.paused = apis, list(ids), acknowledged, paused
        self.odd, self.attempts = [], 0

    def run(self):
        rng, connection, deadline = random.Random(self.waiting[0]), None, time.monotonic() + 90
        while self.waiting and time.monotonic() < deadline:
            leadgen_id = self.waiting.pop(0)
            body = deliveries.lead(str(leadgen_id))
            self.attempts += 1
            try:
                connection = connection or client.Connection(rng.choice(self.apis).port, 4)
                answer = connection.call("POST", "/webhook", deliveries.signed(body), body)
                if answer.status == 200:
                    self.acknowledged.append(leadgen_id)
                    time.sleep(self.paused)
                    continue
                if answer.status != 503:
                    self.odd.append(answer)
                time.sleep(0.05)
            except OSError:
                if connection:
                    connection.close()
                connection = None
                time.sleep(0.05)
            self.waiting.append(leadgen_id)


class NoLoss(StackCase):
    options = {"replicas": 2, "durable": True,
               "env": {"META_APP_SECRET": deliveries.SECRET, "REQUEST_TIMEOUT_MS": "2000"}}

    def kill_everything(self):
        self.stack.redis.freeze()
        time.sleep(0.1)
        for server in (*self.stack.apis, *self.stack.workers, self.stack.redis, self.stack.pg):
            server.kill()

    def start_everything(self):
        for server in self.stack.servers:
            server.launch()
        for server in self.stack.servers:
            server.wait_ready()

    def look_at_the_books(self, acknowledged, ids):
        self.assertEqual(len(acknowledged), len(ids), "the senders did not get through")
        found = eventually(lambda: int(self.stack.pg.value("SELECT count(*) FROM leads")) >= len(ids), 30)
        rows = {int(r[0]) for r in self.stack.pg.query("SELECT leadgen_id FROM leads")}
        self.assertEqual(set(acknowledged) - rows, set(), "acknowledged, and lost")
        self.assertTrue(found)
        self.assertEqual(rows, set(ids))
        counts = self.stack.pg.query("SELECT (SELECT count(*) FROM leads), (SELECT count(*) FROM eventos)")[0]
        self.assertEqual(counts, (str(len(ids)),) * 2, "something was doubled")
        kept = int(self.stack.pg.value("SELECT count(DISTINCT corpo) FROM entregas"))
        self.assertEqual(kept, len(ids), "the bytes of some delivery are not kept")
        self.assertTrue(eventually(lambda: self.stack.redis.call("XLEN", "fila:webhooks") == 0, 20),
                        "the stream is not drained")
        waiting = self.stack.pg.value("SELECT count(*) FROM entregas WHERE estado <> 'processada'")
        self.assertEqual(waiting, "0")

    def test_acknowledged_deliveries_outlive_kill_9_of_everything(self):
        ids, acknowledged = range(10 ** 16 + 1, 10 ** 16 + 1 + TOTAL), []
        senders = [Sender(self.stack.apis, ids[n::4], acknowledged, 0.01) for n in range(4)]
        for sender in senders:
            sender.start()
        rng = random.Random(7)
        kills = 0
        while any(sender.is_alive() for sender in senders) and kills < 12:
            time.sleep(rng.uniform(0.3, 0.9))
            if kills % 3 == 0:
                self.kill_everything()
                time.sleep(0.1)
                self.start_everything()
            else:
                server = rng.choice(self.stack.servers)
                server.freeze()  # what is acknowledged now, before it dies, must be elsewhere
                time.sleep(rng.choice((0, 0.2)))
                server.kill()
                time.sleep(rng.uniform(0, 0.3))
                server.start()
            kills += 1
        for sender in senders:
            sender.join(100)
            self.assertEqual(sender.odd, [])
        self.assertGreaterEqual(kills, 3, "the senders were through before anything was killed")
        self.look_at_the_books(acknowledged, ids)
