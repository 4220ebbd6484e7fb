"""A Graph API on the loopback that answers as Meta's does when a lead is looked up, scripted by a test.

    with Graph(token="EAAB...", secret="segredo") as graph:
        graph.url                                  # http://127.0.0.1:PORT/v25.0, for GRAPH_URL
        graph.script("123", Error(4), Slow(2))     # the next two calls for lead 123; then as usual
        graph.script(ANY, Error(2), times=5)       # the next five calls, whatever they ask for
        graph.script("9", Error(100, 33), times=FOREVER)
        graph.lead("77", [("email", "a@b.c")], page="55")   # what this lead says, instead of made-up answers
        graph.limit(page="55", calls=3, seconds=2) # three calls of that page in two seconds, then code 80005
        graph.usage(app=94, step=1)                # X-App-Usage grows from 94 % by 1 a call
        ...
        graph.calls                                # every Call: lead, status, code, begun, ended, connection
        graph.calls_of("123"), graph.connections, graph.open_connections, graph.most_in_flight

Stable interface: Graph(token, secret, version, port, page, proof, known_only), its methods above and
reset(), close(); the behaviours Error, Slow, Cut, Silent, Raw, Closing; ANY, FOREVER; answers_of(id),
which is what a lead says unless a test said otherwise: [(name, [values])].

What is asked of a call: GET /VERSION/ID, access_token as a parameter or as Authorization: Bearer, and
appsecret_proof (hex HMAC-SHA256 of the token under the app secret; proof=False takes calls without one,
never with a wrong one). Every id of digits is a lead with made-up answers, unless known_only=True.

By hand: graph.py --token T --secret S [--port P] [--every N=CODE] [--calls N --seconds S]

Sources: Meta, "Handling Errors", "Rate Limits", "Retrieving Leads", "Securing Graph API Calls". Those pages
do not tie error codes to HTTP statuses, and both vary in the field: a client goes by the code."""
import argparse
import collections
import contextlib
import hashlib
import hmac
import json
import os
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import simulator  # noqa: E402
from simulator import FOREVER  # noqa: E402,F401 - part of this interface

ANY = "*"
PAGE = "1029384756"
FORM = "564738291"
FIELDS = {"id", "created_time", "ad_id", "ad_name", "adset_id", "adset_name", "campaign_id", "campaign_name",
          "form_id", "is_organic", "platform", "field_data", "custom_disclaimer_responses", "partner_name",
          "retailer_item_id", "vehicle"}

# code: (HTTP status, type, is_transient, message)
ERRORS = {
    1: (500, "OAuthException", False, "An unknown error occurred"),
    2: (500, "OAuthException", True, "Service temporarily unavailable"),
    4: (403, "OAuthException", True, "(#4) Application request limit reached"),
    10: (403, "OAuthException", False, "(#10) This endpoint requires the 'leads_retrieval' permission"),
    17: (400, "OAuthException", True, "(#17) User request limit reached"),
    32: (403, "OAuthException", True, "(#32) Page request limit reached"),
    100: (400, "GraphMethodException", False, "Unsupported get request."),
    190: (401, "OAuthException", False, "Invalid OAuth access token - Cannot parse access token"),
    200: (403, "OAuthException", False, "(#200) Requires leads_retrieval permission to manage the object"),
    368: (400, "OAuthException", False, "The action attempted has been deemed abusive or is otherwise disallowed"),
    613: (400, "OAuthException", True, "(#613) Calls to this api have exceeded the rate limit."),
    80005: (400, "OAuthException", True, "(#80005) There have been too many leadgen api calls to this Page "
                                         "account. Wait a bit and try again."),
}
NO_SUCH_OBJECT = ("Unsupported get request. Object with ID '{}' does not exist, cannot be loaded due to missing "
                  "permissions, or does not support this operation")


# ---- behaviours ----------------------------------------------------------------------

class Error:
    """A Graph error. status, message, type and transient replace what is usual for the code."""

    def __init__(self, code, subcode=None, status=None, message=None, type=None, transient=None,
                 headers=None):
        usual = ERRORS.get(code, (400, "OAuthException", False, f"(#{code}) Error"))
        self.code, self.subcode = code, subcode
        self.status = status or usual[0]
        self.type = type or usual[1]
        self.transient = usual[2] if transient is None else transient
        self.message = message or usual[3]
        self.headers = dict(headers or {})


class Slow:
    """The usual answer after so many seconds. drip: its body in pieces, spread over that time."""

    def __init__(self, seconds, drip=False):
        self.seconds, self.drip = seconds, drip


class Cut:
    """RST after so many bytes of the answer; 0: no answer at all."""

    def __init__(self, after=0):
        self.after = after


class Silent:
    """No answer, the connection stays, for at most so many seconds."""

    def __init__(self, seconds=60):
        self.seconds = seconds


