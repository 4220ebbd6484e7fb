"""Files in an S3-compatible store that dies, hangs, refuses, lies or is away: 503 in time, nothing half is kept or
passed on as whole, the quota stays exact, and what was left is removed once the store is back."""
import threading
import time

from case import eventually
import client
import filecases
from filefaults import FileCase, LARGE, PNG
from s3 import FOREVER, Cut, Elsewhere, Fail, Flip, Less, Lost, Short, Silent, Slow, Tag, Whole

TIMEOUT_MS = 1600
AWAY_S = 2.0       # BUCKET_AWAY_MS
CHUNK = 256 * 1024
MANY = PNG + bytes(range(256)) * (5 * CHUNK // 256)  # several parts


class BucketCase(FileCase):
    kind = filecases.Bucket
    env = {"REQUEST_TIMEOUT_MS": str(TIMEOUT_MS)}

    def setUp(self):
        super().setUp()
        self.s3 = self.store.s3
        self.addCleanup(self.back)

    def back(self):
        """The store as usual, and known to be so; nothing kept."""
        self.s3.forget()
        if not self.s3.server:
            self.s3.start()
        self.assertTrue(eventually(lambda: self.send(PNG).status == 201, 10))
        for row in self.listed()["arquivos"]:
            self.remove(row)

    def seen(self, verb):
        return len(self.s3.calls_of(verb))

    def timed(self, act):
        began = time.monotonic()
        answer = act()
        return answer, time.monotonic() - began


class Writing(BucketCase):
    def test_what_may_pass_is_tried_again(self):
        for broken in (Fail(500), Fail(503, "SlowDown"), Cut(0), Cut(1 << 20), Lost()):
            with self.subTest(type(broken).__name__):
                before = self.seen("PUT")
                self.s3.script("PUT", broken)
                row = self.keep(LARGE)
                self.assertEqual(self.seen("PUT") - before, 2)
                self.assertEqual(self.read(row).body, LARGE)
                self.remove(row)

    def test_what_will_not_pass_is_not(self):
        kept = self.keep(PNG)
        for broken, status in ((Fail(403, "AccessDenied"), 503), (Fail(400, "BadDigest"), 503),
                               (Fail(507, "XMinioStorageFull"), 507), (Fail(301, "PermanentRedirect"), 503)):
            with self.subTest(broken.code):
                before = self.seen("PUT")
                self.s3.script("PUT", broken, times=2)
                answer = self.assertRefused(self.send(LARGE), status)
                self.s3.forget()
                if status == 503:
                    self.assertRetryLater(answer)
                self.assertEqual(self.seen("PUT") - before, 1)
                self.assertIn(broken.code, self.api.events("file_write")[-1]["msg"])
        self.assertKept([kept])
        self.sweep()
        self.assertKept([kept])

    def test_the_store_dies_amid_an_upload(self):
        kept, answers = self.keep(PNG), []
        self.s3.script("PUT", Slow(0.5), times=FOREVER)
        before = self.seen("PUT")
        one = threading.Thread(target=lambda: answers.append(self.send(LARGE)))
        one.start()
        self.assertTrue(eventually(lambda: self.seen("PUT") > before))
        self.s3.stop()
        one.join()
        self.assertRetryLater(answers[0])
        self.assertFalse(self.store.coming())
        self.assertKept([kept])
        self.assertRetryLater(self.send(LARGE))
        self.assertStatus(self.get("/health"), 200)
        self.assertStatus(self.get("/status"), 200)
        self.assertEqual(self.get("/status").json["armazenamento"], "desconectado")
        self.s3.forget()
        self.s3.start()
        self.assertTrue(eventually(lambda: self.send(LARGE).status == 201, AWAY_S + 2))
        self.assertEqual(self.get("/status").json["armazenamento"], "s3")
        self.assertEqual(len(self.api.events("storage_away")), len(self.api.events("storage_back")))

    def test_an_object_whose_answer_was_lost_is_no_file_and_is_removed(self):
        self.s3.script("PUT", Lost(), times=FOREVER)
        self.assertRetryLater(self.send(LARGE))
        self.s3.forget()
        self.assertEqual(len(self.s3.names()), 1)
        self.assertEqual(self.listed(), {"arquivos": [], "proximo": None,
                                         "uso": {"bytes": 0, "limite": self.listed()["uso"]["limite"]}})
        self.assertEqual(self.leftovers(), 1)
        self.sweep()
        self.assertKept([])

    def test_the_program_dies_amid_an_upload(self):
        for moment in (Slow(0.4), Silent(3)):
            self.s3.script("PUT", moment)
            before = self.seen("PUT")
            c = self.begin(LARGE, len(LARGE))
            self.assertTrue(eventually(lambda: self.seen("PUT") > before))
            self.api.kill()
            c.close()
            self.api.start()
            self.api.wait_serving()
            self.assertEqual(self.listed()["arquivos"], [])
            self.assertEqual(self.leftovers(), 1)
            self.sweep()
            self.assertTrue(eventually(lambda: not self.store.names()), self.store.names())
            self.assertKept([])

    def test_a_large_file_on_a_slow_way_has_its_time(self):
        """More than a request's deadline, since bytes come."""
        self.s3.script("PUT", Slow(TIMEOUT_MS / 1000 + 0.6))
        row = self.keep(LARGE)
        self.assertEqual(self.read(row).body, LARGE)


class Hanging(BucketCase):
    def test_nobody_waits_for_long_and_all_else_is_served(self):
        row = self.keep(PNG)
        for verb in ("PUT", "GET"):
            self.s3.script(verb, Silent(), times=FOREVER)
        answers = []

        def one(i):
            answers.append(self.timed(lambda: self.send(PNG) if i % 2 else self.read(row)))
        threads = [threading.Thread(target=one, args=(i,)) for i in range(40)]
        for t in threads:
            t.start()
        _, took = self.timed(lambda: self.assertStatus(self.get("/health"), 200))
        self.assertLess(took, 1)
        for t in threads:
            t.join()
        for answer, took in answers:
            self.assertRetryLater(answer)
            self.assertLess(took, TIMEOUT_MS / 1000 + 1.5)
        self.assertFalse(eventually(self.store.coming, 0))
        # It is known now: nobody waits at all, and the store is left alone.
        before, quick = self.seen("PUT"), [self.timed(lambda: self.send(PNG)) for _ in range(10)]
        self.assertTrue(all(answer.status == 503 for answer, _ in quick))
        self.assertLess(sorted(took for _, took in quick)[5], 0.5)
        self.assertLessEqual(self.seen("PUT") - before, 2)
        self.s3.forget()
        self.assertTrue(eventually(lambda: self.read(row).status == 200, AWAY_S + 3))
        self.sweep()
        self.assertKept([row])

    def test_a_stop_does_not_wait_for_it(self):
        self.s3.script("PUT", Silent(), times=FOREVER)
        self.addCleanup(lambda: self.api.running() or self.api.start())
        before, huge = self.seen("PUT"), LARGE * 4  # which may take longer than a stop
        c = self.begin(huge, len(huge))
        self.assertTrue(eventually(lambda: self.seen("PUT") > before))
        code, took = self.timed(self.api.stop)
        self.assertEqual(code, 0)
        self.assertLess(took, 10)
        self.assertRetryLater(c.read())
        c.close()
        self.api.start()
        self.api.wait_serving()
        self.s3.forget()
        self.sweep()
        self.assertKept([])


class Removing(BucketCase):
    def test_a_removal_while_the_store_is_away_is_made_good_later(self):
        rows = [self.keep(PNG) for _ in range(3)]
        self.s3.stop()
        for row in rows[:2]:
            _, took = self.timed(lambda: self.assertStatus(self.remove(row), 204))
            self.assertLess(took, 1)
        self.assertEqual(self.listed()["uso"]["bytes"], len(PNG))
        self.assertTrue(eventually(lambda: len(self.api.events("file_left")) >= 2))
        self.s3.start()
        self.assertEqual(self.store.names(), {row["id"] for row in rows})
        self.assertEqual(self.leftovers(), 2)
        self.sweep()
        self.assertKept(rows[2:])

    def test_a_refused_removal_stays_noted(self):
        row = self.keep(PNG)
        for broken in (Fail(403, "AccessDenied"), Fail(404, "NoSuchBucket"), Fail(500)):
            self.s3.script("DELETE", broken, times=FOREVER)
            seen = len(self.api.events("file_left"))
            other = self.keep(PNG)
            self.assertStatus(self.remove(other), 204)
            self.assertTrue(eventually(lambda: len(self.api.events("file_left")) > seen))
            self.s3.forget()
            self.assertIn(other["id"], self.store.names())
        self.assertEqual(self.leftovers(), 3)
        self.sweep()
        self.assertKept([row])

    def test_what_is_gone_already_is_removed(self):
        row = self.keep(PNG)
        self.s3.script("DELETE", Lost())
        self.assertStatus(self.remove(row), 204)
        self.assertTrue(eventually(lambda: self.leftovers() == 0))
        self.assertKept([])


class Reading(BucketCase):
    def partial(self, row, **headers):
        """What comes of it: the whole answer, or what came before the connection broke."""
        with client.Connection(self.api.port, 20) as c:
            c.send(client.head("GET", f"/api/arquivos/{row['id']}", {**self.auth, **headers}))
            got = b""
            try:
                while piece := c.sock.recv(1 << 16):
                    got += piece
                    head, found, body = got.partition(b"\r\n\r\n")
                    if found and len(body) >= int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]):
                        break
            except ConnectionResetError:
                pass
            return head, body

    def test_what_may_pass_is_tried_again(self):
        row = self.keep(MANY)
        for broken in (Fail(500), Fail(503, "SlowDown"), Cut(0), Cut(100), Short(1), Elsewhere(), Less(1)):
            with self.subTest(type(broken).__name__):
                self.s3.script("GET", broken)
                self.assertEqual(self.read(row).body, MANY)

    def test_what_stays_wrong_at_the_first_part_is_a_503(self):
        row = self.keep(MANY)
        for broken in (Fail(500), Fail(403, "AccessDenied"), Fail(404, "NoSuchBucket"), Fail(416), Cut(100), Short(1),
                       Less(1), Elsewhere(), Whole()):
            with self.subTest(type(broken).__name__):
                self.s3.script("GET", broken, times=FOREVER)
                self.assertRetryLater(self.read(row))
                self.s3.forget()
        self.assertEqual(self.read(row).body, MANY)

    def test_what_turns_wrong_later_ends_the_connection(self):
        row = self.keep(MANY)
        for broken in (Fail(500), Fail(404, "NoSuchKey"), Cut(100), Short(1), Less(1), Elsewhere(), Tag(), Whole()):
            with self.subTest(type(broken).__name__):
                for good in (1, 3, 5):  # the last part, too
                    self.s3.script("GET", *[None] * good)
                    self.s3.script("GET", broken, times=FOREVER)
                    head, body = self.partial(row)
                    self.s3.forget()
                    self.assertIn(b" 200 ", head.split(b"\r\n")[0])
                    self.assertLess(len(body), len(MANY))
                    self.assertEqual(body, MANY[:len(body)])
        self.assertEqual(self.read(row).body, MANY)

    def test_an_object_that_changes_amid_a_download_is_not_mixed(self):
        row = self.keep(MANY)
        self.s3.script("GET", None, Slow(0.5))
        before, got = self.seen("GET"), []
        one = threading.Thread(target=lambda: got.append(self.partial(row)))
        one.start()
        self.assertTrue(eventually(lambda: self.seen("GET") - before >= 2))
        with open(self.store.path(row["id"]), "wb") as f:
            f.write(bytes(len(MANY)))
        one.join()
        self.assertLess(len(got[0][1]), len(MANY))
        self.assertEqual(got[0][1], MANY[:len(got[0][1])])

    def test_bytes_that_are_not_those_that_were_kept_never_pass_as_whole(self):
        small, large = self.keep(PNG), self.keep(MANY)
        self.s3.script("GET", Flip(100))
        self.assertRetryLater(self.read(small))
        for part in (1, 3, 5):  # the last one too; their ETag is the same: it is the store that is wrong
            self.s3.script("GET", *[None] * part, Flip(part * CHUNK + 10))
            head, body = self.partial(large)
            self.s3.forget()
            self.assertLess(len(body), len(MANY), head)
        self.assertIn("are not those that were kept", self.api.events("file_read")[-1]["msg"])
        self.assertEqual(self.read(large).body, MANY)

    def test_the_store_dies_amid_a_download(self):
        row = self.keep(MANY)
        self.s3.script("GET", None, None, Slow(5))
        before, got = self.seen("GET"), []
        one = threading.Thread(target=lambda: got.append(self.partial(row)))
        one.start()
        self.assertTrue(eventually(lambda: self.seen("GET") - before >= 3))
        self.s3.stop()
        one.join()
        self.assertLess(len(got[0][1]), len(MANY))
        self.assertRetryLater(self.read(row))
        self.s3.start()
        self.assertTrue(eventually(lambda: self.read(row).body == MANY, AWAY_S + 2))

    def test_a_client_that_leaves_ends_it(self):
        row = self.keep(PNG + bytes(8 << 20))
        before = self.seen("GET")
        with client.Connection(self.api.port, 20) as c:
            c.send(client.head("GET", f"/api/arquivos/{row['id']}", self.auth))
            self.assertTrue(c.sock.recv(1000))
            c.reset()
        time.sleep(1)
        self.assertLess(self.seen("GET") - before, 30)  # of 33: what its socket took, and no more

