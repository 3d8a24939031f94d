#include "fjord/autodiff/ops/gamma.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/half_turns.hpp"
#include "fjord/autodiff/rules/scalar.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

// The Bernoulli numbers B_2, B_4, ..., B_20.
constexpr std::array bernoulli{1.0 / 6,       -1.0 / 30,      1.0 / 42, -1.0 / 30,
                               5.0 / 66,      -691.0 / 2730,  7.0 / 6,  -3617.0 / 510,
                               43867.0 / 798, -174611.0 / 330};

// From here on the asymptotic series below have all digits.
constexpr double far = 10;

// log gamma(x) - (x - 1/2) log x + x - log(2 pi) / 2, for x >= far.
double stirling_correction(double x) {
  double sum = 0;
  for (std::size_t j = bernoulli.size(); j > 0; --j) {
    const auto k = static_cast<double>(2 * j);
    sum = sum / (x * x) + bernoulli[j - 1] / (k * (k - 1));
  }
  return sum / x;
}

double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);  // std::lgamma writes the sign to a global variable
}

double digamma_of_positive(double x) {
  double sum = 0;
  for (; x < far; x += 1) sum -= 1 / x;
  double series = 0;
  for (std::size_t j = bernoulli.size(); j > 0; --j) {
    series = (series + bernoulli[j - 1] / static_cast<double>(2 * j)) / (x * x);
  }
  return sum + std::log(x) - 0.5 / x - series;
}

// The sum over k >= 0 of (x + k)^-s, for s >= 2 and x > 0: by Euler and Maclaurin once x is large.
// Source: DLMF 25.11.43.
double hurwitz_zeta(int s, double x) {
  double sum = 0;
  for (; x < far + s; x += 1) sum += std::pow(x, -s);
  const double power = std::pow(x, 1 - s);  // x^-s would underflow earlier
  sum += power * (1.0 / (s - 1) + 0.5 / x);
  double term = power / x / x * s / 2;
  for (std::size_t j = 0; j < bernoulli.size(); ++j) {
    sum += bernoulli[j] * term;
    const auto k = static_cast<double>(2 * j + 3);
    term *= (s + k - 2) * (s + k - 1) / (k * (k + 1) * x * x);
  }
  return sum;
}

// The derivative of order n of pi cot(pi x) in x: a polynomial in the cotangent, as d cot = -(1 + cot^2).
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

// hurwitz_zeta(s, a) - hurwitz_zeta(s, a + b) for a, b >= 0 and s >= 2: every part of it as one
// difference that keeps its digits where b is tiny beside a.
double zeta_drop(int s, double a, double b) {
  const auto drop = [&](double k) { return -std::pow(a, -k) * std::expm1(-k * std::log1p(b / a)); };
  double sum = 0;
  for (; a < far + s; a += 1) sum += drop(s);
  sum += drop(s - 1) / (s - 1) + 0.5 * drop(s);
  double factor = 0.5 * s;
  for (std::size_t j = 0; j < bernoulli.size(); ++j) {
    const auto k = static_cast<double>(2 * j + 1);
    sum += bernoulli[j] * factor * drop(s + k);
    factor *= (s + k) * (s + k + 1) / ((k + 2) * (k + 3));
  }
  return sum;
}

// polygamma(n, a) - polygamma(n, a + b) for a, b >= 0 and n >= 1.
template <int n>
struct PolygammaDrop {
  static constexpr const char* name = "betaln";

  static double value(double a, double b) {
    if (!(a >= 0 && b >= 0)) return std::numeric_limits<double>::quiet_NaN();
    return (n % 2 == 0 ? -1 : 1) * std::tgamma(n + 1.0) * zeta_drop(n + 1, a, b);
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
    double sum = 0;
    for (; a < far; a += 1) sum -= b / a / (a + b);
    const double log_ratio = std::log1p(b / a);  // of a + b to a
    double series = 0;
    for (std::size_t j = bernoulli.size(); j > 0; --j) {
      const auto k = static_cast<double>(2 * j);
      series += bernoulli[j - 1] / k * std::pow(a, -k) * std::expm1(-k * log_ratio);
    }
    return sum - log_ratio - 0.5 * b / a / (a + b) + series;
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
    if (b < far) return log_gamma(a) + (log_gamma(b) - log_gamma(a + b));
    const double correction = stirling_correction(b) - stirling_correction(a + b);
    if (a < far) {
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
