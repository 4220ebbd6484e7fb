"""A worker that froze with half of a batch sent: its server process waits for the rest and holds locks on
keys that others bring, too. It is ended, and they go on."""
from case import StackCase, eventually
import deliveries


class Stuck(StackCase):
    options = {"env": {"META_APP_SECRET": deliveries.SECRET}}

    def test_a_transaction_that_waits_for_a_frozen_worker_does_not_hold_up_the_others(self):
        with self.stack.pg.session(timeout=60) as frozen:
            frozen.query("SET application_name = 'alicerce-worker'")
            frozen.query("BEGIN")
            frozen.query("INSERT INTO eventos (entrega_id, chave) VALUES (0, 'leadgen:77')")
            for lead in ("76", "77", "78"):
                body = deliveries.lead(lead)
                self.call("POST", "/webhook", headers=deliveries.signed(body), body=body)
            self.assertTrue(eventually(lambda: self.stack.pg.value("SELECT count(*) FROM leads") == "3", 60),
                            self.stack.worker.log_tail())
            self.assertEqual(self.stack.pg.value("SELECT count(*) FROM entregas WHERE estado = 'morta'"), "0")
