/// Explicit Runge-Kutta methods as tables of numbers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace fjord::ode {

/// The coefficients of an explicit Runge-Kutta method with S stages, in Butcher's notation.
///
/// Its dense output is y0 + h (b_1(t) k_1 + b_2(t) k_2 + ...) at the fraction t of the step, where
/// the sum runs over the S stages and over E extra ones that only the dense output needs.
struct Tableau {
  const char* name;
  /// Order of the solution that is carried on.
  int order;
  /// Order of the other solution that the error estimate compares it with; 0 if there is none.
  int embedded_order = 0;
  /// Rows 2 to S of the lower triangle, one after another.
  std::span<const double> a = {};
  /// S weights of the solution.
  std::span<const double> b;
  /// S weights of the error estimate: b minus the embedded solution's. Empty if there is none.
  std::span<const double> error = {};
  /// S weights of a second estimate, of lower order, or empty. With e and e2 the norms of the two,
  /// such a method has the error e^2 / sqrt(e^2 + 0.01 e2^2).
  std::span<const double> second_error = {};
  /// S times, as fractions of the step.
  std::span<const double> c;
  /// Order of the dense output; 0 if there is none.
  int dense_order = 0;
  /// The rows of the E extra stages, one after another.
  std::span<const double> dense_a = {};
  /// E times, as fractions of the step.
  std::span<const double> dense_c = {};
  /// The coefficients of t, t^2, ... in b_1(t), then those in b_2(t), ...; empty if there are none.
  std::span<const double> dense = {};

  constexpr std::size_t stages() const { return c.size(); }

  constexpr std::size_t extra_stages() const { return dense_c.size(); }

  /// The weights of stage i in [0, S): i numbers.
  constexpr std::span<const double> row(std::size_t i) const {
    return a.subspan(i * (i - 1) / 2, i);
  }

  /// The weights of extra stage i in [0, E): S + i numbers.
  constexpr std::span<const double> dense_row(std::size_t i) const {
    const std::size_t pairs = i > 0 ? i * (i - 1) / 2 : 0;
    return dense_a.subspan(i * stages() + pairs, stages() + i);
  }

  /// The coefficients of t, t^2, ... in the weight b_i(t) of stage i in [0, S + E).
  constexpr std::span<const double> dense_weight(std::size_t i) const {
    const std::size_t degree = dense.size() / (stages() + extra_stages());
    return dense.subspan(i * degree, degree);
  }

  /// Whether the last stage is the next step's first.
  constexpr bool is_first_same_as_last() const {
    return c.back() == 1 && b.back() == 0 &&
           std::ranges::equal(row(stages() - 1), b.first(stages() - 1));
  }
};

}  // namespace fjord::ode
