"""What `make run` keeps under .run/: a lock, where it runs, and the settings of this checkout.

The runner holds a lock on .run/lock for as long as it lives: whoever gets the lock knows that nothing
runs. state.json says where it runs; settings.json has the ports and the secrets, which are made once."""
import contextlib
import fcntl
import json
import os
import secrets
import socket
import sys

import servers

HOME = os.path.join(servers.PROJECT, ".run")
LOCK = os.path.join(HOME, "lock")
STATE = os.path.join(HOME, "state.json")
SETTINGS = os.path.join(HOME, "settings.json")


def say(text):
    print(text, flush=True)


def fail(text):
    print(f"alicerce: {text}", file=sys.stderr, flush=True)
    sys.exit(1)


# ---- files of .run/ ------------------------------------------------------------------

def read_json(path):
    with contextlib.suppress(OSError, ValueError), open(path, encoding="utf-8") as f:
        return json.load(f)
    return {}


def write_json(path, value):
    """Whole or not at all, and for our eyes only."""
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
              encoding="utf-8") as f:
        json.dump(value, f, indent=1)
    os.replace(path + ".new", path)


def lock_file():
    return os.fdopen(os.open(LOCK, os.O_RDWR | os.O_CREAT, 0o600), "r+")


def take_lock():
    """The lock, to be kept open; None while a runner has it."""
    f = lock_file()
    try:
        fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        f.close()
        return None
    f.seek(0)
    f.truncate()
    f.write(str(os.getpid()))
    f.flush()
    return f


def runner_pid():
    """The runner that has the lock, None when none has."""
    with contextlib.suppress(OSError), lock_file() as f:
        try:
            fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(f.read() or 0)
    return None


# ---- settings ------------------------------------------------------------------------

def is_free(port):
    with contextlib.suppress(OSError), socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", port))
        return True
    return False


def wanted_port(name):
    """PORT or FRONT_PORT of the environment: taken as said, or not at all."""
    text = os.environ.get(name, "")
    if not text:
        return None
    if not text.isdigit() or not 0 < int(text) < 65536:
        fail(f'{name}: got "{text}", want an integer from 1 to 65535')
    if not is_free(int(text)):
        fail(f"{name}: {text} is taken by another program; name a free one or leave {name} out")
    return int(text)


def load_settings():
    """Secrets as they were made at the first run, ports as they were while they are free."""
    known = {"ports": {}, "secrets": {}, **read_json(SETTINGS)}
    for name in ("postgres", "redis", "META_APP_SECRET", "META_VERIFY_TOKEN", "JWT_SECRET"):
        known["secrets"].setdefault(name, secrets.token_hex(24))
    for name in ("postgres", "redis"):
        settle_port(known, name)
    return known


def settle_port(known, name, usual=None):
    """To be called just before it is used: another checkout may be starting, too."""
    before = known["ports"].get(name) or usual
    known["ports"][name] = before if before and is_free(before) else servers.free_port()
    write_json(SETTINGS, known)
    return known["ports"][name]
