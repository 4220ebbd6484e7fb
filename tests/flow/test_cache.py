"""/api/posts/cache: from Redis, and never older than an acknowledged write, from any replica."""
import json
import re
import threading
import time

from case import StackCase, eventually
import client

PATH = "/api/posts/cache"


class Cache(StackCase):
    options = {"worker": 0, "replicas": 2}

    def drop(self):
        self.stack.redis.call("DEL", "posts_cache")

    def test_the_first_answer_is_read_and_stored_the_second_comes_from_redis(self):
        self.drop()
        first, second = self.get(PATH), self.get(PATH)
        self.assertStatus(first, 200)
        self.assertEqual((first.json["fonte"], second.json["fonte"]), ("banco_de_dados", "cache"))
        self.assertEqual(first.json["posts"], second.json["posts"])
        self.assertEqual(first.json["proximo"], second.json["proximo"])

    def test_it_is_the_first_page_of_posts(self):
        page, cached = self.get("/api/posts").json, self.get(PATH).json
        self.assertEqual((cached["posts"], cached["proximo"]), (page["posts"], page["proximo"]))

    def test_the_other_replica_reads_what_one_stored(self):
        self.drop()
        self.get(PATH, api=self.stack.apis[0])
        self.assertEqual(self.get(PATH, api=self.stack.apis[1]).json["fonte"], "cache")

    def test_the_key_is_a_plain_json_string_that_lives_60_seconds(self):
        self.drop()
        page = self.get(PATH).json
        self.assertEqual(self.stack.redis.call("TYPE", "posts_cache"), b"string")
        stored = json.loads(self.stack.redis.call("GET", "posts_cache"))
        self.assertEqual(stored["posts"], page["posts"])
        self.assertIn(self.stack.redis.call("TTL", "posts_cache"), (59, 60))

    def test_its_tag_makes_304(self):
        self.get(PATH)
        tag = self.get(PATH).header("etag")
        self.assertRegex(tag, r'^"[^"]+"$')
        self.assertStatus(self.get(PATH, headers={"If-None-Match": tag}), 304)
        self.new_post()
        self.assertStatus(self.get(PATH, headers={"If-None-Match": tag}), 200)

    def test_a_post_is_in_the_next_answer_of_every_replica(self):
        for i in range(20):
            row = self.new_post(f"post {i}", api=self.stack.apis[i % 2])
            for api in self.stack.apis:
                for _ in range(2):
                    posts = self.get(PATH, api=api).json["posts"]
                    self.assertEqual(posts[0]["id"], row["id"], f"round {i}, {api.name}")

    def test_a_post_with_an_idempotency_key_counts_too(self):
        for i in range(5):
            self.get(PATH)
            answer = self.post("/api/posts", {"titulo": "a", "conteudo": "b"},
                               headers={"Idempotency-Key": f"cache-{i}"}, api=self.stack.apis[i % 2])
            self.assertEqual(self.get(PATH).json["posts"][0]["id"], answer.json["id"])

    def test_what_is_no_page_of_ours_is_read_anew(self):
        """Older systems kept a bare list under this key; 200 with such a body is no answer."""
        row = self.new_post("um")
        for left in ("", "x", "[]", "null", '{"posts":[]}', '[{"id":1,"titulo":"velho"}]', b"\xff\xfe",
                     '{"fonte":"banco_de_dados","posts":[],"proximo":null}', '{"fonte":"cache","posts":[', "{" * 9000):
            with self.subTest(left):
                self.stack.redis.call("SET", "posts_cache", left)
                first, second = self.get(PATH), self.get(PATH)
                self.assertEqual((first.json["fonte"], second.json["fonte"]), ("banco_de_dados", "cache"))
                for answer in (first, second):
                    self.assertEqual(answer.json["posts"][0]["id"], row["id"])
                self.assertIn(self.stack.redis.call("TTL", "posts_cache"), (59, 60))

    def test_a_value_of_another_type_in_redis_is_no_trouble(self):
        for command in (("RPUSH", "posts_cache", "x"), ("HSET", "posts_cache", "a", "b")):
            self.drop()
            self.stack.redis.call(*command)
            answer = self.assertStatus(self.get(PATH), 200)
            self.assertEqual(answer.json["fonte"], "banco_de_dados")
            self.new_post()
            self.assertStatus(self.get(PATH), 200)
        self.drop()

    def test_a_version_that_is_none_of_ours_does_not_hold_up_writes(self):
        """It cannot be counted on: each write waited for its deadline, and was answered 503."""
        for command in (("SET", "posts_cache:versao", "x"), ("SET", "posts_cache:versao", str(2**63 - 1)),
                        ("RPUSH", "posts_cache:versao", "x"), ("HSET", "posts_cache:versao", "a", "b")):
            self.stack.redis.call("DEL", "posts_cache:versao")
            self.assertStatus(self.get(PATH), 200)
            self.stack.redis.call(*command)
            row = self.new_post()
            for api in self.stack.apis:
                self.assertEqual(self.get(PATH, api=api).json["posts"][0]["id"], row["id"], command)
        self.assertEqual(self.get(PATH).json["fonte"], "cache")

    def test_marks_that_are_none_of_ours_go_with_the_next_removal_that_looks_at_them(self):
        self.stack.redis.call("SET", "posts_cache:gravando", "x")
        self.stack.apis[1].restart()  # a new connection takes its mark away, if there is one
        self.stack.apis[1].wait_serving()
        self.assertTrue(eventually(lambda: not self.stack.redis.call("EXISTS", "posts_cache:gravando"), 5))
        row = self.new_post()
        for api in (*self.stack.apis, *self.stack.apis):
            answer = self.get(PATH, api=api)
            self.assertEqual(answer.json["posts"][0]["id"], row["id"])
        self.assertEqual(answer.json["fonte"], "cache")

    def test_flushing_redis_is_no_trouble(self):
        self.get(PATH)
        self.stack.redis.call("FLUSHALL")
        row = self.new_post()
        self.assertEqual(self.get(PATH).json["posts"][0]["id"], row["id"])

    def test_while_readers_hammer_two_replicas_no_answer_is_older_than_a_201(self):
        """Planted bugs that it catches: no invalidation, invalidation after the 201, a fill without
        the version guard (test_batch_rule has the last one without luck)."""
        acknowledged, stop, wrong, reads = [0], threading.Event(), [], [0]

        def read(api):
            with client.Connection(api.port) as c:
                while not stop.is_set():
                    floor = acknowledged[0]
                    answer = c.call("GET", PATH)
                    reads[0] += 1
                    newest = answer.json["posts"][0]["id"] if answer.status == 200 else None
                    if newest is None or newest < floor:
                        wrong.append((floor, newest, answer.status, api.name))
                        return
        readers = [threading.Thread(target=read, args=(self.stack.apis[n % 2],)) for n in range(6)]
        for r in readers:
            r.start()
        writers = [client.Connection(api.port) for api in self.stack.apis]
        deadline = time.monotonic() + 6
        written = 0
        while time.monotonic() < deadline and not wrong:
            answer = writers[written % 2].call("POST", "/api/posts",
                                               json={"titulo": "martelo", "conteudo": "x"})
            self.assertStatus(answer, 201)
            acknowledged[0] = answer.json["id"]
            written += 1
            if written % 3 == 0:
                time.sleep(0.004)  # let a fill happen
        stop.set()
        for thread in readers:
            thread.join()
        for w in writers:
            w.close()
        self.assertEqual(wrong, [])
        self.assertGreater(written, 100)
        self.assertGreater(reads[0], 300)


