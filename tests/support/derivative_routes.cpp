#include "fjord/tests/support/derivative_routes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/tests/support/battery.hpp"
#include "fjord/tests/support/matrices.hpp"

namespace fjord::test {
namespace {

Number forward(const Curve& f, const Number& t) {
  return jvp(f, t, t.tape().scalar(1));
}

// H v by a tangent along every entry of the derivative along v.
Tensor<double> forward_twice(const Curve& f, const Number& x, const Number& v) {
  Tensor<double> result = Tensor<double>::zeros(x.shape());
  for (Index i = 0; i < result.size(); ++i) {
    Tensor<double> unit = Tensor<double>::zeros(x.shape());
    unit.data()[i] = 1;
    const auto slope = [&](const Number& y) { return jvp(f, y, v); };
    result.data()[i] = jvp(slope, x, x.tape().input(unit)).item();
  }
  return result;
}

}  // namespace

std::vector<std::vector<double>> derivatives_at_zero(const Curve& f) {
  Tape<double> tape;
  const Number t = tape.scalar(0);
  const Curve rev = [&](const Number& x) { return gradient(f, x); };
  const Curve fwd = [&](const Number& x) { return forward(f, x); };
  const Curve rev_rev = [&](const Number& x) { return gradient(rev, x); };
  const Curve fwd_rev = [&](const Number& x) { return forward(rev, x); };
  const Curve rev_fwd = [&](const Number& x) { return gradient(fwd, x); };
  const Curve fwd_fwd = [&](const Number& x) { return forward(fwd, x); };
  std::vector<std::vector<double>> found{{f(t).item()}, {rev(t).item(), fwd(t).item()}, {}, {}};
  for (const Curve& second : {rev_rev, fwd_rev, rev_fwd, fwd_fwd}) {
    found[2].push_back(second(t).item());
    found[3].push_back(gradient(second, t).item());
    found[3].push_back(forward(second, t).item());
  }
  return found;
}

double worst_derivative(const Curve& f, const std::vector<double>& right) {
  const std::vector<std::vector<double>> found = derivatives_at_zero(f);
  double worst = 0;
  for (std::size_t order = 0; order < right.size(); ++order) {
    for (const double value : found[order]) {
      const double error = std::abs(value - right[order]) / std::max(1.0, std::abs(right[order]));
      worst = std::max(worst, std::isfinite(error) ? error : std::numeric_limits<double>::max());
    }
  }
  return worst;
}

Routes routes(const Curve& f, const Tensor<double>& at, const Tensor<double>& along) {
  Tape<double> tape;
  const Number x = tape.input(at);
  const Number v = tape.input(along);
  const auto slope = [&](const Number& y) { return jvp(f, y, v); };
  const auto tensor = [](const Number& y) { return Tensor<double>(y.value()); };
  Routes found;
  found.gradients = {tensor(gradient(f, x)),
                     tensor(gradient([&](const Number& u) { return jvp(f, x, u); }, v))};
  found.products = {tensor(hvp(f, x, v)), tensor(gradient(slope, x)),
                    tensor(gradient([&](const Number& y) { return sum(gradient(f, y) * v); }, x))};
  constexpr Index many = 100;  // sweeps for each entry
  if (at.size() <= many) found.products.push_back(forward_twice(f, x, v));
  return found;
}

bool is_nowhere_finite(const Tensor<double>& x) {
  return std::none_of(x.storage().begin(), x.storage().end(),
                      [](double entry) { return std::isfinite(entry); });
}

bool is_nowhere_finite_below(const Tensor<double>& x) {
  const auto is_above = [](Index i, Index j) { return i >= j; };
  return is_nowhere_finite(masked(x, is_above, nan));
}

bool is_close(const Tensor<double>& a, const Tensor<double>& b, double tolerance) {
  for (std::size_t k = 0; k < a.storage().size(); ++k) {
    const double x = a.storage()[k];
    const double y = b.storage()[k];
    if (x != y && !(std::abs(x - y) <= tolerance * std::abs(y))) return false;
  }
  return a.shape() == b.shape();
}

Tensor<double> turned(const std::vector<double>& values) {
  const double a = std::cos(0.7);
  const double b = std::sin(0.7);
  const double c = std::cos(0.3);
  const double d = std::sin(0.3);
  const Tensor<double> r{{c, -d, 0}, {a * d, a * c, -b}, {b * d, b * c, a}};
  Tensor<double> scaled = r;
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 3; ++j) scaled(i, j) *= values[static_cast<std::size_t>(j)];
  }
  return multiply_by_loops(scaled, transpose_by_loops(r));
}

const Tensor<double>& direction() {
  static const Tensor<double> s{{1, 2, 0}, {2, -1, 1}, {0, 1, 3}};
  return s;
}

Number weighted(const Number& x) {
  return sum(x * x.tape().input(Tensor<double>{{1, 0, 2}, {0, 3, 1}, {1, 1, -1}}));
}

}  // namespace fjord::test
