"""`alicerce-worker fila …`: what operators ask of the queue and of the archive."""
import json
import time

from case import StackCase, eventually
import deliveries
from deliveries import SECRET, lead, signed
from servers import run_program

OK, USAGE, NOT_FOUND, UNAVAILABLE, UNFINISHED = 0, 64, 66, 69, 75
NEVER = "9007199254740993"
DEAD = "b'{\"object\"'"


class FilaCase(StackCase):
    options = {"env": {"META_APP_SECRET": SECRET}}

    def run_fila(self, *words, code=OK):
        done = run_program("alicerce-worker", "fila", *map(str, words), env=self.stack.addresses(), seconds=60)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        return done

    def fila(self, *words, code=OK):
        """The answer as JSON."""
        done = self.run_fila(*words, "--json", code=code)
        return json.loads(done.stdout)

    def sql(self, text):
        return self.stack.pg.query(text)

    def value(self, text):
        return self.stack.pg.value(text)

    def archive(self, body, estado="morta", motivo="por teste", recebida="now()"):
        """A row of the archive as an older worker may have left it."""
        shown = f"'{motivo}'" if estado == "morta" else "NULL"
        return self.value("INSERT INTO entregas (recebida_em, via, corpo, estado, motivo, tentativas) VALUES"
                          f" ({recebida}, 'direta', '\\x{body.hex()}', '{estado}', {shown}, 3) RETURNING id")

    def wait(self, text, wanted, seconds=15):
        self.assertTrue(eventually(lambda: self.value(text) == wanted, seconds), (text, self.value(text)))


class Status(FilaCase):
    options = {"worker": 0, "env": {"META_APP_SECRET": SECRET}}

    def setUp(self):
        self.sql("TRUNCATE entregas")
        self.stack.redis.call("DEL", "fila:webhooks")

    def test_of_an_empty_queue(self):
        run_program("alicerce-worker", "--migrate", env=self.stack.addresses())
        answer = self.fila("status")
        for name in ("na_fila", "mais_antiga_s", "em_processo", "memoria_por_entrega_bytes", "diretas_a_fazer",
                     "retentativas", "mortas", "workers"):
            self.assertEqual(answer[name], 0, name)
        self.assertEqual((answer["proxima_tentativa"], answer["pausada_em"], answer["mortas_ha_mais"]), (None, None, False))
        text = self.run_fila("status").stdout
        for words in ("na fila", "mais antiga", "em processo", "diretas a fazer", "próxima tentativa", "mortas", "workers",
                      "pausada desde", "memória por entrega"):
            self.assertIn(words, text)

    def test_counts_what_waits_in_both_servers(self):
        for n in range(5):
            self.stack.redis.call("XADD", "fila:webhooks", f"{int(time.time() - 100) * 1000}-{n + 1}", "corpo", "x" * 1000)
        self.sql("INSERT INTO entregas (recebida_em, via, corpo, estado, tentativas, proxima_em) VALUES"
                 " (now(), 'direta', '', 'pendente', 0, now()), (now(), 'direta', '', 'pendente', 0, now()),"
                 " (now(), 'direta', '', 'pendente', 2, '2040-01-02T03:04:05Z'),"
                 " (now(), 'direta', '', 'pendente', 1, '2041-01-01'), (now(), 'direta', '', 'morta', 5, NULL)")
        answer = self.fila("status")
        self.assertEqual([answer[name] for name in ("na_fila", "em_processo", "diretas_a_fazer", "retentativas", "mortas")],
                         [5, 0, 2, 2, 1])
        self.assertTrue(99 <= answer["mais_antiga_s"] < 200, answer)
        self.assertGreater(answer["memoria_por_entrega_bytes"], 1000)
        self.assertEqual(answer["proxima_tentativa"], "2040-01-02T03:04:05.000000Z")
        self.assertIn("2040-01-02T03:04:05Z", self.run_fila("status").stdout)

    def test_counts_end_at_ten_thousand(self):
        self.sql("INSERT INTO entregas (recebida_em, via, corpo, estado) SELECT now(), 'direta', '', 'morta'"
                 " FROM generate_series(1, 10001)")
        answer = self.fila("status")
        self.assertEqual((answer["mortas"], answer["mortas_ha_mais"]), (10000, True))
        self.assertRegex(self.run_fila("status").stdout, r"(?m)^mortas +10000\+$")
        self.sql("DELETE FROM entregas WHERE id = (SELECT min(id) FROM entregas)")
        self.assertRegex(self.run_fila("status").stdout, r"(?m)^mortas +10000$")

    def test_servers_that_are_away_are_named(self):
        for name, more in (("REDIS_URL", {"REDIS_PORT": "1"}), ("DATABASE_URL", {"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"})):
            done = run_program("alicerce-worker", "fila", "status", env={**self.stack.addresses(), **more})
            self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (UNAVAILABLE, "", 1), done)
            self.assertIn(name, done.stderr)
        for words in (("mortas",), ("reenviar", "1"), ("pausar",), ("eventos",)):
            done = run_program("alicerce-worker", "fila", *words,
                               env={**self.stack.addresses(), "DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"})
            self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (UNAVAILABLE, "", 1), done)
        self.stack.redis.kill()  # only status needs it
        try:
            self.run_fila("mortas")
        finally:
            self.stack.redis.start()