class ShortLife(StackCase):
    options = {"worker": 0, "env": {"POSTS_CACHE_TTL": "1"}}

    def test_the_life_of_the_page_is_posts_cache_ttl(self):
        self.get(PATH)
        self.assertEqual(self.stack.redis.call("TTL", "posts_cache"), 1)
        self.assertTrue(eventually(lambda: self.get(PATH).json["fonte"] == "banco_de_dados", 3))


class WithoutRedis(StackCase):
    options = {"worker": 0, "replicas": 2}

    def test_postgresql_answers_while_redis_is_away_and_the_page_is_true_again_after(self):
        self.get(PATH)
        self.stack.redis.kill()
        rows = []
        for i in range(3):
            rows.append(self.new_post(f"sem redis {i}", api=self.stack.apis[i % 2]))
            for api in self.stack.apis:
                answer = self.assertStatus(self.get(PATH, api=api), 200)
                self.assertEqual(answer.json["fonte"], "banco_de_dados")
                self.assertEqual(answer.json["posts"][0]["id"], rows[-1]["id"])
        self.stack.redis.start()  # with the page of before these posts still in it
        deadline = time.monotonic() + 6
        while time.monotonic() < deadline:
            for api in self.stack.apis:
                posts = self.assertStatus(self.get(PATH, api=api), 200).json["posts"]
                self.assertEqual(posts[0]["id"], rows[-1]["id"], api.name)
        self.assertEqual(self.get(PATH).json["fonte"], "cache", "the cache is not used again")


class LostConnections(StackCase):
    """Writes that are acknowledged while their own replica does not reach Redis and others do."""

    options = {"worker": 0, "replicas": 2, "env": {"THREADS": "1"},
               "redis_settings": {"key-load-delay": "2000",  # microseconds for each key
                                  "loading-process-events-interval-bytes": "1024"}}

    def assertSeen(self, row):
        for api in self.stack.apis:
            self.assertEqual(self.get(PATH, api=api).json["posts"][0]["id"], row["id"], api.name)

    def fill(self):
        for api in self.stack.apis:
            self.assertTrue(eventually(
                lambda one=api: self.get(PATH, api=one).json["fonte"] == "cache", 8), api.name)

    def test_when_redis_closes_one_connection_and_lives_on(self):
        self.stack.apis[1].restart()
        self.stack.apis[1].wait_serving()
        self.fill()
        clients = self.stack.redis.call("CLIENT", "LIST").decode().splitlines()
        ids = [int(re.match(r"id=(\d+)", c).group(1)) for c in clients if "alicerce-api" in c]
        self.stack.redis.call("CLIENT", "KILL", "ID", str(max(ids)))  # of the one that came last
        self.assertSeen(self.new_post(api=self.stack.apis[1]))

    def test_a_post_before_the_first_connection_of_a_new_replica(self):
        self.fill()
        self.stack.apis[1].stop()
        self.stack.redis.freeze()
        self.stack.apis[1].launch()
        self.stack.apis[1].wait_ready()
        answers = []

        def write():
            while not answers or answers[-1].status != 201:
                answers.append(self.post("/api/posts", {"titulo": "a", "conteudo": "b"},
                                         api=self.stack.apis[1]))
        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(0.9)  # less than the connection's 2 s
        self.stack.redis.thaw()
        writer.join()
        self.assertSeen(answers[-1].json)

    def test_when_redis_comes_back_and_loads_for_a_while(self):
        """It answers -LOADING to the command that removes the page of before."""
        with self.stack.redis.session() as session:
            for i in range(1500):
                session.call("SET", f"carga:{i}", "x")
            session.call("BGREWRITEAOF")
        self.fill()
        self.stack.redis.kill()
        row = self.new_post()
        self.stack.redis.start()  # some 3 s
        deadline = time.monotonic() + 6
        while time.monotonic() < deadline:
            self.assertSeen(row)
