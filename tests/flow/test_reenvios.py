"""Sending deliveries again, the queue's state over HTTP, and the audit log of it."""
from case import StackCase, eventually
import deliveries
from deliveries import SECRET
import tokens


class Operators(StackCase):
    options = {"env": {**tokens.ENV, "META_APP_SECRET": SECRET}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = None

    def setUp(self):
        if not self.token:
            answer = self.post("/api/auth/login", {"email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD})
            type(self).token = self.assertStatus(answer, 200).json["token"]

    def as_admin(self, method, target, json=None):
        return self.call(method, target, json=json, headers={"Authorization": f"Bearer {self.token}"})

    def value(self, text):
        return self.stack.pg.value(text)

    def archive(self, body, estado="morta", n=1):
        """So many rows of the archive, oldest first; the id of the last one."""
        self.stack.pg.query(
            "INSERT INTO entregas (recebida_em, via, corpo, estado, motivo, tentativas) SELECT now() - interval '1 hour'"
            f" + i * interval '1 ms', 'direta', '\\x{body.hex()}', '{estado}',"
            f" CASE WHEN '{estado}' = 'morta' THEN 'por teste' END, 3 FROM generate_series(1, {n}) i")
        return int(self.value("SELECT max(id) FROM entregas"))

    def registros(self, query=""):
        return self.assertStatus(self.as_admin("GET", "/api/auditoria" + query), 200).json["registros"]

    def ended(self, job):
        def look():
            answer = self.assertStatus(self.as_admin("GET", f"/api/reenvios/{job}"), 200).json
            return answer if answer["estado"] != "em_andamento" else None
        return eventually(look, 60, 0.2)


class One(Operators):
    def test_goes_through_the_worker_again(self):
        id_ = self.archive(deliveries.lead("7700001"))
        row = self.assertStatus(self.as_admin("POST", f"/api/entregas/{id_}/reenviar"), 202).json
        self.assertEqual((row["id"], row["estado"], row["motivo"], row["tentativas"]), (id_, "pendente", None, 0))
        self.assertTrue(eventually(lambda: self.value("SELECT count(*) FROM leads WHERE leadgen_id = '7700001'") == "1", 15))
        history = self.stack.pg.query(
            f"SELECT acao, resultado, por FROM entregas_historico WHERE entrega_id = {id_} ORDER BY id")
        self.assertEqual([tuple(h) for h in history][0], ("reenvio", "pendente", tokens.ADMIN_EMAIL))
        self.assertEqual(tuple(history[1])[:2], ("tentativa", "processada"))
        noted = self.registros("?acao=entrega_reenviada")[0]
        self.assertEqual((noted["alvo"], noted["ator"], noted["papel"], noted["endereco"]),
                         (f"entrega:{id_}", tokens.ADMIN_EMAIL, "admin", "127.0.0.1"))

    def test_refusals(self):
        self.assertRefused(self.as_admin("POST", "/api/entregas/999999999/reenviar"), 404)
        self.assertRefused(self.as_admin("POST", "/api/entregas/x/reenviar"), 400, "id")
        self.assertRefused(self.post("/api/entregas/1/reenviar"), 401)
        self.assertStatus(self.as_admin("POST", "/api/fila/pausar"), 200)
        try:
            id_ = self.archive(b"{}", "pendente")
            self.assertRefused(self.as_admin("POST", f"/api/entregas/{id_}/reenviar"), 409)
        finally:
            self.assertStatus(self.as_admin("POST", "/api/fila/retomar"), 200)


class Jobs(Operators):
    def test_counts_are_exact(self):
        self.archive(deliveries.lead("7710001"), n=1200)
        self.archive(b"x", n=3)
        wish = {"estado": "morta", "motivo": "por teste"}
        found = self.assertStatus(self.as_admin("POST", "/api/reenvios", {**wish, "simular": True}), 200).json
        self.assertEqual(found, {"encontradas": 1203, "ou_mais": False})
        few = self.as_admin("POST", "/api/reenvios", {**wish, "simular": True, "maximo": 10}).json
        self.assertEqual(few, {"encontradas": 10, "ou_mais": True})
        answer = self.assertStatus(self.as_admin("POST", "/api/reenvios", wish), 202)
        job = answer.json["id"]
        self.assertEqual(answer.header("location"), f"/api/reenvios/{job}")
        self.assertEqual(answer.json["filtro"], wish)
        done = self.ended(job)
        self.assertEqual([done[n] for n in ("estado", "marcadas", "processadas", "mortas", "por_fazer", "erro")],
                         ["concluido", 1203, 1200, 3, 0, None])
        self.assertEqual(self.value("SELECT count(*) FROM leads WHERE leadgen_id = '7710001'"), "1")
        listed = self.as_admin("GET", "/api/reenvios?limite=1").json
        self.assertEqual((listed["reenvios"][0]["id"], len(listed["reenvios"])), (job, 1))
        self.assertEqual(self.registros("?acao=reenvio_criado")[0]["alvo"], f"reenvio:{job}")
        self.assertRefused(self.as_admin("POST", f"/api/reenvios/{job}/cancelar"), 409)

    def test_a_wish_that_makes_no_sense_is_refused_by_field(self):
        for wish, field in (({}, "estado"), ({"estado": "pendente"}, "estado"), ({"estado": "morta", "formulario": "1"}, "formulario"),
                            ({"estado": "processada", "motivo": "x"}, "motivo"), ({"estado": "morta", "maximo": 0}, "maximo"),
                            ({"estado": "morta", "desde": "ontem"}, "desde"), ({"estado": "morta", "x": 1}, "x")):
            self.assertRefused(self.as_admin("POST", "/api/reenvios", wish), 422, field)


    def test_cancel(self):
        """While the queue is paused nothing that was marked is worked on, and a step marks only so many."""
        self.assertStatus(self.as_admin("POST", "/api/fila/pausar"), 200)
        try:
            self.archive(deliveries.lead("7720001"), n=40)
            answer = self.as_admin("POST", "/api/reenvios", {"estado": "morta", "motivo": "por teste"})
            job = self.assertStatus(answer, 202).json["id"]
            done = self.assertStatus(self.as_admin("POST", f"/api/reenvios/{job}/cancelar"), 200).json
            self.assertEqual((done["id"], done["estado"]), (job, "cancelado"))
            self.assertIsNotNone(done["terminado_em"])
            again = self.assertStatus(self.as_admin("POST", f"/api/reenvios/{job}/cancelar"), 200).json
            self.assertEqual(again["terminado_em"], done["terminado_em"])
            noted = self.stack.pg.query("SELECT ator, alvo FROM auditoria WHERE acao = 'reenvio_cancelado'"
                                        f" AND alvo = 'reenvio:{job}'")
            self.assertEqual([tuple(n) for n in noted], [(tokens.ADMIN_EMAIL, f"reenvio:{job}")])
        finally:
            self.assertStatus(self.as_admin("POST", "/api/fila/retomar"), 200)

        def settled():
            row = self.assertStatus(self.as_admin("GET", f"/api/reenvios/{job}"), 200).json
            return row if row["por_fazer"] == 0 else None
        row = eventually(settled, 20)
        self.assertEqual((row["estado"], row["marcadas"]), ("cancelado", row["processadas"] + row["mortas"]))
        left = self.value("SELECT count(*) FROM entregas WHERE estado = 'morta' AND motivo = 'por teste'")
        self.assertEqual(int(left), 40 - row["marcadas"])
        self.stack.pg.query("UPDATE entregas SET motivo = 'de antes' WHERE estado = 'morta'")
        self.assertRefused(self.as_admin("POST", "/api/reenvios/999999999/cancelar"), 404)


class Rights(Operators):
    ACTING = ("/api/entregas/{id}/reenviar", "/api/entregas/teste", "/api/reenvios", "/api/reenvios/{job}/cancelar",
              "/api/fila/pausar", "/api/fila/retomar")
    READING = ("/api/reenvios", "/api/reenvios/{job}", "/api/fila")

    def token_of(self, papel):
        fields = {"nome": papel, "email": f"{papel}-direitos@alicerce.test", "papel": papel,
                  "senha": "um bispo corre em diagonal"}
        self.assertStatus(self.as_admin("POST", "/api/usuarios", fields), 201)
        answer = self.post("/api/auth/login", {n: fields[n] for n in ("email", "senha")})
        return {"Authorization": "Bearer " + self.assertStatus(answer, 200).json["token"]}

    def target(self, path):
        return path.format(id=self.archive(deliveries.lead("7730001")), job=self.job)

    def test_roles(self):
        wish = {"estado": "morta", "motivo": "de ninguém"}
        self.job = self.assertStatus(self.as_admin("POST", "/api/reenvios", wish), 202).json["id"]
        self.ended(self.job)
        body = {"/api/reenvios": wish}
        for papel, acting in (("leitor", {403}), ("operador", {200, 202, 409})):  # 409: the job is over
            head = self.token_of(papel)
            before = self.value("SELECT count(*) FROM auditoria WHERE acao <> 'login'")
            for path in self.ACTING:
                with self.subTest(papel=papel, path=path):
                    self.assertStatus(self.call("POST", self.target(path), json=body.get(path), headers=head), acting)
                    self.assertRefused(self.call("POST", self.target(path), json=body.get(path)), 401)
            if papel == "leitor":
                self.assertEqual(self.value("SELECT count(*) FROM auditoria WHERE acao <> 'login'"), before)
            for path in self.READING:
                with self.subTest(papel=papel, path=path):
                    self.assertStatus(self.call("GET", self.target(path), headers=head), 200)
            self.assertRefused(self.call("GET", "/api/auditoria", headers=head), 403)


class Queue(Operators):
    def test_pause_and_resume(self):
        state = self.assertStatus(self.as_admin("GET", "/api/fila"), 200).json
        self.assertEqual(set(state), {"comprimento", "mais_antiga_s", "em_maos", "bytes_por_entrega", "diretas",
                                      "novas_tentativas", "proxima_tentativa_em", "mortas", "workers", "pausada_em",
                                      "pausada_por"})
        self.assertIsNone(state["pausada_em"])
        paused = self.assertStatus(self.as_admin("POST", "/api/fila/pausar"), 200).json
        self.assertEqual(paused["pausada_por"], tokens.ADMIN_EMAIL)
        self.assertIsNone(self.assertStatus(self.as_admin("POST", "/api/fila/retomar"), 200).json["pausada_em"])
        self.assertEqual([r["acao"] for r in self.registros()[:2]], ["fila_retomada", "fila_pausada"])


class Audit(Operators):
    def test_only_grows(self):
        self.assertTrue(eventually(lambda: self.registros("?acao=login")))
        before = self.value("SELECT count(*) FROM auditoria")
        for text in ("UPDATE auditoria SET ator = NULL", "DELETE FROM auditoria", "TRUNCATE auditoria",
                     "SET alicerce.auditoria_retencao = 'sim'; DELETE FROM auditoria",
                     "SET alicerce.auditoria_retencao = 'sim'; UPDATE auditoria SET ator = NULL"):
            with self.subTest(text), self.assertRaisesRegex(Exception, "only grows"):
                self.stack.pg.query(text)
        self.assertEqual(self.value("SELECT count(*) FROM auditoria WHERE ator IS NOT NULL"), before)

    def test_pages_and_filters(self):
        for wish in ("pausar", "retomar", "pausar", "retomar"):
            self.assertStatus(self.as_admin("POST", f"/api/fila/{wish}"), 200)
        every = self.registros("?ator=1&limite=100")
        seen, target = [], "/api/auditoria?ator=1&limite=2"
        while target:
            answer = self.as_admin("GET", target).json
            seen += answer["registros"]
            target = answer["proximo"] and f"/api/auditoria?ator=1&limite=2&cursor={answer['proximo']}"
        self.assertEqual(seen, every)
        self.assertEqual(self.registros(f"?ator={tokens.ADMIN_EMAIL}&limite=100"), every)
        self.assertEqual(self.registros("?ate=2000-01-01"), [])
        for bad in ("acao=x", "desde=x", "cursor=x", "limite=0", "y=1"):
            self.assertRefused(self.as_admin("GET", f"/api/auditoria?{bad}"), 400)
