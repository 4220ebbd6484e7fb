"""docs/openapi.yaml against the running API, in both directions: what the file says happens, and what
happens is in the file.

A walk (openapi_walk.py) calls every operation and provokes every status; then each answer is looked at
(openapi_checks.py): status, headers, body. So a bound that is off by one fails, a member or header that
one side does not know fails, and so does a status that is in the file and never came.
test_planted_errors_are_seen plants such errors (openapi_plants.py)."""
import contextlib
import copy
import os
import re

from case import StackCase
import deliveries
import openapi
from openapi_checks import differences, never_seen, source, wrong_with
from openapi_plants import BOUNDS, PLANTED, put
from openapi_walk import EXAMPLE, METHODS, ROWS, Walk
import servers
import tokens

FILE = os.path.join(servers.PROJECT, "docs", "openapi.yaml")
ENV = {"META_APP_SECRET": deliveries.SECRET, "META_VERIFY_TOKEN": deliveries.VERIFY_TOKEN,
       "JWT_SECRET": tokens.SECRET, "ADMIN_EMAIL": EXAMPLE["email"], "ADMIN_PASSWORD": EXAMPLE["senha"]}


class OpenApi(StackCase):
    options = {"worker": 0, "env": ENV}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        nobody = servers.free_port()
        cls.stack.add_api({"DATABASE_URL": f"postgresql://a:b@127.0.0.1:{nobody}/c",
                           "REDIS_PORT": str(nobody), "REQUEST_TIMEOUT_MS": "200"}).start()
        cls.stack.pg.query("INSERT INTO posts (titulo, conteudo) SELECT 'Post ' || n, 'Texto' FROM"
                           " generate_series(1, 120) n;"
                           "INSERT INTO leads (leadgen_id, criado_em, campos) VALUES"
                           """ ('900', now(), '[{"name":"full_name","values":["Ana"]}]');"""
                           "INSERT INTO entregas (recebida_em, via, corpo, estado, motivo, tentativas)"
                           " VALUES (now(), 'direta', 'nem JSON', 'morta', 'por teste', 3);"
                           "INSERT INTO eventos (entrega_id, chave, objeto, campo, entidade, conteudo)"
                           " VALUES (1, 'leadgen:900', 'page', 'leadgen', '77', '{}')")
        cls.stack.pg.query(ROWS["reenvios"])
        cls.text = source(FILE)
        cls.document = openapi.Document(openapi.load(cls.text))
        cls.walk = Walk(cls.document, cls.stack).everything()

    def assertNothing(self, lines):
        lines = list(lines)
        self.assertFalse(lines, f"{len(lines)}:\n" + "\n".join(lines[:40]))

    def test_the_routes_of_the_file_are_those_of_the_api(self):
        self.assertNothing(differences(self.document))

    def test_every_answer_is_as_the_file_has_it(self):
        self.assertGreater(len(self.walk.calls), 500)
        self.assertNothing(line for call in self.walk.calls for line in wrong_with(self.document, call))

    def test_every_status_of_the_file_comes(self):
        self.assertNothing(never_seen(self.document, self.walk.calls))

    def test_no_input_makes_it_fail(self):
        failed = [call for call in self.walk.calls if call.answer.status >= 500
                  and call.wants not in ({503}, {507})]
        self.assertNothing(map(repr, failed))

    def test_allow_names_the_methods_of_the_file(self):
        told = [call for call in self.walk.calls if call.answer.header("allow")]
        self.assertEqual({call.path for call in told}, set(self.document.tree["paths"]))
        for call in told:
            documented = {m for m in METHODS if m.lower() in self.document.tree["paths"][call.path]}
            self.assertEqual(set(call.answer.header("allow").split(", ")), documented, call)

    def test_what_is_left_out_is_as_the_file_says(self):
        parameters = self.document.tree["components"]["parameters"]
        default = parameters["Limite"]["schema"]["default"]
        self.assertEqual(len(self.get("/api/posts").json["posts"]), default)
        schemas = self.document.tree["components"]["schemas"]
        self.assertEqual(self.new_post()["autor"], schemas["PostNovo"]["properties"]["autor"]["default"])
        self.assertEqual(self.post("/api/contadores/omitido", {}).json["contador"],
                         schemas["Soma"]["properties"]["incremento"]["default"])

    # the file by itself

    def test_every_part_is_used(self):
        used = set(self.document.references(self.document.tree))
        parts = {f"#/components/{kind}/{name}" for kind, named in self.document.tree["components"].items()
                 for name in named}
        used |= {f"#/components/securitySchemes/{name}" for *_, operation in self.document.operations()
                 for choice in operation.get("security", ()) for name in choice}
        self.assertEqual(used, parts)

    def test_examples_fit_their_schemas(self):
        for name, response in self.document.tree["components"]["responses"].items():
            for media in response.get("content", {}).values():
                self.assertNothing(self.document.check(media["schema"], media["example"], name))
        for name, parameter in self.document.tree["components"]["parameters"].items():
            if "example" in parameter:
                self.assertNothing(self.document.check(parameter["schema"], parameter["example"], name))

    def test_titles_of_problems_are_those_of_the_api(self):
        titles = re.findall(r'X\(\w+, (\d+), \w+, "([^"]+)",', source("lib/status.h"))
        for response in self.document.tree["components"]["responses"].values():
            problem = response.get("content", {}).get("application/problem+json")
            if problem:
                example = problem["example"]
                self.assertIn((str(example["status"]), example["title"]), titles)

    def test_operations_have_names_of_their_own(self):
        names = [operation["operationId"] for *_, operation in self.document.operations()]
        self.assertEqual(len(names), len(set(names)))

    def test_what_yaml_might_read_otherwise_is_not_read(self):
        for text in ("a: &b c", "a: *b", "a: {b: c}", "a: [b, [c]]", "a: yes", "a: 1.2.3", "a:\tb",
                     "a: b # c", "a: 1\na: 2", "200: a", "a: 'b", "a:\n    b: c", "a: |-\n  b", "a: b\n c",
                     "a:", "- a\nb: c", "---\na: b", "a: b: c", "a: 2026-11-22", "a: !x b", "a: @b"):
            with self.subTest(text), self.assertRaises(openapi.BadDocument):
                openapi.load(text)

    # planted errors

    def planted(self, edit):
        tree = copy.deepcopy(self.document.tree)
        edit(tree)
        self.assertNotEqual(tree, self.document.tree)
        return openapi.Document(tree)

    def test_planted_errors_are_seen(self):
        """Against the sources and the answers that came."""
        for edit in PLANTED:
            document = self.planted(edit)
            with self.subTest(edit.__name__), contextlib.suppress(KeyError, openapi.BadDocument):
                calls = [c for c in self.walk.calls if c.path in document.tree["paths"]]
                each = {(c.method, c.path, c.answer.status): c for c in calls}  # one of them shows it, mostly
                seen = [*differences(document), *never_seen(document, calls)] or \
                    any(wrong_with(document, call) for call in [*each.values(), *calls])
                self.assertTrue(seen, edit.__doc__)

    def test_planted_bounds_are_seen(self):
        """With a new walk through one operation: another bound makes other input."""
        for method, path in {bound[:2] for bound in BOUNDS}:  # without an error it finds none again
            calls = Walk(self.document, self.stack, large=False).operation(method, path).calls
            self.assertNothing(line for call in calls for line in wrong_with(self.document, call))
        for method, path, steps, value in BOUNDS:
            document = self.planted(lambda tree, s=steps, v=value: put(tree, s, v))
            with self.subTest(f"{steps} {value}"):
                calls = Walk(document, self.stack, "maximo" in steps).operation(method, path).calls
                self.assertTrue(any(wrong_with(document, call) for call in calls))
