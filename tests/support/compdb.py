"""Turns the commands of `make -nB V=1` into a compilation database, on standard output."""
import json
import os
import shlex
import sys


def entries(lines):
    for line in lines:
        words = shlex.split(line) if " -c -o " in line else []
        if words and words[-1].endswith(".c"):
            yield {"directory": os.getcwd(), "file": words[-1], "arguments": words}


json.dump(list(entries(sys.stdin)), sys.stdout, indent=1)
