"""A table that is locked for long (VACUUM FULL, an ALTER TABLE that waits behind a backup) is nobody's fault: what
comes meanwhile waits, and is processed when the lock is gone."""
import time

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

    def test_a_chore_that_waits_for_a_lock_does_not_hold_up_a_pause(self):
        self.stack.pg.query("INSERT INTO posts (titulo, conteudo) VALUES ('a', 'b')")
        with self.stack.pg.session(timeout=60) as operator:
            operator.query("BEGIN")
            operator.query("LOCK TABLE posts IN ACCESS EXCLUSIVE MODE")
            time.sleep(2)  # the chore of the search has come to it
            self.stack.pg.query("UPDATE fila_controle SET pausada_em = now()")
            self.assertTrue(eventually(lambda: '"paused"' in self.stack.worker.log_tail(), 5), "a pause of 5 s ago")
            operator.query("ROLLBACK")
        self.stack.pg.query("UPDATE fila_controle SET pausada_em = NULL")

    def test_a_job_outlives_a_lock(self):
        job = self.stack.pg.value("INSERT INTO reenvios (filtro_estado, maximo, criado_por) VALUES ('morta', 1, 'x')"
                                  " RETURNING id")
        state = f"SELECT estado, falhas FROM reenvios WHERE id = {job}"
        with self.stack.pg.session(timeout=60) as operator:
            operator.query("BEGIN")
            operator.query("LOCK TABLE entregas IN ACCESS EXCLUSIVE MODE")
            time.sleep(12)
            self.assertEqual(self.stack.pg.query(state), [("em_andamento", "0")])
            operator.query("ROLLBACK")
        self.assertTrue(eventually(lambda: self.stack.pg.query(state) == [("concluido", "0")], 20),
                        self.stack.pg.query(state))
