"""GET /api/ao-vivo: what listeners are told, from any replica, and what becomes of those who miss something."""
import json
import re
import time

from case import eventually, shared_stack
import client
import deliveries
from listener import Listener
import tokens

Shared, setUpModule, tearDownModule = shared_stack(replicas=2, worker=1, env={**tokens.ENV, "META_APP_SECRET": deliveries.SECRET})


class Live(Shared):
    def setUp(self):
        self.token = self.sign_in()

    def sign_in(self):
        answer = self.post("/api/auth/login", {"email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD})
        return self.assertStatus(answer, 200).json["token"]

    def listen(self, api=None, token=None, **more):
        listener = Listener((api or self.api).port, token or self.token, **more)
        self.addCleanup(listener.close)
        return listener

    def test_a_new_post_is_told_on_every_replica(self):
        listeners = [self.listen(api) for api in self.stack.apis]
        self.assertIn(b"text/event-stream", listeners[0].head)
        row = self.new_post("Olá", autor="Ana")
        told = {"acao": "criado", **{k: row[k] for k in ("id", "titulo", "autor", "data_criacao")}}
        for listener in listeners:
            self.assertEqual(eventually(lambda l=listener: l.of("post")), [told])

    def test_a_changed_and_a_removed_post_are_told_on_every_replica(self):
        row, bearer = self.new_post("Antes", autor="Ana"), {"Authorization": f"Bearer {self.token}"}
        listeners = [self.listen(api, query="?tipos=post") for api in self.stack.apis]
        target = f"/api/posts/{row['id']}"
        self.assertStatus(self.call("PATCH", target, json={"titulo": "Depois"}, headers=bearer), 200)
        for listener in listeners:  # among replicas there is no order within a tenth of a second
            self.assertTrue(eventually(lambda l=listener: l.of("post")))
        self.assertStatus(self.call("DELETE", target, headers=bearer, api=self.stack.apis[1]), 204)
        self.assertStatus(self.call("DELETE", target, headers=bearer), 404)
        changed = {"acao": "mudado", "id": row["id"], "titulo": "Depois", "autor": "Ana",
                   "data_criacao": row["data_criacao"]}
        for listener in listeners:
            told = eventually(lambda l=listener: len(l.of("post")) >= 2 and l.of("post"))
            self.assertEqual(told, [changed, {"acao": "removido", "id": row["id"]}])

    def send(self, body):
        return self.assertStatus(self.call("POST", "/webhook", headers=deliveries.signed(body), body=body), 200)

    def test_a_stored_lead_is_told_without_personal_data(self):
        listeners = [self.listen(api) for api in self.stack.apis]
        self.send(deliveries.lead("99001", email="ana@example.org"))
        lead = {"leadgen_id": "99001", "formulario_id": "564738291", "pagina_id": "1029384756", "teste": False}
        for listener in listeners:
            self.assertTrue(eventually(lambda l=listener: l.of("lead") and l.of("entrega")))
            self.assertEqual(listener.of("lead"), [{"quantos": 1, "leads": [lead]}])
            self.assertEqual(listener.of("entrega"), [{"processadas": 1, "mortas": 0, "adiadas": 0, "ids": []}])
            self.assertNotIn(b"ana@example.org", listener.raw)

    def test_of_many_leads_fifty_are_named(self):
        listener = self.listen(query="?tipos=lead,entrega")
        changes = [deliveries.lead_change(str(770000 + i)) for i in range(60)]
        self.send(json.dumps(deliveries.page_delivery(*changes)).encode())
        told = eventually(lambda: listener.of("lead"))
        self.assertEqual([(t["quantos"], len(t["leads"])) for t in told], [(60, 50)])
        self.assertEqual(listener.of("entrega")[0]["processadas"], 1)

    def test_a_dead_delivery_and_its_replay_are_told(self):
        listener = self.listen(query="?tipos=entrega,lead")
        self.send(b"isto nao e JSON")
        self.assertTrue(eventually(lambda: sum(e["mortas"] for e in listener.of("entrega")) == 1))
        number = int(self.stack.pg.value("SELECT max(id) FROM entregas WHERE estado = 'morta'"))
        self.assertStatus(self.call("POST", f"/api/entregas/{number}/reenviar",
                                    headers={"Authorization": f"Bearer {self.token}"}), 202)
        self.assertTrue(eventually(lambda: [number] in [e["ids"] for e in listener.of("entrega")]), listener.events)
        self.assertEqual(listener.of("lead"), [])

    def test_samples_of_all_replicas_are_joined_kept_and_told(self):
        listeners = [self.listen(api, query="?tipos=amostra") for api in self.stack.apis]
        self.assertTrue(eventually(lambda: any(s["instancias"] == 2 for s in listeners[0].of("amostra")), 30),
                        listeners[0].events)
        told = listeners[0].of("amostra")[-1]
        self.assertEqual(set(told), {"em", "instancias", "requisicoes_s", "erros_s", "p50_ms", "p99_ms", "fila",
                                     "workers"})
        self.assertGreater(told["requisicoes_s"], 0)
        self.assertLessEqual(0, told["erros_s"])
        self.assertLessEqual(told["p50_ms"], told["p99_ms"])
        self.assertEqual(told["fila"], {"comprimento": 0, "mais_antiga_s": None, "em_maos": 0})
        self.assertEqual(told["workers"], 1)
        self.assertTrue(eventually(lambda: told in listeners[1].of("amostra")))
        answer = self.get("/api/amostras", api=self.stack.apis[1], headers={"Authorization": f"Bearer {self.token}"})
        kept = self.assertStatus(answer, 200).json
        self.assertEqual(kept["intervalo_s"], 5)
        self.assertIn(told, kept["amostras"])
        self.assertEqual([s["em"] for s in kept["amostras"]], sorted(s["em"] for s in kept["amostras"]))
        self.assertIn("no-store", answer.header("cache-control"))
        self.assertStatus(self.get("/api/amostras"), 401)

    def test_counters_come_by_themselves(self):
        listener = self.listen()
        self.get("/api/contador")
        total = self.get("/api/stats").json
        self.assertTrue(eventually(lambda: total in listener.of("contadores")), listener.events)

    def test_kinds_are_chosen(self):
        listener = self.listen(query="?tipos=lead,entrega")
        self.new_post()
        other = self.listen(query="?tipos=post")
        self.new_post("depois")
        self.assertTrue(eventually(lambda: other.of("post")))
        self.assertEqual([p["titulo"] for p in other.of("post")], ["depois"])
        self.assertEqual(listener.read(), [])
        self.assertRefused(self.get("/api/ao-vivo?tipos=x", headers={"Authorization": f"Bearer {self.token}"}),
                           400, "tipos")

    def test_who_comes_back_is_told_what_it_missed(self):
        listener = self.listen(query="?tipos=post")
        first = self.new_post("um")
        self.assertTrue(eventually(lambda: listener.of("post") and listener.last))
        listener.close()
        rows = []
        for i in range(3):
            rows.append(self.new_post(f"perdido {i}", api=self.stack.apis[i % 2])["id"])
        back = self.listen(self.stack.apis[1], query="?tipos=post", last=listener.last)
        self.assertTrue(eventually(lambda: len(back.of("post")) == 3), back.events)
        self.assertEqual(sorted(p["id"] for p in back.of("post")), rows)
        self.assertNotIn(first["id"], [p["id"] for p in back.of("post")])
        self.assertEqual(back.of("perdido"), [])

    def test_a_crowd_that_comes_back_shares_one_reading(self):
        """Planted once: read for each of them, Redis is asked two hundred times for the same."""
        listener = self.listen(query="?tipos=post")
        self.new_post("antes da multidão")
        self.assertTrue(eventually(lambda: listener.of("post") and listener.last))
        listener.close()
        other = self.listen(query="?tipos=post")
        for i in range(3):
            self.new_post(f"para a multidão {i}")
        self.assertTrue(eventually(lambda: len(other.of("post")) == 3))
        asked = self.ranges()
        crowd = [self.connect() for _ in range(200)]
        for c in crowd:
            c.send(client.head("GET", "/api/ao-vivo?tipos=post", {"Authorization": f"Bearer {self.token}",
                                                                 "Last-Event-ID": listener.last}))
        for c in crowd:
            answer = c.read(endless=("text/event-stream",))
            self.assertStatus(answer, 200)
            for i in range(3):
                self.assertIn(f"para a multidão {i}", answer.text)
        self.assertLessEqual(self.ranges() - asked, 20)

    def ranges(self):
        text = self.stack.redis.call("INFO", "commandstats").decode()
        found = re.search(r"cmdstat_xrange:calls=(\d+)", text)
        return int(found.group(1)) if found else 0

    def test_an_id_that_nobody_knows_is_answered_with_perdido(self):
        for last in ("99999999999999-0", "nonsense"):
            self.assertEqual(eventually(self.listen(last=last).read)[0], ("perdido", {}))

    def test_without_a_token_it_is_401(self):
        self.assertStatus(self.get("/api/ao-vivo"), 401)
        self.assertEqual(self.listen(token="a.b.c").status, 401)

    def test_a_revoked_token_ends_the_stream(self):
        token = self.sign_in()
        listener, other = self.listen(token=token), self.listen()
        answer = self.call("POST", "/api/auth/logout", headers={"Authorization": f"Bearer {token}"},
                           api=self.stack.apis[1])
        self.assertStatus(answer, 204)
        self.assertTrue(eventually(lambda: (listener.pump(), listener.raw.endswith(b"0\r\n\r\n"))[1], 20))
        other.pump()
        self.assertTrue(other.open)

    def test_an_expired_token_ends_the_stream(self):
        """Planted once: without the look at the clock it goes on for ever."""
        now = int(time.time())
        late, other = self.listen(token=tokens.make(iat=now - 800, exp=now - 52)), self.listen()
        self.new_post("ainda vale")  # for 60 s more, as for every request
        self.assertTrue(eventually(lambda: late.of("post")), late.raw)
        self.assertTrue(eventually(lambda: (late.pump(), late.raw.endswith(b"0\r\n\r\n"))[1], 20), "it goes on")
        self.assertGreaterEqual(time.time(), now + 8, "it ended while the token counted")
        other.pump()
        self.assertTrue(other.open)

    def test_perdido_without_room_is_told_later(self):
        """A loop keeps 512 messages for a flush. One entry of more has them lost, and the following ones leave no
        room to say so, until they stop. That the word is kept while there is none: tests/unit/test_live_pending.c."""
        listener = self.listen(query="?tipos=post,contadores")
        self.assertTrue(eventually(lambda: listener.of("contadores")))
        self.publish(600)
        until, seen = time.monotonic() + 2.5, 0
        while time.monotonic() < until:  # each flush is followed by what fills the next one
            flushed = len(listener.raw)
            if flushed > seen:
                seen = flushed
                self.publish(509)
            listener.pump(0.01)
        self.assertTrue(eventually(lambda: listener.of("perdido"), 10))
        self.assertTrue(listener.open)

    def publish(self, messages):
        self.stack.redis.call("XADD", "ao_vivo", "MAXLEN", "~", "10000", "*", "post", "{}\n" * messages)

    def test_a_listener_without_chunks_is_served(self):
        listener = self.listen(version="1.0")
        self.assertNotIn(b"chunked", listener.head)
        self.new_post("sem pedaços")
        self.assertTrue(eventually(lambda: b"sem peda" in (listener.pump(), listener.raw)[1]))

    def test_a_thousand_listeners_are_told(self):
        sockets = [self.listen(query="?tipos=post") for _ in range(1000)]
        self.new_post("a todos")
        for listener in sockets:
            self.assertTrue(eventually(lambda l=listener: b"a todos" in (l.pump(), l.raw)[1]))
        if not self.api.sanitized():
            self.assertLess(self.api.rss_kb(), 20 << 10)  # all of it, not only what they cost

    def test_a_listener_that_does_not_read_is_cut_and_no_other(self):
        slow = self.listen(query="?tipos=post", room=4096)
        reader = self.listen(query="?tipos=post")
        deadline = time.monotonic() + 40
        while len(reader.raw) < 250_000 and time.monotonic() < deadline:  # more than any buffer of the other holds
            for _ in range(20):
                self.new_post("t" * 200, autor="a" * 100)
            reader.pump()
        while slow.pump(2):
            pass
        self.assertFalse(slow.open, "it should have been cut")
        self.assertLess(len(slow.raw), 1 << 20)
        self.assertFalse(slow.raw.endswith(b"0\r\n\r\n"))
        heard = lambda: (self.new_post("depois dele"), reader.pump(0.5), b"depois dele" in reader.raw)[2]
        self.assertTrue(eventually(heard, 10, 0.3))  # the first may fall into a second that is full
        self.assertTrue(reader.open)


class Stopping(Shared):
    def test_listeners_end_at_sigterm(self):
        token = self.post("/api/auth/login", {"email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD}).json["token"]
        api = self.stack.apis[1]
        listener = Listener(api.port, token)
        self.addCleanup(listener.close)
        begun = time.monotonic()
        api.process.terminate()
        self.assertTrue(eventually(lambda: (listener.pump(), listener.raw.endswith(b"0\r\n\r\n"))[1], 5))
        self.assertLess(time.monotonic() - begun, 5)
        self.assertEqual(api.process.wait(20), 0)
