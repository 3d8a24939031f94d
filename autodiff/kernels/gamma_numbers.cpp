#include "fjord/autodiff/kernels/gamma_numbers.hpp"

#include <array>
#include <cmath>

namespace fjord::kernels {
namespace {

// The Bernoulli numbers B_2, B_4, ..., B_20.
constexpr std::array bernoulli{1.0 / 6,       -1.0 / 30,      1.0 / 42, -1.0 / 30,
                               5.0 / 66,      -691.0 / 2730,  7.0 / 6,  -3617.0 / 510,
                               43867.0 / 798, -174611.0 / 330};

// log x - 1 / (2 x) - digamma(x), for x >= far_for_stirling.
double digamma_series(double x) {
  double series = 0;
  for (std::size_t j = bernoulli.size(); j > 0; --j) {
    series = (series + bernoulli[j - 1] / static_cast<double>(2 * j)) / (x * x);
  }
  return series;
}

// The derivative of log gamma near its positive root, whose digits are lost in a sum of larger
// terms; |x - root| <= 0.2. Source: Taylor's series, with Hurwitz's zeta function at the root.
constexpr double digamma_root = 1.4616321449683622;
constexpr double rest_of_digamma_root = 9.549995429965697e-17;

double digamma_near_root(double x) {
  constexpr std::array zeta{0.96767224544762117,   0.44276316898359211,   0.25849976095565101,
                            0.16394270544240653,   0.10782405069126237,   0.072199561256454711,
                            0.048804288164143107,  0.033161126474847359,  0.022597648232218105,
                            0.015424765904948959,  0.010538791616612175,  0.0072045343863568682,
                            0.0049267813957298534, 0.0033698016554393281, 0.0023051263267349278,
                            0.0015769367714301973, 0.0010788252019162966, 0.00073807093899600513};
  const double step = (x - digamma_root) - rest_of_digamma_root;
  double sum = 0;
  for (std::size_t k = zeta.size(); k > 0; --k) sum = zeta[k - 1] - step * sum;
  return step * sum;
}

}  // namespace

double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);  // std::lgamma writes the sign to a global variable
}

double stirling_correction(double x) {
  double sum = 0;
  for (std::size_t j = bernoulli.size(); j > 0; --j) {
    const auto k = static_cast<double>(2 * j);
    sum = sum / (x * x) + bernoulli[j - 1] / (k * (k - 1));
  }
  return sum / x;
}

double digamma_of_positive(double x) {
  if (std::abs(x - digamma_root) <= 0.2) return digamma_near_root(x);
  double sum = 0;
  for (; x < far_for_stirling; x += 1) sum -= 1 / x;
  return sum + std::log(x) - 0.5 / x - digamma_series(x);
}

double digamma_less_log(double x) {
  return -0.5 / x - digamma_series(x);
}

double digamma_drop(double a, double b) {
  double sum = 0;
  for (; a < far_for_stirling; a += 1) sum -= b / a / (a + b);
  const double log_ratio = std::log1p(b / a);  // of a + b to a
  double series = 0;
  for (std::size_t j = bernoulli.size(); j > 0; --j) {
    const auto k = static_cast<double>(2 * j);
    series += bernoulli[j - 1] / k * std::pow(a, -k) * std::expm1(-k * log_ratio);
  }
  return sum - log_ratio - 0.5 * b / a / (a + b) + series;
}

double hurwitz_zeta(int s, double x) {
  double sum = 0;
  for (; x < far_for_stirling + s; x += 1) sum += std::pow(x, -s);
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

double hurwitz_zeta_drop(int s, double a, double b) {
  const auto drop = [&](double k) { return -std::pow(a, -k) * std::expm1(-k * std::log1p(b / a)); };
  double sum = 0;
  for (; a < far_for_stirling + s; a += 1) sum += drop(s);
  sum += drop(s - 1) / (s - 1) + 0.5 * drop(s);
  double factor = 0.5 * s;
  for (std::size_t j = 0; j < bernoulli.size(); ++j) {
    const auto k = static_cast<double>(2 * j + 1);
    sum += bernoulli[j] * factor * drop(s + k);
    factor *= (s + k) * (s + k + 1) / ((k + 2) * (k + 3));
  }
  return sum;
}

double less_log1p(double x) {
  if (x < -0.5 || x > 1) return x - std::log1p(x);
  // With r = x / (2 + x), log(1 + x) = 2 (r + r^3 / 3 + r^5 / 5 + ...) and x = 2 r / (1 - r).
  const double r = x / (2 + x);
  double series = 0;
  for (int k = 39; k >= 3; k -= 2) series = series * r * r + 1.0 / k;
  return 2 * r * r * (1 / (1 - r) - r * series);
}

double expm1_less(double x) {
  if (std::abs(x) > 0.5) return std::expm1(x) - x;
  double series = 0;
  for (int k = 17; k >= 2; --k) series = (1 + series) * x / k;
  return series * x;
}

}  // namespace fjord::kernels
