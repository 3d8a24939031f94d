"""Programs as mpirun runs them on several ranks."""

import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time
import unittest

from moons_program import TIMEOUT, MoonsTest

SKIPPED = 77  # the exit status that meson counts as skipped
END = 30  # seconds within which a failure of one rank ends all


class RanksTest(MoonsTest):
    """A temporary folder, and a program run in it on some ranks."""

    def on_ranks(self, ranks, *arguments, **options):
        """Starts the program on so many ranks, which may be more than cores."""
        environment = {
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "HOME": str(self.folder),
            "OPENBLAS_NUM_THREADS": "1", "PATH": os.environ["PATH"]}
        # By name: Open MPI takes the folder of a path for its own, and refuses that of /bin.
        command = ["mpirun", "--oversubscribe", "-n", ranks, self.program, *arguments]
        return subprocess.Popen(
            list(map(str, command)), cwd=self.folder, env=environment, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def succeed_on(self, ranks, *arguments):
        run = self.finish(self.on_ranks(ranks, *arguments))
        self.assertEqual(run.returncode, 0, run.err)
        return run

    def rank(self, mpirun_process, number):
        """The process of a rank, once it is there."""
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            for process in children(mpirun_process.pid):
                if f"OMPI_COMM_WORLD_RANK={number}".encode() in read(f"/proc/{process}/environ").split(b"\0"):
                    return process
            time.sleep(0.01)
        self.fail(f"rank {number} did not start")

    def fill_disk(self, mpirun_process, number):
        """Lets no file of a rank grow any more."""
        resource.prlimit(int(self.rank(mpirun_process, number)), resource.RLIMIT_FSIZE, (0, 0))

    def wait_for(self, process, is_there):
        end = time.monotonic() + TIMEOUT
        while process.poll() is None and time.monotonic() < end:
            if is_there():
                return
            time.sleep(0.005)
        self.fail("what was waited for did not come")

    def wait_for_epochs(self, process, epochs):
        metrics = self.path("out/metrics.jsonl")
        self.wait_for(process, lambda: metrics.exists() and metrics.read_text().count("\n") >= epochs)

    def wait_for_file(self, process, name):
        self.wait_for(process, self.path(name).exists)

    def ends(self, process, lines):
        """Waits for the end of all ranks; the program's own lines on the way must be these."""
        began = time.monotonic()
        run = self.finish(process)
        self.assertLess(time.monotonic() - began, END)
        own = re.findall(rf"^{self.name}: .*", run.err, re.M)
        self.assertEqual(len(own), len(lines), run.err)
        for line, pattern in zip(own, lines):
            self.assertRegex(line, pattern)
        return run


def children(process):
    return read(f"/proc/{process}/task/{process}/children").decode().split()


def read(path):
    try:
        return pathlib.Path(path).read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


def run_tests():
    """Runs the tests of the calling file: python3 x_test.py PROGRAM MPI, where MPI says whether the build has it."""
    MoonsTest.program = str(pathlib.Path(sys.argv.pop(1)).resolve())
    if sys.argv.pop(1) != "true" or shutil.which("mpirun") is None:
        print("skipped: the build is without MPI, or there is no mpirun")
        sys.exit(SKIPPED)
    unittest.main()
