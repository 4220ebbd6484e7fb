"""Ends what was started and removes temporary folders, also when python was killed outright.

A process of its own that reads lines from its standard input and acts when that closes:
    add PID SIGNAL BIRTH    a process to end (BIRTH: field 22 of /proc/PID/stat, against reused pids)
    forget PID              it has ended
    folder PATH             a folder to remove in the end
"""
import contextlib
import os
import shutil
import signal
import sys
import time

GRACE = 10  # seconds between the polite signal and SIGKILL


def stat_fields(pid):
    """Fields of /proc/PID/stat from the state on: [0] state, [1] parent, [19] birth. None: gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            return f.read().rpartition(b")")[2].split()
    except OSError:
        return None


def birth(pid):
    fields = stat_fields(pid)
    return int(fields[19]) if fields else 0


def alive(pid):
    fields = stat_fields(pid)
    return fields is not None and fields[0] not in (b"Z", b"X")


def tree(root):
    """The process and its descendants, parents first."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = stat_fields(name)
            if fields:
                children.setdefault(int(fields[1]), []).append(int(name))
    members = [root]
    for pid in members:
        members.extend(children.get(pid, ()))
    return members


def send(pids, sig):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sig)


def wait_for_end(pids, seconds):
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def end(root, sig):
    """Politely at its root, then by force. A frozen tree is thawed first."""
    members = tree(root)
    send([root], sig)
    send(members, signal.SIGCONT)
    if not wait_for_end(members, GRACE):
        send(set(members) | set(tree(root)), signal.SIGKILL)


def main():
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(sig, signal.SIG_IGN)
    processes, folders = {}, []
    for line in sys.stdin:
        verb, _, rest = line.rstrip("\n").partition(" ")
        if verb == "add":
            pid, sig, born = map(int, rest.split())
            processes[pid] = (sig, born)
        elif verb == "forget":
            processes.pop(int(rest), None)
        elif verb == "folder":
            folders.append(rest)
    for pid, (sig, born) in reversed(processes.items()):
        if birth(pid) == born:
            end(pid, sig)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
