"""Checks of the write lease (api/write_lease.h), on a rules.HeldStack: `straight` writes without a pause and
so holds a mark, `held` reads the cached page. Each returns what went wrong, None when nothing did."""
import threading
import time

import client
import rules

PATH = "/api/posts/cache"
MARKS = "posts_cache:gravando"
DEEP = 4  # requests that one connection sends ahead


class Writers:
    """Three connections that post without a pause; `acknowledged`: the highest id of a 201."""

    def __init__(self, api):
        self.api, self.acknowledged, self.stopping, self.errors = api, 0, False, []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(3)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopping = True
        for t in self.threads:
            t.join(10)

    def _run(self):
        post = client.request_bytes("POST", "/api/posts", json={"titulo": "sem pausa", "conteudo": "x"})
        try:
            with client.Connection(self.api.port, timeout=30) as c:
                c.send(post * DEEP)
                while not self.stopping:
                    self._note(c.read("POST"))
                    c.send(post)
                for _ in range(DEEP):
                    self._note(c.read("POST"))
        except (OSError, client.BadAnswer) as error:  # it was killed: expected where a check does so
            self.errors.append(error)

    def _note(self, answer):
        if answer.status == 201:
            with self.lock:
                self.acknowledged = max(self.acknowledged, answer.json["id"])
        elif answer.status != 503:
            self.errors.append(AssertionError(f"POST answered {answer}"))

    def wait_for(self, id_, seconds=10):
        deadline = time.monotonic() + seconds
        while self.acknowledged < id_:
            if time.monotonic() > deadline:
                raise AssertionError(f"no post {id_} after {seconds} s: {self.errors[:3]}")
            time.sleep(0.0005)


def marks(held):
    return held.stack.redis.call("ZCARD", MARKS)


def wait_for_mark(held, seconds=25):
    """More than a lease's cooling, on a machine that has other things to do."""
    deadline = time.monotonic() + seconds
    while marks(held) == 0:
        if time.monotonic() > deadline:
            raise AssertionError("writes without a pause leave no mark")
        time.sleep(0.002)


def read(held, api=None):
    answer = client.call((api or held.held).port, "GET", PATH)
    return rules._ids(answer), answer.json["fonte"]


def stale(writers, held, api=None):
    """One read; what it lacks."""
    floor = writers.acknowledged
    ids, source = read(held, api)
    if ids[0] < floor:
        return f"post {floor} was acknowledged, the answer from {source} ends with {ids[0]}"
    return None


def stale_within(writers, held, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = stale(writers, held)
        if found:
            return found
    return None


def _store_what_was_read_before(held, writers):
    """A read is held back while posts are acknowledged under the mark; then the writer is frozen, so that its
    mark stands and nothing changes the version; what was read must not be stored."""
    held.stack.redis.call("DEL", "posts_cache")
    held.pg.hold_next()
    reader = rules.Background(held.held.port, "GET", PATH)
    if not held.pg.wait_held():
        raise AssertionError("the reader did not ask PostgreSQL")
    writers.wait_for(writers.acknowledged + 3 * DEEP + 1)  # more than was on its way
    held.straight.freeze()
    try:
        held.pg.release()
        reader.result()
        return stale(writers, held)
    finally:
        held.straight.thaw()


def page_is_stored_under_a_mark(held, tries=1):
    """`tries`: a renewal between read and freeze changes the version, which saves even a program with the bug."""
    for _ in range(tries):
        with Writers(held.straight) as writers:
            wait_for_mark(held)
            found = _store_what_was_read_before(held, writers)
            if found:
                return found
    return None


def write_is_answered_without_a_mark(held):
    with Writers(held.straight) as writers:
        writers.wait_for(1)
        return stale_within(writers, held, 4)


def dead_writers_mark_stays(held):
    """It hinders readers for some 5 s: less would end a slow writer's lease, more is of no use."""
    with Writers(held.straight) as writers:
        wait_for_mark(held)
        held.straight.kill()
        since = time.monotonic()
        writers.stop()
    try:
        while read(held)[1] != "cache":
            if time.monotonic() - since > 12:
                return f"{marks(held)} marks, and the page is not stored 12 s after the writer's death"
            time.sleep(0.05)
        waited = time.monotonic() - since
        return f"after {waited:.1f} s the mark counted as dead" if waited < 3 else None
    finally:
        held.straight.start()
        held.straight.wait_serving()


def frozen_writer_believes_its_mark(held):
    """It wakes up after others have removed its mark and stored a page."""
    with Writers(held.straight) as writers:
        wait_for_mark(held)
        held.straight.freeze()
        try:
            deadline = time.monotonic() + 12
            while read(held)[1] != "cache":
                if time.monotonic() > deadline:
                    return "the page is not stored 12 s after the writer was frozen"
                time.sleep(0.05)
        finally:
            held.straight.thaw()
        return stale_within(writers, held, 1)


def mark_outlives_the_writes(held):
    with Writers(held.straight):
        wait_for_mark(held)
    deadline = time.monotonic() + 5
    while marks(held):
        if time.monotonic() > deadline:
            return "no write for 5 s, and the mark still stands"
        time.sleep(0.02)
    return None


def reader_gets_no_cache_while_another_writes(held):
    """Readers come first: a mark is given up when somebody wants the page."""
    with Writers(held.straight) as writers:
        wait_for_mark(held)
        for api in (held.held, held.straight):
            deadline = time.monotonic() + 10
            while read(held, api)[1] != "cache":
                if time.monotonic() > deadline:
                    return f"{api.name}: not once from the cache in 10 s of writing"
        return stale_within(writers, held, 1)


def lost_redis_leaves_an_old_page(held):
    """The connections that have left a mark are closed; then Redis is killed and comes back."""
    with Writers(held.straight) as writers:
        wait_for_mark(held)
        held.stack.redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        found = stale_within(writers, held, 2)
    with Writers(held.straight) as writers:
        wait_for_mark(held)
        held.stack.redis.kill()
        found = found or stale_within(writers, held, 1)
        held.stack.redis.start()
        return found or stale_within(writers, held, 5)


ALL = (page_is_stored_under_a_mark, write_is_answered_without_a_mark, dead_writers_mark_stays,
       frozen_writer_believes_its_mark, mark_outlives_the_writes, reader_gets_no_cache_while_another_writes,
       lost_redis_leaves_an_old_page)
