"""Tests of training with moons, of its arguments and of its help: python3 moons_test.py MOONS"""

import json
import os
import pty
import resource
import shutil
import struct
import time

from moons_program import (LIMITED_USER, RESULTS, SMALL, TIMEOUT, MoonsTest, read_safetensors, run_tests,
                           with_one_process)


class Training(MoonsTest):
    def train(self, out, *options, **more):
        return self.succeeds("train", *SMALL, "--out", out, *options, **more)

    def names(self, out):
        return {p.name for p in self.path(out).iterdir()}

    def test_a_run_leaves_what_it_promises(self):
        run = self.train("out", "--epochs", 2)
        self.assertEqual(self.names("out"), RESULTS)
        self.assertRegex(run.out, r"^test NLL \d\.\d{3} \+- \d\.\d{3} nats \(entropy 0\.477\), 2 epochs in \d+\.\d s, "
                                  r"\d+ field evaluations a step\n$")
        lines = run.err.splitlines()
        self.assertRegex(lines[0], r"^epoch 1/2  step 3  train NLL \d\.\d{3}  test NLL \d\.\d{3}  \d+ evaluations$")
        self.assertEqual(len(lines), 3)
        self.assertRegex(lines[2], "^moons: no picture, because gnuplot is missing")
        first, second, last = self.metrics("out")
        self.assertEqual(list(first), ["epoch", "step", "train_nll", "test_nll", "test_nll_se", "nfe_forward"])
        self.assertEqual([(o["epoch"], o["step"]) for o in (first, second)], [(1, 3), (2, 6)])
        self.assertEqual(list(last), ["final", "test_nll", "test_nll_se", "entropy", "nfe_forward"])
        self.assertIs(last["final"], True)
        self.assertAlmostEqual(last["entropy"], 0.4770, delta=5e-5)
        self.assertEqual(last["nfe_forward"], second["nfe_forward"])
        # The means of 2,000 and of 20,000 draws of one distribution, and their errors.
        self.assertLess(abs(second["test_nll"] - last["test_nll"]), 4.5 * second["test_nll_se"])
        self.assertAlmostEqual(second["test_nll_se"] / last["test_nll_se"], 10 ** 0.5, delta=0.5)
        self.assertLess(second["test_nll"], first["test_nll"])

    def test_the_model_file_follows_its_schema(self):
        for precision, dtype in (("float", "F32"), ("double", "F64")):
            self.train(precision, "--epochs", 1, "--precision", precision, "--blocks", 2, "--hidden", "5,7",
                       "--activation", "softplus")
            metadata, tensors = read_safetensors(self.model(precision))
            self.assertEqual(metadata["format"], "fjord-flow")
            self.assertEqual(json.loads(metadata["model"]), {
                "dim": 2, "blocks": 2, "hidden": [5, 7], "activation": "softplus", "time_input": "repeat", "t0": 0,
                "t1": 1, "base_scale": 0.8})
            shapes = {f"blocks.{k}.layers.{i}.{kind}": shape for k in range(2) for i, kind, shape in (
                (0, "weight", [5, 4]), (0, "bias", [5]), (1, "weight", [7, 5]), (1, "bias", [7]),
                (2, "weight", [2, 7]), (2, "bias", [2]))}
            self.assertEqual({name: entry[1] for name, entry in tensors.items()}, shapes)
            self.assertEqual({entry[0] for entry in tensors.values()}, {dtype})

    def test_a_longer_run_learns_the_moons(self):
        self.succeeds("train", "--points", 2048, "--epochs", 12, "--out", "out", "--seed", 3)
        metrics = self.metrics("out")
        self.assertGreater(metrics[0]["test_nll"], 1.5)
        self.assertLess(metrics[-1]["test_nll"], 1.2)  # a Gaussian with the moons' mean and covariance has 1.96

    def test_every_way_to_the_gradient_and_the_trace(self):
        def nll(*options):
            self.train("out", "--epochs", 1, "--blocks", 1, "--precision", "double", "--rtol", 1e-6, "--atol", 1e-6, *options)
            return self.metrics("out")[-1]["test_nll"]

        exact = nll()
        estimated = nll("--trace", "hutchinson")
        self.assertAlmostEqual(exact, estimated, delta=0.1)
        self.assertNotEqual(exact, estimated)
        for mode in ("checkpointed", "adjoint", "interpolating", "quadrature"):
            self.assertAlmostEqual(exact, nll("--gradient", mode), delta=1e-4, msg=mode)
            self.assertAlmostEqual(estimated, nll("--gradient", mode, "--trace", "hutchinson"), delta=1e-4, msg=mode)

    def test_a_gradient_that_needs_a_method(self):
        out = {}
        for mode in ("direct", "reversible"):
            self.train(mode, "--epochs", 1, "--blocks", 1, "--precision", "double", "--rtol", 1e-3, "--atol", 1e-3,
                       "--method", "reversible_heun", "--gradient", mode)
            out[mode] = self.metrics(mode)[-1]["test_nll"]
        self.assertAlmostEqual(out["direct"], out["reversible"], delta=1e-4)
        self.fails(2, "--gradient: reversible does not go with --method dormand_prince; it needs reversible_heun",
                   "train", "--gradient", "reversible", "--out", "none")

    def test_edges(self):
        self.succeeds("train", "--points", 1, "--batch", 4096, "--epochs", 1, "--out", "one")
        self.assertEqual([o["step"] for o in self.metrics("one")[:-1]], [1])
        run = self.train("still", "--epochs", 1, "--noise", 0)
        self.assertIsNone(self.metrics("still")[-1]["entropy"])
        self.assertIn("(entropy null)", run.out)

    def test_the_same_bits_on_any_number_of_threads(self):
        for threads in (1, 2, 3):
            self.train(f"out{threads}", "--epochs", 1, "--threads", threads, "--trace", "hutchinson")
        self.assertEqual(self.model("out1"), self.model("out2"))
        self.assertEqual(self.model("out1"), self.model("out3"))
        self.assertEqual(self.metrics("out1"), self.metrics("out2"))

    def test_a_user_who_may_have_one_process_only(self):
        self.train("free", "--epochs", 1)
        if os.geteuid() == 0:
            os.chown(self.folder, LIMITED_USER, -1)
        # Without a number of threads for OpenBLAS, which starts them as it is loaded.
        self.train("out", "--epochs", 1, environment={"OPENBLAS_NUM_THREADS": ""}, **with_one_process(self, self.program))
        self.assertEqual(self.model("out"), self.model("free"))

    def test_config_reads_back_to_the_same_run_and_the_command_line_wins(self):
        self.train("first", "--epochs", 1, "--rate", 0.02, "--noise", 0.11, "--seed", 7, "--hidden", "6", "--rtol", 2e-3)
        self.succeeds("train", "--config", "first/config.toml", "--out", "second")
        self.assertEqual(self.model("first"), self.model("second"))
        self.succeeds("train", "--config", "first/config.toml", "--out", "third", "--seed", 8)
        self.assertNotEqual(self.model("first"), self.model("third"))
        text = self.path("third/config.toml").read_text()
        for line in ("seed = 8", "rate = 0.02", "noise = 0.11", "points = 300", "batch = 128", "blocks = 4"):
            self.assertIn(line + "\n", text)

    def test_a_finished_run_is_replaced(self):
        self.train("fresh", "--epochs", 1, "--seed", 1)
        self.train("out", "--epochs", 2)
        self.path("out/panels.png").write_bytes(b"of the old run")
        self.train("out", "--epochs", 1, "--seed", 1)
        self.assertEqual(self.model("out"), self.model("fresh"))
        self.assertEqual(self.metrics("out"), self.metrics("fresh"))
        self.assertEqual(self.names("out"), RESULTS)

    def test_the_picture(self):
        self.train("out", "--epochs", 1, environment={"PATH": os.environ["PATH"]})
        if shutil.which("gnuplot") is None:
            return self.assertEqual(self.names("out"), RESULTS)
        self.assertEqual(self.names("out"), RESULTS | {"panels.png"})
        png = self.path("out/panels.png").read_bytes()
        self.assertEqual(png[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", png[16:24])
        self.assertTrue(800 < width < 4000 and 300 < height < 4000, (width, height))
        self.assertGreater(len(png), 50_000)  # an empty picture of this size has 6,000

    def test_a_bar_on_a_terminal(self):
        terminal, side = pty.openpty()
        self.addCleanup(os.close, terminal)
        process = self.start("train", *SMALL, "--epochs", 6, "--out", "out", stderr=side, environment={"TERM": "xterm"})
        os.close(side)
        shown = b""
        while True:
            try:
                part = os.read(terminal, 4096)
            except OSError:  # Linux's end of a terminal
                break
            shown += part
        self.assertEqual(self.finish(process).returncode, 0)
        self.assertRegex(shown.decode(), r"\r\[=* *\] epoch \d+/6  step \d+  NLL \d+\.\d+  \d+ evals  \d+ steps/s  \d+:\d\d left\x1b\[K")
        self.assertNotIn("train NLL", shown.decode())


class Threads(MoonsTest):
    def threads(self, *options, **more):
        """The threads of a run in the middle of its work."""
        process = self.start("train", *SMALL, "--epochs", 10_000, "--out", "out", *options, environment={"OPENBLAS_NUM_THREADS": ""},
                             **more)
        self.addCleanup(process.kill)
        end = time.monotonic() + TIMEOUT
        while process.poll() is None and time.monotonic() < end and not self.path("out/metrics.jsonl").exists():
            time.sleep(0.001)
        count = len(os.listdir(f"/proc/{process.pid}/task"))
        process.kill()
        self.finish(process)
        shutil.rmtree(self.path("out"))
        return count

    def test_as_many_as_asked_for_or_as_there_are_cores_to_use(self):
        core = min(os.sched_getaffinity(0))
        self.assertEqual(self.threads("--threads", 3), 3)
        self.assertEqual(self.threads(preexec_fn=lambda: os.sched_setaffinity(0, {core})), 1)


class Refusals(MoonsTest):
    def refuses(self, part, *options):
        self.fails(2, part, "train", "--out", "out", *options)

    def test_arguments(self):
        for name in ("epochs", "batch", "points", "blocks"):
            for value in (0, -3, "x", 1.5, "1e3", 10 ** 30):
                self.refuses(f"--{name}", f"--{name}", value)
        for name, kind in (("epochs", "a whole number"), ("seed", "a whole number"), ("rate", "a number")):
            for value in ("", " 3", "3 ", "+3", "0x3", "3x"):
                self.refuses(f'--{name}: {kind} is needed, got "{value}"', f"--{name}", value)
        for name, value in (("epochs", 2 ** 64 + 3), ("threads", -10 ** 30), ("seed", 2 ** 63), ("seed", 2 ** 64),
                            ("rate", "1e999"), ("rtol", "1e-999")):
            self.refuses(f'is needed, got "{value}"', f"--{name}", value)
        for value in ("8,x", "", ",", "8,", "8,,8", "0", "-8", "8 8", "8.5", "99999999999"):
            self.refuses("--hidden", "--hidden", value)
        for name in ("rate", "rtol", "atol"):
            for value in (0, -1, "nan", "inf", "x"):
                self.refuses(f"--{name}", f"--{name}", value)
        for name, value in (("noise", -1), ("noise", "nan"), ("noise", "inf"), ("activation", "relu"), ("trace", "none"),
                            ("gradient", "none"), ("precision", "half"), ("seed", -1), ("seed", 1.5), ("seed", 2 ** 63),
                            ("threads", -1), ("threads", 1025)):
            self.refuses(f"--{name}", f"--{name}", value)
        self.refuses("exact or hutchinson is needed, got nothing", "--trace", "")
        self.refuses("--nothing", "--nothing")
        self.refuses("unknown argument word; see moons train --help", "word")
        self.refuses("--epochs: a value is needed, got nothing", "--epochs")
        self.refuses("--epochs: it may be given once only, got it 2 times", "--epochs", 3, "--epochs", 3)
        self.refuses("elu, gelu, sigmoid, silu, sin, softplus or tanh is needed, got relu", "--activation", "relu")
        self.refuses("--resume = word has a value of the wrong kind", "--resume=word")
        self.refuses("--epochs", "--epochs")
        self.fails(2, "--out", "train", "--out", "")
        self.fails(2, "train, score or sample")
        self.fails(2, "word", "word")
        self.fails(2, "--nothing", "--nothing")

    def test_sizes_beyond_the_memory(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))

        for option, value in (("points", 10 ** 9), ("hidden", "60000,60000")):
            run = self.fails(2, f"--{option}: at least ", "train", "--out", "out", f"--{option}", value, preexec_fn=limit)
            self.assertRegex(run.err, r"at least \d+\.\d GB of memory would be needed, and there are \d+\.\d GB; give a smaller value")

    def test_a_folder_whose_name_the_config_cannot_hold(self):
        for name in (b"o\xff", b"\xed\xa0\x80"):
            self.fails(2, "--out: a name in UTF-8 is needed", "train", *SMALL, "--out", os.fsdecode(name))

    def test_tolerances_beyond_the_numbers(self):
        self.refuses("finer than float", *SMALL, "--rtol", 1e-12, "--atol", 1e-12)
        self.refuses("finer than double", *SMALL, "--rtol", 1e-17, "--atol", 1e-17, "--precision", "double")

    def test_noise_beyond_float(self):
        self.refuses("--noise: 1e+39: row 1, column ", *SMALL, "--noise", 1e39)

    def test_config_files(self):
        for name, content, part in (("key.toml", "epochs = 2\nwhat = 3\n", "unknown key what"),
                                    ("syntax.toml", "epochs = 2\nbatch =\n", "syntax.toml:2"),
                                    ("kind.toml", 'epochs = "x"\n', "the key epochs: a whole number is needed"), ("part.toml", "epochs = 1.5\n", "epochs"),
                                    ("range.toml", "points = 0\n", "--points"), ("seed.toml", "seed = -4\n", "--seed"),
                                    ("table.toml", "[train]\nepochs = 2\n", "train")):
            self.refuses(part, "--config", self.write(name, content))
        self.refuses("cannot read nowhere.toml", "--config", "nowhere.toml")

    def test_folders_that_cannot_be(self):
        self.write("file", "")
        for out in ("file", "file/out", "/proc/out"):
            run = self.fails(1, "cannot write " + out, "train", *SMALL, "--epochs", 1, "--out", out)
            self.assertIn("; name another place" if out.startswith("file") else "; check the name", run.err)
        self.assertEqual(self.path("file").read_bytes(), b"")

    def test_checkpoints_that_are_none(self):
        self.path("out").mkdir()
        self.succeeds("train", *SMALL, "--epochs", 1, "--out", "other")
        for content in (b"", b"junk and some more of it", self.model("other")):
            self.path("out/checkpoint.safetensors").write_bytes(content)
            for more in ([], ["--resume"]):
                self.refuses("out/checkpoint.safetensors", *SMALL, *more)

    def test_training_that_blows_up(self):
        for options in (["--rate", 1e30], ["--noise", 1e30]):
            run = self.moons("train", *SMALL, "--epochs", 2, "--out", "out", *options)
            self.assertEqual(run.returncode, 1)
            self.assertRegex(run.err.splitlines()[-1], "^moons: .*; ")
            self.assertEqual({p.name for p in self.path("out").iterdir()}, {"checkpoint.safetensors", "config.toml"})
            shutil.rmtree(self.path("out"))

    def test_a_standard_output_that_is_full(self):
        with open("/dev/full", "w") as full:
            for arguments in (["train", *SMALL, "--epochs", 1, "--out", "out"], ["--version"], ["train", "--help"]):
                run = self.moons(*arguments, stdout=full)
                self.assertEqual(run.returncode, 1, arguments)
                self.assertRegex(run.err.splitlines()[-1], "^moons: standard output")


class Help(MoonsTest):
    def test_help_and_version(self):
        run = self.succeeds("--help")
        for command in ("train", "score", "sample", "--version"):
            self.assertIn(command, run.out)
        for command, options in (("train", "out epochs batch rate points noise blocks hidden activation rtol atol trace gradient "
                                           "seed threads precision resume config"),
                                 ("score", "model data out rtol atol precision trace seed threads"),
                                 ("sample", "model count out seed rtol atol threads")):
            run = self.succeeds(command, "--help")
            for option in options.split():
                self.assertIn(f"--{option} ", run.out)
            self.assertEqual(run.err, "")
        self.assertRegex(self.succeeds("--version").out, r"^moons \(Fjord\) \d+\.\d+\.\d+\nprocessor: .+\nBLAS: .+core .+\nMPI: .+\n$")


if __name__ == "__main__":
    run_tests()
