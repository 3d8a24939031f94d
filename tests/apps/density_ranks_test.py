"""Tests of density on several ranks: python3 density_ranks_test.py DENSITY MPI"""

import math
import os
import random
import signal

from moons_program import npy_bytes, read_npy
from ranks_program import RanksTest, run_tests


def table(rows):
    """Two columns, of which the second follows the first."""
    draw = random.Random(1)
    lines = ["x,y"]
    for _ in range(rows):
        x = draw.gauss(0, 1)
        lines.append(f"{x!r},{x * x + draw.gauss(0, 0.3)!r}")
    return "\n".join(lines) + "\n"


class Ranks(RanksTest):
    name = "density"

    def setUp(self):
        super().setUp()
        self.write("table.csv", table(1000))
        # 800 rows to train on: two steps an epoch, the first of four shards, the last one short.
        self.options = ["fit", "table.csv", "--preset", "fast", "--batch", 450, "--hidden", "8", "--blocks", 1, "--epochs"]

    def check_is_whole(self):
        for name in ("model.safetensors", "comparison.csv", "split.npy"):
            self.assertEqual((self.path("out") / name).read_bytes(), (self.path("whole") / name).read_bytes(), name)
        self.assertEqual(self.metrics("out"), self.metrics("whole"))

    def test_the_same_bits_on_any_number_of_ranks_and_threads(self):
        self.succeeds(*self.options, 3, "--out", "whole")
        for ranks, threads in ((2, 2), (3, 1), (4, 1)):
            with self.subTest(ranks=ranks, threads=threads):
                run = self.succeed_on(ranks, *self.options, 3, "--out", "out", "--threads", threads)
                self.assertEqual(run.out.count("wrote out/model.safetensors\n"), 1, run.out)
                self.check_is_whole()

    def test_runs_go_on_on_other_ranks(self):
        self.succeeds(*self.options, 40, "--out", "whole")
        for ranks in (4, 2):
            process = self.on_ranks(ranks, *self.options, 40, "--out", "out", "--resume")
            self.wait_for_file(process, "out/split.npy")
            os.kill(int(self.rank(process, 0)), signal.SIGTERM)
            run = self.finish(process)
            self.assertEqual(run.err.count("density: stopped in the training of flow 1"), 1, run.err)
            self.path("out/split.npy").unlink()
        self.succeed_on(3, *self.options, 40, "--out", "out", "--resume")
        self.check_is_whole()

    def test_scores_and_levels_have_the_same_bits(self):
        self.succeeds(*self.options, 1, "--out", "out")
        score = ["score", "--model", "out/model.safetensors", "--data", "table.csv", "--levels", "--out"]
        line = self.succeeds(*score, "one.csv").out
        self.assertEqual(self.succeed_on(3, *score, "three.csv").out, line)
        self.assertEqual(self.path("one.csv").read_bytes(), self.path("three.csv").read_bytes())
        info = ["info", "out/model.safetensors"]
        self.assertEqual(self.succeed_on(2, *info).out, self.succeeds(*info).out)

    def test_ranks_read_their_rows_of_arrays_and_parts(self):
        self.succeeds(*self.options, 1, "--out", "out")
        draw = random.Random(2)
        rows = 70_001  # two blocks of rows, and nine stripes of scores
        numbers = [draw.gauss(0, 1) for _ in range(2 * rows)]
        self.write("table.npy", npy_bytes(numbers, (rows, 2)))
        self.path("parts").mkdir()
        self.write("parts/t-00000.npy", npy_bytes(numbers[:1000], (500, 2)))
        self.write("parts/t-00001.npy", npy_bytes(numbers[1000:], (rows - 500, 2)))
        score = ["score", "--model", "out/model.safetensors", "--out"]
        line = self.succeeds(*score, "one.npy", "--data", "table.npy").out
        for table in ("table.npy", "parts"):
            self.assertEqual(self.succeed_on(3, *score, "three.npy", "--data", table).out, line)
            self.assertEqual(self.path("one.npy").read_bytes(), self.path("three.npy").read_bytes())
        self.assertEqual(read_npy(self.path("three.npy"))[:2], ("<f8", (rows,)))
        numbers[2 * (rows - 1)] = math.nan
        self.write("parts/t-00001.npy", npy_bytes(numbers[1000:], (rows - 500, 2)))
        before = self.files()
        run = self.ends(self.on_ranks(3, *score, "bad.npy", "--data", "parts"),
                        [r"^density: rank 2: --data: parts: row 70001, column 1: a finite number is needed, got nan$"])
        self.assertEqual((run.returncode, self.files()), (2, before))

    def test_parts_that_do_not_belong_together_are_told_once(self):
        self.path("parts").mkdir()
        for name in ("00000", "00002"):
            self.write(f"parts/t-{name}.npy", npy_bytes([0.5] * 40, (20, 2)))
        run = self.ends(self.on_ranks(3, "fit", "parts"), [r"^density: (?!rank).*expected the part t-00001\.npy, got t-00002"])
        self.assertEqual(run.returncode, 2)
        self.write("parts/t-00001.npy", npy_bytes([0.5] * 60, (20, 3)))
        run = self.ends(self.on_ranks(3, "fit", "parts"), [r"^density: (?!rank).*t-00001\.npy: 2 columns are needed"])
        self.assertEqual(run.returncode, 2)

    def test_a_run_whose_disk_fails_goes_on_from_its_last_checkpoint(self):
        self.succeeds(*self.options, 40, "--out", "whole")
        process = self.on_ranks(3, *self.options, 40, "--out", "out")
        self.wait_for_file(process, "out/split.npy")
        self.path("out").rename(self.path("moved"))
        run = self.ends(process, ["the column y has heavy tails", r"^density: rank 0: cannot write out\S*: No such file"])
        self.assertEqual(run.returncode, 1)
        self.succeed_on(2, *self.options, 40, "--out", "moved", "--resume")
        self.path("moved").rename(self.path("out"))
        self.check_is_whole()

    def test_a_full_disk_under_the_scores_ends_all_ranks(self):
        self.succeeds(*self.options, 1, "--out", "out")
        self.path("full.csv").symlink_to("/dev/full")
        score = ["score", "--model", "out/model.safetensors", "--data", "table.csv", "--out", "full.csv"]
        run = self.ends(self.on_ranks(3, *score), [r"^density: rank 0: cannot write full\.csv: No space left on device"])
        self.assertEqual(run.returncode, 1)

    def test_a_disk_that_is_full_for_one_rank_ends_all(self):
        self.succeeds(*self.options, 1, "--out", "out")
        rows = 10 ** 7  # of which scores and samples would take half a minute
        with open(self.path("zeros.npy"), "wb") as file:
            file.write(npy_bytes([], (rows, 2)))
            file.truncate(file.tell() + 16 * rows)
        before = self.files()
        for command in (["score", "--data", "zeros.npy"], ["sample", "--count", rows]):
            process = self.on_ranks(3, *command, "--model", "out/model.safetensors", "--out", "out.npy", "--threads", 1)
            self.wait_for(process, lambda: list(self.folder.glob("out.npy.*.tmp")))
            self.fill_disk(process, 1)
            run = self.ends(process, [r"^density: rank 1: cannot write out\.npy: File too large; "])
            self.assertEqual((run.returncode, self.files()), (1, before))

    def test_a_disk_that_is_full_for_rank_0_keeps_the_last_checkpoint(self):
        self.succeeds(*self.options, 40, "--out", "whole")
        process = self.on_ranks(3, *self.options, 40, "--out", "out")
        self.wait_for_file(process, "out/split.npy")
        self.fill_disk(process, 0)
        run = self.ends(process, ["the column y has heavy tails", r"^density: rank 0: cannot write out/\S+: File too large; "])
        self.assertEqual(run.returncode, 1)
        self.assertEqual([name for name in self.files() if name.endswith("tmp")], [])
        self.succeed_on(2, *self.options, 40, "--out", "out", "--resume")
        self.check_is_whole()

    def test_a_table_that_no_rank_can_read_is_told_once(self):
        run = self.ends(self.on_ranks(3, "fit", "none.csv"), [r"^density: (?!rank).*none\.csv"])
        self.assertEqual(run.returncode, 2)


if __name__ == "__main__":
    run_tests()
