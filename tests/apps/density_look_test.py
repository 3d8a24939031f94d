"""Tests of the commands of density that look at a model: python3 density_look_test.py DENSITY"""

import random

from density_test import Density, correlated, csv
from moons_program import npy_bytes, run_tests

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


if __name__ == "__main__":
    run_tests()
