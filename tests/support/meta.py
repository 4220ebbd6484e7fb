"""Meta's sender, simulated: deliveries of every form with the escapes, ids, times and habits of the real one.

    meta = Meta(seed=7, secret="segredo")
    for delivery in meta.traffic(300):         # about 300 updates, in the order in which they are sent
        client.call(port, "POST", "/webhook", delivery.headers, delivery.body)
    meta.facts                                 # what must be known afterwards, each once: {"lead:1234…", …}
    meta.leads                                 # leadgen ids among them

    meta.lead(), meta.comment(), …             # one new Update; FORMS names them all
    meta.deliver([update, …])                  # one Delivery of updates of one object, sent now
    Post(port, delivery).run(patience=30)      # as Meta sends: again on anything but 200, with growing pauses

What it does as Meta does: some updates come again, alone or among others (entry.time is the time of sending,
all else is the same); some come late, behind newer ones; a batch has 1 to 1,000 updates of several entries;
changes have their time in seconds, messages in milliseconds; ids beyond 2^53 come as numbers or as text; text
is ASCII with \\u00e1 and \\/; the signature is that of the bytes. All of it follows from the seed, except with
now=None, when the times are those of the clock.

A fact is this simulator's own name of a thing that happened: kind and id. `exact` forms have one fact an
update and an id that no other update has, so that rows can be counted without knowing how they are keyed.

By hand: meta.py --port P --secret S [--updates N --rate R --seed S --forms lead,comment] [--print]

Sources: Meta, "Webhooks: Getting Started", "Webhooks for Leads", "Page feed", "Messenger webhook events",
"Instagram webhooks", "WhatsApp Business Platform: webhooks payload reference"."""
import argparse
import collections
import itertools
import json
import random
import re
import time as clock

import client
import deliveries

AGENT = "facebookexternalua"
BATCH_MAX = 1000
PAGE, INSTAGRAM, WHATSAPP = "page", "instagram", "whatsapp_business_account"
TEXTS = ("Olá! Quanto custa?", "Tenho interesse 😀", "https://exemplo.com.br/a?b=1&c=2", "¿Dónde están?", "ok",
         'Ele disse "não"\ne saiu\\', "São João 🎉🎉", "多少钱", "a\tb", "preço/metro²", "\u202eavesso", "")
NAMES = ("Ana Conceição", "João D’Ávila", "Zoë Müller", "Ângelo Gonçalves", "小龍", "O'Neil & Filhos", "Mônica 🌻")
EMOJI = {"love": "❤", "smile": "😆", "wow": "😮", "sad": "😢"}
STATUSES = ("sent", "delivered", "read")


# ---- bytes ---------------------------------------------------------------------------