class Raw:
    """These bytes instead of a body of JSON; whole=True: instead of the whole answer, then a close."""

    def __init__(self, data, status=200, kind="application/json; charset=UTF-8", whole=False):
        self.data, self.status, self.kind, self.whole = data, status, kind, whole


class Closing:
    """The usual answer with Connection: close."""


class Call:
    """One that was seen. connection: a number, the same for calls on one kept-alive connection.
    code: of the Graph error, None for an answer. ended: None while it is in flight or cut."""

    __slots__ = ("lead", "path", "query", "headers", "connection", "begun", "ended", "status", "code")

    def __init__(self, lead, path, query, headers, connection):
        self.lead, self.path, self.query, self.headers = lead, path, query, headers
        self.connection, self.begun = connection, time.monotonic()
        self.ended = self.status = self.code = None

    def __repr__(self):
        return f"<{self.lead} {self.status} {self.code} on {self.connection}>"


# ---- what leads say ------------------------------------------------------------------

FIRST = ("Ana", "João", "Iolanda", "Ângelo", "Conceição", "Zoë", "Uirá", "Nuñez", "Søren", "李")
LAST = ("da Silva", "D’Ávila", "Souza & Filhos", "Gonçalves", "O'Neil", "Müller", "Kovač", "小龍", "Brandão 🌻")
QUESTIONS = (
    ("qual_o_seu_orçamento?", ("até R$ 10.000", "R$ 10.000 – R$ 50.000", "mais de R$ 50.000")),
    ("quando_pretende_começar?", ("já 🚀", "em 3 meses", "só pesquisando \"por enquanto\"")),
    ("interesses", ("casa", "praia/campo", "cidade")),
    ("mensagem", ("Olá! 👋\nGostaria de saber mais…", "¿Cuánto cuesta?", "")),
)


def answers_of(lead):
    """[(name, [values])] of a lead nobody said anything of: made from its id alone."""
    n = int.from_bytes(hashlib.sha256(lead.encode()).digest()[:8], "big")

    def pick(options):
        nonlocal n
        n, at = divmod(n, len(options))
        return options[at]
    first, last = pick(FIRST), pick(LAST)
    name = [("nome_completo", [f"{first} {last}"])] if n % 5 == 0 else [("full_name", [f"{first} {last}"])]
    mail = [("email", [f"lead+{lead}@exemplo.com.br"])] if n % 7 else []
    phone = [("phone_number", [f"+55119{n % 10 ** 8:08d}"])] if n % 3 else []
    questions = [(q, [pick(options)]) for q, options in QUESTIONS[:n % 5]]
    if len(questions) > 2:  # a question that takes several answers
        questions[2] = (QUESTIONS[2][0], list(QUESTIONS[2][1][:2]))
    return name + mail + phone + questions


