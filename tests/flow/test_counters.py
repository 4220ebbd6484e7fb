"""/api/contador and /api/contadores/{nome}: every caller its own number, none skipped."""
import threading

from case import shared_stack
import client

I64 = 2 ** 63
JSON = {"Content-Type": "application/json"}
Shared, setUpModule, tearDownModule = shared_stack(worker=0, replicas=2)


class Visits(Shared):
    def test_it_counts_from_the_key_in_redis(self):
        self.stack.redis.call("SET", "contador_requisicoes", 41)
        answer = self.assertStatus(self.get("/api/contador"), 200)
        self.assertEqual(answer.json, {"contador": 42})
        self.assertEqual(self.stack.redis.call("GET", "contador_requisicoes"), b"42")

    def test_sixteen_clients_over_two_replicas_get_every_number_once(self):
        self.stack.redis.call("SET", "contador_requisicoes", 0)
        numbers, each = [[] for _ in range(16)], 150

        def count(n):
            with client.Connection(self.stack.apis[n % 2].port) as c:
                for _ in range(each):
                    numbers[n].append(c.call("GET", "/api/contador").json["contador"])
        threads = [threading.Thread(target=count, args=(n,)) for n in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sorted(sum(numbers, [])), list(range(1, 16 * each + 1)))
        for own in numbers:
            self.assertEqual(own, sorted(own), "one client's numbers went back")

    def test_pipelined_counts_are_answered_in_order(self):
        self.stack.redis.call("SET", "contador_requisicoes", 0)
        with self.connect() as c:
            c.send(client.head("GET", "/api/contador") * 100)
            self.assertEqual([c.read().json["contador"] for _ in range(100)], list(range(1, 101)))

    def test_the_end_of_64_bits_is_a_conflict(self):
        self.stack.redis.call("SET", "contador_requisicoes", I64 - 2)
        self.assertEqual(self.get("/api/contador").json["contador"], I64 - 1)
        self.assertRefused(self.get("/api/contador"), 409)
        self.stack.redis.call("SET", "contador_requisicoes", 0)

    def test_of_many_at_the_end_of_64_bits_those_that_fit_are_counted(self):
        """A batch takes its numbers at once; where they do not all fit, each asks for itself."""
        self.stack.redis.call("SET", "contador_requisicoes", I64 - 6)
        clients = [self.connect() for _ in range(20)]
        for c in clients:
            c.send(client.head("GET", "/api/contador"))
        answers = [c.read() for c in clients]
        self.assertEqual(sorted(a.json["contador"] for a in answers if a.status == 200), list(range(I64 - 5, I64)))
        self.assertEqual(sum(a.status == 409 for a in answers), 15)
        self.stack.redis.call("SET", "contador_requisicoes", 0)

    def test_a_key_that_is_no_number_is_a_conflict(self):
        for command in (("SET", "contador_requisicoes", "abc"), ("RPUSH", "contador_requisicoes", "a"),
                        ("SET", "contador_requisicoes", ""), ("SET", "contador_requisicoes", "1.5")):
            self.stack.redis.call("DEL", "contador_requisicoes")
            self.stack.redis.call(*command)
            with self.subTest(command):
                self.assertRefused(self.get("/api/contador"), 409)
                self.assertRefused(self.get("/api/stats"), 409)
        self.stack.redis.call("DEL", "contador_requisicoes")

    def test_head_does_not_hide_what_it_counts(self):
        """HEAD runs the same handler; whatever it does to the number, none is given out twice."""
        before = self.get("/api/contador").json["contador"]
        self.call("HEAD", "/api/contador")
        after = self.get("/api/contador").json["contador"]
        self.assertIn(after - before, (1, 2))


