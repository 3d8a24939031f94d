"""Tests of the commands of density that look at a model: python3 density_look_test.py DENSITY"""

import os
import random
import struct

from density_test import Density, correlated, csv
from moons_program import npy_bytes, run_tests

WITH_GNUPLOT = {"PATH": os.environ["PATH"]}
MODEL = ["--model", "out/model.safetensors"]


class Look(Density):
    def setUp(self):
        super().setUp()
        self.write("t.csv", csv(correlated(600)))
        self.fit("t.csv", "--epochs", 20)

    def check(self, rows, *options):
        """The lines of check as {name: numbers}, and the last two."""
        self.write("new.csv", csv(rows))
        lines = self.succeeds("check", *MODEL, "--data", "new.csv", *options).out.splitlines()
        self.assertEqual(len(lines), 8, lines)
        return {name: numbers for name, numbers in (line.split("  ") for line in lines[:6])}, lines[6:]


class Check(Look):
    def test_new_rows_of_the_same_table_are_covered(self):
        lines, (verdict, counts) = self.check(correlated(1200, 2))
        for share in (50, 80, 95, 99):
            covered, error = map(float, lines[f"coverage {share} %"].split(" +- "))
            self.assertAlmostEqual(covered, share / 100, delta=5 * error)
            self.assertAlmostEqual(error, (share * (100 - share) / 1e4 * (1 / 1200 + 1 / 9999)) ** 0.5, delta=6e-4)
        self.assertRegex(lines["levels"], r"^Kolmogorov-Smirnov 0\.0\d+, p \S+$")
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
        self.assertTrue(verdict.endswith("too sure: its dense regions hold too few rows"), verdict)

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


if __name__ == "__main__":
    run_tests()