class Pause(FilaCase):
    def tearDown(self):
        self.run_fila("retomar")
        super().tearDown()

    def test_a_worker_with_nothing_to_do_counts_as_alive(self):
        self.assertTrue(eventually(lambda: self.fila("status")["workers"] == 1, 15))
        time.sleep(6)  # QUEUE_IDLE_MS and a second
        self.assertEqual(self.fila("status")["workers"], 1)

    def test_nothing_is_claimed_while_the_intake_goes_on(self):
        answer = self.fila("pausar", "--por", "Ana é quem pausou")
        self.assertEqual(answer["pausada_por"], "Ana é quem pausou")
        self.assertEqual(self.fila("pausar", "--por", "Beto"), answer, "the first one stays")
        self.assertTrue(eventually(lambda: self.stack.worker.events("paused"), 5))
        self.assertTrue(eventually(lambda: b"blocked_clients:0" in self.stack.redis.call("INFO", "clients"), 5))
        body = lead("880001")
        self.assertStatus(self.post("/webhook", body=body, headers=signed(body)), 200)
        direct = self.archive(lead("880002"), "pendente")
        time.sleep(1.5)
        answer = self.fila("status")
        self.assertEqual((answer["na_fila"], answer["em_processo"], answer["retentativas"]), (1, 0, 1))
        self.assertEqual((answer["pausada_por"], answer["workers"]), ("Ana é quem pausou", 1))
        self.assertIn("Ana é quem pausou", self.run_fila("status").stdout)

        worker = self.stack.add_worker()  # one that starts now rests, too
        worker.start()
        time.sleep(1)
        self.assertEqual(self.value(f"SELECT estado FROM entregas WHERE id = {direct}"), "pendente")
        self.assertEqual(worker.stop(), 0)
        self.stack.workers.remove(worker)

        self.assertIsNone(self.fila("retomar")["pausada_em"])
        self.wait("SELECT count(*) FROM leads WHERE leadgen_id IN ('880001', '880002')", "2")
        self.assertIsNone(self.fila("status")["pausada_em"])
        self.assertEqual(self.run_fila("retomar").stdout, "retomada\n")


