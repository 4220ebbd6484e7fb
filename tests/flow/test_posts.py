"""GET /api/posts and /api/posts/{id}: pages, cursors, filters, tags, full-text search."""
import threading
import time
import urllib.parse

from case import StackCase, eventually, parse_time, shared_stack
import client

ROW = {"id", "titulo", "conteudo", "autor", "data_criacao"}
Shared, setUpModule, tearDownModule = shared_stack(worker=0, replicas=2)


def ids(answer):
    return [post["id"] for post in answer.json["posts"]]


def query(**params):
    return "/api/posts?" + urllib.parse.urlencode(params)


class FirstStart(StackCase):
    options = {"worker": 0}

    def test_three_posts_are_there(self):
        answer = self.assertStatus(self.get("/api/posts"), 200)
        self.assertEqual(answer.header("content-type"), "application/json; charset=utf-8")
        page = answer.json
        self.assertEqual(set(page), {"fonte", "posts", "proximo"})
        self.assertEqual(page["fonte"], "banco_de_dados")
        self.assertIsNone(page["proximo"])
        self.assertEqual(ids(answer), [3, 2, 1])
        for post in page["posts"]:
            self.assertEqual(set(post), ROW)
            parse_time(post["data_criacao"])

    def test_an_empty_table_is_an_empty_page(self):
        with self.stack.pg.session() as sql:
            kept = sql.query("SELECT id, titulo, conteudo FROM posts")
            sql.query("DELETE FROM posts")
            page = self.get("/api/posts").json
            self.assertEqual((page["posts"], page["proximo"]), ([], None))
            for row in kept:
                sql.query("INSERT INTO posts (id, titulo, conteudo) VALUES (%s, $q$%s$q$, $q$%s$q$)"
                          % row)

    def test_a_page_is_found_by_index_whatever_the_table_was_when_the_api_came(self):
        """A plan that is kept from when there were a few posts read all of them, until the next ANALYZE."""
        def scans():
            time.sleep(1.5)  # a backend tells at most once a second
            self.get("/api/posts")
            time.sleep(1.5)
            return int(self.stack.pg.value("SELECT pg_stat_get_numscans('posts'::regclass)"))
        pages = ("/api/posts", "/api/posts?limite=2", "/api/posts?autor=ninguem", "/api/posts/1")
        self.stack.pg.query("ALTER TABLE posts SET (autovacuum_enabled = off)")
        self.stack.pg.query("ANALYZE posts")
        for _ in range(8):
            for page in pages:
                self.assertStatus(self.get(page), 200)
        self.stack.pg.query("INSERT INTO posts (titulo, conteudo) SELECT 't', 'c' FROM generate_series(1, 20000)")
        before = scans()
        for _ in range(4):
            for page in pages:
                self.assertStatus(self.get(page), 200)
        self.assertEqual(scans(), before)
        self.stack.pg.query("DELETE FROM posts WHERE id > 3")


class One(Shared):
    def test_a_missing_post_is_404(self):
        self.assertRefused(self.get("/api/posts/999999999"), 404)
        self.assertRefused(self.get("/api/posts/9223372036854775807"), 404)

    def test_what_is_no_id_is_refused(self):
        for word in ("abc", "0", "-1", "+1", "1.0", "1e0", "0x1", "9223372036854775808", "9" * 300, "%20",
                     "1%00", "%C3%A9", "1%20", "null", "1;2", "01"):
            with self.subTest(word):
                self.assertRefused(self.get("/api/posts/" + word), (400, 404))

    def test_its_tag_makes_304(self):
        row = self.new_post()
        path = f"/api/posts/{row['id']}"
        tag = self.get(path).header("etag")
        self.assertRegex(tag, r'^"[^"]+"$')
        same = self.get(path, headers={"If-None-Match": tag})
        self.assertStatus(same, 304)
        self.assertEqual(same.body, b"")
        self.assertEqual(same.header("etag"), tag)

    def test_two_posts_have_two_tags(self):
        tags = {self.get(f"/api/posts/{self.new_post()['id']}").header("etag") for _ in range(2)}
        self.assertEqual(len(tags), 2)


