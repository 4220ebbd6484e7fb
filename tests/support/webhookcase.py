"""What the tests of /webhook share: deliveries that are signed, and what became of them."""
import hashlib

from case import StackCase, eventually
from deliveries import OLD_SECRET, SECRET, VERIFY_TOKEN, signed

MIB = 1 << 20
ENV = {"META_APP_SECRET": f"{SECRET},{OLD_SECRET}", "META_VERIFY_TOKEN": VERIFY_TOKEN}


def sha256(body):
    return hashlib.sha256(body).hexdigest()


class WebhookCase(StackCase):
    def deliver(self, body, headers=None, api=None):
        return self.post("/webhook", body=body, headers=headers or signed(body), api=api)

    def accepted(self, body, **more):
        answer = self.assertStatus(self.deliver(body, **more), 200)
        self.assertEqual(answer.body, b"EVENT_RECEIVED")
        self.assertEqual(answer.header("content-type").split(";")[0], "text/plain")
        return answer

    def archived(self, body):
        """States of the rows of `entregas` with exactly these bytes, in order."""
        rows = self.stack.pg.query("SELECT estado, via, motivo FROM entregas WHERE"
                                   f" encode(sha256(corpo), 'hex') = '{sha256(body)}' ORDER BY id")
        return rows

    def wait_archived(self, body, state="processada", count=1, seconds=10):
        rows = eventually(lambda: (r := self.archived(body)) and len(r) >= count
                          and all(row[0] == state for row in r) and r, seconds)
        self.assertTrue(rows, f"no {count} × {state} of {body[:200]!r}: {self.archived(body)}"
                        + self.stack.worker.log_tail() if self.stack.workers else "")
        self.assertEqual(len(rows), count)
        return rows

    def count(self, table, where="true"):
        return int(self.stack.pg.value(f"SELECT count(*) FROM {table} WHERE {where}"))
