"""Tokens: signing in and out, forged ones, revocation on every replica, secrets that are missing or rotated."""
import re
import time

from accountcase import ENV, GOOD_PASSWORD, OTHER_PASSWORD, AccountCase
from case import StackCase, eventually, parse_time, shared_stack
import client
import servers
import tokens

Shared, setUpModule, tearDownModule = shared_stack(worker=0, replicas=2, env=ENV)


class Contas(AccountCase, Shared):
    pass


class SignIn(Contas):
    def test_a_token_and_the_account_come_back(self):
        answer = self.post("/api/auth/login", {"email": tokens.ADMIN_EMAIL.upper(),
                                               "senha": tokens.ADMIN_PASSWORD})
        self.assertStatus(answer, 200)
        self.assertEqual(answer.header("cache-control"), "no-store")
        self.assertEqual(set(answer.json), {"token", "expira_em", "usuario"})
        account = answer.json["usuario"]
        self.assertEqual({k: account[k] for k in ("id", "email", "papel", "ativo")},
                         {"id": 1, "email": tokens.ADMIN_EMAIL, "papel": "admin", "ativo": True})
        claims = tokens.read(answer.json["token"])
        self.assertEqual((claims["sub"], claims["papel"]), ("1", "admin"))
        self.assertEqual(claims["exp"] - claims["iat"], 900)
        self.assertEqual(parse_time(answer.json["expira_em"]).timestamp(), claims["exp"])
        self.assertLess(abs(claims["iat"] - time.time()), 5)
        self.assertRegex(claims["jti"], "^[0-9a-f]{32}$")
        mine = self.assertStatus(self.who(answer.json["token"]), 200)
        self.assertEqual(mine.json["usuario"], account)
        self.assertEqual(mine.header("cache-control"), "no-store")

    def test_wrong_and_unknown_get_the_same_answer(self):
        found = []
        for email, senha in ((tokens.ADMIN_EMAIL, "errada"), ("ninguem@alicerce.test", "errada"),
                             ("nem é um endereço", "errada")):
            answer = self.sign_in(email, senha, status=401)
            self.assertUnauthorized(answer, None)
            found.append(answer.body)
        self.assertEqual(len(set(found)), 1, found)

    def test_wrong_and_unknown_take_the_same_time(self):
        """Planted once: without the hash for an unknown address it answers ten times as fast."""
        account = self.new_account()
        took = {}
        for email in (account["email"], "ninguem2@alicerce.test"):
            times = []
            for _ in range(5):
                begun = time.monotonic()
                self.sign_in(email, "errada errada", status=401)
                times.append(time.monotonic() - begun)
            took[email] = min(times)
        fast, slow = sorted(took.values())
        self.assertLess(slow, fast * 3 + 0.01, took)

    def test_bad_bodies_are_refused_by_name(self):
        for body, field in (({}, "email"), ({"email": "a@b.c"}, "senha"), ({"email": 1, "senha": "x"}, "email"),
                            ({"email": "a@b.c", "senha": "x" * 129}, "senha"),
                            ({"email": "a" * 255, "senha": "x"}, "email"),
                            ({"email": "a@b.c", "senha": "x", "outro": 1}, "outro")):
            self.assertRefused(self.post("/api/auth/login", body), 422, field)

    def test_an_account_that_is_not_active_cannot_sign_in(self):
        account = self.new_account()
        token = self.sign_in(account["email"], GOOD_PASSWORD)
        self.assertStatus(self.call("PATCH", f"/api/usuarios/{account['id']}", json={"ativo": False},
                                    headers=self.admin()), 200)
        self.assertUnauthorized(self.who(token))
        self.sign_in(account["email"], GOOD_PASSWORD, status=401)
        self.assertStatus(self.call("PATCH", f"/api/usuarios/{account['id']}", json={"ativo": True},
                                    headers=self.admin()), 200)
        self.assertUnauthorized(self.who(token))  # the old token stays dead
        self.assertStatus(self.who(self.sign_in(account["email"], GOOD_PASSWORD)), 200)


