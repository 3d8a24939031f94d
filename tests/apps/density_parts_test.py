"""Tests of density with folders of parts: python3 density_parts_test.py DENSITY"""

import random
import resource

from moons_program import MoonsTest, run_tests


class Parts(MoonsTest):
    name = "density"

    def setUp(self):
        super().setUp()
        draw = random.Random(1)
        self.rows = [(draw.gauss(0, 1), draw.gauss(5, 2)) for _ in range(400)]
        self.write("table.csv", '"x, m",y\n' + "".join(f"{x!r},{y!r}\n" for x, y in self.rows))

    def test_fits_and_scores_are_those_of_the_table(self):
        with open(self.path("table.csv")) as stream:
            run = self.succeeds("convert", "-", "parts", stdin=stream)
        self.assertEqual((run.out, run.err), ("400 rows, 1 part, wrote parts\n", ""))
        self.assertEqual(self.path("parts/columns.csv").read_text(), '"x, m",y\n')
        fit = ["--preset", "fast", "--epochs", 2, "--hidden", 4, "--out"]
        self.succeeds("fit", "table.csv", *fit, "by_csv")
        self.succeeds("fit", "parts/", *fit, "by_parts")
        for name in ("model.safetensors", "comparison.csv", "split.npy"):
            self.assertEqual((self.path("by_csv") / name).read_bytes(), (self.path("by_parts") / name).read_bytes(), name)
        score = ["score", "--model", "by_csv/model.safetensors", "--levels", "--data"]
        self.assertEqual(self.succeeds(*score, "parts", "--out", "a.csv").out, self.succeeds(*score, "table.csv", "--out", "b.csv").out)
        self.assertEqual(self.path("a.csv").read_bytes(), self.path("b.csv").read_bytes())
        # Columns are found by their names, whatever their order.
        self.write("turned.csv", 'y,z,"x, m"\n' + "".join(f"{y!r},0,{x!r}\n" for x, y in self.rows))
        self.succeeds("convert", "turned.csv", "turned")
        self.succeeds(*score, "turned", "--out", "c.csv")
        self.assertEqual(self.path("a.csv").read_bytes(), self.path("c.csv").read_bytes())

    def test_given_columns_come_from_parts(self):
        self.succeeds("fit", "table.csv", "--given", "y", "--preset", "fast", "--epochs", 1, "--hidden", 4, "--out", "out")
        self.succeeds("convert", "table.csv", "parts")
        self.write("y.csv", "y\n" + "".join(f"{y!r}\n" for _, y in self.rows))
        self.succeeds("convert", "y.csv", "conditions")
        self.write("short.csv", "y\n1\n2.5\n")
        score = ["score", "--model", "out/model.safetensors", "--levels", "--out"]
        expected = self.succeeds(*score, "a.csv", "--data", "table.csv").out
        for conditions in ([], ["--conditions", "conditions"], ["--conditions", "y.csv"]):
            self.assertEqual(self.succeeds(*score, "b.csv", "--data", "parts", *conditions).out, expected)
            self.assertEqual(self.path("a.csv").read_bytes(), self.path("b.csv").read_bytes())
        self.fails(2, "--conditions: short.csv has 2 rows, and parts 400; give one for each row", *score, "c.csv",
                   "--data", "parts", "--conditions", "short.csv")

    def test_nothing_half_written_is_left(self):
        with open(self.path("table.csv"), "a") as file:
            file.write("1,word\n")
        self.fails(2, "table.csv: line 402, column 2 (y): a number is needed", "convert", "table.csv", "parts")
        self.write("table.csv", 5000 * "1,2.5\n")

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (9999, 9999))

        self.fails(1, "File too large", "convert", "table.csv", "parts", preexec_fn=limit)
        self.path("parts").mkdir()
        self.write("parts/mine", "x")
        self.fails(2, "parts is there and not an empty folder", "convert", "table.csv", "parts")

    def test_parts_that_do_not_belong_together(self):
        self.succeeds("convert", "table.csv", "parts")
        self.path("parts/table-00000.npy").rename(self.path("parts/table-00001.npy"))
        for command in (["fit", "parts"], ["convert", "parts", "again"]):
            self.fails(2, "expected the part NAME-00000.npy, got table-00001.npy", *command)
        self.path("empty").mkdir()
        self.fails(2, "the folder has no part NAME-00000.npy", "fit", "empty")


if __name__ == "__main__":
    run_tests()