class DeadLetters(FilaCase):
    options = {"worker": 0, "env": {"META_APP_SECRET": SECRET}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stack.pg.query(
            "INSERT INTO entregas (recebida_em, via, corpo, estado, motivo) SELECT"
            " '2026-01-01T00:00:00Z'::timestamptz + interval '1 hour' * i, 'direta', '\\x00', CASE WHEN i % 10 = 0"
            " THEN 'processada' ELSE 'morta' END, CASE WHEN i % 10 > 0 THEN 'motivo ' || i % 3 END"
            " FROM generate_series(1, 100) i")

    def test_pages_newest_first(self):
        first = self.fila("mortas")
        self.assertEqual(len(first), 50)
        second = self.fila("mortas", "--antes", first[-1]["id"])
        times = [row["recebida_em"] for row in first + second]
        self.assertEqual((len(times), times), (90, sorted(times, reverse=True)))
        self.assertEqual(self.fila("mortas", "--antes", second[-1]["id"]), [])
        self.assertEqual(len(self.fila("mortas", "--limite", 1000)), 90)
        self.assertEqual({row["estado"] for row in first}, {"morta"})
        self.assertEqual(self.fila("mortas", "--antes", NEVER), [])

    def test_a_full_page_says_how_to_go_on(self):
        done = self.run_fila("mortas", "--limite", 3)
        self.assertEqual(len(done.stdout.splitlines()), 3)
        last = done.stdout.splitlines()[-1].split()[0]
        self.assertIn(f"--antes {last}", done.stderr)
        self.assertEqual(self.run_fila("mortas", "--limite", 1000).stderr, "")

    def test_filters_by_reason_and_time(self):
        rows = self.fila("mortas", "--motivo", "motivo 1", "--limite", 1000)
        self.assertEqual({row["motivo"] for row in rows}, {"motivo 1"})
        self.assertEqual(len(rows), 30)
        self.assertEqual(self.fila("mortas", "--motivo", "motivo"), [])
        rows = self.fila("mortas", "--desde", "2026-01-01T05:00:00Z", "--ate", "2026-01-01T06:00:00-02:00")
        self.assertEqual([row["recebida_em"] for row in rows], ["2026-01-01T07:00:00.000000Z", "2026-01-01T06:00:00.000000Z",
                                                                "2026-01-01T05:00:00.000000Z"])
        self.assertEqual(len(self.fila("mortas", "--ate", "2026-01-02")), 21)

    def test_a_reason_cannot_write_to_the_terminal(self):
        dead = self.archive(b"x", motivo="\x1b[31mvermelho\nlinha\u009b2J")
        text = self.run_fila("mortas", "--limite", 1).stdout
        self.assertIn("?[31mvermelho?linha?2J", text)
        self.assertEqual(self.fila("entregas", "--id", dead)[0]["motivo"], "\x1b[31mvermelho\nlinha\u009b2J")
        self.sql(f"DELETE FROM entregas WHERE id = {dead}")

    def test_deliveries_by_id_and_state(self):
        rows = self.fila("entregas", "--estado", "processada", "--limite", 100)
        self.assertEqual(len(rows), 10)
        self.assertEqual(self.fila("entregas", "--id", rows[3]["id"]), [rows[3]])
        self.assertEqual(self.fila("entregas", "--estado", "pendente"), [])
        self.assertEqual(len(self.fila("entregas", "--desde", "2026-01-01T10:00:00Z", "--ate", "2026-01-01T20:00:00Z")), 10)
        self.assertIn(NEVER, self.run_fila("entregas", "--id", NEVER, code=NOT_FOUND).stderr)

    def test_what_is_not_understood_is_64_before_any_server_is_asked(self):
        for words in (("mortas", "x"), ("mortas", "--limite", "0"), ("mortas", "--desde", "ontem"), ("mortas", "--nada"),
                      ("reenviar",), ("reenviar", "--motivo", "x"), ("reenviar", "x"), ("eventos", "--campo", "x"), ()):
            with self.subTest(words):
                done = run_program("alicerce-worker", "fila", *words, env={"REDIS_PORT": "nenhuma"})
                self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (USAGE, "", 1), done)


