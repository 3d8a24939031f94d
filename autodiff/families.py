"""Lists the families of operations, from the includes of autodiff/ops/ops.hpp.

python3 families.py ROOT all       every family
python3 families.py ROOT needed    those that the layers above and the programs reach, by the includes of their files
python3 families.py ROOT other     the rest
"""

import pathlib
import re
import sys

FAMILY = re.compile(r'^#include "fjord/autodiff/ops/(\w+)\.hpp"', re.M)
INCLUDE = re.compile(r'^#include "fjord/(autodiff/[\w/]+)\.hpp"', re.M)
ROOTS = ("nn", "ode", "optim", "flows", "apps")


def families(root):
    return FAMILY.findall((root / "autodiff/ops/ops.hpp").read_text("utf-8"))


def reached(root):
    """The files of autodiff, without their endings, that the layers above need: a header needs its source."""
    files = [file for layer in ROOTS for file in sorted((root / layer).rglob("*.?pp"))]
    found = set()
    while files:
        for name in set(INCLUDE.findall(files.pop().read_text("utf-8"))) - found:
            found.add(name)
            files += [file for file in (root / f"{name}.hpp", root / f"{name}.cpp") if file.exists()]
    return found


def main(root, which):
    needed = {name.removeprefix("autodiff/ops/") for name in reached(root)}
    for family in families(root):
        if which == "all" or (family in needed) == (which == "needed"):
            print(family)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2])
