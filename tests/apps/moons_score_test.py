"""Tests of moons score and sample, and of the model file: python3 moons_score_test.py MOONS"""

import cmath
import json
import math
import random
import resource
import signal
import time
import unittest

from moons_program import (MoonsTest, flow_bytes, flow_tensors, identity_flow, npy_bytes, read_npy,
                           read_safetensors, run_tests, safetensors_bytes)


def sigmoid(u):
    return 1 / (1 + math.exp(-u))


def normal_cdf(u):
    return math.erfc(-u / math.sqrt(2)) / 2


def normal_density(u):
    return math.exp(-u * u / 2) / math.sqrt(2 * math.pi)


# The function and its derivative. elu is missing: its second derivative jumps, and Runge and Kutta's rule with steps
# of one length loses its order there.
ACTIVATIONS = {
    "tanh": (math.tanh, lambda u: 1 - math.tanh(u) ** 2),
    "softplus": (lambda u: math.log1p(math.exp(u)), sigmoid),
    "silu": (lambda u: u * sigmoid(u), lambda u: sigmoid(u) * (1 + u * (1 - sigmoid(u)))),
    "gelu": (lambda u: u * normal_cdf(u), lambda u: normal_cdf(u) + u * normal_density(u)),
    "sigmoid": (sigmoid, lambda u: sigmoid(u) * (1 - sigmoid(u))),
    "sin": (math.sin, math.cos),
}


class Flow:
    """The density of a model file, from its definition: Runge and Kutta's rule with many steps, and the whole Jacobian."""

    def __init__(self, data):
        metadata, tensors = read_safetensors(data)
        self.settings = json.loads(metadata["model"])
        self.dim = self.settings["dim"]
        self.value, self.slope = ACTIVATIONS[self.settings["activation"]]
        self.blocks = []
        for k in range(self.settings["blocks"]):
            layers = []
            for i in range(len(self.settings["hidden"]) + 1):
                _, (rows, columns), weight = tensors[f"blocks.{k}.layers.{i}.weight"]
                bias = tensors[f"blocks.{k}.layers.{i}.bias"][2]
                layers.append(([weight[r * columns:(r + 1) * columns] for r in range(rows)], bias))
            self.blocks.append(layers)

    def field(self, layers, t, z):
        """The slope of z and the trace of its Jacobian."""
        repeats = self.dim if self.settings["time_input"] == "repeat" else 1
        x = [t] * repeats + list(z)
        tangents = [[0.0] * repeats + [float(i == k) for i in range(self.dim)] for k in range(self.dim)]
        for number, (weight, bias) in enumerate(layers):
            u = [sum(w * v for w, v in zip(row, x)) + b for row, b in zip(weight, bias)]
            tangents = [[sum(w * v for w, v in zip(row, tangent)) for row in weight] for tangent in tangents]
            if number < len(layers) - 1:
                tangents = [[self.slope(a) * v for a, v in zip(u, tangent)] for tangent in tangents]
                u = [self.value(a) for a in u]
            x = u
        return x + [sum(tangents[k][k] for k in range(self.dim))]

    def log_prob(self, row, steps=200):
        state = list(row) + [0.0]
        t0, t1 = self.settings["t0"], self.settings["t1"]
        h = (t0 - t1) / steps
        for layers in reversed(self.blocks):
            def f(t, y):
                return self.field(layers, t, y[:-1])
            for n in range(steps):
                t = t1 + n * h
                k1 = f(t, state)
                k2 = f(t + h / 2, [y + h / 2 * k for y, k in zip(state, k1)])
                k3 = f(t + h / 2, [y + h / 2 * k for y, k in zip(state, k2)])
                k4 = f(t + h, [y + h * k for y, k in zip(state, k3)])
                state = [y + h / 6 * (a + 2 * b + 2 * c + d) for y, a, b, c, d in zip(state, k1, k2, k3, k4)]
        return normal_log_density(state[:-1], self.settings["base_scale"]) + state[-1]


