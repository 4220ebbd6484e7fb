"""Idempotency-Key on POST /api/posts: one row however often and wherever it is sent."""
import threading

from case import StackCase
import client

POST = {"titulo": "uma vez só", "conteudo": "corpo", "autor": "Zé"}


class IdempotencyKey(StackCase):
    options = {"worker": 0, "replicas": 2}

    def send(self, key, body=None, api=None, raw=None):
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        return self.post("/api/posts", body or (None if raw else POST), body=raw, headers=headers, api=api)

    def count(self):
        return int(self.stack.pg.value("SELECT count(*) FROM posts"))

    def test_the_second_answer_is_the_first_again(self):
        first = self.assertStatus(self.send("chave-1"), 201)
        before = self.count()
        for api in self.stack.apis:
            again = self.assertStatus(self.send("chave-1", api=api), 201)
            self.assertEqual(again.json, first.json)
            self.assertEqual(again.header("location"), first.header("location"))
        self.assertEqual(self.count(), before)

    def test_the_same_meaning_in_other_bytes_is_the_same_request(self):
        first = self.assertStatus(self.send("chave-2"), 201)
        raw = '{ "autor" : "Z\\u00e9", "conteudo":"corpo",\n"titulo":"uma vez só" }'.encode()
        again = self.assertStatus(self.send("chave-2", raw=raw), 201)
        self.assertEqual(again.json, first.json)

    def test_another_body_under_the_same_key_is_422(self):
        self.assertStatus(self.send("chave-3"), 201)
        before = self.count()
        for change in ({"titulo": "outro"}, {"conteudo": "outro"}, {"autor": "outro"}):
            for api in self.stack.apis:
                self.assertRefused(self.send("chave-3", {**POST, **change}, api=api), 422)
        self.assertEqual(self.count(), before)

    def test_the_border_between_fields_is_part_of_the_meaning(self):
        self.assertStatus(self.send("chave-4", {"titulo": "ab", "conteudo": "c"}), 201)
        self.assertRefused(self.send("chave-4", {"titulo": "a", "conteudo": "bc"}), 422)

    def test_other_keys_are_other_posts(self):
        rows = {self.assertStatus(self.send(f"outra-{i}"), 201).json["id"] for i in range(5)}
        self.assertEqual(len(rows), 5)

    def test_many_at_once_make_one_row(self):
        for round_number in range(15):
            key, before, answers = f"juntos-{round_number}", self.count(), []
            gate = threading.Barrier(8)

            def send(n):
                with client.Connection(self.stack.apis[n % 2].port) as c:
                    gate.wait()
                    answers.append(c.call("POST", "/api/posts", {"Idempotency-Key": key}, json=POST))
            threads = [threading.Thread(target=send, args=(n,)) for n in range(8)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            self.assertEqual({a.status for a in answers}, {201}, answers)
            self.assertEqual(len({a.json["id"] for a in answers}), 1)
            self.assertEqual(self.count() - before, 1)

    def test_two_bodies_at_once_under_one_key_make_one_row(self):
        for round_number in range(10):
            key, before, answers = f"briga-{round_number}", self.count(), []
            gate = threading.Barrier(2)

            def send(n):
                with client.Connection(self.stack.apis[n].port) as c:
                    gate.wait()
                    answers.append(c.call("POST", "/api/posts", {"Idempotency-Key": key},
                                          json={**POST, "titulo": f"corpo {n}"}))
            threads = [threading.Thread(target=send, args=(n,)) for n in range(2)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            self.assertEqual(sorted(a.status for a in answers), [201, 422], answers)
            self.assertEqual(self.count() - before, 1)

    def test_it_is_honoured_after_a_restart(self):
        first = self.assertStatus(self.send("chave-5"), 201)
        api = self.stack.apis[1]
        api.restart()
        api.wait_serving()
        self.assertEqual(self.assertStatus(self.send("chave-5", api=api), 201).json, first.json)

    def test_a_refused_body_does_not_use_the_key_up(self):
        self.assertRefused(self.send("chave-6", {"titulo": "só"}), (400, 422))
        self.assertStatus(self.send("chave-6"), 201)

    def test_odd_keys_are_taken_or_refused_and_no_trouble(self):
        for key in ("", " ", "a" * 255, "a" * 256, "a" * 3000, '"entre aspas"', "\xe9\xff", "'; --", "a,b", "\t"):
            with self.subTest(key):
                answer = self.assertStatus(self.send(key), (201, 400, 422, 431))
                if answer.status != 201:
                    self.look_at_problem(answer)

    def test_a_used_key_counts_in_a_mixed_batch(self):
        """Keyed and plain posts arrive together: none takes another's answer."""
        answers = {}

        def send(n):
            headers = {"Idempotency-Key": f"mista-{n // 2}"} if n % 4 < 2 else {}
            body = {"titulo": f"mista {n // 2 if headers else n}", "conteudo": "x"}
            with client.Connection(self.api.port) as c:
                answers[n] = (body, c.call("POST", "/api/posts", headers, json=body))
        threads = [threading.Thread(target=send, args=(n,)) for n in range(40)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for n, (body, answer) in answers.items():
            self.assertEqual(answer.status, 201, answer)
            self.assertEqual(answer.json["titulo"], body["titulo"])
            if n % 4 == 1:
                self.assertEqual(answer.json["id"], answers[n - 1][1].json["id"])
