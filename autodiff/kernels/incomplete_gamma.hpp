/// The incomplete gamma and beta functions with all their partial derivatives, one entry at a time.
///
/// Regularised, as in the headers of operations. Both are written as a factor in closed form times
/// an integral of positive terms in which every parameter is in an exponent, so that
/// derivatives of every order in the parameters are moments of the same integral; a quadrature by
/// double exponentials takes them all at once.
#pragma once

#include <array>

namespace fjord::kernels {

/// The derivative of P(a, x) of orders[0] in a and orders[1] in x; of Q = 1 - P if `upper`.
double incomplete_gamma(const std::array<int, 2>& orders, double a, double x, bool upper);
/// The derivative of I_x(a, b) of orders[0] in a, orders[1] in b and orders[2] in x; of 1 - I if
/// `upper`.
double incomplete_beta(const std::array<int, 3>& orders, double a, double b, double x, bool upper);

}  // namespace fjord::kernels
