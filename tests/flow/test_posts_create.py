"""POST /api/posts: what is taken, every bound and every refusal, batches of good and bad rows."""
import json
import threading
import time

from case import StackCase, eventually, parse_time, shared_stack
import client

MIB = 1 << 20
ROW = {"id", "titulo", "conteudo", "autor", "data_criacao"}
GOOD = {"titulo": "t", "conteudo": "c"}
Shared, setUpModule, tearDownModule = shared_stack(worker=0, replicas=2)


def nested(depth):
    """An object that is `depth` deep."""
    return b'{"titulo":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


class Create(Shared):
    def refused(self, body, status=(400, 422), field=None, **headers):
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", **headers}
        before = self.stack.pg.value("SELECT count(*) FROM posts")
        answer = self.post("/api/posts", body=raw, headers=headers)
        self.assertRefused(answer, status, field)
        self.assertEqual(self.stack.pg.value("SELECT count(*) FROM posts"), before)
        return answer

    def test_the_row_comes_back_with_its_location(self):
        answer = self.post("/api/posts", {"titulo": "Olá", "conteudo": "Mundo", "autor": "Zé"})
        self.assertStatus(answer, 201)
        row = answer.json
        self.assertEqual(set(row), ROW)
        self.assertEqual((row["titulo"], row["conteudo"], row["autor"]), ("Olá", "Mundo", "Zé"))
        self.assertEqual(answer.header("location"), f"/api/posts/{row['id']}")
        self.assertEqual(self.get(answer.header("location")).json, row)
        self.assertEqual(self.get("/api/posts?limite=1").json["posts"], [row])

    def test_the_time_is_now_in_utc(self):
        row = self.new_post()
        self.assertLess(abs(parse_time(row["data_criacao"]).timestamp() - time.time()), 5)

    def test_without_an_author_it_is_anonimo(self):
        self.assertEqual(self.new_post()["autor"], "Anônimo")
        self.assertEqual(self.stack.pg.value("SELECT autor FROM posts ORDER BY id DESC LIMIT 1"),
                         "Anônimo")

    def test_every_character_comes_back_as_it_went(self):
        texts = ["aspas \" e \\ e / e \b\f\n\r\t", "".join(map(chr, range(1, 0x20))) + "\x7f\x80\x9f",
                 "\u2028\u2029\ufeff\ufffe\uffff", "🇧🇷 👩‍👩‍👧 𝔘", "עברית ← عربي", "e\u0301 ≠ é",
                 "<script>alert(1)</script> &amp;", "'; DROP TABLE posts; --", "%s %n %00 $1 {} {1,2}",
                 "{\"a\": null}", "\\u0041", "NULL", "\U0010ffff\U00010000\ud7ff\ue000"]
        for text in texts:
            with self.subTest(text):
                row = self.new_post(text, text, autor=text)
                for answer in (self.get(f"/api/posts/{row['id']}"),):
                    self.assertEqual({answer.json[k] for k in ("titulo", "conteudo", "autor")}, {text})
                self.assertEqual(self.get("/api/posts?limite=1").json["posts"][0]["titulo"], text)

    def test_escaped_json_is_understood(self):
        body = rb'{"titulo":"\u00e9\ud83d\ude00\/\"","conteudo":"\u0041"}'
        answer = self.post("/api/posts", body=body, headers={"Content-Type": "application/json"})
        self.assertStatus(answer, 201)
        self.assertEqual((answer.json["titulo"], answer.json["conteudo"]), ("é😀/\"", "A"))

    def test_lengths_are_counted_in_characters(self):
        for char in ("a", "é", "€", "😀"):
            for field, most in (("titulo", 200), ("autor", 100), ("conteudo", 100000)):
                with self.subTest(char=char, field=field):
                    row = self.new_post(**{**GOOD, field: char * most})
                    self.assertEqual(row[field], char * most)
                    self.refused({**GOOD, field: char * (most + 1)}, field=field)

    def test_titulo_and_conteudo_are_needed_and_named_together(self):
        answer = self.refused({}, field="titulo")
        self.assertRefused(answer, (400, 422), field="conteudo")
        self.refused({"titulo": "t"}, field="conteudo")
        self.refused({"conteudo": "c"}, field="titulo")

    def test_empty_fields_are_refused_by_name(self):
        self.refused({**GOOD, "titulo": ""}, field="titulo")
        self.refused({**GOOD, "conteudo": ""}, field="conteudo")

    def test_a_field_of_another_type_is_refused_by_name(self):
        for field in ("titulo", "conteudo", "autor"):
            for value in (1, 1.5, True, [], {}, ["a"], {"a": "b"}):
                with self.subTest(field=field, value=value):
                    self.refused({**GOOD, field: value}, field=field)

    def test_unknown_fields_are_refused_by_name(self):
        for field in ("id", "data_criacao", "Titulo", "título", "__proto__", "a" * 60):
            with self.subTest(field):
                self.refused({**GOOD, field: "x"}, field=field)

    def test_a_very_long_unknown_name_is_no_trouble(self):
        self.refused({**GOOD, "é" * 50000: "x"})

    def test_many_unknown_fields_are_no_trouble(self):
        self.refused({**GOOD, **{f"campo{i}": i for i in range(5000)}})

    def test_a_repeated_key_is_refused_by_name(self):
        self.refused(b'{"titulo":"a","conteudo":"b","titulo":"c"}', field="titulo")
        self.refused(b'{"titulo":"a","conteudo":"b","t\\u0069tulo":"c"}', field="titulo")

    def test_u0000_is_refused(self):
        for body in (rb'{"titulo":"a\u0000b","conteudo":"c"}', b'{"titulo":"a\0b","conteudo":"c"}',
                     rb'{"titulo":"a","conteudo":"c","x\u0000":1}', b'{"titulo":"a","conteudo":"c"}\0',
                     rb'{"titulo":"a","conteudo":"c\u0000"}'):
            with self.subTest(body):
                self.refused(body)

    def test_what_is_not_utf8_is_refused(self):
        for bad in (b"\xff", b"\xc3", b"\xc3\x28", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\xaf",
                    b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80",
                    b"\x80", b"\xe2\x82", b"\xf0\x9f\x98"):
            with self.subTest(bad):
                self.refused(b'{"titulo":"a' + bad + b'","conteudo":"c"}')

    def test_lone_surrogates_are_refused(self):
        for bad in (rb"\ud800", rb"\udc00", rb"\ud800\ud800", rb"\ud800x", rb"\udc00\ud800"):
            with self.subTest(bad):
                self.refused(b'{"titulo":"a' + bad + b'","conteudo":"c"}')

    def test_what_is_no_json_object_is_refused(self):
        for body in (b"", b" ", b"[]", b'"a"', b"1", b"null", b"true", b"{", b"}", b'{"titulo"',
                     b'{"titulo":"a","conteudo":"b"', b'{"titulo":"a","conteudo":"b"}x',
                     b'{"titulo":"a","conteudo":"b"}{}', b"{'titulo':'a','conteudo':'b'}",
                     b'{"titulo":"a","conteudo":"b",}', b'{"titulo":"a" "conteudo":"b"}',
                     b'{titulo:"a",conteudo:"b"}', b'{"titulo":"a","conteudo":"b"} // c',
                     b'\xef\xbb\xbf{"titulo":"a","conteudo":"b"}', b'{"titulo":"a\nb","conteudo":"c"}',
                     b'{"titulo":"\\x41","conteudo":"c"}', b'{"titulo":NaN,"conteudo":"c"}',
                     b"titulo=a&conteudo=b", b"\0", b"\xff\xfe{\0}\0"):
            with self.subTest(body):
                self.refused(body)

    def test_nesting_is_bounded_at_32(self):
        self.refused(nested(32), field="titulo")  # deep enough to be read, and then of a wrong type
        answer = self.refused(nested(33))
        self.assertNotIn("titulo", [e["campo"] for e in answer.json.get("erros", [])])

    def test_very_deep_nesting_is_no_trouble(self):
        for body in (b"[" * 500000, b'{"a":' * 150000, nested(100000), b'{"titulo":' + b"[{" * 90000):
            with self.subTest(body[:20]):
                self.refused(body)

    def test_brackets_in_strings_are_no_nesting(self):
        self.new_post("[" * 100 + "{" * 100, "\\\"[[[" * 100)

    def test_numbers_of_any_size_are_no_trouble(self):
        for number in (b"1e999", b"-1e999", b"1e-999", b"9" * 5000, b"0." + b"1" * 5000, b"1e131072",
                       b"99999999999999999999999999", b"-0", b"01", b"+1", b".5", b"1.", b"0x10",
                       b"1e", b"Infinity"):
            with self.subTest(number[:30]):
                self.refused(b'{"titulo":' + number + b',"conteudo":"c"}')

    # sizes

    def padded(self, size):
        body = json.dumps(GOOD).encode()
        return body + b" " * (size - len(body))

    def test_a_body_of_1_mib_is_taken_and_one_byte_more_is_413(self):
        kind = {"Content-Type": "application/json"}
        self.assertStatus(self.post("/api/posts", body=self.padded(MIB), headers=kind), 201)
        self.refused(self.padded(MIB + 1), 413)

    def test_a_chunked_body_has_the_same_bound(self):
        for size, status in ((MIB, 201), (MIB + 1, 413), (2 * MIB, 413)):
            with self.subTest(size), self.connect() as c:
                c.send(client.head("POST", "/api/posts", {"Content-Type": "application/json",
                                                          "Transfer-Encoding": "chunked"}))
                body = self.padded(size)
                for at in range(0, size, 60000):
                    piece = body[at:at + 60000]
                    try:
                        c.send(b"%x\r\n%b\r\n" % (len(piece), piece))
                    except OSError:  # refused and closed while we were sending
                        break
                else:
                    c.send(b"0\r\n\r\n")
                self.assertStatus(c.read("POST"), status)

    def test_a_huge_announced_body_is_refused_before_it_is_sent(self):
        with self.connect() as c:
            c.send(client.head("POST", "/api/posts", {"Content-Type": "application/json",
                                                      "Content-Length": str(10 ** 12)}))
            self.assertRefused(c.read("POST"), 413)

    # types

    def test_json_types_are_taken(self):
        for kind in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON",
                     'application/json;charset="UTF-8"', "application/json ; charset=utf-8"):
            with self.subTest(kind):
                self.assertStatus(self.post("/api/posts", GOOD, headers={"Content-Type": kind}), 201)

    def test_other_types_are_415(self):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                     "application/xml", "text/json", "application/jsonx", "application/json-seq",
                     "application/json; charset=latin-1", "application/json; charset=utf-16", "json", "*/*"):
            with self.subTest(kind):
                self.refused(GOOD, 415, **{"Content-Type": kind})

    def test_an_encoded_body_is_415(self):
        for coding in ("gzip", "deflate", "br", "gzip, gzip", "x"):
            with self.subTest(coding):
                self.refused(GOOD, 415, **{"Content-Encoding": coding})

    def mixed_load(self, bad):
        """Sixteen clients at once; one post in five has the title that the database refuses."""
        statuses = {bad: [], "bom": []}

        def write(n):
            with client.Connection(self.api.port) as c:
                for i in range(25):
                    titulo = bad if (n + i) % 5 == 0 else "bom"
                    answer = c.call("POST", "/api/posts", json={"titulo": titulo, "conteudo": str(n)})
                    statuses[titulo].append(answer.status)
        threads = [threading.Thread(target=write, args=(n,)) for n in range(16)]
        before = int(self.stack.pg.value("SELECT count(*) FROM posts"))
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(set(statuses["bom"]), {201})
        self.assertEqual((len(statuses["bom"]), len(statuses[bad])), (320, 80))
        self.assertNotIn(201, statuses[bad])
        self.assertEqual(int(self.stack.pg.value("SELECT count(*) FROM posts")) - before, 320)

    def test_bad_and_good_rows_in_one_batch_do_not_hurt_each_other(self):
        """The API knows nothing of this constraint."""
        self.stack.pg.query("ALTER TABLE posts ADD CONSTRAINT proibido CHECK (titulo <> 'proibido')")
        self.addCleanup(self.stack.pg.query, "ALTER TABLE posts DROP CONSTRAINT proibido")
        self.mixed_load("proibido")

    def test_rows_that_are_refused_at_the_commit_are_not_answered_201(self):
        """A deferred trigger: the INSERT itself is well, and the 201 must wait for more than that."""
        self.stack.pg.query(
            "CREATE FUNCTION recusar() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.titulo = 'adiado' THEN"
            " RAISE EXCEPTION 'recusado'; END IF; RETURN NULL; END $$;"
            "CREATE CONSTRAINT TRIGGER recusar AFTER INSERT ON posts DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION recusar()")
        self.addCleanup(self.stack.pg.query, "DROP FUNCTION recusar CASCADE")
        self.mixed_load("adiado")


