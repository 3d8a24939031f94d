#include "fjord/autodiff/npy.hpp"

#include <cmath>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord {
namespace {

/// The bytes of a literal, zeros included.
template <std::size_t N>
std::string bytes(const char (&text)[N]) {
  return std::string(text, N - 1);
}

std::string spaces(std::size_t count) {
  return std::string(count, ' ');
}

/// A file of version 1.0 with this header and these data, however wrong.
std::string file(const std::string& header, const std::string& data = "") {
  return bytes("\x93NUMPY\x01\x00") + static_cast<char>(header.size()) + '\0' + header + data;
}

std::string dict(const std::string& dtype, const std::string& shape) {
  return "{'descr': " + dtype + ", 'fortran_order': False, 'shape': " + shape + "}";
}

// Written by numpy 2.4.6.
const std::string float_matrix =
    bytes("\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }") +
    spaces(58) +
    bytes("\n\x00\x00\x80?\x00\x00\x00@\x00\x00@@\x00\x00\x80@\x00\x00\xa0@\x00\x00\xc0@");
const std::string fortran_matrix =
    bytes("\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }") +
    spaces(59) +
    bytes(
        "\n\x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00\x10@\x00\x00\x00\x00\x00\x00\x00@"
        "\x00\x00\x00\x00\x00\x00\x14@\x00\x00\x00\x00\x00\x00\x08@\x00\x00\x00\x00\x00\x00\x18@");
const std::string double_vector =
    bytes("\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }") +
    spaces(60) + bytes("\n\x00\x00\x00\x00\x00\x00\xf8?\x00\x00\x00\x00\x00\x00\x00\xc0");
const std::string scalar =
    bytes("\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (), }") +
    spaces(62) + bytes("\n\x00\x00\x00\x00\x00\x00\x04@");
const std::string empty =
    bytes("\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (0, 2), }") +
    spaces(58) + "\n";
const std::string many_axes =  // its header of 182 bytes is more than a signed char counts
    bytes(
        "\x93NUMPY\x01\x00\xb6\x00{'descr': '<f4', 'fortran_order': False, 'shape': "
        "(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), }") +
    spaces(80) + bytes("\n\x00\x00\x00\x00");
const std::string version_2 =
    bytes(
        "\x93NUMPY\x02\x00t\x00\x00\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }") +
    spaces(58) + bytes("\n\x00\x00\xc0?\x00\x00\x00\xc0");
const std::string version_3 =
    bytes(
        "\x93NUMPY\x03\x00t\x00\x00\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }") +
    spaces(58) + bytes("\n\x00\x00\xc0?\x00\x00\x00\xc0");

TEST_CASE_TEMPLATE("npy: numpy's files are read in both precisions", T, float, double) {
  const Tensor<T> matrix{{1, 2, 3}, {4, 5, 6}};
  CHECK(parse_npy<T>(float_matrix, "f") == matrix);
  CHECK(parse_npy<T>(fortran_matrix, "f") == matrix);
  CHECK(parse_npy<T>(double_vector, "f") == Tensor<T>{T(1.5), T(-2)});
  CHECK(parse_npy<T>(scalar, "f") == Tensor<T>(T(2.5)));
  CHECK(parse_npy<T>(empty, "f") == Tensor<T>::zeros({0, 2}));
  CHECK(parse_npy<T>(many_axes, "f").shape() == Shape(std::vector<Index>(16, 1)));
  CHECK(parse_npy<T>(version_2, "f") == Tensor<T>{T(1.5), T(-2)});
  CHECK(parse_npy<T>(version_3, "f") == Tensor<T>{T(1.5), T(-2)});
}

TEST_CASE("npy: written files are numpy's, byte by byte") {
  const Tensor<float> matrix{{1, 2, 3}, {4, 5, 6}};
  const Tensor<double> vector{1.5, -2};
  const Tensor<double> number(2.5);
  const Tensor<double> nothing = Tensor<double>::zeros({0, 2});
  CHECK(format_npy<float>(matrix) == float_matrix);
  CHECK(format_npy<double>(vector) == double_vector);
  CHECK(format_npy<double>(number) == scalar);
  CHECK(format_npy<double>(nothing) == empty);
  const std::vector<double> memory = {9, 2.5, 9};
  CHECK(format_npy(TensorView<double>(memory.data() + 1, {})) == scalar);
}

TEST_CASE("npy: data begin at a multiple of 64 whatever the shape") {
  for (std::size_t rank = 0; rank <= Shape::max_rank; ++rank) {
    const Tensor<float> tensor = Tensor<float>::full(Shape(std::vector<Index>(rank, 1)), 3);
    const std::string text = format_npy<float>(tensor);
    CAPTURE(rank);
    CHECK(text.size() % 64 == sizeof(float));
    CHECK(parse_npy<float>(text, "f") == tensor);
  }
}

TEST_CASE("npy: any header that is the same dict to Python is read") {
  const std::string one = bytes("\x00\x00\x80?");
  for (const char* header :
       {"{'descr':'<f4','fortran_order':False,'shape':(1,)}",
        "{ \"shape\" : ( 1L , ) ,\n 'fortran_order' : True, 'descr' : '<f4' , } \n"}) {
    CAPTURE(header);
    CHECK(parse_npy<float>(file(header, one), "f") == Tensor<float>{1});
  }
}

TEST_CASE("npy: an empty array with a huge axis costs nothing") {
  const Tensor<double> tensor = parse_npy<double>(file(dict("'<f8'", "(0, 1099511627776)")), "f");
  CHECK(tensor.shape() == Shape{0, Index{1} << 40});
  CHECK(parse_npy<double>(format_npy<double>(tensor), "f") == tensor);
}

TEST_CASE("npy: numbers that are none pass through") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor<double> tensor{nan, inf, -inf, -0.0, 5e-324};
  const Tensor<double> back = parse_npy<double>(format_npy<double>(tensor), "f");
  CHECK(std::isnan(back(0)));
  CHECK(back(1) == inf);
  CHECK(std::signbit(back(3)));
  CHECK(back(4) == 5e-324);
}

