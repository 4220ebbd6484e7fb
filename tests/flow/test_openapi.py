"""docs/openapi.yaml against the running API, in both directions: what the file says happens, and what
happens is in the file.

The walk calls every operation with input that the file takes (its examples, and every parameter and
member at each of its bounds) and with input that it refuses (a bound passed by one, another type, left
out, unknown, repeated), provokes every status, and then looks at each answer: status, headers, body.
So a bound that is off by one fails, a member or header that one side does not know fails, and so does
a status that is in the file and never came. test_planted_errors_are_seen plants such errors."""
import contextlib
import copy
import glob
import itertools
import json
import os
import re
import urllib.parse

from case import StackCase
import client
import deliveries
import openapi
import tokens
import servers
from openapi import bad_objects, bad_texts, good_objects, good_values

FILE = os.path.join(servers.PROJECT, "docs", "openapi.yaml")
EXAMPLE = {"email": "admin@exemplo.com.br", "senha": "um cavalo anda em L"}  # of the sign-in in the file
ENV = {"META_APP_SECRET": deliveries.SECRET, "META_VERIFY_TOKEN": deliveries.VERIFY_TOKEN,
       "JWT_SECRET": tokens.SECRET, "ADMIN_EMAIL": EXAMPLE["email"], "ADMIN_PASSWORD": EXAMPLE["senha"]}
MERGES = ("mudarPost", "mudarConta")  # the operations that take a merge patch
OPAQUE = {"cursor": "AAAAAAAA", "hub.verify_token": "errada",  # a schema does not say which are good:
          "X-Hub-Signature-256": "sha256=" + 64 * "0"}         # the example is, this one is not