def normal_log_density(z, scale):
    return sum(-(v / scale) ** 2 / 2 - math.log(scale) - math.log(2 * math.pi) / 2 for v in z)


def growing_flow(rate=1e6):
    """f(t, z) = rate z, which grows by exp(rate)."""
    tensors = {"blocks.0.layers.0.weight": ([2, 4], [0, 0, rate, 0, 0, 0, 0, rate]), "blocks.0.layers.0.bias": ([2], [0, 0])}
    return flow_bytes(tensors, blocks=1, hidden=[])


class Density(MoonsTest):
    def scores(self, model, rows, *options):
        self.write("model", model)
        dim = len(rows[0])
        self.write("rows.npy", npy_bytes([v for row in rows for v in row], (len(rows), dim)))
        self.succeeds("score", "--model", "model", "--data", "rows.npy", "--out", "scores.npy", *options)
        dtype, shape, values = read_npy(self.path("scores.npy"))
        self.assertEqual((dtype, shape), ("<f8", (len(rows),)))
        return values

    def test_scores_are_those_of_the_definition(self):
        cases = [("tanh", {}, "F64"),
                 ("softplus", {"dim": 3, "time_input": "concat", "base_scale": 1.3}, "F32"),
                 ("silu", {"t0": 0.5, "t1": -0.75, "hidden": [5]}, "F64"),
                 ("gelu", {"dim": 1, "blocks": 3, "t0": -1, "t1": 0.5, "version": 1}, "F64"),
                 ("sigmoid", {"hidden": [4, 3, 5], "base_scale": 2.0}, "F32"),
                 ("sin", {"time_input": "concat", "blocks": 1}, "F64")]
        numbers = random.Random(1)
        for activation, changes, dtype in cases:
            settings = {"dim": 2, "blocks": 2, "hidden": [5, 4], "activation": activation, "time_input": "repeat",
                        **changes}
            dim = settings["dim"]
            first = 2 * dim if settings["time_input"] == "repeat" else dim + 1
            tensors = flow_tensors([first, *settings["hidden"], dim], settings["blocks"],
                                   lambda: numbers.gauss(0, 0.5))
            model = flow_bytes(tensors, dtype, **settings)
            rows = [[numbers.gauss(0, 1) for _ in range(dim)] for _ in range(3)]
            with self.subTest(activation):
                found = self.scores(model, rows, "--rtol", 1e-10, "--atol", 1e-10)
                for row, score in zip(rows, found):
                    self.assertAlmostEqual(score, Flow(model).log_prob(row), delta=1e-8)

    def test_the_reference_has_converged(self):
        numbers = random.Random(1)
        model = flow_bytes(flow_tensors([4, 5, 4, 2], 2, lambda: numbers.gauss(0, 0.5)), "F64", blocks=2, hidden=[5, 4])
        self.assertAlmostEqual(Flow(model).log_prob([0.3, -0.9], 100), Flow(model).log_prob([0.3, -0.9]), delta=1e-8)

    def test_a_field_of_zero_leaves_the_base(self):
        rows = [[0.0, 0.0], [0.3, -2.5], [40.0, 1e-3]]
        for options in ([], ["--precision", "float"], ["--trace", "hutchinson", "--seed", 5]):
            for score, row in zip(self.scores(identity_flow(base_scale=0.7), rows, *options), rows):
                self.assertAlmostEqual(score / normal_log_density(row, 0.7), 1, delta=1e-6)

    def test_a_row_alone_scores_as_among_others(self):
        numbers = random.Random(2)
        model = flow_bytes(flow_tensors([4, 8, 8, 2], 4, lambda: numbers.gauss(0, 0.6)))
        rows = [[numbers.gauss(0, 1), numbers.gauss(0, 1)] for _ in range(130)]
        together = self.scores(model, rows)
        for i in (0, 63, 64, 129):
            self.assertAlmostEqual(self.scores(model, [rows[i]])[0], together[i], delta=1e-4)

    def test_threads_do_not_change_a_bit(self):
        numbers = random.Random(3)
        model = flow_bytes(flow_tensors([4, 8, 8, 2], 4, lambda: numbers.gauss(0, 0.6)))
        rows = [[numbers.gauss(0, 1), numbers.gauss(0, 1)] for _ in range(200)]
        for options in ([], ["--trace", "hutchinson"], ["--precision", "float"]):
            self.assertEqual(self.scores(model, rows, "--threads", 1, *options),
                             self.scores(model, rows, "--threads", 2, *options))

    def test_probes_follow_the_seed_and_average_to_the_exact_trace(self):
        numbers = random.Random(4)
        model = flow_bytes(flow_tensors([4, 8, 8, 2], 1, lambda: numbers.gauss(0, 0.5)), blocks=1)
        rows = [[0.4, -0.2]] * 500
        exact = self.scores(model, rows)[0]
        found = self.scores(model, rows, "--trace", "hutchinson", "--seed", 1)
        self.assertEqual(found, self.scores(model, rows, "--trace", "hutchinson", "--seed", 1))
        self.assertNotEqual(found, self.scores(model, rows, "--trace", "hutchinson", "--seed", 2))
        mean = sum(found) / len(found)
        error = math.sqrt(sum((v - mean) ** 2 for v in found) / (len(found) - 1) / len(found))
        self.assertGreater(error, 0)
        self.assertLess(abs(mean - exact), 4.5 * error)


