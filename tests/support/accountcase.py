"""What the tests of accounts and of tokens share: signing in, accounts of each role, refusals of a token."""
import tokens

ENV = {**tokens.ENV, "LOG_LEVEL": "debug", "POSTS_WRITE": "token"}
GOOD_PASSWORD = "outra senha bem longa"
OTHER_PASSWORD = "mais uma que ninguém usa"


class AccountCase:
    """A test over a stack whose administrator is tokens.ADMIN_EMAIL."""

    def sign_in(self, email=tokens.ADMIN_EMAIL, senha=tokens.ADMIN_PASSWORD, api=None, status=200):
        answer = self.post("/api/auth/login", {"email": email, "senha": senha}, api=api)
        self.assertStatus(answer, status)
        return answer.json["token"] if status == 200 else answer

    def auth(self, token):
        return {"Authorization": f"Bearer {token}"}

    def who(self, token, api=None):
        return self.get("/api/auth/eu", headers=self.auth(token), api=api)

    def admin(self):
        cls = type(self)
        if not hasattr(cls, "_admin") or self.who(cls._admin).status != 200:
            cls._admin = self.sign_in()
        return self.auth(cls._admin)

    _serial = [0]

    def new_account(self, papel="operador", senha=GOOD_PASSWORD, **fields):
        self._serial[0] += 1
        body = {"nome": "Fulana", "email": f"pessoa{self._serial[0]}@alicerce.test", "papel": papel,
                "senha": senha, **fields}
        answer = self.post("/api/usuarios", body, headers=self.admin())
        self.assertStatus(answer, 201)
        self.assertEqual(answer.header("location"), f"/api/usuarios/{answer.json['id']}")
        return answer.json

    def as_role(self, papel):
        account = self.new_account(papel)
        return account, self.auth(self.sign_in(account["email"], GOOD_PASSWORD))

    def assertUnauthorized(self, answer, code="invalid_token"):
        self.assertRefused(answer, 401)
        told = answer.header("www-authenticate")
        self.assertTrue(told.startswith('Bearer realm="alicerce"'), told)
        self.assertEqual(f'error="{code}"' in told if code else "error" not in told, True, told)
        return answer
