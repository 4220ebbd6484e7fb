"""All of Meta's forms through HTTP and the worker into rows: their keys, and the newest state in each."""
import collections
import glob
import itertools
import json
import os
import random
import threading

from case import StackCase, eventually
import client
from deliveries import SECRET, lead_change, signed

FIXTURES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fixtures", "webhook")
WABA = "102290129340398"
NONE = "-"


def fixture(name):
    with open(os.path.join(FIXTURES, name + ".json"), "rb") as f:
        return f.read()


def expected():
    """File → rows of key, campo, estado, ordem, contato."""
    rows = collections.defaultdict(list)
    with open(os.path.join(FIXTURES, "esperado.tsv"), encoding="utf-8") as f:
        for line in f:
            if not line.startswith("#"):
                name, *columns = line.rstrip("\n").split("\t")
                rows[name].append(tuple(columns))
    return rows


def delivery(obj, *changes, entry="1", time=1):
    return json.dumps({"object": obj, "entry": [{"id": entry, "time": time, "changes": list(changes)}]}).encode()


def whatsapp(**value):
    return {"field": "messages", "value": {"metadata": {"phone_number_id": "1065"}, **value}}


def status(wamid, word, at, **more):
    return {"id": wamid, "status": word, "timestamp": str(at), "recipient_id": "16505551234", **more}


def comment(comment_id, at, message, verb="edited"):
    return {"field": "feed", "value": {"item": "comment", "verb": verb, "comment_id": comment_id, "post_id": "1_2",
                                       "from": {"id": "6001"}, "created_time": at, "message": message}}


class FormsCase(StackCase):
    options = {"env": {"META_APP_SECRET": SECRET}}

    def send(self, *bodies):
        """Delivers one after the other, each once the one before is done."""
        for body in bodies:
            self.accept(body)
            self.drained()

    def accept(self, body):
        self.assertStatus(self.post("/webhook", body=body, headers=signed(body)), 200)

    def drained(self, seconds=20):
        redis = self.stack.redis
        done = eventually(lambda: redis.call("XLEN", "fila:webhooks") == 0, seconds)
        self.assertTrue(done, f"{redis.call('XLEN', 'fila:webhooks')} wait\n{self.stack.worker.log_tail()}")
        self.assertEqual(self.query("SELECT motivo FROM entregas WHERE estado = 'morta'"), [])

    def query(self, sql):
        return self.stack.pg.query(sql)

    def value(self, sql):
        return self.stack.pg.value(sql)

    def event(self, key, columns="conteudo->'value'->>'message'"):
        return self.query(f"SELECT {columns} FROM eventos WHERE chave = '{key}'")


class Fixtures(FormsCase):
    def arrived(self, name):
        """The rows that it brought, in order."""
        first = int(self.value("SELECT coalesce(max(id), 0) FROM eventos"))
        self.send(fixture(name))
        rows = self.query("SELECT chave, coalesce(campo, '-'), coalesce(estado, '-'), coalesce(ordem::text, '-'),"
                          " coalesce(contato, '-'), coalesce(assunto, '-'), conteudo IS NOT NULL FROM eventos"
                          f" WHERE id > {first}")
        return rows

    def look_at_rows(self, name, wanted):
        found = self.arrived(name)
        hidden = [("hash:" if r[0].startswith("hash:") else r[0], *r[1:5]) for r in found]
        self.assertEqual(sorted(hidden), sorted(wanted), name)
        for key, *_, subject, content in found:
            self.assertEqual(content, "t", key)
            if key.startswith(("leadgen:", "hash:")):
                self.assertEqual(subject, NONE, key)

    def test_every_fixture_becomes_its_rows_and_again_adds_none(self):
        table = expected()
        names = [os.path.basename(path)[:-5] for path in glob.glob(os.path.join(FIXTURES, "*.json"))]
        self.assertEqual(sorted(table), sorted(names))
        for name in sorted(names):
            with self.subTest(name):
                self.look_at_rows(name, table[name])
        before = self.query("SELECT * FROM eventos ORDER BY id")
        for name in names:
            again = json.loads(fixture(name))
            for entry in again["entry"]:
                entry["time"] = 1800000000  # sent later
            self.accept(json.dumps(again).encode())
        self.drained()
        self.assertEqual(self.query("SELECT * FROM eventos ORDER BY id"), before)

    def test_what_came_by_standby_and_by_messaging_counts_once(self):
        self.send(fixture("standby"))
        before = self.value("SELECT count(*) FROM eventos")
        moved = json.loads(fixture("standby"))
        moved["entry"][0]["messaging"] = moved["entry"][0].pop("standby")
        self.send(json.dumps(moved).encode())
        self.assertEqual(self.value("SELECT count(*) FROM eventos"), before)