def escaped(value):
    """JSON as Meta writes it: ASCII, and slashes escaped."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("/", "\\/").encode()


# ---- the server ----------------------------------------------------------------------

class Graph:
    def __init__(self, token="EAAB-ficha", secret="segredo-de-teste-da-meta", version="v25.0", port=0, page=PAGE,
                 proof=True, known_only=False):
        self.token, self.secret, self.version, self.page = token, secret, version, page
        self.proof, self.known_only = proof, known_only
        self.lock = threading.Lock()
        self.reset()
        self.server = simulator.Server(self, port, _Handler)
        self.port = self.server.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.end(with_reset=False)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/{self.version}"

    # What a test says beforehand.
    def reset(self):
        """Forgets scripts, leads, limits and counts. Open connections stay."""
        with self.lock:
            self.calls, self.connections, self.most_in_flight, self.in_flight = [], 0, 0, 0
            self._scripts = simulator.Scripts()
            self._leads, self._limits, self._spent = {}, {}, collections.defaultdict(collections.deque)
            self._app_usage, self._page_usage, self._usage_step = 0.0, collections.defaultdict(float), 0.0

    def script(self, lead, *behaviours, times=1):
        """The next calls for this lead (ANY: for any without a script of its own), one behaviour each.
        times: how often the last one of them is repeated."""
        with self.lock:
            self._scripts.add(str(lead), behaviours, times)

    def lead(self, lead, answers=None, page=None, **fields):
        """A lead that says this: answers as [(name, value or [values])], and fields such as ad_id."""
        with self.lock:
            self._leads[str(lead)] = {"answers": answers, "page": page, "fields": fields}

    def limit(self, calls, seconds, page=None, code=None):
        """At most so many good answers in any such time, of one page or (None) of the whole app; past
        it the error code (80005 of a page, 4 of the app). The usage headers follow it."""
        with self.lock:
            self._limits[page] = (calls, seconds, code or (80005 if page else 4))

    def usage(self, app=None, page=None, step=None):
        """What the usage headers say now, in per cent, and by how much it grows with each call.
        page: {page: per cent}."""
        with self.lock:
            self._app_usage = self._app_usage if app is None else app
            self._page_usage.update(page or {})
            self._usage_step = self._usage_step if step is None else step

    # What a test looks at.
    def calls_of(self, lead):
        with self.lock:
            return [c for c in self.calls if c.lead == str(lead)]

    @property
    def open_connections(self):
        return len(self.server.open)

    @property
    def proof_wanted(self):
        return hmac.digest(self.secret.encode(), self.token.encode(), "sha256").hex()

    # How it answers.
    def begin(self, call):
        with self.lock:
            self.calls.append(call)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def end(self, call, finished):
        with self.lock:
            self.in_flight -= 1
            if finished:
                call.ended = time.monotonic()

    def behaviour(self, lead):
        with self.lock:
            return self._scripts.next(lead, ANY)

    def page_of(self, lead):
        known = self._leads.get(lead)
        return str(known["page"] or self.page) if known else self.page

    def refusal(self, call):
        """The Error that this call deserves, None for none. Order as Meta's: token, proof, object."""
        token = call.query.get("access_token") or _bearer(call.headers.get("Authorization"))
        if not token:
            return Error(104, message="An access token is required to request this resource.", status=400)
        if token != self.token:
            return Error(190)
        proof = call.query.get("appsecret_proof")
        if proof is None and self.proof:
            return Error(100, message="API calls from the server require an appsecret_proof argument")
        if proof is not None and not hmac.compare_digest(proof, self.proof_wanted):
            return Error(100, message="Invalid appsecret_proof provided in the API argument")
        if not call.lead.isdigit() or (self.known_only and call.lead not in self._leads):
            return Error(100, 33, message=NO_SUCH_OBJECT.format(call.lead))
        strange = set(filter(None, call.query.get("fields", "").split(","))) - FIELDS
        if strange:
            return Error(100, message=f"(#100) Tried accessing nonexisting field ({min(strange)})", type="OAuthException")
        return self._over_limit(self.page_of(call.lead))

    def _over_limit(self, page):
        with self.lock:
            now = time.monotonic()
            for name in (page, None):
                calls, seconds, code = self._limits.get(name, (0, 0, 0))
                spent = self._spent[name]
                while spent and spent[0] <= now - seconds:
                    spent.popleft()
                if code and len(spent) >= calls:
                    return Error(code)
            for name in (page, None):
                if name in self._limits:
                    self._spent[name].append(now)
        return None

    def usage_headers(self, page):
        """X-App-Usage of the app, X-Business-Use-Case-Usage of the page."""
        with self.lock:
            self._app_usage += self._usage_step
            self._page_usage[page] += self._usage_step
            app = max(self._app_usage, self._share(None))
            of_page = max(self._page_usage[page], self._share(page))
            wait = self._regain_minutes(page) if of_page >= 100 else 0
        return {
            "X-App-Usage": json.dumps({"call_count": int(app), "total_cputime": int(app / 4),
                                       "total_time": int(app / 3)}, separators=(",", ":")),
            "X-Business-Use-Case-Usage": json.dumps({page: [{
                "type": "leadgen", "call_count": int(of_page), "total_cputime": int(of_page / 4),
                "total_time": int(of_page / 3), "estimated_time_to_regain_access": wait}]}, separators=(",", ":")),
        }

    def _share(self, name):
        calls = self._limits.get(name, (0,))[0]
        return 100 * len(self._spent[name]) / calls if calls else 0

    def _regain_minutes(self, page):
        """In whole minutes, as Meta says it."""
        return max(1, round(self._limits.get(page, (0, 60))[1] / 60))

    def answer_of(self, call):
        known = self._leads.get(call.lead) or {"answers": None, "fields": {}}
        answers = known["answers"] if known["answers"] is not None else answers_of(call.lead)
        whole = {
            "id": call.lead, "created_time": "2026-11-22T02:30:00+0000", "form_id": FORM, "ad_id": "120209",
            "ad_name": "Anúncio / verão ☀", "adset_id": "120208", "adset_name": "Conjunto", "campaign_id": "120207",
            "campaign_name": "Campanha", "is_organic": False, "platform": "fb", **known["fields"],
            "field_data": [{"name": name, "values": values if isinstance(values, list) else [values]}
                           for name, values in answers]}
        asked = [f for f in call.query.get("fields", "created_time,field_data").split(",") if f]
        return {**{f: whole[f] for f in asked if f in whole}, "id": call.lead}


def _bearer(header):
    kind, _, token = (header or "").partition(" ")
    return token.strip() if kind.lower() in ("bearer", "oauth") else None


