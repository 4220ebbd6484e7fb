#!/usr/bin/env python3
"""`make test`: builds with sanitizers, runs every suite, ends with one line for all: N passed, N failed.

    tests/all.py                   everything
    tests/all.py unit sql          these steps

A step is a command; what it counted is read from its output. A step that fails without counting a
failure, or counts nothing at all, is one failure."""
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(HERE)
PYTHON = [sys.executable, "-B"]
RUN = [*PYTHON, os.path.join(HERE, "run.py")]
MAKE = ["make", "-s", "-C", PROJECT, f"-j{os.cpu_count()}"]

# The thread sanitizer of gcc 12 cannot place its shadow where the kernel randomises more than 28 bits.
CALM = ["setarch", "-R"] if shutil.which("setarch") and subprocess.run(
    ["setarch", "-R", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0 else []

# name, command, and the file without which there is nothing to run
STEPS = (
    ("unit", [*MAKE, "unit"], None),
    ("sql", [os.path.join(HERE, "sql", "run")], "tests/sql/run"),
    ("flow", [*RUN, "flow", "--bin", "build/asan"], None),
    ("fault", [*RUN, "fault", "--bin", "build/asan"], None),
    ("chaos", [*PYTHON, os.path.join(HERE, "chaos", "chaos.py"), "--bin", "build/asan", "--deliveries", "1500",
               "--faults", "10", "--count"], None),
    ("fuzz", [*MAKE, "fuzz-corpus"], "tests/fuzz/corpus"),
    ("races", [*CALM, *RUN, "flow", "--bin", "build/tsan", "--only", "test_counters,test_cache,test_programs"], None),
)
COUNTS = (  # the closing lines of our runners, and of Check
    (re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, \d+ skipped)?$"), lambda a, b: (a, b)),
    (re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$"),
     lambda a, b, c: (a - b - c, b + c)),
)


def counted(line):
    for pattern, read in COUNTS:
        found = pattern.match(line)
        if found:
            return read(*map(int, found.groups()))
    return None


def run(command):
    """Passes the output on. Returns passed, failed."""
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    passed = failed = 0
    with subprocess.Popen(command, cwd=PROJECT, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace") as process:
        for line in process.stdout:
            count = counted(line.strip())
            if count:
                passed, failed = passed + count[0], failed + count[1]
                line = f"  {count[0]} passed and {count[1]} failed\n"  # the closing line is for all
            print(line, end="", flush=True)
    if failed == 0 and (process.returncode != 0 or passed == 0):
        print(f"  the step ended with {process.returncode} and counted {passed} tests", flush=True)
        failed = 1
    return passed, failed


def build():
    for target in ("asan", "tsan"):
        if subprocess.run([*MAKE, target], stdin=subprocess.DEVNULL, check=False).returncode != 0:
            print("it does not build\n0 passed, 1 failed")
            sys.exit(1)


def main():
    unknown = set(sys.argv[1:]).difference(name for name, _, _ in STEPS)
    if unknown:
        sys.exit(f"unknown: {' '.join(unknown)}; the steps are {' '.join(s[0] for s in STEPS)}")
    began = time.monotonic()
    build()
    summary = [("build", time.monotonic() - began, "")]
    passed = failed = 0
    for name, command, needs in STEPS:
        if sys.argv[1:] and name not in sys.argv[1:] or not os.path.exists(needs or PROJECT):
            continue
        print(f"== {name}", flush=True)
        step_began = time.monotonic()
        p, f = run(command)
        summary.append((name, time.monotonic() - step_began, f"{p} passed and {f} failed"))
        passed, failed = passed + p, failed + f
    for name, seconds, text in [*summary, ("all", time.monotonic() - began, "")]:
        print(f"{name:8}{seconds:6.0f} s  {text}".rstrip())
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