class Order(FormsCase):
    def test_the_newest_stays_in_whatever_order_they_come(self):
        """Catches DO NOTHING, an update without WHERE, and an equal time that wins."""
        versions = [comment("{}", 100, "velha"), comment("{}", 200, "nova"), comment("{}", 200, "nova, de novo"),
                    {"field": "feed", "value": {**comment("{}", 0, "sem hora")["value"], "created_time": None}}]
        for n, order in enumerate(itertools.permutations(range(4))):
            parts = [json.dumps(versions[i]).replace("{}", f"c{n}") for i in order]
            for part in parts if n % 2 else [", ".join(parts)]:
                self.accept(f'{{"object":"page","entry":[{{"id":"1","changes":[{part}]}}]}}'.encode())
            if n % 2:
                self.drained()
        self.drained()
        for n, order in enumerate(itertools.permutations(range(4))):
            first = next(i for i in order if i in (1, 2))
            with self.subTest(order):
                self.assertEqual(self.event(f"comment:c{n}:edited", "conteudo->'value'->>'message',"
                                            " extract(epoch FROM ocorrido_em)::int"),
                                 [(versions[first]["value"]["message"], "200")])

    def test_the_first_delivery_stays_the_events_own(self):
        for n in (1, 2):
            self.send(delivery("page", comment("primeira", 100 * n, f"versão {n}")))
        found = self.query("SELECT convert_from(d.corpo, 'UTF8')::jsonb->'entry'->0->'changes'->0->'value'->>'message',"
                           " e.conteudo->'value'->>'message' FROM eventos e JOIN entregas d ON d.id = e.entrega_id"
                           " WHERE e.chave = 'comment:primeira:edited'")
        self.assertEqual(found, [("versão 1", "versão 2")])

    def test_a_status_never_goes_backwards(self):
        words = ("sent", "delivered", "read")
        for n, order in enumerate(itertools.permutations(words)):
            known = []
            for word in order:
                known.append(word)
                # the clock of a status that comes late may even be ahead
                at = 1000 + 10 * words.index(word) if n % 2 else 2000 - 10 * words.index(word)
                self.send(delivery("whatsapp_business_account", whatsapp(statuses=[status(f"w{n}", word, at)]), entry=WABA))
                want = max(known, key=words.index)
                self.assertEqual(self.query(f"SELECT estado FROM mensagens WHERE wamid = 'w{n}'"), [(want,)], known)

    def test_failed_counts_while_no_more_than_sent_is_known(self):
        def told(wamid):
            return self.value(f"SELECT estado FROM mensagens WHERE wamid = '{wamid}'")
        for n, word in enumerate(("failed", "sent")):
            self.send(delivery("whatsapp_business_account", whatsapp(statuses=[status("wf", word, 10 + n)])))
        self.assertEqual(told("wf"), "failed")
        self.send(delivery("whatsapp_business_account", whatsapp(statuses=[status("wf", "delivered", 5)])))
        self.assertEqual(told("wf"), "delivered")

    def test_one_change_with_three_messages_and_two_statuses_is_five_events(self):
        messages = [{"id": f"m{n}", "from": "16505551234", "timestamp": "9", "type": "text", "text": {"body": f"oi {n}"}}
                    for n in range(3)]
        change = whatsapp(contacts=[{"wa_id": "16505551234", "profile": {"name": "Ana"}}], messages=messages,
                          statuses=[status("m9", "sent", 9), status("m9", "read", 10)])
        self.send(delivery("whatsapp_business_account", change, entry=WABA))
        rows = self.query("SELECT chave, conteudo->'value'->'contacts'->0->'profile'->>'name',"
                          " conteudo->'value'->'metadata'->>'phone_number_id',"
                          " coalesce(conteudo->'value'->'messages'->0->'text'->>'body',"
                          " conteudo->'value'->'statuses'->0->>'status')"
                          " FROM eventos WHERE chave ~ '^wamid:m[0-9]' ORDER BY chave")
        self.assertEqual(rows, [("wamid:m0", "Ana", "1065", "oi 0"), ("wamid:m1", "Ana", "1065", "oi 1"),
                                ("wamid:m2", "Ana", "1065", "oi 2"), ("wamid:m9:read", "Ana", "1065", "read"),
                                ("wamid:m9:sent", "Ana", "1065", "sent")])
        self.assertEqual(self.query("SELECT estado, contato FROM mensagens WHERE wamid = 'm9'"), [("read", "16505551234")])