class _Handler(simulator.Handler):
    def do_GET(self):
        graph = self.owner
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        version, _, lead = url.path.strip("/").partition("/")
        call = Call(urllib.parse.unquote(lead), url.path, query, dict(self.headers.items()), self.number)
        graph.begin(call)
        finished = False
        try:
            if version != graph.version:
                self.answer(call, Error(2635, message="(#2635) You are calling a deprecated version of the API."))
            else:
                self.behave(call, graph.behaviour(call.lead))
            finished = True
        except OSError:
            self.close_connection = True  # it went away, or was to be cut
        finally:
            graph.end(call, finished)

    def behave(self, call, behaviour):
        graph = self.owner
        if isinstance(behaviour, Silent):
            self.server.stopping.wait(behaviour.seconds)
            raise ConnectionAbortedError
        if isinstance(behaviour, Raw) and behaviour.whole:
            self.wfile.write(behaviour.data)
            self.close_connection = True
            return
        if isinstance(behaviour, Raw):
            call.status = behaviour.status
            self.write(behaviour.status, behaviour.data, {"Content-Type": behaviour.kind})
            return
        slow = behaviour if isinstance(behaviour, Slow) else None
        if slow and not slow.drip:
            self.server.stopping.wait(slow.seconds)
        what = behaviour if isinstance(behaviour, Error) else graph.refusal(call) or graph.answer_of(call)
        self.close_connection |= isinstance(behaviour, Closing)
        self.answer(call, what, cut=behaviour if isinstance(behaviour, Cut) else None,
                    drip=slow.seconds if slow and slow.drip else 0)

    def answer(self, call, what, cut=None, drip=0):
        headers = {"Content-Type": "application/json; charset=UTF-8", "facebook-api-version": self.owner.version,
                   "Cache-Control": "private, no-cache, no-store, must-revalidate", "x-fb-rev": "1030000000",
                   **self.owner.usage_headers(self.owner.page_of(call.lead))}
        call.status = 200
        if isinstance(what, Error):
            call.status, call.code = what.status, what.code
            trace = "A" + hashlib.sha256(f"{call.lead} {call.begun}".encode()).hexdigest()[:22]
            error = {"message": what.message, "type": what.type, "code": what.code}
            if what.subcode is not None:
                error["error_subcode"] = what.subcode
            error.update(is_transient=what.transient, fbtrace_id=trace)
            headers.update({"x-fb-trace-id": trace, **what.headers})
            if what.code == 190:
                headers["WWW-Authenticate"] = f'OAuth "Facebook Platform" "invalid_token" "{what.message}"'
            what = {"error": error}
        self.write(call.status, escaped(what), headers, cut, drip)

    def write(self, status, body, headers, cut=None, drip=0):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        if cut is not None:
            self.cut_after(cut.after, body)
        self.end_headers()
        if drip:
            for piece in (body[at:at + 16] for at in range(0, len(body), 16)):
                self.wfile.write(piece)
                self.wfile.flush()
                self.server.stopping.wait(drip * 16 / len(body))
            return
        self.wfile.write(body)
        self.wfile.flush()

    def cut_after(self, after, body):
        head = b"".join(self._headers_buffer) + b"\r\n"
        self._headers_buffer = []
        if after:
            self.wfile.write((head + body)[:after])
            self.wfile.flush()
        self.cut()


# ---- by hand -------------------------------------------------------------------------

def main():
    parser = argparse.ArgumentParser(description="A Graph API on the loopback; Ctrl-C ends it.")
    parser.add_argument("--token", default="EAAB-ficha")
    parser.add_argument("--secret", default="segredo-de-teste-da-meta", help="META_APP_SECRET")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--every", metavar="N=CODE", action="append", default=[],
                        help="every N-th call fails with this code; may be given several times")
    parser.add_argument("--slow", type=float, default=0, metavar="SECONDS", help="each answer takes so long")
    parser.add_argument("--calls", type=int, help="with --seconds: the app's rate limit")
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    every = [tuple(map(int, pair.split("="))) for pair in given.every]
    with Graph(given.token, given.secret, port=given.port) as graph:
        if given.calls:
            graph.limit(given.calls, given.seconds)

        def behaviour(_lead):
            n = len(graph.calls)
            code = next((code for step, code in every if n % step == 0), None)
            return Error(code) if code else Slow(given.slow) if given.slow else None
        graph.behaviour = behaviour
        print(f"GRAPH_URL={graph.url} META_ACCESS_TOKEN={given.token}", flush=True)
        shown = 0
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(0.2)
                for call in graph.calls[shown:]:
                    print(f"{call.lead} {call.status} {call.code or ''} connection {call.connection}", flush=True)
                shown = len(graph.calls)


if __name__ == "__main__":
    main()