class Forged(Contas):
    def test_every_forged_token_is_401_and_costs_no_server_call(self):
        good = self.sign_in()
        self.assertStatus(self.who(good), 200)
        self.assertStatus(self.who(tokens.make()), 200)  # the catalogue's own maker makes good ones
        asked = self.commands(), self.statements()
        for what, token in tokens.forged(good):
            with self.subTest(what):
                for target in ("/api/auth/eu", "/api/usuarios"):
                    answer = self.get(target, headers={"Authorization": "Bearer " + token})
                    self.assertUnauthorized(answer, "invalid_token" if token else None)
        after = self.commands(), self.statements()
        self.assertLess(after[0] - asked[0], 40, "Redis was asked")  # PINGs of silence
        self.assertLess(after[1] - asked[1], 10, "PostgreSQL was asked")

    def commands(self):
        text = self.stack.redis.call("INFO", "stats").decode()
        return int(re.search(r"total_commands_processed:(\d+)", text).group(1))

    def statements(self):
        return int(self.stack.pg.value("SELECT xact_commit + xact_rollback FROM pg_stat_database"
                                       " WHERE datname = 'alicerce'"))

    def test_a_token_of_20_kb_is_refused_with_a_problem(self):
        for size in (1100, 3000, 4200, 5000, 8000, 20000):
            with self.subTest(size):
                answer = client.call(self.api.port, "GET", "/api/auth/eu", {"Authorization": "Bearer " + "a" * size})
                self.assertStatus(answer, (401, 431))
                self.assertIn("application/problem+json", answer.header("content-type") or "", answer)
                self.assertEqual(answer.json["status"], answer.status)

    def test_other_schemes_and_none_are_401(self):
        token = self.sign_in()
        self.assertUnauthorized(self.get("/api/auth/eu"), None)
        for value in ("", "Bearer", "Basic YTpi", token, f"Token {token}", f"Bearer{token}"):
            with self.subTest(value[:20]):
                self.assertUnauthorized(self.get("/api/auth/eu", headers={"Authorization": value}), None)
        self.assertStatus(self.get("/api/auth/eu", headers={"Authorization": f"bearer   {token}"}), 200)
        with self.connect() as c:
            c.send(client.head("GET", "/api/auth/eu", [("Authorization", f"Bearer {token}")] * 2))
            self.assertStatus(c.read(), 400)

    def test_the_query_is_no_place_for_a_token(self):
        self.assertUnauthorized(self.get(f"/api/auth/eu?access_token={self.sign_in()}"), None)

    def test_a_minute_of_difference_between_clocks_is_forgiven(self):
        now = int(time.time())
        for changes in ({"iat": now + 40, "exp": now + 900}, {"iat": now - 900, "exp": now - 30},
                        {"nbf": now + 40}):
            self.assertStatus(self.who(tokens.make(**changes)), 200)

    def test_a_token_is_not_believed_past_its_end_though_it_was_verified(self):
        """Verified signatures are remembered; their ends are asked anew."""
        now = int(time.time())
        token = tokens.make(iat=now - 800, exp=now - 57)
        self.assertStatus(self.who(token), 200)
        self.assertTrue(eventually(lambda: self.who(token).status == 401, 8, 0.2))


