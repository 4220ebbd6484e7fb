"""An S3-compatible store on the loopback, which looks at every signature by itself and breaks on demand.

    with S3() as store:
        store.url                       # http://127.0.0.1:PORT/arquivos, for STORAGE_URL
        store.env                       # STORAGE_URL and what belongs to it
        store.script("GET", Fail(503), Cut(1000))     # the next two GETs; then as usual
        store.script("PUT", Silent(), times=FOREVER)
        store.forget()                  # as usual again
        store.objects()                 # {key: bytes}
        store.stop(); store.start()     # away and back, on the same port; what was under way is cut
        store.calls                     # every Call: verb, key, status, range, connection

Signatures are checked as Amazon's pages say ("Create a signed AWS API request", "Signature Version 4 for
S3"), from nothing but the bytes that came: a wrong key, region, host, path, time or body is a 403 or 400.
A PUT is there as a whole or not at all, an object's ETag is its MD5, a DELETE of nothing is 204.

Behaviours: Fail(status, code), Silent(seconds), Slow(seconds), Cut(after): RST after so many bytes of the
answer or, of a PUT, of the body that came; Lost(): a PUT or DELETE is done, then a RST; Short(n): a GET's part
ends n bytes early though its length and range say otherwise; Less(n): n bytes less, and the length says so;
Flip(at): one byte of the object is another; Tag(text): another ETag; Elsewhere(): another Content-Range;
Whole(): no ranges, all of it."""
import argparse
import contextlib
import datetime
import hashlib
import hmac
import os
import re
import shutil
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import simulator  # noqa: E402
from simulator import FOREVER  # noqa: E402,F401 - part of this interface

AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([^/,]+)/([^/,]+)/aws4_request, ?"
                           r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})\Z")
RANGE = re.compile(r"bytes=(\d+)-(\d+)\Z")
SKEW = 900  # seconds
NOTHING = hashlib.sha256(b"").hexdigest()


class Fail:
    def __init__(self, status, code="InternalError"):
        self.status, self.code = status, code


class Silent:
    def __init__(self, seconds=60):
        self.seconds = seconds


class Slow:
    def __init__(self, seconds):
        self.seconds = seconds


class Cut:
    def __init__(self, after=0):
        self.after = after


class Lost:
    """It is done, and the answer never comes."""


class Short:
    def __init__(self, by=1):
        self.by = by


class Less:
    def __init__(self, by=1):
        self.by = by


class Flip:
    def __init__(self, at=0):
        self.at = at


class Tag:
    def __init__(self, text='"another"'):
        self.text = text


class Elsewhere:
    pass


class Whole:
    pass


class Call:
    __slots__ = ("verb", "key", "range", "status", "code", "connection", "headers")

    def __init__(self, verb, key, headers, connection):
        self.verb, self.key, self.headers, self.connection = verb, key, headers, connection
        self.range, self.status, self.code = headers.get("Range"), None, None

    def __repr__(self):
        return f"<{self.verb} {self.key} {self.range or ''} {self.status} {self.code or ''} on {self.connection}>"


class Refused(Exception):
    def __init__(self, status, code):
        super().__init__(code)
        self.status, self.code = status, code


# ---- signatures ----------------------------------------------------------------------

def derived_key(secret, day, region, service="s3"):
    key = ("AWS4" + secret).encode()
    for word in (day, region, service, "aws4_request"):
        key = hmac.digest(key, word.encode(), "sha256")
    return key


def canonical(verb, target, headers, signed, payload):
    """The canonical request. headers: a list of pairs as they came."""
    path, _, query = target.partition("?")
    path = urllib.parse.quote(urllib.parse.unquote(path), safe="/-_.~")
    pairs = sorted((urllib.parse.quote(n, safe="-_.~"), urllib.parse.quote(v, safe="-_.~"))
                   for n, v in urllib.parse.parse_qsl(query, keep_blank_values=True))
    lines = ""
    for name in signed:
        values = [" ".join(v.split()) for n, v in headers if n.lower() == name]
        if not values:
            raise Refused(403, "AccessDenied")
        lines += f"{name}:{','.join(values)}\n"
    return "\n".join((verb, path, "&".join(f"{n}={v}" for n, v in pairs), lines, ";".join(signed), payload))


