"""Keeps the parts of README.md and the man pages that the programs' --help knows in step with it.

    documents.py write    rewrites them
    documents.py check    exit 1, naming the files that differ

Such a part stands between a line that names it and an end line: `<!-- configuration -->` and
`<!-- end -->` in Markdown, `.\\" environment of PROGRAM: ...` and `.\\" end` in a man page."""
import os
import re
import sys

import servers

PROGRAMS = ("alicerce-api", "alicerce-worker")
ROW = re.compile(r"^  ([A-Z][A-Z0-9_]+) +(.*\S)$")


class Help:
    """What a program's --help says: variables as (name, default, meaning), exit codes as pairs."""

    def __init__(self, program):
        done = servers.run_program(program, "--help", folder=os.path.join(servers.PROJECT, "build"))
        head, _, codes = done.stdout.partition("Exit codes:")
        self.variables = []
        for line in head.splitlines():
            row = ROW.match(line)
            if row:
                default, meaning = re.split(r" {2,}", row.group(2), maxsplit=1)
                self.variables.append((row.group(1), default, meaning))
        # one a line, or joined by semicolons
        items = re.split(r"\n(?=\s*\d)|;", codes.strip().rstrip("."))
        self.codes = [tuple(" ".join(item.split()).split(maxsplit=1)) for item in items]
        if not self.variables or not all(len(c) == 2 and c[0].isdigit() for c in self.codes):
            sys.exit(f"{program} --help: variables or exit codes are not as they should be")


def table(heads, rows):
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def configuration(helps):
    """One row a variable, with who reads it."""
    readers, rows = {}, {}
    for program, text in helps.items():
        for name, default, meaning in text.variables:
            readers.setdefault(name, []).append(program.removeprefix("alicerce-"))
            rows.setdefault(name, (default, meaning))
    return table(("variable", "default", "meaning", "read by"), (
        (f"`{name}`", default if default == "none" else f"`{default}`",
         re.sub(r" \*$", " ¹", meaning), " and ".join(readers[name]))
        for name, (default, meaning) in rows.items()))


def exit_codes(helps):
    meanings = {}
    for program, text in helps.items():
        for code, meaning in text.codes:
            meanings.setdefault(int(code), {}).setdefault(meaning, []).append(
                program.removeprefix("alicerce-"))
    return table(("code", "meaning"), (
        (str(code), "; ".join(m if len(meanings[code]) == 1 and len(by) == len(helps)
                              else f"{m} ({', '.join(by)})" for m, by in found.items()))
        for code, found in ((c, meanings[c]) for c in sorted(meanings))))


def roff(text):
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")


def man_items(pairs):
    for name, text in pairs:
        yield ".TP"
        yield f".B {roff(name)}"
        yield roff(text)


def man_environment(text):
    return man_items((f"{name}", f"{meaning}. Default: {default}.")
                     for name, default, meaning in text.variables)


PARTS = {  # the line that names a part → what makes its lines
    "<!-- configuration -->": configuration,
    "<!-- exit codes -->": exit_codes,
    **{f'.\\" environment of {p}: made by `make readme`': lambda h, p=p: man_environment(h[p])
       for p in PROGRAMS},
    **{f'.\\" exit codes of {p}: made by `make readme`': lambda h, p=p: man_items(h[p].codes)
       for p in PROGRAMS},
}
ENDS = ("<!-- end -->", '.\\" end')


def rewritten(lines, helps):
    out, inside = [], False
    for line in lines:
        if line in ENDS:
            inside = False
        if not inside:
            out.append(line)
        if line in PARTS:
            inside = True
            out += PARTS[line](helps)
    if inside:
        raise ValueError("a part without its end line")
    return out


def main():
    helps = {program: Help(program) for program in PROGRAMS}
    differ = []
    for name in ("README.md", *(f"docs/man/{p}.1" for p in PROGRAMS)):
        path = os.path.join(servers.PROJECT, name)
        with open(path, encoding="utf-8") as f:
            before = f.read()
        after = "\n".join(rewritten(before.splitlines(), helps)) + "\n"
        if after == before:
            continue
        differ.append(name)
        if sys.argv[1:] == ["write"]:
            with open(path, "w", encoding="utf-8") as f:
                f.write(after)
    if sys.argv[1:] == ["check"] and differ:
        sys.exit(f"{', '.join(differ)}: not as --help says (make readme)")


if __name__ == "__main__":
    main()
