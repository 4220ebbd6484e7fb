"""Leads over HTTP: pages and their filters, one with its events, and what each role sees of them."""
import csv
import io
import json
import socket
import time
import urllib.parse

from case import StackCase, eventually
import client
from deliveries import SECRET
import tokens

MARK = "[oculto]"
ROW = {"leadgen_id", "pagina_id", "formulario_id", "anuncio_id", "conjunto_id", "estado", "teste", "nome", "email",
       "telefone", "criado_em", "recebido_em", "entrega_id"}
FIELDS = [{"name": "full_name", "values": ["Zoé D'Ávila"]}, {"name": "note", "values": ["=1+1", None]}]


class Leads(StackCase):
    options = {"worker": 0, "env": {**tokens.ENV, "META_APP_SECRET": SECRET}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        assert eventually(lambda: cls.stack.pg.value("SELECT to_regclass('leads') IS NOT NULL") == "t", 20)
        cls.stack.pg.query(
            "INSERT INTO leads (leadgen_id, pagina_id, formulario_id, criado_em, estado) SELECT 'm' || i, 'p' || i % 2,"
            " 'f' || i % 3, '2026-01-01Z'::timestamptz + i / 2 * interval '1 s', CASE i % 4 WHEN 0 THEN 'teste'"
            " ELSE 'pendente' END FROM generate_series(1, 30) i;"
            "INSERT INTO leads (leadgen_id, criado_em) VALUES ('900', '2026-02-01Z');"
            f"UPDATE leads SET estado = 'completo', nome = 'Zoé D''Ávila', email = 'zoe.avila@exemplo.com', telefone ="
            f" '+55 11 98765-4321', campos = '{json.dumps(FIELDS).replace(chr(39), 2 * chr(39))}' WHERE leadgen_id = '900';"
            "INSERT INTO eventos (entrega_id, chave, objeto, campo, entidade, assunto, contato, conteudo) VALUES"
            " (1, 'leadgen:900', 'page', 'leadgen', '77', '900', '5511', '{}')")

    def read(self, target, papel="admin"):
        return self.get(target, headers={"Authorization": f"Bearer {tokens.make(papel=papel)}"})

    def page(self, papel="admin", **query):
        answer = self.assertStatus(self.read("/api/leads?" + urllib.parse.urlencode(query), papel), 200)
        self.assertEqual(answer.header("cache-control"), "no-store")
        self.assertEqual(answer.json["redigido"], papel == "leitor")
        return answer.json

    def ids(self, **query):
        return [row["leadgen_id"] for row in self.page(**query)["leads"]]

    def ordered(self, where="true"):
        return [row[0] for row in self.stack.pg.query(
            f"SELECT leadgen_id FROM leads WHERE {where} ORDER BY criado_em DESC, leadgen_id DESC")]


class Pages(Leads):
    def test_pages_follow_one_another(self):
        """Across rows of one instant, whatever the size."""
        for size in (1, 7, 31, 100):
            seen, cursor = [], {}
            while cursor is not None:
                page = self.page(limite=size, **cursor)
                self.assertLessEqual(len(page["leads"]), size)
                seen += [row["leadgen_id"] for row in page["leads"]]
                cursor = {"cursor": page["proximo"]} if page["proximo"] else None
            self.assertEqual(seen, self.ordered())

    def test_a_row(self):
        row = self.page(limite=1)["leads"][0]
        self.assertEqual(set(row), ROW)
        self.assertEqual((row["leadgen_id"], row["estado"], row["teste"], row["nome"], row["criado_em"], row["pagina_id"],
                          row["entrega_id"]), ("900", "completo", False, "Zoé D'Ávila", "2026-02-01T00:00:00.000000Z", None, None))

    def test_filters(self):
        for query, where in (({"pagina": "p1"}, "pagina_id = 'p1'"), ({"formulario": "f2"}, "formulario_id = 'f2'"),
                             ({"estado": "teste"}, "estado = 'teste'"), ({"ate": "2026-01-02"}, "leadgen_id <> '900'"),
                             ({"desde": "2026-02-01"}, "leadgen_id = '900'"), ({"ate": "2026-02-01T00:00:00Z"}, "leadgen_id <> '900'"),
                             ({"pagina": "p1", "formulario": "f1", "estado": "pendente"},
                              "pagina_id = 'p1' AND formulario_id = 'f1' AND estado = 'pendente'")):
            with self.subTest(query):
                self.assertTrue(self.ordered(where))
                self.assertEqual(self.ids(**query), self.ordered(where))
        self.assertTrue(all(row["teste"] for row in self.page(estado="teste")["leads"]))

    def test_search(self):
        for text in ("900", "zoe", "AVILA", "zoe.avila@exemplo.com", "98765-4321", "exemplo.com"):
            self.assertEqual(self.ids(busca=text), ["900"], text)
        for text in ("ninguém", "zoe silva", "%", "'", "\\", "&|!"):
            self.assertEqual(self.ids(busca=text), [], text)

    def test_refusals(self):
        bad = ("limite=0", "limite=101", "cursor=x", "cursor=", "cursor=bDEuMS4", "desde=ontem", "ate=2026-13-01", "estado=x",
               "pagina=", "formulario=" + "a" * 101, "busca=", "busca=" + "a" * 201, "y=1", "estado=teste&estado=teste")
        for query in bad:
            self.assertRefused(self.read(f"/api/leads?{query}"), 400, query.split("=")[0])
        for plain in (b"l1.999999999999999999.1", b"l1.-999999999999999999.1", b"l1.1.\0", b"l1.1.\xff", b"a1.1.1", b"l1.x.1"):
            self.assertRefused(self.read(f"/api/leads?cursor={tokens.b64(plain)}"), 400, "cursor")
        for us in (-62167219200000000, 253402300799999999):
            self.page(cursor=tokens.b64(b"l1.%d.x" % us))
        for target in ("/api/leads", "/api/leads/900"):
            self.assertRefused(self.get(target), 401)


class One(Leads):
    def test_with_its_events(self):
        answer = self.assertStatus(self.read("/api/leads/900", "operador"), 200).json
        self.assertEqual(set(answer), ROW | {"campos", "tentativas", "consultado_em", "ultimo_erro", "proxima_em", "eventos",
                                             "redigido"})
        self.assertEqual((answer["campos"], answer["tentativas"], answer["redigido"]), (FIELDS, 0, False))
        self.assertEqual([(e["chave"], e["contato"]) for e in answer["eventos"]], [("leadgen:900", "5511")])
        self.assertIsNone(self.assertStatus(self.read("/api/leads/m1"), 200).json["campos"])

    def test_absent(self):
        for id_ in ("901", "m", "%C3%A9", "x" * 3000):
            self.assertRefused(self.read(f"/api/leads/{id_}"), 404)


class Readers(Leads):
    def test_see_no_person(self):
        row = self.page("leitor", limite=1)["leads"][0]
        self.assertEqual([row[n] for n in ("leadgen_id", "nome", "email", "telefone")], ["900", MARK, MARK, MARK])
        self.assertIsNone(self.page("leitor", limite=2)["leads"][1]["nome"])
        answer = self.assertStatus(self.read("/api/leads/900", "leitor"), 200)
        self.assertEqual(answer.json["campos"], [{"name": "full_name", "values": [MARK]}, {"name": "note", "values": [MARK, None]}])
        event = answer.json["eventos"][0]
        self.assertEqual([event[n] for n in ("chave", "entidade", "assunto", "contato")], ["leadgen:900", "77", MARK, MARK])
        for secret in ("Zo", "vila", "exemplo", "5511", "98765", "1+1"):
            self.assertNotIn(secret, answer.text)

    def test_see_no_reason_that_may_quote_a_person(self):
        self.stack.pg.query("UPDATE leads SET ultimo_erro = 'nome: Zoé' WHERE leadgen_id = '900'")
        try:
            self.assertEqual(self.read("/api/leads/900", "operador").json["ultimo_erro"], "nome: Zoé")
            self.assertEqual(self.read("/api/leads/900", "leitor").json["ultimo_erro"], MARK)
        finally:
            self.stack.pg.query("UPDATE leads SET ultimo_erro = NULL WHERE leadgen_id = '900'")

    def test_search_for_an_exact_id_alone(self):
        self.assertEqual(self.ids(papel="leitor", busca="900"), ["900"])
        self.assertEqual(self.ids(papel="leitor", busca="90"), [])
        self.assertEqual(self.ids(papel="leitor", busca="4321"), [], "an oracle on telephones")
        for text in ("zoe", "zoe.avila@exemplo.com", "98765-4321", "+55", " 900"):
            refused = self.assertRefused(self.read("/api/leads?" + urllib.parse.urlencode({"busca": text}), "leitor"), 403)
            self.assertIn("insufficient_scope", refused.header("www-authenticate"))


class Csv(Leads):
    def export(self, query="", papel="admin", method="GET"):
        return client.call(self.api.port, method, "/api/leads.csv" + query,
                           {"Authorization": f"Bearer {tokens.make(papel=papel)}"}, None, None, 60)

    def rows(self, query="", papel="admin"):
        answer = self.assertStatus(self.export(query, papel), 200)
        self.assertTrue(answer.body.startswith(b"\xef\xbb\xbfleadgen_id,"))
        self.assertTrue(answer.body.endswith(b"\r\n"))
        return list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"), newline="")))

    def noted(self):
        return self.stack.pg.query("SELECT detalhe::text FROM auditoria WHERE acao = 'leads_exportados' ORDER BY id")

    def test_the_head(self):
        for method in ("GET", "HEAD"):
            answer = self.assertStatus(self.export(method=method), 200)
            self.assertEqual(answer.header("content-type"), "text/csv; charset=utf-8")
            self.assertRegex(answer.header("content-disposition"), r'^attachment; filename="leads-\d{4}-\d\d-\d\d\.csv"$')
            self.assertRegex(answer.header("x-total-estimado"), r"^\d+$")
            self.assertEqual(answer.header("cache-control"), "no-store")

    def test_a_row(self):
        row = self.rows("?busca=900")[0]
        self.assertEqual(set(row), ROW | {"campos"})
        self.assertEqual([row[n] for n in ("leadgen_id", "teste", "nome", "telefone", "criado_em", "pagina_id")],
                         ["900", "false", "Zoé D'Ávila", "'+55 11 98765-4321", "2026-02-01T00:00:00.000000Z", ""])
        self.assertEqual(json.loads(row["campos"]), FIELDS)

    def test_filters_and_order(self):
        for query, where in (("", "true"), ("?estado=teste", "estado = 'teste'"), ("?pagina=p1", "pagina_id = 'p1'"),
                             ("?ate=2000-01-01", "false")):
            self.assertEqual([row["leadgen_id"] for row in self.rows(query)], self.ordered(where), query)

    def test_many_pages(self):
        """More than streams keep, with one instant across pages, and full pages to the end."""
        self.stack.pg.query(
            "INSERT INTO leads (leadgen_id, formulario_id, criado_em, nome, campos) SELECT 'g' || i, 'grande',"
            " '2025-01-01Z'::timestamptz + i / 900 * interval '1 s', '=' || i, jsonb_build_array(jsonb_build_object("
            "'name', 'n', 'values', ARRAY[repeat('x', 300)])) FROM generate_series(1, 4000) i")
        rows = self.rows("?formulario=grande")
        self.assertEqual([row["leadgen_id"] for row in rows], self.ordered("formulario_id = 'grande'"))
        self.assertTrue(all(row["nome"].startswith("'=") and len(row["campos"]) > 300 for row in rows))

    def test_leaves_a_row_in_the_audit_log(self):
        before = len(self.noted())
        self.export(method="HEAD")
        self.export("?estado=x")
        self.export("?busca=zoe&estado=completo")
        self.assertTrue(eventually(lambda: len(self.noted()) > before))
        self.assertEqual(len(self.noted()), before + 1)
        detail = json.loads(self.noted()[-1][0])
        self.assertEqual((detail["busca"], detail["estado"], detail["redigido"]), (True, "completo", False))

    def test_readers_see_no_person(self):
        answer = self.assertStatus(self.export("?ate=2027-01-01&desde=2026-01-01", "leitor"), 200)
        for secret in ("Zo", "vila", "exemplo", "98765", "1+1"):
            self.assertNotIn(secret, answer.text)
        row = self.rows("?busca=900", "leitor")[0]
        self.assertEqual([row[n] for n in ("nome", "email", "telefone")], [MARK] * 3)
        self.assertEqual(self.export("?busca=zoe", "leitor").status, 403)

    def test_refusals(self):
        for query in ("limite=1", "cursor=x", "estado=x", "desde=x"):
            self.assertRefused(self.export("?" + query), 400, query.split("=")[0])
        self.assertRefused(self.get("/api/leads.csv"), 401)

    def begin_export(self, token):
        """Its first bytes, by a client that then takes no more."""
        s = socket.socket()
        self.addCleanup(s.close)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(30)
        s.connect(("127.0.0.1", self.api.port))
        s.sendall(client.head("GET", "/api/leads.csv?formulario=longo", {"Authorization": f"Bearer {token}"}))
        return s, s.recv(64)

    def make_long(self):
        self.addCleanup(self.stack.pg.query, "DELETE FROM leads WHERE formulario_id = 'longo'")
        self.stack.pg.query("INSERT INTO leads (leadgen_id, formulario_id, criado_em, campos) SELECT 'l' || i, 'longo',"
                            " '2023-01-01Z', jsonb_build_array(repeat('x', 40000)) FROM generate_series(1, 400) i")

    def cuts(self, why):
        """A client that does not read is cut later, and otherwise."""
        return [e for e in self.api.events("leads_export_cut") if why in str(e)]

    def test_it_ends_when_its_token_is_revoked(self):
        self.make_long()
        token = tokens.make()
        _, first = self.begin_export(token)
        self.assertIn(b" 200 ", first)
        answer = self.call("POST", "/api/auth/logout", headers={"Authorization": f"Bearer {token}"})
        self.assertStatus(answer, 204)
        self.assertTrue(eventually(lambda: self.cuts("revoked"), 15), "it goes on without a token")

    def test_it_ends_when_its_token_expires(self):
        """Planted once: without the look at the clock it goes on."""
        self.make_long()
        now = int(time.time())
        s, first = self.begin_export(tokens.make(iat=now - 800, exp=now - 55))  # counts for 60 s more
        self.assertIn(b" 200 ", first)
        self.assertTrue(eventually(lambda: self.cuts("expired"), 15), "it goes on without a token")
        self.assertGreaterEqual(time.time(), now + 5, "it was cut while the token counted")
        with self.assertRaises(ConnectionError):  # a reset: half a file must not look whole
            while s.recv(65536):
                pass

    def test_only_so_many_at_a_time(self):
        """Four a loop; each that ends makes room."""
        self.make_long()
        begun = [self.begin_export(tokens.make()) for _ in range(9)]
        refused = [first for _, first in begun if b" 503 " in first]
        self.assertTrue(refused)
        for s, _ in begun:
            s.close()
        answer = eventually(lambda: (a := self.export("?busca=900")).status == 200 and a, 10)
        self.assertStatus(answer, 200)

    def test_a_failure_on_the_way_cuts_the_connection(self):
        """A page over the cap: it must not look like an end."""
        self.addCleanup(self.stack.pg.query, "DELETE FROM leads WHERE formulario_id = 'cortado'")
        self.stack.pg.query("INSERT INTO leads (leadgen_id, formulario_id, criado_em, campos) SELECT 'c' || i, 'cortado',"
                            " '2024-01-01Z', jsonb_build_array(repeat('x', 800000)) FROM generate_series(1, 60) i")
        with self.assertRaises((ConnectionError, ValueError)):
            self.export("?formulario=cortado")
        self.assertStatus(self.export("?busca=900"), 200)
