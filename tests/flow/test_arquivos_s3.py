"""Files in an S3-compatible store (STORAGE_URL): the cases of files, and what is a bucket's own."""
import os

from case import eventually
import filecases
from filecases import Arquivos, PNG
import s3
import servers

setUpModule, tearDownModule = filecases.shared(filecases.Bucket, prefix="dados/v1")
Keeping, Refusals, Listing, Clients = filecases.cases(__name__)
CHUNK = 256 * 1024


class Asked(Arquivos):
    """What the store sees."""

    @property
    def s3(self):
        return self.store.s3

    def seen(self, verb, act):
        """What act() returns, and the calls that it made."""
        before = len(self.s3.calls_of(verb))
        done = act()
        return done, self.s3.calls_of(verb)[before:]

    def test_an_object_lies_under_the_prefix_by_its_id_alone(self):
        row, calls = self.seen("PUT", lambda: self.keep(PNG, nome="nome-do-cliente.png"))
        self.assertEqual([c.key for c in calls], [f"dados/v1/{row['id'][:2]}/{row['id']}"])
        with open(self.store.path(row["id"]), "rb") as f:
            self.assertEqual(f.read(), PNG)
        self.assertFalse(self.store.coming())
        self.assertNotIn("cliente", str(calls[0].headers))

    def test_a_large_file_is_read_in_parts_of_one_version(self):
        data = PNG + os.urandom(3 * CHUNK)
        row = self.keep(data)
        got, calls = self.seen("GET", lambda: self.read(row["id"]))
        self.assertEqual(got.body, data)
        self.assertEqual([c.range for c in calls],
                         [f"bytes={at}-{min(at + CHUNK, len(data)) - 1}" for at in range(0, len(data), CHUNK)])
        self.assertIsNone(calls[0].headers.get("If-Match"))
        self.assertEqual(len({c.headers.get("If-Match") for c in calls[1:]}), 1)
        self.assertTrue(calls[1].headers.get("If-Match"))
        for first, last in ((0, 0), (CHUNK - 1, CHUNK), (5, 2 * CHUNK + 9), (len(data) - 1, len(data) - 1)):
            got, calls = self.seen("GET", lambda: self.read(row["id"], {"Range": f"bytes={first}-{last}"}))
            self.assertEqual(got.body, data[first:last + 1])
            self.assertEqual(calls[0].range.split("=")[1].split("-")[0], str(first))
        self.call("DELETE", f"/api/arquivos/{row['id']}", headers=self.admin())

    def test_what_needs_no_bytes_asks_for_none(self):
        row = self.keep(PNG)
        tag = self.read(row["id"]).header("etag")
        for headers, status in (({"If-None-Match": tag}, 304), ({"Range": "bytes=99999-"}, 416)):
            got, calls = self.seen("GET", lambda: self.read(row["id"], headers))
            self.assertEqual((got.status, calls), (status, []))

    def test_connections_are_used_again(self):
        rows = [self.keep(PNG) for _ in range(4)]
        before = self.s3.connections
        for row in rows * 5:
            self.assertStatus(self.read(row["id"]), 200)
        self.assertLessEqual(self.s3.connections - before, 16)  # two replicas, eight threads

    def test_status_and_log_say_where_files_lie(self):
        self.assertEqual(self.get("/status").json["armazenamento"], "s3")
        told = self.api.events("storage")
        self.assertIn(self.s3.url, told[0]["msg"])
        for api in self.stack.apis:
            self.assertNotIn(self.s3.secret_key, api.log())
            self.assertNotIn(self.s3.access_key, api.log())

    def test_a_slow_client_holds_no_thread(self):
        """More of them than the eight threads that ask the store."""
        data = PNG + os.urandom(12 * CHUNK)
        row, slow = self.keep(data), []
        for _ in range(24):
            c = self.connect(timeout=30)
            c.send(f"GET /api/arquivos/{row['id']} HTTP/1.1\r\nHost: a\r\n"
                   f"Authorization: {self.admin()['Authorization']}\r\n\r\n".encode())
            slow.append(c)
        self.assertTrue(eventually(lambda: len(self.s3.calls_of("GET")) >= 24))
        for _ in range(5):
            self.assertEqual(self.read(row["id"]).body, data)
            self.assertStatus(self.send(PNG), 201)
        for c in slow[1:]:
            c.reset()
        self.assertEqual(slow[0].read().body, data)
        self.call("DELETE", f"/api/arquivos/{row['id']}", headers=self.admin())


