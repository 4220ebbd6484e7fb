"""Checks of the batch rule and the cache rule. Each returns what went wrong, None when nothing did,
so that a test can also ask that a planted bug is seen."""
import threading
import time

import client
import proxy
import servers

SECONDS = 8


def _new_post(api, titulo):
    answer = client.call(api.port, "POST", "/api/posts", json={"titulo": titulo, "conteudo": "x"},
                         timeout=SECONDS)
    if answer.status != 201:
        raise AssertionError(f"POST answered {answer}")
    return answer.json["id"]


def _ids(answer):
    if answer.status != 200:
        raise AssertionError(f"GET answered {answer}")
    return [post["id"] for post in answer.json["posts"]]


class Background(threading.Thread):
    """One request on a connection of its own; `answer` when it is there."""

    def __init__(self, port, method, target, **more):
        super().__init__(daemon=True)
        self.answer, self.error = None, None
        self._call = (port, method, target), more
        self.start()

    def run(self):
        try:
            self.answer = client.call(*self._call[0], timeout=15, **self._call[1])
        except Exception as error:  # seen by result()
            self.error = error

    def result(self, seconds=SECONDS):
        self.join(seconds)
        if self.error:
            raise self.error
        if self.is_alive():
            raise AssertionError(f"no answer to {self._call[0][1:]} after {seconds} s")
        return self.answer


class HeldStack:
    """A stack whose first API, of one loop, reaches both servers through proxies; the second one goes
    straight."""

    def __init__(self, binaries=None, env=None):
        self.stack = servers.Stack(replicas=2, worker=0, binaries=binaries,
                                   env={"THREADS": "1", "REQUEST_TIMEOUT_MS": "10000", **(env or {})})
        self.pg = proxy.Proxy(self.stack.pg.port)
        self.redis = proxy.Proxy(self.stack.redis.port)
        held, self.straight = self.stack.apis
        held.env["DATABASE_URL"] = held.env["DATABASE_URL"].replace(
            f":{self.stack.pg.port}/", f":{self.pg.port}/")
        held.env["REDIS_PORT"] = str(self.redis.port)
        self.held = held

    def __enter__(self):
        self.stack.start()
        return self

    def hold(self, path, middle=None, having=b"", **more):
        """A GET whose answer from the server is held by the proxy: it was read, and has not come back.
        Before PostgreSQL the cached page is dropped, so that its route has to ask."""
        middle = middle or self.pg
        for _ in range(20):
            if middle is self.pg:
                self.stack.redis.call("DEL", "posts_cache")
            middle.hold_next(having)
            request = Background(self.held.port, "GET", path, **more)
            if not middle.wait_held():
                raise AssertionError(f"{path} did not ask the server")
            request.join(0.1)
            if request.answer is None and request.error is None:
                return request
            middle.release()  # it was another connection's word that was held: a greeting, a PING
        raise AssertionError(f"{path} was answered while its server's answer was held")

    def __exit__(self, *_):
        self.pg.release()
        self.redis.release()
        try:
            self.stack.stop()
        finally:
            self.pg.close()
            self.redis.close()


def read_joins_a_sent_read(held, path, seen):
    """A read is sent and its answer held back; a post is created; a second read of the same must see
    it. `seen(answer)` gives what the answer knows: ids, or the total."""
    first = held.hold(path)
    new = _new_post(held.straight, "depois da leitura")
    second = Background(held.held.port, "GET", path)
    time.sleep(0.3)  # it has joined whatever it joins
    held.pg.release()
    first.result()
    answer = second.result()
    if not seen(answer, new):
        return f"{path}: the second read does not know post {new}: {answer}"
    return None


def list_joins(held):
    return read_joins_a_sent_read(held, "/api/posts", lambda a, new: new in _ids(a))


def filtered_list_joins(held):
    return read_joins_a_sent_read(held, "/api/posts?limite=3", lambda a, new: new in _ids(a))


def search_joins(held):
    return read_joins_a_sent_read(held, "/api/posts?busca=leitura", lambda a, new: new in _ids(a))


def cache_miss_joins(held):
    return read_joins_a_sent_read(held, "/api/posts/cache", lambda a, new: new in _ids(a))


def stats_join(held):
    before = client.call(held.straight.port, "GET", "/api/stats").json["total_posts"]
    return read_joins_a_sent_read(held, "/api/stats",
                                  lambda a, new: a.json["total_posts"] == before + 1)


def stale_page_is_stored(held):
    """A reader finds no page and asks PostgreSQL; the answer is held; a post is written and answered
    with 201 meanwhile; what the reader then stores must not be what others get."""
    reader = held.hold("/api/posts/cache")
    new = _new_post(held.straight, "durante o preenchimento")
    held.pg.release()
    reader.result()
    for api in (held.straight, held.held):
        answer = client.call(api.port, "GET", "/api/posts/cache")
        if new not in _ids(answer):
            return f"post {new} was acknowledged, the page from the cache is older: {answer}"
    return None


def old_hit_is_answered(held):
    """A hit is on its way (held), a post is written and answered, another reader comes: it must not
    share that hit."""
    client.call(held.straight.port, "GET", "/api/posts/cache")
    first = held.hold("/api/posts/cache", held.redis, b"posts_cache")
    new = _new_post(held.straight, "durante o acerto")
    second = Background(held.held.port, "GET", "/api/posts/cache")
    time.sleep(0.3)
    held.redis.release()
    first.result()
    if new not in _ids(second.result()):
        return f"post {new} was acknowledged before the second read came"
    return None


def _until(seen, seconds=8):
    """Until the answer is as it should be; what is refused meanwhile does not count."""
    deadline = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {seconds} s")
        time.sleep(0.02)


def page_of_another_redis_is_stored(held):
    """A reader has noted the version and asks PostgreSQL; the answer is held; a post is written; the reader's
    connection to Redis is lost, and the Redis that it finds then counts its versions anew and has come to the
    same number. What was read must not be stored there."""
    reader = held.hold("/api/posts/cache")
    version = held.stack.redis.call("GET", "posts_cache:versao")
    new = _new_post(held.straight, "antes do outro Redis")
    held.redis.cut()
    _until(lambda: client.call(held.held.port, "GET", "/api/contador").status == 200)
    held.stack.redis.call("SET", "posts_cache:versao", version)
    held.stack.redis.call("DEL", "posts_cache")
    held.pg.release()
    reader.result()
    answer = client.call(held.straight.port, "GET", "/api/posts/cache")
    _until(lambda: client.call(held.held.port, "GET", "/api/posts/cache").json["fonte"] == "cache")
    if new not in _ids(answer):
        return f"post {new} was acknowledged, the page from the cache is older: {answer}"
    return None


JOINS = (list_joins, filtered_list_joins, search_joins, cache_miss_joins, stats_join)
STALE = (stale_page_is_stored,)
ALL = JOINS + STALE + (page_of_another_redis_is_stored, old_hit_is_answered)
