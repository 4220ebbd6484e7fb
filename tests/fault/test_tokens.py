"""Tokens while Redis is killed and frozen: what was revoked stays so, and what cannot be asked is 503."""
import time

from case import StackCase
import tokens


class TokensWithoutRedis(StackCase):
    options = {"worker": 0, "replicas": 2, "durable": True, "env": {**tokens.ENV, "REQUEST_TIMEOUT_MS": "1500"}}

    def sign_in(self, api=None):
        answer = self.post("/api/auth/login", {"email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD}, api=api)
        return self.assertStatus(answer, 200).json["token"]

    def who(self, token, api):
        return self.get("/api/auth/eu", headers={"Authorization": f"Bearer {token}"}, api=api)

    def wait_serving(self):
        for api in self.stack.apis:
            api.wait_serving()

    def test_a_revocation_outlives_kill_9(self):
        ended, alive = [], []
        for i in range(10):
            api = self.stack.apis[i % 2]
            alive.append(self.sign_in(api))
            ended.append(self.sign_in(api))
            answer = self.call("POST", "/api/auth/logout", headers={"Authorization": f"Bearer {ended[-1]}"}, api=api)
            self.assertStatus(answer, 204)
            if i % 3 == 0 or i == 9:  # at once after the 204
                self.stack.redis.kill()
                self.stack.redis.start()
                self.wait_serving()
        for api in self.stack.apis:
            self.assertEqual({self.who(t, api).status for t in ended}, {401})
            self.assertEqual({self.who(t, api).status for t in alive}, {200})

    def test_what_cannot_be_asked_is_503_and_never_a_guess(self):
        token = self.sign_in()
        row = self.new_post()
        for hit, heal in ((self.stack.redis.kill, self.stack.redis.start),
                          (self.stack.redis.freeze, self.stack.redis.thaw)):
            hit()
            try:
                for api in self.stack.apis:
                    self.refused_everywhere(token, row, api)
            finally:
                heal()
                self.wait_serving()
            for api in self.stack.apis:
                self.assertStatus(self.who(token, api), 200)
            self.assertEqual(self.get(f"/api/posts/{row['id']}").json, row)

    def refused_everywhere(self, token, row, api):
        head = {"Authorization": f"Bearer {token}"}
        calls = [("GET", "/api/auth/eu", None), ("POST", "/api/auth/renovar", None), ("GET", "/api/usuarios", None),
                 ("POST", "/api/auth/logout", None), ("DELETE", f"/api/posts/{row['id']}", None),
                 ("PATCH", f"/api/posts/{row['id']}", {"titulo": "x"}),
                 ("POST", "/api/auth/login", {"email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD})]
        for method, path, body in calls:
            begun = time.monotonic()
            answer = self.call(method, path, headers=head, json=body, api=api)
            self.assertRetryLater(answer)
            self.assertNotIn("senha", answer.text.lower())
            self.assertLess(time.monotonic() - begun, 2.5)
        forged = self.call("GET", "/api/auth/eu", headers={"Authorization": "Bearer " + tokens.make(key="x")}, api=api)
        self.assertStatus(forged, 401)  # for that nobody has to be asked
        self.assertStatus(self.get(f"/api/posts/{row['id']}", api=api), 200)  # what is open stays open

    def test_without_postgresql_tokens_are_still_checked(self):
        token = self.sign_in()
        self.stack.pg.kill()
        try:
            for api in self.stack.apis:
                self.assertRetryLater(self.who(token, api))
                self.assertStatus(self.get("/api/usuarios", headers={"Authorization": "Bearer x.y.z"}, api=api), 401)
                answer = self.post("/api/auth/login", {"email": tokens.ADMIN_EMAIL, "senha": "x"}, api=api)
                self.assertRetryLater(answer)
        finally:
            self.stack.pg.start()
            self.wait_serving()
        self.assertStatus(self.who(token, self.api), 200)