TEST_CASE("npy: what is not a whole float array is refused with what to do") {
  struct Case {
    const char* name;
    std::string bytes;
    const char* message;
  };

  const std::string eight(8, '\0');
  const std::string short_header = file(dict("'<f8'", "(1,)"), eight);
  const std::string bad_shape = "the shape must hold sizes in [0, 2^63)";
  const std::vector<Case> cases = {
      {"nothing", "", "[load_npy] x.npy: this is not a .npy file"},
      {"another format", "PK\x03\x04",
       "this is not a .npy file, which begins with \\x93NUMPY; write one with numpy.save"},
      {"magic alone", "\x93NUMPY", "only the format versions 1 to 3 are read"},
      {"version 4", bytes("\x93NUMPY\x04\x00v\x00"), "only the format versions 1 to 3 are read"},
      {"no length", bytes("\x93NUMPY\x01\x00v"), "truncated before the header"},
      {"no long length", bytes("\x93NUMPY\x02\x00v\x00\x00"), "truncated before the header"},
      {"half a header", float_matrix.substr(0, 100),
       "truncated within the header; copy or save it anew"},
      {"huge header", bytes("\x93NUMPY\x02\x00\xff\xff\xff\xff{"), "truncated within the header"},
      {"no data", float_matrix.substr(0, 128),
       "truncated: [2, 3] of '<f4' needs 24 bytes of data, got 0"},
      {"half the data", fortran_matrix.substr(0, 160),
       "truncated: [2, 3] of '<f8' needs 48 bytes of data, got 32"},
      {"a byte too many", scalar + "x", "trailing bytes: [] of '<f8' needs 8 bytes of data, got 9"},
      {"integers", file(dict("'<i8'", "(1,)"), eight),
       "dtype '<i8' (integers) is not read, only '<f4' and '<f8' are; convert it with "
       "x.astype('<f8')"},
      {"unsigned integers", file(dict("'|u1'", "(8,)"), eight), "dtype '|u1' (integers) is not"},
      {"bools", file(dict("'|b1'", "(8,)"), eight), "dtype '|b1' (bool) is not read"},
      {"big-endian", file(dict("'>f8'", "(1,)"), eight), "dtype '>f8' (big-endian) is not read"},
      {"half", file(dict("'<f2'", "(4,)"), eight), "dtype '<f2' (float16) is not read"},
      {"quadruple", file(dict("'<f16'", "(0,)")), "dtype '<f16' (another float) is not read"},
      {"complex", file(dict("'<c8'", "(1,)"), eight),
       "dtype '<c8' (complex numbers) is not read, only '<f4' and '<f8' are; save the real and the "
       "imaginary parts, x.real and x.imag"},
      {"objects", file(dict("'|O'", "(1,)"), eight), "dtype '|O' (Python objects) is not read"},
      {"text", file(dict("'<U2'", "(1,)"), eight), "dtype '<U2' (text) is not read"},
      {"dates", file(dict("'<M8[ns]'", "(1,)"), eight), "dtype '<M8[ns]' (dates) is not read"},
      {"raw bytes", file(dict("'|V8'", "(1,)"), eight), "dtype '|V8' is not read"},
      {"no dtype", file(dict("''", "(1,)"), eight), "dtype '' is not read"},
      {"unprintable", file(dict("'\x1b'", "(1,)"), eight), "dtype '?' is not read"},
      {"fields", file(dict("[('x', '<f4'), ('y', '<f4')]", "(1,)"), eight),
       "structured dtypes are not read; save one field, as x['name'].astype('<f8'), or all of them "
       "by numpy.lib.recfunctions.structured_to_unstructured(x)"},
      {"two arrays", double_vector + float_matrix,
       "another array follows the first; save each array in a file of its own"},
      {"no dict", file("hello"),
       "expected \"{\" in the header at \"hello\"; save it anew with numpy.save"},
      {"open dict", file("{'descr': '<f8', "), "expected \"'\" in the header at \"\""},
      {"open string", file("{'descr: <f8}"), "expected \"'\" in the header at \"\""},
      {"two dicts", file(dict("'<f8'", "(1,)") + "{}", eight), "more than one dict in the header"},
      {"missing keys", file("{'descr': '<f8'}"),
       "the header must have 'descr', 'fortran_order' and 'shape'"},
      {"unknown key", file("{'color': 1}"), "unknown or repeated key 'color' in the header"},
      {"repeated key", file("{'descr': '<f8', 'descr': '<f8'}"), "unknown or repeated key 'descr'"},
      {"no bool", file("{'fortran_order': 1}"), "expected \"False\" in the header at \"1}\""},
      {"no tuple", file(dict("'<f8'", "1"), eight), "expected \"(\" in the header at \"1}\""},
      {"negative", file(dict("'<f8'", "(-1,)"), eight), "sizes in [0, 2^63), got \"-1,)}\""},
      {"fraction", file(dict("'<f8'", "(1.5,)"), eight),
       "expected \")\" in the header at \".5,)}\""},
      {"over 64 bits", file(dict("'<f8'", "(99999999999999999999,)"), eight), bad_shape.c_str()},
      {"overflow", file(dict("'<f8'", "(4294967296, 4294967296)"), eight),
       "more entries than can be addressed"},
      {"overflow to fit", file(dict("'<f8'", "(9223372036854775807, 2, 0)")),
       "more entries than can be addressed"},
      {"claims a terabyte", file(dict("'<f8'", "(137438953472,)"), eight),
       "truncated: [137438953472] of '<f8'"},
      {"17 axes", file(dict("'<f8'", "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)"), eight),
       "17 axes, at most 16 are read"},
  };
  CHECK_NOTHROW(parse_npy<double>(short_header, "x.npy"));
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK_THROWS_WITH_AS(parse_npy<double>(c.bytes, "x.npy"), doctest::Contains(c.message),
                         std::invalid_argument);
  }
}

TEST_CASE("npy: files are written and read, and refused under their own name") {
  const test::TemporaryFolder temporary;
  const std::filesystem::path& folder = temporary.path;
  const Tensor<float> tensor{{1, 2, 3}, {4, 5, 6}};
  save_npy(folder / "x.npy", tensor);
  CHECK(load_npy<float>(folder / "x.npy") == tensor);
  CHECK(load_npy<double>(folder / "x.npy") == tensor.as<double>());
  CHECK_THROWS_WITH_AS(load_npy<float>(folder / "none"),
                       doctest::Contains("none: No such file or directory"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(load_npy<float>("/dev/null"),
                       doctest::Contains("[load_npy] /dev/null: this is not a .npy file"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(save_npy("/dev/full", tensor),
                       doctest::Contains("/dev/full: No space left on device"), std::system_error);
}

}  // namespace
}  // namespace fjord