class Revocation(Contas):
    def test_signing_out_holds_on_the_other_replica_at_once(self):
        here, there = self.stack.apis
        for _ in range(10):
            token = self.sign_in(api=here)
            self.assertStatus(self.who(token, api=there), 200)
            self.assertStatus(self.call("POST", "/api/auth/logout", headers=self.auth(token), api=here), 204)
            self.assertUnauthorized(self.who(token, api=there))
            self.assertUnauthorized(self.who(token, api=here))
            self.assertUnauthorized(self.call("POST", "/api/auth/renovar", headers=self.auth(token), api=there))
            self.assertUnauthorized(self.call("POST", "/api/auth/logout", headers=self.auth(token), api=there))

    def test_of_many_at_once_each_is_told_who_it_is(self):
        """They share one query, and those with the same token one answer (api/h_auth_eu.c)."""
        people = [self.as_role(papel) for papel in ("operador", "leitor", "operador")]
        clients = [self.connect() for _ in range(48)]
        for turn in range(5):
            for n, c in enumerate(clients):
                wanted = {**people[n % 3 if turn % 2 else n // 16][1], "X-Request-Id": f"{turn}-{n:030}"}
                c.send(client.head("GET", "/api/auth/eu", wanted))
            for n, c in enumerate(clients):
                answer = c.read()
                self.assertEqual(answer.json["usuario"]["id"], people[n % 3 if turn % 2 else n // 16][0]["id"])
                self.assertEqual(answer.header("x-request-id"), f"{turn}-{n:030}")
                self.assertEqual(answer.header("cache-control"), "no-store")

    def test_only_the_token_that_was_given_back_ends(self):
        first, second = self.sign_in(), self.sign_in()
        self.assertStatus(self.call("POST", "/api/auth/logout", headers=self.auth(first)), 204)
        self.assertStatus(self.who(second), 200)

    def test_what_redis_keeps_of_it_ends_with_the_token(self):
        token = self.sign_in()
        self.call("POST", "/api/auth/logout", headers=self.auth(token))
        ttl = self.stack.redis.call("TTL", "jwt:revogado:" + tokens.read(token)["jti"])
        self.assertTrue(880 <= ttl <= 960, ttl)

    def test_a_revoked_token_changes_nothing(self):
        account, head = self.as_role("operador")
        row = self.post("/api/posts", {"titulo": "t", "conteudo": "c"}, headers=self.admin()).json
        self.assertStatus(self.call("POST", "/api/auth/logout", headers=head), 204)
        for method in ("PUT", "PATCH"):
            self.assertUnauthorized(self.call(method, f"/api/posts/{row['id']}", headers=head,
                                              json={"titulo": "x", "conteudo": "y"}))
        self.assertUnauthorized(self.call("DELETE", f"/api/posts/{row['id']}", headers=head))
        self.assertUnauthorized(self.post("/api/posts", {"titulo": "t", "conteudo": "c"}, headers=head))
        self.assertEqual(self.get(f"/api/posts/{row['id']}").json, row)

    def test_a_change_of_password_ends_all_tokens_of_the_account(self):
        account = self.new_account()
        old = [self.sign_in(account["email"], GOOD_PASSWORD, api=api) for api in self.stack.apis]
        answer = self.call("PATCH", f"/api/usuarios/{account['id']}", json={"senha": OTHER_PASSWORD},
                           headers=self.admin())
        self.assertStatus(answer, 200)
        for token in old:
            for api in self.stack.apis:
                self.assertUnauthorized(self.who(token, api=api))
                self.assertUnauthorized(self.call("POST", "/api/auth/renovar", headers=self.auth(token), api=api))
        self.sign_in(account["email"], GOOD_PASSWORD, status=401)
        self.assertStatus(self.who(self.sign_in(account["email"], OTHER_PASSWORD)), 200)

    def test_a_change_of_role_holds_at_once(self):
        account, head = self.as_role("admin")
        self.assertStatus(self.get("/api/usuarios", headers=head), 200)
        self.assertStatus(self.call("PATCH", f"/api/usuarios/{account['id']}", json={"papel": "leitor"},
                                    headers=self.admin()), 200)
        for api in self.stack.apis:
            self.assertUnauthorized(self.get("/api/usuarios", headers=head, api=api))
        again = self.auth(self.sign_in(account["email"], GOOD_PASSWORD))
        self.assertRefused(self.get("/api/usuarios", headers=again), 403)

    def test_a_change_of_the_name_ends_nothing(self):
        account, head = self.as_role("leitor")
        self.assertStatus(self.call("PATCH", f"/api/usuarios/{account['id']}", json={"nome": "Beltrana"},
                                    headers=self.admin()), 200)
        self.assertEqual(self.get("/api/auth/eu", headers=head).json["usuario"]["nome"], "Beltrana")

    def test_a_removed_account_has_no_tokens(self):
        account, head = self.as_role("admin")
        self.assertStatus(self.call("DELETE", f"/api/usuarios/{account['id']}", headers=self.admin()), 204)
        for api in self.stack.apis:
            self.assertUnauthorized(self.get("/api/usuarios", headers=head, api=api))
            self.assertUnauthorized(self.get("/api/auth/eu", headers=head, api=api))
        self.sign_in(account["email"], GOOD_PASSWORD, status=401)

    def test_what_postgresql_knows_outlives_a_lost_redis(self):
        """Redis without its data: whatever reads the account, or changes anything, still refuses."""
        account, head = self.as_role("admin")
        row = self.post("/api/posts", {"titulo": "t", "conteudo": "c"}, headers=head).json
        self.call("PATCH", f"/api/usuarios/{account['id']}", json={"senha": OTHER_PASSWORD}, headers=self.admin())
        self.stack.redis.call("FLUSHALL")
        self.assertUnauthorized(self.get("/api/auth/eu", headers=head))
        self.assertUnauthorized(self.call("POST", "/api/auth/renovar", headers=head))
        self.assertUnauthorized(self.call("DELETE", f"/api/posts/{row['id']}", headers=head))
        self.assertUnauthorized(self.call("PATCH", f"/api/usuarios/{account['id']}", headers=head,
                                          json={"nome": "x"}))
        self.assertUnauthorized(self.call("DELETE", f"/api/usuarios/{account['id']}", headers=head))
        self.assertStatus(self.get(f"/api/posts/{row['id']}"), 200)

    def test_renewing_gives_another_token_of_the_same_session(self):
        token = self.sign_in()
        answer = self.assertStatus(self.call("POST", "/api/auth/renovar", headers=self.auth(token)), 200)
        old, new = tokens.read(token), tokens.read(answer.json["token"])
        self.assertNotEqual(old["jti"], new["jti"])
        self.assertEqual(old["ini"], new["ini"])
        self.assertStatus(self.who(answer.json["token"]), 200)

    def test_no_session_lasts_more_than_twelve_hours(self):
        now = int(time.time())
        late = tokens.make(iat=now - 300, exp=now + 300, ini=now - 43200 + 300, desde=1 << 40)
        answer = self.assertStatus(self.call("POST", "/api/auth/renovar", headers=self.auth(late)), 200)
        self.assertLessEqual(abs(tokens.read(answer.json["token"])["exp"] - (now + 300)), 1)
        over = tokens.make(iat=now - 899, exp=now + 1, ini=now - 43200, desde=1 << 40)
        self.assertUnauthorized(self.call("POST", "/api/auth/renovar", headers=self.auth(over)))


class Configuration(StackCase):
    """Without JWT_SECRET; then with two while one is rotated; two replicas that start at once."""
    options = {"worker": 0, "replicas": 1, "env": {"ADMIN_EMAIL": tokens.ADMIN_EMAIL,
                                                   "ADMIN_PASSWORD": tokens.ADMIN_PASSWORD}}

    def test_without_a_secret_every_route_that_wants_a_token_says_so(self):
        for method, path in (("GET", "/api/auth/eu"), ("POST", "/api/auth/renovar"), ("POST", "/api/auth/logout"),
                             ("GET", "/api/usuarios"), ("POST", "/api/usuarios"), ("DELETE", "/api/posts/1")):
            answer = self.call(method, path, headers={"Authorization": "Bearer " + tokens.make(key="")})
            self.assertRefused(answer, 503)
            self.assertIn("JWT_SECRET", answer.json["detail"])
        answer = self.post("/api/auth/login", {"email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD})
        self.assertRefused(answer, 503)
        self.new_post()  # what is open stays open

    def test_both_secrets_are_accepted_and_the_first_signs(self):
        old, new = "velho-" + "v" * 32, "novo-" + "n" * 32
        api = self.stack.add_api(env={"JWT_SECRET": f"{new},{old}"}).start()
        self.addCleanup(api.stop)
        api.wait_serving()
        for key, status in ((old, 200), (new, 200), ("outro-" + "o" * 32, 401), (f"{new},{old}", 401)):
            head = {"Authorization": "Bearer " + tokens.make(key=key)}
            self.assertStatus(self.get("/api/auth/eu", headers=head, api=api), status)
        token = self.post("/api/auth/login", {"email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD},
                          api=api).json["token"]
        text, mac = token.rsplit(".", 1)
        self.assertEqual(mac, tokens.sign(text, new))

    def test_bad_values_stop_the_start(self):
        for env, name in (({"JWT_SECRET": "x" * 31}, "JWT_SECRET"), ({"JWT_SECRET": "x" * 40 + ",y"}, "JWT_SECRET"),
                          ({"ADMIN_EMAIL": "nada"}, "ADMIN_EMAIL"), ({"ADMIN_PASSWORD": "x" * 20}, "ADMIN_PASSWORD"),
                          ({"ADMIN_EMAIL": "a@b.c", "ADMIN_PASSWORD": "password1234"}, "ADMIN_PASSWORD"),
                          ({"TRUSTED_PROXIES": "10.0.0.0/33"}, "TRUSTED_PROXIES"), ({"POSTS_WRITE": "x"}, "POSTS_WRITE"),
                          ({"RATE_LIMIT": "-1"}, "RATE_LIMIT")):
            done = servers.run_program("alicerce-api", "--check-config", env=env)
            self.assertEqual(done.returncode, 78, env)
            self.assertTrue(done.stderr.startswith(f"alicerce: {name}: got "), done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)
            if "PASSWORD" in name or "SECRET" in name:
                self.assertNotIn(env[name], done.stderr)