def check(store, verb, target, headers):
    """Refused, or the digest that the body must have."""
    told = {n.lower(): v for n, v in headers}
    match = AUTHORIZATION.match(told.get("authorization", ""))
    if not match:
        raise Refused(403, "AccessDenied")
    key, day, region, service, names, signature = match.groups()
    signed, stamp, payload = names.split(";"), told.get("x-amz-date", ""), told.get("x-amz-content-sha256")
    if key != store.access_key:
        raise Refused(403, "InvalidAccessKeyId")
    if region != store.region or service != "s3":
        raise Refused(400, "AuthorizationHeaderMalformed")
    if payload is None or (payload != "UNSIGNED-PAYLOAD" and not re.fullmatch(r"[0-9a-f]{64}", payload)):
        raise Refused(400, "InvalidRequest")
    wanted = {"host"} | {n for n in told if n.startswith("x-amz-")}
    if signed != sorted(signed) or not wanted <= set(signed) or stamp[:8] != day:
        raise Refused(403, "AccessDenied")
    if told.get("host") != store.host:  # what a proxy in between would have to keep
        raise Refused(403, "SignatureDoesNotMatch")
    then = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    if abs(time.time() - then.timestamp()) > SKEW:
        raise Refused(403, "RequestTimeTooSkewed")
    request = canonical(verb, target, headers, signed, payload)
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, f"{day}/{region}/s3/aws4_request",
                      hashlib.sha256(request.encode()).hexdigest()))
    good = hmac.digest(derived_key(store.secret_key, day, region), text.encode(), "sha256").hex()
    if not hmac.compare_digest(good, signature):
        raise Refused(403, "SignatureDoesNotMatch")
    return payload


# ---- the store -----------------------------------------------------------------------

class S3:
    def __init__(self, folder=None, access_key="chave-de-teste", secret_key="segredo/de+teste=do-S3",
                 region="sa-east-1", bucket="arquivos", prefix="", port=0):
        self.own = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="alicerce-s3-")
        self.access_key, self.secret_key, self.region = access_key, secret_key, region
        self.bucket, self.prefix = bucket, prefix
        self.lock = threading.Lock()
        self.calls, self.connections = [], 0
        self._scripts = simulator.Scripts()
        self.port, self.server = port, None
        self.start()

    def start(self):
        self.server = simulator.Server(self, self.port, _Handler)
        self.port = self.server.port

    def stop(self):
        """As kill -9 does: whoever is connected gets a RST."""
        server, self.server = self.server, None
        if server:
            server.end(with_reset=True)

    def close(self):
        self.stop()
        if self.own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"http://{self.host}/{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")

    @property
    def env(self):
        return {"STORAGE_URL": self.url, "STORAGE_ACCESS_KEY": self.access_key,
                "STORAGE_SECRET_KEY": self.secret_key, "STORAGE_REGION": self.region}

    def script(self, verb, *behaviours, times=1):
        """The next calls with this verb, one behaviour each; times: how often the last one of them."""
        with self.lock:
            self._scripts.add(verb, behaviours, times)

    def forget(self):
        with self.lock:
            self._scripts.clear()

    def behaviour(self, verb):
        with self.lock:
            return self._scripts.next(verb)

    def path(self, key):
        return os.path.join(self.folder, self.prefix, key)

    def names(self):
        """Of objects that are whole, by their last part."""
        return {n for _, _, names in os.walk(self.folder) for n in names if not n.startswith(".")}

    def calls_of(self, verb):
        with self.lock:
            return [c for c in self.calls if c.verb == verb]


