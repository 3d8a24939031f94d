"""Fails if a page of docs/ is not what a program of the tests makes. Usage: check_page.py PROGRAM PAGE [--update]

The program writes the page to the file that the environment variable FJORD_PAGE names. A number after ~ depends on
rounding errors: it may differ from the page's by a factor of 2."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROUGH = re.compile(r"~([0-9.e+-]+)")
FACTOR = 2


def made_by(program):
    """The status of the program, and what it writes."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "page.md"
        status = subprocess.run([program], env={**os.environ, "FJORD_PAGE": str(file)}).returncode
        return status, file.read_text() if file.exists() else ""


def agree(kept, made):
    if ROUGH.sub("~", kept) != ROUGH.sub("~", made):
        return False
    pairs = zip(map(float, ROUGH.findall(kept)), map(float, ROUGH.findall(made)))
    return all(a <= FACTOR * b and b <= FACTOR * a for a, b in pairs)


def findings(page, made, update):
    """What is wrong with the page; with `update`, it becomes what was made."""
    if update:
        page.write_text(made)
    if page.exists() and agree(page.read_text(), made):
        return []
    return [f"docs/{page.name} is not what the tests give: run this again with --update"]


def main(program, page, update):
    status, made = made_by(program)
    found = findings(page, made, update)
    print("\n".join(found))
    return status != 0 or bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2]), "--update" in sys.argv))
