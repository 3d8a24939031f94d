"""Holds the log-densities of a model of several parts against those of a second reading of its file by numpy.
Usage: read_model_test.py WRITE_MODEL"""

import pathlib
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


def main(write_model):
    with tempfile.TemporaryDirectory() as folder:
        model, rows = f"{folder}/model.safetensors", f"{folder}/rows.npy"
        ours = numbers(write_model, model, rows)
        python = next(filter(has_numpy, PYTHONS))
        theirs = numbers(python, str(pathlib.Path(__file__).with_name("read_model.py")), model, rows)
    worst = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    print(f"{len(ours)} rows, largest difference {worst:.1e} nats")
    return len(ours) == 0 or worst > TOLERANCE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