class Replay(FilaCase):
    def setUp(self):
        self.sql("TRUNCATE entregas, eventos, leads")

    def test_a_dead_letter_that_is_understood_today(self):
        """Its bytes are good: an older worker did not know the form."""
        dead = self.archive(lead("890001"))
        answer = self.fila("reenviar", dead, "--esperar", 30)
        self.assertEqual(answer, {"reenviadas": 1, "ja_pendentes": 0, "desconhecidas": [], "processadas": 1, "mortas": 0,
                                  "por_fazer": 0})
        self.assertEqual(self.sql(f"SELECT estado, motivo, tentativas FROM entregas WHERE id = {dead}"),
                         [("processada", None, "0")])
        self.assertEqual(self.sql("SELECT leadgen_id, entrega_id FROM leads"), [("890001", dead)])

    def test_a_replay_adds_only_what_is_new(self):
        body = json.dumps(deliveries.page_delivery(*[deliveries.lead_change(str(890100 + n)) for n in range(5)])).encode()
        self.assertStatus(self.post("/webhook", body=body, headers=signed(body)), 200)
        self.wait("SELECT count(*) FROM leads", "5")
        before = self.sql("SELECT id, chave, criado_em FROM eventos ORDER BY id")
        entrega = self.value("SELECT id FROM entregas")
        for _ in range(2):
            self.assertEqual(self.fila("reenviar", entrega, "--esperar", 30)["processadas"], 1)
        self.assertEqual(self.sql("SELECT id, chave, criado_em FROM eventos ORDER BY id"), before)
        self.sql("DELETE FROM eventos WHERE chave = 'leadgen:890103'; DELETE FROM leads WHERE leadgen_id = '890103'")
        self.fila("reenviar", entrega, "--esperar", 30)
        self.assertEqual(self.value("SELECT count(*) FROM eventos"), "5")
        self.assertEqual(self.value("SELECT count(*) FROM leads"), "5")

    def test_unknown_ids_are_named_and_the_others_done(self):
        dead = self.archive(lead("890200"))
        done = self.run_fila("reenviar", NEVER, dead, 77777777, code=NOT_FOUND)
        self.assertIn(NEVER, done.stderr)
        self.assertIn("77777777", done.stderr)
        self.assertNotRegex(done.stderr, rf"\b{dead}\b")
        self.wait(f"SELECT estado FROM entregas WHERE id = {dead}", "processada")
        answer = self.fila("reenviar", NEVER, code=NOT_FOUND)
        self.assertEqual((answer["reenviadas"], answer["desconhecidas"]), (0, [int(NEVER)]))

    def test_by_filter_in_steps_with_progress(self):
        self.sql("INSERT INTO entregas (recebida_em, via, corpo, estado, motivo) SELECT"
                 " '2026-02-01T00:00:00Z'::timestamptz + interval '1 minute' * i, 'direta', convert_to(format("
                 "'{\"object\":\"page\",\"entry\":[{\"id\":\"1\",\"changes\":[{\"field\":\"leadgen\",\"value\":"
                 "{\"leadgen_id\":\"%s\",\"created_time\":1,\"form_id\":\"%s\"}}]}]}', 891000 + i, i % 4), 'UTF8'), 'morta',"
                 " 'motivo ' || i % 2 FROM generate_series(1, 1300) i")
        window = ("--desde", "2026-02-01", "--ate", "2026-02-03")
        self.assertEqual(self.fila("reenviar", "--desde", "2026-03-01")["reenviadas"], 0)
        self.assertEqual(self.fila("reenviar", *window, "--motivo", "outro")["reenviadas"], 0)
        done = self.run_fila("reenviar", *window, "--motivo", "motivo 1", "--limite", 600, "--esperar", 60, "--progresso")
        self.assertRegex(done.stdout, r"(?s)reenviadas +600.*processadas +600.*mortas +0.*por fazer +0")
        self.assertIn("marcadas 500\nmarcadas 600\n", done.stderr)
        self.assertEqual(self.value("SELECT count(*) FROM leads"), "600")
        self.assertEqual(self.value("SELECT max(leadgen_id) FROM leads"), "892199", "not the oldest first")
        self.assertEqual(self.fila("reenviar", *window, "--esperar", 60)["processadas"], 700)
        self.assertEqual(self.value("SELECT count(*) FROM leads"), "1300")
        answer = self.fila("reenviar", *window, "--formulario", "3", "--esperar", 60)
        self.assertEqual((answer["reenviadas"], answer["processadas"]), (325, 325))
        self.assertEqual(self.value("SELECT count(*) FROM eventos"), "1300")

    def test_what_is_still_bad_is_dead_again(self):
        dead = self.archive(b"nao sou json")
        answer = self.fila("reenviar", dead, "--esperar", 30)
        self.assertEqual((answer["processadas"], answer["mortas"]), (0, 1))

    def test_it_waits_no_longer_than_told(self):
        self.fila("pausar")
        try:
            time.sleep(1.5)
            dead = self.archive(lead("890300"))
            begun = time.monotonic()
            answer = self.fila("reenviar", dead, "--esperar", 1, code=UNFINISHED)
            self.assertLess(time.monotonic() - begun, 15)
            self.assertEqual((answer["reenviadas"], answer["por_fazer"]), (1, 1))
            answer = self.fila("reenviar", dead)
            self.assertEqual((answer["reenviadas"], answer["ja_pendentes"]), (0, 1))
        finally:
            self.fila("retomar")
        self.wait(f"SELECT estado FROM entregas WHERE id = {dead}", "processada")


