"""Tests of what density fits, scores and samples: python3 density_test.py DENSITY"""

import json
import math
import random
import re

from density_program import RESULTS, Density, correlated, csv, deviation, mean
from moons_program import npy_bytes, read_npy, read_safetensors, run_tests


def true_log_density(row):
    x, y = (row[0] - 100) / 10, row[1]
    y = (y - 0.8 * x) / 0.6
    return -math.log(2 * math.pi) - math.log(10 * 0.6) - (x * x + y * y) / 2


def gaussian_log_density(rows, points):
    """By the maximum of the likelihood, with 1e-6 added to the variances."""
    m = [mean([r[k] for r in rows]) for k in (0, 1)]
    a, b = (mean([(r[k] - m[k]) ** 2 for r in rows]) + 1e-6 for k in (0, 1))
    c = mean([(r[0] - m[0]) * (r[1] - m[1]) for r in rows])
    det = a * b - c * c
    result = []
    for p in points:
        x, y = p[0] - m[0], p[1] - m[1]
        result.append(-math.log(2 * math.pi) - math.log(det) / 2 - (b * x * x - 2 * c * x * y + a * y * y) / (2 * det))
    return result


def kernel_log_density(rows, points, width):
    result = []
    for p in points:
        total = sum(math.exp(-((p[0] - r[0]) ** 2 + (p[1] - r[1]) ** 2) / (2 * width * width)) for r in rows)
        result.append(math.log(total / len(rows)) - math.log(2 * math.pi * width * width))
    return result


def width_score(rows, others, width):
    """The mean over other rows, and over these, each without its own kernel."""
    own = [kernel_log_density(rows[:i] + rows[i + 1:], [rows[i]], width)[0] for i in range(len(rows))]
    return mean(own + kernel_log_density(rows, others, width))


