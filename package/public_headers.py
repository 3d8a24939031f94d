"""Lists what is installed: the headers that a program includes, and those that they include in turn.

python3 public_headers.py ROOT HEADER...
"""

import pathlib
import re
import sys

OWN_INCLUDE = re.compile(r'^#include "fjord/(.+)"$', re.M)


def reached(root, headers):
    found = set()
    while headers:
        found |= set(headers)
        headers = {name for header in headers for name in OWN_INCLUDE.findall((root / header).read_text("utf-8"))} - found
    return sorted(found)


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1]).resolve()
    print(*reached(root, [str(pathlib.Path(h).resolve().relative_to(root)) for h in sys.argv[2:]]), sep="\n")
