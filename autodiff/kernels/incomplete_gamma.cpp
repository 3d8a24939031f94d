#include "fjord/autodiff/kernels/incomplete_gamma.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "fjord/autodiff/kernels/gamma_numbers.hpp"
#include "fjord/autodiff/kernels/taylor.hpp"

namespace fjord::kernels {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Where an integrand's exponent -h(u), convex and 0 at u = 0, has fallen by 1, within a factor of
// 2.
template <class H>
double decay_length(double shortest, H h) {
  double length = shortest;
  while (h(length) < 1) length *= 2;
  return length;
}

// Calls add(u, weight) for the nodes of an integral over u > 0 whose integrand is smooth below
// `inner`, smooth in log u up to `outer`, and has decayed exponentially a few lengths beyond.
template <class Add>
void integrate(double inner, double outer, int order, Add add) {
  constexpr double step = 1.0 / 16;
  const double last = std::log(outer / inner) + std::log(45.0 + 6 * order);
  for (double t = -3.75; t <= last; t += step) {
    const double shrink = std::exp(-t);
    const double u = inner * std::exp(t - shrink);
    add(u, step * u * (1 + shrink));
  }
}

// Adds weight e^(first s + second t), a polynomial in s and t.
void add_exponential(Taylor& sum, double weight, double first, double second) {
  double row = weight;
  for (int i = 0; i <= sum.p(); ++i) {
    double term = row;
    for (int j = 0; j <= sum.q(); ++j) {
      sum(i, j) += term;
      term *= second / (j + 1);
    }
    row *= first / (i + 1);
  }
}

// log(y / x) where y / x is 1 + z.
double log_of(double ratio, double z) {
  return std::abs(z) < 0.5 ? std::log1p(z) : std::log(ratio);
}

// y / x - 1 - log(y / x) where y / x is 1 + z.
double less_log_of(double ratio, double z) {
  return std::abs(z) < 0.5 ? less_log1p(z) : z - std::log(ratio);
}

// The coefficient of s^k in log gamma(1 + a + s), k >= 2.
double log_gamma_coefficient(int k, double a) {
  return (k % 2 == 0 ? 1 : -1) * hurwitz_zeta(k, 1 + a) / k;
}

// The mean of f over 0 to a, for f as smooth as digamma(1 + a) there, a <= 1: by Gauss and
// Legendre.
template <class F>
double mean_up_to(double a, F f) {
  constexpr std::array nodes{0.013046735741414128, 0.067468316655507745, 0.16029521585048778,
                             0.28330230293537639, 0.42556283050918439};
  constexpr std::array weights{0.033335672154344069, 0.074725674575290293, 0.10954318125799102,
                               0.13463335965499817, 0.14776211235737644};
  double mean = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    mean += weights[i] * (f(a * nodes[i]) + f(a * (1 - nodes[i])));
  return mean;
}

// --- gamma ---------------------------------------------------------------------------------------

// log(x^a e^-x / gamma(1 + a)).
Taylor log_of_gamma_term(int order, double a, double x) {
  Taylor c(order, 0);
  const double z = (x - a) / a;
  const bool is_far = a >= far_for_stirling;
  c(0, 0) = is_far ? -a * less_log_of(x / a, z) - 0.5 * std::log(2 * std::numbers::pi * a) -
                         stirling_correction(a)
                   : (a == 0 ? 0 : a * std::log(x)) - x - log_gamma(1 + a);
  if (order > 0) {
    c(1, 0) = is_far ? log_of(x / a, z) - digamma_less_log(a) - 1 / a
                     : std::log(x) - digamma_of_positive(1 + a);
  }
  for (int k = 2; k <= order; ++k) c(k, 0) = -log_gamma_coefficient(k, a);
  return c;
}

// a + s.
Taylor parameter(int order, double a) {
  Taylor result(order, 0);
  result(0, 0) = a;
  if (order > 0) result(1, 0) = 1;
  return result;
}

// The integral of e^(-a u + x (1 - e^-u)), t = x e^-u in that of P; a >= x and a >= 1.
Taylor lower_gamma_integral(int order, double a, double x) {
  const auto h = [&](double u) { return (a - x) * u + x * expm1_less(-u); };
  Taylor sum(order, 0);
  const double outer = decay_length(1 / a, h);
  integrate(std::min(1.0, outer), outer, order, [&](double u, double weight) {
    add_exponential(sum, weight * std::exp(-h(u)), -u, 0);
  });
  return sum;
}

// The integral of (1 + v)^(a - 1) e^(-x v), t = x (1 + v) in that of Q; x > a.
Taylor upper_gamma_integral(int order, double a, double x) {
  const auto h = [&](double v) { return (x - a) * v + a * less_log1p(v); };
  Taylor sum(order, 0);
  const double outer = decay_length(1 / x, h);
  integrate(std::min(1.0, outer), outer, order, [&](double v, double weight) {
    add_exponential(sum, weight * std::exp(-h(v)) / (1 + v), std::log1p(v), 0);
  });
  return sum;
}

// P where x <= a.
Taylor lower_gamma(int order, double a, double x) {
  const Taylor term = exp(log_of_gamma_term(order, a, x));
  // P(a, x) = P(a + 1, x) + x^a e^-x / gamma(1 + a): the integral would be 1 / a and more.
  if (a < 1) return term + lower_gamma(order, a + 1, x);
  return parameter(order, a) * term * lower_gamma_integral(order, a, x);
}

// 1 - P where x <= a < 1, which is tiny if a is.
double rest_of_lower_gamma(double a, double x) {
  const double slope =
      mean_up_to(a, [&](double s) { return std::log(x) - digamma_of_positive(1 + s); });
  return -std::expm1(a * slope - x) - lower_gamma(0, a + 1, x)(0, 0);
}

// Q where x > a.
Taylor upper_gamma(int order, double a, double x) {
  return parameter(order, a) * exp(log_of_gamma_term(order, a, x)) *
         upper_gamma_integral(order, a, x);
}

// The derivative of order k in x of e^(a log x + ...) of which `first` is the value, by Leibniz's
// rule for x^a and a factor whose j-th derivative is other(j) times itself.
template <class Other>
Taylor leibniz(int k, const Taylor& value, const Taylor& exponent, double x, Other other) {
  Taylor sum(value.p(), value.q());
  Taylor power = value;
  double binomial = 1;
  for (int j = 0; j <= k; ++j) {
    sum = sum + binomial * (power * other(k - j));
    Taylor next = exponent;
    next(0, 0) -= j;
    power = (1 / x) * (power * next);
    binomial = binomial * (k - j) / (j + 1);
  }
  return sum;
}

// The derivative of order k in x of the density x^(a - 1) e^-x / gamma(a).
Taylor gamma_density(int order, int k, double a, double x) {
  const Taylor value = (1 / x) * (parameter(order, a) * exp(log_of_gamma_term(order, a, x)));
  if (std::min(std::abs(a - 1), x) <= k) {
    return leibniz(k, value, parameter(order, a - 1), x, [&](int j) {
      Taylor sign(order, 0);
      sign(0, 0) = j % 2 == 0 ? 1 : -1;
      return sign;
    });
  }
  // x f' = (a - 1 - x) f, derived again and again.
  Taylor before(order, 0);
  Taylor now = value;
  for (int j = 0; j < k; ++j) {
    const Taylor next =
        (1 / x) * (parameter(order, a - 1 - x - j) * now + static_cast<double>(-j) * before);
    before = now;
    now = next;
  }
  return now;
}

// The density's derivative of order k at 0.
double gamma_density_at_0(int order, int k, double a) {
  if (a > k + 1) return 0;
  if (order > 0 || a == 0) return nan;
  double power = 1;  // the factor of the derivative of order j of x^(a - 1)
  for (int j = 0; j <= k; ++j) {
    if (a - 1 == j) {
      const double binomial =
          std::tgamma(k + 1.0) / std::tgamma(j + 1.0) / std::tgamma(k - j + 1.0);
      return power / std::tgamma(a) * binomial * ((k - j) % 2 == 0 ? 1 : -1);
    }
    if (j < k) power *= a - 1 - j;
  }
  return std::copysign(inf, power);
}

// Where an argument is at an end of its range, or outside; `order` in a, `k` in x.
double gamma_at_end(int order, int k, double a, double x) {
  if (!(a >= 0 && x >= 0) || (a == 0 && x == 0) || (a == inf && x == inf)) return nan;
  if (x == 0 && k > 0) return gamma_density_at_0(order, k - 1, a);
  return order == 0 && k == 0 && x != 0 && a != inf ? 1 : 0;
}

// --- beta ----------------------------------------------------------------------------------------

// A point of the beta function's integrals: y = 1 - x, and how far x is from a / (a + b).
struct BetaPoint {
  double a;
  double b;
  double x;
  double y;

