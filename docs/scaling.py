"""Puts the figures that the benchmark prints into scaling.md: sh bench/run.sh ranks > FILE; python3 docs/scaling.py FILE"""

import pathlib
import re
import sys

PAGE = pathlib.Path(__file__).with_name("scaling.md")


def time_text(seconds):
    number, unit = (seconds * 1e6, "us") if seconds < 1e-3 else (seconds * 1e3, "ms")
    return f"{number:.1f} {unit}" if number < 10 else f"{number:.0f} {unit}"


def rows_text(rows):
    """Two digits, which is all that a prediction of rows is worth."""
    return "-" if rows == 0 else f"{int(float(f'{rows:.1e}')):,}"


def replaced(text, pattern, new):
    assert len(re.findall(pattern, text, re.M)) == 1, pattern
    return re.sub(pattern, lambda _: new, text, flags=re.M)


def with_figures(text, printed):
    network = re.search(r"^latency .* GB/s$", printed, re.M)[0]
    text = replaced(text, r"^latency .*$", network + ".")
    for name, parameters, shard, total in re.findall(
            r"^(\w+), .*? (\d+) parameters, (\S+) ms a shard, (\S+) us a sum", printed, re.M):
        [row] = re.findall(rf"^\| ({name}: [^|]*) \|.*\|$", text, re.M)
        numbers = f"{int(parameters):,} | {time_text(float(shard) * 1e-3)} | {time_text(float(total) * 1e-6)}"
        text = replaced(text, rf"^\| {re.escape(row)} \|.*$", f"| {row} | {numbers} |")
    for ranks, *numbers in (line.split() for line in re.findall(r"^ *\d+(?:  +\S+){9}$", printed, re.M)):
        cells = [rows_text(float(n)) if i % 3 == 2 else n for i, n in enumerate(numbers)]
        text = replaced(text, rf"^\| {ranks} \|.*$", " | ".join(["| " + ranks, *cells]) + " |")
    return text


if __name__ == "__main__":
    printed = pathlib.Path(sys.argv[1]).read_text("utf-8")
    PAGE.write_text(with_figures(PAGE.read_text("utf-8"), printed), "utf-8")
