"""What the fault tests share: a stack under load, what was acknowledged, and how soon it returns."""
import time

from case import StackCase
import client
import deliveries
import load

TIMEOUT_MS = 1500
DEADLINE = TIMEOUT_MS / 1000 + 0.7  # a tick of 0.1 s, and a busy machine of two cores
RETURN = 3.0                        # service is back so soon after its server


class FaultCase(StackCase):
    options = {"replicas": 2, "env": {"META_APP_SECRET": deliveries.SECRET, "REQUEST_TIMEOUT_MS": str(TIMEOUT_MS)}}

    def status_of(self, method, path, api):
        body, headers, json = None, {}, None
        if path == "/webhook":
            body = deliveries.lead(str(time.monotonic_ns()))
            headers = deliveries.signed(body)
        elif method == "POST" and path == "/api/posts":
            json = {"titulo": "volta", "conteudo": "x"}
        return client.call(api.port, method, path, headers, body, json, 8).status

    def wait_all_back(self, since, routes=load.EVERYTHING, seconds=RETURN):
        """Every route of every replica answers well again, several times over, since that moment."""
        for api in self.stack.apis:
            for method, path in routes:
                good = 0
                while good < 4:  # both loops of a replica
                    status = self.status_of(method, path, api)
                    good = good + 1 if status < 300 else 0
                    took = time.monotonic() - since
                    self.assertLess(took, seconds, f"{api.name} {method} {path} is still {status} after"
                                                   f" {took:.1f} s\n{api.log_tail()}")
        return time.monotonic() - since

    def assertAnsweredInTime(self, results, allowed):
        """All of them, with these statuses, before the deadline; 503 says when to come again."""
        for r in results:
            self.assertIsNone(r.error, r)
            self.assertIn(r.status, allowed, r)
            self.assertLess(r.seconds, DEADLINE, r)
            if r.status == 503:
                self.assertTrue(r.retry_after, r)

    def assertAcknowledgedPostsAreThere(self, results):
        """Each 201 is one row; what was not acknowledged is at most one."""
        titles = {r.note: r.status for r in results if r.route == load.WRITES[0] and r.note}
        if not titles:
            return
        rows = self.stack.pg.query("SELECT titulo, count(*) FROM posts WHERE titulo LIKE 'carga %' GROUP BY 1")
        found = {title: int(n) for title, n in rows if title in titles}
        self.assertEqual([t for t, n in found.items() if n != 1], [], "a post was written twice")
        self.assertEqual([t for t, status in titles.items() if status == 201 and t not in found], [],
                         "an acknowledged post is gone")

    def assertAcknowledgedLeadsAreThere(self, results, seconds=20):
        acknowledged = {r.note for r in results if r.route == load.WEBHOOK[0] and r.status == 200}
        deadline = time.monotonic() + seconds
        while True:
            found = dict(self.stack.pg.query("SELECT leadgen_id, 1 FROM leads"))
            missing = acknowledged - set(found)
            if not missing or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        self.assertEqual(missing, set(), f"{len(missing)} of {len(acknowledged)} acknowledged leads are gone")
        events, leads = self.stack.pg.query(
            "SELECT (SELECT count(*) FROM eventos WHERE campo = 'leadgen'), (SELECT count(*) FROM leads)")[0]
        self.assertEqual(events, leads, "an event was doubled, or has no lead")

    def assertNumbersDistinct(self, results):
        numbers = [r.note for r in results if r.route == load.COUNTS[0] and r.status == 200]
        self.assertEqual(len(numbers), len(set(numbers)), "a number was given out twice")