class Fit(Density):
    def test_the_four_models_of_a_normal_table(self):
        rows = correlated(400)
        self.write("t.csv", csv(rows))
        run = self.fit("t.csv")
        number = r"-?\d+\.\d\d \+- \d+\.\d\d\n"
        self.assertRegex(run.out, rf"^gaussian  {number}mixture \(\d+\)  {number}kernel density  {number}flow  {number}"
                                  r"40 test rows, \d+\.\d s, wrote out/model.safetensors\n$")
        self.assertEqual({p.name for p in self.path("out").iterdir()}, RESULTS)
        final = self.final()
        self.assertEqual(final["rows"], {"train": 320, "validation": 40, "test": 40})
        (training, validation, test), s, raw = self.parts(rows)
        reached = final["log_density"]
        expected = gaussian_log_density(training, test)
        self.assertAlmostEqual(reached["gaussian"][0], mean(expected), delta=1e-9)
        self.assertAlmostEqual(reached["gaussian"][1], deviation(expected) / math.sqrt(39), delta=1e-9)
        truth = mean([true_log_density(r) for r in raw]) + math.log(s[0] * s[1])
        self.assertAlmostEqual(reached["flow"][0], truth, delta=0.15)
        self.assertAlmostEqual(reached["mixture"][0], truth, delta=0.15)
        if reached["mixture"][2] == 1:
            self.assertAlmostEqual(reached["mixture"][0], reached["gaussian"][0], delta=1e-9)
        best = max((0.1 * 1.04 ** k for k in range(50)), key=lambda h: width_score(training, validation, h))
        self.assertAlmostEqual(reached["kernel"][0], mean(kernel_log_density(training, test, best)), delta=0.02)
        head, *lines = self.path("out/comparison.csv").read_text().splitlines()
        self.assertEqual(head, "row,gaussian,mixture,kernel,flow")
        table = [list(map(float, line.split(","))) for line in lines]
        for k, line in enumerate(run.out.splitlines()[:4]):
            name = ("gaussian", "mixture", "kernel", "flow")[k]
            self.assertTrue(line.endswith("%.2f +- %.2f" % tuple(reached[name][:2])), line)
            self.assertAlmostEqual(mean([r[k + 1] for r in table]), reached[name][0], delta=1e-12)
        self.assertEqual([rows[int(r[0]) - 1] for r in table], raw)  # in the order of the table

    def test_columns_as_they_come(self):
        """Positive and skewed, rounded, and with the tails of sinh(2 asinh(N(0, 1)))."""
        draw = random.Random(7)
        rows = [(math.exp(1 + draw.gauss(0, 1)), round(20 + 5 * draw.gauss(0, 1), 1),
                 math.sinh(2 * math.asinh(draw.gauss(0, 1)))) for _ in range(1500)]
        self.write("t.csv", csv(rows, "a,b,c"))
        run = self.fit("t.csv", "--members", 1, "--epochs", 10)
        self.assertIn("density: the column a is positive: its logarithm is modelled\n", run.err)
        self.assertIn("density: the column c has heavy tails, which are drawn in\n", run.err)
        self.assertRegex(run.err, r"rounded columns, .* within half a step: b to 0.1\n")
        # Also those of the background have the signs of the column, and densities.
        sample = self.succeeds("sample", "--model", "out/model.safetensors", "--count", 20_000, "--out", "-").out
        self.assertGreater(min(float(line.split(",")[0]) for line in sample.splitlines()[1:]), 0)
        self.write("drawn.csv", sample)
        self.succeeds("score", "--model", "out/model.safetensors", "--data", "drawn.csv", "--out", "s.npy")
        self.succeeds("score", "--model", "out/model.safetensors", "--data", "t.csv", "--out", "s.npy")
        _, _, found = read_npy(self.path("s.npy"))

        def normal(x):
            return -x * x / 2 - math.log(2 * math.pi) / 2

        def truth(row):
            a, b, c = math.log(row[0]) - 1, (row[1] - 20) / 5, math.sinh(math.asinh(row[2]) / 2)
            slope = math.cosh(math.asinh(row[2]) / 2) / (2 * math.sqrt(1 + row[2] ** 2))
            return normal(a) - math.log(row[0]) + normal(b) - math.log(5) + normal(c) + math.log(slope)

        self.assertAlmostEqual(mean(found), mean([truth(r) for r in rows]), delta=0.1)

    def test_rows_outside_of_the_support(self):
        """The density of a positive column is 0 at a negative number, and at 0."""
        draw = random.Random(7)
        rows = [(math.exp(1 + draw.gauss(0, 1)), draw.gauss(0, 1)) for _ in range(600)]
        self.write("t.csv", csv(rows, "a,b"))
        self.write("far.csv", "a,b\n1.5,0.2\n-2.5,0.1\n0.0,0.3\n3.0,1.0\n")
        self.write("inside.csv", "a,b\n1.5,0.2\n3.0,1.0\n")
        score = ["score", "--model", "out/model.safetensors", "--levels", "--out", "s.csv", "--data"]
        for options in (["--flow", "ffjord"], ["--flow", "spline"], ["--flow", "ffjord", "--given", "b"]):
            run = self.fit("t.csv", *options, "--members", 2, "--epochs", 5)
            self.assertIn("the column a is positive", run.err)
            run = self.succeeds(*score, "far.csv")
            self.assertRegex(run.out, r"^NLL inf \+- null nats over 4 rows, \d+ field evaluations a row\n$")
            note = "density: the density of 2 of 4 rows is 0: they are outside of the model's support, or too far from it; "
            self.assertTrue(run.err.startswith(note), run.err)
            lines = self.path("s.csv").read_text().splitlines()[1:]
            self.assertEqual(lines[1:3], ["-inf,1", "-inf,1"])
            inside = self.succeeds(*score, "inside.csv")
            self.assertTrue(inside.out.startswith(run.err.removeprefix(note).split(" over")[0]), inside.out)
            for line, other in zip((lines[0], lines[3]), self.path("s.csv").read_text().splitlines()[1:]):
                self.assertAlmostEqual(float(line.split(",")[0]), float(other.split(",")[0]), delta=1e-5)

    def test_samples_have_the_mean_of_a_positive_column(self):
        """Of e^N(0, 1) it is e^(1/2): a rare sample that no table has would be all of it."""
        draw = random.Random(7)
        rows = [(math.exp(draw.gauss(0, 1)), draw.gauss(0, 1)) for _ in range(800)]
        self.write("t.csv", csv(rows, "a,b"))
        self.write("b.csv", csv([(draw.gauss(0, 1),) for _ in range(20000)], "b"))
        for fit, sample in (([], ["--count", 20000]), (["--given", "b"], ["--conditions", "b.csv"])):
            run = self.fit("t.csv", *fit, "--members", 1, "--epochs", 10)
            self.assertIn("the column a is positive", run.err)
            self.succeeds("sample", "--model", "out/model.safetensors", *sample, "--out", "s.npy")
            numbers = read_npy(self.path("s.npy"))[2]
            self.assertAlmostEqual(mean(numbers[::1 if fit else 2]), math.exp(0.5), delta=0.3)

    def test_one_negative_row_makes_a_column_not_positive(self):
        """Wherever the split puts it: its density must not be 0."""
        draw = random.Random(7)
        rows = [(math.exp(1 + draw.gauss(0, 1)), draw.gauss(0, 1)) for _ in range(600)]
        for part in (0, 1, 2):
            self.write("t.csv", csv(rows, "a,b"))
            self.fit("t.csv", "--members", 1, "--epochs", 1)
            _, _, split = read_npy(self.path("out/split.npy"))
            place = split.index(part)
            self.write("t.csv", csv([*rows[:place], (-0.5, 0.1), *rows[place + 1:]], "a,b"))
            run = self.fit("t.csv", "--members", 1, "--epochs", 2)
            self.assertNotIn("is positive", run.err)
            self.assertTrue(all(map(math.isfinite, self.final()["log_density"]["flow"])))

    def test_levels(self):
        """Of a normal distribution in two columns, the level of a row is 1 - e^(-r^2 / 2), r its distance in deviations."""
        rows = correlated(3000)
        self.write("t.csv", csv(rows))
        self.fit("t.csv", "--members", 1, "--epochs", 20)
        self.succeeds("score", "--model", "out/model.safetensors", "--data", "t.csv", "--levels", "--out", "s.npy")
        _, shape, numbers = read_npy(self.path("s.npy"))
        self.assertEqual(shape, (3000, 2))
        for row, level in list(zip(rows, numbers[1::2]))[:200]:
            r2 = -2 * (true_log_density(row) + math.log(2 * math.pi) + math.log(6))
            self.assertAlmostEqual(level, 1 - math.exp(-r2 / 2), delta=0.1)  # the fit is not exact
        self.fails(2, "the model knows of no columns that are given", "score", "--model", "out/model.safetensors",
                   "--data", "t.csv", "--conditions", "t.csv", "--out", "x.npy")

    def test_a_second_round_on_all_rows(self):
        """Of 20 rows, those that were held out count, too: the mean moves to that of all."""
        rows = [(float(i % 7), float(i * i % 11)) for i in range(20)]
        self.write("t.csv", csv(rows))
        options = ["--preset", "fast", "--epochs", 60, "--validation", 0.3, "--test", 0.3]
        first = self.fit("t.csv", *options)
        second = self.fit("t.csv", *options, "--refit")
        self.assertEqual(first.out.splitlines()[:4], second.out.splitlines()[:4])
        self.succeeds("score", "--model", "out/model.safetensors", "--data", "t.csv", "--out", "s.npy")
        refitted = mean(read_npy(self.path("s.npy"))[2])
        self.fit("t.csv", *options)
        self.succeeds("score", "--model", "out/model.safetensors", "--data", "t.csv", "--out", "s.npy")
        self.assertGreater(refitted, mean(read_npy(self.path("s.npy"))[2]))

    def test_flow_matching(self):
        rows = [((x - 100) / 10, y + ((x - 100) / 10) ** 2) for x, y in correlated(1000)]
        self.write("t.csv", csv(rows))
        self.fit("t.csv", "--method", "matching", "--members", 1, "--epochs", 60)
        reached = self.final()["log_density"]
        self.assertGreater(reached["flow"][0], reached["gaussian"][0] + 2 * reached["gaussian"][1])
        self.fails(2, "--blocks: 1 with --method matching is needed, got 2", "fit", "t.csv", "--method", "matching",
                   "--blocks", 2, "--out", "other")

    def test_the_scores_of_the_model_are_the_flow_line(self):
        rows = correlated(200)
        self.write("t.csv", csv(rows))
        self.fit("t.csv")
        _, s, raw = self.parts(rows)
        self.write("test.csv", csv([(y, 7.0, x) for x, y in raw], "y,more,x"))  # matched by name, whatever the order
        run = self.succeeds("score", "--model", "out/model.safetensors", "--data", "test.csv", "--out", "s.npy")
        _, _, scores = read_npy(self.path("s.npy"))
        reached = self.final()["log_density"]["flow"]
        self.assertAlmostEqual(mean(scores) + math.log(s[0] * s[1]), reached[0], delta=1e-6)
        self.assertAlmostEqual(deviation(scores) / math.sqrt(len(scores) - 1), reached[1], delta=1e-6)
        self.assertRegex(run.out, r"^NLL \d\.\d{4} \+- \d\.\d{4} nats over 20 rows, ")
        self.write("plain.npy", npy_bytes([v for row in raw for v in row], (20, 2)))
        self.succeeds("score", "--model", "out/model.safetensors", "--data", "plain.npy", "--out", "p.npy")
        self.assertEqual(read_npy(self.path("p.npy"))[2], scores)
        # A text in a column that is not the model's does not matter; one in its own does.
        self.write("text.csv", csv(raw, "x,y").replace("\n", ",word\n").replace("x,y,word", "x,y,kind"))
        self.succeeds("score", "--model", "out/model.safetensors", "--data", "text.csv", "--out", "t.npy")
        self.assertEqual(read_npy(self.path("t.npy"))[2], scores)
        self.write("gap.csv", "y,x\n1,100\n,101\n")
        for data, part in (("gap.csv", "line 3, column 1 (y)"), ("other.csv", "no column x")):
            self.write("other.csv", "y,z\n1,2.5\n")
            self.fails(2, part, "score", "--model", "out/model.safetensors", "--data", data, "--out", "n.npy")

    def test_samples_have_the_units_and_the_header_of_the_table(self):
        self.write("t.csv", csv(correlated(400)))
        self.fit("t.csv")
        self.succeeds("sample", "--model", "out/model.safetensors", "--count", 2000, "--out", "s.csv")
        lines = self.path("s.csv").read_text().splitlines()
        self.assertEqual(lines[0], "x,y")
        samples = [tuple(map(float, line.split(","))) for line in lines[1:]]
        self.assertEqual(len(samples), 2000)
        # Of the distribution that made the table; five standard errors of the table's own moments.
        self.assertAlmostEqual(mean([x for x, _ in samples]), 100, delta=2.5)
        self.assertAlmostEqual(deviation([x for x, _ in samples]), 10, delta=1.8)
        self.assertAlmostEqual(deviation([y - 0.08 * (x - 100) for x, y in samples]), 0.6, delta=0.12)

    def test_units_that_float_does_not_hold(self):
        draw = random.Random(1)
        rows = []
        for _ in range(400):
            time, noise = draw.gauss(0, 1), draw.gauss(0, 1)
            rows.append((1.7e9 + 60 * time, 1e6 + 0.008 * time + 0.006 * noise, 1e40 * draw.gauss(0, 1)))
        self.write("t.csv", csv(rows, "time,x,huge"))
        self.fit("t.csv")
        self.succeeds("sample", "--model", "out/model.safetensors", "--count", 2000, "--out", "s.npy")
        dtype, shape, numbers = read_npy(self.path("s.npy"))
        self.assertEqual((dtype, shape), ("<f8", (2000, 3)))
        # Quartiles, which no rare large number moves: five standard errors of the table's own.
        for k, (centre, scale) in enumerate(((1.7e9, 60), (1e6, 0.01), (0, 1e40))):
            standard = sorted((x - centre) / scale for x in numbers[k::3])
            for place, quartile in ((500, -0.674), (1000, 0), (1500, 0.674)):
                self.assertAlmostEqual(standard[place], quartile, delta=0.34)
            self.assertGreater(len(set(standard)), 1900)
        self.fails(2, "--model: out/model.safetensors: part", "score", "--model", "out/model.safetensors",
                   "--data", "t.csv", "--out", "s.npy", "--precision", "float")
        self.fit("t.csv", "--columns", "x", "--given", "time")
        for late in (-1, 1):
            self.write("given.csv", "time\n" + 1000 * f"{1.7e9 + 60 * late}\n")
            self.succeeds("sample", "--model", "out/model.safetensors", "--conditions", "given.csv", "--out", "s.npy")
            drawn = [(x - 1e6) / 0.01 for x in read_npy(self.path("s.npy"))[2]]
            self.assertAlmostEqual(mean(drawn), 0.8 * late, delta=0.25)
            self.assertAlmostEqual(deviation(drawn), 0.6, delta=0.12)

    def test_samples_of_bounded_columns_are_within_the_bounds(self):
        """In float, logarithms beyond 88 and logits beyond 17 round to the ends, which have no density."""
        draw = random.Random(1)
        rows = [(10 ** draw.uniform(-8, 8), draw.uniform(0, 1)) for _ in range(400)]
        self.write("t.csv", csv(rows))
        for column, note, median in (("x", "is positive", 0), ("y", "is between 0 and 1", math.log10(0.5))):
            self.assertIn(note, self.fit("t.csv", "--columns", column).err)
            self.succeeds("sample", "--model", "out/model.safetensors", "--count", 60000, "--out", "s.csv")
            samples = sorted(map(float, self.path("s.csv").read_text().splitlines()[1:]))
            self.assertGreater(samples[0], 0)
            self.assertLess(samples[-1], {"x": 1e300, "y": 1}[column])
            self.assertAlmostEqual(math.log10(samples[30000]), median, delta={"x": 1.5, "y": 0.1}[column])
            run = self.succeeds("score", "--model", "out/model.safetensors", "--data", "s.csv", "--out", "scores.npy")
            self.assertEqual(run.err, "")

    def test_columns_weights_and_missing_values(self):
        rows = correlated(120)
        text = "\n".join(["name,x,y,w,5", *(f"n{i},{x!r},{'' if i % 10 == 3 else repr(y)},{1 + i % 2},4"
                                             for i, (x, y) in enumerate(rows))]) + "\n"
        self.write("t.csv", text)
        run = self.fit("t.csv", "--columns", "3,x", "--weights", "w", "--drop-missing")
        self.assertIn("left out 12 rows with missing values", run.err)
        kept = [i + 1 for i in range(120) if i % 10 != 3]  # rows have the numbers of the table
        _, _, split = read_npy(self.path("out/split.npy"))
        test = [number for number, part in zip(kept, split) if part == 2]
        lines = self.path("out/comparison.csv").read_text().splitlines()
        self.assertEqual([int(line.split(",")[0]) for line in lines[1:]], test)
        page = self.path("out/report.html").read_text().split("The most unusual rows")[1]
        unusual = set(map(int, re.findall(r'<tr><td class="n">(\d+)</td>', page)))
        self.assertTrue(unusual and unusual <= set(test), unusual)
        self.assertEqual(sum(self.final()["rows"].values()), 108)
        metadata, tensors = read_safetensors(self.model("out"))
        tree = json.loads(metadata["model"])
        self.assertEqual((tree["version"], tree["columns"]), (2, ["y", "x"]))
        self.assertEqual({entry[0] for entry in tensors.values()}, {"F32"})
        self.assertIn('drop-missing = true\n', self.path("out/config.toml").read_text())
        for options, part in (
                (["--columns", "x,y"], "t.csv: line 5, column 3 (y): a number is needed, but the value is missing"),
                (["--drop-missing"], "line 2, column 1 (name)"),
                (["--columns", "x,5"], "the column 5 is constant"),
                (["--columns", "x,z"], '"z"'),
                (["--columns", "x,x"], "given twice"),
                (["--columns", "x", "--weights", "y", "--drop-missing"], "--weights: row")):
            self.fails(2, part, "fit", "t.csv", "--out", "new", *options)

    def test_equal_weights_change_nothing(self):
        rows = correlated(100)
        self.write("t.csv", csv(rows))
        self.write("w.csv", csv([(x, y, 1.0) for x, y in rows], "x,y,w"))
        self.fit("t.csv")
        model, metrics = self.model("out"), self.metrics("out")
        self.fit("w.csv", "--weights", "w")
        self.assertEqual((self.model("out"), self.metrics("out")), (model, metrics))

    def test_the_unit_of_the_weights_changes_nothing(self):
        rows = correlated(100)
        fitted = []
        # With powers of two, products and sums of the weights round alike.
        for unit in (1.0, 2.0 ** -1000, 2.0 ** 1000):
            self.write("w.csv", csv([(x, y, unit * (1 + i % 3)) for i, (x, y) in enumerate(rows)], "x,y,w"))
            self.fit("w.csv", "--weights", "w")
            fitted.append((self.model("out"), self.metrics("out")))
        for changed in fitted[1:]:
            self.assertTrue(changed == fitted[0])

    def test_one_split_for_one_seed(self):
        self.write("t.csv", csv(correlated(100)))
        splits = []
        for seed, options in ((1, ["--columns", "x"]), (1, []), (2, [])):
            self.fit("t.csv", "--seed", seed, "--epochs", 1, *options)
            splits.append(self.path("out/split.npy").read_bytes())
        self.assertEqual(splits[0], splits[1])
        self.assertNotEqual(splits[0], splits[2])
        self.fit("t.csv", "--epochs", 1, "--validation", 0.25, "--test", 0.3)
        self.assertEqual(self.final()["rows"], {"train": 45, "validation": 25, "test": 30})

    def test_an_array_has_no_names(self):
        rows = correlated(100)
        self.write("t.npy", npy_bytes([v for row in rows for v in row], (100, 2)))
        self.fit("t.npy")
        self.assertNotIn("columns", json.loads(read_safetensors(self.model("out"))[0]["model"]))


