"""Tests of the commands of density that look at a model: python3 density_look_test.py DENSITY"""

import base64
import html.parser
import math
import os
import random
import re
import struct

from density_program import Density, correlated, csv
from moons_program import npy_bytes, read_npy, run_tests

WITH_GNUPLOT = {"PATH": os.environ["PATH"]}
MODEL = ["--model", "out/model.safetensors"]


class Look(Density):
    def setUp(self):
        super().setUp()
        self.write("t.csv", csv(correlated(600)))
        self.fit("t.csv", "--epochs", 20)

    def check(self, rows, *options):
        """The lines of check as {name: numbers}, and the last two lines."""
        self.write("new.csv", csv(rows))
        lines = self.succeeds("check", *MODEL, "--data", "new.csv", *options).out.splitlines()
        self.assertEqual(len(lines), 10, lines)
        return {name: numbers for name, numbers in (line.split("  ") for line in lines[:8])}, lines[8:]


class Check(Look):
    def test_new_rows_of_the_same_table_are_covered(self):
        lines, (verdict, counts) = self.check(correlated(1200, 2))
        for share in (50, 80, 95, 99):
            covered, error = map(float, lines[f"coverage {share} %"].split(" +- "))
            self.assertAlmostEqual(covered, share / 100, delta=5 * error)
            self.assertAlmostEqual(error, (share * (100 - share) / 1e4 * (1 / 1200 + 1 / 9999)) ** 0.5, delta=6e-4)
        self.assertRegex(lines["levels"], r"^Kolmogorov-Smirnov 0\.0\d+, p \S+$")
        for name in "xy":
            self.assertRegex(lines[f"column {name}"], r"^Kolmogorov-Smirnov 0\.0\d+, p \S+$")
        self.assertRegex(lines["two samples"], r"^energy distance 0\.0\d+, p \S+$")
        self.assertEqual(verdict, "nothing here speaks against the model")
        self.assertEqual(counts, "1200 of 1200 rows, 9999 samples; 1000 of each in the test of two samples")

    def test_rows_of_another_table_are_not(self):
        draw = random.Random(3)
        independent = [(draw.gauss(100, 10), draw.gauss(0, 1)) for _ in range(400)]
        lines, (verdict, _) = self.check(independent)
        self.assertLess(float(lines["coverage 50 %"].split()[0]), 0.42)
        self.assertLess(float(lines["levels"].split("p ")[1]), 1e-3)
        self.assertEqual(float(lines["two samples"].split("p ")[1]), 0.001)
        for name in "xy":  # each column alone is as in the model
            self.assertGreater(float(lines[f"column {name}"].split("p ")[1]), 1e-3)
        self.assertTrue(verdict.endswith("too sure: its dense regions hold too few rows"), verdict)

    def test_the_column_that_differs_is_named(self):
        """Of y moved by half of its deviation, the distance is that of two normal distributions: 2 Phi(1/4) - 1."""
        lines, (verdict, _) = self.check([(x, y + 0.5) for x, y in correlated(1200, 2)])
        distance, p = re.match(r"Kolmogorov-Smirnov (\S+), p (\S+)", lines["column y"]).groups()
        self.assertAlmostEqual(float(distance), math.erf(0.25 / math.sqrt(2)), delta=0.06)  # the fit is not exact
        self.assertLess(float(p), 1e-6)
        self.assertGreater(float(lines["column x"].split("p ")[1]), 1e-3)
        self.assertRegex(verdict, r"^not as the model says: .*, the column y(;|$)")

    def test_seeds_decide_and_threads_do_not(self):
        rows = correlated(100, 2)
        first = self.check(rows, "--threads", 1)
        self.assertEqual(self.check(rows, "--threads", 2), first)
        self.assertNotEqual(self.check(rows, "--seed", 1), first)
        self.assertEqual(self.check(rows, "--precision", "float", "--rtol", 1e-4)[1], first[1])

    def test_bad_arguments(self):
        self.write("z.csv", "x,z\n1.5,2.5\n")
        self.write("wide.npy", npy_bytes([1.0] * 6, (2, 3)))
        for part, arguments in (
                ("--data", MODEL), ("--model", ["--data", "t.csv"]), ("no column y", [*MODEL, "--data", "z.csv"]),
                ("rows of 3 numbers, and the model needs rows of 2", [*MODEL, "--data", "wide.npy"]),
                ("t.csv", ["--model", "t.csv", "--data", "t.csv"]),
                ("checkpoint of a run", ["--model", "out/checkpoint.safetensors", "--data", "t.csv"]),
                ("--header", [*MODEL, "--data", "t.csv", "--header", "perhaps"]),
                ("--precision", [*MODEL, "--data", "t.csv", "--precision", "half"]),
                ("--out", [*MODEL, "--data", "t.csv", "--out", "x"])):
            self.fails(2, part, "check", *arguments)


