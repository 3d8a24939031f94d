"""Tests of the tables and files that people have, as moons meets them: python3 moons_tables_test.py MOONS"""

import codecs
import gzip
import io
import itertools
import json
import math
import os
import struct
import zipfile

from moons_program import MoonsTest, flow_bytes, flow_tensors, identity_flow, npy_bytes, read_npy, run_tests

ROWS = [(1.5, -2.0), (3.0, 0.25), (-0.5, 1e-3)]
TEXT = "1.5,-2\n3,0.25\n-0.5,1e-3\n"


def array(dtype, shape, data, version=(1, 0), fortran=False):
    """A .npy file with this header, which need not be one that moons reads."""
    header = f"{{'descr': {dtype!r}, 'fortran_order': {fortran}, 'shape': {shape!r}, }}"
    length = struct.pack("<H" if version[0] == 1 else "<I", len(header) + 1)
    return b"\x93NUMPY" + bytes(version) + length + header.encode() + b"\n" + data


def numbers(code, values=tuple(itertools.chain(*ROWS))):
    return struct.pack(code.replace("*", str(len(values))), *values)


def zipped(*names):
    """A zip archive of files with these names."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, npy_bytes([1.5], (1, 1)) if name.endswith(".npy") else "<xml/>")
    return data.getvalue()


def safetensors(entries, body, length=None):
    """A safetensors file with these entries of the header, as (name, value) pairs, and this body."""
    header = "{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in entries) + "}"
    return struct.pack("<Q", len(header) if length is None else length) + header.encode() + body


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


# Each holds ROWS.
READ = {
    "names in quotes with commas": '"a, b","c ""d"""\n' + TEXT,
    "a name over two lines": '"a\nb",c\n' + TEXT,
    "names that hold #": "a#1,b#2\n" + TEXT,
    "names in a comment, as numpy.savetxt writes them": "# x,y\n" + TEXT,
    "a comment that has another number of fields": "# made by hand, on a Sunday, in May\n" + TEXT,
    "comments between rows": "1.5,-2\n# and\n3,0.25\n#\n-0.5,1e-3\n# end",
    "a header with inf in it": "x,inf\n" + TEXT,
    "a header with a missing name": "x,\n" + TEXT,
    "a header with a whole number": "x,2020\n" + TEXT,
    "numbers in quotes": TEXT.replace("1.5,-2", '"1.5","-2"').replace("3,", '"3",'),
    "everything in quotes": '"x","y"\n"1.5","-2"\n"3","0.25"\n"-0.5","1e-3"\n',
    "semicolons": "x;y\n" + TEXT.replace(",", ";"),
    "tabs": TEXT.replace(",", "\t"),
    "sep=; as Excel writes it": "sep=;\r\n" + TEXT.replace(",", ";"),
    "line ends CR": "x,y\n".replace("\n", "\r") + TEXT.replace("\n", "\r"),
    "line ends CRLF": TEXT.replace("\n", "\r\n"),
    "no line end at the end": TEXT.rstrip(),
    "UTF-8 with a mark": codecs.BOM_UTF8 + TEXT.encode(),
    "names in Latin-1": "h\u00f6he,l\u00e4nge\n".encode("latin-1") + TEXT.encode(),
    "no-break spaces": "\u00a0" + TEXT.replace(",", "\u00a0,\u00a0"),
    "a minus sign": TEXT.replace("-2", "\u22122").replace("-0.5", "\u22120.5"),
    "plus signs and blanks": " +1.5 ,\t-2 \n+3,+.25\n-0.5 , +1e-3\n",
    "blank lines": "\n\n" + TEXT.replace("\n", "\n \t\n"),
    "400 digits": TEXT.replace("0.25", "0.25" + 400 * "0"),
    "1e-400": "1.5,-2\n3,0.25\n-0.5,1e-3\n".replace("1.5", "1.5" + 30 * "0"),
    ".npy of float64": npy_bytes([v for row in ROWS for v in row], (3, 2)),
    ".npy in Fortran order": npy_bytes([row[k] for k in (0, 1) for row in ROWS], (3, 2), fortran=True),
    ".npy format 2.0": array("<f8", (3, 2), numbers("<*d"), (2, 0)),
    ".npy format 3.0": array("<f8", (3, 2), numbers("<*d"), (3, 0)),
}

