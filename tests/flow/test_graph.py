"""Looking leads up in the Graph API: by a fake one on the loopback, over real servers."""
import json
import time

from case import eventually, shared_stack
from deliveries import OLD_SECRET, SECRET, lead, signed
from graph import ANY, FOREVER, FORM, PAGE, Closing, Cut, Error, Graph, Raw, Silent, Slow

TOKEN = "EAAB+ficha/de=teste&com%tudo"
OTHER = "5550001"  # another page


Base, start_stack, stop_stack = shared_stack(worker=0, replicas=0, env={"LOG_LEVEL": "debug"})
graph = None  # the fake Graph API of the file


def setUpModule():
    global graph
    start_stack()
    stack, graph = Base.stack, Graph(token=TOKEN, secret=SECRET)
    stack.add_worker().start()  # makes the tables; without a token it asks nothing
    made = eventually(lambda: stack.pg.value("SELECT to_regclass('leads') IS NOT NULL") == "t", 20)
    stack.workers.pop().stop()
    assert made, "no tables after 20 s"


def tearDownModule():
    graph.close()
    stop_stack()


class GraphCase(Base):
    """No workers: a test starts those that it wants."""

    @property
    def graph(self):
        return graph

    def setUp(self):
        self.graph.reset()
        self.sql("DELETE FROM leads")

    def tearDown(self):
        for worker in self.stack.workers:
            self.assertIn(worker.stop(), (0, None, -9), worker.log_tail())
            self.assertIsNone(worker.sanitizer_report(), worker.log_tail(60))
            self.look_for_secrets(worker)
        self.stack.workers.clear()

    def look_for_secrets(self, worker):
        said = worker.log()
        for secret in (TOKEN, SECRET, OLD_SECRET, "EAAB", self.graph.proof_wanted, "access_token", "appsecret_proof="):
            self.assertNotIn(secret, said)

    # What a test does.
    def sql(self, text):
        return self.stack.pg.query(text)

    def worker(self, **env):
        """A worker of its own log file, running."""
        usual = {"META_ACCESS_TOKEN": TOKEN, "META_APP_SECRET": f"{SECRET},{OLD_SECRET}", "GRAPH_URL": self.graph.url}
        worker = self.stack.add_worker({**usual, **env})
        worker.log_path = f"{self.stack.folder}/graph-{time.monotonic_ns()}.log"
        return worker.start()

    def add(self, *ids, page=PAGE, estado="pendente", **columns):
        names = "".join(f", {name}" for name in columns)
        values = "".join(f", {value}" for value in columns.values())
        self.sql(f"INSERT INTO leads (leadgen_id, pagina_id, criado_em, estado{names}) VALUES "
                 + ", ".join(f"('{at}', '{page}', now(), '{estado}'{values})" for at in ids))

    def row(self, at, columns="estado"):
        found = self.sql(f"SELECT {columns} FROM leads WHERE leadgen_id = '{at}'")[0]
        return found if len(found) > 1 else found[0]

    def count(self, where):
        return int(self.stack.pg.value(f"SELECT count(*) FROM leads WHERE {where}"))

    def wait(self, at, estado="completo", seconds=15):
        self.assertTrue(eventually(lambda: self.row(at) == estado, seconds),
                        f"{self.row(at, 'estado, tentativas, ultimo_erro')} {self.tails()}")

    def wait_each(self, ids, seconds=20):
        names = ", ".join(f"'{at}'" for at in ids)
        done = eventually(lambda: self.count(f"estado = 'completo' AND leadgen_id IN ({names})") == len(ids), seconds)
        self.assertTrue(done, self.tails())

    def wait_all(self, estado="completo", seconds=20):
        self.assertTrue(eventually(lambda: self.count(f"estado <> '{estado}'") == 0, seconds), self.tails())

    def wait_failed_once(self, at, seconds=15):
        """The row after one attempt that failed, its lease given up."""
        done = eventually(lambda: self.row(at, "tentativas") == "1", seconds)
        self.assertTrue(done, f"{self.row(at, 'estado, tentativas, ultimo_erro')} {self.tails()}")
        return self.row(at, "estado, ultimo_erro, extract(epoch FROM proxima_em - now())::int")

    def hurry(self):
        self.sql("UPDATE leads SET proxima_em = now() WHERE estado = 'pendente'")

    def tails(self):
        return "\n".join(w.log_tail() for w in self.stack.workers)