class Wrong(Arquivos):
    """One program each, whose STORAGE_* do not fit: files answer 503 and say so, all else is served."""

    def refused(self, code, **change):
        api = self.stack.add_api({**self.store.s3.env, **change})
        try:
            api.start()
            api.wait_serving()
            before = self.used()
            self.assertRetryLater(self.send(PNG, api=api))
            self.assertIn(code, api.events("file_write")[-1]["msg"])
            self.assertStatus(self.get("/health", api=api), 200)
            self.assertStatus(self.get("/status", api=api), 200)
            self.assertEqual(self.used(), before)
            self.assertFalse(self.store.coming())
            row = self.keep(PNG)
            self.assertRetryLater(self.read(row["id"], api=api))
            self.assertEqual(self.read(row["id"]).body, PNG)
            gone = self.call("DELETE", f"/api/arquivos/{row['id']}", headers=self.admin(), api=api)
            self.assertStatus(gone, 204)
            self.assertTrue(eventually(lambda: api.events("file_left")))
            self.assertIn(row["id"], self.stored())
            self.assertNotIn(change.get("STORAGE_SECRET_KEY", "\0"), api.log())
        finally:
            api.stop()
            self.stack.apis.remove(api)

    def test_a_wrong_secret(self):
        self.refused("SignatureDoesNotMatch", STORAGE_SECRET_KEY="outro-segredo")

    def test_an_unknown_key(self):
        self.refused("InvalidAccessKeyId", STORAGE_ACCESS_KEY="outra")

    def test_a_wrong_region(self):
        self.refused("AuthorizationHeaderMalformed", STORAGE_REGION="us-east-1")

    def test_no_such_bucket(self):
        """Its 404 is no file that is gone, and removes no note of what is to be removed."""
        host = self.store.s3.host
        self.refused("NoSuchBucket", STORAGE_URL=f"http://{host}/outro")


class Start(Arquivos):
    def check(self, **env):
        told = {k: v for k, v in {**self.store.s3.env, **env}.items() if v is not None}
        return servers.run_program("alicerce-api", "--check-config", env=told)

    def test_a_bad_variable_stops_the_start_by_name_and_tells_no_secret(self):
        self.assertEqual(self.check().returncode, 0)
        for name, value, want in (
                ("STORAGE_SECRET_KEY", None, "STORAGE_ACCESS_KEY and STORAGE_SECRET_KEY to be set"),
                ("STORAGE_URL", "s3://balde", "http:// or https://"),
                ("STORAGE_URL", "https://chave:segredo@s3.test/balde", "the keys are STORAGE_ACCESS_KEY"),
                ("STORAGE_REGION", "sa east", "letters"),
                ("STORAGE_SECRET_KEY", "com espaço", "visible ASCII")):
            done = self.check(**{name: value})
            self.assertEqual(done.returncode, 78, (name, value))
            self.assertRegex(done.stderr, r"^alicerce: STORAGE_\w+: got ")
            self.assertIn(want, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)
            self.assertNotIn("segredo", done.stderr)

    def test_secrets_come_from_files(self):
        path = os.path.join(self.store.folder, "segredo")
        with open(path, "w", encoding="utf-8") as f:
            f.write(self.store.s3.secret_key + "\n")
        try:
            done = self.check(STORAGE_SECRET_KEY=None, STORAGE_SECRET_KEY_FILE=path)
            self.assertEqual(done.returncode, 0, done.stderr)
        finally:
            os.unlink(path)


class Signatures(Arquivos):
    """That the store of these tests looks at all of it: the example of Amazon's own page."""

    def test_amazons_example(self):
        """"Signature Calculations for the Authorization Header", GET Object with a range."""
        headers = [("Host", "examplebucket.s3.amazonaws.com"), ("Range", "bytes=0-9"),
                   ("x-amz-content-sha256", s3.NOTHING), ("x-amz-date", "20130524T000000Z")]
        request = s3.canonical("GET", "/test.txt", headers, ["host", "range", "x-amz-content-sha256", "x-amz-date"],
                               s3.NOTHING)
        self.assertEqual(s3.hashlib.sha256(request.encode()).hexdigest(),
                         "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972")
        text = ("AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"
                "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972")
        key = s3.derived_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1")
        self.assertEqual(s3.hmac.digest(key, text.encode(), "sha256").hex(),
                         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
