"""Tests of the hygiene checks, on small trees that are wrong on purpose: python3 hygiene_test.py CLANG_FORMAT"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import check_headers
import check_layering
import check_page
import check_paths

HERE = pathlib.Path(__file__).parent
LAYERS = ("autodiff", "nn", "ode", "optim", "flows")

# A file and a line in it that design.md forbids, and a part of the message.
FORBIDDEN = [
    ("autodiff/tape.cpp", '#include "fjord/nn/mlp.hpp"', "may only see autodiff"),
    ("autodiff/tape.cpp", '#include "fjord/optim/adam.hpp"', "may only see autodiff"),
    ("nn/mlp.cpp", '#include "fjord/ode/solve.hpp"', "may only see autodiff, nn"),
    ("nn/mlp.cpp", '#include "fjord/optim/adam.hpp"', "may only see autodiff, nn"),
    ("nn/mlp.cpp", '#include "fjord/flows/ffjord.hpp"', "may only see autodiff, nn"),
    ("ode/solve.cpp", '#include "fjord/nn/mlp.hpp"', "may only see autodiff, ode"),
    ("ode/solve.hpp", '#include "fjord/optim/adam.hpp"', "may only see autodiff, ode"),
    ("ode/solve.cpp", '#include "fjord/ode/adjoint.hpp"', "never mentions"),
    ("optim/adam.cpp", '#include "fjord/nn/module.hpp"', "may only see autodiff, optim"),
    ("optim/adam.cpp", '#include "fjord/ode/solve.hpp"', "may only see autodiff, optim"),
    ("flows/ffjord.cpp", '#include "fjord/apps/common/cores.hpp"', "may only see autodiff, flows, nn, ode, optim"),
    ("optim/adam.cpp", '#include "fjord/flows/fit.hpp"', "may only see autodiff, optim"),
    ("flows/ffjord.cpp", '#include "fjord/apps/common/points.hpp"', "may only see"),
    ("flows/ffjord.cpp", '#include "fjord/autodiff/autodiff.hpp"', "umbrella"),
    ("flows/ffjord.cpp", '#include "fjord/fjord.hpp"', "umbrella"),
    ("tests/flows/ffjord_test.cpp", '#include "fjord/fjord.hpp"', "umbrella"),
    ("flows/ffjord.cpp", '#include "fjord/autodiff/ops/ops.hpp"', "umbrella"),
    ("ode/step.cpp", '#include "fjord/autodiff/kernels/simd.hpp"', "for autodiff itself"),
    ("nn/mlp.cpp", '#include "fjord/autodiff/rules/product.hpp"', "for autodiff itself"),
    ("apps/moons/main.cpp", '#include "fjord/autodiff/record/arena.hpp"', "for autodiff itself"),
    ("apps/common/progress.cpp", '#include "fjord/apps/moons/train.hpp"', "apps/common"),
    ("apps/moons/train.cpp", '#include "fjord/apps/other/train.hpp"', "apps/common"),
    ("examples/fit.cpp", '#include "fjord/autodiff/record/node.hpp"', "for autodiff itself"),
    ("tests/ode/solve_test.cpp", '#include "fjord/autodiff/kernels/simd.hpp"', "for autodiff itself"),
    ("autodiff/kernels/lapack.cpp", '#include "fjord/autodiff/tape.hpp"', "no tape"),
    ("autodiff/kernels/batched.hpp", '#include "fjord/autodiff/ops/reduce.hpp"', "no tape"),
    ("flows/ffjord.cpp", '#include "fjord/tests/support/oracle.hpp"', "may only see"),
    ("apps/moons/main.cpp", '#include "fjord/tests/support/oracle.hpp"', "may only see"),
    ("apps/moons/main.cpp", '#include "fjord/bench/fused_kernel.hpp"', "may only see"),
    ("bench/speed.cpp", '#include "fjord/tests/ode/helper.hpp"', "tests/support"),
    ("examples/fit.cpp", '#include "fjord/apps/common/points.hpp"', "may only see"),
    ("tests/ode/solve_test.cpp", '#include "fjord/nn/mlp.hpp"', "may only see"),
    ("tests/nn/mlp_test.cpp", '#include "fjord/flows/ffjord.hpp"', "may only see"),
    ("tests/nn/mlp_test.cpp", '#include "fjord/tests/ode/helper.hpp"', "tests/support"),
    ("tests/nn/mlp_test.cpp", '#include "mlp.hpp"', "write"),
    ("bench/speed.cpp", '#include "fused_kernel.hpp"', "write"),
    ("examples/fit.cpp", '#include "../flows/ffjord.hpp"', "write"),
    ("ode/solve.cpp", '#include "nn/mlp.hpp"', "write"),
    ("ode/solve.cpp", '#include "fjord/ode/../nn/mlp.hpp"', "write"),
    ("ode/solve.cpp", "#include <fjord/nn/mlp.hpp>", "write"),
    ("ode/solve.cpp", "#include <nn/mlp.hpp>", "write"),
    ("ode/solve.cpp", "#include <cmath/../../nn/mlp.hpp>", "write"),
    ("ode/solve.cpp", "  #  include  <nn/mlp.hpp>", "write"),
    ("ode/solve.cpp", '/* why */ #include "fjord/nn/mlp.hpp"', "may only see"),
    ("ode/solve.cpp", '#include "fjord/ode/ode.hpp"  // all of it', "umbrella"),
    ("ode/solve.cpp", "#include HEADER", "name the header"),
    ("nn/linear.cpp", "#include <xtensor/xarray.hpp>", "tensor.hpp"),
    ("nn/linear.cpp", "#include <xtensor-blas/xlinalg.hpp>", "tensor.hpp"),
    ("ode/step.cpp", "#include <cblas.h>", "tensor.hpp"),
    ("ode/step.cpp", "#include <x86_64-linux-gnu/cblas.h>", "tensor.hpp"),
    ("tests/nn/mlp_test.cpp", "#include <lapacke.h>", "tensor.hpp"),
    ("apps/moons/main.cpp", "#include <openblas/cblas.h>", "tensor.hpp"),
    ("autodiff/tensor.hpp", "#include <xtensor/xarray.hpp>", "xt.hpp"),
    ("flows/sharded.cpp", "#include <chrono>", "clock"),
    ("optim/adam.cpp", "#include <ctime>", "clock"),
    ("nn/mlp.cpp", "#include <iostream>", "terminal"),
    ("autodiff/tape.cpp", 'void f() { std::fprintf(stderr, "lost"); }', "do not print"),
    ("nn/mlp.cpp", 'void f() { std::cerr << "lost"; }', "do not print"),
    ("flows/model.cpp", "#include <fstream>", "files"),
    ("ode/solve.cpp", "#include <cstdio>", "files"),
    ("optim/adam.cpp", "#include <filesystem>", "files"),
    ("autodiff/files.hpp", "#include <filesystem>", "long to compile"),
    ("nn/mlp.hpp", "#include <random>", "long to compile"),
    ("ode/solve.h", "", "end in .hpp or .cpp"),
    ("ode/table.inc", "", "end in .hpp or .cpp"),
    ("solvers/euler.cpp", "", "no folder for C++"),
]

ALLOWED = [
    ("autodiff/kernels/xt.hpp", "#include <xtensor/xarray.hpp>"),
    ("autodiff/blas.cpp", "#include <cblas.h>"),
    ("autodiff/sweep.cpp", '#include "fjord/autodiff/record/watch.hpp"'),
    ("autodiff/ops/norm.cpp", '#include "fjord/autodiff/kernels/simd.hpp"'),
    ("tests/autodiff/arena_test.cpp", '#include "fjord/autodiff/record/arena.hpp"'),
    ("autodiff/kernels/batched.hpp", '#include "fjord/autodiff/record/arena.hpp"'),
    ("autodiff/files.cpp", "#include <cstdio>"),
    ("autodiff/files.cpp", "#include <filesystem>"),
    ("apps/common/checkpoint.hpp", "#include <filesystem>"),
    ("autodiff/files.cpp", 'void f() { std::snprintf(b, 9, "%d", 1); }'),
    ("nn/safetensors.cpp", "#include <filesystem>"),
    ("nn/safetensors.cpp", "#include <nlohmann/json.hpp>"),
    ("ode/adjoint.cpp", '#include "fjord/ode/adjoint.hpp"'),
    ("flows/ffjord.cpp", '#include "fjord/autodiff/ops/reduce.hpp"'),
    ("flows/ffjord.cpp", '#include "fjord/nn/mlp.hpp"'),
    ("flows/ffjord.cpp", '#include "fjord/ode/solve.hpp"'),
    ("apps/moons/train.cpp", '#include "fjord/optim/adam.hpp"'),
    ("apps/moons/train.cpp", '#include "fjord/apps/common/progress.hpp"'),
    ("apps/moons/train.cpp", '#include "fjord/apps/moons/train.hpp"'),
    ("apps/moons/progress.cpp", "#include <chrono>"),
    ("bench/speed.cpp", '#include "fjord/apps/moons/train.hpp"'),
    ("bench/speed.cpp", '#include "fjord/bench/fused_kernel.hpp"'),
    ("bench/speed.cpp", "#include <cblas.h>"),
    ("examples/fit.cpp", '#include "fjord/flows/flows.hpp"'),
    ("examples/fit.cpp", '#include "fjord/fjord.hpp"'),
    ("tests/flows/ffjord_test.cpp", '#include "fjord/ode/solve.hpp"'),
    ("tests/flows/ffjord_test.cpp", '#include "fjord/tests/support/oracle.hpp"'),
    ("tests/nn/mlp_test.cpp", '#include "fjord/tests/nn/rows.hpp"'),
    ("tests/readme_test.cpp", '#include "fjord/optim/optim.hpp"'),
]

# Put together here, so that this file names no such path itself.
FOREIGN_PATHS = ["/" + path for path in ("home/ann/fjord", "root/x", "tmp/out.csv", "work/ann/README.md", "opt/a")]
COMMON_PATHS = ["/dev/full", "/usr/bin/env", "/bin/sh", "$root/build", "https://host/home/page", "../tmp/x", "a/work/b"]


class Tree(unittest.TestCase):
    """Each test gets an empty tree that keeps to the rules."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name) / "a checkout"
        for layer in LAYERS:
            self.write(f"{layer}/{layer}.hpp", "#pragma once\n")
        self.write("fjord.hpp", "".join(f'#include "fjord/{layer}/{layer}.hpp"\n' for layer in sorted(LAYERS)))

    def write(self, name, text):
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file


