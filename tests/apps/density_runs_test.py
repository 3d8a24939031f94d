"""Tests of runs of density, of budgets, disks and bad arguments: python3 density_runs_test.py DENSITY"""

import json
import resource
import signal

from density_program import RESULTS, Density, correlated, csv
from moons_program import as_user, run_tests


class Runs(Density):
    def test_config_reads_back_and_threads_change_nothing(self):
        self.write("t.csv", csv(correlated(300)))
        self.fit("t.csv", "--rate", 0.02, "--hidden", 6, "--seed", 5)
        for threads in (1, 2):
            self.succeeds("fit", "--config", "out/config.toml", "--out", "again", "--threads", threads)
            self.assertEqual(self.model("again"), self.model("out"))
            self.assertEqual(self.metrics("again"), self.metrics("out"))

    def test_a_run_that_is_interrupted_goes_on_to_the_same_bits(self):
        self.write("t.csv", csv(correlated(2000)))
        options = ["--epochs", 60, "--threads", 1]
        for number, more in ((signal.SIGTERM, []), (signal.SIGINT, ["--resume"])):
            process = self.start("fit", "t.csv", *options, "--out", "out", *more)
            self.assertTrue(process.stderr.readline().startswith("epoch "))
            process.send_signal(number)
            run = self.finish(process)
            self.assertEqual(run.returncode, 128 + number, run.err)
        self.assertIn("with the best model so far; go on with --resume", run.err)
        self.succeeds("score", "--model", "out/model.safetensors", "--data", "t.csv", "--out", "s.npy")
        self.fails(2, "holds an unfinished run", "fit", "t.csv", *options, "--out", "out")
        self.fails(2, "--rate", "fit", "t.csv", *options, "--out", "out", "--resume", "--rate", 0.5)
        for other in (csv(correlated(2000, 2)), csv(correlated(2000), "x,z")):
            self.write("t.csv", other)
            self.fails(2, "began with other rows than those of t.csv", "fit", "t.csv", *options, "--out", "out", "--resume")
        self.write("t.csv", csv(correlated(2000)))
        self.succeeds("fit", "t.csv", *options, "--out", "out", "--resume")
        self.succeeds("fit", "t.csv", *options, "--out", "whole")
        self.assertEqual(self.model("out"), self.model("whole"))
        self.assertEqual(self.metrics("out"), self.metrics("whole"))

    def test_a_budget_ends_the_training(self):
        self.write("t.csv", csv(correlated(3000)))
        run = self.succeeds("fit", "t.csv", "--epochs", 100000, "--minutes", 0.04, "--out", "out")
        self.assertRegex(run.err, r"density: the time of --minutes ended the training of flow \d of \d+ in epoch \d+\n")
        self.assertLess(json.loads(self.path("out/metrics.jsonl").read_text().splitlines()[-1])["seconds"], 5)

    def test_a_budget_too_short_for_a_report(self):
        self.write("t.csv", csv(correlated(3000)))
        run = self.succeeds("fit", "t.csv", "--minutes", 0.001, "--out", "out")
        self.assertIn("density: no report.html, for which the time of --minutes does not last", run.err)
        self.assertEqual({p.name for p in self.path("out").iterdir()}, RESULTS - {"report.html"})
        self.assertIn("flow  ", run.out)

    def test_one_run_at_a_time(self):
        self.write("t.csv", csv(correlated(2000)))
        process = self.start("fit", "t.csv", "--out", "out")
        self.assertTrue(process.stderr.readline().startswith("epoch "))
        for more in ([], ["--resume"]):
            run = self.moons("fit", "t.csv", "--out", "out", *more)
            self.assertEqual((run.returncode, run.out), (2, ""))
            self.assertIn("density: --out: another run is using out; ", run.err)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process).returncode, 130)

    def test_a_full_disk_keeps_the_last_checkpoint(self):
        """The disk: a bound on the size of files that the first checkpoint fits and later ones do not."""
        self.write("t.csv", csv(correlated(2000)))
        options = ["--epochs", 40, "--members", 2, "--threads", 1, "--out", "out"]
        process = self.start("fit", "t.csv", *options)
        self.assertTrue(process.stderr.readline().startswith("epoch "))
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process).returncode, 130)
        before = self.path("out/checkpoint.safetensors").read_bytes()

        def fill():
            room = len(before) // 2
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

        run = self.moons("fit", "t.csv", *options, "--resume", preexec_fn=fill)
        self.assertEqual(run.returncode, 1, run.err)
        self.assertRegex(run.err.splitlines()[-1], "^density: cannot write .*: ")
        self.assertEqual(self.path("out/checkpoint.safetensors").read_bytes(), before)
        self.assertEqual([name for name in self.files() if name.endswith("tmp")], [])
        self.succeeds("fit", "t.csv", *options, "--resume")
        self.succeeds("fit", "t.csv", *options[:-1], "whole")
        self.assertEqual(self.model("out"), self.model("whole"))

    def test_places_that_cannot_be_written(self):
        self.write("t.csv", csv(correlated(50)))
        self.write("file", "")
        for out in ("file/run", "/dev/full"):
            self.fails(1, "cannot write", "fit", "t.csv", "--epochs", 1, "--out", out)
        with open("/dev/full", "w") as full:
            run = self.moons("fit", "t.csv", "--epochs", 1, "--out", "out", stdout=full)
        self.assertEqual(run.returncode, 1)
        self.assertIn("standard output", run.err)

    def test_folders_that_are_read_only(self):
        self.write("t.csv", csv(correlated(50)))
        self.fit("t.csv", "--epochs", 1)
        self.path("closed/run").mkdir(parents=True)
        for folder in ("closed/run", "closed", "."):
            self.path(folder).chmod(0o555)
        self.addCleanup(self.path(".").chmod, 0o755)
        self.path("out").chmod(0o555)
        before = self.model("out")
        files = self.files()
        user = as_user(self, self.program)
        model = ["--model", "out/model.safetensors"]
        data = [*model, "--data", "t.csv"]
        fit = ["fit", "t.csv", "--epochs", 1]
        denied = "Permission denied; name a place where you may write"
        for place, arguments in (
                ("closed/x", [*fit, "--out", "closed/x"]), ("closed/run/checkpoint.safetensors", [*fit, "--out", "closed/run"]),
                ("out/checkpoint.safetensors", [*fit, "--out", "out"]), ("runs/t", fit),
                ("closed/s.csv", ["score", *data, "--out", "closed/s.csv"]),
                ("closed/s.npy", ["sample", *model, "--count", 9, "--out", "closed/s.npy"]),
                ("closed/r.html", ["report", *data, "--out", "closed/r.html"]),
                ("closed/p.png", ["plot", *data, "--out", "closed/p.png"]), ("closed/parts", ["convert", "t.csv", "closed/parts"])):
            self.fails(1, f"cannot write {place}: {denied}", *arguments, **user)
        # What only reads, and prints, goes on.
        for arguments in (["info", "out/model.safetensors"], ["check", *data], ["score", *data, "--out", "-"]):
            self.succeeds(*arguments, **user)
        self.assertEqual((self.model("out"), self.files()), (before, files))

    def test_bad_arguments_and_tables(self):
        self.write("t.csv", csv(correlated(50)))
        self.write("few.csv", csv(correlated(9)))
        self.write("same.csv", "a,a\n" + "\n".join(f"{i}.5,{i * i}.25" for i in range(20)) + "\n")
        self.write("constant.csv", "a,b\n" + "\n".join(f"{i}.5,3.5" for i in range(20)) + "\n")
        self.write("tiny.csv", "a,b\n" + "\n".join(f"{i}.5,{i}e-300" for i in range(20)) + "\n")
        self.write("huge.csv", "a,b\n" + "\n".join(f"{i}.5,{i}e300" for i in range(20)) + "\n")
        for part, arguments in (
                ("a table is needed", []), ("cannot read none.csv", ["none.csv"]),
                ("at least 10 rows are needed, got 9", ["few.csv"]),
                ('two columns have the name "a"', ["same.csv"]), ("--columns: the column b is constant", ["constant.csv"]),
                ("--given: the column b is constant", ["constant.csv", "--given", "b"]),
                ("the column b has numbers too small or too large for a variance", ["tiny.csv"]),
                ("the column b has numbers too small or too large for a variance", ["huge.csv"]),
                ("--preset: balanced, best or fast is needed, got good", ["t.csv", "--preset", "good"]),
                ("--validation", ["t.csv", "--validation", 0]), ("--test", ["t.csv", "--test", 0.95]),
                ("--minutes", ["t.csv", "--minutes", -1]), ("--hidden", ["t.csv", "--hidden", "8,"]),
                ("--rtol", ["t.csv", "--rtol", 1e-9, "--atol", 1e-9]),
                ("--given: one of x, y is needed, got \"z\"", ["t.csv", "--given", "z"]),
                ("a column of --columns is given, too", ["t.csv", "--columns", "x,y", "--given", "x"]),
                ("no other column is left", ["t.csv", "--given", "x,y"]),
                ("unknown option --colums", ["t.csv", "--colums", "x"])):
            self.fails(2, part, "fit", *arguments)
        self.fails(2, "fit, score, sample, check, plot, report, convert or info is needed")


if __name__ == "__main__":
    run_tests()