class _Handler(simulator.Handler):
    continued = False

    def handle_expect_100(self):
        """Said once the body is wanted: a refusal comes without it."""
        self.continued = True
        return True

    def key_of(self):
        bucket, _, key = urllib.parse.unquote(self.path.lstrip("/")).partition("/")
        if bucket != self.owner.bucket:
            raise Refused(404, "NoSuchBucket")
        if not re.fullmatch(r"[0-9A-Za-z/_-]+", key):
            raise Refused(400, "InvalidURI")
        return key

    def handle_one(self, act):
        store = self.owner
        call = self.call = Call(self.command, self.path, dict(self.headers.items()), self.number)
        with store.lock:
            store.calls.append(call)
        broken = store.behaviour(self.command)
        try:
            if isinstance(broken, (Silent, Slow)):
                stopped = self.server.stopping.wait(broken.seconds)
                if stopped or isinstance(broken, Silent):
                    raise ConnectionAbortedError
            payload = check(store, self.command, self.path, list(self.headers.items()))
            call.key = self.key_of()
            if isinstance(broken, Fail):
                raise Refused(broken.status, broken.code)
            act(call.key, payload, broken)
        except Refused as refused:
            self.refuse(refused)
        except OSError:
            self.close_connection = True

    def do_PUT(self):
        self.handle_one(self.put)

    def do_GET(self):
        self.handle_one(self.get)

    def do_DELETE(self):
        self.handle_one(self.delete)

    # ---- the three ----

    def put(self, key, payload, broken):
        length = self.headers.get("Content-Length")
        if length is None or self.headers.get("Transfer-Encoding"):
            raise Refused(411, "MissingContentLength")
        if self.continued:
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
            self.continued = False
        path = os.path.join(self.owner.folder, key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        md5, sha, left = hashlib.md5(), hashlib.sha256(), int(length)
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(path), prefix=".", delete=False) as out:
            try:
                while left:
                    piece = self.rfile.read(min(left, 64 * 1024))
                    if not piece:
                        raise ConnectionAbortedError
                    left -= len(piece)
                    for sink in (md5.update, sha.update, out.write):
                        sink(piece)
                    if isinstance(broken, Cut) and int(length) - left > broken.after:
                        self.cut()
                if payload not in ("UNSIGNED-PAYLOAD", sha.hexdigest()):
                    raise Refused(400, "XAmzContentSHA256Mismatch")
                out.flush()
                if self.server.stopping.is_set():
                    raise ConnectionAbortedError
                os.replace(out.name, path)
            except BaseException:
                os.unlink(out.name)
                raise
        if isinstance(broken, Lost):
            self.cut()
        self.answer(200, {"ETag": f'"{md5.hexdigest()}"'})

    def get(self, key, payload, broken):
        if payload not in (NOTHING, "UNSIGNED-PAYLOAD"):
            raise Refused(400, "XAmzContentSHA256Mismatch")
        try:
            with open(os.path.join(self.owner.folder, key), "rb") as f:
                data = f.read()
        except OSError:
            raise Refused(404, "NoSuchKey") from None
        tag = f'"{hashlib.md5(data).hexdigest()}"'
        if self.headers.get("If-Match", tag) != tag:
            raise Refused(412, "PreconditionFailed")
        if isinstance(broken, Flip):
            data = data[:broken.at] + bytes([data[broken.at] ^ 1]) + data[broken.at + 1:]
        first, last, status, size = 0, len(data) - 1, 200, len(data)
        asked = RANGE.match(self.headers.get("Range", ""))
        if asked and not isinstance(broken, Whole):
            first, last, status = int(asked.group(1)), min(int(asked.group(2)), size - 1), 206
            if first >= size:
                raise Refused(416, "InvalidRange")
        headers = {"ETag": broken.text if isinstance(broken, Tag) else tag, "Content-Type": "binary/octet-stream"}
        if status == 206:
            shift = isinstance(broken, Elsewhere)
            headers["Content-Range"] = f"bytes {first + shift}-{last + shift}/{size}"
        part = data[first:last + 1]
        if isinstance(broken, Less):
            part = part[:-broken.by]
        self.answer(status, headers, part, broken)

    def delete(self, key, _payload, broken):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.owner.folder, key))
        if isinstance(broken, Lost):
            self.cut()
        self.answer(204)

    # ---- answers ----

    def refuse(self, refused):
        self.call.code = refused.code
        body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{refused.code}</Code>'
                f"<Message>no</Message></Error>").encode()
        if self.command == "PUT":
            self.close_connection = True  # the body was not read
        self.answer(refused.status, {"Content-Type": "application/xml"}, body)

    def answer(self, status, headers=None, body=b"", broken=None):
        self.call.status = status
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if isinstance(broken, Short):
            self.wfile.write(body[:-broken.by])
            self.wfile.flush()
            self.close_connection = True
            return
        if isinstance(broken, Cut):
            self.wfile.write(body[:broken.after])
            self.wfile.flush()
            self.cut()
        self.wfile.write(body)
        self.wfile.flush()


def main():
    parser = argparse.ArgumentParser(description="An S3-compatible store on the loopback; Ctrl-C ends it.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", help="where objects lie; else a temporary one")
    given = parser.parse_args()
    with S3(given.folder, port=given.port) as store:
        print(" ".join(f"{k}={v}" for k, v in store.env.items()), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