class Pages(Shared):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stack.pg.query("INSERT INTO posts (titulo, conteudo, autor) SELECT 'título ' || n,"
                           " 'texto ' || n, 'autor ' || n % 7 FROM generate_series(1, 500) n")

    def walk(self, **params):
        """All ids that the pages give, in order."""
        found, cursor = [], None
        while True:
            page = self.assertStatus(self.get(query(**params, **({"cursor": cursor} if cursor else {}))),
                                     200).json
            found.append([post["id"] for post in page["posts"]])
            cursor = page["proximo"]
            if cursor is None:
                return found
            self.assertLess(len(found), 1000, "the pages do not end")

    def test_the_default_page_has_50_rows_newest_first(self):
        answer = self.get("/api/posts")
        self.assertEqual(len(ids(answer)), 50)
        self.assertEqual(ids(answer), sorted(ids(answer), reverse=True))
        self.assertIsInstance(answer.json["proximo"], str)

    def test_the_limit_is_1_to_100(self):
        for limit in (1, 2, 99, 100):
            self.assertEqual(len(ids(self.get(f"/api/posts?limite={limit}"))), limit)
        for limit in ("0", "101", "-1", "", "abc", "1.5", "1e1", "9" * 40, "%201", "1%20", "0x10", "١"):
            with self.subTest(limit):
                target = "/api/posts?limite=" + urllib.parse.quote(limit, safe="%")
                self.assertRefused(self.get(target), (400, 422), field="limite")

    def test_pages_are_complete_in_order_and_without_doubles(self):
        want = [int(row[0]) for row in self.stack.pg.query("SELECT id FROM posts ORDER BY id DESC")]
        for limit in (7, 33, 100):
            pages = self.walk(limite=limit)
            self.assertEqual(sum(pages, []), want)
            self.assertTrue(all(len(page) == limit for page in pages[:-1]))

    def test_the_last_full_page_knows_that_it_is_the_last(self):
        total = len(sum(self.walk(limite=100, autor="autor 3"), []))
        exact = self.walk(limite=total, autor="autor 3")
        self.assertEqual([len(p) for p in exact], [total])

    def test_pages_stay_complete_while_rows_are_inserted(self):
        before = {int(row[0]) for row in self.stack.pg.query("SELECT id FROM posts")}
        stop = threading.Event()

        def insert():
            with client.Connection(self.stack.apis[1].port) as c:
                while not stop.is_set():
                    c.call("POST", "/api/posts", json={"titulo": "no meio", "conteudo": "x"})
        writers = [threading.Thread(target=insert) for _ in range(3)]
        for w in writers:
            w.start()
        try:
            for limit in (7, 50):
                found = sum(self.walk(limite=limit), [])
                self.assertEqual(len(found), len(set(found)), "a post came twice")
                self.assertEqual(found, sorted(found, reverse=True))
                self.assertLessEqual(before, set(found), "a post was left out")
        finally:
            stop.set()
            for w in writers:
                w.join()

    def test_a_cursor_that_is_not_ours_is_refused_by_name(self):
        good = self.get("/api/posts?limite=1").json["proximo"]
        for bad in ("", "x", "0", "-1", "!!!", "a" * 3000, "é", "' OR 1=1", good + "x", good[:-1], "=" * 8,
                    "9" * 30, good.swapcase() if good.swapcase() != good else "zz"):
            with self.subTest(bad):
                answer = self.get(query(cursor=bad))
                self.assertStatus(answer, (200, 400, 414, 422))
                if answer.status != 200:  # another number may be a cursor, too
                    self.look_at_problem(answer)
        for bad in ("", "!!!", "é", "' OR 1=1"):
            self.assertRefused(self.get(query(cursor=bad)), (400, 422), field="cursor")

    def test_autor_is_exact(self):
        for name in ("Ána", "ana", "Ana", "a%", "a_", "O'Neill", "\\", '"', "名前", "a b", "a+b", "a&b=c"):
            self.new_post(autor=name)
        for name in ("Ána", "ana", "Ana", "a%", "a_", "O'Neill", "\\", '"', "名前", "a b", "a+b", "a&b=c"):
            with self.subTest(name):
                posts = self.get(query(autor=name)).json["posts"]
                self.assertEqual([p["autor"] for p in posts], [name])
        self.assertEqual(self.get(query(autor="ninguém")).json["posts"], [])

    def test_autor_pages_are_complete(self):
        want = [int(r[0]) for r in
                self.stack.pg.query("SELECT id FROM posts WHERE autor = 'autor 3' ORDER BY id DESC")]
        self.assertEqual(sum(self.walk(limite=10, autor="autor 3"), []), want)

    def test_a_very_long_filter_is_no_trouble(self):
        for name in ("autor", "busca"):
            self.assertStatus(self.get(query(**{name: "a" * 3000})), (200, 400, 414, 422, 431))

    # tags

    def test_the_tag_is_strong_and_makes_304_until_something_changes(self):
        first = self.get("/api/posts")
        tag = first.header("etag")
        self.assertRegex(tag, r'^"[^"]+"$')
        for sent in (tag, f'"x", {tag}', f'{tag}, "y"', "*", f"W/{tag}"):
            same = self.get("/api/posts", headers={"If-None-Match": sent})
            self.assertStatus(same, 304)
            self.assertEqual((same.body, same.header("etag")), (b"", tag))
        for sent in ('"x"', tag.strip('"'), tag[:-2] + '"', '""', ""):
            self.assertStatus(self.get("/api/posts", headers={"If-None-Match": sent}), 200)
        self.new_post()
        after = self.get("/api/posts", headers={"If-None-Match": tag})
        self.assertStatus(after, 200)
        self.assertNotEqual(after.header("etag"), tag)

    def test_the_tag_is_the_same_on_every_replica(self):
        tags = {self.get("/api/posts", api=api).header("etag") for api in self.stack.apis}
        self.assertEqual(len(tags), 1)

    def test_filters_and_limits_have_tags_of_their_own(self):
        tags = {self.get(t).header("etag") for t in ("/api/posts", "/api/posts?limite=3",
                                                     query(autor="autor 1"))}
        self.assertEqual(len(tags), 3)