class Answers(GraphCase):
    def test_a_lead_is_filled_in_with_every_accent(self):
        self.graph.lead("101", [("full_name", "Conceição D’Ávila 🌻"), ("EMAIL", "a+b@exemplo.com.br"),
                                ("telefone", "+55 11 90000-0000"), ("dúvida?", ["é \"isto\"", "e\\aquilo"])])
        self.add("101")
        self.worker()
        self.wait("101")
        self.assertEqual(
            self.row("101", "nome, email, telefone, formulario_id, anuncio_id, conjunto_id, ultimo_erro,"
                            " consultado_em IS NOT NULL, tentativas"),
            ("Conceição D’Ávila 🌻", "a+b@exemplo.com.br", "+55 11 90000-0000", FORM, "120209", "120208", None, "t", "0"))
        self.assertEqual(json.loads(self.row("101", "campos"))[3],
                         {"name": "dúvida?", "values": ["é \"isto\"", "e\\aquilo"]})

    def test_what_the_notification_said_stays(self):
        self.add("102", formulario_id="'f'", anuncio_id="'a'", conjunto_id="'c'")
        self.worker()
        self.wait("102")
        self.assertEqual(self.row("102", "formulario_id, anuncio_id, conjunto_id"), ("f", "a", "c"))

    def test_a_delivery_goes_all_the_way(self):
        self.stack.add_api({"META_APP_SECRET": SECRET})
        self.addCleanup(self.stack.apis.clear)
        api = self.stack.apis[0].start()
        self.addCleanup(api.stop)
        api.wait_serving()
        self.worker()
        body = lead("103")
        self.assertStatus(self.post("/webhook", body=body, headers=signed(body)), 200)
        self.assertTrue(eventually(lambda: self.count("leadgen_id = '103' AND estado = 'completo'"), 20), self.tails())

    def test_the_proof_is_that_of_the_first_secret(self):
        self.add("104")
        self.worker()
        self.wait("104")
        call, = self.graph.calls_of("104")
        self.assertEqual(call.query["appsecret_proof"], self.graph.proof_wanted)
        self.assertEqual(call.query["access_token"], TOKEN)

    def test_without_the_app_secret_there_is_no_proof(self):
        self.graph.proof = False
        self.addCleanup(setattr, self.graph, "proof", True)
        self.add("105")
        self.worker(META_APP_SECRET="")
        self.wait("105")
        self.assertNotIn("appsecret_proof", self.graph.calls_of("105")[0].query)

    def test_connections_are_kept_and_several_calls_are_in_flight(self):
        self.graph.script(ANY, Slow(0.05), times=FOREVER)
        self.add(*range(20000, 20060))
        before = self.graph.open_connections
        self.worker()
        self.wait_all()
        self.assertEqual(len(self.graph.calls), 60)
        self.assertLessEqual(self.graph.connections - before, 8)
        self.assertGreater(self.graph.most_in_flight, 2)
        self.assertLessEqual(self.graph.most_in_flight, 8)

    def test_a_server_that_closes_after_each_answer_is_no_trouble(self):
        self.graph.script(ANY, Closing(), times=FOREVER)
        self.add(*range(20100, 20120))
        self.worker()
        self.wait_all()
        self.assertEqual(len(self.graph.calls), 20)

    def test_test_leads_are_never_asked_for(self):
        self.add("444444444444", estado="teste")
        self.add("106")
        self.worker()
        self.wait("106")
        self.assertEqual([c.lead for c in self.graph.calls], ["106"])
        self.assertEqual(self.row("444444444444"), "teste")

    def test_leads_of_the_testing_tool_are_known_by_what_they_say(self):
        self.graph.lead("107", [("full_name", "<test lead: dummy data for full_name>"), ("email", "test@meta.com")])
        self.add("107")
        self.worker()
        self.wait("107", "teste")
        self.assertEqual(self.row("107", "email"), "test@meta.com")

    def test_without_a_token_nothing_is_asked(self):
        self.add("108")
        worker = self.worker(META_ACCESS_TOKEN="")
        time.sleep(1.5)
        self.assertEqual((self.graph.calls, self.row("108", "estado, tentativas")), ([], ("pendente", "0")))
        self.assertFalse(worker.events("graph"))

    def test_an_id_that_is_none_is_not_asked_for(self):
        self.add("../me", "1 2", "é", "9" * 65)
        self.worker()
        self.wait_all("falhou")
        self.assertEqual(self.graph.calls, [])

    def test_text_that_jsonb_refuses_costs_the_fields_and_no_more(self):
        data = (r'{"id":"109","field_data":[{"name":"email","values":["a@b.c"]},'
                r'{"name":"full_name","values":["x\u0000"]},{"name":"z","values":["\ud800"]}]}')
        self.graph.script("109", Raw(data.encode()))
        self.add("109")
        self.worker()
        self.wait("109")
        self.assertEqual(self.row("109", "nome, email, campos"), (None, "a@b.c", None))


