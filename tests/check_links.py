"""Fails if a program that links the layers, but not the rest of the catalogue, would miss what their headers offer:
if a header of autodiff that they reach has a source that is in none of the archives.

python3 check_links.py ROOT ARCHIVE...
"""

import pathlib
import subprocess
import sys


def objects_of(archive):
    return subprocess.run(["ar", "t", archive], capture_output=True, text=True, check=True).stdout.split()


def problems(root, archives):
    sys.path.insert(0, str(root / "autodiff"))
    from families import reached

    built = {pathlib.PurePath(name).name for archive in archives for name in objects_of(archive)}
    for name in sorted(reached(root)):
        source = root / f"{name}.cpp"
        if source.exists() and name.removeprefix("autodiff/").replace("/", "_") + ".cpp.o" not in built:
            yield f"{name}.hpp is within reach of the layers, but {name}.cpp is not in their archives"


if __name__ == "__main__":
    sys.exit("\n".join(problems(pathlib.Path(sys.argv[1]), sys.argv[2:])) or 0)