class Plot(Look):
    def test_pictures_with_and_without_rows_and_training(self):
        sizes = []
        self.write("elsewhere.safetensors", self.model("out"))
        for model in ("out/model.safetensors", "elsewhere.safetensors"):
            for data in ([], ["--data", "t.csv"]):
                run = self.succeeds("plot", "--model", model, *data, "--out", "p.png", environment=WITH_GNUPLOT)
                self.assertEqual(run.out, f"{600 if data else 0} rows, 9999 samples, wrote p.png\n")
                picture = self.path("p.png").read_bytes()
                self.assertEqual(picture[:8], b"\x89PNG\r\n\x1a\n")
                sizes.append(struct.unpack(">II", picture[16:24]))
        # Panels beside the columns, for coverage or training; without either the picture is square but for its margins.
        self.assertEqual(sizes[0], sizes[1])
        self.assertEqual(sizes[1], sizes[2 + 1])
        self.assertLess(sizes[2][0], sizes[0][0])
        self.assertEqual({size[1] for size in sizes}, {sizes[0][1]})
        self.assertNotIn("p.png.tmp", self.files())

    def test_the_first_of_many_columns_and_odd_names(self):
        draw = random.Random(1)
        names = ["it's", "a_{2}", "\u03b1", "x" * 50, '"q""uoted"', "f", "g"]
        rows = [[draw.gauss(0, 10 ** k) for k in range(-3, 4)] for _ in range(60)]
        self.write("w.csv", csv(rows, ",".join(names)))
        self.succeeds("fit", "w.csv", "--out", "wide", "--epochs", 2)
        self.succeeds("plot", "--model", "wide/model.safetensors", "--data", "w.csv", "--out", "w.png",
                      environment=WITH_GNUPLOT)

    def test_failures_leave_nothing(self):
        self.fails(1, "no picture, because gnuplot is missing; install gnuplot-nox", "plot", *MODEL, "--out", "p.png")
        for part, arguments in (
                ("--out", MODEL), ("a name that ends in .png is needed, got p.pdf", [*MODEL, "--out", "p.pdf"]),
                ("--out", [*MODEL, "--data", "t.png", "--out", "t.png"]),
                ("cannot read none.csv", [*MODEL, "--data", "none.csv", "--out", "p.png"])):
            self.write("t.png", csv(correlated(20)))
            self.fails(2, part, "plot", *arguments)
        self.fails(1, "cannot write none/p.png", "plot", *MODEL, "--out", "none/p.png")