class Failures(GraphCase):
    def test_what_may_pass_is_tried_again_later(self):
        """Each of them: pending, one attempt more, its turn seconds ahead, a reason; and then it is good."""
        kinds = {"201": Error(1), "202": Error(2), "203": Error(99999, transient=True), "204": Error(7, status=503),
                 "205": Raw(b"<html>", 502, "text/html"), "206": Raw(b"", 200), "207": Cut(0), "208": Cut(300),
                 "209": Raw(b'{"id":"999","field_data":[]}'), "210": Raw(b'{"id":"210"}'),
                 "211": Raw(b'[' * 5000), "212": Raw(b'{"x":"' + b"a" * (1 << 20) + b'"}'),
                 "213": Raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 90000 + b"\r\n\r\n{}", whole=True),
                 "214": Raw(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", whole=True),
                 "215": Raw(b"\0\xff nonsense", whole=True), "216": Error(0)}
        for at, behaviour in kinds.items():
            self.graph.script(at, behaviour)
        self.add(*kinds)
        self.worker()
        for at in kinds:
            with self.subTest(at, kind=vars(kinds[at])):
                estado, reason, ahead = self.wait_failed_once(at)
                self.assertEqual(estado, "pendente")
                self.assertTrue(reason)
                self.assertLessEqual(int(ahead), 5)
        self.hurry()
        self.wait_all()
        for at in kinds:  # once more or, where libcurl tried a kept connection anew, twice
            self.assertIn(len(self.graph.calls_of(at)), (2, 3), at)

    def test_what_will_not_pass_is_given_up_with_the_reason(self):
        self.graph.script("221", Error(100, 33))
        self.graph.script("222", Error(803))
        self.graph.script("223", Error(100))
        self.graph.script("224", Error(555))
        self.add("221", "222", "223", "224")
        self.worker()
        self.wait_all("falhou")
        self.assertRegex(self.row("221", "ultimo_erro"), r"não existe.*100/33")
        self.assertRegex(self.row("224", "ultimo_erro"), r"555/0")
        self.assertEqual(len(self.graph.calls), 4)

    def test_an_operator_can_have_it_asked_again(self):
        self.graph.script("225", Error(100, 33))
        self.add("225")
        self.worker()
        self.wait("225", "falhou")
        self.sql("UPDATE leads SET estado = 'pendente', tentativas = 0 WHERE estado = 'falhou'")
        self.wait("225")

    def test_the_tenth_failure_is_the_last(self):
        self.graph.script(ANY, Error(2), times=FOREVER)
        self.add("226", tentativas=8)
        self.worker()
        self.assertTrue(eventually(lambda: self.row("226", "tentativas") == "9", 10), self.tails())
        self.assertGreater(int(self.row("226", "extract(epoch FROM proxima_em - now())::int")), 500)
        self.hurry()
        self.wait("226", "falhou")
        self.assertEqual(self.row("226", "tentativas"), "10")

    def test_one_that_does_not_answer_holds_up_no_other_and_ends(self):
        self.graph.script("227", Silent(60))
        self.graph.script("228", Slow(1, drip=True))
        self.add("227", "228", *range(22900, 22920))
        self.worker()
        self.wait_each(["228", *range(22900, 22920)])
        self.assertEqual(self.row("227", "estado, tentativas"), ("pendente", "0"))
        estado, reason, _ = self.wait_failed_once("227", 25)
        self.assertEqual(estado, "pendente")
        self.assertIn("Timeout", reason)

    def test_nobody_there_is_tried_again(self):
        self.add("229")
        self.worker(GRAPH_URL="http://127.0.0.1:1/v25.0")
        self.assertEqual(self.wait_failed_once("229")[0], "pendente")