def escaped(value):
    """JSON as Meta writes it: ASCII with lower-case \\u escapes, and slashes escaped."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("/", "\\/").encode()


class Update:
    """One thing that happened. list: where it stands in its entry ("changes", "messaging", …)."""

    __slots__ = ("form", "object", "entry", "list", "body", "facts", "time")

    def __init__(self, form, object, entry, list, body, facts, time):
        self.form, self.object, self.entry, self.list = form, object, entry, list
        self.body, self.facts, self.time = body, tuple(facts), time  # time in seconds

    def __repr__(self):
        return f"<{self.form} {self.facts}>"


class Delivery:
    """One POST. why: "new", "again" (the same bytes), "rebatched" (known updates, others beside them)."""

    __slots__ = ("body", "headers", "updates", "why")

    def __init__(self, body, secret, updates=(), why="new"):
        self.body, self.updates, self.why = body, list(updates), why
        self.headers = deliveries.signed(body, secret, User_Agent=AGENT, Accept="*/*")

    @property
    def facts(self):
        return {fact for update in self.updates for fact in update.facts}

    @property
    def form(self):
        forms = {update.form for update in self.updates}
        return forms.pop() if len(forms) == 1 else "mixed"


# ---- the forms -----------------------------------------------------------------------

class Meta:
    def __init__(self, seed=1, secret=deliveries.SECRET, now=1749416383, pages=3):
        self.rng = random.Random(seed)
        self.seed, self.secret, self.pages = seed, secret, pages
        self.facts, self.forms = set(), collections.Counter()
        self._now, self._sent = now, itertools.count()
        self.base = 10 ** 16 + (seed % 10 ** 8) * 10 ** 10
        self._ids = itertools.count(self.base)

    def at(self, n):
        """Goes to place n of its own story: what it makes next depends on seed and n alone, and the ids in
        it are base + n * 10,000 and those that follow."""
        self.rng = random.Random(f"{self.seed}:{n}")
        self._ids, self._sent = itertools.count(self.base + n * 10000), itertools.count(n)
        return self

    @property
    def leads(self):
        return {fact[5:] for fact in self.facts if fact.startswith("lead:")}

    def now(self):
        """Seconds, of the clock or of a time of its own that goes on by 50 ms a delivery."""
        return clock.time() if self._now is None else self._now + next(self._sent) * 0.05

    # Ids: beyond 2^53, all different, as text or as a number where Meta does both.
    def number(self):
        return next(self._ids)

    def id(self):
        return str(self.number())

    def either(self, number):
        return number if self.rng.random() < 0.5 else str(number)

    def opaque(self, prefix, length):
        """A base64-like id that carries a number of ours, behind a letter, so that no two are alike."""
        pad = "".join(self.rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=length))
        return f"{prefix}{pad}Q{self.number()}"

    def page(self):
        return str(1029384756 + self.rng.randrange(self.pages))

    def text(self):
        return self.rng.choice(TEXTS)

    def person(self):
        return {"id": self.id(), "name": self.rng.choice(NAMES)}

    def update(self, form, object, entry, list, body, facts, time):
        self.facts.update(facts)
        self.forms[form] += 1
        return Update(form, object, entry, list, body, facts, time)

    def change(self, form, object, entry, field, value, facts, time):
        return self.update(form, object, entry, "changes", {"field": field, "value": value}, facts, time)

    # Pages.
    def lead(self, leadgen_id=None):
        page, now = self.page(), int(self.now())
        number = leadgen_id or self.number()
        value = {"leadgen_id": self.either(number), "page_id": self.either(int(page)),
                 "form_id": self.either(564738291 + self.rng.randrange(5)), "adgroup_id": self.either(self.number()),
                 "ad_id": self.either(self.number()), "created_time": now}
        return self.change("lead", PAGE, page, "leadgen", value, [f"lead:{number}"], now)

    def comment(self, verb="add"):
        page, now = self.page(), int(self.now())
        post = f"{page}_{self.id()}"
        comment = f"{post.partition('_')[2]}_{self.id()}"
        value = {"from": self.person(), "post": {
            "status_type": "added_photos", "is_published": True, "updated_time": "2026-06-08T20:59:43+0000",
            "permalink_url": f"https://www.facebook.com/{page}/posts/{post}", "promotion_status": "inactive",
            "id": post}, "message": self.text(), "post_id": post, "comment_id": comment, "created_time": now, "item": "comment",
            "parent_id": post, "verb": verb}
        return self.change("comment", PAGE, page, "feed", value, [f"comment:{comment}:{verb}"], now)

    def reaction(self):
        page, now, who = self.page(), int(self.now()), self.person()
        post = f"{page}_{self.id()}"
        value = {"reaction_type": self.rng.choice(("like", "love", "haha")), "from": who, "parent_id": post,
                 "post_id": post, "verb": "add", "item": "reaction", "created_time": now}
        return self.change("reaction", PAGE, page, "feed", value, [f"reaction:{post}:{who['id']}:add"], now)

    def changed_fields(self):
        """Of apps that asked for no values: the names alone. Nothing in it tells two of them apart."""
        page, field = self.page(), self.rng.choice(("feed", "photos", "picture"))
        return self.update("changed_fields", PAGE, page, "changed_fields", field, [f"changed:{page}:{field}"],
                           self.now())

    # Messenger and Instagram messages.
    def _said(self, form, object, entry, kind, said, facts, list="messaging"):
        at = self.now()
        body = {"sender": {"id": self.id()}, "recipient": {"id": entry}, "timestamp": int(at * 1000), kind: said}
        return self.update(form, object, entry, list, body, facts, at)

    def message(self, list="messaging", form="message"):
        mid = self.opaque("m_", 60)
        said = {"mid": mid, "text": self.text()}
        if self.rng.random() < 0.2:
            said["attachments"] = [{"type": "image", "payload": {"url": "https://scontent.xx.fbcdn.net/v/t1.15752-9/1.jpg"}}]
        return self._said(form, PAGE, self.page(), "message", said, [f"mid:{mid}"], list)

    def standby(self):
        return self.message("standby", "standby")

    def message_read(self):
        mark = int(self.now() * 1000)
        update = self._said("message_read", PAGE, self.page(), "read", {"watermark": mark}, ())
        fact = f"read:{update.entry}:{update.body['sender']['id']}:{mark}"
        self.facts.add(fact)
        update.facts = (fact,)
        return update

    def message_reaction(self):
        mid, name = self.opaque("m_", 60), self.rng.choice(list(EMOJI))
        said = {"reaction": name, "emoji": EMOJI[name], "action": "react", "mid": mid}
        return self._said("message_reaction", PAGE, self.page(), "reaction", said, [f"mid:{mid}:react"])

    def _instagram(self):
        return str(17841400000000000 + self.rng.randrange(self.pages))

    def ig_comment(self):
        comment, now = self.id(), self.now()
        value = {"id": comment, "from": {"id": self.id(), "username": "ana.conceicao"}, "text": self.text(),
                 "media": {"id": self.id(), "media_product_type": self.rng.choice(("FEED", "REELS"))}}
        return self.change("ig_comment", INSTAGRAM, self._instagram(), "comments", value, [f"ig:{comment}"], now)

    def ig_mention(self):
        media, comment, now = self.id(), self.id(), self.now()
        value = {"media_id": media, "comment_id": comment}
        return self.change("ig_mention", INSTAGRAM, self._instagram(), "mentions", value, [f"mention:{comment}"], now)

    def ig_message(self):
        mid = self.opaque("aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQx", 40)
        return self._said("ig_message", INSTAGRAM, self._instagram(), "message", {"mid": mid, "text": self.text()},
                          [f"mid:{mid}"])

    def ig_read(self):
        mid = self.opaque("aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQx", 40)
        return self._said("ig_read", INSTAGRAM, self._instagram(), "read", {"mid": mid}, [f"mid:{mid}:read"])

    # WhatsApp. A change may hold several messages or statuses; here each has one, a batch has many.
    def _whatsapp(self, form, value, facts, now, field="messages"):
        account = str(102290129340398 + self.rng.randrange(self.pages))
        return self.change(form, WHATSAPP, account, field, value, facts, now)

    def _wa_value(self, **more):
        return {"messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "5511999990000", "phone_number_id": "106540352242922"}, **more}

    def _wamid(self):
        return self.opaque("wamid.HBgN", 36) + "=="

    def wa_message(self):
        """Some people have a user_id and no phone number."""
        wamid, now, phone = self._wamid(), int(self.now()), f"5511{self.rng.randrange(10 ** 8, 10 ** 9)}"
        who = {"user_id": f"BR.{self.id()}"} if self.rng.random() < 0.2 else {"wa_id": phone}
        said = {"from": phone} if "wa_id" in who else {"from_user_id": who["user_id"]}
        value = self._wa_value(contacts=[{"profile": {"name": self.rng.choice(NAMES)}, **who}], messages=[
            {**said, "id": wamid, "timestamp": str(now), "type": "text", "text": {"body": self.text()}}])
        return self._whatsapp("wa_message", value, [f"wamid:{wamid}"], now)

    def wa_statuses(self):
        """What becomes of one message of ours: an update for each step."""
        wamid, start, phone = self._wamid(), int(self.now()), f"5511{self.rng.randrange(10 ** 8, 10 ** 9)}"
        steps = STATUSES[:self.rng.randrange(1, 4)] if self.rng.random() < 0.9 else ("sent", "failed")
        return [self._status(wamid, status, start + n, phone) for n, status in enumerate(steps)]

    def _status(self, wamid, status, at, phone):
        said = {"id": wamid, "status": status, "timestamp": str(at), "recipient_id": phone,
                "conversation": {"id": wamid[10:42].lower(), "origin": {"type": "utility"}},
                "pricing": {"billable": True, "pricing_model": "PMP", "category": "utility"}}
        if status == "failed":
            said["errors"] = [{"code": 131026, "title": "Message undeliverable", "message": "Message undeliverable",
                               "error_data": {"details": "Message Undeliverable."}}]
        return self._whatsapp("wa_status", self._wa_value(statuses=[said]), [f"wamid:{wamid}:{status}"], at)

    def wa_error(self):
        now, number = int(self.now()), self.number()
        trouble = {"code": 130429, "title": "Rate limit hit", "message": "(#130429) Rate limit hit", "error_data": {
            "details": f"Message failed to send because there were too many messages sent ({number})."}}
        return self._whatsapp("wa_error", self._wa_value(errors=[trouble]), [f"error:{number}"], now)

    def wa_template(self):
        template, now = self.number(), int(self.now())
        event = self.rng.choice(("APPROVED", "REJECTED", "PAUSED"))
        value = {"event": event, "message_template_id": template, "message_template_name": "confirmacao_de_visita",
                 "message_template_language": "pt_BR", "reason": "NONE" if event == "APPROVED" else "INVALID_FORMAT"}
        return self._whatsapp("wa_template", value, [f"template:{template}:{event}"], now,
                              "message_template_status_update")

    # ---- batches and habits ----

    def some(self, form):
        """The updates of one happening of this form."""
        made = getattr(self, form)()
        return made if isinstance(made, list) else [made]

    def deliver(self, updates, why="new"):
        """Updates of one object, in entries by page or account, sent now."""
        now, entries = self.now(), {}
        for update in updates:
            entry = entries.setdefault(update.entry, {"id": update.entry})
            if update.object != WHATSAPP:  # which has no time of sending
                entry["time"] = int(now * 1000 if update.list in ("messaging", "standby") else now)
            entry.setdefault(update.list, []).append(update.body)
        body = escaped({"object": updates[0].object, "entry": list(entries.values())})
        return Delivery(body, self.secret, updates, why)

    def batches(self, updates, most=BATCH_MAX):
        """Splits them into deliveries of random size: mostly one update, seldom up to `most`."""
        by_object = collections.defaultdict(list)
        for update in updates:
            by_object[update.object].append(update)
        for same in by_object.values():
            while same:
                size = 1 if self.rng.random() < 0.7 else int(most ** self.rng.random())
                yield self.deliver(same[:size])
                del same[:size]

    def traffic(self, updates, forms=None, most=BATCH_MAX, again=0.05, rebatched=0.05, late=0.1):
        """An iterator of deliveries: so many happenings, mixed, in waves of a hundred, seldom `most`; each delivery is
        sent again with probability `again`, each update once more in other company with `rebatched`,
        each delivery a wave late with `late`."""
        forms, left, waiting = list(forms or MIX), updates, []
        weights = [MIX.get(form, 1) for form in forms]
        while left > 0 or waiting:
            size = min(left, most if self.rng.random() < 0.05 else 100)
            wave = [u for form in self.rng.choices(forms, weights, k=size) for u in self.some(form)]
            left -= size
            known = [u for u in wave if self.rng.random() < rebatched]
            out, waiting = waiting + list(self.batches(wave, most)), []
            if left > 0:
                waiting = [d for d in out if self.rng.random() < late]
                out = [d for d in out if d not in waiting]
            repeated = [Delivery(d.body, self.secret, d.updates, "again") for d in out if self.rng.random() < again]
            self.rng.shuffle(out)
            yield from out
            others = self.batches(self.rng.sample(known, len(known)), most)
            yield from (Delivery(d.body, self.secret, d.updates, "rebatched") for d in others)
            yield from repeated


# What a busy account sees, in parts: form: weight.
MIX = {"lead": 30, "comment": 10, "reaction": 5, "changed_fields": 1, "message": 12, "standby": 3, "message_read": 4,
       "message_reaction": 2, "ig_comment": 8, "ig_mention": 2, "ig_message": 8, "ig_read": 2, "wa_message": 10,
       "wa_statuses": 10, "wa_error": 1, "wa_template": 1}
FORMS = tuple(MIX)
EXACT = ("lead", "comment", "message", "standby", "ig_comment", "ig_message", "wa_message", "wa_statuses", "wa_template")


# ---- sending -------------------------------------------------------------------------

def pauses(first=0.05, most=2.0):
    """Seconds before each further attempt. Meta's grow to hours; what matters here is that they grow."""
    pause = 0
    while True:
        yield pause
        pause = min(max(first, 2 * pause), most)