  // (a + b) x - a, with the digits that the difference loses.
  double excess() const {
    const double sum = a + b;
    const double larger = std::max(a, b);
    const double lost = std::min(a, b) - (sum - larger);
    return x <= y ? std::fma(sum, x, -a) + lost * x : -(std::fma(sum, y, -b) + lost * y);
  }

  bool is_lower() const { return excess() <= 0; }

  BetaPoint mirrored() const { return {b, a, y, x}; }
};

// log y, with the digits of the smaller of x and y = 1 - x.
double log_of_rest(double x, double y) {
  return x < 0.5 ? std::log1p(-x) : std::log(y);
}

// log(gamma(1 + a + b) / (gamma(1 + a) gamma(1 + b)) x^a y^b) where a is small, and a <= b.
double log_of_small_beta_term(const BetaPoint& at) {
  const auto [a, b, x, y] = at;
  const double sum = a + b;
  const double powers = b == 0 ? 0 : b * log_of_rest(x, y);
  if (b < far_for_stirling) {
    return powers + (a == 0 ? 0 : a * log_of_rest(y, x)) + log_gamma(1 + sum) - log_gamma(1 + a) -
           log_gamma(1 + b);
  }
  // The powers of x and of a + b together, because each is large where x is about a / b.
  return powers + (a == 0 ? 0 : a * std::log(sum * x)) + (b + 0.5) * std::log1p(a / b) - a +
         stirling_correction(sum) - stirling_correction(b) - log_gamma(1 + a);
}

double log_of_beta_term(const BetaPoint& at) {
  const auto [a, b, x, y] = at;
  if (std::min(a, b) < far_for_stirling) return log_of_small_beta_term(a <= b ? at : at.mirrored());
  const double sum = a + b;
  const double excess = at.excess();
  return -a * less_log_of(sum * x / a, excess / a) - b * less_log_of(sum * y / b, -excess / b) +
         0.5 * std::log(sum / (2 * std::numbers::pi * a) / b) + stirling_correction(sum) -
         stirling_correction(a) - stirling_correction(b);
}

// The derivative of the above in a.
double slope_of_beta_term(const BetaPoint& at) {
  const auto [a, b, x, y] = at;
  if (a < far_for_stirling) return log_of_rest(y, x) - digamma_drop(1 + a, b);
  const double excess = at.excess();
  const double sum = a + b;
  return log_of(sum * x / a, excess / a) + (digamma_less_log(sum) - digamma_less_log(a)) -
         b / (a * sum);
}

Taylor beta_term(int p, int q, const BetaPoint& at) {
  Taylor c(p, q);
  c(0, 0) = log_of_beta_term(at);
  if (p > 0) c(1, 0) = slope_of_beta_term(at);
  if (q > 0) c(0, 1) = slope_of_beta_term(at.mirrored());
  for (int i = 2; i <= p; ++i)
    c(i, 0) = (i % 2 == 0 ? -1 : 1) * hurwitz_zeta_drop(i, 1 + at.a, at.b) / i;
  for (int j = 2; j <= q; ++j)
    c(0, j) = (j % 2 == 0 ? -1 : 1) * hurwitz_zeta_drop(j, 1 + at.b, at.a) / j;
  for (int i = 1; i <= p; ++i) {
    double binomial = 1;
    for (int j = 1; j <= q; ++j) {
      binomial = binomial * (i + j) / j;
      c(i, j) = binomial * log_gamma_coefficient(i + j, at.a + at.b);
    }
  }
  return exp(c);
}

// a + s, and b + t.
Taylor first_parameter(int p, int q, double a) {
  Taylor result(p, q);
  result(0, 0) = a;
  if (p > 0) result(1, 0) = 1;
  return result;
}

Taylor second_parameter(int p, int q, double b) {
  Taylor result(p, q);
  result(0, 0) = b;
  if (q > 0) result(0, 1) = 1;
  return result;
}

// a / (a + b), whose derivatives keep their digits where b is tiny compared to a.
Taylor share(const Taylor& a, const Taylor& b) {
  if (a(0, 0) <= b(0, 0)) return a / (a + b);
  Taylor rest = -1 * (b / (a + b));
  rest(0, 0) += 1;
  return rest;
}

// a b / (a + b), likewise.
Taylor product_over_sum(const Taylor& a, const Taylor& b) {
  return a(0, 0) <= b(0, 0) ? a * share(b, a) : b * share(a, b);
}

// The polynomial with its steps exchanged.
Taylor swapped(const Taylor& polynomial) {
  Taylor result(polynomial.q(), polynomial.p());
  for (int i = 0; i <= polynomial.p(); ++i) {
    for (int j = 0; j <= polynomial.q(); ++j) result(j, i) = polynomial(i, j);
  }
  return result;
}

// gamma(a + b + t) / gamma(b + t) over its value at t = 0, for a whole a: a polynomial, of which a
// derivative of an order above a is 0 and no rounding error.
Taylor ratio_of_gammas(int q, double a, double b) {
  Taylor product(0, q);
  product(0, 0) = 1;
  for (double i = 0; i < a; i += 1) {
    Taylor factor(0, q);
    factor(0, 0) = 1;
    factor(0, 1) = 1 / (b + i);
    product = product * factor;
  }
  return product;
}

// x^a y^b / B(a, b).
Taylor beta_factor(int p, int q, const BetaPoint& at) {
  const auto [a, b, x, y] = at;
  if (p == 0 && q > 0 && a > 0 && a <= far_for_stirling && a == std::floor(a) && b > 0) {
    Taylor powers(0, q);
    powers(0, 0) = log_of_beta_term(at) + std::log(a * (b / (a + b)));
    powers(0, 1) = log_of_rest(x, y);
    return ratio_of_gammas(q, a, b) * exp(powers);
  }
  if (q == 0 && p > 0) return swapped(beta_factor(0, p, at.mirrored()));
  return product_over_sum(first_parameter(p, q, a), second_parameter(p, q, b)) *
         beta_term(p, q, at);
}

// The integral of e^(-a u) ((1 - x e^-u) / y)^b / (1 - x e^-u), t = x e^-u in that of I; a >= 1.
Taylor lower_beta_integral(int p, int q, const BetaPoint& at) {
  const auto [a, b, x, y] = at;
  const double ratio = x / y;
  const double slope = std::max(0.0, -at.excess() / y);
  // Names of a structured binding are captured by hand, which clang 14 wants.
  const auto h = [=, b = b](double u) {
    return slope * u + b * (ratio * expm1_less(-u) + less_log1p(-ratio * std::expm1(-u)));
  };
  Taylor sum(p, q);
  const double outer = decay_length(1 / a, h);
  integrate(std::min({1.0, 1 / ratio, outer}), outer, p + q, [&, y = y](double u, double weight) {
    const double grown = -ratio * std::expm1(-u);  // (1 - x e^-u) / y - 1
    add_exponential(sum, weight * std::exp(-h(u)) / (y * (1 + grown)), -u, std::log1p(grown));
  });
  return sum;
}

// I where x <= a / (a + b).
Taylor lower_beta(int p, int q, const BetaPoint& at) {
  if (at.a < 1) {
    // I_x(a, b) = I_x(a + 1, b) + x^a y^b / (a B(a, b)), as for gamma.
    return share(second_parameter(p, q, at.b), first_parameter(p, q, at.a)) * beta_term(p, q, at) +
           lower_beta(p, q, {at.a + 1, at.b, at.x, at.y});
  }
  return beta_factor(p, q, at) * lower_beta_integral(p, q, at);
}

// 1 - I where x <= a / (a + b) and a < 1, which is tiny if a is.
double rest_of_lower_beta(const BetaPoint& at) {
  const auto [a, b, x, y] = at;
  const double slope = mean_up_to(a, [&](double s) {
    return slope_of_beta_term({s, at.b, at.x, at.y});
  });
  return -std::expm1(a * slope - std::log1p(a / b) + b * log_of_rest(x, y)) -
         lower_beta(0, 0, {a + 1, b, x, y})(0, 0);
}

// The derivative of order k in x of the density x^(a - 1) y^(b - 1) / B(a, b).
Taylor beta_density(int p, int q, int k, const BetaPoint& at) {
  const auto [a, b, x, y] = at;
  const Taylor first = first_parameter(p, q, a - 1);
  const Taylor second = second_parameter(p, q, b - 1);
  const Taylor value = (1 / x / y) * beta_factor(p, q, at);
  const double excess = BetaPoint{a - 1, b - 1, x, y}.excess();
  if (k > 1 && std::min(std::abs(a - 1) * y, std::abs(b - 1) * x) <= k) {
    return leibniz(k, value, first, x, [&, b = b, y = y](int j) {
      Taylor factor(p, q);
      factor(0, 0) = 1;
      for (int i = 0; i < j; ++i) factor = (-1 / y) * (factor * second_parameter(p, q, b - 1 - i));
      return factor;
    });
  }
  // x y f' = ((a - 1) y - (b - 1) x) f, derived again and again.
  Taylor slope = y * first + (-x) * second;
  slope(0, 0) = -excess;
  Taylor before(p, q);
  Taylor now = value;
  for (int j = 0; j < k; ++j) {
    Taylor factor = slope;
    factor(0, 0) -= j * (y - x);
    Taylor older = first + second;
    older(0, 0) -= j - 1;
    const Taylor next = (1 / x / y) * (factor * now + static_cast<double>(-j) * (older * before));
    before = now;
    now = next;
  }
  return now;
}

// The density's derivative of order k at x = 0.
double beta_density_at_0(bool in_parameters, int k, double a, double b) {
  if (a > k + 1) return 0;
  if (in_parameters) return nan;
  if (a == 0 || b == 0) return nan;
  double factor = 1;  // of the derivative of order j of x^(a - 1), as for gamma
  for (int j = 0; j <= k; ++j) {
    if (a - 1 == j) {
      for (int i = 0; i < k - j; ++i) factor *= -(b - 1 - i) * (k - i) / (i + 1);
      return factor * std::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b));
    }
    if (j < k) factor *= a - 1 - j;
  }
  return std::copysign(inf, factor);
}

