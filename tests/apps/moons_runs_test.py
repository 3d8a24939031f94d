"""Tests of training runs that end early or go on, and of their folders: python3 moons_runs_test.py MOONS"""

import os
import pathlib
import resource
import shutil
import signal
import tempfile
import time

from moons_program import RESULTS, SMALL, TIMEOUT, MoonsTest, run_tests


class Interruptions(MoonsTest):
    OPTIONS = ["train", *SMALL, "--epochs", 5]

    whole = None  # a folder with the results of the run that nothing interrupts

    def setUp(self):
        super().setUp()
        if self.whole is None:
            folder = tempfile.TemporaryDirectory()
            self.addClassCleanup(folder.cleanup)
            type(self).whole = pathlib.Path(folder.name) / "whole"
            self.succeeds(*self.OPTIONS, "--out", self.whole)
        shutil.copytree(self.whole, self.path("whole"))

    def interrupt(self, sent, *options, epochs=1, **more):
        """Sends a signal after some epochs."""
        process = self.start(*self.OPTIONS, "--out", "out", *options, **more)
        metrics = self.path("out/metrics.jsonl")
        end = time.monotonic() + TIMEOUT
        while process.poll() is None and time.monotonic() < end:
            if metrics.exists() and metrics.read_text().count("\n") >= epochs:
                process.send_signal(sent)
                break
            time.sleep(0.001)
        return self.finish(process)

    def check_is_unfinished_and_resume(self, *options):
        checkpoint = self.path("out/checkpoint.safetensors").read_bytes()
        self.fails(2, "--resume", *self.OPTIONS, "--out", "out")
        self.assertEqual(self.path("out/checkpoint.safetensors").read_bytes(), checkpoint)
        self.assertFalse(self.path("out/model.safetensors").exists())
        self.succeeds(*self.OPTIONS, "--out", "out", "--resume", *options)
        self.check_is_whole()

    def check_is_whole(self):
        self.assertEqual(self.model("out"), self.model("whole"))
        self.assertEqual(self.metrics("out"), self.metrics("whole"))
        self.assertEqual({p.name for p in self.path("out").iterdir()}, RESULTS)

    def test_a_killed_run_resumes_to_the_same_bits(self):
        self.assertEqual(self.interrupt(signal.SIGKILL).returncode, -signal.SIGKILL)
        self.assertEqual(self.interrupt(signal.SIGKILL, "--resume", "--threads", 1, epochs=3).returncode, -signal.SIGKILL)
        for leftover in self.path("out").glob("*.tmp"):  # the kill came in the middle of a write
            leftover.unlink()
        self.check_is_unfinished_and_resume("--threads", 2)

    def test_signals_end_a_run_after_the_step(self):
        for sent, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            run = self.interrupt(sent)
            self.assertEqual(run.returncode, status, run.err)
            self.assertRegex(run.err.splitlines()[-1], r"^moons: stopped after step \d+; go on with --resume$")
            self.check_is_unfinished_and_resume()
            shutil.rmtree(self.path("out"))

    def test_a_signal_that_the_parent_ignores_is_not_taken(self):
        for sent, other, status in ((signal.SIGINT, signal.SIGTERM, 143), (signal.SIGTERM, signal.SIGINT, 130)):
            def ignore():
                signal.signal(sent, signal.SIG_IGN)

            self.assertEqual(self.interrupt(sent, preexec_fn=ignore).returncode, 0)
            self.check_is_whole()
            shutil.rmtree(self.path("out"))
            self.assertEqual(self.interrupt(other, preexec_fn=ignore).returncode, status)
            shutil.rmtree(self.path("out"))

    def test_a_stop_in_the_middle_of_an_epoch(self):
        options = ["train", "--points", 8000, "--batch", 16, "--epochs", 1]
        self.succeeds(*options, "--out", "one")
        process = self.start(*options, "--out", "out")
        while process.poll() is None and not self.path("out/checkpoint.safetensors").exists():
            time.sleep(0.001)
        time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.assertEqual(run.returncode, 130, run.err)
        step = int(run.err.split("step ")[1].split(";")[0])
        self.assertTrue(0 < step < 500, step)
        self.succeeds(*options, "--out", "out", "--resume")
        self.assertEqual(self.model("out"), self.model("one"))
        self.assertEqual(self.metrics("out"), self.metrics("one"))

    def gnuplot(self, command):
        """Puts a program of this name on the PATH that runs a command of the shell."""
        self.path("bin").mkdir()
        self.write("bin/gnuplot", f"#!/bin/sh\n{command}\n")
        self.path("bin/gnuplot").chmod(0o755)
        return {"PATH": self.path("bin")}

    def test_a_run_killed_as_it_draws_leaves_nothing_for_ever(self):
        run = self.moons(*self.OPTIONS, "--out", "out", environment=self.gnuplot("kill -KILL $PPID"))
        self.assertEqual(run.returncode, -signal.SIGKILL, run.err)
        self.succeeds(*self.OPTIONS, "--out", "out", "--resume")
        self.check_is_whole()

    def test_signals_after_the_last_step(self):
        # This precise and on one thread, the last figure takes most of a second.
        options = ["train", "--points", 16, "--epochs", 1, "--precision", "double", "--rtol", 1e-8, "--atol", 1e-8,
                   "--threads", 1]
        self.succeeds(*options, "--out", "one")
        self.OPTIONS = options
        run = self.interrupt(signal.SIGINT)
        self.assertEqual(run.returncode, 130, run.err)
        self.assertEqual(run.err.splitlines()[-1], "moons: stopped after step 1; go on with --resume")
        self.fails(2, "--resume", *options, "--out", "out")
        self.succeeds(*options, "--out", "out", "--resume")
        self.assertEqual(self.model("out"), self.model("one"))
        self.assertEqual(self.metrics("out"), self.metrics("one"))

    def test_a_signal_as_the_picture_is_drawn(self):
        # From a terminal, the signal goes to gnuplot as well.
        run = self.moons(*self.OPTIONS, "--out", "out", environment=self.gnuplot("kill -INT $PPID; kill -INT $$"))
        self.assertEqual(run.returncode, 130, run.err)
        self.assertEqual(run.err.splitlines()[5:], ["moons: stopped after step 15; go on with --resume"])
        self.assertEqual(run.out, "")
        self.fails(2, "--resume", *self.OPTIONS, "--out", "out")
        self.succeeds(*self.OPTIONS, "--out", "out", "--resume")
        self.check_is_whole()

    def test_a_finished_run_goes_on_for_more_epochs(self):
        self.succeeds(*self.OPTIONS[:-1], 3, "--out", "out")
        self.succeeds(*self.OPTIONS, "--out", "out", "--resume")
        self.check_is_whole()
        self.succeeds(*self.OPTIONS, "--out", "out", "--resume")  # nothing left to do
        self.check_is_whole()
        self.fails(2, "--epochs", *self.OPTIONS[:-1], 3, "--out", "out", "--resume")

    def test_resume_without_a_checkpoint_says_so(self):
        run = self.succeeds(*self.OPTIONS, "--out", "out", "--resume")
        self.assertRegex(run.err.splitlines()[0], "^moons: no checkpoint in out, so the run starts from the beginning$")
        self.check_is_whole()

    def test_resume_names_the_setting_that_contradicts(self):
        for name, value in (("batch", 64), ("rate", 0.02), ("points", 301), ("noise", 0.07), ("blocks", 3), ("hidden", "9,8"),
                            ("activation", "sin"), ("rtol", 1e-4), ("atol", 1e-6), ("trace", "hutchinson"),
                            ("gradient", "adjoint"), ("seed", 1), ("precision", "double")):
            options = {"--points": 300, "--batch": 128, "--epochs": 5, f"--{name}": value}
            line = [word for pair in options.items() for word in pair]
            self.fails(2, f"--{name} ", "train", *line, "--out", "whole", "--resume")

    def test_a_full_disk_keeps_the_last_checkpoint(self):
        self.succeeds(*self.OPTIONS[:-1], 1, "--out", "out")
        room = self.path("out/checkpoint.safetensors").stat().st_size + 100  # and so not for another line of metrics
        shutil.rmtree(self.path("out"))

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

        run = self.moons(*self.OPTIONS, "--out", "out", preexec_fn=limit)
        self.assertEqual(run.returncode, 1, run.err)
        self.assertRegex(run.err.splitlines()[-1], "^moons: cannot write out/checkpoint.safetensors: File too large; ")
        self.assertEqual({p.name for p in self.path("out").iterdir()}, RESULTS - {"model.safetensors"})
        self.check_is_unfinished_and_resume()


