#!/usr/bin/env python3
"""`make chaos-proof`: a test that cannot fail proves nothing. Each of four bugs is planted in turn, and the
chaos run has to report the loss or the doubling; the same faults without the bug have to pass.

    ack-first    the API answers 200 before Redis has the entry (PLANT_ACK_FIRST in api/intake.c)
    xack-first   the worker acknowledges an entry before it is written (PLANT_XACK_FIRST in worker/drain.c)
    no-key       events have no key that holds (a trigger gives each one of its own)
    everysec     Redis syncs every second, on a disk that is slow"""
import argparse
import json
import os
import subprocess
import sys

import plan
import servers

# name: (program and macro to build, arguments with the bug, the same without, what has to be reported)
PLANTS = {
    "ack-first": (("alicerce-api", "-DPLANT_ACK_FIRST"), ["--only", "^redis-freeze-kill$"], [], "lost"),
    "xack-first": (("alicerce-worker", "-DPLANT_XACK_FIRST"), ["--only", "^pg-freeze-workers-kill$"], [], "lost"),
    "no-key": (None, ["--only", "^workers-kill$"], ["--no-key"], "doubled"),
    "everysec": (None, ["--only", "^workers-redis-kill$", "--slow-disk", "50"],
                 ["--slow-disk", "1500", "--appendfsync", "everysec"], "lost"),
}
FAULTS, DELIVERIES, ROUNDS = 4, 1200, 3  # a fault that strikes between two deliveries shows nothing: once more


def build(name, program, macro):
    """The folder of the program with the bug."""
    folder = os.path.join("build", f"plant-{name}")
    done = subprocess.run(
        ["make", "-s", f"-j{os.cpu_count()}", f"BUILD={folder}", f"CFLAGS={macro}", "OPT=-O1", "SANITIZE=",
         f"{folder}/{program}"], cwd=servers.PROJECT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
    if done.returncode != 0:
        sys.exit(f"the planted bug {name} does not build\n{done.stdout[-3000:]}")
    return os.path.join(servers.PROJECT, folder)


def chaos(arguments, report):
    command = [sys.executable, "-B", os.path.join(plan.HERE, "chaos.py"), "--faults", str(FAULTS), "--deliveries",
               str(DELIVERIES), "--report", report, *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    with open(report, encoding="utf-8") as f:
        return done.returncode, json.load(f), done.stdout


def count(report, what):
    if "trouble" in report:
        return 0
    return sum(report["doubled"].values()) if what == "doubled" else report["lost"] + report["without_effect"]


def prove(name, control):
    """None, or what is wrong."""
    built, faults, planted, what = PLANTS[name]
    report = os.path.join(servers.temporary_folder(), "report.json")
    if control:
        code, _, text = chaos(faults, report)
        if code != 0:
            return f"it fails without the bug\n{text}"
    arguments = [*faults, *planted, *(["--plant", build(name, *built)] if built else [])]
    for round_number in range(1, ROUNDS + 1):
        code, found, text = chaos(arguments, report)
        if code == 1 and count(found, what):
            print(f"{name}: reported {count(found, what)} {what} of {found['acknowledged']} acknowledged"
                  f" (round {round_number}, seed {found['seed']})", flush=True)
            return None
    return f"not reported in {ROUNDS} rounds\n{text}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plants", nargs="*", help=f"of {', '.join(PLANTS)}; all when none is named")
    parser.add_argument("--no-control", action="store_true", help="leave out the runs without a bug")
    given = parser.parse_args()
    failed = 0
    for name in given.plants or PLANTS:
        wrong = prove(name, not given.no_control)
        if wrong:
            failed += 1
            print(f"FAILED {name}: {wrong}", flush=True)
    print(f"{len(given.plants or PLANTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