# A part of the only line that is printed.
REFUSED = {
    "names that are 0 and 1": ("0,1\n" + TEXT.replace("3,", "3.5,"), "line 1 may be a header"),
    "names that are years": ("2019,2020\n" + TEXT, "give --header yes or --header no"),
    "an index that pandas wrote": (",0,1\n0,1.5,-2\n1,3,0.25\n", "line 1, column 1"),
    "a first row of missing values": ("NA,NA\n" + TEXT, 'line 1, column 1: a number is needed, but the value is missing: got "NA"'),
    "a missing value": ("x,y\n" + TEXT + "?,1\n", "line 5, column 1 (x)"),
    "text and fractions in the first line": ("x,1.5\n" + TEXT, "--header yes or --header no"),
    "text in a row": (TEXT + "5,f\u00fcnf\n", 'line 4, column 2: a number is needed, got "f\u00fcnf"'),
    "a decimal comma": ("x;y\n1,5;-2\n", 'line 2, column 1 (x): a number is needed, got "1,5"; write numbers with a decimal point'),
    "decimal commas from the first line": ("1,5;-2\n3,5;4\n", 'got "3,5"; write'),
    "a percentage": ("x,y\n1%,2\n", 'column 1 (x): a number is needed, got "1%"; write a percentage'),
    "thousands in quotes": ('x,y\n"1,234",2\n', 'column 1 (x): a number is needed, got "1,234"; write numbers'),
    "1e400": ("1.5,1e400\n", 'line 1, column 2: a number within the range of double precision is needed, got "1e400"'),
    "a number of 400 digits": (TEXT + 400 * "9" + ",1\n", "line 4, column 1: a number within the range"),
    "an infinity": (TEXT + "inf,1\n", 'line 4, column 1: a finite number is needed, got "inf"'),
    "NUL": (b"1.5,-2\n3\0,0.25\n", 'line 2, column 1: a number is needed, got "3\\x00"'),
    "trailing commas": ("1.5,-2,\n3,0.25,\n", "line 1, column 3: a number is needed, but the value is missing"),
    "a comma too many": (TEXT + "1,2,\n", "line 4, column 3: the row has 3 fields, and the first line has 2"),
    "a field too few": ("x,y\n1.5,-2\n3\n", "line 3, column 2 (y): the row has 1 field"),
    "a quote that is left open": ('1.5,-2\n"3,0.25\n', "line 2, column 1: the field has a quote that is never closed"),
    "blanks between fields": ("x y\n1.5 -2\n", "separate fields by commas, tabs or semicolons"),
    "an empty line in one column": ("1.5\n\n3\n", "line 2, column 1"),
    "nothing": ("", "no rows of numbers"),
    "a header only": ("x,y\n", "no rows of numbers"),
    "UTF-16 with a mark": (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "this is UTF-16 text; save it as UTF-8"),
    "UTF-16, big-endian": (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "this is UTF-16 text"),
    "UTF-16 without a mark": (TEXT.encode("utf-16-le"), "this is UTF-16 text"),
    "UTF-16, big-endian without a mark": (TEXT.encode("utf-16-be"), "this is UTF-16 text"),
    ".npz": (zipped("x.npy", "y.npy"), "this is an .npz archive of numpy; save one array"),
    ".xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), "this is an .xlsx workbook of Excel; save the sheet as CSV"),
    ".csv.gz": (gzip.compress(TEXT.encode()), "this is compressed by gzip; unpack it"),
    "a model file": (identity_flow(), "this is a safetensors file; a table"),
    ".npy, big-endian": (array(">f8", (3, 2), numbers(">*d")), "big-endian"),
    ".npy of float16": (array("<f2", (3, 2), numbers("<*e")), "float16"),
    ".npy of integers": (array("<i8", (1, 2), numbers("<*q", (1, 2))), "integers"),
    ".npy of bool": (array("|b1", (1, 2), b"\0\1"), "bool"),
    ".npy of complex numbers": (array("<c16", (1, 1), numbers("<*d", (1, 2))), "complex numbers"),
    ".npy of objects": (array("|O", (1, 2), b"\x80\x04K\x01."), "Python objects"),
    ".npy of text": (array("<U3", (1, 1), b"1\0\0\0\0\0\0\0\0\0\0\0"), "text"),
    ".npy of fields": (array([("x", "<f8"), ("y", "<f8")], (3,), numbers("<*d")), "structured dtypes are not read; save one field, as x['name'].astype('<f8'), or all of them by"),
    ".npy of one axis": (npy_bytes([1.5, -2], (2,)), "an array of shape [rows, columns] is needed, got [2]; save it as [2, 1], x.reshape(-1, 1)"),
    ".npy of three axes": (npy_bytes([1.5, -2], (1, 2, 1)), "an array of shape [rows, columns] is needed, got [1, 2, 1]; save it with two axes"),
    ".npy of 0 rows": (npy_bytes([], (0, 2)), "an array of shape [rows, columns] is needed, got [0, 2], which has no entries"),
    "two arrays in one .npy": (2 * npy_bytes([1.5, -2], (1, 2)), "another array follows"),
    ".npy cut off": (npy_bytes([1.5, -2], (1, 2))[:-5], "truncated: [1, 2] of '<f8' needs 16 bytes of data, got 11"),
    ".npy cut off in its header": (npy_bytes([1.5, -2], (1, 2))[:40], "truncated within the header"),
}

