"""Holds the log-densities of a model of several parts against those of a second reading of its file by numpy.
Usage: read_model_test.py WRITE_MODEL, or read_model_test.py --density DENSITY for a model that this program fits"""

import math
import pathlib
import random
import subprocess
import sys
import tempfile

TOLERANCE = 1e-6
# Debian's numpy is for Debian's Python, which need not be the first one on the path.
PYTHONS = (sys.executable, "/usr/bin/python3")


def has_numpy(python):
    return subprocess.run([python, "-c", "import numpy"], capture_output=True).returncode == 0


def numbers(*command):
    return [float(line) for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()]


def table():
    """Columns with each of the maps that density knows: positive, in an interval, with heavy tails, and straight."""
    draw = random.Random(7)
    for _ in range(320):
        a, b, c, d = (draw.gauss(0, 1) for _ in range(4))
        yield math.exp(a), 1 / (1 + math.exp(-2.5 * b - a)), math.sinh(3 * math.asinh(c)), c + d


def fitted(density, model, rows):
    """Fits a model to the table, and has its log-densities of rows that it draws."""
    folder = pathlib.Path(model).parent
    (folder / "t.csv").write_text("".join(",".join(map(repr, row)) + "\n" for row in table()))
    fit = [density, "fit", folder / "t.csv", "--members", "2", "--epochs", "6", "--out", folder / "run"]
    said = subprocess.run(fit, capture_output=True, text=True, check=True).stderr
    assert all(map in said for map in ("is positive", "between 0 and 1", "heavy tails")), said
    (folder / "run/model.safetensors").rename(model)
    subprocess.run([density, "sample", "--model", model, "--count", "50", "--out", rows], check=True)
    return numbers(density, "score", "--model", model, "--data", rows, "--rtol", "1e-9", "--atol", "1e-9", "--out", "-")


def main(*arguments):
    with tempfile.TemporaryDirectory() as folder:
        model, rows = f"{folder}/model.safetensors", f"{folder}/rows.npy"
        ours = fitted(arguments[1], model, rows) if arguments[0] == "--density" else numbers(*arguments, model, rows)
        python = next(filter(has_numpy, PYTHONS))
        theirs = numbers(python, str(pathlib.Path(__file__).with_name("read_model.py")), model, rows)
    worst = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    print(f"{len(ours)} rows, largest difference {worst:.1e} nats")
    return len(ours) == 0 or worst > TOLERANCE


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