class Tables(MoonsTest):
    def setUp(self):
        super().setUp()
        self.write("model", identity_flow())

    def score(self, data, out="scores.csv"):
        return self.succeeds("score", "--model", "model", "--data", data, "--out", out)

    def test_every_way_to_write_the_same_rows(self):
        forms = {"plain.csv": "1.,2\n-3.5,0.25\n", "header.csv": "x,y\n1,2\n-3.5,0.25\n",
                 "quoted.csv": '"x","y"\n1,2\n-3.5,0.25', "comments.csv": "# a\n\n 1.0 , 2\r\n# b\r\n\t-35e-1,+.25\r\n",
                 "mark.csv": b"\xef\xbb\xbf1.,2\n-3.5,0.25\n", "text": "1.,2\n-3.5,0.25\n",
                 "c.npy": npy_bytes([1, 2, -3.5, 0.25], (2, 2)),
                 "float.npy": npy_bytes([1, 2, -3.5, 0.25], (2, 2), "<f4"),
                 "fortran.npy": npy_bytes([1, -3.5, 2, 0.25], (2, 2), fortran=True)}
        for name, content in forms.items():
            with self.subTest(name):
                self.score(self.write(name, content))
                scores = [float(line) for line in self.path("scores.csv").read_text().splitlines()]
                self.assertEqual(len(scores), 2)
                self.assertAlmostEqual(scores[0], normal_log_density([1, 2], 0.8), delta=1e-6)
                self.assertAlmostEqual(scores[1], normal_log_density([-3.5, 0.25], 0.8), delta=1e-6)

    def test_one_line_says_mean_and_standard_error(self):
        run = self.score(self.write("data.csv", "1.,2\n-3.5,0.25\n0,0\n"))
        values = [-float(line) for line in self.path("scores.csv").read_text().splitlines()]
        mean = sum(values) / 3
        error = math.sqrt(sum((v - mean) ** 2 for v in values) / 2 / 3)
        self.assertRegex(run.out, r"^NLL %.4f \+- %.4f nats over 3 rows, \d+ field evaluations a row\n$" % (mean, error))
        self.assertEqual(run.err, "")
        self.assertRegex(self.score(self.write("data.csv", "1,2\n")).out, r"^NLL \S+ \+- null nats over 1 rows")
        # Far from the base both are half of 1e60 / (2 0.8^2), which takes more than 50 digits.
        far = self.score(self.write("data.csv", "0,0\n1e30,0\n")).out.split()
        self.assertAlmostEqual(float(far[1]) * 2.56e-60, 1, delta=1e-6)
        self.assertAlmostEqual(float(far[3]) * 2.56e-60, 1, delta=1e-6)

    def test_csv_and_npy_hold_the_same_numbers(self):
        data = self.write("data.csv", "0.1,0.2\n-3.5,0.25\n")
        self.score(data, "a.csv")
        self.score(data, "a.npy")
        self.assertEqual([float(line) for line in self.path("a.csv").read_text().splitlines()],
                         list(read_npy(self.path("a.npy"))[2]))

    def test_samples_come_in_the_model_s_precision_and_follow_the_seed(self):
        for dtype, kind in (("F32", "<f4"), ("F64", "<f8")):
            self.write("model", identity_flow(dtype))
            for out, seed in (("a.npy", 0), ("b.npy", 0), ("c.npy", 1)):
                self.succeeds("sample", "--model", "model", "--count", 4000, "--out", out, "--seed", seed)
            self.assertEqual(self.path("a.npy").read_bytes(), self.path("b.npy").read_bytes())
            self.assertNotEqual(self.path("a.npy").read_bytes(), self.path("c.npy").read_bytes())
            found, shape, values = read_npy(self.path("a.npy"))
            self.assertEqual((found, shape), (kind, (4000, 2)))
            # The base itself: four and a half standard errors of mean and variance.
            self.assertLess(abs(sum(values) / 8000), 4.5 * 0.8 / math.sqrt(8000))
            variance = sum(v * v for v in values) / 8000
            self.assertLess(abs(variance / 0.64 - 1), 4.5 * math.sqrt(2 / 8000))

    def test_samples_are_the_base_pushed_forward(self):
        # f(t, z) = 0.7 z takes z to z exp(0.7).
        tensors = {"blocks.0.layers.0.weight": ([2, 4], [0, 0, 0.7, 0, 0, 0, 0, 0.7]), "blocks.0.layers.0.bias": ([2], [0, 0])}
        self.write("linear", flow_bytes(tensors, "F64", blocks=1, hidden=[]))
        self.write("identity", flow_bytes({**tensors, "blocks.0.layers.0.weight": ([2, 4], [0] * 8)}, "F64", blocks=1, hidden=[]))
        for name in ("linear", "identity"):
            self.succeeds("sample", "--model", name, "--count", 100, "--out", name + ".csv", "--rtol", 1e-9, "--atol", 1e-9)
        rows = zip(self.path("linear.csv").read_text().split(), self.path("identity.csv").read_text().split())
        for moved, base in rows:
            for m, b in zip(moved.split(","), base.split(",")):
                self.assertAlmostEqual(float(m), float(b) * math.exp(0.7), delta=1e-7)

    def test_a_target_that_is_no_file_is_written_directly(self):
        with open(self.path("through.npy"), "wb") as through:
            self.succeeds("sample", "--model", "model", "--count", 5, "--out", "/dev/stdout", stdout=through)
        self.assertEqual(read_npy(self.path("through.npy"))[:2], ("<f4", (5, 2)))

    def test_scores_on_standard_output_come_alone(self):
        self.write("data.csv", "1.,2\n-3.5,0.25\n")
        self.score("data.csv", "alone.npy")
        for out in ("/dev/stdout", "through.npy"):  # also where the name is that of the redirected file
            with open(self.path("through.npy"), "wb") as through:
                run = self.succeeds("score", "--model", "model", "--data", "data.csv", "--out", out, stdout=through)
            self.assertEqual(self.path("through.npy").read_bytes(), self.path("alone.npy").read_bytes())
            self.assertRegex(run.err, r"^NLL \S+ \+- \S+ nats over 2 rows, \d+ field evaluations a row\n$")


