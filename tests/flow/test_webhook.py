"""/webhook: Meta's handshake, and the signature of a delivery."""
import hashlib
import time
import urllib.parse

import client
from deliveries import OLD_SECRET, SECRET, VERIFY_TOKEN, lead, signature, signed
from webhookcase import ENV, MIB, WebhookCase, sha256



class Handshake(WebhookCase):
    options = {"worker": 0, "env": ENV}

    def shake(self, **params):
        names = {"mode": "hub.mode", "token": "hub.verify_token", "challenge": "hub.challenge"}
        return self.get("/webhook?" + urllib.parse.urlencode({names[k]: v for k, v in params.items()}))

    def test_the_challenge_comes_back_as_it_came(self):
        for challenge in ("1158201444", "a", "<script>alert(1)</script>", "é 😀 %&=+", "0" * 500):
            with self.subTest(challenge):
                answer = self.shake(mode="subscribe", token=VERIFY_TOKEN, challenge=challenge)
                self.assertStatus(answer, 200)
                self.assertEqual(answer.body, challenge.encode())
                self.assertEqual(answer.header("content-type").split(";")[0], "text/plain")

    def test_anything_else_is_403(self):
        good = {"mode": "subscribe", "token": VERIFY_TOKEN, "challenge": "1"}
        for change in ({"token": "errada"}, {"token": ""}, {"token": VERIFY_TOKEN + "x"},
                       {"token": VERIFY_TOKEN[:-1]}, {"token": VERIFY_TOKEN.upper()}, {"mode": "unsubscribe"},
                       {"mode": ""}):
            with self.subTest(change):
                answer = self.assertRefused(self.shake(**{**good, **change}), 403)
                self.assertNotIn(VERIFY_TOKEN, answer.text)
        for missing in good:
            with self.subTest(missing=missing):
                answer = self.shake(**{k: v for k, v in good.items() if k != missing})
                self.assertRefused(answer, (400, 403))
        self.assertRefused(self.get("/webhook"), (400, 403))

    def test_unknown_parameters_are_borne(self):
        """Meta may send more some day: its handshake must not break by it, nor echo anything else."""
        answer = self.get(f"/webhook?hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}"
                          "&hub.challenge=7&hub.novo=1")
        self.assertStatus(answer, (200, 400))


class WithoutSecrets(WebhookCase):
    options = {"worker": 0, "env": {}}

    def test_without_the_app_secret_deliveries_are_503_and_told_why(self):
        for body in (lead("1"), b""):
            answer = self.assertRefused(self.deliver(body, signed(body, "")), 503)
            self.assertIn("META_APP_SECRET", answer.text)
        self.assertEqual(self.stack.redis.call("EXISTS", "fila:webhooks"), 0)
        self.assertEqual(self.count("entregas"), 0)

    def test_without_the_verify_token_no_handshake_succeeds(self):
        for token in ("", "x", "null", "(null)"):
            answer = self.get(f"/webhook?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1")
            self.assertRefused(answer, (403, 503))


