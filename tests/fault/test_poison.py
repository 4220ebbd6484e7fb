"""A delivery that brings down or holds up whoever decodes it ends one worker at most, and its neighbours
go on. The worker is one with a planted bug: PLANT-CRASH aborts, PLANT-HANG never comes back."""
import json
import time

from case import StackCase, eventually
import deliveries
from plants import plant
import servers
import wire


class Poison(StackCase):
    options = {"env": {"META_APP_SECRET": deliveries.SECRET}, "worker": 0}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.worker = servers.Program("alicerce-worker", cls.stack.folder, {**cls.stack.addresses()},
                                     binaries=plant("poison"))

    def setUp(self):
        self.stack.pg.query("TRUNCATE entregas, eventos, leads")
        self.stack.redis.call("DEL", "fila:webhooks")

    def tearDown(self):
        if self.worker.running():
            self.assertEqual(self.worker.stop(), 0)
        super().tearDown()

    def deliver(self, body):
        self.assertStatus(self.call("POST", "/webhook", headers=deliveries.signed(body), body=body), 200)

    def poison(self, kind):
        self.deliver(json.dumps({"object": "page", "entry": [{"id": "1", "changes": [
            {"field": "feed", "value": f"PLANT-{kind}"}]}]}).encode())

    def good(self, numbers):
        for n in numbers:
            self.deliver(deliveries.lead(str(n)))

    def outcome(self):
        return {estado: int(n) for estado, n in
                self.stack.pg.query("SELECT estado, count(*) FROM entregas GROUP BY 1")}

    def claimed(self):
        try:
            return self.stack.redis.call("XPENDING", "fila:webhooks", "workers")[0] == 21
        except wire.WireError:  # no group yet
            return False

    def expect(self, processed, dead, reason):
        """Starts the worker again whenever it dies; returns how often it did."""
        deaths, deadline = 0, time.monotonic() + 40
        if not self.worker.running():
            self.worker.launch()
        while self.outcome() != {"processada": processed, "morta": dead}:
            self.assertLess(time.monotonic(), deadline, f"{self.outcome()}\n{self.worker.log_tail()}")
            if not self.worker.running():
                deaths += 1
                self.worker.launch()
            time.sleep(0.05)
        self.assertTrue(self.worker.running(), self.worker.log_tail())
        self.assertEqual(self.stack.pg.query("SELECT DISTINCT motivo FROM entregas WHERE estado = 'morta'"),
                         [(reason,)])
        self.assertTrue(eventually(lambda: self.stack.redis.call("XLEN", "fila:webhooks") == 0))
        return deaths

    def test_what_crashed_a_worker_is_dead_and_its_neighbours_live(self):
        self.good(range(100, 130))
        self.poison("CRASH")
        self.good(range(130, 160))
        self.poison("CRASH")
        deaths = self.expect(60, 2, "derrubou o processo que a decodificava")
        self.assertIn(deaths, (1, 2), "each may end one worker")

    def test_what_hangs_is_dead_too(self):
        self.good(range(200, 210))
        self.poison("HANG")
        self.good(range(210, 220))
        self.worker.launch()
        self.assertTrue(eventually(self.claimed, 10))
        self.worker.kill()
        self.worker.launch()
        self.expect(20, 1, "prendeu o processo que a decodificava")

    def test_rows_of_entregas_are_tried_before_they_are_touched(self):
        self.stack.redis.kill()
        self.good(range(300, 305))
        self.poison("CRASH")
        self.good(range(305, 310))
        self.stack.redis.start()
        deaths = self.expect(10, 1, "derrubou o processo que a decodificava")
        self.assertEqual(deaths, 0)