class Layering(Tree):
    def test_a_tree_that_keeps_to_the_layers_passes(self):
        self.assertEqual(list(check_layering.problems(self.root)), [])

    def test_every_forbidden_line_is_found(self):
        for name, line, message in FORBIDDEN:
            with self.subTest(name=name, line=line):
                file = self.write(name, f"#include <cmath>\n\n{line}\n")
                found = list(check_layering.problems(self.root))
                file.unlink()
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(f"{name}: "), found)
                self.assertIn(message, found[0])

    def test_no_allowed_line_is_found(self):
        for name, line in ALLOWED:
            with self.subTest(name=name, line=line):
                file = self.write(name, f"{line}\n")
                self.assertEqual(list(check_layering.problems(self.root)), [])
                file.unlink()

    def test_a_layer_without_its_umbrella_header_is_found(self):
        (self.root / "nn/nn.hpp").unlink()
        self.assertEqual(len(list(check_layering.problems(self.root))), 1)

    def test_the_header_of_all_layers_misses_none(self):
        text = (self.root / "fjord.hpp").read_text()
        for wrong in ("", text.replace("/nn.hpp", "/mlp.hpp"), text + "#include <cmath>\n"):
            self.write("fjord.hpp", wrong)
            self.assertEqual(len(list(check_layering.problems(self.root))), 1)

    def test_other_files_of_the_root_are_found(self):
        self.write("extra.hpp", "#pragma once\n")
        self.assertEqual(len(list(check_layering.problems(self.root))), 1)

    def test_build_folders_are_passed_over(self):
        self.write("build/meson-private/x.cpp", "#include <nn/mlp.hpp>\n")
        (self.root / "build/fjord").symlink_to(self.root)
        self.assertEqual(list(check_layering.problems(self.root)), [])


