"""Tokens as a stranger with or without the key would make them, byte by byte."""
import base64
import hashlib
import hmac
import json
import os
import time

SECRET = "segredo-de-teste-com-32-bytes-ou-mais"
ADMIN_EMAIL = "admin@alicerce.test"
ADMIN_PASSWORD = "um cavalo anda em L"
ENV = {"JWT_SECRET": SECRET, "ADMIN_EMAIL": ADMIN_EMAIL, "ADMIN_PASSWORD": ADMIN_PASSWORD}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value):
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def claims(**changes):
    """Those of a good token; a change of None leaves the claim out."""
    now = int(time.time())
    out = {"sub": "1", "papel": "admin", "iat": now, "exp": now + 900, "jti": os.urandom(16).hex()}
    out.update(changes)
    return {k: v for k, v in out.items() if v is not None}


def sign(text, key, alg="HS256"):
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[alg]
    return b64(hmac.new(key if isinstance(key, bytes) else key.encode(), text.encode(), digest).digest())


def make(header=None, key=SECRET, alg="HS256", body=None, **changes):
    text = part(header or {"alg": alg, "typ": "JWT"}) + "." + part(body if body is not None
                                                                    else claims(**changes))
    return f"{text}.{sign(text, key, alg)}"


def read(token):
    """The claims, unchecked."""
    coded = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)))


def forged(good):
    """The usual catalogue: (what it is, the token). `good`: a live one of the server's own."""
    yield from forged_headers(good)
    yield from forged_claims()
    yield from forged_forms(good)


def forged_headers(good):
    """Another algorithm, another key, headers that name keys."""
    _, body, mac = good.split(".")
    none = part({"alg": "none", "typ": "JWT"})
    yield "none without a signature", f"{none}.{body}."
    yield "none with the signature", f"{none}.{body}.{mac}"
    for word in ("None", "NONE", "nOnE"):
        yield word, f"{part({'alg': word, 'typ': 'JWT'})}.{body}."
    for alg in ("HS384", "HS512"):
        yield alg, make(alg=alg)
    for alg in ("RS256", "ES256", "PS256", "EdDSA", "HS256 ", "hs256", ""):
        yield f"alg {alg!r} signed as HS256", make({"alg": alg, "typ": "JWT"})
    yield "alg is no text", make({"alg": 256, "typ": "JWT"})
    yield "alg is a list", make({"alg": ["HS256"], "typ": "JWT"})
    yield "no alg", make({"typ": "JWT"})
    yield "alg twice", make(b'{"alg":"none","alg":"HS256","typ":"JWT"}')
    yield "another typ", make({"alg": "HS256", "typ": "at+jwt"})
    yield "typ is no text", make({"alg": "HS256", "typ": 1})
    yield "empty key", make(key="")
    yield "key of a NUL", make(key=b"\0")
    yield "another key", make(key="outro-segredo-com-32-bytes-ou-mais!!")
    yield "the key's beginning", make(key=SECRET[:32])
    for kid in ("../../../../dev/null", "/dev/null", "' UNION SELECT 'x", "1", ""):
        yield f"kid {kid!r}", make({"alg": "HS256", "typ": "JWT", "kid": kid}, key="")
        yield f"kid {kid!r}, rightly signed", make({"alg": "HS256", "typ": "JWT", "kid": kid})
    for name, value in (("jku", "http://127.0.0.1/k"), ("x5u", "http://127.0.0.1/k"), ("crit", ["exp"]),
                        ("jwk", {"kty": "oct", "k": ""}), ("zip", "DEF"), ("b64", False)):
        yield f"{name} in the header", make({"alg": "HS256", "typ": "JWT", name: value})


def forged_claims():
    """Rightly signed: claims that are missing, of another type, or out of their time."""
    now = int(time.time())
    for name in ("sub", "papel", "iat", "exp", "jti"):
        yield f"no {name}", make(**{name: None})
        for value in ([], {}, True, 1.5, "", " "):
            yield f"{name} {value!r}", make(**{name: value})
    for name in ("iat", "exp", "nbf", "ini", "desde"):
        yield f"{name} as text", make(**{name: str(now + 1)})
        yield f"{name} negative", make(**{name: -1})
        yield f"{name} huge", make(**{name: 2 ** 63 - 1})
        yield f"{name} beyond 64 bits", make(**{name: 2 ** 64})
    for name in ("sub", "jti", "papel"):
        yield f"{name} as a number", make(**{name: 1})
    for sub in ("0", "-1", "01", "1 ", "1;", "a", "9" * 40):
        yield f"sub {sub!r}", make(sub=sub)
    for papel in ("root", "Admin", "admin ", "admin\0"):
        yield f"papel {papel!r}", make(papel=papel)
    yield "jti with a blank", make(jti="a b")
    yield "jti too long", make(jti="a" * 65)
    yield "nbf in the future", make(nbf=now + 300)
    yield "iat in the future", make(iat=now + 300, exp=now + 1200)
    yield "expired", make(iat=now - 2000, exp=now - 1100)
    yield "expired for 90 s", make(iat=now - 900, exp=now - 90)
    yield "exp before iat", make(exp=now - 10)
    yield "lives a year", make(exp=now + 365 * 86400)
    yield "an endless session", make(ini=now - 13 * 3600)


def forged_forms(good):
    """Parts that are missing, changed, of another token, or no base64url of JSON."""
    head, body, mac = good.split(".")
    admin = part({**read(good), "papel": "admin", "sub": "1"})
    yield "truncated signature", good[:-1]
    yield "one character changed", f"{head}.{body}.{('B' if mac[0] == 'A' else 'A') + mac[1:]}"
    yield "two parts", f"{head}.{body}"
    yield "two parts and a dot", f"{head}.{body}."
    yield "four parts", f"{good}.{mac}"
    yield "five parts", f"{good}.{mac}.{mac}"
    yield "empty header", f".{body}.{mac}"
    yield "empty claims", f"{head}..{mac}"
    yield "dots alone", ".."
    yield "one word", "abc"
    yield "nothing", ""
    yield "claims of another token", f"{head}.{part(claims())}.{mac}"
    yield "roles changed", f"{head}.{admin}.{mac}"
    yield "padding", f"{head}.{body}.{mac}="
    yield "another base64", make().replace("-", "+").replace("_", "/") + "+"
    yield "a blank within", good.replace(".", ". ", 1)
    yield "claims are a list", make(body=b"[]")
    yield "claims are no JSON", make(body=b"{")
    yield "claims are not UTF-8", make(body=b'{"sub":"\xff"}')
    yield "a claim twice", make(body=json.dumps(claims()).encode()[:-1] + b',"papel":"leitor"}')
    yield "deep claims", make(body=b'{"sub":' + b"[" * 300 + b"]" * 300 + b"}")
    yield "just over the size", make(extra="x" * 800)
    yield "3 kB", "a" * 1000 + "." + "a" * 1000 + "." + "a" * 1000