class Page(html.parser.HTMLParser):
    """Tables as lists of rows of texts, pictures, and what elements are left open."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.pictures, self.open, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "img":
            self.pictures.append(dict(attributes)["src"])
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data
        if self.open and self.open[-1] in ("td", "th"):
            self.tables[-1][-1][-1] += data


class Report(Look):
    def page(self, name):
        text = self.path(name).read_text()
        for address in ("http", "//", "url(", "<script", "<link", "@import"):
            self.assertNotIn(address, re.sub(r'base64,[^"]*', "", text), "no network is needed")
        page = Page(text)
        self.assertEqual(page.open, [])
        return page

    def test_one_page_with_all_of_it(self):
        rows = correlated(300, 2)
        rows[41] = (100.0, 9.0)  # y is 0.8 +- 0.6 of x, in its units
        self.write("new.csv", csv(rows, "x,y"))
        run = self.succeeds("report", *MODEL, "--data", "new.csv", "--out", "r.html", environment=WITH_GNUPLOT)
        self.assertEqual(run.out, "wrote r.html\n")
        page = self.page("r.html")
        coverage, columns, unusual, reached = page.tables
        check = self.succeeds("check", *MODEL, "--data", "new.csv").out
        for share, covered, error in coverage[1:]:
            line = re.search(rf"coverage {share}  (\S+) \+- (\S+)", check)
            self.assertEqual(covered, f"{100 * float(line[1]):.1f} %")
            self.assertAlmostEqual(float(error[:-2]), 100 * float(line[2]), delta=0.051)
        self.assertEqual(["%s  Kolmogorov-Smirnov %s, p %s" % tuple(row) for row in columns[1:]],
                         [line.removeprefix("column ") for line in check.splitlines() if line.startswith("column ")])
        self.assertIn("Kolmogorov and Smirnov is " + re.search(r"Smirnov (\S+),", check)[1], page.text)
        self.assertIn(re.search(r"distance (\S+),", check)[1] + ", p = ", page.text)
        self.assertEqual(len(unusual), 11)
        number, log_density, level, column, value, likelier, gain = unusual[1]
        self.assertEqual((number, column, value), ("42", "y", "9"))
        self.assertGreater(float(level), 0.999)
        self.assertLess(abs(float(likelier)), 0.6)
        self.assertGreater(float(gain), 10)
        scores = self.succeeds("score", *MODEL, "--data", "new.csv", "--out", "-").out.split()
        lowest = sorted(range(300), key=lambda i: float(scores[i]))[:10]
        self.assertEqual([row[0] for row in unusual[1:]], [str(i + 1) for i in lowest])
        self.assertEqual([row[1] for row in unusual[1:]], [f"{float(scores[i]):.2f}" for i in lowest])
        final = self.final()["log_density"]
        self.assertEqual([row[1] for row in reached[1:]],
                         [f"{final[name][0]:.2f}" for name in ("gaussian", "mixture", "kernel", "flow")])
        self.assertIn(self.succeeds("info", "out/model.safetensors").out, page.text)
        (picture,) = page.pictures
        self.assertTrue(base64.b64decode(picture.removeprefix("data:image/png;base64,"), validate=True)
                        .startswith(b"\x89PNG\r\n\x1a\n"))
        self.assertNotIn("r.html.tmp", self.files())

    def test_fit_leaves_one_about_its_test_rows(self):
        _, _, split = read_npy(self.path("out/split.npy"))
        tested = [str(i + 1) for i, part in enumerate(split) if part == 2]
        page = self.page("out/report.html")
        self.assertIn("60 rows were held against 9999 samples", page.text)
        self.assertIn("no picture, because gnuplot is missing", page.text)
        unusual = page.tables[2]
        self.assertTrue({row[0] for row in unusual[1:]} <= set(tested))
        scores = self.succeeds("score", *MODEL, "--data", "t.csv", "--out", "-").out.split()
        self.assertEqual(unusual[1][1], f"{min(float(scores[int(i) - 1]) for i in tested):.2f}")

    def test_names_are_no_markup_and_a_missing_picture_is_said(self):
        self.write("odd.csv", csv(correlated(60), "<script>,a&b"))
        self.fit("odd.csv", "--epochs", 1)
        run = self.succeeds("report", *MODEL, "--data", "odd.csv", "--out", "r.html")
        self.assertEqual(run.err, "density: no picture, because gnuplot is missing; install gnuplot-nox\n")
        page = self.page("r.html")
        self.assertEqual(page.pictures, [])
        self.assertIn("columns: 2 (<script>, a&b)", page.text)

    def test_bad_arguments(self):
        for part, arguments in (
                ("--data", [*MODEL, "--out", "r.html"]), ("--out", [*MODEL, "--data", "t.csv"]),
                ("a name that ends in .html is needed", [*MODEL, "--data", "t.csv", "--out", "r.txt"])):
            self.fails(2, part, "report", *arguments)
        self.fails(1, "cannot write none/r.html", "report", *MODEL, "--data", "t.csv", "--out", "none/r.html")


if __name__ == "__main__":
    run_tests()
