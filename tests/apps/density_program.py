"""The program density, and normal tables for it."""

import math
import random

from moons_program import MoonsTest, read_npy

RESULTS = {"checkpoint.safetensors", "comparison.csv", "config.toml", "metrics.jsonl", "model.safetensors", "report.html",
           "split.npy"}


def correlated(count, seed=1):
    """Rows of a normal distribution: x ~ N(100, 10^2), and y its line with noise."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        x, y = draw.gauss(0, 1), draw.gauss(0, 1)
        rows.append((100 + 10 * x, 0.8 * x + 0.6 * y))
    return rows


def csv(rows, names="x,y"):
    return "\n".join([names, *(",".join(map(repr, row)) for row in rows)]) + "\n"


def mean(values):
    return sum(values) / len(values)


def deviation(values):
    return math.sqrt(mean([(v - mean(values)) ** 2 for v in values]))


class Density(MoonsTest):
    name = "density"

    def fit(self, table, *options, **more):
        epochs = [] if "--epochs" in options else ["--epochs", 30]
        return self.succeeds("fit", table, *epochs, "--threads", 1, "--out", "out", *options, **more)

    def final(self, out="out"):
        return self.metrics(out)[-1]

    def parts(self, rows, out="out"):
        """The rows of the three parts in units of the training rows, and the deviations."""
        _, shape, split = read_npy(self.path(out) / "split.npy")
        self.assertEqual(shape, (len(rows),))
        training = [r for r, part in zip(rows, split) if part == 0]
        m = [mean([r[k] for r in training]) for k in (0, 1)]
        s = [deviation([r[k] for r in training]) for k in (0, 1)]
        return [[tuple((r[k] - m[k]) / s[k] for k in (0, 1)) for r, p in zip(rows, split) if p == part]
                for part in (0, 1, 2)], s, [r for r, part in zip(rows, split) if part == 2]