class Odd(FormsCase):
    def test_a_thousand_updates_half_of_them_twice(self):
        changes = [comment(f"mil{n % 500}", 1000 + n, f"v{n}") for n in range(1000)]
        self.send(delivery("page", *changes))
        self.assertEqual(self.value("SELECT count(*) FROM eventos WHERE chave LIKE 'comment:mil%'"), "500")
        self.assertEqual(self.event("comment:mil7:edited"), [("v507",)])

    def test_odd_ids_and_shapes_never_make_a_batch_that_is_refused(self):
        ids = ['"\\u0000"', '"\\ud800"', '"a\\udc00"', "1e400", "-0", '""', "{}", "[]", "null", "true",
               '"' + "x" * 511 + '"', '"' + ":" * 512 + '"', '"' + "\\u00e9" * 512 + '"', '"' + "y" * 100000 + '"',
               "9" * 500, '"\\u0001\\u001f"', '"💥"', '"\\ud83d\\udca5"', '"a%b:c"']
        shapes = ['{{"message":{{"mid":{0}}},"sender":{{"id":{0}}},"timestamp":{0}}}',
                  '{{"read":{{"watermark":{0}}},"sender":{{"id":{0}}},"recipient":{{"id":{0}}}}}',
                  '{{"reaction":{{"mid":{0},"action":{0}}},"sender":{{"id":{0}}}}}', '{{"{1}":{0}}}']
        for value, shape in itertools.product(ids, shapes):
            text = shape.format(value, value[1:-1] if value[0] == '"' else "x")
            self.accept(f'{{"object":"page","entry":[{{"id":{value},"messaging":[{text}]}}]}}'.encode())
        for value in ids:
            parts = ",".join(f'{{"id":{value},"status":{value},"timestamp":{value},"recipient_id":{value}}}' for _ in range(2))
            self.accept(f'{{"object":"whatsapp_business_account","entry":[{{"changes":[{{"field":"messages","value":'
                        f'{{"metadata":{value},"contacts":[{{"wa_id":{value}}}],"statuses":[{parts}]}}}}]}}]}}'.encode())
        deep = "[" * 200 + "]" * 200
        self.accept(f'{{"object":"page","entry":[{{"messaging":[{{"message":{{"mid":"fundo","x":{deep}}}}}]}}]}}'.encode())
        self.drained()
        self.assertEqual(len(self.event("mid:fundo", "1")), 1)
        self.assertEqual(len(self.event("mid:💥", "1")), 1)
        self.assertEqual(len(self.event("mid:a%25b%3Ac", "1")), 1)
        for refusal in ("store_failed", "delivery_dead", "delivery_left"):
            self.assertEqual(self.stack.worker.events(refusal), [])


