#include "fjord/flows/distributions/special.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

#include "fjord/autodiff/ops/error_function.hpp"
#include "fjord/autodiff/ops/gamma.hpp"
#include "fjord/autodiff/ops/incomplete_gamma.hpp"
#include "fjord/autodiff/sweep.hpp"

namespace fjord::flows::special {
namespace {

// From here on the series of DLMF 5.11.1 and 5.11.2 have all digits.
constexpr double far = 30;
const double log_root_two_pi = 0.5 * std::log(2 * std::numbers::pi);

// For p <= 1/2, where the result is not positive.
double lower_normal_quantile(double p) {
  const double t = std::sqrt(-2 * std::log(p));
  double z = (2.515517 + t * (0.802853 + t * 0.010328)) /
                 (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) -
             t;
  // The start is within 4.5e-4, and each step squares that.
  for (int step = 0; step < 3; ++step) {
    const double cdf = normal_cdf(z);
    const double density = std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi);
    if (!(density > 0 && cdf > 0)) break;
    z -= std::log(cdf / p) * cdf / density;
  }
  return z;
}

}  // namespace

double normal_cdf(double z) {
  return 0.5 * std::erfc(-z * std::numbers::sqrt2 / 2);
}

double normal_quantile(double p) {
  return p <= 0.5 ? lower_normal_quantile(p) : -lower_normal_quantile(1 - p);
}

double erfinv(double y) {
  Tape<double> tape;
  return fjord::erfinv(tape.scalar(y)).item();
}

TailProbability smaller_tail(double p, Tail tail) {
  if (p <= 0.5) return {p, tail};
  return {1 - p, tail == Tail::lower ? Tail::upper : Tail::lower};
}

double log_gamma(double x) {
  Tape<double> tape;
  return lgamma(tape.scalar(x)).item();
}

double digamma(double x) {
  Tape<double> tape;
  return fjord::digamma(tape.scalar(x)).item();
}

double stirling_rest(double x) {
  if (x < far) return log_gamma(x) - ((x - 0.5) * std::log(x) - x + log_root_two_pi);
  const double z = 1 / x / x;
  return (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680 - z / 1188)))) / x;
}

double log_less_digamma(double x) {
  if (x < far) return std::log(x) - digamma(x);
  const double z = 1 / x / x;
  return 0.5 / x + z * (1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z * (1.0 / 240 - z / 132))));
}

double gamma_entropy(double concentration) {
  const double a = concentration;
  if (a < far) return a + log_gamma(a) + (1 - a) * digamma(a);
  return 0.5 * std::log(a) + log_root_two_pi + stirling_rest(a) + (a - 1) * log_less_digamma(a);
}

double gamma_cdf(double concentration, double x, Tail tail) {
  Tape<double> tape;
  const Var<double> a = tape.scalar(concentration);
  return (tail == Tail::lower ? gammainc(a, tape.scalar(x)) : gammaincc(a, tape.scalar(x))).item();
}

double gamma_quantile(double concentration, double p, Tail tail) {
  const TailProbability at = smaller_tail(p, tail);
  return monotone_root(
      [&](double x) { return std::log(gamma_cdf(concentration, x, at.tail) / at.p); }, 0,
      std::numeric_limits<double>::infinity());
}

LogBeta log_beta(double a, double b) {
  Tape<double> tape;
  const Var<double> first = tape.scalar(a);
  const Var<double> second = tape.scalar(b);
  const Var<double> value = betaln(first, second);
  const auto slopes = gradient_values(value, {first, second});
  return {value.item(), slopes[0].item(), slopes[1].item()};
}

double beta_cdf(double a, double b, double x, Tail tail) {
  Tape<double> tape;
  const Var<double> first = tape.scalar(a);
  const Var<double> second = tape.scalar(b);
  const Var<double> at = tape.scalar(x);
  return (tail == Tail::lower ? betainc(first, second, at) : betaincc(first, second, at)).item();
}

double beta_quantile(double a, double b, double p, Tail tail) {
  const TailProbability at = smaller_tail(p, tail);
  return monotone_root([&](double x) { return std::log(beta_cdf(a, b, x, at.tail) / at.p); }, 0, 1);
}

ScaledBessel scaled_bessel(double k) {
  ScaledBessel sums{0, 0};
  if (k > 50) {
    // Terms of both series; the first ones cancel in the difference.
    double of_i0 = 1;
    double of_i1 = 1;
    sums.i0 = 1;
    for (int n = 1; n <= 20; ++n) {
      const double odd = 2 * n - 1;
      of_i0 *= odd * odd / (8 * k * n);
      of_i1 *= (odd * odd - 4) / (8 * k * n);
      sums.i0 += of_i0;
      sums.i0_less_i1 += of_i0 - of_i1;
    }
    const double factor = 1 / std::sqrt(2 * std::numbers::pi * k);
    return {factor * sums.i0, factor * sums.i0_less_i1};
  }
  // The error is of the size of I_128.
  constexpr int points = 128;
  for (int n = 0; n < points; ++n) {
    const double half = std::sin(std::numbers::pi * n / points);
    const double weight = std::exp(-2 * k * half * half) / points;
    sums.i0 += weight;
    sums.i0_less_i1 += weight * 2 * half * half;
  }
  return sums;
}

double monotone_root(const std::function<double(double)>& f, double low, double high) {
  std::uint64_t lower = std::bit_cast<std::uint64_t>(low);
  std::uint64_t upper = std::bit_cast<std::uint64_t>(high);
  double at_lower = f(low);
  double at_upper = f(high);
  if (at_lower == 0 || std::signbit(at_lower) == std::signbit(at_upper))
    return std::abs(at_lower) < std::abs(at_upper) ? low : high;
  int side = 0;  // which end moved last
  for (int step = 0; upper - lower > 1; ++step) {
    const std::uint64_t between = upper - lower;
    const double part = at_lower / (at_lower - at_upper);
    std::uint64_t offset = between / 2;
    if (step % 3 != 2 && part >= 0 && part <= 1) {
      const double place = part * static_cast<double>(between);
      offset = place < 1 ? 1 : std::min(static_cast<std::uint64_t>(place), between - 1);
    }
    const double x = std::bit_cast<double>(lower + offset);
    const double at = f(x);
    if (std::abs(at) <= 1e-15) return x;
    if (std::signbit(at) == std::signbit(at_lower)) {
      lower += offset;
      at_lower = at;
      if (side == -1) at_upper /= 2;
      side = -1;
    } else {
      upper = lower + offset;
      at_upper = at;
      if (side == 1) at_lower /= 2;
      side = 1;
    }
  }
  return std::isinf(std::bit_cast<double>(upper)) ? high : std::bit_cast<double>(lower);
}

}  // namespace fjord::flows::special
