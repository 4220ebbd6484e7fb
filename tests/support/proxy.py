"""A TCP proxy that stands before PostgreSQL or Redis and holds, delays, cuts or halves what passes.

It makes races certain instead of likely: an answer is held here while the rest of the world goes on.

    with Proxy(stack.pg.port) as proxy:
        proxy.hold_next()         # the next connection that asks for something gets no answer ...
        ... send a request ...
        proxy.wait_held()         # ... the server has answered, the answer is here
        proxy.release()
"""
import contextlib
import socket
import struct
import threading
import time

CHUNK = 64 * 1024


class Link:
    """A client's connection and ours to the server behind it."""

    def __init__(self, client, server):
        self.client, self.server = client, server
        self.held = False      # its answers wait for release()
        self.waiting = 0       # bytes of an answer that wait

    def cut(self):
        """RST to both sides."""
        for sock in (self.client, self.server):
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


class Proxy:
    def __init__(self, target, port=0):
        self.target = target
        self.change = threading.Condition()
        self.links = []
        self.delay = 0.0           # seconds before each piece of an answer passes on
        self.holding_all = False   # nothing passes, in neither direction
        self.refusing = False      # new connections are closed at once
        self._armed = None         # bytes that a request must have to be held; b"" for any
        self._cut_after = None     # bytes of answers that still pass before the link is cut
        self.listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()
        self.release()

    # What a test does with it.
    def hold_next(self, having=b""):
        """Holds the answers of the next connection whose client says something (that has `having`)."""
        with self.change:
            self._armed = having

    def hold_all(self):
        """A frozen network: connections stay, nothing passes."""
        with self.change:
            self.holding_all = True

    def wait_held(self, seconds=5):
        """Waits until an answer is being held. False when none came."""
        with self.change:
            return self.change.wait_for(lambda: any(link.waiting for link in self.links), seconds)

    def release(self):
        """Lets everything pass that was held, and cuts nothing any more."""
        with self.change:
            self._armed, self._cut_after, self.holding_all = None, None, False
            for link in self.links:
                link.held = False
            self.change.notify_all()

    def cut(self):
        """Ends every connection with an RST."""
        with self.change:
            links, self.links = self.links, []
        for link in links:
            link.cut()
        with self.change:
            self.change.notify_all()

    def cut_after(self, size):
        """Lets so many bytes of answers pass, then cuts that connection in mid-answer."""
        with self.change:
            self._cut_after = size

    # How it does that.
    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                if self.refusing:
                    raise ConnectionRefusedError
                server = socket.create_connection(("127.0.0.1", self.target), 5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(client, server)
            with self.change:
                self.links.append(link)
            for pump in (self._questions, self._answers):
                threading.Thread(target=self._run, args=(pump, link), daemon=True).start()

    def _run(self, pump, link):
        with contextlib.suppress(OSError):
            pump(link)
        link.cut()
        with self.change:
            if link in self.links:
                self.links.remove(link)
            self.change.notify_all()

    def _questions(self, link):
        while data := link.client.recv(CHUNK):
            with self.change:
                if self._armed is not None and self._armed in data:
                    self._armed, link.held = None, True
                self.change.wait_for(lambda: not self.holding_all or link not in self.links)
            link.server.sendall(data)

    def _answers(self, link):
        while data := link.server.recv(CHUNK):
            if self.delay:
                time.sleep(self.delay)
            with self.change:
                if link.held or self.holding_all:
                    link.waiting += len(data)
                    self.change.notify_all()
                    self.change.wait_for(lambda: not (link.held or self.holding_all)
                                         or link not in self.links)
                    link.waiting = 0
                data, last = self._within_budget(data)
            link.client.sendall(data)
            if last:
                return

    def _within_budget(self, data):
        if self._cut_after is None:
            return data, False
        passing = data[:self._cut_after]
        self._cut_after -= len(passing)
        if self._cut_after > 0:
            return passing, False
        self._cut_after = None
        return passing, True