class Headers(Tree):
    def test_headers_missing_from_the_list_and_from_the_disk_are_found(self):
        listed = check_headers.headers(self.root)
        self.assertEqual(len(listed), len(LAYERS) + 1)
        self.assertEqual(list(check_headers.problems(self.root, listed)), [])
        self.write("nn/deep/new.hpp", "")
        (self.root / "ode/ode.hpp").unlink()
        found = list(check_headers.problems(self.root, listed))
        self.assertEqual([line.split(":")[0] for line in found], ["nn/deep/new.hpp", "ode/ode.hpp"])


class Page(Tree):
    def test_a_page_that_differs_is_found_but_for_rounding(self):
        page = self.write("docs/page.md", "| heun | 2 | ~40 | ~1.5e-3 |\n")
        for made, differs in [
            ("| heun | 2 | ~75 | ~8e-4 |\n", False),
            ("| heun | 3 | ~40 | ~1.5e-3 |\n", True),
            ("| heun | 2 | ~90 | ~1.5e-3 |\n", True),
            ("| heun | 2 | ~40 | ~5e-4 |\n", True),
            ("| heun | 2 | ~40 | - |\n", True),
            ("", True),
        ]:
            with self.subTest(made=made):
                self.assertEqual(bool(check_page.findings(page, made, update=False)), differs)
        made = "| heun | 3 |\n"
        self.assertEqual(check_page.findings(page, made, update=True), [])
        self.assertEqual(page.read_text(), made)


