"""The program moons as tests run it, and model files and arrays as other programs write them."""

import json
import os
import pathlib
import resource
import struct
import subprocess
import sys
import tempfile
import unittest

TIMEOUT = 60  # seconds; every run takes a few at most, so that a longer one hangs

SMALL = ["--points", 300, "--batch", 128]  # options of train: three steps an epoch, the last one smaller
RESULTS = {"checkpoint.safetensors", "config.toml", "metrics.jsonl", "model.safetensors"}  # of a run without a picture

LIMITED_USER = 54321


def as_user(test, program, limit=lambda: None):
    """Options of subprocess that run a program, with a limit, as a user who is not root: for root there are none."""
    file = os.open(program, os.O_RDONLY)  # that user may not reach its folder
    test.addCleanup(os.close, file)

    def become():
        limit()
        if os.geteuid() == 0:
            os.setuid(LIMITED_USER)

    return {"executable": f"/proc/self/fd/{file}", "pass_fds": [file], "preexec_fn": become}


def with_one_process(test, program):
    """The same for a user who may have no second thread or process."""
    return as_user(test, program, lambda: resource.setrlimit(resource.RLIMIT_NPROC, (1, 1)))


class MoonsTest(unittest.TestCase):
    """A temporary folder, and moons run in it."""

    name = "moons"  # of the program, which its lines begin with
    program = ""  # path of the executable, set by run_tests()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, *arguments, environment=None, **options):
        # Without a PATH there is no gnuplot, and a run takes a third of the time.
        environment = {"OPENBLAS_NUM_THREADS": "1", "PATH": "/nowhere", **(environment or {})}
        return subprocess.Popen(
            [self.program, *map(str, arguments)], cwd=self.folder, env=environment,
            stdin=options.pop("stdin", subprocess.DEVNULL), text=True,
            stdout=options.pop("stdout", subprocess.PIPE), stderr=options.pop("stderr", subprocess.PIPE), **options)

    def finish(self, process):
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.fail(f"{process.args[1:]} still runs after {TIMEOUT} s")
        process.out, process.err = out, err
        return process

    def moons(self, *arguments, **options):
        """Runs moons to its end: returncode, out and err."""
        return self.finish(self.start(*arguments, **options))

    def succeeds(self, *arguments, **options):
        run = self.moons(*arguments, **options)
        self.assertEqual(run.returncode, 0, f"{arguments}: {run.err}")
        return run

    def fails(self, status, part, *arguments, **options):
        """Runs what must fail with this status and one line that contains a part, and leave nothing new."""
        before = self.files()
        run = self.moons(*arguments, **options)
        with self.subTest(arguments):
            self.assertEqual(run.returncode, status, run.err)
            self.assertTrue(run.err.startswith(f"{self.name}: ") and run.err.count("\n") == 1, f"one line is needed: {run.err}")
            self.assertIn(part, run.err)
            self.assertNotIn("[", run.err.split(part)[0], "the name of a function is shown")
            self.assertEqual(self.files(), before, "files were left")
        return run

    def files(self):
        return sorted(str(p.relative_to(self.folder)) for p in self.folder.rglob("*"))

    def path(self, name):
        return self.folder / name

    def write(self, name, content):
        data = content if isinstance(content, bytes) else content.encode()
        self.path(name).write_bytes(data)
        return name

    def metrics(self, out):
        """The objects in metrics.jsonl without the seconds."""
        objects = [json.loads(line) for line in (self.path(out) / "metrics.jsonl").read_text().splitlines()]
        for item in objects:
            self.assertGreater(item.pop("seconds"), 0)
        return objects

    def model(self, out):
        return (self.path(out) / "model.safetensors").read_bytes()


def npy_bytes(values, shape, dtype="<f8", fortran=False):
    """The file that numpy.save makes of numbers in the order of the file."""
    header = f"{{'descr': '{dtype}', 'fortran_order': {fortran}, 'shape': {tuple(shape)!r}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    code = {"<f8": "d", "<f4": "f"}[dtype]
    return (b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
            + struct.pack(f"<{len(values)}{code}", *values))


def read_npy(path):
    """Type, shape and numbers of a .npy file in C order."""
    data = path.read_bytes()
    assert data[:8] == b"\x93NUMPY\x01\x00", data[:8]
    (length,) = struct.unpack("<H", data[8:10])
    header = eval(data[10:10 + length], {}, {})
    assert header["fortran_order"] is False
    code, size = {"<f8": ("d", 8), "<f4": ("f", 4)}[header["descr"]]
    body = data[10 + length:]
    return header["descr"], header["shape"], struct.unpack(f"<{len(body) // size}{code}", body)


def safetensors_bytes(tensors, metadata, dtype="F32"):
    """The file that the Python package safetensors makes of {name: (shape, numbers)}."""
    code, size = {"F32": ("f", 4), "F64": ("d", 8)}[dtype]
    header, body = {"__metadata__": metadata}, b""
    for name in sorted(tensors):
        shape, numbers = tensors[name]
        data = struct.pack(f"<{len(numbers)}{code}", *numbers)
        assert len(data) == size * len(numbers)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


def read_safetensors(data):
    """Metadata and {name: (dtype, shape, numbers)}; the tensors must fill the file in order."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    body = data[8 + length:]
    metadata = header.pop("__metadata__", {})
    tensors, at = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        assert begin == at, f"a hole before {name}"
        at = end
        code, size = {"F32": ("f", 4), "F64": ("d", 8)}[entry["dtype"]]
        numbers = struct.unpack(f"<{(end - begin) // size}{code}", body[begin:end])
        tensors[name] = (entry["dtype"], entry["shape"], numbers)
    assert at == len(body), "bytes after the last tensor"
    return metadata, tensors


def flow_bytes(tensors, dtype="F32", **settings):
    """A model file; settings replace or, if None, leave out those of the demo."""
    model = {"dim": 2, "blocks": 4, "hidden": [8, 8], "activation": "tanh", "time_input": "repeat",
             "t0": 0, "t1": 1, "base_scale": 0.8, **settings}
    model = {key: value for key, value in model.items() if value is not None}
    return safetensors_bytes(tensors, {"format": "fjord-flow", "model": json.dumps(model)}, dtype)


def flow_tensors(widths, blocks, number):
    """Weights and biases for layers of these widths; number() gives each entry."""
    tensors = {}
    for k in range(blocks):
        for i, (wide_in, wide_out) in enumerate(zip(widths, widths[1:])):
            name = f"blocks.{k}.layers.{i}"
            tensors[f"{name}.weight"] = ([wide_out, wide_in], [number() for _ in range(wide_out * wide_in)])
            tensors[f"{name}.bias"] = ([wide_out], [number() for _ in range(wide_out)])
    return tensors


def identity_flow(dtype="F32", **settings):
    """A model file of the demo's shape whose field is zero."""
    return flow_bytes(flow_tensors([4, 8, 8, 2], 4, lambda: 0.0), dtype, **settings)


def run_tests():
    """Runs the tests of the calling file: python3 x_test.py PROGRAM."""
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit(f"usage: {sys.argv[0]} PROGRAM [TEST ...], with the path of the program")
    MoonsTest.program = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
