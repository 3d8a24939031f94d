/// Problems by which other libraries hold their solvers to account.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <vector>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/ode/field.hpp"

namespace fjord::test {

/// exp(a t) y for a square matrix, by the power series.
inline std::vector<double> exponential_times(const Tensor<double>& a, double t,
                                             const std::vector<double>& y) {
  std::vector<double> sum = y;
  std::vector<double> term = y;
  for (int k = 1; k < 200; ++k) {
    std::vector<double> next(y.size(), 0.0);
    for (std::size_t i = 0; i < y.size(); ++i) {
      for (std::size_t j = 0; j < y.size(); ++j) next[i] += a(i, j) * term[j] * t / k;
      sum[i] += next[i];
    }
    term = next;
  }
  return sum;
}

inline Tensor<double> normals(const Shape& shape, std::uint64_t seed, double deviation) {
  Tensor<double> draws = Tensor<double>::zeros(shape);
  RandomKey(seed).normal(draws.storage());
  for (double& x : draws.storage()) x *= deviation;
  return draws;
}

/// dy/dt = A y for y as a row [1, n].
template <class T>
ode::Field<T> linear_field(Tape<T>& tape, const Tensor<double>& a) {
  const Var<T> matrix = swap_axes(tape.input(a.template as<T>()), 0, 1);
  return [matrix](const Var<T>&, const Var<T>& y) { return matmul(y, matrix); };
}

/// Infinite if there are not as many numbers.
template <class T>
double worst_relative_error(const Var<T>& y, const std::vector<double>& exact) {
  const std::vector<T> numbers = Tensor<T>(y.value()).to_vector();
  if (numbers.size() != exact.size()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    worst = std::max(worst, std::abs((static_cast<double>(numbers[i]) - exact[i]) / exact[i]));
  }
  return worst;
}

/// torchdiffeq's test problems, on t = 1 to 8.
template <class T>
struct KnownProblem {
  const char* name;
  ode::Field<T> f;
  std::function<std::vector<double>(double)> exact;
  double bound;
};

template <class T>
std::vector<KnownProblem<T>> known_problems(Tape<T>& tape) {
  const auto constant = [](const Var<T>& t, const Var<T>& y) {
    const Var<T> off = y - (t * T(0.2) + T(3));
    return square(square(off)) * off + T(0.2);
  };
  const auto sine = [](const Var<T>& t, const Var<T>& y) {
    const Var<T> square_of_t = square(t);
    return y * T(2) / t + square(square_of_t) * sin(t * T(2)) - square_of_t +
           square_of_t * t * T(4);
  };
  const auto sine_exact = [](double t) {
    const double t2 = t * t;
    return std::vector<double>{-t2 * t2 / 2 * std::cos(2 * t) + t2 * t / 2 * std::sin(2 * t) +
                               t2 / 4 * std::cos(2 * t) - t2 * t + 2 * t2 * t2 +
                               (std::numbers::pi - 0.25) * t2};
  };
  const Tensor<double> u = normals({10, 10}, 3, 0.1);
  Tensor<double> a = u;
  for (Index i = 0; i < 10; ++i) {
    for (Index j = 0; j < 10; ++j) a(i, j) = u(i, j) - u(j, i);
  }
  const auto exponential = [](const Var<T>& t, const Var<T>&) {
    return broadcast_to(exp(t * T(-0.1)) * T(-0.1), {1});
  };
  return {{"constant", constant, [](double t) { return std::vector<double>{0.2 * t + 3}; }, 3e-4},
          {"sine", sine, sine_exact, 3e-4},
          {"linear", linear_field(tape, a),
           [a](double t) { return exponential_times(a, t, std::vector<double>(10, 1.0)); }, 2e-3},
          {"exponential", exponential,
           [](double t) { return std::vector<double>{std::exp(-0.1 * t)}; }, 5e-2}};
}

}  // namespace fjord::test
