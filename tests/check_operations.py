"""Runs the battery and fails if it fails, if docs/operations.md is not what it gives, or if a header
declares an operation that has no row. Usage: check_operations.py TEST_OPERATIONS ROOT [--update]"""

import pathlib
import re
import sys

import check_page

DECLARATION = re.compile(r"^(?:Var|Vars|\w+)<T>&? (operator\S+|\w+)\(", re.M)
# What headers of operations declare beside operations: helpers of rules, which the rows of others use.
NO_OPERATION = {"scale", "scale_sum", "sum_to"}


def declared(root):
    for header in sorted((root / "autodiff" / "ops").glob("*.hpp")):
        for name in DECLARATION.findall(header.read_text()):
            if name not in NO_OPERATION:
                yield header.name, name


def main(executable, root, update):
    status, table = check_page.made_by(executable)
    found = []
    names = set(re.findall(r"^\| (\S+)", table, re.M))
    for header, name in declared(root):
        if name not in names:
            found.append(f"{header} declares {name}, which has no row in tests/autodiff/ops/")
    found += check_page.findings(root / "docs" / "operations.md", table, update)
    print("\n".join(found))
    return status != 0 or bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2]), "--update" in sys.argv))
