"""Deliveries and events as operators read them, and without persons for readers."""
import base64
import glob
import json
import os
import re
import socket

from case import StackCase, eventually
import client
import deliveries
from deliveries import SECRET
import servers
import tokens

FIXTURES = sorted(glob.glob(os.path.join(servers.PROJECT, "tests", "fixtures", "webhook", "*.json")))
PERSONAL = ("text", "body", "name", "phone", "wa_id", "from", "to", "recipient_id", "message", "email", "user_id",
            "sender_name", "display_phone_number")


def personal_values(value, key=""):
    """Texts under keys that name or quote a person."""
    if isinstance(value, dict):
        for k, v in value.items():
            yield from personal_values(v, k)
    elif isinstance(value, list):
        for v in value:
            yield from personal_values(v, key)
    elif isinstance(value, str) and key in PERSONAL and len(value) > 3:
        yield value


class Archive(StackCase):
    options = {"env": {**tokens.ENV, "META_APP_SECRET": SECRET}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bodies = [open(path, "rb").read() for path in FIXTURES] + [deliveries.lead("5550001", form_id="901"),
                                                                       b"nem JSON", b"\xff\xfe\x00"]
        for n, body in enumerate(cls.bodies):
            answer = cls.stack_call(body, f"entrega-{n}")
            assert answer.status == 200, answer
        done = ("SELECT count(*) FROM entregas WHERE estado <> 'pendente'")
        assert eventually(lambda: int(cls.stack.pg.value(done)) == len(cls.bodies), 30)

    @classmethod
    def stack_call(cls, body, request_id):
        self = cls("run")  # no test, its ways of calling alone
        return self.call("POST", "/webhook", body=body,
                         headers={**deliveries.signed(body), "X-Request-Id": request_id})

    def as_role(self, target, papel="operador", status=200):
        answer = self.call("GET", target, headers={"Authorization": f"Bearer {tokens.make(papel=papel)}"})
        return self.assertStatus(answer, status)

    def page(self, query="", papel="operador"):
        return self.as_role("/api/entregas" + query, papel).json


class Deliveries(Archive):
    def test_pages_hold_each_once_newest_first(self):
        seen, cursor = [], ""
        for _ in range(len(self.bodies)):
            page = self.page(f"?limite=7{cursor}")
            seen += page["entregas"]
            if not page["proximo"]:
                break
            cursor = "&cursor=" + page["proximo"]
        self.assertEqual(len({e["id"] for e in seen}), len(self.bodies))
        self.assertEqual(len(seen), len(self.bodies))
        self.assertEqual([e["recebida_em"] for e in seen], sorted((e["recebida_em"] for e in seen), reverse=True))

    def found(self, query, most=30):
        out, cursor = [], ""
        for _ in range(most):
            page = self.page(f"?{query}{cursor}")
            out += page["entregas"]
            if not page["proximo"]:
                return out
            cursor = "&cursor=" + page["proximo"]
        raise AssertionError("no end of pages")

    def test_filters(self):
        last = len(self.bodies) - 1
        self.assertEqual([e["request_id"] for e in self.found(f"request_id=entrega-{last}")], [f"entrega-{last}"])
        self.assertEqual([e["request_id"] for e in self.found("formulario=901")], [f"entrega-{last - 2}"])
        self.assertEqual([e["request_id"] for e in self.found("campo=value.form_id&valor=901")], [f"entrega-{last - 2}"])
        dead = self.found("estado=morta")
        self.assertEqual({e["estado"] for e in dead}, {"morta"})
        self.assertIn(f"entrega-{last}", [e["request_id"] for e in dead])
        self.assertEqual(self.found("desde=2999-01-01"), [])
        self.assertEqual(self.found("ate=2001-01-01"), [])
        self.assertEqual(self.found("campo=value.form_id&valor=902"), [])

    def test_one_tells_all(self):
        last = len(self.bodies) - 1
        row = self.found(f"request_id=entrega-{last - 2}")[0]
        one = self.as_role(f"/api/entregas/{row['id']}").json
        self.assertEqual({k: one[k] for k in row}, row)
        self.assertEqual(one["corpo"].encode(), self.bodies[last - 2])
        self.assertIsNone(one["corpo_base64"])
        self.assertEqual(one["assinatura"], deliveries.signature(self.bodies[last - 2]))
        self.assertEqual([e["chave"] for e in one["eventos"]], ["leadgen:5550001"])
        self.assertFalse(one["redigido"])

    def test_bytes_that_are_no_text_come_coded(self):
        last = len(self.bodies) - 1
        row = self.found(f"request_id=entrega-{last}")[0]
        one = self.as_role(f"/api/entregas/{row['id']}").json
        self.assertIsNone(one["corpo"])
        self.assertEqual(base64.b64decode(one["corpo_base64"]), self.bodies[last])
        self.assertEqual([h["resultado"] for h in one["historico"]], ["morta"])

    def test_raw_bytes_for_who_may_and_noted(self):
        last = len(self.bodies) - 1
        row = self.found(f"request_id=entrega-{last}")[0]
        raw = self.as_role(f"/api/entregas/{row['id']}/corpo")
        self.assertEqual(raw.body, self.bodies[last])
        self.assertEqual(raw.header("content-type"), "application/octet-stream")
        self.assertIn("attachment", raw.header("content-disposition"))
        self.assertEqual(raw.header("x-content-type-options"), "nosniff")
        self.as_role(f"/api/entregas/{row['id']}/corpo", "leitor", 403)
        noted = f"SELECT count(*) FROM auditoria WHERE acao = 'corpo_lido' AND alvo = 'entrega:{row['id']}'"
        self.assertTrue(eventually(lambda: self.stack.pg.value(noted) == "1"))

    def test_only_so_many_at_a_time(self):
        """Eight a loop, by clients that do not take what they asked for; each that ends makes room."""
        body = json.dumps({"object": "page", "entry": [], "x": "\\" * 1_450_000}).encode()  # 5.8 MB within JSON: no socket holds it
        self.assertStatus(self.stack_call(body, "enorme"), 200)
        self.addCleanup(self.stack.pg.query, "DELETE FROM entregas WHERE request_id = 'enorme'")
        row = eventually(lambda: self.found("request_id=enorme"), 20)[0]
        begun = []
        for _ in range(17):
            s = socket.socket()
            self.addCleanup(s.close)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.settimeout(30)
            s.connect(("127.0.0.1", self.api.port))
            s.sendall(client.head("GET", f"/api/entregas/{row['id']}", {"Authorization": f"Bearer {tokens.make()}"}))
            begun.append((s, s.recv(64)))
        self.assertTrue([first for _, first in begun if b" 503 " in first])
        for s, _ in begun:
            s.close()
        again = lambda: self.call("GET", f"/api/entregas/{row['id']}", headers={"Authorization": f"Bearer {tokens.make()}"})
        self.assertTrue(eventually(lambda: again().status == 200, 10))

    def test_bad_requests_name_the_field(self):
        for query, field in (("limite=0", "limite"), ("limite=101", "limite"), ("cursor=AAAA", "cursor"),
                             ("estado=viva", "estado"), ("desde=ontem", "desde"), ("ate=2026-13-01", "ate"),
                             ("campo=a", "valor"), ("formulario=", "formulario"), ("x=1", "x")):
            with self.subTest(query):
                token = {"Authorization": f"Bearer {tokens.make()}"}
                self.assertRefused(self.call("GET", f"/api/entregas?{query}", headers=token), 400, field)
        self.assertRefused(self.get("/api/entregas"), 401)
        self.as_role("/api/entregas/999999", status=404)
        self.as_role("/api/entregas/999999/corpo", status=404)

    def test_a_cursor_of_another_order_is_refused(self):
        by_time = self.page("?limite=1")["proximo"]
        token = {"Authorization": f"Bearer {tokens.make()}"}
        self.assertRefused(self.call("GET", f"/api/entregas?campo=id&valor=1&cursor={by_time}", headers=token), 400, "cursor")
        self.assertRefused(self.call("GET", f"/api/eventos?cursor={by_time}", headers=token), 400, "cursor")


class Readers(Archive):
    def test_no_person_shows_anywhere(self):
        """Planted: evento_json with redacted false; redact_key that takes "name"."""
        secret = {v for body in self.bodies[:len(FIXTURES)] for v in personal_values(json.loads(body))}
        secret = {v for v in secret if not re.fullmatch(r"[a-z_]{1,20}", v)}
        self.assertGreater(len(secret), 20)
        shown, cursor = "", ""
        for _ in range(100):
            page = self.as_role(f"/api/eventos?limite=100{cursor}", "leitor").json
            self.assertTrue(page["redigido"])
            shown += json.dumps(page, ensure_ascii=False)
            if not page["proximo"]:
                break
            cursor = "&cursor=" + page["proximo"]
        for row in self.page("?limite=100", "leitor")["entregas"]:
            shown += json.dumps(self.as_role(f"/api/entregas/{row['id']}", "leitor").json, ensure_ascii=False)
        plain = json.dumps([self.as_role("/api/eventos?limite=100").json], ensure_ascii=False)
        self.assertTrue(any(v in plain for v in secret))
        self.assertEqual([v for v in secret if f'"{v}"' in shown or (len(v) > 8 and v in shown)], [])

    def test_what_postgresql_said_of_a_value_is_hidden(self):
        """Planted: archive_put_text for the reason."""
        said = "22P02: invalid input syntax for type integer: \"Ana Silva\""
        row = self.page("?estado=morta&limite=1")["entregas"][0]
        self.stack.pg.query(f"UPDATE entregas SET motivo = '{said}' WHERE id = {row['id']}; INSERT INTO entregas_historico"
                            f" (entrega_id, acao, resultado, motivo) VALUES ({row['id']}, 'tentativa', 'morta', '{said}')")
        self.addCleanup(self.stack.pg.query, "UPDATE entregas SET motivo = 'não é um JSON válido' WHERE motivo LIKE '22P02%'")
        for papel, wanted in (("operador", said), ("leitor", "22P02: [oculto]")):
            listed = [e for e in self.page("?estado=morta", papel)["entregas"] if e["id"] == row["id"]]
            one = self.as_role(f"/api/entregas/{row['id']}", papel).json
            self.assertEqual([listed[0]["motivo"], one["motivo"], one["historico"][-1]["motivo"]], [wanted] * 3)
        others = [e["motivo"] for e in self.page("?estado=morta", "leitor")["entregas"] if e["id"] != row["id"]]
        self.assertIn("não é um JSON válido", others)

    def test_a_reader_may_not_guess_by_searching(self):
        self.as_role("/api/eventos?valor=5511999990000", "leitor", 403)
        self.as_role("/api/entregas?campo=from&valor=5511999990000", "leitor", 403)
        self.as_role("/api/eventos?campo=value.form_id&valor=901", "leitor")


class Events(Archive):
    def test_pages_search_and_one(self):
        row = self.as_role("/api/eventos?campo=value.form_id&valor=901").json["eventos"]
        self.assertEqual([e["chave"] for e in row], ["leadgen:5550001"])
        one = self.as_role(f"/api/eventos/{row[0]['id']}").json
        self.assertEqual(one["conteudo"]["value"]["form_id"], "901")
        of = self.as_role(f"/api/eventos?entrega={row[0]['entrega_id']}").json["eventos"]
        self.assertEqual([e["id"] for e in of], [row[0]["id"]])
        self.as_role("/api/eventos/999999", status=404)
        token = {"Authorization": f"Bearer {tokens.make()}"}
        self.assertRefused(self.call("GET", "/api/eventos?entrega=x", headers=token), 400, "entrega")
