"""What the simulated servers of others (graph.py, s3.py) have in common: an HTTP server on the loopback whose
connections are counted and can be cut, and scripts of how the next calls are answered.

A simulator has `lock`, `connections` (a count), and a Server that knows it as `owner`."""
import collections
import contextlib
import http.server
import os
import socket
import struct
import sys
import threading

FOREVER = 1 << 62


class Scripts:
    """For each key the behaviours of its next calls. Under the simulator's lock."""

    def __init__(self):
        self.steps = collections.defaultdict(collections.deque)

    def add(self, key, behaviours, times):
        """One behaviour a call; times: how often the last one of them."""
        steps = [[b, 1] for b in behaviours]
        steps[-1][1] = times
        self.steps[key].extend(steps)

    def next(self, *keys):
        """Of the first of these keys that has any; None: as usual."""
        for key in keys:
            steps = self.steps.get(key)
            if steps:
                steps[0][1] -= 1
                return steps[0][0] if steps[0][1] > 0 else steps.popleft()[0]
        return None

    def clear(self):
        self.steps.clear()


def reset(sock):
    """Its close will be a RST: whoever reads sees a reset, not an end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads, block_on_close, allow_reuse_address, request_queue_size = True, False, True, 128

    def __init__(self, owner, port, handler):
        self.owner, self.open, self.stopping = owner, set(), threading.Event()
        super().__init__(("127.0.0.1", port), handler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def process_request(self, request, client_address):
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):  # else it went away, or was cut
            super().handle_error(request, client_address)

    def end(self, with_reset):
        """Takes no more, and cuts who is connected."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for sock in list(self.open):
            with contextlib.suppress(OSError):
                if with_reset:
                    reset(sock)
                sock.shutdown(socket.SHUT_RDWR)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120
    wbufsize = -1  # an answer is one write

    def setup(self):
        super().setup()
        self.owner = self.server.owner
        with self.owner.lock:
            self.owner.connections += 1
            self.number = self.owner.connections

    def log_message(self, *_):
        pass

    def cut(self):
        reset(self.connection)
        os.close(self.connection.detach())
        raise ConnectionAbortedError