class Post:
    """One delivery on its way, sent until it is answered 200."""

    def __init__(self, port, delivery):
        self.port, self.delivery = port, delivery
        self.attempts, self.statuses = 0, []

    def run(self, patience=30, connection=None):
        """True once it is acknowledged, False when that did not happen within so many seconds."""
        deadline, waits = clock.monotonic() + patience, pauses()
        while clock.monotonic() < deadline:
            clock.sleep(next(waits))
            self.attempts += 1
            try:
                call = connection.call if connection else lambda *a: client.call(self.port, *a)
                self.statuses.append(call("POST", "/webhook", self.delivery.headers, self.delivery.body).status)
            except OSError:
                self.statuses.append(None)
                connection = None
            if self.statuses[-1] == 200:
                return True
        return False


# ---- by hand -------------------------------------------------------------------------

def main():
    parser = argparse.ArgumentParser(description="Sends deliveries as Meta does.")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--secret", default=deliveries.SECRET, help="META_APP_SECRET")
    parser.add_argument("--updates", type=int, default=100)
    parser.add_argument("--rate", type=float, default=20, help="deliveries a second; 0: as fast as it goes")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--forms", help=f"of {','.join(FORMS)}")
    parser.add_argument("--most", type=int, default=BATCH_MAX, help="updates in a delivery")
    parser.add_argument("--print", action="store_true", help="show the bodies, send nothing")
    given = parser.parse_args()
    forms = given.forms.split(",") if given.forms else None
    if forms and not set(forms) <= set(FORMS):
        parser.error(f"the forms are {', '.join(FORMS)}")
    seed = random.SystemRandom().randrange(10 ** 9) if given.seed is None else given.seed
    meta, sent = Meta(seed, given.secret, now=None), collections.Counter()
    for delivery in meta.traffic(given.updates, forms, given.most):
        if given.print:
            print(re.sub(r"^(.{2000}).+", r"\1…", delivery.body.decode()))
            continue
        post = Post(given.port, delivery)
        sent["acknowledged" if post.run() else "not acknowledged"] += 1
        sent["attempts"] += post.attempts
        clock.sleep(1 / given.rate if given.rate else 0)
    if not given.print:
        print(f"seed {seed}: {dict(sent)}, {len(meta.facts)} different things, {len(meta.leads)} of them leads")


if __name__ == "__main__":
    main()
