"""An HTTP/1.1 client that shows what was really sent: raw sockets, strict about answers.

    with Connection(port) as c:
        answer = c.call("POST", "/api/posts", json={"titulo": "a", "conteudo": "b"})
        c.send(b"GET /health HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" * 2); c.read(); c.read()
        c.ended()    # True when the server has closed and sent nothing more
"""
import json as jsonlib
import re
import socket
import struct

STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d) ([^\r\n]*)\r\n\Z")
HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*\r\n\Z")
HEAD_MAX = 64 * 1024


class BadAnswer(Exception):
    """The server's bytes are no HTTP answer."""


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # (name in lower case, value) in order
        self.body = body

    def header(self, name):
        """Its value, None when absent. Twice is an error: none of ours may be."""
        values = [v for n, v in self.headers if n == name.lower()]
        if len(values) > 1:
            raise BadAnswer(f"{name} came {len(values)} times: {values}")
        return values[0] if values else None

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return jsonlib.loads(self.text, parse_constant=_not_json)

    @property
    def closes(self):
        return (self.header("connection") or "").lower() == "close"

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:300]!r}>"


def _not_json(word):
    raise BadAnswer(f"{word} is not JSON")


def head(method, target, headers=(), host="alicerce.test"):
    """The bytes of a request's head. headers: dict or list of pairs of str."""
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    lines = [f"{method} {target} HTTP/1.1"]
    if host is not None and not any(n.lower() == "host" for n, _ in pairs):
        lines.append(f"Host: {host}")
    lines += [f"{n}: {v}" for n, v in pairs]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def request_bytes(method, target, headers=None, body=None, json=None):
    pairs = dict(headers or {})
    if json is not None:
        body = jsonlib.dumps(json, ensure_ascii=False).encode()
        pairs.setdefault("Content-Type", "application/json")
    if body is not None:
        pairs.setdefault("Content-Length", str(len(body)))
    return head(method, target, pairs) + (body or b"")


class Connection:
    def __init__(self, port, timeout=10, host="127.0.0.1"):
        self.sock = socket.create_connection((host, port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.sock.close()

    def reset(self):
        """Vanishes with an RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.sock.sendall(data)

    def call(self, method, target, headers=None, body=None, json=None):
        self.send(request_bytes(method, target, headers, body, json))
        return self.read(method)

    def read(self, method="GET", endless=()):
        """The next answer. ConnectionError: the server closed without one. Of a content type among
        `endless` only the first piece of the body."""
        line = self.file.readline(HEAD_MAX)
        if not line:
            raise ConnectionError("closed without an answer")
        match = STATUS_LINE.match(line)
        if not match:
            raise BadAnswer(f"status line {line[:200]!r}")
        status, headers = int(match.group(1)), self._headers()
        answer = Answer(status, headers, b"")
        if method != "HEAD" and status >= 200 and status not in (204, 304):
            kind = (answer.header("content-type") or "").split(";")[0]
            answer.body = self._chunk() if kind in endless else self._body(answer)
        return answer

    def _headers(self):
        headers, size = [], 0
        while True:
            line = self.file.readline(HEAD_MAX)
            size += len(line)
            if line == b"\r\n":
                return headers
            match = HEADER_LINE.match(line)
            if not match or size > HEAD_MAX:
                raise BadAnswer(f"header line {line[:200]!r}")
            headers.append((match.group(1).decode().lower(), match.group(2).decode("latin-1")))

    def _body(self, answer):
        length, coding = answer.header("content-length"), answer.header("transfer-encoding")
        if length is not None and coding is not None:
            raise BadAnswer("Content-Length with Transfer-Encoding")
        if coding == "chunked":
            return self._chunks()
        if length is None:
            return self.file.read()
        body = self.file.read(int(length))
        if len(body) != int(length):
            raise BadAnswer(f"{len(body)} of {length} bytes came")
        return body

    def _chunks(self):
        out = b""
        while chunk := self._chunk():
            out += chunk
        return out

    def _chunk(self):
        """Empty: the last one."""
        size = int(self.file.readline(HEAD_MAX).split(b";")[0], 16)
        out = self.file.read(size)
        if self.file.read(2) != b"\r\n":
            raise BadAnswer("a chunk without its end")
        return out

    def ended(self, seconds=5):
        """Has the server closed, with nothing more said? False: it is still open after so long."""
        self.sock.settimeout(seconds)
        try:
            rest = self.file.read(1)
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        if rest:
            raise BadAnswer(f"more after the last answer: {(rest + self.file.peek())[:300]!r}")
        return True


def call(port, method, target, headers=None, body=None, json=None, timeout=10):
    """One request on a connection of its own."""
    with Connection(port, timeout) as connection:
        return connection.call(method, target, headers, body, json)
