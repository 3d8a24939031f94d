#include "fjord/autodiff/ops/gamma.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/gamma_numbers.hpp"
#include "fjord/autodiff/kernels/half_turns.hpp"
#include "fjord/autodiff/rules/scalar.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

// The derivative of order n of pi cot(pi x) in x: a polynomial in the cotangent, as d cot = -(1 +
// cot^2).
double cotangent_derivative(int n, double x) {
  const auto size = static_cast<std::size_t>(n) + 2;
  std::vector<double> polynomial(size);
  polynomial[1] = std::numbers::pi;
  for (int k = 0; k < n; ++k) {
    std::vector<double> next(size);
    for (std::size_t i = 1; i < size; ++i) {
      const double slope = -std::numbers::pi * static_cast<double>(i) * polynomial[i];
      next[i - 1] += slope;
      if (i + 1 < size) next[i + 1] += slope;
    }
    polynomial = std::move(next);
  }
  const double c = cos_pi(x) / sin_pi(x);
  double sum = 0;
  for (std::size_t i = size; i > 0; --i) sum = sum * c + polynomial[i - 1];
  return sum;
}

double polygamma_value(int n, double x) {
  if (std::isnan(x)) return x;
  if (x == std::numeric_limits<double>::infinity()) return n == 0 ? x : 0;
  const bool even = n % 2 == 0;
  if (x == 0) return even ? -1 / x : std::numeric_limits<double>::infinity();
  if (x > 0) {
    if (n == 0) return digamma_of_positive(x);
    return (even ? -1 : 1) * std::tgamma(n + 1.0) * hurwitz_zeta(n + 1, x);
  }
  if (x == std::floor(x)) return std::numeric_limits<double>::infinity() * (even ? 0 : 1);
  return (even ? 1 : -1) * polygamma_value(n, 1 - x) - cotangent_derivative(n, x);
}

struct Polygamma {
  static constexpr const char* name = "polygamma";

  static double value(int n, double x) { return polygamma_value(n, x); }

  template <class T>
  static Var<T> slope(int n, const Var<T>& x, const Var<T>&) {
    return polygamma(n + 1, x);
  }
};

struct Digamma {
  static constexpr const char* name = "digamma";

  static double value(double x) { return polygamma_value(0, x); }

  template <class V>
  static V slope(const V& x, const V&) {
    return polygamma(1, x);
  }
};

struct LogGamma {
  static constexpr const char* name = "lgamma";

  static double value(double x) { return log_gamma(x); }

  template <class V>
  static V slope(const V& x, const V&) {
    return digamma(x);
  }
};

// polygamma(n, a) - polygamma(n, a + b) for a, b >= 0 and n >= 1.
template <int n>
struct PolygammaDrop {
  static constexpr const char* name = "betaln";

  static double value(double a, double b) {
    if (!(a >= 0 && b >= 0)) return std::numeric_limits<double>::quiet_NaN();
    return (n % 2 == 0 ? -1 : 1) * std::tgamma(n + 1.0) * hurwitz_zeta_drop(n + 1, a, b);
  }

  template <class T>
  static Var<T> slope_a(const Var<T>& a, const Var<T>& b, const Var<T>&) {
    if constexpr (n < 3) {
      return ScalarBinary<T, PolygammaDrop<n + 1>>::apply(a, b);
    } else {
      return polygamma(n + 1, a) - polygamma(n + 1, a + b);
    }
  }

  template <class T>
  static Var<T> slope_b(const Var<T>& a, const Var<T>& b, const Var<T>&) {
    return -polygamma(n + 1, a + b);
  }
};

// digamma(a) - digamma(a + b) for a, b >= 0, likewise.
struct DigammaDrop {
  static constexpr const char* name = "betaln";

  static double value(double a, double b) {
    if (!(a >= 0 && b >= 0)) return std::numeric_limits<double>::quiet_NaN();
    return digamma_drop(a, b);
  }

  template <class T>
  static Var<T> slope_a(const Var<T>& a, const Var<T>& b, const Var<T>&) {
    return ScalarBinary<T, PolygammaDrop<1>>::apply(a, b);
  }

  template <class V>
  static V slope_b(const V& a, const V& b, const V&) {
    return -polygamma(1, a + b);
  }
};

struct LogBeta {
  static constexpr const char* name = "betaln";

  static double value(double a, double b) {
    if (!(a >= 0 && b >= 0)) return std::numeric_limits<double>::quiet_NaN();
    if (a > b) std::swap(a, b);
    if (b < far_for_stirling) return log_gamma(a) + (log_gamma(b) - log_gamma(a + b));
    const double correction = stirling_correction(b) - stirling_correction(a + b);
    if (a < far_for_stirling) {
      return log_gamma(a) - a * std::log(a + b) - (b - 0.5) * std::log1p(a / b) + a + correction;
    }
    return 0.5 * (std::log(2 * std::numbers::pi) - std::log(b)) +
           (a - 0.5) * std::log(a / (a + b)) - b * std::log1p(a / b) +
           (stirling_correction(a) + correction);
  }

  template <class T>
  static Var<T> slope_a(const Var<T>& a, const Var<T>& b, const Var<T>&) {
    return ScalarBinary<T, DigammaDrop>::apply(a, b);
  }

  template <class T>
  static Var<T> slope_b(const Var<T>& a, const Var<T>& b, const Var<T>&) {
    return ScalarBinary<T, DigammaDrop>::apply(b, a);
  }
};

}  // namespace

template <class T>
Var<T> lgamma(const Var<T>& x) {
  return ScalarUnary<T, LogGamma>::apply(x);
}

template <class T>
Var<T> digamma(const Var<T>& x) {
  return ScalarUnary<T, Digamma>::apply(x);
}

template <class T>
Var<T> polygamma(int n, const Var<T>& x) {
  require(n >= 0, "polygamma",
          [&] { return "the order must be at least 0, got " + std::to_string(n); });
  return ScalarFamily<T, Polygamma>::apply(n, x);
}

template <class T>
Var<T> betaln(const Var<T>& a, const Var<T>& b) {
  return ScalarBinary<T, LogBeta>::apply(a, b);
}

#define FJORD_INSTANTIATE(T)                     \
  template Var<T> lgamma(const Var<T>&);         \
  template Var<T> digamma(const Var<T>&);        \
  template Var<T> polygamma(int, const Var<T>&); \
  template Var<T> betaln(const Var<T>&, const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
