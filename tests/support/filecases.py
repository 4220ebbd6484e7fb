"""What holds of files wherever their bytes lie: what may be kept, who may, how it comes back, and what is left
when something breaks. A file of tests names the store and takes the cases:

    setUpModule, tearDownModule = filecases.shared(filecases.Folder)
    Keeping, Refusals, Listing, Clients = filecases.cases(__name__)"""
import hashlib
import os
import shutil
import tempfile
import threading
import time

from case import StackCase, eventually
import client
import s3
import servers
import tokens

LIMIT = 40 << 20
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 20
JPEG = b"\xff\xd8\xff\xe0" + os.urandom(3000)


class Folder:
    """STORAGE_DIR. names: all that lies there; coming: what is being written."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="alicerce-arquivos-")
        self.env = {"STORAGE_DIR": self.folder}

    def close(self):
        shutil.rmtree(self.folder)

    def coming(self):
        return os.listdir(os.path.join(self.folder, "novos"))

    def names(self):
        return {name for _, _, names in os.walk(self.folder) for name in names}

    def path(self, file_id):
        return os.path.join(self.folder, file_id[:2], file_id)


class Bucket(Folder):
    """STORAGE_URL, and a STORAGE_DIR through which files go there."""

    def __init__(self, **options):
        super().__init__()
        self.s3 = s3.S3(**options)
        self.env.update(self.s3.env)

    def close(self):
        super().close()
        self.s3.close()

    def names(self):
        return super().names() | self.s3.names()

    def path(self, file_id):
        return self.s3.path(f"{file_id[:2]}/{file_id}")


def shared(kind, **options):
    """setUpModule and tearDownModule: one stack for the file, over a store of this kind."""
    def set_up():
        Arquivos.store = kind(**options)
        env = {**tokens.ENV, "LOG_LEVEL": "debug", "POSTS_WRITE": "token", "ARQUIVOS_LIMITE": str(LIMIT),
               **Arquivos.store.env}
        Arquivos.stack = servers.Stack(worker=0, replicas=2, env=env).start()

    def tear_down():
        if Arquivos.stack:
            Arquivos.stack.stop()
        Arquivos.store.close()
    return set_up, tear_down


class Arquivos(StackCase):
    store = None
    _admin = []

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def sign_in(self, email, senha):
        answer = self.post("/api/auth/login", {"email": email, "senha": senha})
        self.assertStatus(answer, 200)
        return {"Authorization": f"Bearer {answer.json['token']}"}

    def admin(self):
        if not self._admin:
            self._admin.append(self.sign_in(tokens.ADMIN_EMAIL, tokens.ADMIN_PASSWORD))
        return self._admin[0]

    def as_reader(self):
        account = {"nome": "Fulana", "email": "leitora@alicerce.test", "papel": "leitor",
                   "senha": "outra senha bem longa"}
        self.assertStatus(self.post("/api/usuarios", account, headers=self.admin()), 201)
        return self.sign_in(account["email"], account["senha"])

    def look_at(self, answer, method="GET"):
        if answer.header("content-disposition") is None:
            super().look_at(answer, method)

    def send(self, data, nome="foto.png", tipo="image/png", headers=None, api=None, auth=None):
        query = f"?nome={nome}" if nome is not None else ""
        told = {**(auth or self.admin()), **({"Content-Type": tipo} if tipo else {}), **(headers or {})}
        return self.call("POST", f"/api/arquivos{query}", headers=told, body=data, api=api, timeout=30)

    def keep(self, data, **more):
        answer = self.send(data, **more)
        self.assertStatus(answer, 201)
        return answer.json

    def read(self, file_id, headers=None, method="GET", api=None):
        return self.call(method, f"/api/arquivos/{file_id}", api=api,
                         headers={**self.admin(), **(headers or {})}, timeout=30)

    def used(self):
        return self.get("/api/arquivos", headers=self.admin()).json["uso"]["bytes"]

    def noted(self, row):
        """What the audit log says of it, oldest first."""
        rows = self.get("/api/auditoria", headers=self.admin()).json["registros"]
        return [r for r in rows[::-1] if r["alvo"] == f"arquivo:{row['id']}"]

    def stored(self):
        return self.store.names()


class Keeping(Arquivos):
    def test_what_was_sent_comes_back_from_any_replica(self):
        before = self.used()
        answer = self.send(PNG, nome="Ol%C3%A1%20%22mundo%22.png")
        self.assertStatus(answer, 201)
        row = answer.json
        self.assertEqual(answer.header("location"), f"/api/arquivos/{row['id']}")
        self.assertEqual(answer.header("cache-control"), "no-store")
        self.assertEqual(row["sha256"], hashlib.sha256(PNG).hexdigest())
        self.assertEqual((row["nome"], row["tipo"], row["bytes"]), ('Olá "mundo".png', "image/png", len(PNG)))
        self.assertEqual(self.used(), before + len(PNG))
        for api in self.stack.apis:
            got = self.read(row["id"], api=api)
            self.assertStatus(got, 200)
            self.assertEqual(got.body, PNG)
            self.assertEqual(got.header("content-type"), "image/png")
            self.assertEqual(got.header("x-content-type-options"), "nosniff")
            self.assertIn("sandbox", got.header("content-security-policy"))
            self.assertEqual(got.header("content-disposition"),
                             "attachment; filename=\"Ol_ _mundo_.png\"; "
                             "filename*=UTF-8''Ol%C3%A1%20%22mundo%22.png")
        head = self.read(row["id"], method="HEAD")
        self.assertEqual((head.status, head.header("content-length")), (200, str(len(PNG))))
        gone = self.call("DELETE", f"/api/arquivos/{row['id']}", headers=self.admin())
        self.assertStatus(gone, 204)
        self.assertStatus(self.read(row["id"]), 404)
        self.assertEqual(self.used(), before)
        self.assertTrue(eventually(lambda: row["id"] not in self.stored()))

    def test_ranges_and_conditions(self):
        row = self.keep(PNG)
        whole = self.read(row["id"])
        tag = whole.header("etag")
        for asked, first, last in (("bytes=0-9", 0, 9), ("bytes=10-", 10, len(PNG) - 1),
                                   ("bytes=-7", len(PNG) - 7, len(PNG) - 1),
                                   (f"bytes=5-{len(PNG) + 50}", 5, len(PNG) - 1)):
            got = self.read(row["id"], {"Range": asked})
            self.assertStatus(got, 206)
            self.assertEqual(got.body, PNG[first:last + 1])
            self.assertEqual(got.header("content-range"), f"bytes {first}-{last}/{len(PNG)}")
        for ignored in ("bytes=0-1,4-5", "bytes=9-2", "lines=1-2", "bytes=x-"):
            self.assertEqual(self.read(row["id"], {"Range": ignored}).status, 200, ignored)
        behind = self.read(row["id"], {"Range": f"bytes={len(PNG)}-"})
        self.assertRefused(behind, 416)
        self.assertEqual(behind.header("content-range"), f"bytes */{len(PNG)}")
        self.assertStatus(self.read(row["id"], {"If-None-Match": tag}), 304)
        self.assertStatus(self.read(row["id"], {"If-Range": tag, "Range": "bytes=0-1"}), 206)
        self.assertStatus(self.read(row["id"], {"If-Range": '"x"', "Range": "bytes=0-1"}), 200)

    def test_a_form(self):
        def form(head, end="\r\n--b--\r\n", data=JPEG):
            return self.send(f"--b\r\n{head}\r\n\r\n".encode() + data + end.encode(), nome=None,
                             tipo="multipart/form-data; boundary=b")
        good = 'Content-Disposition: form-data; name="arquivo"; filename="C:\\fakepath\\a.jpg"'
        answer = form(good + "\r\nContent-Type: image/jpeg")
        self.assertStatus(answer, 201)
        self.assertEqual((answer.json["nome"], answer.json["tipo"]), ("a.jpg", "image/jpeg"))
        self.assertEqual(self.read(answer.json["id"]).body, JPEG)
        small = form(good.replace("a.jpg", "nota.txt") + "\r\nContent-Type: text/plain", data=b"oi")
        self.assertStatus(small, 201)  # it came in one piece
        self.assertEqual((small.json["nome"], small.json["tipo"]), ("nota.txt", "text/plain"))
        self.assertEqual(self.read(small.json["id"]).body, b"oi")
        self.assertRefused(form(good + "\r\nContent-Type: image/png", data=b"oi"), 415)
        self.assertRefused(form(good.replace('"arquivo"', '"outro"')), 400)
        self.assertRefused(form(good, end=""), 400)
        self.assertRefused(form(good, end=f"\r\n--b\r\n{good}\r\n\r\nx\r\n--b--"), 400)
        self.assertRefused(form(good + "\r\nContent-Type: image/png"), 415)

    def test_25_mib_pass_with_bounded_memory(self):
        data = PNG + os.urandom((25 << 20) - len(PNG))
        row = self.keep(data)
        got = self.read(row["id"])
        self.assertEqual(hashlib.sha256(got.body).hexdigest(), row["sha256"])
        self.call("DELETE", f"/api/arquivos/{row['id']}", headers=self.admin())

    def test_chunked(self):
        token = self.admin()["Authorization"]
        with client.Connection(self.api.port, 20) as c:
            c.send(client.head("POST", "/api/arquivos?nome=a.png",
                               {"Authorization": token, "Transfer-Encoding": "chunked"}))
            for at in range(0, len(PNG), 700):
                part = PNG[at:at + 700]
                c.send(b"%x\r\n" % len(part) + part + b"\r\n")
            c.send(b"0\r\n\r\n")
            answer = c.read()
        self.assertStatus(answer, 201)
        self.assertEqual(self.read(answer.json["id"]).body, PNG)


    def test_who_kept_and_who_removed_it_is_noted_once(self):
        row = self.keep(PNG, nome="nota.png")
        self.call("DELETE", f"/api/arquivos/{row['id']}", headers=self.admin())
        self.assertStatus(self.call("DELETE", f"/api/arquivos/{row['id']}", headers=self.admin()), 404)
        kept, removed = self.noted(row)
        self.assertEqual((kept["acao"], removed["acao"]), ("arquivo_enviado", "arquivo_removido"))
        self.assertEqual(kept["detalhe"], {"nome": "nota.png", "tipo": "image/png", "bytes": len(PNG)})
        for note in (kept, removed):
            self.assertEqual((note["ator"], note["papel"], note["endereco"]),
                             (tokens.ADMIN_EMAIL, "admin", "127.0.0.1"))
            self.assertTrue(note["request_id"])


class Refusals(Arquivos):
    def test_types_are_told_by_content(self):
        for data, nome, tipo in ((b"<html><script>", "a.html", "text/html"),
                                 (b"<svg xmlns=''/>", "a.svg", "image/svg+xml"),
                                 (b"MZ\x90\0" * 20, "a.png", "image/png"),
                                 (PNG, "a.jpg", "image/jpeg"),
                                 (b"PK\3\4" + bytes(100), "a.zip", None),
                                 (b"texto \xff", "a.txt", None),
                                 (b"a" * 70000 + b"\xc3", "a.txt", None)):
            self.assertRefused(self.send(data, nome=nome, tipo=tipo), 415)
        for data, nome, tipo in ((b"<html>", "a.txt", "text/plain"), (b"a;b\n", "a.csv", "text/csv")):
            self.assertEqual(self.keep(data, nome=nome, tipo=tipo)["tipo"], tipo)
        self.assertFalse(self.store.coming())

    def test_names_never_are_paths(self):
        for nome in ("..", ".", "%2F", "a%0Ab", "", "a%E2%80%AEgpj.exe", "x" * 201):
            self.assertRefused(self.send(PNG, nome=nome), 400, "nome")
        row = self.keep(PNG, nome="..%2F..%2Fetc%2Fpasswd")
        self.assertEqual(row["nome"], "passwd")
        for path in ("..%2f..%2fx", "0" * 31, "g" * 32, "0" * 32):
            self.assertStatus(self.read(path), 404)

    def test_sizes(self):
        self.assertRefused(self.send(b""), 400)
        with client.Connection(self.api.port) as c:  # known before a byte is taken
            c.send(client.head("POST", "/api/arquivos?nome=a.png",
                               {**self.admin(), "Content-Length": str(100 << 20)}))
            self.assertRefused(c.read(), 413)

    def test_roles(self):
        row = self.keep(PNG)
        reader = self.as_reader()
        self.assertRefused(self.send(PNG, auth=reader), 403)
        self.assertRefused(self.call("DELETE", f"/api/arquivos/{row['id']}", headers=reader), 403)
        got = self.call("GET", f"/api/arquivos/{row['id']}", headers=reader)
        self.assertEqual(got.body, PNG)
        for method, path in (("GET", "/api/arquivos"), ("POST", "/api/arquivos?nome=a.png"),
                             ("GET", f"/api/arquivos/{row['id']}")):
            self.assertRefused(self.call(method, path, body=PNG if method == "POST" else None), 401)

    def test_a_row_without_its_bytes(self):
        row = self.keep(PNG)
        os.unlink(self.store.path(row["id"]))
        self.assertRefused(self.read(row["id"]), 410)
        self.call("DELETE", f"/api/arquivos/{row['id']}", headers=self.admin())

    def test_the_quota_is_exact_under_a_race(self):
        size = 4 << 20
        data, answers, auth = PNG + bytes(size - len(PNG)), [], self.admin()
        before, seen = self.used(), len(self.stored())

        def one(i):
            answers.append(self.send(data, auth=auth, api=self.stack.apis[i % 2]))
        threads = [threading.Thread(target=one, args=(i,)) for i in range(14)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        kept = [a for a in answers if a.status == 201]
        self.assertEqual(len(kept), (LIMIT - before) // size, [a.status for a in answers])
        self.assertEqual({a.status for a in answers}, {201, 507})
        self.assertEqual(self.used(), before + len(kept) * size)
        self.assertTrue(eventually(lambda: len(self.stored()) == seen + len(kept)))
        for a in kept:
            self.call("DELETE", f"/api/arquivos/{a.json['id']}", headers=auth)
        self.assertEqual(self.used(), before)


class Listing(Arquivos):
    def test_pages(self):
        ids = [self.keep(PNG, nome=f"{i}.png")["id"] for i in range(5)]
        seen, cursor = [], ""
        while cursor is not None:
            page = self.get("/api/arquivos?limite=2" + (f"&cursor={cursor}" if cursor else ""),
                            headers=self.admin()).json
            seen += [f["id"] for f in page["arquivos"]]
            cursor = page["proximo"]
        self.assertEqual(seen[:5], ids[::-1])
        self.assertEqual(len(seen), len(set(seen)))
        self.assertRefused(self.get("/api/arquivos?cursor=x", headers=self.admin()), 400, "cursor")


class Clients(Arquivos):
    def test_one_that_vanishes_leaves_nothing(self):
        seen, auth = self.stored(), self.admin()
        for _ in range(10):
            c = client.Connection(self.api.port)
            c.send(client.head("POST", "/api/arquivos?nome=a.png",
                               {**auth, "Content-Length": str(5 << 20)}) + PNG + bytes(400000))
            c.reset()
        self.assertTrue(eventually(lambda: self.stored() == seen))

    def test_slow_ones_hold_up_nobody(self):
        auth, row = self.admin(), self.keep(PNG + bytes(6 << 20))
        slow = []
        for _ in range(20):
            c = self.connect()
            c.send(client.head("POST", "/api/arquivos?nome=a.png", {**auth, "Content-Length": "3000000"}) + PNG)
            d = self.connect()
            d.send(client.head("GET", f"/api/arquivos/{row['id']}", auth))
            slow += [c, d]
        times = []
        for _ in range(50):
            began = time.monotonic()
            self.assertStatus(self.get("/health"), 200)
            times.append(time.monotonic() - began)
        self.assertLess(sorted(times)[len(times) // 2], 0.5)
        for c in slow:
            c.reset()
        self.call("DELETE", f"/api/arquivos/{row['id']}", headers=auth)


def cases(module):
    """The four classes of cases, as the module's own."""
    return [type(c.__name__, (c,), {"__module__": module}) for c in (Keeping, Refusals, Listing, Clients)]
