#include "fjord/autodiff/ops/symmetric_function.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/tests/support/battery.hpp"
#include "fjord/tests/support/derivative_routes.hpp"
#include "fjord/tests/support/matrices.hpp"

using namespace fjord;
using namespace fjord::test;

namespace {

Number on_line(const Number& t, const Tensor<double>& a) {
  return t.tape().input(a) + t * t.tape().input(direction());
}

}  // namespace

TEST_CASE(
    "symmetric_function: functions of symmetric matrices where eigenvalues are equal, or nearly") {
  // By mpmath 1.3 with 90 digits, from central differences of step 1e-22.
  struct Case {
    std::vector<double> values;
    std::vector<double> root;
    std::vector<double> log;
    std::vector<double> exp;
    std::vector<double> tanh;
  };

  const std::vector<Case> cases{
      {{1, 1, 2},
       {2.8652215276807989047, -0.56798485108568286735, -6.0375747764522729609,
        15.7788697868063471},
       {-0.22553901314337791601, 0.33101225553092771969, -24.297683593407688995,
        91.9326563612732451},
       {6.6350501964074186654, -29.521726212962498816, 53.595211175543040941, -118.290224976418389},
       {2.2189138673972060617, 1.1009784401084644037, -15.701616821934397616, 9.43305814439078614}},
      {{1, 1 + 1e-9, 2},
       {2.8652215285128020651, -0.56798485095341450181, -6.0375747729481923321,
        15.7788697736227412},
       {-0.22553901147937159561, 0.33101225569732971913, -24.297683574791935943,
        91.9326562697542539},
       {6.6350502009306568132, -29.521726224590680666, 53.595211200260452835, -118.290225030728797},
       {2.2189138680960460204, 1.1009784404272324735, -15.701616815920754015, 9.43305817193321422}},
      {{1, 1.001, 2},
       {2.866053322944562043, -0.56785253672842165132, -6.0340736653229319438, 15.7657020591835219},
       {-0.22387583827104972428, 0.33117906244175608408, -24.279086751963910129,
        91.8412594193822139},
       {6.6395756969260089249, -29.533357150085479595, 53.619937480998405204, -118.344546276266245},
       {2.2196121752964242179, 1.1012969120102400766, -15.695601203126015311, 9.46057270254155179}},
      {{1, 1, 1},
       {3, -1.5, -5.75, 1.125},
       {0, -3, -23, 6},
       {8.1548454853771357061, -8.1548454853771357061, 62.520482054558040413, 8.15484548537713571},
       {2.2847824678672946644, -1.2599230248420782082, -14.713100194332163504,
        1.86488004231388879}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.values[1]);
    const Tensor<double> a = turned(c.values);
    const auto check = [&](const std::vector<double>& right, const Curve& of_matrix) {
      CHECK(worst_derivative([&](const Number& t) { return weighted(of_matrix(on_line(t, a))); },
                             right) < 1e-13);
    };
    check(c.root, [](const Number& x) { return symmetric_sqrt(x); });
    check(c.log, [](const Number& x) { return symmetric_log(x); });
    check(c.exp, [](const Number& x) { return symmetric_exp(x); });
    check(c.tanh, [](const Number& x) {
      return symmetric_function(x, [](const Number& y) { return tanh(y); });
    });
    check(c.root, [](const Number& x) {
      return symmetric_function(x, [](const Number& y) { return sqrt(y); });
    });
  }
}

TEST_CASE("symmetric_function: a square root of a singular matrix has a value and no derivatives") {
  const Tensor<double> a = turned({0, 1, 4});
  const Tensor<double> root = turned({0, 1, 2});
  const Curve f = [](const Number& x) { return weighted(symmetric_sqrt(x)); };
  Tape<double> tape;
  CHECK(is_close(Tensor<double>(symmetric_sqrt(tape.input(a)).value()), root, 1e-14));
  const Routes found = routes(f, a, direction());
  for (const Tensor<double>& g : found.gradients) CHECK_FALSE(std::isfinite(g(0, 0)));
  for (const Tensor<double>& h : found.products) CHECK_FALSE(std::isfinite(h(0, 0)));
}

TEST_CASE("symmetric_function: a function of a symmetric matrix knows no other variables") {
  Tape<double> tape;
  const Number a = tape.input(symmetric_with({1, 2}));
  const Number other = tape.scalar(2);
  CHECK_THROWS_AS(symmetric_function(a, [&](const Number& x) { return x * other; }),
                  std::invalid_argument);
  CHECK_THROWS_WITH_AS(symmetric_function(a, [](const Number& x) { return sum(x); }),
                       "[symmetric_function] f must give a number for each that it takes",
                       std::invalid_argument);
}
