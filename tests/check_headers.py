"""Lists the headers of a checkout, or fails if that list is not the one given.

python3 check_headers.py ROOT               prints them, one a line, for a build that compiles each alone
python3 check_headers.py ROOT HEADER...     fails if the folders hold another set of headers than these
"""

import pathlib
import sys

FOLDERS = ("apps", "autodiff", "bench", "examples", "flows", "nn", "ode", "optim", "tests")


def headers(root):
    found = [*root.glob("*.hpp"), *(p for folder in FOLDERS for p in (root / folder).rglob("*.hpp"))]
    return sorted(str(p.relative_to(root)) for p in found)


def problems(root, listed):
    for header in sorted(set(headers(root)) - set(listed)):
        yield f"{header}: not compiled alone yet; run meson setup --reconfigure in the build folder"
    for header in sorted(set(listed) - set(headers(root))):
        yield f"{header}: no longer there; run meson setup --reconfigure in the build folder"


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1])
    if len(sys.argv) == 2:
        print(*headers(root), sep="\n")
        sys.exit(0)
    sys.exit("\n".join(problems(root, sys.argv[2:])) or 0)
