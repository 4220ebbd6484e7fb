"""Compares what was acknowledged with what is there. Depends on leads.leadgen_id, on rows of eventos, and on
the bytes in entregas, not on how an event is keyed.

acknowledged   n is in a ledger
in effect      all leads of n are in leads; of another form: an event has its id
archived       the bytes of some row of entregas have an id of n
lost           acknowledged, neither in effect nor archived
without effect acknowledged, archived as processed, not in effect: lost to whoever looks for it
waiting        not in effect, archived as pending
dead           not in effect, archived as a dead letter, though nothing was wrong with it
doubled        rows beyond one a thing: events of leads, events of others, leads, stream entries"""
import collections

import plan

CHUNK = 50000
NAMED = 20  # examples in the report
FATES = {"pendente": (1, "waiting"), "morta": (2, "dead"), "processada": (4, "without_effect")}  # by state


def read_ledgers(paths):
    """{n: (first attempt, acknowledged attempt, acknowledged, attempts)}; more than one line of an n is an
    error of the client's."""
    book = {}
    for path in paths:
        with open(path, encoding="ascii") as f:
            for line in f:
                if not line.endswith("\n"):
                    raise AssertionError(f"{path} ends in half a line")
                n, *rest = line.split()
                if int(n) in book:
                    raise AssertionError(f"{n} was acknowledged twice in the ledger")
                book[int(n)] = tuple(map(float, rest))
    return book


def rows(session, sql):
    """All rows of a query through a cursor, so that a million take no memory."""
    session.query(f"BEGIN; DECLARE c NO SCROLL CURSOR FOR {sql}")
    while found := session.query(f"FETCH {CHUNK} FROM c"):
        yield from found
    session.query("COMMIT")


class Books:
    def __init__(self, the_plan, session):
        self.plan = the_plan
        self.leads, self.strange_leads = set(), []
        for leadgen_id, in rows(session, "SELECT leadgen_id FROM leads"):
            self.leads.add(int(leadgen_id))
            if the_plan.number_of(leadgen_id) is None:
                self.strange_leads.append(leadgen_id)
        self.n_leads, self.lead_events, self.other_events = map(int, session.query(
            "SELECT (SELECT count(*) FROM leads), count(*) FILTER (WHERE campo = 'leadgen'),"
            " count(*) FILTER (WHERE campo IS DISTINCT FROM 'leadgen') FROM eventos")[0])
        self.others = {n for text, in rows(session, "SELECT conteudo::text FROM eventos WHERE campo IS DISTINCT FROM"
                                                    " 'leadgen'") for n in self.numbers_in(text or "")}
        self.archive = collections.Counter()  # n: the states of its rows, a bit each
        for state, number in rows(session, "SELECT DISTINCT estado, m[1] FROM entregas, LATERAL regexp_matches("
                                           f"encode(corpo, 'escape'), '{plan.SQL_ID}', 'g') m"):
            n = the_plan.number_of(number)
            if n is not None:
                self.archive[n] |= FATES[state][0]
        self.doubled_entries = int(session.query(
            "SELECT coalesce(sum(c - 1), 0) FROM (SELECT count(*) c FROM entregas WHERE fila_id IS NOT NULL"
            " GROUP BY fila_id, recebida_em HAVING count(*) > 1) t")[0][0])
        self.by_way = {way: int(count) for way, count in session.query("SELECT via, count(*) FROM entregas GROUP BY 1")}

    def numbers_in(self, text):
        return {self.plan.number_of(number) for number in plan.ID.findall(text)} - {None}

    def in_effect(self, n):
        leads = self.plan.leads(n)
        return self.leads.issuperset(leads) if leads else n in self.others

    def compare(self, acknowledged):
        found = collections.defaultdict(list)
        for n in acknowledged:
            if not self.in_effect(n):
                found[self.fate(n)].append(n)
        return {
            **{name: len(found[name]) for name in ("lost", "without_effect", "waiting", "dead")},
            "doubled": {"lead_events": max(0, self.lead_events - len(self.leads)),
                        "other_events": max(0, self.other_events - len(self.others)),
                        "leads": self.n_leads - len(self.leads), "stream_entries": self.doubled_entries},
            "strange": len(self.strange_leads),
            "examples": {name: numbers[:NAMED] for name, numbers in found.items()}}

    def fate(self, n):
        return next((name for bit, name in FATES.values() if self.archive[n] & bit), "lost")
