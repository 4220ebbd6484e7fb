"""`make meta-demo`: a minute of what Meta sends, into the running stack, and what became of it.

Every form, batches, deliveries that come again, updates that come once more in other company, late ones; and
among them one delivery with a wrong signature, and signed bytes that are no JSON. SECONDS=10 for less of it,
SEED=7 for the same once more."""
import collections
import os
import random
import sys
import time

import client
import demo
import meta
import run_files

UPDATES_A_SECOND = 16
MOST = 50
WAIT_SECONDS = 20


class Tally:
    def __init__(self):
        self.why, self.updates, self.answers = collections.Counter(), collections.Counter(), collections.Counter()
        self.times = []

    def add(self, delivery, status, seconds):
        self.why[delivery.why] += 1
        self.answers[status] += 1
        self.updates.update(update.form for update in delivery.updates)
        self.times.append(seconds)


def strange(secret):
    """What must be refused, and what must be kept though nobody can read it."""
    forged = meta.Delivery(b'{"object":"page","entry":[]}', secret + "x", why="wrong signature")
    broken = meta.Delivery("isto não é JSON {".encode(), secret, why="no JSON")
    return [forged, broken]


def send(port, planned, seconds):
    tally, begun = Tally(), time.monotonic()
    connection, shown = client.Connection(port), 0
    for n, delivery in enumerate(planned):
        time.sleep(max(0, begun + seconds * n / len(planned) - time.monotonic()))
        at = time.monotonic()
        answer = connection.call("POST", "/webhook", delivery.headers, delivery.body)
        tally.add(delivery, answer.status, time.monotonic() - at)
        if answer.closes:
            connection.close()
            connection = client.Connection(port)
        if time.monotonic() - begun >= shown + 5:
            shown = int(time.monotonic() - begun)
            print(f"  {shown:3} s  {n + 1} of {len(planned)} deliveries", flush=True)
    connection.close()
    return tally



def wait_for_worker(session, before, wanted):
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        done = int(session.value(f"SELECT count(*) FROM entregas WHERE id > {before} AND estado <> 'pendente'"))
        if done >= wanted:
            return
        time.sleep(0.1)
    sys.exit(f"meta-demo: the deliveries did not arrive within {WAIT_SECONDS} s; see .run/alicerce-worker.log")


def table(title, rows):
    print(title)
    for row in rows:
        print("  " + "  ".join(f"{cell or '-':<28}" if n == 0 else f"{cell or '-'}" for n, cell in enumerate(row)))


def show(session, before, story, tally):
    """How many leads of the story are missing."""
    table("entregas by state and way", session.query(
        "SELECT estado || ', ' || via, count(*) FROM entregas"
        f" WHERE id > {before['entregas']} GROUP BY 1 ORDER BY 1"))
    table("eventos by form", session.query(
        "SELECT coalesce(objeto, '-') || ' ' || coalesce(campo, '-'), count(*) FROM eventos"
        f" WHERE id > {before['eventos']} GROUP BY 1 ORDER BY 2 DESC, 1"))
    arrived = [row for row in session.query(
        f"SELECT leadgen_id, estado FROM leads WHERE entrega_id > {before['entregas']}") if row[0] in story.leads]
    states = collections.Counter(estado for _, estado in arrived)
    table("leads by state", [(estado, str(n)) for estado, n in sorted(states.items())])
    table("dead letters", session.query(
        f"SELECT motivo, count(*) FROM entregas WHERE id > {before['entregas']} AND estado = 'morta' GROUP BY 1"))
    events = int(session.value(f"SELECT count(*) FROM eventos WHERE id > {before['eventos']}"))
    sent = sum(tally.updates.values())
    print(f"{sent} updates were sent, {events} events were made of them: {sent - events} were recognised as known")
    print(f"{len(story.leads)} different leads were sent, {len(arrived)} are there")
    return len(story.leads) - len(arrived)


def main():
    if run_files.runner_pid() is None:
        sys.exit("meta-demo: nothing runs here: make run, in another terminal")
    state = run_files.read_json(run_files.STATE)
    if not state:
        sys.exit("meta-demo: it is just starting; once more in a second")
    seconds = float(os.environ.get("SECONDS") or 60)
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10 ** 8))
    story = meta.Meta(seed, state["META_APP_SECRET"], now=int(time.time()))
    planned = list(story.traffic(max(60, int(seconds * UPDATES_A_SECOND)), most=MOST))
    for delivery in strange(state["META_APP_SECRET"]):
        planned.insert(story.rng.randrange(len(planned)), delivery)
    session = demo.database(state)
    before = {name: int(session.value(f"SELECT coalesce(max(id), 0) FROM {name}")) for name in ("entregas", "eventos")}
    print(f"seed {seed}: {len(planned)} deliveries in {seconds:.0f} s to {state['API_URL']}", flush=True)
    tally = send(demo.urllib.parse.urlsplit(state["API_URL"]).port, planned, seconds)
    wait_for_worker(session, before["entregas"], tally.answers[200])
    table("deliveries sent", [(why, str(n)) for why, n in tally.why.most_common()])
    table("updates in them", [(form, str(n)) for form, n in tally.updates.most_common()])
    table("answers", [(str(status), str(n)) for status, n in sorted(tally.answers.items())])
    times = sorted(tally.times)
    print(f"answered within {1000 * times[len(times) // 2]:.1f} ms at the median, {1000 * times[-1]:.1f} ms at most\n")
    return 1 if show(session, before, story, tally) else 0


if __name__ == "__main__":
    sys.exit(main())
