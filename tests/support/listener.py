"""A client of GET /api/ao-vivo."""
import json
import re
import socket


class Listener:
    """A raw client: reads the head at once, events as they come."""

    def __init__(self, port, token, query="", last=None, version="1.1", room=None):
        self.sock = socket.socket()
        self.sock.settimeout(10)
        if room:  # of the system's buffer, in bytes
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.sock.connect(("127.0.0.1", port))
        head = f"GET /api/ao-vivo{query} HTTP/{version}\r\nHost: a\r\nAuthorization: Bearer {token}\r\n"
        if last:
            head += f"Last-Event-ID: {last}\r\n"
        self.sock.sendall((head + "\r\n").encode())
        self.raw, self.events, self.last, self.open = b"", [], None, True
        while b"\r\n\r\n" not in self.raw and self.pump(10):
            pass
        self.head, _, self.raw = self.raw.partition(b"\r\n\r\n")
        self.status = int(self.head.split()[1])

    def pump(self, seconds=0.05):
        self.sock.settimeout(seconds)
        try:
            data = self.sock.recv(65536)
        except (TimeoutError, BlockingIOError):
            return False
        except ConnectionResetError:
            data = b""
        self.open = self.open and data != b""
        self.raw += data
        return self.open

    def blocks(self):
        text = re.sub(rb"(?:^|\r\n)[0-9a-fA-F]+\r\n", b"", self.raw)  # chunk heads
        whole = text.rpartition(b"\n\n")[0].decode()  # the rest of the last one may be on its way
        return [b for b in whole.split("\n\n") if b.strip()]

    def read(self):
        self.pump()
        self.events = []
        for block in self.blocks():
            fields = dict(line.split(": ", 1) for line in block.strip().split("\n") if ": " in line)
            self.last = fields.get("id", self.last)
            if "data" in fields:
                self.events.append((fields["event"], json.loads(fields["data"])))
        return self.events

    def of(self, kind):
        return [data for event, data in self.read() if event == kind]

    def close(self):
        self.sock.close()
