"""Tests of the shell scripts in a small tree, with stand-ins for the programs that they call: python3 scripts_test.py ROOT"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = {  # each with the shell that runs it
    "apps/density/run.sh": "sh", "apps/moons/run.sh": "sh", "bench/run.sh": "sh", "tests/run.sh": "sh",
    "tests/sanitizers.sh": "sh", "tests/check_tidy.sh": "sh", "tests/bare.sh": "sh", ".ci/run": "bash"}
NEEDED = ["apps/build.sh", "tests/suites.sh"]
STAND_INS = {
    # Every package is installed, nothing is to be built, and two tests pass.
    "dpkg-query": 'shift 3; for package in "$@"; do printf "installed:%s " "$package"; done',
    "ninja": 'echo "ninja: no work to do in $2."',
    "meson": 'echo "Ok: 2"; echo "tested $3"',
    "git": ":",
}


class Scripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()
        self.tree = self.folder / "a tree"
        for name in [*SCRIPTS, *NEEDED]:
            (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, self.tree / name)
        for build in ("build", "build-asan", "build-poison", "build-tidy", "build-tsan"):
            (self.tree / build / "meson-logs").mkdir(parents=True)
            (self.tree / build / "build.ninja").touch()
            (self.tree / build / "compile_commands.json").write_text("[]")
            (self.tree / build / "fjord").symlink_to(self.tree)
        for name, command in STAND_INS.items():
            self.program(self.folder / "bin" / name, command)
        for name in ("apps/density/density", "apps/moons/moons", "bench/training_bench", "bench/autodiff_bench"):
            self.program(self.tree / "build" / name, 'echo "$0 $*"')

    def program(self, path, command):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{command}\n")
        path.chmod(0o755)

    def run_script(self, shell, *command):
        environment = {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        return subprocess.run([shell, *command], cwd=self.folder, env=environment, capture_output=True, text=True)

    def test_all_of_them_are_tested(self):
        found = {str(path.relative_to(root)) for folder in ("apps", "bench", "tests") for path in (root / folder).rglob("*.sh")}
        self.assertEqual(found - set(SCRIPTS) - set(NEEDED), {"tests/check_format.sh"})  # it is given the root

    def test_they_work_through_symbolic_links(self):
        (self.folder / "apart").mkdir()
        for name, shell in SCRIPTS.items():
            with self.subTest(name):
                link = self.folder / "apart" / "a link"
                link.symlink_to(os.path.relpath(self.tree / name, link.parent))
                direct = self.run_script(shell, self.tree / name, "--help")
                linked = self.run_script(shell, "apart/a link", "--help")
                link.unlink()
                self.assertEqual((linked.returncode, linked.stdout, linked.stderr),
                                 (direct.returncode, direct.stdout, direct.stderr))
                self.assertNotIn("No such file", direct.stderr)

    def test_the_program_gets_the_arguments_and_the_demo_is_the_default(self):
        moons = self.tree / "build/apps/moons/moons"
        script = self.tree / "apps/moons/run.sh"
        self.assertEqual(self.run_script("sh", script, "score", "--data", "a").stdout, f"{moons} score --data a\n")
        self.assertEqual(self.run_script("sh", script).stdout, f"{moons} train\n")
        density = self.tree / "build/apps/density/density"
        script = self.tree / "apps/density/run.sh"
        self.assertEqual(self.run_script("sh", script, "fit", "a.csv").stdout, f"{density} fit a.csv\n")
        self.assertEqual(self.run_script("sh", script).stdout, f"{density} --help\n")

    def test_packages_that_came_after_the_build_are_found(self):
        script = self.tree / "tests/run.sh"
        self.assertEqual(self.run_script("sh", script).stderr, "")
        os.utime(self.tree / "build/build.ninja", (0, 0))
        self.assertEqual(self.run_script("sh", script).stderr, f"Ok: 2\ntested {self.tree / 'build'}\n")

    def test_tests_are_counted(self):
        self.assertEqual(self.run_script("sh", self.tree / "tests/run.sh").stdout.splitlines()[-1], "2 passed, 0 failed")
        self.assertEqual(self.run_script("sh", self.tree / "tests/sanitizers.sh").stdout.splitlines()[-1], "6 passed, 0 failed")


if __name__ == "__main__":
    root = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
