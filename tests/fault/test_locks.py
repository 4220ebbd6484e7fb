"""A table that is locked for long (VACUUM FULL, an ALTER TABLE that waits behind a backup) is nobody's fault: what
comes meanwhile waits, and is processed when the lock is gone."""
from case import StackCase, eventually
import deliveries


class Locks(StackCase):
    options = {"env": {"META_APP_SECRET": deliveries.SECRET, "FILA_TENTATIVAS": "2"}}

    def setUp(self):
        self.stack.pg.query("TRUNCATE entregas, eventos, leads")

    def deliver(self, *leads):
        for lead in leads:
            body = deliveries.lead(lead)
            self.assertStatus(self.call("POST", "/webhook", headers=deliveries.signed(body), body=body), 200)

    def dead(self):
        return self.stack.pg.value("SELECT count(*) FROM entregas WHERE estado = 'morta'") != "0"

    def test_a_locked_table_makes_no_dead_letters(self):
        with self.stack.pg.session(timeout=60) as operator:
            operator.query("BEGIN")
            operator.query("LOCK TABLE eventos IN ACCESS EXCLUSIVE MODE")
            self.deliver("61", "62")
            self.assertFalse(eventually(self.dead, 45, 0.5), self.stack.pg.query("SELECT estado, motivo FROM entregas"))
            operator.query("ROLLBACK")
        self.assertTrue(eventually(lambda: self.stack.pg.value("SELECT count(*) FROM leads") == "2", 30),
                        self.stack.pg.query("SELECT estado, tentativas, motivo, proxima_em - now() FROM entregas"))
