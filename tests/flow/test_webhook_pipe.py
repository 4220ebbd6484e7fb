"""A delivery's way through the stream and the worker into PostgreSQL; and straight there while Redis is away."""
import json
import threading
import time

from case import eventually
import client
import deliveries
from deliveries import lead, message, signed
from webhookcase import ENV, MIB, WebhookCase



class Pipe(WebhookCase):
    """Through the stream and the worker into the three tables."""

    options = {"env": ENV, "replicas": 2}

    def test_a_lead_becomes_a_delivery_an_event_and_a_lead(self):
        body = lead("1234567890123456")
        self.accepted(body, headers=signed(body, X_Request_Id="pedido-1"))
        (state, via, _), = self.wait_archived(body)
        self.assertEqual((state, via), ("processada", "fila"))
        row = self.stack.pg.query(
            "SELECT l.pagina_id, l.formulario_id, l.anuncio_id, l.conjunto_id, l.estado, e.objeto, e.campo,"
            " d.request_id, l.criado_em = to_timestamp(1749416383)"
            " FROM leads l JOIN eventos e ON e.entrega_id = l.entrega_id JOIN entregas d ON d.id = e.entrega_id"
            " WHERE l.leadgen_id = '1234567890123456'")
        self.assertEqual(row, [("1029384756", "564738291", "120209", "120208", "pendente", "page",
                                "leadgen", "pedido-1", "t")])

    def test_the_stream_is_empty_afterwards(self):
        body = lead("31")
        self.accepted(body)
        self.wait_archived(body)
        self.assertTrue(eventually(lambda: self.stack.redis.call("XLEN", "fila:webhooks") == 0))
        pending = eventually(lambda: self.stack.redis.call("XPENDING", "fila:webhooks", "workers")[0] == 0)
        self.assertTrue(pending)

    def test_bytes_are_archived_untouched(self):
        bodies = [b'{"object": "page",\r\n\t"entry":[]}', b'{"a":1,"a":2,"b":1e131072}',
                  b'{"u":"\\u0000 \\ud800"}', bytes(range(256)), b"\0", b"\xff\xfe", "{\"é\":\"😀\"}".encode(),
                  b"[" * 5000, b'{"n":12345678901234567890123}', b" "]
        for body in bodies:
            with self.subTest(body[:40]):
                self.accepted(body)
        for body in bodies:
            with self.subTest(body[:40]):
                self.assertTrue(eventually(lambda: self.archived(body), 10), "not archived")

    def test_what_is_no_json_is_accepted_and_becomes_a_dead_letter(self):
        bodies = [b"nao sou json", b"{", b"[1,2", b'{"a":}', bytes(range(128, 256)), b"<xml/>",
                  b'{"object":"page","entry":' + b"[" * 100000]
        for body in bodies:
            self.accepted(body)
        for body in bodies:
            with self.subTest(body[:40]):
                (_, _, reason), = self.wait_archived(body, "morta")
                self.assertTrue(reason, "a dead letter says why")

    def test_an_empty_delivery_is_accepted_and_becomes_a_dead_letter(self):
        before = len(self.archived(b""))
        self.accepted(b"")
        self.wait_archived(b"", "morta", before + 1)

    def test_an_unknown_form_is_accepted_and_becomes_a_dead_letter(self):
        bodies = [b"{}", b"[]", b"null", b'"texto"', b'{"entry":[]}', b'{"object":5,"entry":[]}',
                  b'{"object":"page","entry":{}}', b'{"object":"page"}']
        for body in bodies:
            self.accepted(body)
        for body in bodies:
            with self.subTest(body):
                self.wait_archived(body, "morta")

    def test_other_forms_are_archived_as_events(self):
        body = message("wamid.PIPE1")
        self.accepted(body)
        self.wait_archived(body)
        rows = self.stack.pg.query("SELECT objeto, campo, entidade, conteudo IS NOT NULL FROM eventos"
                                   " WHERE conteudo::text LIKE '%wamid.PIPE1%'")
        self.assertEqual(rows, [("whatsapp_business_account", "messages", "102290129340398", "t")])

    def test_a_delivery_that_comes_again_adds_nothing(self):
        body = lead("32")
        self.accepted(body)
        self.wait_archived(body)
        before = (self.count("eventos"), self.count("leads"))
        for api in (*self.stack.apis, self.api):
            self.accepted(body, api=api)
        self.wait_archived(body, count=4)
        self.assertEqual((self.count("eventos"), self.count("leads")), before)
        self.assertEqual(self.count("leads", "leadgen_id = '32'"), 1)

    def assertAddsNothing(self, first, second):
        """The second delivery, of other bytes, is archived and tells of nothing new."""
        self.assertNotEqual(first, second)
        self.accepted(first)
        self.wait_archived(first)
        before = self.count("eventos")
        self.accepted(second)
        self.wait_archived(second)
        self.assertEqual(self.count("eventos"), before)

    def test_the_same_lead_in_other_bytes_adds_nothing(self):
        self.assertAddsNothing(lead("33"), json.dumps(json.loads(lead("33"))).encode())
        self.assertEqual(self.count("leads", "leadgen_id = '33'"), 1)

    def test_the_same_message_in_other_bytes_adds_nothing(self):
        first = message("wamid.PIPE2")
        self.assertAddsNothing(first, first.replace(b'"object"', b' "object"'))

    def test_ids_beyond_2_to_53_keep_every_digit(self):
        """As text and as a number: Meta sends both."""
        as_text, as_number = "98765432109876543", 98765432109876541
        for value in (as_text, as_number):
            body = lead(value)
            self.accepted(body)
            self.wait_archived(body)
        for want in ("98765432109876543", "98765432109876541"):
            self.assertEqual(self.count("leads", f"leadgen_id = '{want}'"), 1, want)

    def test_many_leads_in_one_delivery_are_all_taken(self):
        changes = [deliveries.lead_change(str(7000 + n)) for n in range(200)]
        body = json.dumps({"object": "page", "entry": [
            {"id": "1", "time": 1749416383, "changes": changes[:150]},
            {"id": "2", "time": 1749416383, "changes": changes[150:]}]}).encode()
        self.accepted(body)
        self.wait_archived(body)
        self.assertEqual(self.count("leads", "leadgen_id ~ '^7[0-9]{3}$'"), 200)

    def test_a_delivery_that_repeats_a_lead_within_itself_adds_one(self):
        changes = [deliveries.lead_change("8001")] * 3
        body = json.dumps(deliveries.page_delivery(*changes)).encode()
        self.accepted(body)
        self.wait_archived(body)
        self.assertEqual(self.count("leads", "leadgen_id = '8001'"), 1)

    def test_good_and_bad_deliveries_in_one_batch_do_not_hurt_each_other(self):
        """What jsonb cannot hold (U+0000, lone surrogates, huge numbers) among good ones."""
        bad = [json.dumps(deliveries.page_delivery(deliveries.lead_change("9" + str(n), nota="x"))).encode()
               .replace(b'"x"', poison)
               for n, poison in enumerate((rb'"\u0000"', rb'"\ud800"', b"1e131072", b"[" * 60 + b"]" * 60,
                                           b'{"a":1,"a":2}', b'"' + b"\xff" + b'"'))]
        good = [lead(f"600{n}") for n in range(20)]
        mixed = [body for pair in zip(good, bad + good[len(bad):]) for body in pair]
        with self.connect() as c:  # one after the other on one connection, unread: one or two batches
            c.send(b"".join(client.request_bytes("POST", "/webhook", signed(b), b) for b in mixed))
            for _ in mixed:
                self.assertStatus(c.read("POST"), 200)
        for body in good[:len(bad)]:
            self.wait_archived(body)
        for body in bad:
            rows = eventually(lambda: (r := self.archived(body)) and r[0][0] != "pendente" and r, 10)
            self.assertTrue(rows, f"{body[-80:]} is neither processed nor dead: {self.archived(body)}")

    def test_odd_forms_of_a_lead_are_no_trouble(self):
        """None may stop the worker or be lost: processed or dead, with the bytes kept."""
        values = [{}, {"leadgen_id": None}, {"leadgen_id": ""}, {"leadgen_id": []}, {"leadgen_id": 1.5},
                  {"leadgen_id": True}, {"leadgen_id": "x" * 100000}, {"leadgen_id": "a\u0000b"}, "texto", None, [],
                  {"leadgen_id": "41", "created_time": "ontem"}, {"leadgen_id": "42", "created_time": 1e300},
                  {"leadgen_id": "43", "created_time": -10 ** 18}, {"leadgen_id": "44", "page_id": {"a": 1}},
                  {"leadgen_id": "45", "form_id": "x" * 5000}, {"leadgen_id": "46", "created_time": 10 ** 15}]
        bodies = [json.dumps(deliveries.page_delivery({"field": "leadgen", "value": v})).encode() for v in values]
        bodies += [json.dumps({"object": "page", "entry": entry}).encode() for entry in
                   ([], [None], [1], [{}], [{"id": 1}], [{"changes": {}}], [{"changes": [None, 1, []]}],
                    [{"id": "1", "changes": [{"field": 5, "value": {}}]}], [{"id": "1", "time": "x", "changes": []}],
                    [{"messaging": [{}]}], [{"changes": [{"field": "leadgen"}]}])]
        for body in bodies:
            self.accepted(body)
        for body in bodies:
            with self.subTest(body[:150]):
                rows = eventually(lambda: (r := self.archived(body)) and r[0][0] != "pendente" and r, 10)
                self.assertTrue(rows, self.archived(body))
        after = lead("47")
        self.accepted(after)
        self.wait_archived(after)

    def test_a_lead_of_metas_test_tool_is_marked(self):
        """Its ids are all 444444444444, and there is nothing to look up."""
        body = lead("444444444444", ad_id="444444444444", form_id="444444444444", page_id="444444444444",
                    adgroup_id="444444444444")
        self.accepted(body)
        self.wait_archived(body)
        self.assertEqual(self.count("leads", "leadgen_id = '444444444444' AND estado = 'teste'"), 1)

    def test_a_message_by_another_producer_with_few_fields_is_taken(self):
        """`fila:webhooks` is a public name: an entry with corpo alone must do, one without it is dead."""
        body = lead("48")
        self.stack.redis.call("XADD", "fila:webhooks", "*", "corpo", body)
        self.wait_archived(body)
        self.stack.redis.call("XADD", "fila:webhooks", "*", "outra", "coisa")
        self.assertTrue(eventually(lambda: self.stack.redis.call("XLEN", "fila:webhooks") == 0, 10))
        after = lead("49")
        self.accepted(after)
        self.wait_archived(after)

    def test_three_mib_go_all_the_way(self):
        body = b'{"object":"page","entry":[],"x":"' + b"a" * (3 * MIB - 35) + b'"}'
        self.accepted(body)
        self.assertTrue(eventually(lambda: self.archived(body), 10))

    def test_a_thousand_deliveries_by_eight_clients_all_arrive_once(self):
        bodies = [lead(str(500000 + n)) for n in range(1000)]
        statuses = []

        def send(part, api):
            with client.Connection(api.port) as c:
                for body in part:
                    statuses.append(c.call("POST", "/webhook", signed(body), body).status)
        threads = [threading.Thread(target=send, args=(bodies[n::8], self.stack.apis[n % 2]))
                   for n in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(set(statuses), {200})
        found = eventually(lambda: self.count("leads", "leadgen_id ~ '^50[0-9]{4}$'") == 1000, 20)
        self.assertTrue(found, self.count("leads", "leadgen_id ~ '^50[0-9]{4}$'"))
        self.assertEqual(self.count("entregas", "corpo LIKE '%\"50____\"%'::bytea"), 1000)


class WithoutRedis(WebhookCase):
    options = {"env": ENV}

    def tearDown(self):
        for server in (self.stack.pg, self.stack.redis):
            if not server.running():
                server.start()
        self.api.wait_serving()
        super().tearDown()

    def test_deliveries_go_straight_to_entregas_and_the_worker_does_them(self):
        self.stack.redis.kill()
        bodies = [lead(f"71{n}") for n in range(20)]
        for body in bodies:
            self.accepted(body)
            self.assertEqual(len(self.archived(body)), 1, "200 before it was durable")
        for body in bodies:
            (_, via, _), = self.wait_archived(body)
            self.assertEqual(via, "direta")
        self.assertEqual(self.count("leads", "leadgen_id LIKE '71%'"), 20)

    def test_a_frozen_redis_is_like_one_that_is_away(self):
        self.stack.redis.freeze()
        try:
            body = lead("72")
            begun = time.monotonic()
            answer = self.deliver(body)
            self.assertLess(time.monotonic() - begun, 6)
            self.assertStatus(answer, (200, 503))
            if answer.status == 200:
                self.assertEqual(len(self.archived(body)), 1)
            self.assertTrue(eventually(lambda: self.deliver(lead("73")).status == 200, 5))
        finally:
            self.stack.redis.thaw()
        self.assertTrue(eventually(lambda: self.count("leads", "leadgen_id = '73'") == 1, 10))
        self.assertEqual(self.count("leads", "leadgen_id = '72'"), 1 if answer.status == 200 else
                         self.count("leads", "leadgen_id = '72'"))

    def test_a_redis_that_is_full_is_like_one_that_is_away(self):
        self.stack.redis.call("CONFIG", "SET", "maxmemory", "1")
        try:
            body = lead("74")
            self.accepted(body)
            self.assertEqual([r[1] for r in self.archived(body)], ["direta"])
        finally:
            self.stack.redis.call("CONFIG", "SET", "maxmemory", "0")
        self.wait_archived(body)

    def test_a_key_of_another_type_in_the_streams_place_is_no_trouble(self):
        self.stack.redis.call("DEL", "fila:webhooks")
        self.stack.redis.call("SET", "fila:webhooks", "x")
        try:
            body = lead("75")
            self.accepted(body)
            self.assertEqual([r[1] for r in self.archived(body)], ["direta"])
        finally:
            self.stack.redis.call("DEL", "fila:webhooks")
        self.wait_archived(body)
        after = lead("76")
        self.accepted(after)
        self.wait_archived(after)

    def test_with_both_away_it_is_503_with_retry_after_and_nothing_is_lost(self):
        self.stack.redis.kill()
        self.stack.pg.kill()
        body = lead("77")
        begun = time.monotonic()
        self.assertRetryLater(self.deliver(body))
        self.assertLess(time.monotonic() - begun, 6)
        self.stack.pg.start()
        self.stack.redis.start()
        self.assertTrue(eventually(lambda: self.deliver(body).status == 200, 5))
        self.assertTrue(eventually(lambda: self.count("leads", "leadgen_id = '77'") == 1, 10))

    def test_flushing_redis_does_not_stop_the_worker(self):
        """The group is gone with the stream: the worker makes it anew."""
        self.stack.redis.call("FLUSHALL")
        body = lead("78")
        self.accepted(body)
        self.wait_archived(body)