# A model file's tensors that are not read, and why.
MODELS = {
    "F16": (safetensors([("x", entry("F16", [2], 0, 4))], bytes(4)), 'the dtype "F16" is not read, only F32 and F64 are; convert it'),
    "BF16": (safetensors([("x", entry("BF16", [2], 0, 4))], bytes(4)), 'the dtype "BF16" is not read'),
    "trailing bytes": (safetensors([("x", entry("F32", [2], 0, 8))], bytes(9)), "the tensors end at byte 8 of 9"),
    "a name twice": (safetensors(2 * [("x", entry("F32", [2], 0, 8))], bytes(8)), "'x' occurs twice"),
    "offsets that overlap": (safetensors([("x", entry("F32", [2], 0, 8)), ("y", entry("F32", [2], 4, 12))], bytes(12)),
                             "tensor 'y': it begins at byte 4, inside another"),
    "a hole": (safetensors([("x", entry("F32", [2], 4, 12))], bytes(12)), "after a hole"),
    "tensors of size zero only": (safetensors([("x", entry("F32", [0, 5], 0, 0))], b""), "model file of Fjord"),
    "a size of zero with bytes": (safetensors([("x", entry("F32", [0], 0, 4))], bytes(4)), "tensor 'x': shape [0] needs 0 bytes, got 4"),
    "a header of 100 MB that is not there": (safetensors([("x", 1)], b"", 10 ** 8), "a header of 100000000 bytes does not fit"),
    "a header beyond all memory": (safetensors([("x", 1)], b"", 2 ** 63 - 1), "does not fit"),
}


class TableTest(MoonsTest):
    """With a model whose field is zero."""

    def setUp(self):
        super().setUp()
        self.write("model", identity_flow("F64"))

    def score(self, *options, **more):
        return self.succeeds("score", "--model", "model", *options, **more)

    def assert_scores(self, values, rows):
        self.assertEqual(len(values), len(rows))
        for value, row in zip(values, rows):
            expected = -math.log(2 * math.pi * 0.64) - sum(v * v for v in row) / 1.28
            self.assertAlmostEqual(value, expected, delta=1e-9)


class Tables(TableTest):
    def test_what_is_read(self):
        for name, content in READ.items():
            with self.subTest(name):
                self.score("--data", self.write("table", content), "--out", "scores.npy")
                self.assert_scores(read_npy(self.path("scores.npy"))[2], ROWS)

    def test_what_is_refused(self):
        for name, (content, part) in REFUSED.items():
            with self.subTest(name):
                self.write("table", content)
                run = self.fails(2, part, "score", "--model", "model", "--data", "table", "--out", "scores.npy")
                self.assertIn("table: ", run.err)

    def test_numbers_at_the_edges(self):
        self.score("--data", self.write("table", "1e-400,-1e-999\n0.5,4.9e-324\n"), "--out", "scores.npy")
        self.assert_scores(read_npy(self.path("scores.npy"))[2], [(0, 0), (0.5, 0)])

    def test_one_row_and_one_column(self):
        self.score("--data", self.write("table", "1.5,-2"), "--out", "scores.npy")
        self.assert_scores(read_npy(self.path("scores.npy"))[2], [(1.5, -2)])
        self.write("model", flow_bytes(flow_tensors([2, 8, 8, 1], 4, lambda: 0.0), dim=1))
        for text in ("1.5\n-2\n\n\n", "x\n1.5\n-2\n", "# x\n1.5\r-2", '"x, y"\n"1.5"\n"-2"\n'):
            self.score("--data", self.write("table", text), "--out", "scores.npy")
            for value, x in zip(read_npy(self.path("scores.npy"))[2], (1.5, -2), strict=True):
                self.assertAlmostEqual(value, -math.log(2 * math.pi * 0.64) / 2 - x * x / 1.28, delta=1e-6)

    def test_header_yes_and_no(self):
        self.write("table", "0,1\n1.5,-2.5\n3.5,0.25\n")
        for header, rows in (("yes", [(1.5, -2.5), (3.5, 0.25)]), ("no", [(0, 1), (1.5, -2.5), (3.5, 0.25)])):
            self.score("--data", "table", "--out", "scores.npy", "--header", header)
            self.assert_scores(read_npy(self.path("scores.npy"))[2], rows)
        self.fails(2, "--header: no or yes is needed, got maybe", "score", "--model", "model", "--data", "table",
                   "--out", "scores.npy", "--header", "maybe")
        self.write("array.npy", npy_bytes([1.5, -2], (1, 2)))
        self.score("--data", "array.npy", "--out", "scores.npy", "--header", "no")
        self.fails(2, "an array has no header", "score", "--model", "model", "--data", "array.npy",
                   "--out", "scores.npy", "--header", "yes")

    def test_a_million_rows_take_seconds(self):
        self.write("table", "x,y\n" + 10 ** 6 * "0.125,1234567\n" + "0.5,oops\n")
        self.fails(2, 'line 1000002, column 2 (y): a number is needed, got "oops"', "score", "--model", "model",
                   "--data", "table", "--out", "scores.npy")

    def test_models_that_are_not_read(self):
        self.write("data.csv", TEXT)
        for name, (content, part) in MODELS.items():
            with self.subTest(name):
                self.write("file", content)
                run = self.fails(2, part, "score", "--model", "file", "--data", "data.csv", "--out", "s.npy")
                self.assertIn("file: ", run.err)


