/// The divergence of a field, estimated by forward tangents; the exact one is autodiff's.
#pragma once

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/random.hpp"

namespace fjord::flows {

/// An unbiased estimate of the divergence: the mean over K probes of probe . (dy/dx probe).
///
/// Shapes:  x, y [B, D]; probes [B, K, D], entries of mean 0 and variance 1, independent; result
///          [B].
/// Errors:  std::invalid_argument if the shapes do not match.
/// Source:  Hutchinson, Commun. Stat. Simul. Comput. 19 (1990); Grathwohl et al., FFJORD, ICLR
///          2019.
template <class T>
Var<T> estimated_divergence(const Var<T>& x, const Var<T>& y, const Var<T>& probes);

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

}  // namespace fjord::flows
