#!/usr/bin/env python3
"""The stack in containers, for real: an engine of our own, stand-ins for the base images, both Dockerfiles
and the compose file as they are. README.md says what this proves and what it cannot.

    tests/compose/run.py               everything
    tests/compose/run.py --only scale  the cases whose name has "scale" in it (and what they start from)
    tests/compose/run.py --keep        leaves the engine running at the end, and says where

Where no engine can run it says so, counts one skipped and exits with 0."""
import argparse
import os
import signal
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "support")]
import cases  # noqa: E402
import engine as engines  # noqa: E402
import looks  # noqa: E402
import servers  # noqa: E402
from engine import say  # noqa: E402


def install():
    """What is missing of Debian's packages; that it is still missing shows in missing()."""
    deps = os.path.join(engines.PROJECT, "tests", "support", "deps.sh")
    done = engines.run(["sh", deps, "install", "compose"], seconds=600, check=False)
    if done.returncode != 0:
        say(done.stdout[-2000:])


class Clock:
    def __init__(self):
        self.began = self.last = time.monotonic()

    def lap(self, what):
        now = time.monotonic()
        say(f"  {now - self.last:5.0f} s  {what}")
        self.last = now


def prepare(engine, clock):
    engine.start()
    clock.lap("engine started")
    how = engine.make_standins()
    clock.lap(f"stand-ins {how}")
    project = engines.Project(engine, (servers.free_port(), servers.free_port()))
    # One by each builder: the Dockerfiles promise both.
    version = "0.1.0"
    for name, buildkit in (("backend", False), ("frontend", True)):
        more = engine.npm_registry() if name == "frontend" else []
        engine.build(f"alicerce-{name}:{version}", project.folder, "-f",
                     project.path(f"Dockerfile.{name}"), *more, buildkit=buildkit)
    clock.lap("backend built by the classic builder, frontend by BuildKit")
    return project


def chosen(only):
    return [case for case in cases.CASES if only in case.__name__ or case in cases.FOUNDATION]


def run_cases(project, only, clock):
    passed = failed = 0
    for case in chosen(only):
        try:
            case(project)
            passed += 1
            clock.lap(case.__doc__.split("\n")[0])
        except Exception:
            failed += 1
            say(f"FAILED  {case.__name__}: {case.__doc__}\n{traceback.format_exc()}")
            for service in ("backend", "worker", "frontend"):
                say(project.logs(service))
            if case in cases.FOUNDATION:
                say("the rest stands on this one: not run")
                break
    return passed, failed


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="NAME")
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


def main():
    arguments = parse()
    clock = Clock()
    install()
    why = engines.missing()
    if why:
        say(f"skipped: no Docker engine can run here: {why}\n0 passed, 0 failed, 1 skipped")
        return 0
    engines.stop_on_signals()
    engine = engines.Engine()
    try:
        project = prepare(engine, clock)
        passed, failed = run_cases(project, arguments.only, clock)
        for line in looks.FIGURES:
            say(f"  {line}")
    except engines.Impossible as why_not:
        say(f"skipped: no Docker engine can run here: {why_not}\n0 passed, 0 failed, 1 skipped")
        return 0
    except engines.Trouble as trouble:
        say(str(trouble))
        passed, failed = 0, 1
    finally:
        if arguments.keep:
            say(f"left running: DOCKER_HOST=unix://{engine.socket} (pid {engine.process.pid}), "
                f"{engine.folder}")
        else:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            engine.stop()
    say(f"{time.monotonic() - clock.began:.0f} s in all\n{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
