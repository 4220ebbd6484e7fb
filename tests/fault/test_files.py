"""Files when the API dies amid one, and when the disk is full: nothing half is kept, the quota stays exact."""
import resource
import time

from case import eventually
from filefaults import FileCase, LARGE, PNG
import filecases


class Killed(FileCase):
    def test_a_file_that_was_coming_in_leaves_nothing(self):
        whole = self.assertStatus(self.send(PNG), 201).json
        half = self.begin(LARGE, len(LARGE) // 2)
        self.assertTrue(eventually(self.store.coming))
        self.api.kill()
        half.close()
        self.assertTrue(self.store.coming())
        self.age()
        self.api.start()
        self.api.wait_serving()
        self.assertTrue(eventually(lambda: not self.store.coming(), 15), self.store.coming())
        self.assertKept([whole])
        more = self.assertStatus(self.send(LARGE), 201).json
        self.assertKept([whole, more])
        for row in (whole, more):
            self.call("DELETE", f"/api/arquivos/{row['id']}", headers=self.auth)
        self.assertTrue(eventually(lambda: not self.store.names()))
        self.assertKept([])

    def test_a_kill_at_any_moment_keeps_rows_and_bytes_together(self):
        """Whatever was acknowledged is there; whatever is listed has all of its bytes."""
        kept = []
        for n in range(6):
            c = self.begin(LARGE, len(LARGE))
            time.sleep(0.02 * n)
            self.api.kill()
            c.close()
            self.api.start()
            self.api.wait_serving()
            kept = self.listed()["arquivos"]
            for row in kept:
                got = self.call("GET", f"/api/arquivos/{row['id']}", headers=self.auth, timeout=30)
                self.assertTrue(got.body == LARGE, row)
        self.assertEqual(self.listed()["uso"]["bytes"], sum(row["bytes"] for row in kept))
        # What was announced and never became a file is given an hour; here it is over.
        self.api.stop()
        self.stack.pg.query("UPDATE arquivos_restos SET desde = now() - interval '2 hours'")
        self.age()
        self.api.start()
        self.api.wait_serving()
        self.assertTrue(eventually(lambda: self.store.names() == {row["id"] for row in kept}, 15), self.store.names())
        self.assertTrue(eventually(lambda: self.stack.pg.value("SELECT count(*) FROM arquivos_restos") == "0"))
        for row in kept:
            self.call("DELETE", f"/api/arquivos/{row['id']}", headers=self.auth)
        self.assertTrue(eventually(lambda: not self.store.names()))


class KilledWithBucket(Killed):
    kind = filecases.Bucket


class Full(FileCase):
    """A file may not grow past this limit: what a full disk does to a write, for this program alone."""
    ROOM = 1 << 20

    def limit(self, size):
        resource.prlimit(self.api.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def test_what_does_not_fit_is_refused_and_nothing_of_it_stays(self):
        self.limit(self.ROOM)
        try:
            for _ in range(3):
                self.assertRefused(self.send(LARGE), 507)
            self.assertKept([])
            self.assertFalse(self.store.coming())
            small = self.assertStatus(self.send(PNG), 201).json
            self.assertKept([small])
            self.assertStatus(self.get("/health"), 200)
        finally:
            self.limit(resource.RLIM_INFINITY)
        large = self.assertStatus(self.send(LARGE), 201).json
        self.assertKept([small, large])
        for row in (small, large):
            self.call("DELETE", f"/api/arquivos/{row['id']}", headers=self.auth)
        self.assertTrue(eventually(lambda: not self.store.names()))
