"""A Redis that answers and takes no writes (a replica since a failover, a full disk): the cached page cannot be
removed, so a write of a post waits with its answer, and at its deadline nobody is told that it was not made."""
from accountcase import AccountCase
from case import StackCase
import tokens


class RedisRefuses(AccountCase, StackCase):
    options = {"worker": 0, "env": {**tokens.ENV, "REQUEST_TIMEOUT_MS": "1000"}}

    def tearDown(self):
        self.stack.redis.call("REPLICAOF", "NO", "ONE")
        super().tearDown()

    def refuse(self):
        self.stack.redis.call("REPLICAOF", "127.0.0.1", "1")

    def assertUnknown(self, answer):
        self.assertRetryLater(answer)
        self.assertEqual(answer.json["title"], "Resultado desconhecido", answer)

    def test_a_post(self):
        self.refuse()
        self.assertUnknown(self.post("/api/posts", {"titulo": "sem remoção", "conteudo": "c"}))
        self.assertEqual(self.stack.pg.value("SELECT count(*) FROM posts WHERE titulo = 'sem remoção'"), "1")
        self.stack.redis.call("REPLICAOF", "NO", "ONE")
        self.assertIn(self.new_post()["id"], [p["id"] for p in self.get("/api/posts/cache").json["posts"]])

    def test_a_change(self):
        headers, id_ = self.admin(), self.new_post()["id"]
        self.refuse()
        self.assertUnknown(self.call("PATCH", f"/api/posts/{id_}", headers=headers, json={"titulo": "mudado"}))
        self.assertEqual(self.get(f"/api/posts/{id_}").json["titulo"], "mudado")
