/// Explicit Runge-Kutta methods as tables of numbers.
#pragma once

#include <span>

namespace fjord::ode {

/// The coefficients of an explicit embedded Runge-Kutta method with S stages, in Butcher's
/// notation.
struct Tableau {
  const char* name;
  int order;                  ///< order of the solution that is carried on
  std::span<const double> a;  ///< rows 2 to S of the lower triangle, one after another
  std::span<const double> b;  ///< S weights of the solution
  std::span<const double>
      error;                  ///< S weights of the error estimate: b minus the embedded solution's
  std::span<const double> c;  ///< S times, as fractions of the step

  std::size_t stages() const { return c.size(); }

  /// The weights of stage i in [0, S): i numbers.
  std::span<const double> row(std::size_t i) const { return a.subspan(i * (i - 1) / 2, i); }

  /// Whether the last stage is the next step's first.
  bool is_first_same_as_last() const;
};

/// Dormand-Prince 5(4), seven stages, first same as last.
///
/// Source:  Dormand & Prince, A family of embedded Runge-Kutta formulae, J. Comput. Appl. Math. 6
///          (1980); Hairer, Norsett & Wanner, Solving ODEs I, 2nd ed., table II.5.2.
extern const Tableau dormand_prince;

/// Every method, for tests and for choosing by name.
std::span<const Tableau* const> all_tableaus();

}  // namespace fjord::ode
