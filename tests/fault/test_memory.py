"""No memory for the answer to a statement whose transaction is committed all the same: nobody is told that nothing
was written, and the cached page goes as with any other write."""
from accountcase import AccountCase
from case import StackCase
from memory import Memory
import servers
import tokens


class NoMemoryForTheAnswer(AccountCase, StackCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = servers.Stack(worker=0, env={**tokens.ENV, "RATE_LIMIT": "0"})
        cls.memory = Memory(cls.stack.api)
        cls.stack.start()

    def call_without_memory(self, method, target, **more):
        headers = {**self.admin(), **more.pop("headers", {})}
        with self.memory.without("copy"):
            answer = self.call(method, target, headers=headers, **more)
        self.assertRetryLater(answer)
        self.assertEqual(answer.json["title"], "Resultado desconhecido", answer)

    def value(self, sql):
        return self.stack.pg.value(sql)

    def cached_titles(self):
        return [post["titulo"] for post in self.get("/api/posts/cache").json["posts"]]

    def test_a_change_of_a_post(self):
        post = self.new_post("antes")
        self.assertIn("antes", self.cached_titles())
        self.call_without_memory("PATCH", f"/api/posts/{post['id']}", json={"titulo": "depois"})
        self.assertEqual(self.value(f"SELECT titulo FROM posts WHERE id = {post['id']}"), "depois")
        self.assertIn("depois", self.cached_titles())

    def test_a_post_with_a_key(self):
        key, post = {"Idempotency-Key": "sem-memoria"}, {"titulo": "com chave", "conteudo": "c"}
        self.cached_titles()
        self.call_without_memory("POST", "/api/posts", headers=key, json=post)
        self.assertIn("com chave", self.cached_titles())
        again = self.assertStatus(self.post("/api/posts", post, headers=key), 201)
        self.assertEqual(again.header("idempotency-replayed"), "true")

    def test_a_change_of_an_account(self):
        account = self.new_account()
        self.call_without_memory("PATCH", f"/api/usuarios/{account['id']}", json={"nome": "Outra"})
        self.assertEqual(self.value(f"SELECT nome FROM usuarios WHERE id = {account['id']}"), "Outra")

    def test_a_file(self):
        self.call_without_memory("POST", "/api/arquivos?nome=a.txt", body=b"texto\n" * 9,
                                 headers={"Content-Type": "text/plain"})
        self.assertEqual(self.value("SELECT count(*) FROM arquivos WHERE nome = 'a.txt'"), "1")
