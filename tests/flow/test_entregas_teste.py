"""A delivery that an operator makes: signed here, taken in as Meta's are, noted in the audit log."""
import json

from case import StackCase, eventually
import deliveries
from deliveries import SECRET
import tokens

ROUTE = "/api/entregas/teste"


class Case(StackCase):
    options = {"env": {**tokens.ENV, "META_APP_SECRET": f"{SECRET},{deliveries.OLD_SECRET}"}}

    def headers(self):
        answer = self.post("/api/auth/login", {"email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD})
        return {"Authorization": "Bearer " + self.assertStatus(answer, 200).json["token"]}

    def archived(self, request_id):
        """(id, corpo, assinatura, agente) once the worker has stored it."""
        found = eventually(lambda: self.stack.pg.query(
            "SELECT id, encode(corpo, 'hex'), assinatura, agente FROM entregas"
            f" WHERE request_id = '{request_id}' AND estado = 'processada'"), 20)
        self.assertEqual(len(found), 1)
        id_, corpo, signature, agent = found[0]
        return id_, bytes.fromhex(corpo), signature, agent

    def send(self, body=None, **more):
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.call("POST", ROUTE, body=data,
                         headers={**self.headers(), "Content-Type": "application/json", **more})


class TestDeliveries(Case):
    def test_a_lead_of_our_own_goes_the_whole_way(self):
        seen = set()
        for body in (None, {}, {"corpo": None}):
            answer = self.assertStatus(self.send(body), 202)
            self.assertEqual(set(answer.json), {"request_id", "bytes"})
            self.assertEqual(answer.header("cache-control"), "no-store")
            self.assertEqual(answer.json["request_id"], answer.header("x-request-id"))
            id_, corpo, signature, agent = self.archived(answer.json["request_id"])
            self.assertEqual(len(corpo), answer.json["bytes"])
            self.assertEqual((signature, agent), (deliveries.signature(corpo), "alicerce/teste"))
            lead = json.loads(corpo)["entry"][0]["changes"][0]["value"]["leadgen_id"]
            self.assertEqual(self.stack.pg.query(f"SELECT estado FROM leads WHERE leadgen_id = '{lead}'"), [("teste",)])
            seen.add(lead)
        self.assertEqual(len(seen), 3)

    def test_bytes_of_the_client_are_kept_as_they_were_written(self):
        inner = deliveries.lead("7700901", nota="é \\u00e9 \" \\/ 1e400").replace(b"1749416383", b"1749416383.000")
        answer = self.assertStatus(self.send(b' {"corpo" :  ' + inner + b" } "), 202)
        id_, corpo, signature, agent = self.archived(answer.json["request_id"])
        self.assertEqual((corpo, answer.json["bytes"]), (inner, len(inner)))
        self.assertEqual(self.stack.pg.value("SELECT count(*) FROM leads WHERE leadgen_id = '7700901'"), "1")
        again = self.call("POST", "/webhook", body=corpo, headers={"X-Hub-Signature-256": signature})
        self.assertStatus(again, 200)

    def test_it_is_noted(self):
        answer = self.assertStatus(self.send(None, **{"X-Request-Id": "teste-anotado"}), 202)
        self.assertEqual(answer.json["request_id"], "teste-anotado")
        row = eventually(lambda: self.stack.pg.query(
            "SELECT acao, ator, papel, detalhe->>'bytes', detalhe->>'corpo_proprio' FROM auditoria"
            f" WHERE acao = 'evento_de_teste' AND request_id = '{answer.json['request_id']}'"))
        self.assertEqual([tuple(r) for r in row],
                         [("evento_de_teste", tokens.ADMIN_EMAIL, "admin", str(answer.json["bytes"]), "false")])

    def test_what_nothing_could_hold_is_not_noted(self):
        """Planted once: the note was made of every flight, also of one that failed."""
        headers, name = self.headers(), "teste-recusado"
        refuse = "ALTER TABLE entregas ADD CONSTRAINT nenhuma CHECK (request_id IS DISTINCT FROM '%s') NOT VALID"
        self.stack.pg.query(refuse % name)
        self.stack.redis.call("CONFIG", "SET", "maxmemory", "1")  # the token is believed, the stream refuses
        try:
            answer = self.call("POST", ROUTE, headers={**headers, "X-Request-Id": name})
        finally:
            self.stack.redis.call("CONFIG", "SET", "maxmemory", "0")
            self.stack.pg.query("ALTER TABLE entregas DROP CONSTRAINT nenhuma")
        self.assertRefused(answer, 503)
        later = self.assertStatus(self.send(), 202).json["request_id"]
        noted = "SELECT count(*) FROM auditoria WHERE request_id = '%s'"
        self.assertTrue(eventually(lambda: self.stack.pg.value(noted % later) == "1"))
        self.assertEqual(self.stack.pg.value(noted % name), "0")  # the same lane: it would be there by now

    def test_refusals(self):
        for body in (b'{"corpo":[]}', b'{"corpo":"x"}', b'{"corpo":1}', b'{"corpo":true}'):
            self.assertRefused(self.send(body), 422, "corpo")
        self.assertRefused(self.send({"corpo": {}, "x": 1}), 422, "x")
        for body in (b"[]", b"{", b"x", b'{"corpo":{"a":}}', b'{"corpo":' + b'{"a":' * 40 + b"1" + b"}" * 41):
            self.assertRefused(self.send(body), 400)
        self.assertRefused(self.send({"corpo": {"a": "x" * (1 << 20)}}), 413)
        self.assertRefused(self.post(ROUTE), 401)
        self.assertRefused(self.call("POST", ROUTE, headers=deliveries.signed(b"{}"), body=b"{}"), 401)
        self.assertStatus(self.call("GET", ROUTE), 405)

    def test_roles(self):
        for papel, status in (("leitor", 403), ("operador", 202)):
            fields = {"nome": papel, "email": f"{papel}-teste@alicerce.test", "papel": papel,
                      "senha": "um bispo corre em diagonal"}
            self.assertStatus(self.call("POST", "/api/usuarios", json=fields, headers=self.headers()), 201)
            token = self.post("/api/auth/login", {n: fields[n] for n in ("email", "senha")}).json["token"]
            self.assertStatus(self.call("POST", ROUTE, headers={"Authorization": f"Bearer {token}"}), status)


class WithoutSecret(Case):
    options = {"worker": 0, "env": tokens.ENV}

    def test_it_says_so(self):
        self.assertRefused(self.send(), 503)
        self.assertRefused(self.send({"corpo": 1}), 503)
