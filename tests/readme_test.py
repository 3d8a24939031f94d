"""Tests that README.md, the guide and the page of solves are true: python3 readme_test.py ROOT SPRING DENSITY FIT, the last three its example programs."""

import math
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

from apps.moons_program import flow_bytes, flow_tensors, identity_flow, npy_bytes


def block(marker):
    """The fenced block of the README that stands below a marker."""
    match = re.search(rf"^<!-- {re.escape(marker)} -->\n```\w*\n(.*?)^```$", readme, re.M | re.S)
    assert match, f"README.md has no block marked {marker}"
    return match[1]


class Readme(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_example(self, program, *arguments):
        return subprocess.run([program, *arguments], cwd=self.folder, capture_output=True, text=True, check=True).stdout

    def test_the_example_is_the_program_and_its_output_what_the_program_prints(self):
        self.assertEqual(block("examples/spring.cpp"), (root / "examples/spring.cpp").read_text())
        self.assertEqual(block("output of examples/spring.cpp"), self.run_example(spring))

    def test_the_example_prints_the_derivatives_of_the_closed_form(self):
        # x(k) = cos(sqrt(k)) at k = 4
        expected = [math.cos(2), -math.sin(2) / 4, math.sin(2) / 32 - math.cos(2) / 16]
        numbers = [float(line.split()[-1]) for line in self.run_example(spring).splitlines()]
        self.assertEqual(len(numbers), 3)
        for number, value in zip(numbers, expected):
            self.assertAlmostEqual(number, value, delta=1e-6)

    def test_a_model_file_is_loaded_as_the_readme_says(self):
        for line in block("part of examples/density.cpp").splitlines():
            self.assertIn(line.strip(), (root / "examples/density.cpp").read_text())
        # A field that is zero leaves the base, N(0, 0.8^2 I).
        (self.folder / "zero.safetensors").write_bytes(identity_flow())
        lines = self.run_example(density, "zero.safetensors").splitlines()
        for line, (x, y) in zip(lines, [(0, 1), (1, -0.5), (0.5, 0.25)], strict=True):
            log_density = -math.log(2 * math.pi * 0.64) - (x * x + y * y) / 1.28
            expected = [log_density, -x / 0.64, -y / 0.64]
            for number, value in zip(re.findall(r"-?\d+\.\d+", line), expected, strict=True):
                self.assertAlmostEqual(float(number), value, delta=6e-4)

    def test_a_density_fitted_to_a_table_comes_near_the_one_it_was_drawn_from(self):
        # Evenly spaced in both coordinates of the unit square: no density has more than 0 nats there.
        side = 32
        points = [((i + 0.5) / side, (k + 0.5) / side) for i in range(side) for k in range(side)]
        (self.folder / "square.npy").write_bytes(npy_bytes([c for p in points for c in p], (side * side, 2)))
        mean = float(re.search(r"-?\d+\.\d+", self.run_example(fit, "square.npy", "square.safetensors"))[0])
        self.assertLess(mean, 0.05)
        self.assertGreater(mean, -0.5)
        self.run_example(density, "square.safetensors")

    def assert_refusal(self, run, part):
        self.assertEqual((run.returncode, run.stdout, run.stderr.count("\n")), (1, "", 1), run.stderr)
        self.assertIn(part, run.stderr)

    def test_the_density_of_a_file_that_is_not_a_model_of_two_columns(self):
        (self.folder / "text").write_text("no model, but longer than a header")
        (self.folder / "wide").write_bytes(flow_bytes(flow_tensors([6, 8, 3], 1, lambda: 0.0), dim=3, blocks=1, hidden=[8]))
        for arguments, part in (([], "one name"), (["none"], "none"), (["text"], "text"), (["wide"], "")):
            run = subprocess.run([density, *arguments], cwd=self.folder, capture_output=True, text=True)
            self.assert_refusal(run, part)

    def test_the_fit_refuses_what_it_cannot_do_in_one_line(self):
        rows = [0.1 * ((7 * i) % 20) - 1 for i in range(40)]
        cases = {"rank 1": (npy_bytes(rows, (40,)), "got shape [40]"),
                 "no rows": (npy_bytes([], (0, 2)), "a row must be left for training"),
                 "no columns": (npy_bytes([], (5, 0)), "a number for each column is needed"),
                 "one row": (npy_bytes(rows, (1, 40)), "a row must be left for training"),
                 "a NaN": (npy_bytes(rows[:-1] + [math.nan], (20, 2)), "column 2 has a number that is not finite"),
                 "an infinity": (npy_bytes([math.inf] + rows[1:], (20, 2)), "column 1 has a number that is not finite"),
                 "beyond float": (npy_bytes([1e60] + rows[1:], (20, 2)), "column 1 has a number that is not finite"),
                 "a constant column": (npy_bytes(20 * [0.5, 0.1], (20, 2)), "column 1 is constant"),
                 "text": (b"1,2\n", "table.npy")}
        table = self.folder / "table.npy"

        def refuses(part, *arguments):
            run = subprocess.run([fit, *arguments], cwd=self.folder, capture_output=True, text=True)
            self.assert_refusal(run, part)

        for name, (content, part) in cases.items():
            with self.subTest(name):
                table.write_bytes(content)
                refuses(part, "table.npy", "model")
                self.assertEqual([p.name for p in self.folder.iterdir()], ["table.npy"])
        refuses("none.npy", "none.npy", "model")
        refuses("two names", "table.npy")
        table.write_bytes(npy_bytes(rows, (20, 2)))
        refuses("another name", "table.npy", "./table.npy")
        refuses("nowhere/model", "table.npy", "nowhere/model")

    def test_the_pages_show_code_of_the_examples(self):
        blocks = []
        for page in pages:
            found = re.findall(r"^(?:<!-- part of (\S+) -->\n)?```cpp\n(.*?)^```$", page, re.M | re.S)
            self.assertGreater(len(found), 1)
            blocks += found
        for example, code in blocks:
            lines = [line.strip() for line in code.splitlines()]
            shown = [line.strip() for line in (root / example).read_text("utf-8").splitlines()]
            starts = range(len(shown) - len(lines) + 1)
            self.assertTrue(any(shown[i : i + len(lines)] == lines for i in starts), code)

    def test_every_file_that_they_name_exists(self):
        text = "".join([readme, *pages])
        links = re.findall(r"\[[^\]]*\]\(([^)]+)\)", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
        names = re.findall(r"`([\w.]+(?:/[\w.]+)+/?)`", text) + re.findall(r"^sh ([\w./]+)", text, re.M)
        self.assertGreater(len(links) + len(names), 10)
        for name in links + names:
            if not name.startswith(("http", "fjord/", "runs/", "build/", "subprojects/")):
                self.assertTrue((root / name).exists() or (root / "docs" / name).exists(), name)


if __name__ == "__main__":
    fit, density, spring = (str(pathlib.Path(sys.argv.pop()).resolve()) for _ in range(3))
    root = pathlib.Path(sys.argv.pop())
    readme = (root / "README.md").read_text(encoding="utf-8")
    pages = [(root / "docs" / name).read_text(encoding="utf-8") for name in ("guide.md", "ode.md", "several-machines.md")]
    unittest.main()
