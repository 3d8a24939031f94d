"""Kills runs at moments spread evenly over them, and resumes them: python3 killed_runs.py DENSITY MOONS [KILLS]

Not a test of every build, because it takes minutes. Each run is killed five times before it may come to its end; then it must have
left the same bits as one that was never killed, and nothing else. After every kill, each file must be whole.
"""

import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

from density_program import RESULTS as DENSITY_RESULTS, correlated, csv
from moons_program import RESULTS as MOONS_RESULTS, SMALL, read_npy, read_safetensors

ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "PATH": "/nowhere"}
KILLS_A_RUN = 5


def without_seconds(lines):
    objects = [json.loads(line) for line in lines.splitlines()]
    for item in objects:
        item.pop("seconds")
    return objects


def check_is_whole(path):
    if path.suffix == ".safetensors":
        read_safetensors(path.read_bytes())
    elif path.suffix == ".npy":
        _, shape, numbers = read_npy(path)
        assert shape == (len(numbers),), path
    elif path.suffix == ".jsonl":
        without_seconds(path.read_text())
    elif path.suffix == ".html":
        assert path.read_text().endswith("</html>\n"), path


class Killed:
    def __init__(self, folder, command, results):
        self.folder, self.command, self.results = folder, command, results
        self.kills = self.left = 0
        folder.mkdir()
        (folder / "t.csv").write_text(csv(correlated(300)))
        began = time.monotonic()
        subprocess.run([*command, "--out", "whole"], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)
        self.seconds = time.monotonic() - began

    def run(self, number, draw):
        out = self.folder / f"out{number}"
        for kill in range(KILLS_A_RUN):
            process = subprocess.Popen([*self.command, "--out", out.name, "--resume"], cwd=self.folder, env=ENVIRONMENT,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(draw.uniform(0, self.seconds))
                assert process.returncode == 0, process.returncode
                break  # it came to its end
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
            self.kills += 1
            for path in sorted(out.iterdir()) if out.exists() else []:
                if path.name in self.results:
                    check_is_whole(path)
                else:
                    self.left += 1  # beside its target, until the next run writes it again
        subprocess.run([*self.command, "--out", out.name, "--resume"], cwd=self.folder, env=ENVIRONMENT, check=True,
                       capture_output=True)
        self.compare(out)

    def compare(self, out):
        whole = self.folder / "whole"
        names = {path.name for path in out.iterdir()}
        assert names == self.results, names
        for name in sorted(names - {"checkpoint.safetensors", "config.toml", "metrics.jsonl", "report.html"}):
            assert (out / name).read_bytes() == (whole / name).read_bytes(), out / name
        assert without_seconds((out / "metrics.jsonl").read_text()) == without_seconds((whole / "metrics.jsonl").read_text()), out


def main():
    density, moons = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
    kills = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    draw = random.Random(1)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        programs = [
            Killed(folder / "density", [density, "fit", "t.csv", "--flow", "ffjord", "--epochs", "300", "--members", "4", "--threads", "1"],
                   DENSITY_RESULTS),
            Killed(folder / "moons", [moons, "train", *map(str, SMALL), "--epochs", "40", "--threads", "1"], MOONS_RESULTS)]
        for program in programs:
            number = 0
            while program.kills < kills / len(programs):
                program.run(number, draw)
                number += 1
            print(f"{program.command[0]}: {program.kills} kills in {number} runs of {program.seconds:.1f} s, all resumed to the "
                  f"same bits; {program.left} files not yet renamed were left and replaced", flush=True)


if __name__ == "__main__":
    main()