class Signature(WebhookCase):
    options = {"worker": 0, "env": ENV}

    def refused(self, body, headers):
        before = self.entries()
        self.assertRefused(self.deliver(body, {"Content-Type": "application/json", **headers}), 401)
        self.assertEqual(self.entries(), before)

    def entries(self):
        return self.stack.redis.call("XLEN", "fila:webhooks")

    def test_a_good_signature_is_accepted_and_the_bytes_are_in_the_stream(self):
        body = lead("11", extra="á\u2028")
        before = self.entries()
        answer = self.accepted(body, headers=signed(body, X_Request_Id="entrega-11"))
        self.assertEqual(answer.header("x-request-id"), "entrega-11")
        self.assertEqual(self.entries(), before + 1)
        (_, fields), = self.stack.redis.call("XREVRANGE", "fila:webhooks", "+", "-", "COUNT", 1)
        fields = dict(zip(fields[::2], fields[1::2]))
        self.assertEqual(fields[b"corpo"], body)
        self.assertEqual(fields[b"request_id"], b"entrega-11")
        self.assertRegex(fields[b"recebida_em"].decode(), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")

    def test_both_secrets_are_good_while_one_is_rotated(self):
        body = lead("12")
        for secret in (SECRET, OLD_SECRET):
            self.accepted(body, headers=signed(body, secret))
        self.refused(body, signed(body, f"{SECRET},{OLD_SECRET}"))

    def test_missing_or_malformed_signatures_are_401(self):
        body = lead("13")
        good = signature(body)
        digest = good[len("sha256="):]
        sha1 = hashlib.sha1(body).hexdigest()
        for bad in ("", "sha256=", digest, "sha1=" + sha1, "sha1=" + digest, "sha256:" + digest,
                    good[:-1], good[:-2], good + "0", good + "00", good + " x", good[:40],
                    "sha256=" + "0" * 64, "sha256=" + "g" * 64, "sha256=" + "z" + digest[1:],
                    "sha256==" + digest, "md5=" + digest, "sha256=" + "é" * 64, "x" + good,
                    f"{good},{good}", "sha256=" + digest[:63] + "\t"):
            with self.subTest(bad):
                self.refused(body, {"X-Hub-Signature-256": bad.encode().decode("latin-1")})
        self.refused(body, {})
        self.refused(body, {"X-Hub-Signature": "sha1=" + sha1})
        self.refused(body, {"X-Hub-Signature": good})

    def test_the_case_of_the_hexadecimals_decides_nothing_about_the_body(self):
        """Meta sends lower case. Upper case is the same number: taken or refused, never 5xx, and a
        wrong one stays wrong."""
        body = lead("14")
        upper = "sha256=" + signature(body)[7:].upper()
        answer = self.deliver(body, {"X-Hub-Signature-256": upper})
        self.assertStatus(answer, (200, 401))
        wrong = "sha256=" + signature(body + b" ")[7:].upper()
        self.refused(body, {"X-Hub-Signature-256": wrong})
        self.refused(body, {"X-Hub-Signature-256": signature(body).upper().replace("SHA256", "SHA256")})

    def test_the_signature_of_another_body_is_401(self):
        body = lead("15")
        for other in (body + b" ", body[:-1], body.replace(b"15", b"16"), b""):
            self.refused(body, {"X-Hub-Signature-256": signature(other)})
        self.refused(body, {"X-Hub-Signature-256": signature(body, "outro-segredo")})
        self.refused(body, {"X-Hub-Signature-256": signature(body, "")})

    def test_every_single_bit_of_the_signature_counts(self):
        body = lead("16")
        digest = signature(body)[7:]
        for at in range(0, 64, 7):
            changed = digest[:at] + format(int(digest[at], 16) ^ 1, "x") + digest[at + 1:]
            self.refused(body, {"X-Hub-Signature-256": "sha256=" + changed})

    def test_a_wrong_signature_tells_nothing_of_the_right_one(self):
        body = lead("17")
        answer = self.deliver(body, {"X-Hub-Signature-256": "sha256=" + "0" * 64})
        self.assertNotIn(signature(body)[7:], answer.text)
        self.assertNotIn(SECRET, answer.text)

    def test_two_signature_headers_are_refused(self):
        body = lead("18")
        with self.connect() as c:
            c.send(client.head("POST", "/webhook", [("Content-Length", str(len(body))),
                                                    ("X-Hub-Signature-256", "sha256=" + "0" * 64),
                                                    ("X-Hub-Signature-256", signature(body))]) + body)
            self.assertRefused(c.read("POST"), (400, 401))

    def test_content_types_do_not_matter_only_the_bytes_do(self):
        body = lead("19")
        for kind in ("application/json", "text/plain", "application/octet-stream"):
            self.accepted(body, headers={"Content-Type": kind, "X-Hub-Signature-256": signature(body)})
        self.accepted(body, headers={"X-Hub-Signature-256": signature(body)})

    def test_chunked_deliveries_are_checked_over_the_joined_bytes(self):
        body = lead("20")
        with self.connect() as c:
            c.send(client.head("POST", "/webhook", {"Transfer-Encoding": "chunked",
                                                    "X-Hub-Signature-256": signature(body)}))
            for byte in (body[:1], body[1:7], body[7:]):
                c.send(b"%x\r\n%b\r\n" % (len(byte), byte))
                time.sleep(0.01)
            c.send(b"0\r\n\r\n")
            self.assertStatus(c.read("POST"), 200)

    def test_3_mib_are_taken_and_one_byte_more_is_413(self):
        body = b'{"object":"page","x":"' + b"a" * (3 * MIB - 24) + b'"}'
        self.assertEqual(len(body), 3 * MIB)
        self.accepted(body)
        before = self.entries()
        self.assertRefused(self.deliver(body + b" "), 413)
        self.assertEqual(self.entries(), before)
        (_, fields), = self.stack.redis.call("XREVRANGE", "fila:webhooks", "+", "-", "COUNT", 1)
        self.assertEqual(sha256(dict(zip(fields[::2], fields[1::2]))[b"corpo"]), sha256(body))

    def test_an_empty_body_has_a_signature_too(self):
        self.accepted(b"")
        self.refused(b"", {"X-Hub-Signature-256": "sha256=" + "0" * 64})
