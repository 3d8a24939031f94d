"""Fails if a program that links the layers, but not the rest of the catalogue, would miss what their headers offer:
if a header of autodiff that they reach has a source that is in none of the archives.

python3 check_links.py ROOT ARCHIVE...
"""

import pathlib
import subprocess
import sys


def sources_of(archive, root):
    """The sources in an archive, relative to ROOT/autodiff, with _ for / as meson names objects."""
    names = subprocess.run(["ar", "t", archive], capture_output=True, text=True, check=True).stdout.split()
    for name in map(pathlib.PurePath, names):
        source = name.name.removesuffix(".o").removeprefix("meson-generated_")
        together = pathlib.Path(archive + ".p") / source  # several sources, compiled as one
        if not together.exists():
            yield source
            continue
        for line in together.read_text("utf-8").splitlines():
            path = pathlib.Path(line.removeprefix("#include<").removesuffix(">")).resolve()
            yield str(path.relative_to(root.resolve() / "autodiff")).replace("/", "_")


def problems(root, archives):
    sys.path.insert(0, str(root / "autodiff"))
    from families import reached

    built = {source for archive in archives for source in sources_of(archive, root)}
    for name in sorted(reached(root)):
        source = root / f"{name}.cpp"
        if source.exists() and name.removeprefix("autodiff/").replace("/", "_") + ".cpp" not in built:
            yield f"{name}.hpp is within reach of the layers, but {name}.cpp is not in their archives"


if __name__ == "__main__":
    sys.exit("\n".join(problems(pathlib.Path(sys.argv[1]), sys.argv[2:])) or 0)