class Folders(MoonsTest):
    """Who owns the folder of a run, and the files in it."""

    OPTIONS = ["train", *SMALL, "--epochs", 5]
    NAMES = RESULTS | {"panels.png"}

    def start_and_stop(self, *options, **more):
        """A run that stands still after its first epoch."""
        process = self.start(*self.OPTIONS, "--out", "out", *options, **more)
        self.addCleanup(process.kill)
        end = time.monotonic() + TIMEOUT
        while process.poll() is None and time.monotonic() < end and not self.path("out/metrics.jsonl").exists():
            time.sleep(0.001)
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        return process

    def go_on(self, process):
        process.send_signal(signal.SIGCONT)
        return self.finish(process)

    def test_one_run_at_a_time(self):
        self.succeeds(*self.OPTIONS, "--out", "whole")
        self.path("link").symlink_to("out")
        first = self.start_and_stop()
        for out in ("out", "link", "whole/../out"):
            for more in ([], ["--resume"]):
                self.fails(2, f"--out: another run is using {out}; ", *self.OPTIONS, "--out", out, *more)
        self.assertEqual(self.go_on(first).returncode, 0)
        self.assertEqual(self.model("out"), self.model("whole"))
        self.assertEqual(self.metrics("out"), self.metrics("whole"))

    def test_a_killed_run_owns_nothing(self):
        first = self.start_and_stop()
        first.kill()
        self.finish(first)
        for leftover in self.path("out").glob("*.tmp"):
            leftover.unlink()
        self.succeeds(*self.OPTIONS, "--out", "out", "--resume")

    def test_files_that_no_run_wrote_are_refused(self):
        self.path("out").mkdir()
        for name in self.NAMES:
            file = self.path("out") / name
            file.write_text("mine")
            for more in ([], ["--resume"]):
                self.fails(2, f"out/{name}", *self.OPTIONS, "--out", "out", *more)
            self.assertEqual(file.read_text(), "mine")
            file.unlink()

    def test_only_files_of_runs_are_replaced(self):
        self.path("out").mkdir()
        self.write("out/notes.txt", "mine")
        self.write("out/model.npy", "mine")
        for seed in (1, 2):
            self.succeeds(*self.OPTIONS, "--out", "out", "--seed", seed)
        for name in ("notes.txt", "model.npy"):
            self.assertEqual(self.path("out/" + name).read_text(), "mine")
        for name in self.NAMES:
            file = self.path("out") / name
            kept = file.rename(self.path("kept")) if file.exists() else None
            file.symlink_to("notes.txt")
            self.fails(2, f"out/{name}", *self.OPTIONS, "--out", "out")
            file.unlink()
            if kept:
                kept.rename(file)
        self.assertEqual(self.path("out/notes.txt").read_text(), "mine")

    def test_a_folder_that_replaces_that_of_a_run_stays_as_it_is(self):
        first = self.start_and_stop()
        self.path("out").rename(self.path("old"))
        self.path("out").mkdir()
        run = self.go_on(first)
        self.assertEqual(run.returncode, 1)
        # Of the folder, or of a file that was being written as the run was stopped.
        self.assertRegex(run.err.splitlines()[-1], "^moons: cannot write out[:/]")
        self.assertEqual(list(self.path("out").iterdir()), [])


if __name__ == "__main__":
    run_tests()
