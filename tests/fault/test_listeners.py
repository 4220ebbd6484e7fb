"""Listeners of live events while Redis is killed: the stream goes on, and says that something was missed."""
from case import StackCase, eventually
from listener import Listener
import tokens


class ListenersWithoutRedis(StackCase):
    options = {"worker": 0, "replicas": 2, "env": tokens.ENV}

    def test_after_kill_9_the_stream_goes_on_and_says_perdido(self):
        answer = self.post("/api/auth/login", {"email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD})
        token = self.assertStatus(answer, 200).json["token"]
        listeners = [Listener(api.port, token, "?tipos=post") for api in self.stack.apis]
        for listener in listeners:
            self.addCleanup(listener.close)
        self.new_post("antes")
        for listener in listeners:
            self.assertTrue(eventually(lambda l=listener: l.of("post")))
            self.assertEqual(listener.of("perdido"), [])
        self.stack.redis.kill()
        self.new_post("sem Redis")
        self.stack.redis.start()
        for api in self.stack.apis:
            api.wait_serving()
        for listener in listeners:
            self.assertTrue(eventually(lambda l=listener: l.of("perdido"), 15), listener.events)
        self.new_post("depois")
        for listener in listeners:
            self.assertTrue(eventually(lambda l=listener: "depois" in [p["titulo"] for p in l.of("post")], 10))
            self.assertTrue(listener.open)
