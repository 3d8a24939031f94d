/// Functions of single numbers that densities and distribution functions are made of.
#pragma once

#include <functional>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/rounding.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/flows/distribution.hpp"

namespace fjord::flows::special {

/// The probability of numbers up to z under N(0, 1), with all digits where it is tiny.
double normal_cdf(double z);
/// The z of which normal_cdf is p, for 0 < p < 1.
///
/// Source:  Newton's method on the logarithm, from Abramowitz & Stegun 26.2.23.
double normal_quantile(double p);
double erfinv(double y);

/// The probability beyond a point, in the tail where it is at most 1/2.
struct TailProbability {
  double p;
  Tail tail;
};

/// The same point by the smaller of the two probabilities beyond it: 1 - p is exact for p > 1/2.
TailProbability smaller_tail(double p, Tail tail);

double log_gamma(double x);
double digamma(double x);
/// log_gamma(x) less (x - 1/2) log x - x + log(2 pi) / 2, for x > 0.
double stirling_rest(double x);
/// log x - digamma(x), for x > 0.
double log_less_digamma(double x);
/// The entropy of the gamma distribution of rate 1, in which large terms cancel.
double gamma_entropy(double concentration);
/// The distribution function of the gamma distribution of rate 1, or its complement.
double gamma_cdf(double concentration, double x, Tail tail);
/// The x of which gamma_cdf is p, for 0 < p < 1.
double gamma_quantile(double concentration, double p, Tail tail);

/// log B(a, b) and its derivatives.
struct LogBeta {
  double value;
  double in_a;
  double in_b;
};

LogBeta log_beta(double a, double b);
/// I_x(a, b), or its complement.
double beta_cdf(double a, double b, double x, Tail tail);
/// The x of which beta_cdf is p, for 0 < p < 1.
double beta_quantile(double a, double b, double p, Tail tail);

/// e^-k I_0(k) and e^-k (I_0(k) - I_1(k)), of modified Bessel functions, for k >= 0.
struct ScaledBessel {
  double i0;
  double i0_less_i1;
};

/// Source:  DLMF 10.32.1 by the trapezoidal rule; 10.40.1 for k > 50.
ScaledBessel scaled_bessel(double k);

/// log(1 + z^2), z = d / scale, where z or its square may overflow.
template <class T>
Var<T> log1p_square(const Var<T>& d, const Var<T>& z, const Var<T>& log_scale) {
  const Var<T> size = abs(z);
  const Var<T> near = where(size > T(1), log(hypot(z, T(1))) * T(2), log1p(square(z)));
  return where(size > T(1e15), (log(abs(d)) - log_scale) * T(2), near);
}

/// The x in [low, high] at which a function that only rises or only falls is 0; an end where it
/// does not get there.
///
/// Takes numbers by their place among all of them, so that a root of any size is as near as one of
/// size 1. Needs 0 <= low < high, which may be infinite. Ends where |f| <= 1e-15 or no number is
/// left between.
/// Source:  Dowell & Jarratt, A modified regula falsi method, BIT 11 (1971): the Illinois method,
///          here with a bisection in every third step.
double monotone_root(const std::function<double(double)>& f, double low, double high);

}  // namespace fjord::flows::special
