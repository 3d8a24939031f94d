"""Tests of moons on several ranks: python3 moons_ranks_test.py MOONS MPI"""

import os
import signal

from moons_program import RESULTS
from ranks_program import RanksTest, run_tests

# Two steps an epoch, each of seven shards, the last one short.
TRAIN = ["train", "--points", 1600, "--batch", 800, "--epochs"]


class Ranks(RanksTest):
    def check_is_whole(self):
        self.assertEqual(self.model("out"), self.model("whole"))
        self.assertEqual(self.metrics("out"), self.metrics("whole"))
        left = {p.name for p in self.path("out").iterdir() if p.suffix != ".tmp"}
        self.assertEqual(left - {"panels.png"}, RESULTS)

    def test_the_same_bits_on_any_number_of_ranks_and_threads(self):
        self.succeeds(*TRAIN, 4, "--out", "whole")
        for ranks, threads in ((1, 1), (2, 1), (2, 2), (3, 1), (4, 2)):
            with self.subTest(ranks=ranks, threads=threads):
                run = self.succeed_on(ranks, *TRAIN, 4, "--out", "out", "--threads", threads)
                self.assertEqual(run.out.count("\n"), 1, run.out)
                self.check_is_whole()

    def test_scores_and_samples_have_the_same_bits(self):
        self.succeeds(*TRAIN, 1, "--out", "out")
        self.succeeds("sample", "--model", "out/model.safetensors", "--count", 300, "--out", "sample.npy")
        score = ["score", "--model", "out/model.safetensors", "--data", "sample.npy", "--out"]
        line = self.succeeds(*score, "score.npy").out
        self.succeed_on(3, "sample", "--model", "out/model.safetensors", "--count", 300, "--out", "sample3.npy")
        self.assertEqual(self.succeed_on(3, *score, "score3.npy").out, line)
        for name in ("sample", "score"):
            self.assertEqual(self.path(f"{name}3.npy").read_bytes(), self.path(f"{name}.npy").read_bytes())

    def test_runs_go_on_after_a_kill_and_a_stop_on_other_ranks(self):
        long = [*TRAIN, 12]
        self.succeeds(*long, "--out", "whole")
        process = self.on_ranks(4, *long, "--out", "out")
        self.wait_for_epochs(process, 2)
        os.kill(int(self.rank(process, 2)), signal.SIGKILL)
        run = self.ends(process, [])
        self.assertIn("signal 9", run.err)
        process = self.on_ranks(2, *long, "--out", "out", "--resume")
        self.wait_for_epochs(process, 5)
        os.kill(int(self.rank(process, 0)), signal.SIGTERM)
        self.ends(process, [r"stopped after step \d+; go on with --resume$"])
        self.succeed_on(3, *long, "--out", "out", "--resume")
        self.check_is_whole()

    def test_a_write_that_fails_on_rank_0_ends_all(self):
        process = self.on_ranks(3, *TRAIN, 1000, "--out", "out")
        self.wait_for_epochs(process, 1)
        self.path("out").rename(self.path("moved"))
        run = self.ends(process, [r"rank 0: cannot write out(/\S+)?: \S+"])
        self.assertEqual(run.returncode, 1)
        self.succeed_on(2, *TRAIN, 25, "--out", "moved", "--resume")

    def test_mistakes_are_told_once(self):
        for arguments, line in (
            (["train", "--rate", -1], r"^moons: --rate: a positive number"),
            (["score", "--model", "none", "--data", "x.npy", "--out", "y.npy"], r"rank 0: cannot read none: No such file"),
        ):
            self.assertEqual(self.ends(self.on_ranks(3, *arguments), [line]).returncode, 2)
        self.assertEqual(self.succeed_on(3, "--version").out, self.succeeds("--version").out)


if __name__ == "__main__":
    run_tests()
