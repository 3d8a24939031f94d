"""Tests of scores and samples of more rows than memory holds: python3 score_stream_test.py MOONS"""

import os
import random
import resource
import signal
import subprocess
import threading
import time

from moons_program import MoonsTest, flow_bytes, flow_tensors, npy_bytes, read_npy, run_tests

BLOCK = 65536  # rows of two numbers that are read at once


class Streams(MoonsTest):
    """With a small model, whose scores differ from row to row."""

    def setUp(self):
        super().setUp()
        draw = random.Random(1)
        self.write("model", flow_bytes(flow_tensors([4, 2, 2], 1, lambda: draw.gauss(0, 0.5)), "F64", blocks=1, hidden=[2]))
        self.options = ["score", "--model", "model", "--threads", 2, "--rtol", 1e-3, "--atol", 1e-3]
        # More than a block, with a short shard at the end; rows of one block repeat in the next.
        self.rows = [(draw.gauss(0, 1), draw.gauss(0, 1)) for _ in range(1000)]

    def write_csv(self, name, rows):
        lines = [f"{x!r},{y!r}\n" for x, y in self.rows]
        self.write(name, "x,y\n" + "".join(lines[i % 1000] for i in range(rows)))

    def test_a_row_has_the_same_bits_in_any_block_and_file(self):
        rows = BLOCK + 1000
        self.write_csv("table.csv", rows)
        numbers = [v for i in range(rows) for v in self.rows[i % 1000]]
        self.write("table.npy", npy_bytes(numbers, (rows, 2)))
        self.path("parts").mkdir()
        self.write("parts/t-00000.npy", npy_bytes(numbers[:2000], (1000, 2)))
        self.write("parts/t-00001.npy", npy_bytes(numbers[2000:], (rows - 1000, 2)))
        # The last shards of the table, on their own: shards have 128 rows.
        last = BLOCK - 128
        self.write("last.npy", npy_bytes(numbers[2 * last:], (rows - last, 2)))
        for trace in ("exact", "hutchinson"):
            self.succeeds(*self.options, "--trace", trace, "--data", "table.csv", "--out", "csv.npy")
            for table in ("table.npy", "parts"):
                self.succeeds(*self.options, "--trace", trace, "--data", table, "--out", "out.npy")
                self.assertEqual(self.path("out.npy").read_bytes(), self.path("csv.npy").read_bytes(), table)
            self.succeeds(*self.options, "--trace", trace, "--data", "last.npy", "--out", "last_scores.npy")
            scores = read_npy(self.path("csv.npy"))
            self.assertEqual(scores[1], (rows,))
            # The probes of Hutchinson's trace belong to a row's number, so that there they differ.
            same = scores[2][last:] == read_npy(self.path("last_scores.npy"))[2]
            self.assertEqual(same, trace == "exact")

    def test_memory_does_not_grow_with_the_rows(self):
        def peak(*command):
            process = self.start(*command, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status
            process.stderr.close()
            self.assertEqual(status, 0)
            return usage.ru_maxrss

        for name, rows in (("few.csv", BLOCK), ("many.csv", 10 * BLOCK)):
            self.write_csv(name, rows)
        # Ten times the table alone would be 10 MB more.
        score = [*self.options, "--out", "scores.csv", "--data"]
        self.assertLess(peak(*score, "many.csv"), peak(*score, "few.csv") + 4096)
        sample = ["sample", "--model", "model", "--threads", 2, "--out"]
        self.assertLess(peak(*sample, "many.npy", "--count", 10 * BLOCK), peak(*sample, "few.npy", "--count", BLOCK) + 4096)
        few, many = (read_npy(self.path(name))[2] for name in ("few.npy", "many.npy"))
        self.assertEqual(many[:len(few)], few)
        self.assertEqual(len(set(many[::2])), 10 * BLOCK)  # no block repeats another one

    def test_scores_come_before_the_input_ends(self):
        process = self.start(*self.options, "--data", "-", "--out", "-", stdin=subprocess.PIPE)
        seen = threading.Event()

        def write():
            process.stdin.write("x,y\n" + 2 * BLOCK * "0.5,-1\n")
            process.stdin.flush()
            seen.wait()
            process.stdin.write("0.5,-1\n")
            process.stdin.close()

        writer = threading.Thread(target=write)
        writer.start()
        first = process.stdout.readline()
        seen.set()
        others = process.stdout.read()
        writer.join()
        self.assertEqual(others, 2 * BLOCK * first)
        self.assertIn(f"over {2 * BLOCK + 1} rows", process.stderr.read())
        self.assertEqual(process.wait(), 0)
        process.stdout.close()
        process.stderr.close()

    def test_a_fault_in_the_last_row_of_a_file_comes_before_the_scores(self):
        self.write_csv("table.csv", 2 * BLOCK)
        with open(self.path("table.csv"), "a") as file:
            file.write("1,word\n")
        run = self.fails(2, f"line {2 * BLOCK + 2}, column 2 (y): a number", *self.options, "--data", "table.csv", "--out", "-")
        self.assertEqual(run.out, "")

    def test_a_signal_or_a_full_disk_leaves_nothing(self):
        self.write_csv("table.csv", 10 * BLOCK)
        before = self.files()
        for name in (signal.SIGINT, signal.SIGTERM):
            process = self.start(*self.options, "--data", "table.csv", "--out", "scores.npy")
            while process.poll() is None and self.files() == before:
                time.sleep(0.001)
            process.send_signal(name)
            run = self.finish(process)
            self.assertEqual(run.returncode, 128 + name, run.err)
            self.assertEqual(self.files(), before)
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (20 * BLOCK, 20 * BLOCK))

        run = self.moons(*self.options, "--data", "table.csv", "--out", "scores.npy", preexec_fn=limit)
        self.assertEqual((run.returncode, run.err.count("\n")), (1, 1), run.err)
        self.assertIn("cannot write scores.npy: File too large", run.err)
        self.assertEqual(self.files(), before)


if __name__ == "__main__":
    run_tests()
