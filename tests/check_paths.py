"""Fails if a file of the repository names a path that only some machine has: python3 check_paths.py ROOT"""

import os
import pathlib
import re
import sys

PATH = re.compile(r"(?<![\w./~-])/(?:home|root|work|tmp|mnt|media|opt|srv|Users|usr/local|var/tmp)/[\w.-]+")


def text_files(root):
    """The files of the checkout, without those that git or a build put there."""
    for folder, below, names in os.walk(root):
        here = pathlib.Path(folder)
        below[:] = sorted(
            name for name in below
            if name not in (".git", "runs", "__pycache__") and not (here / name / "meson-private").exists())
        yield from (here / name for name in sorted(names))


def problems(root):
    for file in text_files(root):
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        for number, line in enumerate(text.splitlines(), 1):
            found = PATH.findall(line) + [str(root)] * (str(root) + "/" in line)
            yield from (f"{file.relative_to(root)}:{number}: names {path}" for path in found)


if __name__ == "__main__":
    sys.exit("\n".join(problems(pathlib.Path(sys.argv[1]).resolve())) or 0)