class Refusals(MoonsTest):
    def setUp(self):
        super().setUp()
        self.write("model", identity_flow())
        self.write("data.csv", "1,2\n3,4\n")

    def test_tables_that_cannot_be_read(self):
        nan, inf = math.nan, math.inf
        cases = {"text.csv": ("1,2\n3,word\n", "line 2, column 2"), "missing.csv": ("1,2\n3,\n", "line 2, column 2"),
                 "short.csv": ("1,2\n\n3\n", "line 3, column 2"), "long.csv": ("x,y\n1,2\n3,4,5\n", "line 3, column 3"),
                 "nan.csv": ("1,2\nnan,4\n", "line 2, column 1"), "inf.csv": ("1,-inf\n", "line 1, column 2"),
                 "big.csv": ("1,1e999\n", "line 1, column 2"), "mixed.csv": ("x,1.5\n2,3\n", "line 1, column 1"),
                 "hex.csv": ("1,2\n1,0x10\n", "line 2, column 2"), "empty.csv": ("", "no rows"), "only.csv": ("a,b\n", "no rows"),
                 "spaces.csv": ("1 2\n3 4\n", "commas"), "three.csv": ("1,2,3\n", "rows of 3 numbers"),
                 "nan.npy": (npy_bytes([1, 2, nan, 4], (2, 2)), "row 2, column 1"),
                 "inf.npy": (npy_bytes([1, inf, 3, 4], (2, 2), "<f4"), "row 1, column 2"),
                 "flat.npy": (npy_bytes([1, 2], (2,)), "[rows, columns]"), "none.npy": (npy_bytes([], (0, 2)), "[rows, columns]"),
                 "three.npy": (npy_bytes([1, 2, 3], (1, 3)), "rows of 3 numbers"),
                 "cut.npy": (npy_bytes([1, 2, 3, 4], (2, 2))[:-3], "truncated"), "text.npy": ("1,2\n", "text.npy")}
        for name, (content, part) in cases.items():
            self.write(name, content)
            run = self.fails(2, part, "score", "--model", "model", "--data", name, "--out", "scores.npy")
            self.assertIn(name, run.err)
        self.fails(2, "cannot read nowhere.csv", "score", "--model", "model", "--data", "nowhere.csv", "--out", "s.npy")
        self.fails(2, "expected the part NAME-00000.npy", "score", "--model", "model", "--data", ".", "--out", "s.npy")

    def test_a_log_density_beyond_all_numbers(self):
        self.write("far.csv", "0,0\n0,1e300\n")
        run = self.succeeds("score", "--model", "model", "--data", "far.csv", "--out", "s.csv")
        self.assertIn("moons: the density of 1 of 2 rows is 0: ", run.err)
        self.assertEqual(self.path("s.csv").read_text().splitlines()[1], "-inf")

    def test_numbers_beyond_float(self):
        for name, content, column in (("far.csv", "x,y\n1,2\n-1e39,4\n", "1 (x)"),
                                      ("far.npy", npy_bytes([1, 2, -1e39, 4], (2, 2)), "1")):
            self.write(name, content)
            place = f"{name}: row 2, column {column}: -1e+39 is beyond"
            score = ["score", "--model", "model", "--data", name, "--out"]
            self.fails(2, place, *score, "s.npy", "--precision", "float")
            self.succeeds(*score, "/dev/null")

    def refuses_model(self, name, content, part):
        self.write(name, content)
        for command in (["score", "--data", "data.csv"], ["sample", "--count", 3]):
            run = self.fails(2, part, *command, "--model", name, "--out", "out.npy")
            self.assertIn(name, run.err)

    def test_models_that_cannot_be_read(self):
        whole = identity_flow()
        self.refuses_model("cut_header", whole[:100], "truncated")
        self.refuses_model("cut_body", whole[:-5], "truncated")
        self.refuses_model("longer", whole + b"1234", "truncated or damaged")
        self.refuses_model("empty", b"", "shorter than")
        self.refuses_model("text", "no model at all, but longer than a header", "not a safetensors file")
        self.refuses_model("array", npy_bytes([1, 2], (1, 2)), "not a safetensors file")
        self.refuses_model("foreign", safetensors_bytes({"w": ([1], [0.0])}, {"format": "pt"}), "not a model file of Fjord")
        for command in (["score", "--data", "data.csv"], ["sample", "--count", 3]):
            self.fails(2, "cannot read nowhere", *command, "--model", "nowhere", "--out", "out.npy")
        self.refuses_model("checkpoint", safetensors_bytes({"w": ([1], [0.0])}, {"format": "fjord-checkpoint"}),
                           "this is the checkpoint of a run; name the run's model.safetensors")

    def test_models_whose_settings_cannot_be(self):
        cases = {"version": (3, "version 3"), "taste": (1, "unknown key taste"), "dim": (None, "dim"),
                 "hidden": ([8, 9], "shape [9, 8], got [8, 8]"), "activation": ("relu", "relu"), "time_input": ("none", "none"),
                 "blocks": (10 ** 15, "blocks"), "t1": (0, "t0 and t1"), "base_scale": (-1, "base_scale")}
        for key, (value, part) in cases.items():
            self.refuses_model(f"model_{key}", identity_flow(**{key: value}), part)
        for key, value in {"dim": "2", "hidden": 8, "t0": "x", "blocks": 2.5, "activation": 3}.items():
            self.refuses_model("wrong_kind", identity_flow(**{key: value}), key)
        self.refuses_model("huge", identity_flow(hidden=[10 ** 12, 10 ** 12]), "got sizes [1000000000000, 1000000000000]")
        for scale in (1e300, 1e-300):
            self.write("scale", identity_flow(base_scale=scale))
            self.fails(2, f"base_scale must be positive and finite in this precision, got {scale}",
                       "sample", "--model", "scale", "--count", 3, "--out", "out.npy")
        self.refuses_model("fraction", identity_flow(hidden=[8.5, 8]), "whole numbers")
        tensors = flow_tensors([4, 8, 8, 2], 4, lambda: 0.0)
        tensors["blocks.0.layers.0.bios"] = tensors.pop("blocks.0.layers.0.bias")
        self.refuses_model("renamed", flow_bytes(tensors), "blocks.0.layers.0.bias")

    def test_unknown_metadata_are_no_error(self):
        metadata, tensors = read_safetensors(identity_flow())
        plain = {name: (shape, numbers) for name, (_, shape, numbers) in tensors.items()}
        self.write("noted", safetensors_bytes(plain, {**metadata, "note": "mine"}))
        self.succeeds("score", "--model", "noted", "--data", "data.csv", "--out", "s.npy")

    def test_a_field_that_blows_up(self):
        self.write("growing", growing_flow())
        self.fails(1, "rows 1 to 3: block 0", "sample", "--model", "growing", "--count", 3, "--out", "out.npy")

    def test_a_field_that_is_stiff(self):
        # f(t, z) = -1e6 z: moons has no option for the limit of steps.
        tensors = {"blocks.0.layers.0.weight": ([2, 4], [0, 0, -1e6, 0, 0, 0, 0, -1e6]), "blocks.0.layers.0.bias": ([2], [0, 0])}
        self.write("stiff", flow_bytes(tensors, blocks=1, hidden=[]))
        run = self.fails(1, "stiff", "sample", "--model", "stiff", "--count", 3, "--out", "out.npy")
        self.assertIn("--rate", run.err)
        self.assertNotIn("max_steps", run.err)

    def test_weights_that_are_no_numbers(self):
        # tanh turns an infinite one into a finite slope.
        tensors = flow_tensors([4, 8, 8, 2], 4, lambda: 0.0)
        for name, number in ("infinite", math.inf), ("nan", math.nan):
            tensors["blocks.1.layers.0.bias"] = ([8], [number] + 7 * [0])
            self.refuses_model(name, flow_bytes(tensors), "blocks.1.layers.0.bias holds a number that is not finite")

    def test_tolerances_beyond_the_numbers(self):
        tight = ["--rtol", 1e-12, "--atol", 1e-12]
        self.fails(2, "float", "score", "--model", "model", "--data", "data.csv", "--out", "s.npy", "--precision", "float", *tight)
        self.fails(2, "float", "sample", "--model", "model", "--count", 2, "--out", "s.npy", *tight)
        self.fails(2, "double", "score", "--model", "model", "--data", "data.csv", "--out", "s.npy", "--rtol", 1e-17, "--atol", 1e-17)

    def test_outputs_that_cannot_be_written(self):
        self.path("folder").mkdir()
        for out in ("nowhere/s.npy", "folder", "data.csv/s.npy", "/dev/full"):
            self.fails(1, "cannot write " + out, "score", "--model", "model", "--data", "data.csv", "--out", out)
            self.fails(1, "cannot write " + out, "sample", "--model", "model", "--count", 3, "--out", out)
        # Also before the work, which fails here at its end, and without a trace on what can be written.
        self.write("growing", growing_flow())
        self.write("shrinking", growing_flow(-1e6))
        for command in (["score", "--model", "shrinking", "--data", "data.csv"], ["sample", "--model", "growing", "--count", 3]):
            self.fails(1, "cannot write nowhere/s.npy", *command, "--out", "nowhere/s.npy")
            self.fails(1, "; ", *command, "--out", self.write("old", "content"))
            self.assertEqual(self.path("old").read_text(), "content")
        with open("/dev/full", "w") as full:
            run = self.moons("score", "--model", "model", "--data", "data.csv", "--out", "s.npy", stdout=full)
        self.assertEqual((run.returncode, run.err.count("\n")), (1, 1))

    def test_outputs_of_other_formats(self):
        for name in ("s.txt", "s.XLSX", "s.csv.gz", "s.parquet"):
            self.fails(2, f"--out: {name}: tables are written as .npy or .csv", "score", "--model", "model", "--data", "data.csv",
                       "--out", name)
            self.fails(2, f"--out: {name}: ", "sample", "--model", "model", "--count", 3, "--out", name)

    def test_more_samples_than_fit_into_the_memory(self):
        # An array has the number of its rows in front, which a pipe must have first.
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))

        self.fails(2, "--count: at least 8.0 GB of memory would be needed", "sample", "--model", "model", "--count", 10 ** 9, "--out",
                   "/dev/stdout", preexec_fn=limit)

    def test_an_interruption_leaves_nothing(self):
        before = self.files()
        process = self.start("sample", "--model", "model", "--count", 10 ** 7, "--rtol", 1e-5, "--out", "out.npy")
        while process.poll() is None and self.files() == before:
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process).returncode, 128 + signal.SIGINT)
        self.assertEqual(self.files(), before)

    def test_arguments(self):
        score = ["score", "--model", "model", "--data", "data.csv", "--out", "s.npy"]
        sample = ["sample", "--model", "model", "--out", "s.npy", "--count"]
        for more, part in ((["--rtol", 0], "--rtol"), (["--atol", -1], "--atol"), (["--trace", "none"], "--trace"),
                           (["--precision", "half"], "--precision"), (["--threads", -1], "--threads"), (["--seed", -1], "--seed"),
                           (["--count", 3], "--count"), (["word"], "word"), (["--rtol"], "--rtol")):
            self.fails(2, part, *score, *more)
        for i in (2, 4, 6):  # --model, --data and --out
            self.fails(2, f"{score[i - 1]}: a file is needed, got nothing", *score[:i], "", *score[i + 1:])
        # An option with a slip in its name, although another one is missing then.
        self.fails(2, "unknown option --mode; see moons score --help", "score", "--mode", *score[2:])
        self.fails(2, "unknown option --count; see moons score --help", *score, "--count", 3)
        self.fails(2, "--out: a file", "sample", "--model", "model", "--count", 3, "--out", "")
        for count in (0, -1, "x", 1.5, 10 ** 30):
            self.fails(2, "--count", *sample, count)
        for command in (score, sample + [3]):
            for i in range(1, len(command), 2):
                self.fails(2, command[i], *command[:i], *command[i + 2:])


if __name__ == "__main__":
    run_tests()
