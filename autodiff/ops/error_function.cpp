#include "fjord/autodiff/ops/error_function.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/rules/scalar.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

constexpr double two_over_root_pi = 2 * std::numbers::inv_sqrtpi;

struct ErrorFunction {
  static constexpr const char* name = "erf";

  static double value(double x) { return std::erf(x); }

  template <class T>
  static Var<T> slope(const Var<T>& x, const Var<T>&) {
    return exp(-square(x)) * static_cast<T>(two_over_root_pi);
  }
};

struct ComplementaryErrorFunction {
  static constexpr const char* name = "erfc";

  static double value(double x) { return std::erfc(x); }

  template <class T>
  static Var<T> slope(const Var<T>& x, const Var<T>&) {
    return exp(-square(x)) * static_cast<T>(-two_over_root_pi);
  }
};

// A quotient of polynomials, with the coefficients of the lowest powers first.
struct Quotient {
  std::array<double, 8> above;
  std::array<double, 8> below;

  double operator()(double x) const {
    double p = 0;
    double q = 0;
    for (std::size_t i = above.size(); i > 0; --i) {
      p = p * x + above[i - 1];
      q = q * x + below[i - 1];
    }
    return p / q;
  }
};

// Of the normal quantile near the median, farther out, and in the far tail.
constexpr Quotient central{
    {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
     1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
     3.3430575583588128105e4, 2.5090809287301226727e3},
    {1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
     5.2264952788528545610e3}};
constexpr Quotient outer{
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
     3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
     2.27238449892691845833e-2, 7.74545014278341407640e-4},
    {1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
     1.05075007164441684324e-9}};
constexpr Quotient tail{
    {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
     2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
     2.71155556874348757815e-5, 2.01033439929228813265e-7},
    {1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
     2.04426310338993978564e-15}};

struct InverseErrorFunction {
  static constexpr const char* name = "erfinv";

  // As the quantile of (1 + y) / 2, which is never formed: the digits of y near 0 and 1 stay.
  static double value(double y) {
    const double rest = 0.5 * (1 - std::abs(y));
    if (rest == 0) return std::copysign(std::numeric_limits<double>::infinity(), y);
    const double q = 0.5 * y;
    if (std::abs(q) <= 0.425) return q * central(0.180625 - q * q) / std::numbers::sqrt2;
    const double r = std::sqrt(-std::log(rest));  // NaN beyond -1 and 1
    const double x = r <= 5 ? outer(r - 1.6) : tail(r - 5);
    return std::copysign(x, y) / std::numbers::sqrt2;
  }

  template <class T>
  static Var<T> slope(const Var<T>&, const Var<T>& x) {
    return exp(square(x)) * static_cast<T>(1 / two_over_root_pi);
  }
};

// From here down the quotients of tails below are taken from continued fractions.
constexpr double lower_tail = -1;

// m_k / m_(k-1), where m_k is the mean of t^k for t of N(x, 1) given t > 0, and x <= lower_tail:
// from m_(k+1) = x m_k + k m_(k-1), taken from far above, where it does not cancel.
double moment_ratio(int k, double x) {
  const int terms = 30 + static_cast<int>(300 / (x * x));
  const double last = k + terms + 1;
  double ratio = 2 * last / (std::hypot(x, 2 * std::sqrt(last)) - x);  // what repeats itself there
  for (int j = k + terms; j >= k; --j) ratio = j / (ratio - x);
  return ratio;
}

// The density of N(0, 1) over its distribution function.
double density_over_cdf(double x) {
  if (x <= lower_tail) return moment_ratio(1, x) - x;
  // e^(-x^2/2) with the digits that x^2 loses.
  const double square = x * x;
  if (std::isinf(square)) return 0;
  const double density = std::exp(-0.5 * square) * (1 - 0.5 * std::fma(x, x, -square));
  return std::numbers::sqrt2 * std::numbers::inv_sqrtpi * density /
         std::erfc(-x / std::numbers::sqrt2);
}

// The mean of t^n / n! for t of N(x, 1) given t > 0. With h the density over the distribution
// function, h' = -h q_1 and q_n' = (n + 1) q_(n+1) - q_n q_1: the derivatives of every order of
// log_normal_cdf without the cancellation of x + h.
struct TruncatedMoment {
  static constexpr const char* name = "log_normal_cdf";

  static double value(int n, double x) {
    double moment = 1;
    if (x <= lower_tail) {
      for (int k = 1; k <= n; ++k) moment *= moment_ratio(k, x) / k;
      return moment;
    }
    double before = 0;
    for (int k = 0; k < n; ++k) {
      const double next = k == 0 ? x + density_over_cdf(x) : (x * moment + before) / (k + 1);
      before = moment;
      moment = next;
    }
    return moment;
  }

  template <class T>
  static Var<T> slope(int n, const Var<T>& x, const Var<T>& y) {
    return at(n + 1, x) * static_cast<T>(n + 1) - y * at(1, x);
  }

  template <class T>
  static Var<T> at(int n, const Var<T>& x) {
    return ScalarFamily<T, TruncatedMoment>::apply(n, x);
  }
};

struct DensityOverCdf {
  static constexpr const char* name = "log_normal_cdf";

  static double value(double x) { return density_over_cdf(x); }

  // In the lower tail as the variance of the truncated t minus 1: the product has the same value,
  // but its derivatives are those of the tiny variance, which it would lose.
  template <class V>
  static V slope(const V& x, const V& y) {
    const V mean = TruncatedMoment::at(1, x);
    const V variance = TruncatedMoment::at(2, x) * 2 - square(mean);
    return where(x > lower_tail, -(y * mean), variance - 1);
  }
};

struct LogNormalCdf {
  static constexpr const char* name = "log_normal_cdf";

  static double value(double x) {
    if (x > 0) return std::log1p(-0.5 * std::erfc(x / std::numbers::sqrt2));
    if (x > -5) return std::log(0.5 * std::erfc(-x / std::numbers::sqrt2));
    return -0.5 * x * x - std::log(density_over_cdf(x)) - 0.5 * std::log(2 * std::numbers::pi);
  }

  template <class T>
  static Var<T> slope(const Var<T>& x, const Var<T>&) {
    return ScalarUnary<T, DensityOverCdf>::apply(x);
  }
};

}  // namespace

template <class T>
Var<T> erf(const Var<T>& x) {
  return ScalarUnary<T, ErrorFunction>::apply(x);
}

template <class T>
Var<T> erfc(const Var<T>& x) {
  return ScalarUnary<T, ComplementaryErrorFunction>::apply(x);
}

template <class T>
Var<T> erfinv(const Var<T>& y) {
  return ScalarUnary<T, InverseErrorFunction>::apply(y);
}

template <class T>
Var<T> log_normal_cdf(const Var<T>& x) {
  return ScalarUnary<T, LogNormalCdf>::apply(x);
}

#define FJORD_INSTANTIATE(T)             \
  template Var<T> erf(const Var<T>&);    \
  template Var<T> erfc(const Var<T>&);   \
  template Var<T> erfinv(const Var<T>&); \
  template Var<T> log_normal_cdf(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