TRANSPORT = {"content-type", "content-length", "connection", "date"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
BODY_MAX = 1 << 20  # where a body has no use
NO_OBJECTS = [b"[]", b"1", b'"a"', b"null", b"true", b"{", b"{}x", b'{"a":1,"a":1}', b'{"a":"\\u0000"}',
              b"\xff", b" ", b"[" * 40]


def source(path):
    with open(os.path.join(servers.PROJECT, path), encoding="utf-8") as f:
        return f.read()


# ---- the file against the sources ----------------------------------------------------

def table_of_routes():
    """The rows of api/routes.c: (METHOD, path) -> (handler, parameters or None, body rule, limit, action)."""
    text = source("api/routes.c")
    default = re.search(r"\bBODY_MAX = (\d+) << (\d+)", source("api/request.h"))
    sizes = {name: int(a) << int(b) for name, a, b in re.findall(r"(\w+) = (\d+) << (\d+)", text)}
    sizes["0"] = int(default.group(1)) << int(default.group(2))
    rows = re.findall(r'\{"([A-Z]+)", "([^"]+)", (\w+),\s+(PARAMS\([^)]*\)|NO_PARAMS|NULL),\s+(BODY_\w+),'
                      r'\s+ACTION_(\w+),\s+(\w+)\}', text)
    assert rows and len(rows) == len(re.findall(r'^    \{"', text, re.M)), "routes.c has another form"
    return {(method, path): (handler, None if params == "NULL" else set(re.findall(r'"([^"]+)"', params)),
                             body, sizes[limit], action)
            for method, path, handler, params, body, action, limit in rows}


def fields_read_by(handler):
    """Members of the body that the handler's file asks for."""
    for path in glob.glob(os.path.join(servers.PROJECT, "api", "h_*.c")):
        text = source(path)
        if f"enum status {handler}(" in text:
            return set(re.findall(r'jsonget_\w+\(&g, "(\w+)"', text))
    raise AssertionError(f"no file has {handler}")


def differences(document):
    """What the file and the table of routes say otherwise."""
    table = table_of_routes()
    routes = set(table) | {("HEAD", p) for m, p in table if m == "GET"} | {("OPTIONS", p) for _, p in table}
    operations = {(method, path): operation for method, path, operation in document.operations()}
    out = [f"only in the file: {o}" for o in set(operations) - routes]
    out += [f"not in the file: {o}" for o in routes - set(operations)]
    for (method, path), operation in operations.items():
        row = table.get(("GET" if method == "HEAD" else method, path))
        if row:
            out += [f"{method} {path}: {line}" for line in row_differs(document, path, operation, row)]
    return out


def row_differs(document, path, operation, row):
    handler, params, rule, limit, action = row
    if bool(operation.get("security")) != (action not in ("OPEN", "POST_CREATE")):
        yield f"security {operation.get('security')}, not {action}"
    query = set(document.parameters(path, operation, "query"))
    free = operation.get("x-outros-parametros", False)
    if free != (params is None) or not (free or query == params):
        yield f"parameters {query}, not {params}"
    kinds = list(document.body(operation)[1])
    merge = ["application/merge-patch+json"] if operation.get("operationId") in MERGES else []
    if kinds != {"BODY_NONE": [], "BODY_JSON": ["application/json", *merge], "BODY_RAW": ["*/*"]}[rule]:
        yield f"bodies {kinds}, not {rule}"
    if kinds and operation["requestBody"]["x-maximo-de-bytes"] != limit:
        yield f"the body's limit is {limit}"
    schema = body_schema(document, operation)
    if schema and set(schema["properties"]) != fields_read_by(handler):
        yield f"members {set(schema['properties'])}, not {fields_read_by(handler)}"


def body_schema(document, operation):
    media = document.body(operation)[1].get("application/json")
    return document.resolve(media["schema"]) if media else None


# ---- the walk ------------------------------------------------------------------------

class Call:
    """One request of an operation, what it should lead to, and its answer.

    params: by name; None leaves one out. wants: the statuses that are right; named: what `erros` has
    to name."""

    def __init__(self, why, wants, params=None, body=None, headers=(), more="", named=None, target_size=0,
                 token=None):
        self.token = token  # None: a good one, where one is wanted; "": none
        self.why, self.wants, self.named = why, set(wants), named
        self.params, self.body, self.headers, self.more = params or {}, body, list(headers), more
        self.target_size = target_size  # filled up to it
        self.method = self.path = self.id = self.answer = None

    def __repr__(self):
        return f"{self.method} {self.path} ({self.why}) -> {self.answer}"


class Walk:
    """All calls of the operations of a document, kept in `calls`."""

    serial = itertools.count(1)  # of all walks: ids, counters and keys of their own

    def __init__(self, document, stack, large=True):
        self.document, self.stack, self.large = document, stack, large
        self.calls = []

    def everything(self):
        for method, path, _ in self.document.operations():
            self.operation(method, path)
        return self

    def operation(self, method, path):
        self.method, self.path = method, path
        self.about = self.document.tree["paths"][path][method.lower()]
        self.given = self.document.parameters(path, self.about)
        self.given.pop("X-Request-Id", None)  # goes with every call
        good = [int(s) for s in self.about["responses"] if s < "300"]
        parts = [self.of_head(), self.of_large(good) if self.large else ()]
        if method == "OPTIONS":  # it looks at the path alone
            parts.append(self.of_options())
            self.refuse_methods()
        else:
            parts += [self.of_good(good), self.of_bad_parameters(), self.of_body(good)]
            self.provoke(good)
        for call in itertools.chain(*parts):
            self.send(call)
        if self.path == "/api/posts/{id}":  # the example stays
            self.stack.pg.query("INSERT INTO posts (id, titulo, conteudo) VALUES (1, 'Post', 'Texto')"
                                " ON CONFLICT DO NOTHING")
        return self

    def make_way(self, call, params):
        """What an earlier call may have left or taken: a row of its own, an address, failed sign-ins."""
        if self.path == "/api/auth/login" and not call.why.startswith("guess"):
            for key in self.stack.redis.call("KEYS", "login:*"):
                self.stack.redis.call("DEL", key.decode())
        if "usuarios" in self.path and self.method in ("POST", "PATCH", "DELETE"):
            self.stack.pg.query("DELETE FROM usuarios WHERE id > 1")
        if "id" in params and "id" not in call.params and self.method in ("PUT", "PATCH", "DELETE"):
            made = "INSERT INTO posts (titulo, conteudo) VALUES ('a', 'b') RETURNING id::text"
            if "usuarios" in self.path:
                made = ("INSERT INTO usuarios (nome, email, papel, senha) SELECT 'Ana', 'ana%d@exemplo.com.br',"
                        " 'leitor', senha FROM usuarios WHERE id = 1 RETURNING id::text" % next(self.serial))
            params["id"] = self.stack.pg.value(made)

    # -- sending --

    def plain_params(self):
        """The required ones; a counter of its own for each call."""
        out = {name: self.text(p.get("example", "1")) for name, p in self.given.items() if p.get("required")}
        if "nome" in out:
            out["nome"] = f"passeio-{next(self.serial)}"
        return out

    @staticmethod
    def text(value):
        return value if isinstance(value, str) else json.dumps(value)

    def plain_body(self):
        for media in self.document.body(self.about)[1].values():
            return json.dumps(media["example"], ensure_ascii=False).encode()
        return None

    def send(self, call, api=None, method=None):
        call.method, call.path, call.id = method or self.method, self.path, f"passeio-{next(self.serial)}"
        params = {**self.plain_params(), **call.params}
        self.make_way(call, params)
        body = self.plain_body() if call.body is None and method is None else call.body
        if "X-Hub-Signature-256" in params and "X-Hub-Signature-256" not in call.params:
            params["X-Hub-Signature-256"] = deliveries.signature(body or b"")
        target, headers = self.place(params, call.more)
        if call.target_size:
            target = (target + "&?"["?" not in target]).ljust(call.target_size, "x")
        headers += [("X-Request-Id", call.id), *call.headers]
        token = tokens.make() if call.token is None and self.about.get("security") else call.token
        headers += [("Authorization", f"Bearer {token}")] if token else []
        if body is not None and not any(n == "Content-Length" for n, _ in headers):
            headers.append(("Content-Length", str(len(body))))
        with client.Connection((api or self.stack.api).port) as connection:
            connection.send(client.head(call.method, target, headers) + (body or b""))
            call.answer = connection.read(call.method)
        self.calls.append(call)
        return call.answer

    def place(self, params, more):
        """(target, headers) with the parameters where the file has them."""
        target, query, headers = self.path, [], []
        for name, value in params.items():
            where = self.given[name]["in"]
            if value is None:
                continue
            if where == "path":
                target = target.replace("{%s}" % name, urllib.parse.quote(value, safe=""))
            elif where == "query":
                query.append(f"{name}={urllib.parse.quote(value, safe='')}")
            else:
                headers.append((name, value))
        query = "&".join(query + [more] * bool(more))
        return target + ("?" + query if query else ""), headers

    # -- what is sent --

    def of_head(self):
        yield Call("Host twice", {400}, headers=[("Host", "a"), ("Host", "b")])
        large, fits = self.limit("431"), {int(s) for s in self.about["responses"]} - {414, 431}
        yield Call("a large head", {431}, headers=[("X-Grande", "x" * (large - 200))], body=b"")
        yield Call("a head that fits", fits, headers=[("X-Grande", "x" * (large - 800))])
        yield Call("a long target", {414}, target_size=self.limit("414") + 1)
        crowded = {431} if self.about.get("security") else set()  # the token takes its part of the head
        yield Call("the longest target", fits | crowded, target_size=self.limit("414"))
        for name in self.document.parameters(self.path, self.about, "path"):
            yield Call("an escaped slash", {404}, {name: "1/2"})

    def limit(self, status):
        return self.document.response(self.about, status)["x-maximo-de-bytes"]

    def of_large(self, good):
        """A byte too many; and the most that is taken, filled up with blanks."""
        body = self.plain_body()
        if self.method in ("OPTIONS", "HEAD"):
            yield Call("a large body announced", {413}, headers=[("Content-Length", str(17 << 20))])
        elif body is None:
            yield Call("a body of no use, too large", {413}, body=b" " * (BODY_MAX + 1))
        else:
            limit = self.about["requestBody"]["x-maximo-de-bytes"]
            yield Call("one byte too many", {413}, body=body.ljust(limit + 1))
            yield Call("as large as it may be", good, body=body.ljust(limit))

    def of_options(self):
        yield Call("plain", {204})
        yield Call("from a page", {204}, headers=[("Origin", "http://localhost")])

    def refuse_methods(self):
        for method in METHODS:
            if method.lower() not in self.document.tree["paths"][self.path]:
                self.send(Call("another method", {405}, body=b""), method=method)

    def of_good(self, good):
        yield Call("plain", good)
        for name, parameter in self.given.items():
            values = [] if name in OPAQUE or name == "If-Match" else good_values(self.document.resolve(parameter["schema"]))
            for value in [*values, *([parameter["example"]] if "example" in parameter else [])]:
                missing = {404, 409} & {int(s) for s in self.about["responses"]} if name == "id" else set()
                computed = {} if name == "X-Hub-Signature-256" else {name: self.text(value)}
                yield Call(f"{name}: {value!r:.30}", {*good, *missing}, computed)
        if self.about.get("x-outros-parametros"):
            yield Call("one more parameter", good, more="inventado=1")

    def of_bad_parameters(self):
        refused = {400} | {int(s) for s in self.about["responses"] if s in ("401", "403")}
        for name, parameter in self.given.items():
            bad = list(bad_texts(self.document.resolve(parameter["schema"])))
            bad += [("not the right one", OPAQUE[name])] if name in OPAQUE else []
            bad += [("missing", None)] if parameter.get("required") and parameter["in"] != "path" else []
            for why, text in bad:
                if parameter["in"] == "path" and "/" in (text or ""):
                    continue  # another path
                other_path = parameter["in"] == "path" and text == ""
                yield Call(f"{name} {why}", {404} if other_path else refused, {name: text},
                           named=None if other_path else name)
        if not self.about.get("x-outros-parametros"):
            yield Call("an unknown parameter", {400}, more="inventado=1", named="inventado")
        yield Call("a repeated parameter", {400}, more="a=1&a=2" if self.about.get("x-outros-parametros")
                   else "&".join(2 * [f"{n}=2" for n in self.given if self.given[n]["in"] == "query"]
                                 or ["a=1"]))

    def of_body(self, good):
        schema = body_schema(self.document, self.about)
        if not schema:
            return
        wants = {401} if self.path == "/api/auth/login" else good  # of good form, that is
        for value in good_objects(self.document, schema):
            yield Call("a good body", wants, body=dumps(value))
        for why, name, value in bad_objects(self.document, schema):
            yield Call(f"{name} {why}", {400, 422}, body=dumps(value), named=name)
        for body in NO_OBJECTS:
            yield Call(f"{body!r:.20} as body", {400}, body=body)
        required = self.document.body(self.about)[0]
        yield Call("without a body", {400} if required else good, body=b"")
        for header in (("Content-Type", "text/plain"), ("Content-Encoding", "gzip")):
            yield Call(f"{header[0]}: {header[1]}", {415}, headers=[header])

    # -- statuses that input alone does not bring --

    def provoke(self, good):
        if "If-None-Match" in self.given:
            self.send(Call("for the cache", good))
            tag = self.send(Call("for its tag", good)).header("etag") or ""
            self.send(Call("its own tag", {304}, {"If-None-Match": tag}))
        if "Idempotency-Key" in self.given:
            self.provoke_key()
        if "If-Match" in self.given:
            self.send(Call("another tag", {412}, {"If-Match": '"0"'}))
        if self.about.get("security"):
            self.provoke_token()
        if self.path == "/api/auth/login":
            for n in range(11):
                self.send(Call(f"guess {n}", {401, 429}, body=dumps({**EXAMPLE, "senha": "errada"})))
            self.send(Call("guess no more", {429}))
        elif "409" in self.about["responses"] and "usuarios" in self.path:
            self.provoke_conflict()
        elif "409" in self.about["responses"] and "Idempotency-Key" not in self.given:
            with self.spoilt_counters():
                self.send(Call("a counter that is none", {409}, {"nome": "estragado"} if "nome" in self.given
                               else {}))
        wants = {503} if "503" in self.about["responses"] else good
        self.send(Call("both servers away", wants), api=self.stack.apis[1])

    def provoke_token(self):
        self.send(Call("without a token", {401}, token=""))
        self.send(Call("a forged token", {401}, token=tokens.make(key="outra")))
        if "403" in self.about["responses"]:
            self.send(Call("another role", {403}, token=tokens.make(papel="leitor")))

    def provoke_conflict(self):
        taken = {"nome": "a", "papel": "leitor", "senha": "três gatos no telhado", "email": EXAMPLE["email"]}
        body = {"POST": taken, "PATCH": {"papel": "leitor"}, "DELETE": None}[self.method]
        self.send(Call("a conflict", {409}, {} if self.method == "POST" else {"id": "1"}, body and dumps(body)))

    def provoke_key(self):
        key = {"Idempotency-Key": f"chave-{next(self.serial)}"}
        first = self.send(Call("a key", {201}, key))
        self.send(Call("the key again", {201}, key))
        self.send(Call("the key for another post", {422}, key, dumps({"titulo": "a", "conteudo": "b"}),
                       named="Idempotency-Key"))
        if first.status == 201:
            self.stack.pg.query(f"DELETE FROM posts WHERE id = {int(first.json['id'])}")
            self.send(Call("the key of a removed post", {409}, key))

    @contextlib.contextmanager
    def spoilt_counters(self):
        names = ("contador_requisicoes", "contador:estragado")
        for name in names:
            self.stack.redis.call("SET", name, "nada")
        yield
        self.stack.redis.call("DEL", *names)


def dumps(value):
    return json.dumps(value, ensure_ascii=False).encode()


# ---- the answers against the file ----------------------------------------------------

def wrong_with(document, call):
    """Lines; none when the answer is as the file has it, and right for what was sent."""
    methods = document.tree["paths"][call.path]
    operation = methods.get(call.method.lower()) or methods.get("get") or methods["post"]  # has the 405
    response = document.response(operation, call.answer.status)
    out = [f"not one of {call.wants}"] if call.answer.status not in call.wants else []
    if response is None:
        out.append("this status is not in the file")
    else:
        out += wrong_headers(document, response, call)
        out += wrong_body(document, response, call)
    return [f"{call}: {line}" for line in out]


def wrong_headers(document, response, call):
    known = {name.lower(): document.resolve(header) for name, header in response["headers"].items()}
    for name in {n for n, _ in call.answer.headers} - set(known) - TRANSPORT:
        yield f"the header {name} is not in the file"
    for name, header in known.items():
        value = call.answer.header(name)
        if value is not None:
            yield from document.check(header["schema"], value, name)
        elif header.get("required"):
            yield f"the header {name} is missing"
    if call.answer.status != 414 and call.answer.header("x-request-id") != call.id:
        yield "the request's id did not come back"


def wrong_body(document, response, call):
    content, kind = response.get("content"), call.answer.header("content-type")
    if not content:
        yield from ["a body"] * bool(call.answer.body) + [f"a type, {kind}"] * (kind is not None)
        return
    media = content.get((kind or "").split(";")[0])
    if not media:
        yield f"the type {kind} is not in the file"
    elif call.method == "HEAD":
        yield from ["a body"] * bool(call.answer.body)
    else:
        value = call.answer.json if "json" in kind else call.answer.text
        yield from document.check(media["schema"], value)
        if "problem" in kind:
            yield from wrong_problem(call, value)


def wrong_problem(call, problem):
    if problem["status"] != call.answer.status:
        yield "another status in the body"
    named = [error["campo"] for error in problem.get("erros", [])]
    whole = call.answer.status == 400 and named == [""]  # a number that no parser takes
    if call.named and call.answer.status in (400, 422) and call.named not in named and not whole:
        yield f"{call.named} is not named"


def never_seen(document, calls):
    """Statuses that the file has and that never came."""
    seen = {(call.method, call.path, str(call.answer.status)) for call in calls}
    refused = {call.path for call in calls if call.answer.status == 405}
    for method, path, operation in document.operations():
        for status in operation["responses"]:
            if (method, path, status) not in seen and not (status == "405" and path in refused):
                yield f"{method} {path}: {status} never came"


class OpenApi(StackCase):
    options = {"worker": 0, "env": ENV}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        nobody = servers.free_port()
        cls.stack.add_api({"DATABASE_URL": f"postgresql://a:b@127.0.0.1:{nobody}/c",
                           "REDIS_PORT": str(nobody), "REQUEST_TIMEOUT_MS": "200"}).start()
        cls.stack.pg.query("INSERT INTO posts (titulo, conteudo) SELECT 'Post ' || n, 'Texto' FROM"
                           " generate_series(1, 120) n")
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
        failed = [call for call in self.walk.calls if call.answer.status >= 500 and call.wants != {503}]
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
        titles = re.findall(r'X\(\w+, (\d+), \w+, "([^"]+)"\)', source("lib/status.h"))
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
                seen = [*differences(document), *never_seen(document, calls)] or \
                    any(wrong_with(document, call) for call in calls)
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


# Where: names on the way down the tree, separated by blanks.

def put(tree, steps, value):
    *way, last = steps.split(" ")
    for step in way:
        tree = tree[step]
    tree[last] = value


def drop(steps):
    def edit(tree):
        *way, last = steps.split(" ")
        for step in way:
            tree = tree[step]
        del tree[last]
    edit.__name__ = f"without {steps}"
    return edit


def change(steps, value):
    def edit(tree):
        put(tree, steps, value)
    edit.__name__ = f"{steps} = {value}"
    return edit


SCHEMAS, RESPONSES, PARAMETERS = "components schemas", "components responses", "components parameters"
REFUSED = {"$ref": "#/components/responses/RequisicaoInvalida"}
PLANTED = [
    # routes.c has more, or less
    drop("paths /api/stats"), drop("paths /api/posts post"), drop("paths /health head"),
    drop("paths /webhook options"), change("paths /api/nada", {"get": {"responses": {}}}),
    change("paths /health put", {"responses": {}}), drop("paths /api/posts/{id}"),
    drop("paths /webhook get x-outros-parametros"), change("paths /api/posts get parameters", []),
    drop("paths /api/posts post requestBody"), drop(f"{SCHEMAS} PostNovo properties autor"),
    drop(f"{SCHEMAS} Soma properties incremento"),
    # a status too few, one too many
    drop("paths /api/posts get responses 304"), drop("paths /status get responses 503"),
    drop("paths /api/posts/{id} get responses 404"), drop("paths /api/stats head responses 409"),
    drop("paths /webhook post responses 401"),
    drop("paths /api/auth/login post responses 429"), drop("paths /api/usuarios get responses 403"),
    drop("paths /api/posts/{id} put responses 412"), drop("paths /api/usuarios/{id} delete responses 409"),
    drop("paths /api/auth/eu get security"), change("paths /api/stats get security", [{"Token": []}]),
    drop(f"{RESPONSES} SemToken headers WWW-Authenticate"), drop(f"{RESPONSES} Sessao headers Cache-Control"),
    drop(f"{SCHEMAS} Conta properties ativo"), drop(f"{SCHEMAS} ContaMudada properties ativo"), drop("paths /health options responses 413"),
    change("paths /health get responses 418", REFUSED), change("paths /webhook get responses 422", REFUSED),
    # what answers hold
    drop(f"{SCHEMAS} Post properties autor"), drop(f"{SCHEMAS} Problema properties erros"),
    drop(f"{SCHEMAS} Estatisticas properties total_posts"),
    drop(f"{SCHEMAS} PaginaDePosts properties proximo"),
    change(f"{SCHEMAS} Saude properties status const", "saudável"),
    change(f"{SCHEMAS} PaginaDoCache properties fonte enum", ["cache"]),
    change(f"{SCHEMAS} PaginaDoCache properties posts maxItems", 49),
    change(f"{SCHEMAS} PaginaDePosts properties posts maxItems", 99),
    change(f"{SCHEMAS} PaginaDePosts properties proximo type", "string"),
    change(f"{SCHEMAS} Post properties conteudo maxLength", 99999),
    change(f"{SCHEMAS} Post properties id type", "string"),
    change(f"{SCHEMAS} Contador properties contador minimum", 0),
    change(f"{SCHEMAS} Saude required", ["status", "versao"]),
    drop(f"{SCHEMAS} Post additionalProperties"), change(f"{SCHEMAS} Post minProperties", 1),
    # headers
    drop(f"{RESPONSES} PaginaDePosts headers ETag"), drop(f"{RESPONSES} Indisponivel headers Retry-After"),
    drop(f"{RESPONSES} Desafio headers X-Content-Type-Options"),
    drop(f"{RESPONSES} PostCriado headers Idempotency-Replayed"), drop(f"{RESPONSES} Opcoes headers Vary"),
    change(f"{RESPONSES} Saude headers ETag", {"$ref": "#/components/headers/ETag"}),
    change("components headers ETag schema pattern", '^W/"'),
    # media types
    change(f"{RESPONSES} Saude content", {"text/plain": {"schema": {"type": "string"}}}),
    drop(f"{RESPONSES} NaoEncontrado content"),
]
LIMIT, NAME, KEY = f"{PARAMETERS} Limite schema", f"{PARAMETERS} NomeDoContador schema", \
    f"{PARAMETERS} ChaveDeIdempotencia schema"
TITLE = f"{SCHEMAS} PostNovo properties titulo"
BOUNDS = [
    ("GET", "/api/posts", f"{LIMIT} maximum", 99), ("GET", "/api/posts", f"{LIMIT} maximum", 101),
    ("HEAD", "/api/posts", f"{LIMIT} minimum", 0), ("GET", "/api/posts", f"{LIMIT} minimum", 2),
    ("GET", "/api/posts", f"{PARAMETERS} Busca schema maxLength", 199),
    ("GET", "/api/posts", f"{PARAMETERS} Autor schema minLength", 0),
    ("GET", "/api/posts", f"{PARAMETERS} Busca required", True),
    ("GET", "/api/posts/{id}", f"{PARAMETERS} IdDoPost schema minimum", 2),
    ("GET", "/api/contadores/{nome}", f"{NAME} maxLength", 65),
    ("POST", "/api/contadores/{nome}", f"{NAME} pattern", "^[a-z0-9_.-]+$"),
    ("POST", "/api/contadores/{nome}", f"{SCHEMAS} Soma properties incremento minimum", 0),
    ("POST", "/api/posts", f"{TITLE} maxLength", 199), ("POST", "/api/posts", f"{TITLE} maxLength", 201),
    ("POST", "/api/posts", f"{TITLE} minLength", 2), ("POST", "/api/posts", f"{TITLE} minLength", 0),
    ("POST", "/api/posts", f"{TITLE} type", ["string", "null"]),
    ("POST", "/api/posts", f"{SCHEMAS} PostNovo properties autor type", "string"),
    ("POST", "/api/posts", f"{SCHEMAS} PostNovo properties conteudo maxLength", 99999),
    ("POST", "/api/posts", f"{SCHEMAS} PostNovo required", ["titulo"]),
    ("POST", "/api/posts", f"{SCHEMAS} PostNovo required", ["titulo", "conteudo", "autor"]),
    ("POST", "/api/posts", f"{KEY} maxLength", 254), ("POST", "/api/posts", f"{KEY} minLength", 0),
    ("POST", "/api/posts", "paths /api/posts post requestBody required", False),
    ("POST", "/api/contadores/{nome}", "paths /api/contadores/{nome} post requestBody required", True),
    ("POST", "/webhook", "paths /webhook post requestBody x-maximo-de-bytes", (3 << 20) - 1),
    ("OPTIONS", "/health", f"{RESPONSES} EnderecoLongoDemais x-maximo-de-bytes", 3583),
    ("POST", "/webhook", f"{RESPONSES} EnderecoLongoDemais x-maximo-de-bytes", 3585),
    ("HEAD", "/health", f"{RESPONSES} CabecalhosGrandesDemais x-maximo-de-bytes", 3584),
    ("POST", "/api/usuarios", f"{SCHEMAS} ContaNova properties senha minLength", 11),
    ("POST", "/api/usuarios", f"{SCHEMAS} ContaNova properties senha maxLength", 129),
    ("POST", "/api/usuarios", f"{SCHEMAS} ContaNova properties email maxLength", 255),
    ("POST", "/api/usuarios", f"{SCHEMAS} ContaNova properties nome maxLength", 99),
    ("PATCH", "/api/usuarios/{id}", f"{SCHEMAS} ContaMudada properties nome type", ["string", "null"]),
    ("PATCH", "/api/posts/{id}", f"{SCHEMAS} PostMudado properties titulo type", ["string", "null"]),
    ("GET", "/webhook", f"{PARAMETERS} Modo schema const", "assinar"),
    ("GET", "/webhook", f"{PARAMETERS} Desafio required", False),
]
