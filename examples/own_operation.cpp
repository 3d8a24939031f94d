#include <cmath>
#include <cstdio>

#include "fjord/autodiff/autodiff.hpp"

using namespace fjord;
using Number = Var<double>;

// Bessel's function J_n, which Fjord does not have but the C library does, entry by entry.
//
// Its derivative is (J_{n-1} - J_{n+1}) / 2. As that is written with the operation itself, all
// further derivatives are right, too.
Number bessel(int n, const Number& x) {
  const auto value = [n](const Number& at) {
    Tensor<double> numbers(at.value());
    for (double& number : numbers.storage()) number = jn(n, number);
    return at.tape().input(numbers);
  };
  const auto slope = [n](const Number& at) {
    return 0.5 * (bessel(n - 1, at) - bessel(n + 1, at));
  };
  const auto vjp = [slope](const Number& at, const Number&, const Number& g) {
    return g * slope(at);
  };
  const auto jvp = [slope](const Number& at, const Number&, const Number& v) {
    return v * slope(at);
  };
  return custom("bessel", value, vjp, jvp)(x);
}

int main() {
  Tape<double> tape;
  const auto j0 = [](const Number& x) { return bessel(0, x); };
  const auto slope = [&](const Number& x) { return gradient(j0, x); };
  const Number x = tape.scalar(2.5);
  std::printf("J0(2.5)   %12.9f\n", j0(x).item());
  std::printf("J0'(2.5)  %12.9f\n", slope(x).item());
  std::printf("J0''(2.5) %12.9f\n", gradient(slope, x).item());

  // Compares every derivative with finite differences, and all ways to compute it.
  const auto check = check_gradient([](const Vars<double>& in) { return sum(bessel(1, in[0])); },
                                    {{0.3, 1.7, 4.0}});
  std::printf("worst disagreement below 1e-8: %s\n", check.worst() < 1e-8 ? "yes" : "no");
}