class Outputs(TableTest):
    def test_capital_endings_are_endings(self):
        self.write("data.CSV", TEXT)
        for out in ("S.CSV", "s.Csv"):
            self.score("--data", "data.CSV", "--out", out)
            self.assert_scores([float(line) for line in self.path(out).read_text().splitlines()], ROWS)
            self.succeeds("sample", "--model", "model", "--count", 3, "--out", out)
            self.assertEqual([len(line.split(",")) for line in self.path(out).read_text().splitlines()], [2, 2, 2])

    def test_an_output_that_is_an_input_is_refused(self):
        self.write("data.csv", TEXT)
        os.symlink("data.csv", self.path("soft.csv"))
        os.link(self.path("data.csv"), self.path("hard.csv"))
        os.symlink("model", self.path("link"))
        before = {name: self.path(name).read_bytes() for name in ("data.csv", "model")}
        for out in ("data.csv", "soft.csv", "hard.csv", "./data.csv"):
            self.fails(2, f"--out: {out} is the file that --data reads (data.csv); name another file",
                       "score", "--model", "model", "--data", "data.csv", "--out", out)
        for out in ("model", "link"):
            self.fails(2, "is the file that --model reads", "score", "--model", "model", "--data", "data.csv", "--out", out)
            self.fails(2, "is the file that --model reads", "sample", "--model", "model", "--count", 3, "--out", out)
        with open(self.path("data.csv")) as stream:
            self.fails(2, "is the file that --data reads (standard input)", "score", "--model", "model", "--data", "-", "--out", "data.csv",
                       stdin=stream)
        for name, content in before.items():
            self.assertEqual(self.path(name).read_bytes(), content)

    def test_standard_input_and_output(self):
        self.write("data.csv", "x,y\n" + TEXT)
        for source in ("data.csv", "-"):
            with open(self.path("data.csv")) as stream:
                run = self.score("--data", source, "--out", "-", stdin=stream)
            self.assert_scores([float(line) for line in run.out.splitlines()], ROWS)
            self.assertRegex(run.err, r"^NLL \S+ \+- \S+ nats over 3 rows, \d+ field evaluations a row\n$")
        run = self.succeeds("sample", "--model", "model", "--count", 4, "--out", "-")
        self.assertEqual([len(line.split(",")) for line in run.out.splitlines()], 4 * [2])
        self.assertEqual((run.err, self.files()), ("", ["data.csv", "model"]))
        self.write("bad.csv", "1,x\n1,word\n")
        with open(self.path("bad.csv")) as stream:
            self.fails(2, "standard input: line 2, column 2 (x)", "score", "--model", "model", "--data", "-", "--out", "-", stdin=stream)
        with open("/dev/full", "w") as full:
            run = self.moons("sample", "--model", "model", "--count", 4, "--out", "-", stdout=full)
        self.assertEqual((run.returncode, run.err.count("\n")), (1, 1))


if __name__ == "__main__":
    run_tests()
