"""PUT, PATCH and DELETE of a post: fields, If-Match, what follows in the cache, the total and the search."""
import threading

from case import eventually, parse_time, shared_stack
import tokens

Shared, setUpModule, tearDownModule = shared_stack(worker=0, replicas=2, env=tokens.ENV)
MERGE = "application/merge-patch+json"


class Change(Shared):
    @property
    def token(self):
        if not hasattr(Change, "_token"):
            answer = self.post("/api/auth/login", {"email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD})
            Change._token = answer.json["token"]
        return Change._token

    def change(self, method, row, json=None, if_match=None, api=None, kind=None, **more):
        headers = {"Authorization": f"Bearer {self.token}"}
        if if_match is not None:
            headers["If-Match"] = if_match
        if kind:
            headers["Content-Type"] = kind
        number = row["id"] if isinstance(row, dict) else row
        return self.call(method, f"/api/posts/{number}", headers=headers, json=json, api=api, **more)

    def tag(self, row):
        return self.get(f"/api/posts/{row['id']}").header("etag")

    def test_put_replaces_the_whole_post(self):
        row = self.new_post("a", "b", autor="c")
        answer = self.change("PUT", row, {"titulo": "x", "conteudo": "y"})
        self.assertStatus(answer, 200)
        self.assertEqual(answer.json, {**row, "titulo": "x", "conteudo": "y", "autor": "Anônimo"})
        now = self.get(f"/api/posts/{row['id']}")
        self.assertEqual(now.json, answer.json)
        self.assertEqual(now.header("etag"), answer.header("etag"))
        parse_time(answer.json["data_criacao"])

    def test_patch_merges(self):
        for kind in (None, MERGE, "application/json"):
            row = self.new_post("a", "b", autor="c")
            row["titulo"] = "x"
            self.assertEqual(self.assertStatus(self.change("PATCH", row, {"titulo": "x"}, kind=kind), 200).json, row)
            row["autor"] = "Anônimo"
            self.assertEqual(self.change("PATCH", row, {"autor": None}, kind=kind).json, row)
            self.assertEqual(self.assertStatus(self.change("PATCH", row, {}, kind=kind), 200).json, row)

    def test_bad_bodies_are_refused_by_name_and_change_nothing(self):
        row = self.new_post()
        for method, body, field in (
                ("PUT", {"titulo": "x"}, "conteudo"), ("PUT", {"conteudo": "x"}, "titulo"), ("PUT", {}, "titulo"),
                ("PATCH", {"titulo": None}, "titulo"), ("PATCH", {"conteudo": None}, "conteudo"),
                ("PATCH", {"titulo": ""}, "titulo"), ("PATCH", {"titulo": "x" * 201}, "titulo"),
                ("PATCH", {"conteudo": 1}, "conteudo"), ("PATCH", {"autor": "x" * 101}, "autor"),
                ("PATCH", {"id": 1}, "id"), ("PUT", {"titulo": "x", "conteudo": "y", "data_criacao": "z"},
                                             "data_criacao")):
            with self.subTest(method=method, body=str(body)[:60]):
                self.assertRefused(self.change(method, row, body), 422, field)
        for method in ("PUT", "PATCH"):
            self.assertStatus(self.change(method, row, body=b"[]"), 400)
            self.assertStatus(self.change(method, row, body=b"a=b", kind="text/plain"), 415)
            self.assertRefused(self.change(method, "abc", {"titulo": "x", "conteudo": "y"}), 400, "id")
        self.assertEqual(self.get(f"/api/posts/{row['id']}").json, row)

    def test_what_is_not_there_is_404(self):
        for method, body in (("PUT", {"titulo": "x", "conteudo": "y"}), ("PATCH", {"titulo": "x"}), ("DELETE", None)):
            for if_match in (None, "*", '"00000000000000000000000000000000"'):
                self.assertRefused(self.change(method, 2 ** 62, body, if_match), 404)

    def test_without_a_token_nothing_changes(self):
        row = self.new_post()
        for method, body in (("PUT", {"titulo": "x", "conteudo": "y"}), ("PATCH", {"titulo": "x"}), ("DELETE", None)):
            self.assertRefused(self.call(method, f"/api/posts/{row['id']}", json=body), 401)
        self.assertEqual(self.get(f"/api/posts/{row['id']}").json, row)

    def test_delete_removes_and_the_total_follows_at_once(self):
        row = self.new_post()
        before = self.get("/api/stats").json["total_posts"]
        self.assertStatus(self.change("DELETE", row), 204)
        for api in self.stack.apis:
            self.assertEqual(self.get("/api/stats", api=api).json["total_posts"], before - 1)
            self.assertRefused(self.get(f"/api/posts/{row['id']}", api=api), 404)
        self.assertRefused(self.change("DELETE", row), 404)

    def test_if_match_lets_only_what_was_seen_be_changed(self):
        row = self.new_post()
        old = self.tag(row)
        new = self.assertStatus(self.change("PATCH", row, {"titulo": "1"}, old), 200).header("etag")
        for method, body in (("PATCH", {"titulo": "2"}), ("PUT", {"titulo": "2", "conteudo": "2"}), ("DELETE", None)):
            self.assertRefused(self.change(method, row, body, old), 412)
            self.assertRefused(self.change(method, row, body, "W/" + new), 412)  # strong comparison
            self.assertRefused(self.change(method, row, body, '""'), 412)
        self.assertEqual(self.get(f"/api/posts/{row['id']}").json["titulo"], "1")
        self.assertStatus(self.change("PATCH", row, {"titulo": "3"}, f'"outra", {new}'), 200)
        self.assertStatus(self.change("PATCH", row, {"titulo": "4"}, "*"), 200)
        self.assertStatus(self.change("DELETE", row, None, self.tag(row)), 204)

    def test_of_many_that_saw_the_same_one_changes_it(self):
        """Planted once: compared without the row's version in the UPDATE, several pass."""
        for round_ in range(5):
            row = self.new_post()
            tag, found = self.tag(row), []

            def change(n):
                api = self.stack.apis[n % 2]
                found.append((self.change("PATCH", row, {"titulo": f"{round_}-{n}"}, tag, api=api).status, n))
            threads = [threading.Thread(target=change, args=(n,)) for n in range(8)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            won = [n for status, n in found if status == 200]
            self.assertEqual(len(won), 1, found)
            self.assertEqual({status for status, _ in found}, {200, 412}, found)
            self.assertEqual(self.get(f"/api/posts/{row['id']}").json["titulo"], f"{round_}-{won[0]}")

    def test_the_cached_page_follows_at_once_on_both_replicas(self):
        """Planted once: answered without clearing, the old page comes back."""
        def cached(api):
            return {p["id"]: p["titulo"] for p in self.get("/api/posts/cache", api=api).json["posts"]}
        eventually(lambda: self.get("/api/posts/cache").json["fonte"] == "cache")
        for n in range(20):
            row = self.new_post()
            here, there = self.stack.apis[n % 2], self.stack.apis[(n + 1) % 2]
            cached(there)
            self.change("PATCH", row, {"titulo": f"mudado {n}"}, api=here)
            self.assertEqual(cached(there)[row["id"]], f"mudado {n}")
            self.change("DELETE", row, api=here)
            self.assertNotIn(row["id"], cached(there))

    def test_the_search_follows(self):
        row = self.new_post("palavra jabuticaba", "x")
        self.change("PATCH", row, {"titulo": "palavra pitanga"})
        self.assertEqual(self.get("/api/posts?busca=jabuticaba").json["posts"], [])
        self.assertEqual([p["id"] for p in self.get("/api/posts?busca=pitanga").json["posts"]], [row["id"]])
        self.change("DELETE", row)
        self.assertEqual(self.get("/api/posts?busca=pitanga").json["posts"], [])

    def test_without_redis_nothing_is_changed(self):
        """A token that cannot be asked about is not believed (tests/fault has the whole of it)."""
        row = self.new_post()
        self.stack.redis.kill()
        try:
            self.assertRetryLater(self.change("DELETE", row))
        finally:
            self.stack.redis.start()
            for api in self.stack.apis:
                api.wait_serving()
        self.assertEqual(self.get(f"/api/posts/{row['id']}").json, row)

    def test_pages_of_others_may_change_posts(self):
        answer = self.call("OPTIONS", "/api/posts/1", headers={"Origin": "http://localhost"})
        self.assertStatus(answer, 204)
        methods = {m.strip() for m in answer.header("access-control-allow-methods").split(",")}
        self.assertLessEqual({"PUT", "PATCH", "DELETE"}, methods)
        allowed = {h.strip().lower() for h in answer.header("access-control-allow-headers").split(",")}
        self.assertLessEqual({"authorization", "if-match", "content-type"}, allowed)
