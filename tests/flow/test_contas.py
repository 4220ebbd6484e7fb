"""Accounts: roles, one's own password, the last administrator, the first account, what is kept secret."""
import threading
import time

from accountcase import ENV, GOOD_PASSWORD, OTHER_PASSWORD, AccountCase
from case import StackCase, eventually, shared_stack
import tokens

Shared, setUpModule, tearDownModule = shared_stack(worker=0, replicas=2, env=ENV)


class Contas(AccountCase, Shared):
    pass


class OwnPassword(Contas):
    def change(self, head, current=GOOD_PASSWORD, new=OTHER_PASSWORD, api=None, **more):
        return self.call("POST", "/api/auth/senha", json={"senha_atual": current, "senha_nova": new, **more},
                         headers=head, api=api)

    def test_every_role_may_and_all_other_tokens_end(self):
        for papel in ("admin", "operador", "leitor"):
            account, head = self.as_role(papel)
            others = [self.sign_in(account["email"], GOOD_PASSWORD, api=api) for api in self.stack.apis]
            answer = self.assertStatus(self.change(head, api=self.stack.apis[1]), 200)
            self.assertEqual(answer.header("cache-control"), "no-store")
            self.assertEqual(set(answer.json), {"token", "expira_em", "usuario"})
            self.assertEqual(answer.json["usuario"], account)
            for api in self.stack.apis:
                self.assertUnauthorized(self.get("/api/auth/eu", headers=head, api=api))
                for token in others:
                    self.assertUnauthorized(self.who(token, api=api))
                self.assertStatus(self.who(answer.json["token"], api=api), 200)
            self.sign_in(account["email"], GOOD_PASSWORD, status=401)
            self.sign_in(account["email"], OTHER_PASSWORD)
            noted = self.stack.pg.query("SELECT ator, alvo, detalhe IS NULL FROM auditoria WHERE acao = 'senha_mudada'"
                                        f" AND ator_id = {account['id']}")
            self.assertEqual([tuple(n)[:2] for n in noted], [(account["email"], f"usuario:{account['id']}")])

    def test_refusals_change_nothing(self):
        account, head = self.as_role("leitor")
        self.assertRefused(self.change(head, "errada errada"), 422, "senha_atual")
        self.assertRefused(self.change(head, new=GOOD_PASSWORD), 422, "senha_nova")
        self.assertRefused(self.change(head, new="curta"), 422, "senha_nova")
        self.assertRefused(self.change(head, new=account["email"]), 422, "senha_nova")
        self.assertRefused(self.change(head, new="aaaaaaaaaaaaaa"), 422, "senha_nova")
        self.assertRefused(self.change(head, x=1), 422, "x")
        for field in ("senha_atual", "senha_nova"):
            self.assertRefused(self.change(head, **{field: None}), 422, field)
            self.assertRefused(self.change(head, **{field: 1}), 422, field)
        self.assertUnauthorized(self.change({}), None)
        self.assertStatus(self.get("/api/auth/eu", headers=head), 200)
        self.sign_in(account["email"], GOOD_PASSWORD)

    def test_a_revoked_token_changes_nothing(self):
        account, head = self.as_role("operador")
        self.assertStatus(self.call("POST", "/api/auth/logout", headers=head), 204)
        self.assertUnauthorized(self.change(head))
        self.sign_in(account["email"], GOOD_PASSWORD)

    def test_guesses_are_slowed_like_sign_ins(self):
        account, head = self.as_role("operador")
        found = [self.change(head, f"errada {n}", api=self.stack.apis[n % 2]).status for n in range(13)]
        self.assertEqual(found, [422] * 10 + [429] * 3)
        answer = self.assertRefused(self.change(head), 429)  # the right one, too
        self.assertTrue(1 <= int(answer.header("retry-after")) <= 900, answer)
        self.sign_in(account["email"], GOOD_PASSWORD, status=429)

    def test_of_two_changes_at_once_one_counts(self):
        account, head = self.as_role("operador")
        new = ["primeira de duas senhas", "segunda de duas senhas"]
        found = [None, None]

        def change(n):
            found[n] = self.change(head, new=new[n], api=self.stack.apis[n]).status
        threads = [threading.Thread(target=change, args=(n,)) for n in range(2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sorted(found), [200, 401])
        self.sign_in(account["email"], new[found.index(200)])


class Roles(Contas):
    def test_refusals_of_guarded_routes_are_not_kept(self):
        for method, target in (("GET", "/api/fila"), ("GET", "/api/leads?x=1"), ("PATCH", "/api/posts/1"),
                               ("GET", "/api/entregas/999999999"), ("GET", "/api/auditoria?limite=0")):
            for headers in ({}, {"Authorization": "Bearer a.b.c"}, {"Authorization": f"Bearer {tokens.make()}"},
                            {"Authorization": f"Bearer {tokens.make(papel='leitor')}"}):
                answer = self.call(method, target, headers=headers)
                if answer.status >= 400:
                    self.assertEqual(answer.header("cache-control"), "no-store", (target, answer))
        self.assertIsNone(self.get("/api/posts/999999999").header("cache-control"))

    def test_new_posts_are_in_the_audit_log(self):
        bearer = {"Authorization": f"Bearer {tokens.make()}", "Idempotency-Key": "auditado"}
        made = [self.assertStatus(self.post("/api/posts", {"titulo": "a", "conteudo": "b"}, headers=head), 201).json["id"]
                for head in (bearer, bearer, {"Authorization": bearer["Authorization"]})]
        for number in set(made):  # the repeated one made nothing
            noted = f"SELECT count(*) FROM auditoria WHERE acao = 'post_criado' AND ator_id = 1 AND alvo = 'post:{number}'"
            self.assertTrue(eventually(lambda q=noted: self.stack.pg.value(q) == "1"))

    def test_who_may_do_what(self):
        row = self.post("/api/posts", {"titulo": "t", "conteudo": "c"}, headers=self.admin()).json
        for papel, posts, accounts in (("admin", 200, 200), ("operador", 200, 403), ("leitor", 403, 403)):
            with self.subTest(papel):
                _, head = self.as_role(papel)
                self.assertStatus(self.get("/api/auth/eu", headers=head), 200)
                answer = self.call("PATCH", f"/api/posts/{row['id']}", json={"titulo": papel}, headers=head)
                self.assertStatus(answer, posts)
                created = self.post("/api/posts", {"titulo": "t", "conteudo": "c"}, headers=head)
                self.assertStatus(created, 201 if posts == 200 else 403)
                for method, path, body in (("GET", "/api/usuarios", None), ("GET", "/api/usuarios/1", None)):
                    answer = self.call(method, path, json=body, headers=head)
                    self.assertStatus(answer, accounts)
                    if accounts == 403:
                        self.assertIn('error="insufficient_scope"', answer.header("www-authenticate"))
                if accounts == 403:
                    for method, path, body in (("POST", "/api/usuarios", {}), ("DELETE", "/api/usuarios/1", None),
                                               ("PATCH", "/api/usuarios/1", {"nome": "x"})):
                        self.assertStatus(self.call(method, path, json=body, headers=head), 403)

    def test_posts_want_a_token_when_they_are_told_to(self):
        before = self.stack.pg.value("SELECT count(*) FROM posts")
        self.assertUnauthorized(self.post("/api/posts", {"titulo": "t", "conteudo": "c"}), None)
        self.assertEqual(self.stack.pg.value("SELECT count(*) FROM posts"), before)


class Accounts(Contas):
    def test_create_list_one_change_remove(self):
        account = self.new_account("leitor")
        path = f"/api/usuarios/{account['id']}"
        self.assertEqual(set(account), {"id", "nome", "email", "papel", "ativo", "criado_em"})
        self.assertEqual(self.get(path, headers=self.admin()).json, account)
        self.assertIn(account, self.all_accounts())
        changed = self.call("PATCH", path, json={"nome": "Nova", "papel": "operador"}, headers=self.admin())
        self.assertEqual(self.assertStatus(changed, 200).json, {**account, "nome": "Nova", "papel": "operador"})
        self.assertEqual(self.call("PATCH", path, json={}, headers=self.admin()).json, changed.json)
        self.assertStatus(self.call("DELETE", path, headers=self.admin()), 204)
        for method in ("GET", "DELETE"):
            self.assertRefused(self.call(method, path, headers=self.admin()), 404)
        self.assertRefused(self.call("PATCH", path, json={"senha": OTHER_PASSWORD}, headers=self.admin()), 404)
        self.assertRefused(self.call("PATCH", path, json={"nome": "x"}, headers=self.admin()), 404)

    def all_accounts(self):
        out, cursor = [], ""
        while cursor is not None:
            page = self.assertStatus(self.get(f"/api/usuarios?limite=2{cursor}", headers=self.admin()), 200).json
            out += page["usuarios"]
            cursor = "&cursor=" + page["proximo"] if page["proximo"] else None
        return out

    def test_pages_have_each_account_once(self):
        for _ in range(5):
            self.new_account()
        ids = [a["id"] for a in self.all_accounts()]
        self.assertEqual(ids, sorted(set(ids)))
        self.assertEqual(len(ids), int(self.stack.pg.value("SELECT count(*) FROM usuarios")))
        self.assertRefused(self.get("/api/usuarios?limite=0", headers=self.admin()), 400, "limite")
        self.assertRefused(self.get("/api/usuarios?cursor=cDEuMw", headers=self.admin()), 400, "cursor")

    def test_an_address_belongs_to_one_account_whatever_its_case(self):
        account = self.new_account()
        answer = self.post("/api/usuarios", {"nome": "x", "email": account["email"].upper(), "papel": "leitor",
                                             "senha": GOOD_PASSWORD}, headers=self.admin())
        self.assertRefused(answer, 409, "email")

    def test_bad_fields_are_refused_by_name(self):
        good = {"nome": "x", "email": "certo@alicerce.test", "papel": "leitor", "senha": GOOD_PASSWORD}
        bad = [("email", v) for v in ("x", "a@b", "@b.c", "a@@b.c", "a b@c.d", "é@b.c", "a@b.c.", "a" * 65 + "@b.c",
                                      "a@" + "b" * 64 + ".c", ".a@b.c", 1)]
        bad += [("senha", v) for v in ("curta demais", "senha1234567", "Password@2026!", "123456789012",
                                       "qwertyuiopasdf", "aaaaaaaaaaaaaa", "abcabcabcabcabc", "x" * 129,
                                       "certo@alicerce.test", "CERTO@alicerce.test1") if v != "curta demais"]
        bad += [("papel", "root"), ("papel", None), ("nome", ""), ("nome", "x" * 101), ("outro", 1)]
        for field, value in bad:
            with self.subTest(field=field, value=value):
                self.assertRefused(self.post("/api/usuarios", {**good, field: value}, headers=self.admin()),
                                   422, field)
        for field in ("nome", "papel", "senha", "ativo"):
            self.assertRefused(self.call("PATCH", "/api/usuarios/1", json={field: None}, headers=self.admin()),
                               422, field)
        self.assertRefused(self.call("PATCH", "/api/usuarios/1", json={"senha": tokens.ADMIN_EMAIL},
                                     headers=self.admin()), 422, "senha")

    def test_hashes_are_argon2id_and_go_nowhere(self):
        self.new_account()
        for (value,) in self.stack.pg.query("SELECT senha FROM usuarios"):
            self.assertRegex(value, r"^\$argon2id\$v=19\$m=19456,t=2,p=1\$")
        self.assertNotIn("argon2", self.get("/api/usuarios", headers=self.admin()).text)

    def test_the_last_administrator_stays(self):
        others = [a["id"] for a in self.all_accounts() if a["papel"] == "admin" and a["id"] != 1]
        for number in others:
            self.assertStatus(self.call("DELETE", f"/api/usuarios/{number}", headers=self.admin()), 204)
        for change in ({"papel": "operador"}, {"ativo": False}):
            self.assertRefused(self.call("PATCH", "/api/usuarios/1", json=change, headers=self.admin()), 409)
        self.assertRefused(self.call("DELETE", "/api/usuarios/1", headers=self.admin()), 409)

    def test_two_administrators_cannot_remove_each_other(self):
        for _ in range(2):
            a, b = self.as_role("admin"), self.as_role("admin")
            mine = self.admin()
            self.stack.pg.query("UPDATE usuarios SET papel = 'leitor' WHERE papel = 'admin' AND id NOT IN"
                                f" ({a[0]['id']}, {b[0]['id']})")
            found = []

            def remove(target, head, api):
                found.append(self.call("DELETE", f"/api/usuarios/{target['id']}", headers=head, api=api).status)
            threads = [threading.Thread(target=remove, args=(b[0], a[1], self.stack.apis[0])),
                       threading.Thread(target=remove, args=(a[0], b[1], self.stack.apis[1]))]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            left = int(self.stack.pg.value("SELECT count(*) FROM usuarios WHERE papel = 'admin' AND ativo"))
            self.stack.pg.query("UPDATE usuarios SET papel = 'admin' WHERE id = 1")
            self.assertEqual(left, 1, found)
            self.assertEqual(found.count(204), 1, found)
            self.assertStatus(self.get("/api/usuarios", headers=mine), 200)


    def test_the_second_of_two_removals_waits_for_the_first(self):
        """Planted once: without the table's lock it does not, both pass and no administrator is left."""
        a, b = (self.new_account("admin")["id"] for _ in "ab")
        self.stack.pg.query(f"UPDATE usuarios SET papel = 'leitor' WHERE papel = 'admin' AND id NOT IN ({a}, {b})")
        found = []

        def second():
            found.append(self.stack.pg.value(f"SELECT situacao FROM usuario_remover({b}, {1 << 40}, {a})"))
        thread = threading.Thread(target=second)
        try:
            with self.stack.pg.session() as first:
                first.query("BEGIN")
                self.assertEqual(first.query(f"SELECT situacao FROM usuario_remover({a}, {1 << 40}, {b})"), [("ok",)])
                thread.start()
                time.sleep(0.3)
                first.query("COMMIT")
                thread.join()
            self.assertEqual(found, ["ator"])
            self.assertEqual(self.stack.pg.value("SELECT count(*) FROM usuarios WHERE papel = 'admin'"), "1")
        finally:
            self.stack.pg.query("UPDATE usuarios SET papel = 'admin' WHERE id = 1")


class Secrets(Contas):
    def test_no_log_line_holds_a_password_a_token_or_a_secret(self):
        """At debug level, after all kinds of requests with them."""
        token = self.sign_in()
        self.sign_in(senha="uma senha errada qualquer", status=401)
        self.get("/api/auth/eu", headers=self.auth(token + "x"))
        self.get(f"/api/posts?token={token}")
        self.post("/api/auth/login", body=b'{"email":"a@b.c","senha":"um segredo mal colocado"',
                  headers={"Content-Type": "application/json"})
        self.call("PATCH", "/api/usuarios/1", json={"senha": "curta"}, headers=self.auth(token))
        self.call("POST", "/api/auth/logout", headers=self.auth(token))
        self.stack.redis.kill()
        for api in self.stack.apis:  # what fails is logged at this level
            self.assertRetryLater(self.post("/api/auth/login", {"email": "a@b.c", "senha": GOOD_PASSWORD}, api=api))
            self.assertRetryLater(self.get("/api/auth/eu", headers=self.auth(token), api=api))
        self.stack.redis.start()
        for api in self.stack.apis:
            api.wait_serving()
        hashes = [row[0] for row in self.stack.pg.query("SELECT senha FROM usuarios")]
        for api in self.stack.apis:
            log = api.log()
            self.assertIn('"nivel":"debug"', log)
            for secret in [tokens.SECRET, tokens.ADMIN_PASSWORD, GOOD_PASSWORD, OTHER_PASSWORD, token,
                           token.split(".")[1], "uma senha errada", "mal colocado", *hashes]:
                self.assertFalse(secret in log, secret)


class FirstAccount(StackCase):
    options = {"worker": 0, "replicas": 3, "env": tokens.ENV}

    def test_replicas_that_start_at_once_make_one_account(self):
        self.assertEqual(self.stack.pg.query("SELECT id::text, email, papel FROM usuarios"),
                         [("1", tokens.ADMIN_EMAIL, "admin")])

    def test_another_start_makes_no_other(self):
        api = self.stack.add_api(env={"ADMIN_EMAIL": "outro@alicerce.test"}).start()
        self.addCleanup(api.stop)
        api.wait_serving()
        self.assertEqual(self.stack.pg.value("SELECT count(*) FROM usuarios"), "1")
