"""The least of a PostgreSQL and a Redis client, in the standard library alone."""
import base64
import hashlib
import hmac
import os
import socket
import struct


class WireError(Exception):
    """The server refused: its message. Network trouble is OSError."""


class Session:
    """A connection over TCP."""

    def __init__(self, port, timeout, host):
        self.sock = socket.create_connection((host, port), timeout)
        self.file = self.sock.makefile("rb")

    def close(self):
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class PgSession(Session):
    """One connection over TCP with SCRAM-SHA-256. Rows are tuples of str or None.

    PostgreSQL documentation, 55.2 "Message Flow"; RFC 5802 and RFC 7677 for SCRAM."""

    def __init__(self, port, user, password, database, timeout=5, host="127.0.0.1"):
        super().__init__(port, timeout, host)
        try:
            words = ("user", user, "database", database, "application_name", "tests",
                     "client_encoding", "UTF8")
            body = struct.pack("!i", 196608) + b"".join(w.encode() + b"\0" for w in words) + b"\0"
            self.sock.sendall(struct.pack("!i", len(body) + 4) + body)
            self._authenticate(password)
            self._until_ready()
        except BaseException:
            self.close()
            raise

    def _send(self, kind, body):
        self.sock.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def _message(self):
        head = self.file.read(5)
        if len(head) < 5:
            raise ConnectionError("PostgreSQL closed the connection")
        body = self.file.read(struct.unpack("!i", head[1:])[0] - 4)
        return head[:1], body

    def _auth_message(self):
        kind, body = self._message()
        if kind == b"E":
            raise WireError(_pg_error(body))
        return struct.unpack("!i", body[:4])[0], body[4:]

    def _authenticate(self, password):
        code, _ = self._auth_message()
        if code == 0:
            return
        if code != 10:
            raise WireError(f"authentication {code} is not SCRAM")
        nonce = base64.b64encode(os.urandom(18)).decode()
        first = f"n=,r={nonce}"
        data = ("n,," + first).encode()
        self._send(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(data)) + data)
        _, server_first = self._auth_message()
        fields = dict(f.split("=", 1) for f in server_first.decode().split(","))
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields["s"]),
                                     int(fields["i"]))
        final = f"c=biws,r={fields['r']}"
        signed = f"{first},{server_first.decode()},{final}".encode()
        client = hmac.digest(salted, b"Client Key", "sha256")
        proof = hmac.digest(hashlib.sha256(client).digest(), signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(client, proof))
        self._send(b"p", f"{final},p={base64.b64encode(proof).decode()}".encode())
        while code != 0:
            code, _ = self._auth_message()

    def _until_ready(self):
        rows, error = [], None
        while True:
            kind, body = self._message()
            if kind == b"D":
                rows.append(_pg_row(body))
            elif kind == b"E":
                error = _pg_error(body)
            elif kind == b"Z":
                break
        if error:
            raise WireError(error)
        return rows

    def query(self, sql):
        """The simple query protocol: several statements are one transaction."""
        self._send(b"Q", sql.encode() + b"\0")
        return self._until_ready()

    def value(self, sql):
        """The first column of the first row."""
        return self.query(sql)[0][0]


def _pg_error(body):
    fields = {f[:1]: f[1:].decode(errors="replace") for f in body.split(b"\0") if f}
    return f"{fields.get(b'S')} {fields.get(b'C')}: {fields.get(b'M')}"


def _pg_row(body):
    columns, at = [], 2
    for _ in range(struct.unpack("!h", body[:2])[0]):
        size = struct.unpack("!i", body[at:at + 4])[0]
        at += 4
        columns.append(None if size < 0 else body[at:at + size].decode())
        at += max(size, 0)
    return tuple(columns)


class RedisSession(Session):
    """One connection; replies as Redis sends them (bytes, int, None, list). RESP2."""

    def __init__(self, port, password=None, timeout=5, host="127.0.0.1"):
        super().__init__(port, timeout, host)
        if password:
            self.call("AUTH", password)

    @staticmethod
    def _command(words):
        out = [b"*%d\r\n" % len(words)]
        for word in words:
            word = word if isinstance(word, bytes) else str(word).encode()
            out.append(b"$%d\r\n%b\r\n" % (len(word), word))
        return b"".join(out)

    def call(self, *words):
        self.sock.sendall(self._command(words))
        return self._reply()

    def call_many(self, commands):
        """All under one write; the replies in their order."""
        self.sock.sendall(b"".join(map(self._command, commands)))
        return [self._reply() for _ in commands]

    def _reply(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            raise WireError(rest.decode())
        if kind == b":":
            return int(rest)
        if rest == b"-1":
            return None
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2]
        return [self._reply() for _ in range(int(rest))]