class Limits(GraphCase):
    def test_a_page_that_is_limited_rests_while_another_goes_on(self):
        for n, code in enumerate((32, 80005)):
            self.graph.script(f"30{n}", Error(code, headers={"X-Business-Use-Case-Usage": json.dumps(
                {PAGE: [{"type": "leadgen", "call_count": 100, "estimated_time_to_regain_access": 7}]})}))
            with self.subTest(code):
                self.sql("DELETE FROM leads")
                self.add(f"30{n}")
                worker = self.worker()
                self.assertTrue(eventually(lambda: worker.events("graph_limited"), 10), self.tails())
                self.add(*range(31000, 31300))
                self.add(*range(32000, 32020), page=OTHER)
                self.wait_each(range(32000, 32020))
                moved = eventually(lambda: self.count(
                    f"pagina_id = '{PAGE}' AND estado = 'pendente' AND tentativas = 0"
                    " AND proxima_em BETWEEN now() + interval '6 min' AND now() + interval '7 min'") == 301, 10)
                self.assertTrue(moved, self.tails())
                self.assertEqual([c.lead for c in self.graph.calls if c.lead < "32"], [f"30{n}"])
                self.graph.reset()
                self.assertEqual(worker.stop(), 0)

    def test_a_limit_of_the_app_stops_everything_and_passes(self):
        """No header says how long: some seconds."""
        self.graph.script("330", Error(4))
        self.add("330")
        worker = self.worker()
        self.assertTrue(eventually(lambda: worker.events("graph_limited"), 10), self.tails())
        self.add("331", page=OTHER)
        time.sleep(1)
        self.assertEqual([c.lead for c in self.graph.calls], ["330"])
        self.wait_all(seconds=20)
        self.assertEqual(self.row("330", "tentativas"), "0")

    def test_it_slows_down_before_the_limit(self):
        self.graph.usage(page={PAGE: 97})
        self.add(*range(34000, 34100))
        self.add(*range(35000, 35020), page=OTHER)
        for at in range(35000, 35020):
            self.graph.lead(at, page=OTHER)
        self.worker()
        self.wait_each(range(35000, 35020))
        time.sleep(1)
        self.assertLessEqual(len([c for c in self.graph.calls if c.lead < "35"]), 8)

    def test_a_limit_by_the_clock_is_lived_with(self):
        """Eight calls in a second: everything arrives, no attempt is counted."""
        self.graph.limit(calls=8, seconds=1)
        self.graph.usage_headers = lambda page: {}
        self.addCleanup(delattr, self.graph, "usage_headers")
        self.add(*range(36000, 36012))
        self.worker()
        self.wait_all(seconds=40)
        self.assertEqual(self.count("tentativas > 0"), 0)

    def test_a_wrong_token_pauses_all_and_says_so_once(self):
        for code, advice in ((190, "META_ACCESS_TOKEN"), (2635, "GRAPH_URL")):
            with self.subTest(code):
                self.graph.reset()
                self.sql("DELETE FROM leads")
                self.graph.script(ANY, Error(code), times=FOREVER)
                self.add(*range(37000, 37030))
                worker = self.worker()
                self.assertTrue(eventually(lambda: worker.events("graph_token"), 10), self.tails())
                time.sleep(1)
                told, = worker.events("graph_token")
                self.assertIn(advice, told["msg"])
                self.assertLessEqual(len(self.graph.calls), 8)
                self.assertEqual(self.count("estado = 'pendente' AND tentativas = 0"), 30)
                self.assertEqual(worker.stop(), 0)
        self.graph.reset()  # a worker with a better one has them all at once
        self.worker()
        self.wait_all()

    def test_a_wrong_app_secret_is_no_fault_of_the_leads(self):
        self.add("380")
        worker = self.worker(META_APP_SECRET=OLD_SECRET)
        self.assertTrue(eventually(lambda: worker.events("graph_token"), 10), self.tails())
        self.assertIn("META_APP_SECRET", worker.events("graph_token")[0]["msg"])
        self.assertEqual(self.row("380", "estado, tentativas"), ("pendente", "0"))


