/// Numbers around the gamma function, of one argument at a time.
#pragma once

namespace fjord::kernels {

/// From here on the asymptotic series below have all digits.
inline constexpr double far_for_stirling = 10;

/// log |gamma(x)|.
double log_gamma(double x);
/// log gamma(x) - (x - 1/2) log x + x - log(2 pi) / 2, for x >= far_for_stirling.
double stirling_correction(double x);
/// The derivative of log gamma, for x > 0.
double digamma_of_positive(double x);
/// The derivative of log gamma minus log x, with the digits that the difference loses, for
/// x >= far_for_stirling.
double digamma_less_log(double x);
/// digamma(a) - digamma(a + b) for a, b >= 0, with the digits that the difference loses.
double digamma_drop(double a, double b);
/// The sum over k >= 0 of (x + k)^-s, for s >= 2 and x > 0.
///
/// Source:  Euler and Maclaurin's sum once x is large, DLMF 25.11.43.
double hurwitz_zeta(int s, double x);
/// hurwitz_zeta(s, a) - hurwitz_zeta(s, a + b) for a, b >= 0 and s >= 2: every part of it as one
/// difference that keeps its digits where b is tiny compared to a.
double hurwitz_zeta_drop(int s, double a, double b);

/// x - log(1 + x) for x > -1, with the digits that the difference loses.
double less_log1p(double x);
/// e^x - 1 - x, with the digits that the difference loses.
double expm1_less(double x);

}  // namespace fjord::kernels