class Other(Density):
    def test_info_and_version(self):
        self.write("t.csv", csv(correlated(60)))
        self.fit("t.csv", "--epochs", 1, "--hidden", "6,5", "--blocks", 3, "--members", 2)
        out = self.succeeds("info", "out/model.safetensors").out
        self.assertIn("columns: 2 (x, y)\n", out)
        # In each of two flows three fields of 3-6-5-2, and a triangle with a shift; a logit for each, three between the flows,
        # the mixture and the kernels, and one for each of their normal distributions: the mixture has a wide one, too.
        logits = 2 + 3 + self.final()["log_density"]["mixture"][2] + 1 + 48
        one = 3 * (3 * 6 + 6 + 6 * 5 + 5 + 5 * 2 + 2) + 3 + 2
        self.assertIn(f"parameters: {2 * one + logits}, in float\n", out)
        self.assertRegex(out, r"mixture\n +2 times transformed\n")
        self.assertRegex(out, r" +3 times ffjord ")
        self.assertRegex(out, r"mixture\n( +diagonal_normal  mean .*\n){8} +and 40 more\n")
        self.assertNotRegex(out, r"[1-9]\.\d{5}")  # numbers to be looked at
        self.assertRegex(self.succeeds("--version").out, r"^density \(Fjord\) ")
        self.fails(2, "t.csv", "info", "t.csv")


if __name__ == "__main__":
    run_tests()