class Workers(GraphCase):
    def test_two_workers_ask_for_each_lead_once(self):
        self.graph.script(ANY, Slow(0.02), times=FOREVER)
        self.worker()
        self.worker()
        self.sql("INSERT INTO leads (leadgen_id, pagina_id, criado_em)"
                 " SELECT 40000 + n, '1', now() FROM generate_series(1, 300) n")
        self.wait_all(seconds=30)
        asked = [c.lead for c in self.graph.calls]
        self.assertEqual((len(asked), len(set(asked))), (300, 300))

    def test_a_killed_worker_leaves_leases_that_run_out(self):
        self.graph.script(ANY, Slow(3), times=8)
        self.add(*range(41000, 41020))
        first = self.worker()
        self.assertTrue(eventually(lambda: self.graph.in_flight == 8, 10), self.tails())
        taken = {c.lead for c in self.graph.calls}
        first.kill()
        self.assertEqual(self.count("proxima_em > now() + interval '5 s'"), 8)
        self.worker()
        self.assertTrue(eventually(lambda: self.count("estado = 'completo'") == 12, 15), self.tails())
        self.assertEqual(self.count("estado = 'pendente' AND tentativas = 0 AND proxima_em > now()"), 8)
        self.hurry()  # as if the leases had run out
        self.wait_all()
        for at in range(41000, 41020):
            self.assertEqual(len(self.graph.calls_of(at)), 2 if str(at) in taken else 1)

    def test_a_stop_does_not_wait_for_answers_and_gives_the_leads_back(self):
        self.graph.script(ANY, Silent(30), times=FOREVER)
        self.add(*range(42000, 42008))
        worker = self.worker()
        self.assertTrue(eventually(lambda: self.graph.in_flight == 8, 10), self.tails())
        begun = time.monotonic()
        self.assertEqual(worker.stop(), 0)
        self.assertLess(time.monotonic() - begun, 5)
        self.assertEqual(self.count("estado = 'pendente' AND tentativas = 0 AND proxima_em <= now()"), 8)

    def test_postgresql_away_loses_no_answer(self):
        self.graph.script("430", Slow(2))
        self.add("430")
        self.worker()
        self.assertTrue(eventually(lambda: self.graph.calls_of("430"), 10), self.tails())
        self.stack.pg.freeze()  # the outcome is written to it, and is then lost with it
        self.assertTrue(eventually(lambda: self.graph.calls_of("430")[0].ended, 10), self.tails())
        time.sleep(0.5)
        self.stack.pg.kill()
        self.stack.pg.start()
        self.wait("430", seconds=20)
        self.assertEqual(len(self.graph.calls_of("430")), 1)
