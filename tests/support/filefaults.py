"""What the fault tests of files share: a stack over a store, and what must be true of both afterwards."""
import os
import time

from case import StackCase, eventually
import client
import filecases
from filecases import PNG
import tokens

LARGE = PNG + os.urandom(3 << 20)


class FileCase(StackCase):
    kind = filecases.Folder
    env = {}
    store = None

    @classmethod
    def setUpClass(cls):
        cls.store = cls.kind()
        cls.options = {"worker": 0, "env": {**tokens.ENV, **cls.store.env, **cls.env}}
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.store.close()

    def setUp(self):
        super().setUp()
        login = {"email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD}
        answer = self.assertStatus(self.post("/api/auth/login", login), 200)
        self.auth = {"Authorization": f"Bearer {answer.json['token']}"}

    def look_at(self, answer, method="GET"):
        if answer.header("content-disposition") is None:
            super().look_at(answer, method)

    def send(self, data):
        return self.call("POST", "/api/arquivos?nome=a.png", headers=self.auth, body=data, timeout=30)

    def keep(self, data):
        return self.assertStatus(self.send(data), 201).json

    def read(self, row, **headers):
        return self.call("GET", f"/api/arquivos/{row['id']}", headers={**self.auth, **headers}, timeout=30)

    def remove(self, row):
        return self.call("DELETE", f"/api/arquivos/{row['id']}", headers=self.auth)

    def begin(self, data, part):
        c = client.Connection(self.api.port, 20)
        c.send(client.head("POST", "/api/arquivos?nome=a.png",
                           {**self.auth, "Content-Length": str(len(data))}) + data[:part])
        return c

    def listed(self):
        return self.get("/api/arquivos", headers=self.auth).json

    def assertKept(self, rows):
        """These are the files, their bytes are there and no others, and the quota says their sum."""
        listed = self.listed()
        self.assertEqual({r["id"] for r in listed["arquivos"]}, {r["id"] for r in rows})
        self.assertEqual(listed["uso"]["bytes"], sum(r["bytes"] for r in rows))
        self.assertEqual(self.store.names(), {r["id"] for r in rows})

    def age(self):
        """As if a minute had passed since they were written: whose writer lives is locked all the same."""
        for name in self.store.coming():
            path = os.path.join(self.store.folder, "novos", name)
            then = time.time() - 600
            os.utime(path, (then, then))

    def leftovers(self):
        return int(self.stack.pg.value("SELECT count(*) FROM arquivos_restos"))

    def sweep(self):
        """As if the hour were over that is given to what was announced; and the janitor comes at a start."""
        self.api.stop()
        self.stack.pg.query("UPDATE arquivos_restos SET desde = now() - interval '2 hours'")
        self.age()
        self.api.start()
        self.api.wait_serving()
        self.assertTrue(eventually(lambda: self.leftovers() == 0, 15), self.leftovers())