// Where an argument is at an end of its range, or outside.
double beta_at_end(const std::array<int, 3>& orders, double a, double b, double x) {
  const auto [p, q, k] = orders;
  if (!(a >= 0 && b >= 0 && x >= 0 && x <= 1) || (a == 0 && b == 0) || (a == inf && b == inf))
    return nan;
  if ((a == 0 && x == 0) || (b == 0 && x == 1) || (a == inf && x == 1) || (b == inf && x == 0))
    return nan;
  if (k > 0 && x == 0 && b != inf) return beta_density_at_0(p + q > 0, k - 1, a, b);
  if (k > 0 && x == 1 && a != inf)
    return (k % 2 == 0 ? -1 : 1) * beta_density_at_0(p + q > 0, k - 1, b, a);
  return p + q + k == 0 && x != 0 && a != inf ? 1 : 0;
}

}  // namespace

double incomplete_gamma(const std::array<int, 2>& orders, double a, double x, bool upper) {
  const auto [order, k] = orders;
  const double sign = upper ? -1 : 1;
  const double base = upper && order == 0 && k == 0 ? 1 : 0;
  if (!(a >= 0 && x > 0 && a < inf && x < inf)) return base + sign * gamma_at_end(order, k, a, x);
  if (k > 0) return sign * gamma_density(order, k - 1, a, x).last_derivative();
  const bool is_lower = x <= a;
  if (is_lower && upper && order == 0 && a < 1) return rest_of_lower_gamma(a, x);
  const double part =
      (is_lower ? lower_gamma(order, a, x) : upper_gamma(order, a, x)).last_derivative();
  if (is_lower != upper) return part;
  return (order == 0 ? 1 : 0) - part;
}

double incomplete_beta(const std::array<int, 3>& orders, double a, double b, double x, bool upper) {
  const auto [p, q, k] = orders;
  const double sign = upper ? -1 : 1;
  const double base = upper && p + q + k == 0 ? 1 : 0;
  if (!(a >= 0 && b >= 0 && x > 0 && x < 1 && a + b > 0 && a + b < inf))
    return base + sign * beta_at_end(orders, a, b, x);
  const BetaPoint at{a, b, x, 1 - x};
  if (k > 0) return sign * beta_density(p, q, k - 1, at).last_derivative();
  const bool is_lower = at.is_lower();
  // The parameter whose power the smaller side of the integral begins with.
  if (is_lower == upper && p + q == 0 && (is_lower ? a : b) < 1)
    return rest_of_lower_beta(is_lower ? at : at.mirrored());
  const double part =
      (is_lower ? lower_beta(p, q, at) : lower_beta(q, p, at.mirrored())).last_derivative();
  if (is_lower != upper) return part;
  return (p + q == 0 ? 1 : 0) - part;
}

}  // namespace fjord::kernels