class Events(FilaCase):
    def test_by_any_field_indexed_or_not(self):
        body = json.dumps(deliveries.page_delivery(*[deliveries.lead_change(
            str(895000 + n), form_id=str(n % 3), nota={"fundo": ["a", f"valor {n}"]}) for n in range(30)])).encode()
        self.assertStatus(self.post("/webhook", body=body, headers=signed(body)), 200)
        self.wait("SELECT count(*) FROM eventos", "30")
        for _ in range(2):
            self.assertEqual([row["chave"] for row in self.fila("eventos", "--campo", "value.leadgen_id=895007")],
                             ["leadgen:895007"])
            self.assertEqual([row["chave"] for row in self.fila("eventos", "--campo", "fundo=valor 8")], ["leadgen:895008"])
            self.assertEqual(len(self.fila("eventos", "--valor", "valor 9")), 1)
            self.assertEqual(len(self.fila("eventos", "--formulario", "2")), 10)
            self.assertEqual(self.fila("eventos", "--campo", "form_id=valor 9"), [])
            self.assertEqual(self.fila("eventos", "--valor", "leadgen", "--ate", "2026-01-01"), [])
            self.wait("SELECT eventos_atraso()", "0")  # the worker's chore; then once more, through the index
        self.assertEqual(self.value("SELECT count(*) FROM eventos_busca"), "30")
        rows = self.fila("eventos", "--valor", "leadgen", "--limite", 20)
        rows += self.fila("eventos", "--valor", "leadgen", "--limite", 20, "--antes", rows[-1]["id"])
        self.assertEqual(len({row["id"] for row in rows}), 30)
        self.assertEqual(self.fila("eventos", "--id", rows[0]["id"]), rows[:1])
        self.assertEqual(len(self.fila("eventos", "--entrega", rows[0]["entrega_id"])), 30)
        self.assertEqual(rows[0]["conteudo"]["field"], "leadgen")
        self.assertIn("leadgen:895007", self.run_fila("eventos", "--valor", "895007").stdout)
        self.run_fila("eventos", "--id", NEVER, code=NOT_FOUND)


class Retention(FilaCase):
    options = {"env": {"META_APP_SECRET": SECRET, "ENTREGAS_RETENCAO_DIAS": "10",
                       "AUDITORIA_RETENCAO_DIAS": "40"}}

    def test_old_processed_deliveries_go_by_themselves(self):
        """At the worker's start; the others stay, and so do events and leads."""
        body = lead("896000")
        self.assertStatus(self.post("/webhook", body=body, headers=signed(body)), 200)
        self.wait("SELECT count(*) FROM leads", "1")
        self.assertEqual(self.stack.worker.stop(), 0)
        self.archive(b"x")
        self.archive(lead("896001"), "processada")
        self.sql("UPDATE entregas SET criada_em = now() - interval '11 days'")
        young = self.archive(lead("896002"), "processada")
        self.stack.worker.start()
        self.wait("SELECT count(*) FROM entregas", "2")
        self.assertEqual(self.sql("SELECT estado, count(*) FROM entregas GROUP BY 1 ORDER BY 1"),
                         [("morta", "1"), ("processada", "1")])
        self.assertEqual(self.value(f"SELECT count(*) FROM entregas WHERE id = {young}"), "1")
        self.assertEqual(self.value("SELECT (SELECT count(*) FROM leads) + (SELECT count(*) FROM eventos)"), "2")

    def test_old_rows_of_the_audit_log_go_by_themselves(self):
        """Those of more than AUDITORIA_RETENCAO_DIAS."""
        self.assertEqual(self.stack.worker.stop(), 0)
        self.sql("INSERT INTO auditoria (ator, acao, em) SELECT 'a' || dias, 'login', now() - dias * interval '1 day'"
                 " FROM unnest(ARRAY[1, 39, 41, 400]) dias")
        self.stack.worker.start()
        self.wait("SELECT string_agg(ator, ' ' ORDER BY ator) FROM auditoria WHERE ator LIKE 'a%'", "a1 a39")