class Shuffled(FormsCase):
    """Every event five times over, in deliveries of any size and order. EVENTOS=100000 for the long form,
    SEED=n for an order that was printed before."""

    KEYS, COPIES, VERSIONS = int(os.environ.get("EVENTOS", 2000)), 5, 3

    def updates(self):
        """(object, list, update, key, time, mark); the mark is what the newest is known by."""
        for n in range(self.KEYS):
            kind, at = n % 5, 1700000000 + n
            versions = range(self.VERSIONS if n % 4 == 0 else 1)
            for v in versions:
                mark = f"marca-{n}-{v}"
                if kind == 0:
                    yield ("page", "changes", comment(f"s{n}", at + v, mark), f"comment:s{n}:edited", at + v, mark)
                elif kind == 1:
                    yield ("page", "messaging", {"sender": {"id": "7"}, "recipient": {"id": "1"}, "timestamp": (at + v) * 1000,
                                                 "message": {"mid": f"m_{n}", "text": mark}}, f"mid:m_{n}", at + v, mark)
                elif kind == 2:
                    yield ("whatsapp_business_account", "changes", whatsapp(statuses=[status(
                        f"s{n}", "delivered", at + v, biz_opaque_callback_data=mark)]), f"wamid:s{n}:delivered", at + v, mark)
                elif kind == 3:
                    yield ("page", "changes", lead_change(f"9000{n}", created_time=at + v, custom=mark), f"leadgen:9000{n}",
                           at + v, mark)
                else:
                    yield ("instagram", "standby", {"sender": {"id": "7"}, "recipient": {"id": "1"}, "timestamp": (at + v) * 1000,
                                                    "reaction": {"mid": f"r{n}", "action": "react", "emoji": mark}},
                           f"mid:r{n}:reaction:react:7", at + v, mark)

    def batches(self, updates, rnd):
        """The bodies of deliveries: any number of updates of one object, in entries of any size."""
        pending = collections.defaultdict(list)
        for obj, kind, update, *_ in updates:
            pending[obj].append((kind, update))
            if rnd.random() < 0.04:
                yield self.body(obj, pending.pop(obj), rnd)
        for obj, rest in pending.items():
            yield self.body(obj, rest, rnd)

    def body(self, obj, updates, rnd):
        entries = []
        while updates:
            n = rnd.randint(1, 20)
            part, updates = updates[:n], updates[n:]
            entry = {"id": "1", "time": rnd.randint(1, 2 ** 31)}
            for kind, update in part:
                entry.setdefault(kind, []).append(update)
            entries.append(entry)
        return json.dumps({"object": obj, "entry": entries}).encode()

    def send_all(self, bodies):
        statuses = []

        def work(part):
            with client.Connection(self.api.port) as c:
                for body in part:
                    statuses.append(c.call("POST", "/webhook", signed(body), body).status)
        threads = [threading.Thread(target=work, args=(bodies[n::4],)) for n in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(collections.Counter(statuses), {200: len(bodies)})

    def test_five_copies_shuffled_and_rebatched_are_one_row_each_with_the_newest_state(self):
        seed = int(os.environ.get("SEED", random.randrange(10 ** 9)))
        print(f"shuffled by SEED={seed}")
        rnd = random.Random(seed)
        updates = list(self.updates()) * self.COPIES
        rnd.shuffle(updates)
        newest = {}
        for *_, key, at, mark in updates:
            if key not in newest or at > newest[key][0]:
                newest[key] = (at, mark)
        self.send_all(list(self.batches(updates, rnd)))
        self.drained(60 + self.KEYS // 500)
        rows = self.query("SELECT chave, substring(conteudo::text FROM 'marca-[0-9]+-[0-9]+') FROM eventos")
        self.assertEqual(len(rows), self.KEYS, f"SEED={seed}")
        self.assertEqual(dict(rows), {key: mark for key, (_, mark) in newest.items()}, f"SEED={seed}")
        self.assertEqual(self.value("SELECT count(*) FROM leads"), str(self.KEYS // 5))