class RefusedAtTheCommit(StackCase):
    """A deferred constraint fails behind the statements: one error more in the pipeline than there
    are questions. Catches a connection that takes it for the next one's answer (201 with id 0)."""

    options = {"worker": 0, "env": {"THREADS": "1"}}

    def test_it_is_refused_and_the_next_ones_get_their_own_answers(self):
        self.stack.pg.query(
            "CREATE FUNCTION recusar() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN IF NEW.titulo = 'mau' THEN RAISE 'recusado'; END IF; RETURN NULL; END$$")
        self.stack.pg.query("CREATE CONSTRAINT TRIGGER recusar AFTER INSERT ON posts DEFERRABLE "
                            "INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION recusar()")
        for _ in range(2):
            answer = self.post("/api/posts", {"titulo": "mau", "conteudo": "x"})
            self.assertRefused(answer, 422)
            for _ in range(2):
                row = self.new_post("bom")
                self.assertEqual(self.get(f"/api/posts/{row['id']}").json, row)

    def test_a_row_that_a_trigger_drops_is_no_201(self):
        self.stack.pg.query("CREATE FUNCTION largar() RETURNS trigger LANGUAGE plpgsql AS "
                            "$$BEGIN RETURN CASE WHEN NEW.titulo <> 'largado' THEN NEW END; END$$")
        self.stack.pg.query("CREATE TRIGGER largar BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION largar()")
        self.assertRefused(self.post("/api/posts", {"titulo": "largado", "conteudo": "x"}), 503)
        row = self.new_post("bom")
        self.assertEqual(self.get(f"/api/posts/{row['id']}").json, row)

    def test_a_server_that_cannot_write_is_503_and_the_log_has_its_words(self):
        """As a standby, or a full disk: it answered, so no connection fell, and somebody has to be told why."""
        standby = self.stack.pg.url + "?options=-c%20default_transaction_read_only%3Don"
        api = self.stack.add_api(env={"DATABASE_URL": standby}).start()
        self.addCleanup(self.stack.apis.remove, api)
        self.addCleanup(api.stop)
        api.wait_serving()
        for headers in ({}, {"Idempotency-Key": "sem-escrita"}):
            answer = self.assertRetryLater(self.post("/api/posts", {"titulo": "a", "conteudo": "b"}, api=api, headers=headers))
            self.assertIn("não confirmou", answer.json["detail"])
            self.assertTrue(eventually(api.is_serving, 5))
        words = [event["msg"] for event in api.events("post_refused")]
        self.assertEqual(len(words), 2, api.log_tail())
        for said in words:
            self.assertRegex(said, r"^25006: ")
