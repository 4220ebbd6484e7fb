"""What the tests of HTTP/1.1 as it goes over the wire share: requests as bytes, and what came back to them."""
import client

HOST = b"Host: alicerce.test\r\n"
GET = b"GET /health HTTP/1.1\r\n" + HOST
POST = b"POST /api/posts HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
BODY = b'{"titulo":"t","conteudo":"c"}'


class WireCase:
    def count(self):
        return int(self.stack.pg.value("SELECT count(*) FROM posts"))

    def assertOurs(self, answer):
        """Not a page that libmicrohttpd makes by itself, in HTML, before it has called any code of ours."""
        if answer.status >= 200:
            self.assertIsNotNone(answer.header("x-request-id"), (answer, answer.body[:200]))

    def answers(self, *requests, patience=1.0):
        """What comes back to each of these byte strings, all sent at once, each on a connection of its
        own: lists of answers until the server closes or is silent."""
        connections, found = [], []
        for data in requests:
            c = self.connect(timeout=patience)
            connections.append(c)
            try:
                c.send(data)
            except OSError:
                pass  # it closed while we were sending
        for c in connections:
            found.append([])
            try:
                while True:
                    answer = c.read()
                    c.sock.settimeout(0.05)
                    if answer.status >= 200:
                        found[-1].append(answer)
                    self.assertOurs(answer)
            except TimeoutError:
                patience = 0.05  # the others have had their time, too
            except ConnectionError:
                pass
            c.sock.settimeout(patience)
            c.close()
            for later in connections[len(found):]:
                later.sock.settimeout(patience)
        return found

    def at_most_one_refusal(self, data, statuses):
        found, = self.answers(data)
        self.assertLessEqual(len(found), 1, found)
        for answer in found:
            self.assertIn(answer.status, statuses, answer)
        return found

    def refused(self, data, status=400):
        """One refusal, then the connection is closed: nothing that follows may be taken for a request."""
        before = self.count()
        with client.Connection(self.api.port, 5) as c:
            c.send(data)
            answer = c.read()
            self.assertStatus(answer, status)
            self.assertTrue(c.ended(3), "the connection stays open after a request of unclear length")
        self.assertEqual(self.count(), before, "it was done all the same")
        return answer