class Named(Shared):
    def add(self, name, body=None, **more):
        return self.post(f"/api/contadores/{name}", body, **more)

    def test_a_counter_that_nobody_raised_is_zero(self):
        answer = self.assertStatus(self.get("/api/contadores/novo"), 200)
        self.assertEqual(answer.json, {"nome": "novo", "contador": 0})

    def test_it_adds_one_by_default_and_what_is_asked(self):
        self.assertEqual(self.add("a").json["contador"], 1)
        self.assertEqual(self.add("a", {}).json["contador"], 2)
        self.assertEqual(self.add("a", {"incremento": 40}).json, {"nome": "a", "contador": 42})
        self.assertEqual(self.get("/api/contadores/a").json["contador"], 42)
        self.assertEqual(self.stack.redis.call("GET", "contador:a"), b"42")

    def test_reading_does_not_add(self):
        self.add("leitura")
        for _ in range(3):
            self.assertEqual(self.get("/api/contadores/leitura").json["contador"], 1)

    def test_names_do_not_mix(self):
        self.add("x", {"incremento": 5})
        self.add("y", {"incremento": 7})
        self.assertEqual(self.get("/api/contadores/x").json["contador"], 5)
        self.assertEqual(self.get("/api/contadores/y").json["contador"], 7)

    def test_names_of_1_to_64_good_characters_are_taken(self):
        for name in ("q", "0", "_", "-", "z" * 64, "abc-def_123", "requisicoes"):
            with self.subTest(name):
                self.assertStatus(self.add(name), 200)
                self.assertEqual(self.get(f"/api/contadores/{name}").json["contador"], 1)

    def test_other_names_are_refused(self):
        for name in ("A", "a" * 65, "a.b", "a:b", "%C3%A9", "a%20b", "a%00", "a%0d%0a", "a*", "a+b", "%2e%2e",
                     "a" * 3000, "ação"):
            with self.subTest(name):
                target = "/api/contadores/" + name.encode().decode("latin-1")
                for method in ("GET", "POST"):
                    answer = self.call(method, target)
                    self.assertRefused(answer, (400, 404, 414, 422))

    def test_an_increment_may_be_negative_or_zero(self):
        self.assertEqual(self.add("n", {"incremento": -3}).json["contador"], -3)
        self.assertEqual(self.add("n", {"incremento": 0}).json["contador"], -3)
        zero = self.post("/api/contadores/n", body=b'{"incremento":-0}', headers={"Content-Type": "application/json"})
        self.assertEqual(self.assertStatus(zero, 200).json["contador"], -3)

    def test_an_increment_of_any_other_kind_is_refused_by_name(self):
        for value in (b'"1"', b"1.5", b"1.0", b"1e3", b"true", b"[]", b"{}", b"9223372036854775808",
                      b"-9223372036854775809", b"1" * 400, b"1e400"):
            with self.subTest(value[:40]):
                answer = self.post("/api/contadores/ruim", body=b'{"incremento":' + value + b"}",
                                   headers=JSON)
                self.assertStatus(answer, (400, 422))
                if answer.status == 422:
                    self.assertRefused(answer, 422, field="incremento")
        self.assertEqual(self.get("/api/contadores/ruim").json["contador"], 0)

    def test_a_sum_beyond_64_bits_is_a_conflict_and_changes_nothing(self):
        self.add("cheio", {"incremento": I64 - 1})
        self.assertRefused(self.add("cheio"), 409)
        self.assertEqual(self.get("/api/contadores/cheio").json["contador"], I64 - 1)
        self.add("vazio", {"incremento": -I64})
        self.assertRefused(self.add("vazio", {"incremento": -1}), 409)

    def test_a_key_of_another_type_is_a_conflict(self):
        self.stack.redis.call("RPUSH", "contador:lista", "a")
        self.assertRefused(self.get("/api/contadores/lista"), 409)
        self.assertRefused(self.add("lista"), 409)

    def test_unknown_fields_and_bad_bodies_are_refused(self):
        self.assertRefused(self.add("b", {"incremento": 1, "outro": 2}), (400, 422), field="outro")
        for body in (b"[]", b"1", b"{", b"x", b'{"incremento":1,"incremento":2}', b"\xff"):
            with self.subTest(body):
                self.assertRefused(self.post("/api/contadores/b", body=body, headers=JSON), (400, 422))
        self.assertEqual(self.get("/api/contadores/b").json["contador"], 0)

    def test_sixteen_clients_lose_no_increment(self):
        def add(n):
            with client.Connection(self.stack.apis[n % 2].port) as c:
                for _ in range(50):
                    c.call("POST", "/api/contadores/soma", json={"incremento": n})
        threads = [threading.Thread(target=add, args=(n,)) for n in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(self.get("/api/contadores/soma").json["contador"], 50 * sum(range(16)))
