#include <cstdio>

#include "fjord/autodiff/autodiff.hpp"

using namespace fjord;

// Rosenbrock's valley, (1 - a)^2 + 100 (b - a^2)^2.
Var<double> valley(const Var<double>& x) {
  const auto a = slice(x, 0, 0, 1);
  const auto b = slice(x, 0, 1, 2);
  return square(1.0 - a) + 100.0 * square(b - square(a));
}

int main() {
  Tape<double> tape;
  const auto [value, slope] = value_and_gradient(valley, tape.input({-1.2, 1.0}));
  std::printf("value %.4f, gradient %.4f, %.4f\n", value.item(), slope.value()(0),
              slope.value()(1));
}
