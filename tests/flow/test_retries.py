"""What fails is tried again with growing pauses, holds up nobody, and is a dead letter in the end; what
passes later is not. The failures are a trigger's, so the worker cannot tell them from a broken schema."""
import time

from case import StackCase, eventually
import deliveries

TRIGGER = """
CREATE TABLE IF NOT EXISTS recusas (chave text, recusas int);
CREATE OR REPLACE FUNCTION recusar() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM recusas r WHERE NEW.chave = r.chave) THEN
        RAISE EXCEPTION 'ainda não' USING ERRCODE = '{code}';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER recusar BEFORE INSERT ON eventos FOR EACH ROW EXECUTE FUNCTION recusar()
"""


class Retries(StackCase):
    options = {"env": {"META_APP_SECRET": deliveries.SECRET, "FILA_TENTATIVAS": "3"}}

    def setUp(self):
        self.stack.pg.query("TRUNCATE entregas, eventos, leads")

    def tearDown(self):
        self.stack.pg.query("DROP TRIGGER IF EXISTS recusar ON eventos; DROP TABLE IF EXISTS recusas")
        super().tearDown()

    def refuse(self, *leads, code="XX000"):
        self.stack.pg.query(TRIGGER.format(code=code))
        for lead in leads:
            self.stack.pg.query(f"INSERT INTO recusas VALUES ('leadgen:{lead}')")

    def deliver(self, lead):
        body = deliveries.lead(lead)
        self.assertStatus(self.call("POST", "/webhook", headers=deliveries.signed(
            body, User_Agent="facebookexternalua"), body=body), 200)

    def states(self):
        """leadgen id -> estado, tentativas, motivo, and whether it is due in the future."""
        rows = self.stack.pg.query(
            "SELECT substring(convert_from(corpo, 'UTF8') FROM '\"leadgen_id\": \"(\\d+)'), estado, tentativas,"
            " coalesce(motivo, ''), proxima_em > now() FROM entregas")
        return {row[0]: row[1:] for row in rows}

    def wait_for(self, lead, estado, seconds=20):
        self.assertTrue(eventually(lambda: self.states().get(lead, ("",))[0] == estado, seconds),
                        f"{lead} is {self.states().get(lead)}, not {estado}")
        return self.states()[lead]

    def test_one_that_fails_waits_alone_and_ends_among_the_dead(self):
        self.refuse("11")
        began = time.monotonic()
        for lead in ("10", "11", "12"):
            self.deliver(lead)
        self.wait_for("10", "processada", 5)
        self.wait_for("12", "processada", 5)
        _, tentativas, motivo, _ = self.wait_for("11", "morta")
        self.assertEqual(tentativas, "3")
        self.assertRegex(motivo, "XX000: ainda não")
        self.assertGreater(time.monotonic() - began, 0.75 + 2.25, "without pauses")
        self.assertEqual(self.stack.redis.call("XLEN", "fila:webhooks"), 0)
        self.assertEqual(self.stack.pg.value("SELECT count(*) FROM leads WHERE leadgen_id = '11'"), "0")

    def test_what_passes_later_is_processed_once(self):
        self.refuse("21")
        self.deliver("21")
        _, tentativas, motivo, _ = self.wait_for("21", "pendente", 5)
        self.assertIn(tentativas, ("1", "2"))
        self.assertRegex(motivo, "ainda não")
        self.stack.pg.query("DELETE FROM recusas")
        _, _, motivo, _ = self.wait_for("21", "processada")
        self.assertEqual(motivo, "")
        self.assertEqual(self.stack.pg.value("SELECT count(*) FROM leads WHERE leadgen_id = '21'"), "1")

    def test_data_that_postgresql_refuses_is_dead_at_once(self):
        self.refuse("31", code="22023")
        self.deliver("30")
        self.deliver("31")
        self.wait_for("30", "processada", 5)
        _, tentativas, motivo, _ = self.wait_for("31", "morta", 5)
        self.assertEqual(tentativas, "1")
        self.assertRegex(motivo, "22023")

    def test_to_look_for_what_is_due_is_a_probe_whatever_the_table_was_when_the_worker_came(self):
        def scans():
            return int(self.stack.pg.value("SELECT pg_stat_get_numscans('entregas'::regclass)"))
        self.stack.pg.query("ALTER TABLE entregas SET (autovacuum_enabled = off)")
        self.stack.pg.query("ANALYZE entregas")
        time.sleep(4)  # looks enough for a plan to be kept
        self.stack.pg.query("INSERT INTO entregas (recebida_em, via, corpo, estado)"
                            " SELECT now(), 'direta', '{}', 'processada' FROM generate_series(1, 20000)")
        time.sleep(2)
        before = scans()
        time.sleep(5)
        self.assertLessEqual(scans() - before, 2, "scans of all deliveries")
        self.stack.pg.query("ALTER TABLE entregas RESET (autovacuum_enabled)")

    def test_what_is_no_json_is_dead_at_once_with_its_bytes(self):
        body = b"\x00\xff not JSON"
        self.assertStatus(self.call("POST", "/webhook", headers=deliveries.signed(body), body=body), 200)
        self.assertTrue(eventually(lambda: self.stack.pg.query(
            "SELECT encode(corpo, 'hex'), estado FROM entregas") == [(body.hex(), "morta")]))

    def test_signature_and_agent_are_archived(self):
        self.deliver("41")
        self.wait_for("41", "processada", 5)
        body = deliveries.lead("41")
        self.assertEqual(self.stack.pg.query("SELECT assinatura, agente FROM entregas"),
                         [(deliveries.signature(body), "facebookexternalua")])

    def test_a_wave_of_failures_does_not_hold_up_what_is_good(self):
        self.refuse(*(str(n) for n in range(500, 600)))
        for n in range(500, 600):
            self.deliver(str(n))
        self.deliver("9")
        self.wait_for("9", "processada", 10)
        self.assertTrue(eventually(lambda: self.stack.redis.call("XLEN", "fila:webhooks") == 0, 15))
        self.stack.pg.query("DELETE FROM recusas")
        self.assertTrue(eventually(lambda: self.stack.pg.value(
            "SELECT count(*) FROM leads WHERE leadgen_id BETWEEN '500' AND '599'") == "100", 20),
            self.stack.pg.query("SELECT estado, tentativas, count(*) FROM entregas GROUP BY 1, 2"))
