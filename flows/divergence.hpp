/// Traces of the Jacobians of fields: exact, or estimated by forward tangents along random probes.
#pragma once

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/random.hpp"

namespace fjord::flows {

/// How the trace of a Jacobian is found.
enum class Trace {
  /// Exact in scores; Hutchinson's in losses, where Context::norm is rms and derivatives are asked
  /// for, unless the field knows its divergence or rows have no more numbers than probes.
  automatic,
  exact,            ///< by unit tangents, unless the field knows its divergence
  hutchinson,       ///< see hutchinson_products
  hutch_plus_plus,  ///< see hutch_plus_plus_products
};

/// Products of Jacobians with directions, whose weighted sums are traces and norms.
///
/// Shapes:  directions e and products J e [B, K, D].
template <class T>
struct JacobianProducts {
  Var<T> directions;
  Var<T> products;
  /// The first so many have the weight 1, the others 1 / their number; all, for unit tangents.
  Index summed;
};

/// The exact divergence, or an unbiased estimate: the weighted sum of e . J e. [B]
template <class T>
Var<T> divergence_of(const JacobianProducts<T>& jacobian);

/// The square of the Jacobian's Frobenius norm, or an unbiased estimate: that of |J e|^2. [B]
template <class T>
Var<T> squared_norm_of(const JacobianProducts<T>& jacobian);

/// Products with the unit tangents of `unit_tangents`: nothing is estimated.
///
/// Shapes:  x, y [B, D], y computed from x, each row from its own; units [B, D, D].
/// Errors:  std::invalid_argument, in all functions of products, if the shapes do not match.
template <class T>
JacobianProducts<T> unit_products(const Var<T>& x, const Var<T>& y, const Var<T>& units);

/// Products with probes: the estimates are means over them.
///
/// Shapes:  probes [B, K, D], entries of mean 0 and variance 1, independent.
/// Source:  Hutchinson, Commun. Stat. Simul. Comput. 19 (1990); Grathwohl et al., FFJORD, ICLR
///          2019.
template <class T>
JacobianProducts<T> hutchinson_products(const Var<T>& x, const Var<T>& y, const Var<T>& probes);

/// Products of the Jacobian dh/dx dy/dh, whose trace is that of dy/dx = dy/dh dh/dx, with probes:
/// of a narrow h the estimates have a smaller variance, and are exact where it is one number and
/// the probes are Rademacher's.
///
/// Shapes:  x, y [B, D]; hidden [B, H], computed from x, and all of y from it; probes [B, K, H].
/// Source:  Grathwohl et al., FFJORD, ICLR 2019, sec. 3.1.1: the bottleneck trick.
template <class T>
JacobianProducts<T> bottleneck_products(const Var<T>& x, const Var<T>& hidden, const Var<T>& y,
                                        const Var<T>& probes);

/// Products with a basis of what J makes of the first half of the probes, and with what of the
/// other half is orthogonal to it: the part of J in the basis is exact, only the rest is estimated.
///
/// Shapes:  probes [B, 2 K / 3, D]: K products in all.
/// Note:    Exact for a Jacobian of rank up to K / 3. Derivatives take the basis as constant: the
///          estimates have the right mean for any basis, and so have their derivatives.
/// Source:  Meyer, Musco, Musco & Woodruff, Hutch++: optimal stochastic trace estimation, SOSA
///          2021, algorithm 1.
template <class T>
JacobianProducts<T> hutch_plus_plus_products(const Var<T>& x, const Var<T>& y,
                                             const Var<T>& probes);

/// The products of a trace that is not automatic, with the directions that `directions_for` gives.
template <class T>
JacobianProducts<T> jacobian_products(Trace trace, const Var<T>& x, const Var<T>& y,
                                      const Var<T>& directions);

/// Throws std::invalid_argument unless the trace can be estimated by that many products with J: at
/// least one, and a multiple of three for Hutch++.
void check_probes(Trace trace, Index probes);

/// An unbiased estimate of the divergence: the mean over K probes of probe . (dy/dx probe).
///
/// Shapes:  x, y [B, D]; probes [B, K, D], entries of mean 0 and variance 1, independent; result
///          [B].
/// Errors:  std::invalid_argument if the shapes do not match.
template <class T>
Var<T> estimated_divergence(const Var<T>& x, const Var<T>& y, const Var<T>& probes) {
  return divergence_of(hutchinson_products(x, y, probes));
}

/// The exact divergence as a leaf without derivatives: by `block` unit tangents at once, whose
/// memory is given back before the next.
///
/// Shapes:  x, y [B, D], y computed from x, each row from its own; block > 0; result [B].
template <class T>
Var<T> divergence_values(const Var<T>& x, const Var<T>& y, Index block);

/// Distributions of probes; Rademacher's has the smaller variance, and none for a diagonal
/// Jacobian.
enum class Probe { rademacher, gaussian };

/// Draws probes for rows of x; those of a row depend only on the key and on its number in the
/// batch.
///
/// Shapes:  x [B, D]; first_row is the number of its first row; result [B, count, D], a leaf.
template <class T>
Var<T> draw_probes(const Var<T>& x, Index count, Probe probe, const RandomKey& random,
                   std::uint64_t first_row);

/// The same for rows of any width, of which `stacked` [B, K, width] is the shape of the result.
template <class T>
Var<T> draw_probes(Tape<T>& tape, const Shape& stacked, Probe probe, const RandomKey& random,
                   std::uint64_t first_row);

/// The directions that the products of a trace need: unit tangents, or probes for `products`
/// products with J. Of those for Hutch++, the ones that its basis is made from are Gaussian, so
/// that it finds a Jacobian of low rank with probability 1.
///
/// Shapes:  as draw_probes, whose other arguments these are.
template <class T>
Var<T> directions_for(Trace trace, const Var<T>& x, Index products, Probe probe,
                      const RandomKey& random, std::uint64_t first_row);

}  // namespace fjord::flows
