"""Tests of densities of some columns given others: python3 density_given_test.py DENSITY"""

import math
import random

from density_program import Density, csv, deviation, mean
from moons_program import npy_bytes, read_npy, read_safetensors, run_tests


def normal(z):
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


class Given(Density):
    def test_columns_that_are_given(self):
        """y = 3 sin(g) + N(0, 0.5^2) given g: its density has a closed form."""
        draw = random.Random(5)
        rows = [(3 * math.sin(g) + 0.5 * draw.gauss(0, 1), 50 + 10 * g) for g in (draw.gauss(0, 1) for _ in range(1500))]
        self.write("t.csv", csv(rows, "y,g"))
        self.fit("t.csv", "--given", "g", "--members", 1, "--epochs", 40)
        test = [rows[int(line.split(",")[0]) - 1] for line in self.path("out/comparison.csv").read_text().splitlines()[1:]]
        _, _, split = read_npy(self.path("out/split.npy"))
        scale = deviation([row[0] for row, part in zip(rows, split) if part == 0])
        truth = mean([-((y - 3 * math.sin((g - 50) / 10)) / 0.5) ** 2 / 2 for y, g in test])
        truth += math.log(scale / 0.5) - math.log(2 * math.pi) / 2
        reached = self.final()["log_density"]
        self.assertAlmostEqual(reached["flow"][0], truth, delta=0.15)
        self.assertAlmostEqual(reached["mixture"][0], truth, delta=0.3)
        self.assertLess(reached["gaussian"][0], truth - 0.3)
        self.assertIn('"given":["g"]', read_safetensors(self.model("out"))[0]["model"])
        self.look_at_the_conditional_model(rows, scale)

    def look_at_the_conditional_model(self, rows, scale):
        model = ["--model", "out/model.safetensors"]
        self.write("conditions.csv", csv([(50 + 10 * g,) for g in (0.5,) * 300 + (-0.5,) * 300], "g"))
        self.succeeds("sample", *model, "--conditions", "conditions.csv", "--out", "s.npy")
        _, shape, drawn = read_npy(self.path("s.npy"))
        self.assertEqual(shape, (600, 1))
        for half, g in ((drawn[:300], 0.5), (drawn[300:], -0.5)):
            self.assertAlmostEqual(mean(half), 3 * math.sin(g), delta=0.25)
            self.assertAlmostEqual(deviation(half), 0.5, delta=0.15)
        # The same rows from one table and from two.
        self.write("both.csv", csv([(50.0, 1.2), (55.0, 1.0)], "g,y"))
        self.write("y.csv", csv([(1.2,), (1.0,)], "y"))
        self.write("g.npy", npy_bytes([50.0, 55.0], (2, 1)))
        self.succeeds("score", *model, "--data", "both.csv", "--levels", "--out", "one.csv")
        self.succeeds("score", *model, "--data", "y.csv", "--conditions", "g.npy", "--levels", "--out", "two.csv")
        self.assertEqual(self.path("one.csv").read_text(), self.path("two.csv").read_text())
        # Of a normal distribution, the level of a row z deviations off is the probability within z.
        header, first, _ = self.path("one.csv").read_text().splitlines()
        self.assertEqual(header, "log_density,level")
        self.assertAlmostEqual(float(first.split(",")[1]), math.erf(2.4 / math.sqrt(2)), delta=0.03)
        for part, arguments in (
                ("--conditions: the model needs columns that are given", ["sample", "--count", 3, "--out", "x.npy"]),
                ("one row is drawn for each of the 600", ["sample", "--count", 3, "--conditions", "conditions.csv", "--out", "x.npy"]),
                ("conditions.csv has 600 rows, and y.csv 2", ["score", "--data", "y.csv", "--conditions", "conditions.csv", "--out", "x.npy"]),
                ("g.npy is the file that --conditions reads", ["score", "--data", "y.csv", "--conditions", "g.npy", "--out", "g.npy"]),
                ("y.csv has no column g", ["score", "--data", "y.csv", "--out", "x.npy"])):
            self.fails(2, part, arguments[0], *model, *arguments[1:])

    def test_conditions_far_out(self):
        """The noise of y = N(0, e^g) given g grows as an exponential, but not on and on to a hundred deviations of g."""
        draw = random.Random(5)
        rows = [(math.exp(g / 2) * draw.gauss(0, 1), g) for g in (draw.gauss(0, 1) for _ in range(600))]
        self.write("t.csv", csv(rows, "y,g"))
        model = ["--model", "out/model.safetensors"]
        for flow in ("ffjord", "spline"):
            self.fit("t.csv", "--given", "g", "--members", 1, "--epochs", 20, "--flow", flow)
            for far in (-100, 100):
                self.write("far.csv", csv([(far,)] * 200, "g"))
                self.succeeds("sample", *model, "--conditions", "far.csv", "--out", "s.npy")
                self.assertLess(deviation(read_npy(self.path("s.npy"))[2]), 60 * deviation([y for y, _ in rows]))
            self.write("far.csv", csv([(1.0, 10.0 ** k) for k in range(10)], "y,g"))
            self.succeeds("score", *model, "--data", "far.csv", "--out", "s.npy")
            self.assertTrue(all(map(math.isfinite, read_npy(self.path("s.npy"))[2])))

    def test_an_outlier_given_a_column(self):
        """y = g + N(0, 1) given g: a test row of which y or g is far out costs what it does in a density with wide tails."""
        draw = random.Random(6)
        rows = [(g + draw.gauss(0, 1), g) for g in (draw.gauss(0, 1) for _ in range(1000))]
        self.write("t.csv", csv(rows, "y,g"))
        for flow in ("ffjord", "spline"):
            options = ["--given", "g", "--members", 1, "--epochs", 10, "--flow", flow]
            self.write("t.csv", csv(rows, "y,g"))
            self.fit("t.csv", *options)
            usual = self.final()["log_density"]["flow"][0]
            place = read_npy(self.path("out/split.npy"))[2].index(2)
            for y, g in ((40, 0), (0, 1000)):
                self.write("t.csv", csv([*rows[:place], (y, g), *rows[place + 1:]], "y,g"))
                self.fit("t.csv", *options)
                # A ten-thousandth of N(0, 14^2), 14 being ten deviations of y; without it, the row would lose 800 or more.
                lost = math.log(normal(1)) - math.log(0.0001 * normal(y / 14) / 14)
                self.assertAlmostEqual(self.final()["log_density"]["flow"][0], usual - lost / 100, delta=0.05)


if __name__ == "__main__":
    run_tests()