class Paths(Tree):
    def test_paths_of_one_machine_are_found(self):
        for path in FOREIGN_PATHS + [f"{self.root}/x"]:
            with self.subTest(path=path):
                self.write(".ci/run", f"# see\ncat '{path}'\n")
                found = list(check_paths.problems(self.root))
                self.assertTrue(found)
                self.assertTrue(found[0].startswith(".ci/run:2: names "), found)

    def test_paths_of_every_machine_are_not(self):
        self.write("README.md", "\n".join(COMMON_PATHS))
        self.assertEqual(list(check_paths.problems(self.root)), [])


class Format(Tree):
    def check(self):
        command = ["sh", HERE / "check_format.sh", clang_format, self.root]
        return subprocess.run(command, capture_output=True, text=True)

    def test_a_file_that_clang_format_would_change_is_found_wherever_it_is(self):
        self.write(".clang-format", (HERE.parent / ".clang-format").read_text())
        self.assertEqual(self.check().returncode, 0, self.check().stderr)
        for name in ("autodiff/ops/x.cpp", "examples/x.cpp", "new folder/x.hpp"):
            with self.subTest(name=name):
                file = self.write(name, "int  x ;\n")
                result = self.check()
                file.unlink()
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(name, result.stderr)

    def test_a_comment_of_more_than_100_columns_is_found(self):
        self.write(".clang-format", (HERE.parent / ".clang-format").read_text())
        self.write("nn/x.hpp", "// " + "x" * 97 + "\n")
        self.assertEqual(self.check().returncode, 0, self.check().stderr)
        self.write("nn/x.hpp", "int x;\n// " + "x" * 98 + "\n")
        self.assertIn("nn/x.hpp:2: 101 columns", self.check().stderr)


if __name__ == "__main__":
    clang_format = sys.argv.pop()
    unittest.main()
