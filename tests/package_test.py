"""Tests that other projects can use Fjord, each in a way of its own: python3 package_test.py ROOT BUILD MPI"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

from apps.moons_program import with_one_process

HERE = pathlib.Path(__file__).parent
COMPILER = os.environ.get("CXX", "c++")
# The oldest processor of the family: a program need not be compiled for the same one as the library.
BASELINE = ["-march=x86-64"] if os.uname().machine == "x86_64" else []

MESON = """
project('consumer', 'cpp', default_options: ['cpp_std=c++20', 'warning_level=3', 'werror=true'])
executable('spring', 'spring.cpp', dependencies: dependency('fjord', version: '>=0.1', fallback: 'fjord'))
executable('ranks', 'ranks.cpp', dependencies: dependency('fjord_mpi', fallback: 'fjord'))
"""
CMAKE = """
cmake_minimum_required(VERSION 3.18)
project(consumer CXX)
find_package(fjord {version} REQUIRED COMPONENTS mpi)
add_executable(spring spring.cpp)
target_link_libraries(spring PRIVATE fjord::fjord)
add_executable(ranks ranks.cpp)
target_link_libraries(ranks PRIVATE fjord::mpi)
"""


def run(*command, **options):
    """What a command prints; shows all it said if it fails."""
    process = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if process.returncode:
        raise AssertionError(f"{' '.join(map(str, command))} gave {process.returncode}:\n{process.stdout}")
    return process.stdout


def install(build, destination):
    """Installs a build folder and moves it to a destination; returns the prefix and the folder of the library."""
    with tempfile.TemporaryDirectory() as elsewhere:
        run("meson", "install", "-C", build, "--no-rebuild", "--destdir", elsewhere)
        [config] = pathlib.Path(elsewhere).rglob("fjord.pc")
        shutil.move(config.parents[2], destination)
    [library] = {path.parent for path in destination.rglob("libfjord*")}
    return destination, library


def flags(installed, *options):
    environment = {**os.environ, "PKG_CONFIG_PATH": str(installed[0] / "share/pkgconfig")}
    return run("pkg-config", *options, env=environment).split()


def compile_example(source, program, more):
    run(COMPILER, "-std=c++20", "-O1", *BASELINE, source, "-o", program, *more)


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name).resolve()
        cls.installed = install(build, cls.folder / "archive")

    def consumer(self, name, files):
        """A folder with a project of somebody else."""
        folder = self.folder / name
        folder.mkdir()
        for example in ("spring.cpp", "ranks.cpp"):
            shutil.copy(root / "examples" / example, folder)
        for file, text in files.items():
            (folder / file).write_text(text)
        return folder

    def prints_what_the_readme_says(self, program, libraries):
        readme = (root / "README.md").read_text("utf-8")
        said = re.search(r"<!-- output of examples/spring.cpp -->\n```\n(.*?)```", readme, re.S)[1]
        self.assertEqual(run(program, env={**os.environ, "LD_LIBRARY_PATH": str(libraries)}), said)

    def trains_on_one_rank(self, program, libraries=""):
        printed = run(program, env={**os.environ, "LD_LIBRARY_PATH": str(libraries)})
        self.assertRegex(printed, r"^held-out loss \d+\.\d+\n$")
        return printed

    def with_cmake(self, name, installed, version="0.1"):
        folder = self.consumer(name, {"CMakeLists.txt": CMAKE.format(version=version)})
        run("cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={installed[0]}")
        run("cmake", "--build", folder / "build")
        self.prints_what_the_readme_says(folder / "build/spring", installed[1])
        self.trains_on_one_rank(folder / "build/ranks", installed[1])

    def test_every_example_is_right_when_built_with_pkg_config(self):
        programs = self.folder / "programs"
        programs.mkdir()
        fjord = flags(self.installed, "--cflags", "--libs", "fjord")
        for source in sorted((root / "examples").glob("*.cpp")):
            if source.stem == "ranks":
                continue  # of another library
            eigen = run("pkg-config", "--cflags", "eigen3").split() if source.stem == "eigen" else []
            compile_example(source, programs / source.stem, [*eigen, *fjord])
        of_the_readme = [programs / name for name in ("spring", "density", "fit")]
        run(sys.executable, HERE / "readme_test.py", root, *of_the_readme)
        run(sys.executable, HERE / "examples_test.py", *(set(programs.iterdir()) - set(of_the_readme)))

    def test_a_program_runs_on_several_ranks(self):
        program = self.folder / "ranks"
        compile_example(root / "examples/ranks.cpp", program, flags(self.installed, "--cflags", "--libs", "fjord_mpi"))
        alone = self.trains_on_one_rank(program)
        if has_mpi and shutil.which("mpirun"):
            # As root, too, and without a word about a machine without /sys.
            settings = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "HWLOC_HIDE_ERRORS": "2"}
            ranks = run("mpirun", "--oversubscribe", "-n", 2, program, env={**os.environ, **settings})
            self.assertEqual(ranks, alone)

    def test_a_program_needs_no_second_thread_or_process(self):
        # OpenBLAS starts its threads as it is loaded, and ends the program where it may not.
        program = self.folder / "one"
        compile_example(root / "examples/spring.cpp", program, flags(self.installed, "--cflags", "--libs", "fjord"))
        free = run(program)
        self.assertEqual(run(program, env={"PATH": os.environ["PATH"]}, **with_one_process(self, program)), free)

    def test_cmake_finds_the_package_and_refuses_another_version(self):
        self.with_cmake("cmake", self.installed)
        for version in ("0.2", "1.0", "0.1.1"):
            with self.assertRaisesRegex(AssertionError, "version"):
                self.with_cmake("cmake-" + version, self.installed, version)

    def test_it_is_a_subproject_of_meson_and_a_shared_library(self):
        folder = self.consumer("subproject", {"meson.build": MESON})
        (folder / "subprojects").mkdir()
        (folder / "subprojects/fjord").symlink_to(root, target_is_directory=True)
        run("meson", "setup", folder / "build", folder, "--force-fallback-for=fjord", "-Dfjord:default_library=shared",
            "-Doptimization=0", "-Ddebug=false", "--libdir=lib64")  # where no CMake of Debian looks
        targets = run("ninja", "-C", folder / "build", "-t", "targets", "all")
        for program in ("apps/moons", "tests/test_", "apps/density"):
            self.assertNotIn(program, targets)
        run("ninja", "-C", folder / "build")
        self.prints_what_the_readme_says(folder / "build/spring", "")
        self.trains_on_one_rank(folder / "build/ranks")

        shared = install(folder / "build", self.folder / "shared")
        self.assertEqual(flags(shared, "--libs", "fjord")[-2:], ["-lfjord", "-pthread"])
        compile_example(root / "examples/spring.cpp", folder / "linked", flags(shared, "--cflags", "--libs", "fjord"))
        self.prints_what_the_readme_says(folder / "linked", shared[1])
        self.with_cmake("cmake-shared", shared)

    def test_its_headers_need_none_but_the_standard_library(self):
        prefix, _ = self.installed
        headers = {str(path.relative_to(prefix / "include")) for path in prefix.rglob("*.hpp")}
        layers = ("autodiff", "nn", "ode", "optim", "flows")
        self.assertLessEqual({"fjord/fjord.hpp", *(f"fjord/{layer}/{layer}.hpp" for layer in layers)}, headers)
        adapters = {"fjord/autodiff/kernels/xt.hpp", "fjord/autodiff/xtensor.hpp"}
        text = "".join(f'#include <{header}>\n' for header in sorted(headers - adapters))
        read = run(COMPILER, "-std=c++20", "-M", "-x", "c++", "-I", prefix / "include", "-", input=text)
        # Vector types among them would make memory layouts depend on the processor that is compiled for.
        self.assertEqual(re.findall(r"\S*(?:xsimd|xtensor|xtl/|cblas|nlohmann|immintrin)\S*", read), [])
        self.assertEqual(set(re.findall(r"\S*/fjord/\S*\.hpp", read)),
                         {str(prefix / "include" / header) for header in headers - adapters})

    def test_it_is_small(self):
        [library] = self.installed[1].glob("libfjord.*")
        run("strip", "--strip-unneeded", library, "-o", self.folder / "stripped")
        # The budget for an archive of two precisions of every operation and part of flows: half of it are the names and
        # relocations of its objects.
        self.assertLess((self.folder / "stripped").stat().st_size, 20e6)


if __name__ == "__main__":
    root, build = (pathlib.Path(sys.argv.pop(1)).resolve() for _ in range(2))
    has_mpi = sys.argv.pop(1) == "true"
    unittest.main()
