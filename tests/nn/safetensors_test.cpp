#include "fjord/nn/safetensors.hpp"

#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::nn {
namespace {

/// The bytes of a literal, zeros included.
template <std::size_t N>
std::string bytes(const char (&text)[N]) {
  return std::string(text, N - 1);
}

/// A file with this header, however wrong, and a body of so many zeros.
std::string file(const std::string& header, std::size_t body = 0) {
  std::string length(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> 8 * i & 0xff);
  return length + header + std::string(body, '\0');
}

/// A header with one tensor, or several joined by commas.
std::string tensor(const std::string& shape, const std::string& offsets,
                   const std::string& name = "w", const std::string& dtype = "\"F32\"") {
  return "\"" + name + "\":{\"dtype\":" + dtype + ",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

std::string braced(const std::string& text) {
  return "{" + text + "}";
}

// Written by Python's safetensors 0.8.0.
const std::string golden = bytes(
    "\x10\x01\x00\x00\x00\x00\x00\x00{\"__metadata__\":{\"b\":\"x\",\"format\":\"fjord\"},"
    "\"b\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]},"
    "\"e\":{\"dtype\":\"F64\",\"shape\":[0,3],\"data_offsets\":[16,16]},"
    "\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[16,20]},"
    "\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[20,44]}}       "
    "\x00\x00\x00\x00\x00\x00\xe0?\x00\x00\x00\x00\x00\x00\xf0\xbf\x00\x00 @"
    "\x00\x00\x80?\x00\x00\x00@\x00\x00@@\x00\x00\x80@\x00\x00\xa0@\x00\x00\xc0@");

State golden_state() {
  State state;
  state.tensors["w"] = Tensor<float>{{1, 2, 3}, {4, 5, 6}};
  state.tensors["b"] = Tensor<double>{0.5, -1};
  state.tensors["s"] = Tensor<float>(2.5F);
  state.tensors["e"] = Tensor<double>::zeros({0, 3});
  state.metadata = {{"format", "fjord"}, {"b", "x"}};
  return state;
}

void check_equal(const State& a, const State& b) {
  CHECK((a.tensors == b.tensors));
  CHECK((a.metadata == b.metadata));
}

TEST_CASE("safetensors: Python's file is read") {
  check_equal(parse_safetensors(golden, "f"), golden_state());
}

TEST_CASE("safetensors: written files are Python's, byte by byte") {
  CHECK(format_safetensors(golden_state()) == golden);
  CHECK(format_safetensors(State()) == bytes("\x08\x00\x00\x00\x00\x00\x00\x00{}      "));
}

TEST_CASE("safetensors: any names and metadata survive") {
  State state;
  const std::string odd = bytes("\"\\/\n\x01\x00 \xc3\xa9\xf0\x9f\x8c\x8a{}");
  for (const std::string& name : {std::string(), odd, std::string(300, 'n')}) {
    state.tensors[name] = Tensor<double>{1, 2};
    state.metadata[name] = name;
  }
  state.metadata["step"] = "18446744073709551615";
  const std::string text = format_safetensors(state);
  CHECK(text[0] % 8 == 0);
  check_equal(parse_safetensors(text, "f"), state);
}

TEST_CASE("safetensors: order of the header, white space and padding are free") {
  const std::string text =
      "{ " + tensor("[1]", "[4, 8]", "b") + ",\n" + tensor("[1]", "[0,4]", "a") + "} \n ";
  CHECK(parse_safetensors(file(text, 8), "f").tensors.size() == 2);
  CHECK(parse_safetensors(file("{}"), "f").tensors.empty());
  CHECK(parse_safetensors(file(braced(tensor("[0,1099511627776]", "[0,0]"))), "f").tensors.size() ==
        1);
  CHECK(parse_safetensors(file("{\"__metadata__\":{}}"), "f").metadata.empty());
}

TEST_CASE("safetensors: malformed files are refused with the reason") {
  struct Case {
    const char* name;
    std::string bytes;
    const char* message;
  };

  const std::string depth_bomb = "{\"w\":" + std::string(1'000'000, '[');
  const std::string one = tensor("[1]", "[0,4]");
  const std::string many_axes = "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]";
  const std::vector<Case> cases = {
      {"nothing", "",
       "[load_safetensors] m.st: shorter than the 8 bytes of a safetensors file's header length"},
      {"header longer than file", bytes("\x03\x00\x00\x00\x00\x00\x00\x00{}"),
       "a header of 3 bytes does not fit into the file of 10; it is truncated, or not a "
       "safetensors file"},
      {"length over 64 bits", std::string(8, '\xff') + "{}",
       "a header of 18446744073709551615 bytes does not fit"},
      {"no header", std::string(8, '\0'), "the header must begin with \"{\""},
      {"leading space", file(" {}"), "the header must begin with \"{\""},
      {"cut JSON", file("{\"w\":"), "the header is not JSON: "},
      {"two objects", file("{}{}"), "the header is not JSON: "},
      {"not UTF-8", file("{\"\xff\":1}"), "the header is not JSON: "},
      {"huge number", file(braced(tensor("[1e999]", "[0,4]")), 4), "the header is not JSON: "},
      {"depth bomb", file(depth_bomb), "the header is nested too deeply"},
      {"object bomb", file("{\"w\":{\"w\":{\"w\":{}}}}"), "the header is nested too deeply"},
      {"twice", file(braced(one + "," + one), 4), "'w' occurs twice"},
      {"twice inside", file("{\"w\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}"),
       "'dtype' occurs twice"},
      {"twice in metadata", file("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}"), "'a' occurs twice"},
      {"metadata not strings", file("{\"__metadata__\":{\"a\":1}}"),
       "the metadata 'a' must be a string"},
      {"metadata no object", file("{\"__metadata__\":null}"),
       "__metadata__ must be an object of strings"},
      {"no object", file("{\"w\":[1]}"),
       "tensor 'w': it must have dtype, shape and data_offsets and nothing else"},
      {"key missing", file("{\"w\":{\"dtype\":\"F32\"}}"),
       "tensor 'w': it must have dtype, shape and data_offsets"},
      {"key too many", file(braced("\"w\":{\"x\":0," + one.substr(5)), 4), "and nothing else"},
      {"another dtype", file(braced(tensor("[2]", "[0,4]", "w", "\"BF16\"")), 4),
       "tensor 'w': the dtype \"BF16\" is not read, only F32 and F64 are; convert it to one of "
       "them before "
       "saving"},
      {"dtype no string", file(braced(tensor("[1]", "[0,4]", "w", "32")), 4),
       "tensor 'w': the dtype 32 is not read"},
      {"unprintable name", file(braced(tensor("[1]", "[0,4]", "a\\u001b", "0")), 4),
       "tensor 'a?': the dtype"},
      {"shape no array", file(braced(tensor("1", "[0,4]")), 4),
       "tensor 'w': shape: it must be an array"},
      {"negative size", file(braced(tensor("[-1]", "[0,4]")), 4),
       "whole numbers in [0, 2^63), got -1"},
      {"fractional size", file(braced(tensor("[1.0]", "[0,4]")), 4),
       "whole numbers in [0, 2^63), got 1.0"},
      {"size no number", file(braced(tensor("[\"1\"]", "[0,4]")), 4), "got \"1\""},
      {"size over 63 bits", file(braced(tensor("[9223372036854775808]", "[0,4]")), 4),
       "got 9223372036854775808"},
      {"product overflows", file(braced(tensor("[4294967296,4294967296]", "[0,0]"))),
       "more entries than can be"},
      {"product overflows by 0", file(braced(tensor("[9223372036854775807,4,0]", "[0,0]"))),
       "more entries than"},
      {"17 axes", file(braced(tensor(many_axes, "[0,4]")), 4),
       "tensor 'w': 17 axes, at most 16 are read"},
      {"claims a terabyte", file(braced(tensor("[274877906944]", "[0,1099511627776]")), 4),
       "end at byte 1099511627776 of 4"},
      {"one offset", file(braced(tensor("[1]", "[4]")), 4),
       "data_offsets must be [begin, end] with begin <= end"},
      {"three offsets", file(braced(tensor("[1]", "[0,4,4]")), 4),
       "data_offsets must be [begin, end]"},
      {"backwards", file(braced(tensor("[1]", "[4,0]")), 4), "data_offsets must be [begin, end]"},
      {"negative offset", file(braced(tensor("[1]", "[-4,0]")), 4),
       "tensor 'w': data_offsets: it must hold whole"},
      {"outside", file(braced(one), 3),
       "the tensors end at byte 4 of 3; the file is truncated or damaged"},
      {"too few bytes", file(braced(tensor("[2]", "[0,4]")), 4),
       "tensor 'w': shape [2] needs 8 bytes, got 4"},
      {"too many bytes", file(braced(tensor("[]", "[0,8]")), 8),
       "tensor 'w': shape [] needs 4 bytes, got 8"},
      {"overlap", file(braced(one + "," + tensor("[1]", "[2,6]", "v")), 6),
       "'v': it begins at byte 2, inside another"},
      {"same bytes", file(braced(one + "," + tensor("[1]", "[0,4]", "v")), 4),
       "at byte 0, inside another"},
      {"hole", file(braced(one + "," + tensor("[1]", "[8,12]", "v")), 12),
       "'v': it begins at byte 8, after a hole"},
      {"hole in front", file(braced(tensor("[1]", "[4,8]")), 8),
       "'w': it begins at byte 4, after a hole; expected 0"},
      {"rest", file(braced(one), 7), "the tensors end at byte 4 of 7"},
      {"rest without tensors", file("{}", 1), "the tensors end at byte 0 of 1"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK_THROWS_WITH_AS(parse_safetensors(c.bytes, "m.st"), doctest::Contains(c.message),
                         std::invalid_argument);
  }
}

TEST_CASE("safetensors: a header of very many tensors is read") {
  std::string entries;
  for (int i = 0; i < 150'000; ++i) {
    entries += (i > 0 ? "," : "") + tensor("[0]", "[0,0]", "t" + std::to_string(i));
  }
  CHECK(parse_safetensors(file(braced(entries)), "f").tensors.size() == 150'000);
}

TEST_CASE("safetensors: no beginning of a file passes for the whole") {
  for (std::size_t size = 0; size < golden.size(); ++size) {
    CAPTURE(size);
    CHECK_THROWS_AS(parse_safetensors(golden.substr(0, size), "f"), std::invalid_argument);
  }
}

TEST_CASE("safetensors: what the format cannot hold is not written") {
  State state;
  state.tensors["__metadata__"] = Tensor<float>(1.0F);
  CHECK_THROWS_WITH_AS(format_safetensors(state),
                       "[save_safetensors] no tensor can be named __metadata__",
                       std::invalid_argument);
  state = State();
  state.metadata["a"] = "\xff";
  CHECK_THROWS_WITH_AS(format_safetensors(state), doctest::Contains("must be UTF-8, got \"?\""),
                       std::invalid_argument);
}

TEST_CASE("safetensors: files are written and read, and refused under their own name") {
  const test::TemporaryFolder temporary;
  const std::filesystem::path& folder = temporary.path;
  save_safetensors(folder / "model", golden_state());
  check_equal(load_safetensors(folder / "model"), golden_state());
  CHECK_THROWS_WITH_AS(load_safetensors("/dev/null"),
                       doctest::Contains("[load_safetensors] /dev/null: shorter"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(save_safetensors("/dev/full", golden_state()),
                       doctest::Contains("No space left on device"), std::system_error);
}

}  // namespace
}  // namespace fjord::nn
