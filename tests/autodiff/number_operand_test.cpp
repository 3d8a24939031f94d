// Operations of two operands, of which either may be a number.
#include <functional>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/ops.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord {
namespace {

using Number = Var<double>;

// An operation with both operands nodes, and with a number on either side.
struct Operands {
  const char* name;
  std::function<Number(const Number&, const Number&)> nodes;
  std::function<Number(double, const Number&)> number_first;
  std::function<Number(const Number&, double)> number_second;
};

#define FJORD_OPERANDS(name, expression)                               \
  Operands {                                                           \
    name, [](const Number& a, const Number& b) { return expression; }, \
        [](double a, const Number& b) { return expression; },          \
        [](const Number& a, double b) { return expression; }           \
  }
const std::vector<Operands> operations{
    FJORD_OPERANDS("+", a + b),
    FJORD_OPERANDS("-", a - b),
    FJORD_OPERANDS("*", a* b),
    FJORD_OPERANDS("/", a / b),
    FJORD_OPERANDS("<", a < b),
    FJORD_OPERANDS("<=", a <= b),
    FJORD_OPERANDS(">", a > b),
    FJORD_OPERANDS(">=", a >= b),
    FJORD_OPERANDS("equal", equal(a, b)),
    FJORD_OPERANDS("not_equal", not_equal(a, b)),
    FJORD_OPERANDS("maximum", maximum(a, b)),
    FJORD_OPERANDS("minimum", minimum(a, b)),
    FJORD_OPERANDS("pow", pow(a, b)),
    FJORD_OPERANDS("fmod", fmod(a, b)),
    FJORD_OPERANDS("atan2", atan2(a, b)),
    FJORD_OPERANDS("hypot", hypot(a, b)),
    FJORD_OPERANDS("logaddexp", logaddexp(a, b)),
    FJORD_OPERANDS("xlogy", xlogy(a, b)),
    FJORD_OPERANDS("xlog1py", xlog1py(a, b)),
    FJORD_OPERANDS("betaln", betaln(a, b)),
};
#undef FJORD_OPERANDS

void check_same(const Number& y, const Number& expected, const Number& x) {
  CHECK(Tensor<double>(y.value()) == Tensor<double>(expected.value()));
  const Tensor<double> slope(gradient_values(sum(expected), {x})[0]);
  CHECK(Tensor<double>(gradient_values(sum(y), {x})[0]) == slope);
}

TEST_CASE("operands: a number is as good as a node of it, on either side") {
  Tape<double> tape;
  const Number x = tape.input({0.5, 1.25, 2.0});
  for (const Operands& op : operations) {
    CAPTURE(op.name);
    check_same(op.number_first(1.25, x), op.nodes(tape.scalar(1.25), x), x);
    check_same(op.number_second(x, 1.25), op.nodes(x, tape.scalar(1.25)), x);
  }
}

TEST_CASE("operands: where takes numbers") {
  Tape<double> tape;
  const Number x = tape.input({-1.0, 2.0});
  const Number mask = x > 0;
  const Number zero = tape.scalar(0);
  check_same(where(mask, x * x, 0.0), where(mask, x * x, zero), x);
  check_same(where(mask, 0.0, x * x), where(mask, zero, x * x), x);
  CHECK(Tensor<double>(where(mask, 3, 4).value()) == Tensor<double>{4, 3});
}

TEST_CASE("operands: a number minus a node is one node") {
  Tape<double> tape;
  const Number x = tape.input({0.5, 1.25, 2.0});
  const std::size_t before = tape.size();
  static_cast<void>(1.0 - x);
  CHECK(tape.size() == before + 1);
}

}  // namespace
}  // namespace fjord
