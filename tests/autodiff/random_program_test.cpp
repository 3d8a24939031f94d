#include "fjord/tests/support/random_program.hpp"

#include <algorithm>
#include <map>

#include <doctest/doctest.h>

#include "fjord/autodiff/custom.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/rounding.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/random.hpp"

namespace fjord::test {
namespace {

using Number = Var<double>;

constexpr std::uint64_t programs = 400;

std::vector<std::uint8_t> draw_bytes(std::uint64_t seed) {
  std::vector<double> numbers(2 + 6 * 12);  // a point and twelve instructions
  RandomKey(seed).uniform<double>(numbers);
  std::vector<std::uint8_t> bytes;
  bytes.reserve(numbers.size());
  for (const double number : numbers) bytes.push_back(static_cast<std::uint8_t>(number * 256));
  return bytes;
}

TEST_CASE("random_program: derivatives of programs agree with each other and with differences") {
  for (std::uint64_t seed = 0; seed < programs; ++seed) {
    CAPTURE(seed);
    CHECK(check_program(draw_bytes(seed)) == "");
  }
}

TEST_CASE("random_program: every operation is part of a program, and so is every wrapping") {
  std::map<std::string, int> uses;
  std::array<int, 5> wrappings{};
  for (std::uint64_t seed = 0; seed < programs; ++seed) {
    for (const Instruction& line : decode_program(draw_bytes(seed)).instructions) {
      ++uses[line.operation.text];
      ++wrappings[static_cast<std::size_t>(line.wrapping)];
    }
  }
  for (const ProgramOperation& operation : program_operations()) {
    CAPTURE(operation.text);
    CHECK(uses[operation.text] > 0);
  }
  for (const int count : wrappings) CHECK(count > 100);
}

bool any(const Shape&, const Shape&) {
  return true;
}

Number sine(const Number& x) {
  return sin(x);
}

Number by_cosine(const Number& x, const Number&, const Number& g) {
  return g * cos(x);
}

Number by_nearly_cosine(const Number& x, const Number&, const Number& g) {
  return g * cos(x) * 1.00001;
}

// What becomes of programs of sound operations and one more, if any of them fails.
std::string first_failure(Number (*wrong)(const Vars<double>&)) {
  const auto sound = program_operations().first(12);
  std::vector<ProgramOperation> operations(sound.begin(), sound.end());
  operations.push_back({"wrong(a)", wrong, {any}});
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::string failure = check_program(draw_bytes(seed), operations);
    if (!failure.empty()) return failure;
  }
  return "";
}

void check_found(const std::string& failure, const std::string& reason) {
  CAPTURE(failure);
  CHECK(failure.find(reason) != std::string::npos);
  // The reason, an input, and the operation alone.
  CHECK(std::count(failure.begin(), failure.end(), '\n') == 3);
  CHECK(failure.find("v4 = wrong(v") != std::string::npos);
}

TEST_CASE("random_program: a wrong operation is found, and the program cut down to it") {
  check_found(
      first_failure([](const Vars<double>& v) { return custom(sine, by_nearly_cosine)(v[0]); }),
      "the gradient is not that of differences");
  check_found(first_failure([](const Vars<double>& v) {
                return custom(sine, by_cosine, by_nearly_cosine)(v[0]);
              }),
              "forward and reverse differ");
  check_found(first_failure([](const Vars<double>& v) -> Number {
                throw std::runtime_error("no sine of " + std::to_string(v.size()));
              }),
              "it throws: no sine of 1");
}

TEST_CASE("random_program: a kink beside the point is not a disagreement") {
  const ProgramOperation kink{"abs(a)", [](const Vars<double>& v) { return abs(v[0]); }, {any}};
  const Program program{{Tensor<double>(4.8e-7), Tensor<double>::zeros({3}),
                         Tensor<double>::zeros({2, 3}), Tensor<double>::zeros({3, 3})},
                        {{kink, Wrapping::plain, {0}, {}}}};
  CHECK(disagreement(program) == "");
}

TEST_CASE("random_program: a program is printed as C++") {
  const ProgramOperation product{"b * a + max(a)", nullptr, {any, any}};
  const Program program{
      {Tensor<double>(1.5), Tensor<double>{0.5, 2, -1}, Tensor<double>::zeros({2, 3}),
       Tensor<double>(1.0)},
      {{product, Wrapping::plain, {0, 1}, {3}}, {product, Wrapping::vjp, {4, 0}, {3}}}};
  CHECK(to_string(program) ==
        "const Var<double> v0 = tape.input(Tensor<double>::from({}, std::vector<double>{1.5}));\n"
        "const Var<double> v1 = tape.input(Tensor<double>::from({3}, std::vector<double>{0.5, 2, "
        "-1}));\n"
        "const Var<double> v4 = v1 * v0 + max(v0);\n"
        "const Var<double> v5 = by_vjp([](const Vars<double>& v) { return v[1] * v[0] + max(v[0]); "
        "}, {v4, v0});\n");
}

}  // namespace
}  // namespace fjord::test