class Search(Shared):
    def search(self, words, **more):
        answer = self.assertStatus(self.get(query(busca=words, **more)), 200)
        return [post["titulo"] for post in answer.json["posts"]]

    def test_a_post_is_found_at_once(self):
        self.new_post("recém-chegado", "acabou de nascer o zepelim")
        self.assertEqual(self.search("zepelim"), ["recém-chegado"])

    def test_titles_and_contents_are_searched(self):
        self.new_post("girassol", "nada")
        self.new_post("nada", "girassol")
        self.assertEqual(len(self.search("girassol")), 2)

    def test_words_are_stemmed_in_portuguese(self):
        self.new_post("gramática", "as meninas corriam pelos jardins")
        for words in ("menina", "correr", "CORRIA", "jardins meninas"):
            with self.subTest(words):
                self.assertIn("gramática", self.search(words))

    def test_accents_do_not_matter(self):
        self.new_post("acento", "a situação do coração é café")
        for words in ("situação", "situacao", "coracao", "CAFE", "Café"):
            with self.subTest(words):
                self.assertIn("acento", self.search(words))

    def test_websearch_syntax_is_understood(self):
        self.new_post("w1", "tigre branco da sibéria")
        self.new_post("w2", "branco tigre listrado")
        self.assertEqual(set(self.search("tigre branco")), {"w1", "w2"})
        self.assertEqual(set(self.search('"tigre branco"')), {"w1"})
        self.assertEqual(set(self.search("tigre -listrado")), {"w1"})
        self.assertEqual(set(self.search("listrado or sibéria")), {"w1", "w2"})

    def test_odd_words_are_no_trouble(self):
        for words in ("'", "\"", "\\", "a & b | !c <-> d:*", "((((", "!", "-", "- -", "o a de", "😀", " ", "a" * 500,
                      "%", "1 or 2", "\u0301", "or or or", '"' * 99, "a\nb", "<->", ":*", "a:b", "-" * 200,
                      "- " * 60, "-a " * 60):
            with self.subTest(words):
                self.assertStatus(self.get(query(busca=words)), (200, 400, 422))

    def test_it_goes_together_with_the_author_and_pages(self):
        for i in range(25):
            self.new_post(f"coleção {i}", "palavra jabuticaba", autor="Pomar" if i % 2 else "Outro")
        found, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = self.get(query(busca="jabuticabas", autor="Pomar", limite=5, **more)).json
            found += [p["titulo"] for p in page["posts"]]
            cursor = page["proximo"]
            if cursor is None:
                break
        self.assertEqual(found, [f"coleção {i}" for i in range(23, 0, -2)])

    def test_what_is_deleted_by_sql_is_found_no_more(self):
        row = self.new_post("efêmero", "borboletário")
        self.assertEqual(self.search("borboletário"), ["efêmero"])
        self.stack.pg.query(f"DELETE FROM posts WHERE id = {row['id']}")
        self.assertEqual(self.search("borboletário"), [])

    def test_posts_written_by_sql_are_found(self):
        self.stack.pg.query("INSERT INTO posts (titulo, conteudo) VALUES ('por fora', 'ornitorrinco')")
        self.assertTrue(eventually(lambda: self.search("ornitorrinco") == ["por fora"], 1))
        self.stack.pg.query("UPDATE posts SET conteudo = 'equidna' WHERE titulo = 'por fora'")
        self.assertEqual(self.search("ornitorrinco"), [])
        self.assertEqual(self.search("equidna"), ["por fora"])
