"""Fails if a file includes a layer that it may not see."""

import pathlib
import re
import sys

MAY_INCLUDE = {
    "autodiff": set(),
    "nn": {"autodiff"},
    "ode": {"autodiff"},
    "optim": {"autodiff"},
    "flows": {"autodiff", "nn", "ode"},
    "apps": {"autodiff", "nn", "ode", "optim", "flows"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.M)
ARRAYS_AND_BLAS = re.compile(r"^(xtensor|xtl|cblas|openblas|lapack)")


def problems(root):
    for layer, below in MAY_INCLUDE.items():
        for path in sorted((root / layer).rglob("*.[ch]pp")):
            for quoted, angled in INCLUDE.findall(path.read_text()):
                where = f"{path.relative_to(root)}: includes {quoted or angled}"
                if quoted:
                    parts = quoted.split("/")
                    if parts[0] != "fjord" or len(parts) < 3:
                        yield f"{where}; write fjord/<layer>/<file>.hpp"
                    elif parts[1] not in below | {layer}:
                        yield f"{where}, but {layer}/ may only see {sorted(below | {layer})}"
                    elif quoted == f"fjord/{parts[1]}/{parts[1]}.hpp":
                        yield f"{where}; inside the layers umbrella headers are not used"
                elif ARRAYS_AND_BLAS.match(angled) and layer != "autodiff":
                    yield f"{where}; use fjord/autodiff/tensor.hpp"
                elif angled.startswith("xtensor") and path.name != "xt.hpp" and layer == "autodiff":
                    yield f"{where}; use fjord/autodiff/xt.hpp"


if __name__ == "__main__":
    found = list(problems(pathlib.Path(sys.argv[1])))
    print("\n".join(found))
    sys.exit(bool(found))
