"""A walk through every operation of docs/openapi.yaml on a running API.

It calls each with input that the file takes (its examples, and every parameter and member at each of
its bounds) and with input that it refuses (a bound passed by one, another type, left out, unknown,
repeated), provokes every status, and keeps all calls with their answers."""
import contextlib
import itertools
import json
import os
import urllib.parse

import client
import deliveries
from openapi import bad_objects, bad_texts, good_objects, good_values
from openapi_checks import ENDLESS, body_schemas
import tokens

EXAMPLE = {"email": "admin@exemplo.com.br", "senha": "um cavalo anda em L"}  # of the sign-in in the file
GUESSED = {"/api/auth/login": {**EXAMPLE, "senha": "errada"},
           "/api/auth/senha": {"senha_atual": "errada", "senha_nova": "três gatos no telhado"}}
# A schema does not say which are good: the example is, these are not.
OPAQUE = {"cursor": "AAAAAAAA", "desde": "ontem", "ate": "ontem", "tipos": "post,", "ultimo": "1-",
          "hub.verify_token": "errada",
          "X-Hub-Signature-256": "sha256=" + 64 * "0"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
BODY_MAX = 1 << 20  # where a body has no use
NO_OBJECTS = [b"[]", b"1", b'"a"', b"null", b"true", b"{", b"{}x", b'{"a":1,"a":1}', b'{"a":"\\u0000"}',
              b"\xff", b" ", b"[" * 40]
ROWS = {
    "posts": "INSERT INTO posts (titulo, conteudo) VALUES ('a', 'b') RETURNING id::text",
    "usuarios": "INSERT INTO usuarios (nome, email, papel, senha) SELECT 'Ana', 'ana%d@exemplo.com.br',"
                " 'leitor', senha FROM usuarios WHERE id = 1 RETURNING id::text",
    "entregas": "INSERT INTO entregas (recebida_em, via, corpo, estado, motivo) VALUES (now(), 'direta', '{}',"
                " 'morta', 'por teste') RETURNING id::text",
    "reenvios": "INSERT INTO reenvios (filtro_estado, maximo, criado_por) VALUES ('morta', 1, 'passeio')"
                " RETURNING id::text",
}


def dumps(value):
    return json.dumps(value, ensure_ascii=False).encode()


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
        self.password = stack.pg.value("SELECT senha FROM usuarios WHERE id = 1")
        self.kept = None  # a file that is only read

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
        if self.path == "/api/auth/senha":
            self.old_password()
        if self.path == "/api/posts/{id}":  # the example stays
            self.stack.pg.query("INSERT INTO posts (id, titulo, conteudo) VALUES (1, 'Post', 'Texto')"
                                " ON CONFLICT DO NOTHING")
        return self

    def make_way(self, call, params):
        """What an earlier call may have left or taken: a row of its own, an address, failed sign-ins."""
        if self.path in ("/api/auth/login", "/api/auth/senha") and not call.why.startswith("guess"):
            self.forget("login:*")
        if self.path == "/api/auth/senha":
            self.old_password()
        if "usuarios" in self.path and self.method in ("POST", "PATCH", "DELETE"):
            self.stack.pg.query("DELETE FROM usuarios WHERE id > 1")
        if (self.method, self.path) == ("POST", "/api/reenvios") and not call.why.startswith("many"):
            self.stack.pg.query("UPDATE reenvios SET estado = 'concluido', terminado_em = now()"
                                " WHERE estado = 'em_andamento'")
        if "id" in params and "id" not in call.params and self.method not in ("GET", "HEAD", "OPTIONS"):
            params["id"] = self.new_row()
        elif self.path == "/api/arquivos/{id}" and "id" not in call.params and self.method != "OPTIONS":
            self.kept = params["id"] = self.kept or self.new_file()

    def new_file(self):
        """The id of a file of one line."""
        answer = client.call(self.stack.api.port, "POST", "/api/arquivos?nome=nota.txt",
                             {"Authorization": f"Bearer {tokens.make()}"}, b"Uma nota")
        assert answer.status == 201, answer
        return answer.json["id"]

    def forget(self, pattern):
        for key in self.stack.redis.call("KEYS", pattern):
            self.stack.redis.call("DEL", key.decode())

    def old_password(self):
        """The account of the tokens here as it was at first."""
        self.stack.pg.query(f"UPDATE usuarios SET senha = '{self.password}', tokens_desde = 0 WHERE id = 1")
        self.forget("jwt:conta:*")

    def new_row(self):
        """The id of a row of this path's own."""
        if "arquivos" in self.path:
            return self.new_file()
        insert = next(insert for part, insert in ROWS.items() if part in self.path)
        return self.stack.pg.value(insert.replace("%d", str(next(self.serial))))

    # -- sending --

    def plain_params(self):
        """The required ones; a counter of its own for each call."""
        wanted = "nome" if self.path == "/api/arquivos" else None  # without a form that brings it
        out = {name: self.text(p.get("example", "1")) for name, p in self.given.items()
               if p.get("required") or name == wanted}
        if "nome" in out and not wanted:
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
            call.answer = connection.read(call.method, endless=ENDLESS)
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
                missing = {404, 409} & {int(s) for s in self.about["responses"]} if name in ("id", "leadgen_id") else set()
                computed = {} if name == "X-Hub-Signature-256" else {name: self.text(value)}
                computed.update({"valor": "1"} if name == "campo" else {})  # the one wants the other
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
                other_path = parameter["in"] == "path" and (text == "" or "arquivos" in self.path)
                yield Call(f"{name} {why}", {404} if other_path else refused, {name: text},
                           named=None if other_path else name)
        if not self.about.get("x-outros-parametros"):
            yield Call("an unknown parameter", {400}, more="inventado=1", named="inventado")
        yield Call("a repeated parameter", {400}, more="a=1&a=2" if self.about.get("x-outros-parametros")
                   else "&".join(2 * [f"{n}=2" for n in self.given if self.given[n]["in"] == "query"]
                                 or ["a=1"]))

    def of_body(self, good):
        schemas = body_schemas(self.document, self.about)
        if not schemas:
            return
        wants = {"/api/auth/login": {401}, "/api/auth/senha": {200, 422}}.get(self.path, good)  # of good form, that is
        for schema in schemas:
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
        if self.path in GUESSED:
            for n in range(11):
                self.send(Call(f"guess {n}", {401, 422, 429}, body=dumps(GUESSED[self.path])))
            self.send(Call("guess no more", {429}))
        elif "409" in self.about["responses"] and "usuarios" in self.path:
            self.provoke_conflict()
        elif self.path.startswith("/api/arquivos"):
            self.provoke_files()
        elif self.path.startswith(("/api/entregas", "/api/reenvios")):
            self.provoke_replays()
        elif "409" in self.about["responses"] and "Idempotency-Key" not in self.given:
            with self.spoilt_counters():
                self.send(Call("a counter that is none", {409}, {"nome": "estragado"} if "nome" in self.given
                               else {}))
        wants = {503} if "503" in self.about["responses"] else good
        self.send(Call("both servers away", wants), api=self.stack.apis[1])

    def provoke_token(self):
        self.send(Call("without a token", {401}, token=""))
        self.send(Call("a forged token", {401}, token=tokens.make(key="outra")))
        if "403" in self.about["responses"]:  # who sees no person may not search for one
            params = {name: "ana" for name in ("busca", "valor") if name in self.given}
            self.send(Call("another role", {403}, params, token=tokens.make(papel="leitor")))

    def provoke_conflict(self):
        taken = {"nome": "a", "papel": "leitor", "senha": "três gatos no telhado", "email": EXAMPLE["email"]}
        body = {"POST": taken, "PATCH": {"papel": "leitor"}, "DELETE": None}[self.method]
        self.send(Call("a conflict", {409}, {} if self.method == "POST" else {"id": "1"}, body and dumps(body)))

    def provoke_replays(self):
        """What is done already; a job beside twenty."""
        if self.path == "/api/reenvios" and self.method == "POST":
            body = dumps({"estado": "morta"})
            for n in range(20):
                self.send(Call(f"many: job {n}", {202}, body=body))
            self.send(Call("many: one too many", {409}, body=body))
        elif self.method == "POST" and "id" in self.given:
            row = {"id": self.new_row()}
            self.send(Call("once", {200, 202}, row))
            self.stack.pg.query("UPDATE reenvios SET estado = 'concluido', terminado_em = now()")
            self.send(Call("once more", {409}, row))
        if "id" in self.given:
            self.send(Call("none of this id", {404}, {"id": "999999999"}))

    def provoke_files(self):
        if "id" in self.given:
            self.send(Call("no file", {404}, {"id": "0" * 32}))
        if "Range" in self.given:
            self.send(Call("behind the end", {416}, {"Range": "bytes=99-"}))
            lost = self.new_file()
            os.unlink(os.path.join(self.stack.folder, "arquivos", lost[:2], lost))
            self.send(Call("bytes that are lost", {410}, {"id": lost}))
        if self.path == "/api/arquivos" and self.method == "POST":
            self.send(Call("without a name", {400}, {"nome": None}, named="nome"))
            self.send(Call("empty", {400}, body=b""))
            self.send(Call("of no type", {415}, body=b"\xff"))
            self.send(Call("of another type", {415}, headers=[("Content-Type", "image/png")]))
            self.send(Call("compressed", {415}, headers=[("Content-Encoding", "gzip")]))
            used = self.stack.pg.value("SELECT bytes::text FROM arquivos_uso")
            self.stack.pg.query("UPDATE arquivos_uso SET bytes = 1::bigint << 60")
            self.send(Call("no room", {507}))
            self.stack.pg.query(f"UPDATE arquivos_uso SET bytes = {used}")

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
