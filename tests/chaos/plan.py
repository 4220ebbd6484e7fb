"""What a run sends: delivery n follows from the seed and n alone, so that the client that sends it and the
books that look for it afterwards agree without telling each other.

Each has leads (mostly one, seldom up to five) or one update of another form. The ids in it are
meta.base + 10,000 n and the next few: who finds one anywhere knows the delivery."""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "support"))
import meta  # noqa: E402

OTHERS = ("comment", "message", "standby", "ig_comment", "ig_message", "wa_message")
SEEDS = 90000      # ids keep 17 digits
ID = re.compile(r"(?<!\d)1\d{16}(?!\d)")
SQL_ID = r"(?<!\d)(1\d{16})(?!\d)"


class Plan:
    def __init__(self, seed):
        self.meta = meta.Meta(seed % SEEDS)

    def updates(self, n):
        made = self.meta.at(n)
        dice = made.rng.random()
        if dice < 0.2:
            return [getattr(made, made.rng.choice(OTHERS))()]
        return [made.lead() for _ in range(1 if dice < 0.9 else made.rng.randrange(2, 6))]

    def delivery(self, n):
        return self.meta.deliver(self.updates(n))

    def again(self, n):
        """Delivery n once more: as it was, or its updates among those of the one before."""
        mine, before = self.updates(n), self.updates(n - 1) if n else []
        if before and before[0].object == mine[0].object:
            return self.meta.deliver([*before, *mine], "rebatched")
        return self.meta.deliver(mine, "again")

    def leads(self, n):
        """Its leadgen ids, as numbers; none: it has one update of another form."""
        return [int(u.facts[0][5:]) for u in self.updates(n) if u.form == "lead"]

    def number_of(self, number):
        """The delivery that an id belongs to; None: not one of this plan's."""
        n = int(number) - self.meta.base
        return n // 10000 if 0 <= n < 10 ** 10 else None
