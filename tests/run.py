#!/usr/bin/env python3
"""Runs the tests that need real servers: tests/flow and tests/fault.

    tests/run.py                         everything
    tests/run.py flow                    one room
    tests/run.py --only posts,cache      tests whose name has "posts" or "cache" in it
    tests/run.py --bin build/asan        other programs

Each file is a process with servers of its own. The last line is "N passed, N failed[, N skipped]";
the exit code is 0 when all passed."""
import argparse
import concurrent.futures
import glob
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "support"))
ROOMS = ("flow", "fault")
FILE_SECONDS = 300  # the longest file takes a fifth of it on two idle cores
JOBS = min(2 * (os.cpu_count() or 1), 8)  # files wait for servers more than they work
# These take longest, so they begin first: else the end waits for one of them alone.
FIRST = ("openapi", "graph", "batch_rule", "fila", "write_lease", "programs", "stop", "servers_lost",
         "programs_lost", "matrix")


# ---- one file, in a process of its own -----------------------------------------------

class Recorder(unittest.TestResult):
    """One JSON line for each test."""

    def __init__(self, room, out):
        super().__init__()
        self.room, self.out = room, out
        self.begun, self.outcome, self.details = 0.0, None, []

    def startTest(self, test):
        super().startTest(test)
        self.begun, self.outcome, self.details = time.monotonic(), "passed", []

    def stopTest(self, test):
        super().stopTest(test)
        self.write(self.name(test), time.monotonic() - self.begun)
        self.outcome = None

    def name(self, test):
        return f"{self.room}/{test.id()}"

    def write(self, name, seconds):
        record = {"test": name, "outcome": self.outcome, "seconds": round(seconds, 2),
                  "detail": "\n".join(self.details)}
        self.out.write(json.dumps(record) + "\n")
        self.out.flush()

    def bad(self, test, err):
        alone = self.outcome is None  # setUpClass or tearDownClass
        if alone:
            self.details = []
        self.outcome = "failed"
        self.details.append(f"{test}\n{self._exc_info_to_string(err, test)}")
        if alone:
            self.write(self.name(test), 0)
            self.outcome = None

    def addFailure(self, test, err):
        self.bad(test, err)

    def addError(self, test, err):
        self.bad(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.bad(subtest, err)

    def addSkip(self, test, reason):
        self.details = [reason]
        if self.outcome is None:
            self.outcome = "skipped"
            self.write(self.name(test), 0)
            self.outcome = None
        else:
            self.outcome = "skipped"

    def addUnexpectedSuccess(self, test):
        self.outcome = "failed"
        self.details.append("it passed, but was expected to fail")


def chosen(suite, room, only):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from chosen(item, room, only)
        elif any(part in f"{room}/{item.id()}".lower() for part in only.lower().split(",")):
            yield item


def run_file(path, results, only):
    room = os.path.basename(os.path.dirname(path))
    with open(results, "w", encoding="utf-8") as out:
        recorder = Recorder(room, out)
        try:
            spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
            module = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = module
            spec.loader.exec_module(module)
            suite = unittest.TestSuite(
                chosen(unittest.defaultTestLoader.loadTestsFromModule(module), room, only))
        except Exception:
            recorder.outcome, recorder.details = "failed", [traceback.format_exc()]
            recorder.write(f"{room}/{os.path.basename(path)}", 0)
            return
        suite.run(recorder)


# ---- all of them ---------------------------------------------------------------------

def child(path, arguments):
    """Runs a file in its process. Returns its records."""
    results = tempfile.NamedTemporaryFile("r", suffix=".jsonl", encoding="utf-8")
    command = [sys.executable, os.path.abspath(__file__), "--child", path, "--results", results.name,
               "--only", arguments.only]
    name = f"{os.path.basename(os.path.dirname(path))}/{os.path.basename(path)}"
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=FILE_SECONDS, check=False)
        trouble = None if done.returncode == 0 else \
            f"the file's process ended with {done.returncode}\n{done.stdout[-4000:]}"
    except subprocess.TimeoutExpired:
        trouble = f"not done after {FILE_SECONDS} s"
    records = [json.loads(line) for line in results]
    if trouble:
        records.append({"test": name, "outcome": "failed", "seconds": 0, "detail": trouble})
    return records


def show(record, verbose):
    line = f"{record['test']}  ({record['seconds']} s)"
    if record["outcome"] == "failed":
        print(f"FAILED  {line}\n    " + record["detail"].strip().replace("\n", "\n    "))
    elif record["outcome"] == "skipped":
        print(f"skipped {line}: {record['detail']}")
    elif verbose:
        print(f"passed  {line}")
    sys.stdout.flush()


def shared_cluster():
    """One initdb for all files."""
    import servers
    os.environ["ALICERCE_TEST_CLUSTER"] = servers.postgres_template()


def in_order(room):
    first = [os.path.join(HERE, room, f"test_{name}.py") for name in FIRST]
    return sorted(glob.glob(os.path.join(HERE, room, "test_*.py")),
                  key=lambda path: (first.index(path) if path in first else len(first), path))


def run_room(room, arguments):
    files = in_order(room)
    records = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for future in concurrent.futures.as_completed(
                pool.submit(child, path, arguments) for path in files):
            for record in future.result():
                show(record, arguments.verbose)
                records.append(record)
    return records


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="*", choices=[*ROOMS, []], default=[])
    parser.add_argument("--only", default="", metavar="NAME,…")
    parser.add_argument("--bin", metavar="DIR", help="folder of the programs (default: build)")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"files at a time (default: {JOBS})")
    parser.add_argument("--verbose", action="store_true", help="name the tests that pass, too")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--results", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    arguments = parse()
    if arguments.bin:
        os.environ["ALICERCE_BIN"] = os.path.abspath(arguments.bin)
    if arguments.child:
        run_file(arguments.child, arguments.results, arguments.only)
        return 0
    begun = time.monotonic()
    shared_cluster()
    records = [r for room in ROOMS if room in (arguments.rooms or ROOMS)
               for r in run_room(room, arguments)]
    count = {outcome: sum(r["outcome"] == outcome for r in records)
             for outcome in ("passed", "failed", "skipped")}
    print(f"{time.monotonic() - begun:.0f} s")
    print(f"{count['passed']} passed, {count['failed']} failed"
          + (f", {count['skipped']} skipped" if count["skipped"] else ""))
    return 0 if count["passed"] and not count["failed"] else 1


if __name__ == "__main__":
    sys.exit(main())
