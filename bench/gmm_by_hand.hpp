/// The mixture of Gaussians' gradient, written by hand for one processor core: what a tape is held
/// against.
#pragma once

#include <span>

namespace fjord::bench {

/// Sizes and data of a mixture: k components, n points x [n, d], column-major.
struct Mixture {
  std::size_t d;
  std::size_t k;
  std::size_t n;
  std::span<const double> x;
};

/// Parameters, or the derivatives in them: alpha [k], means [k, d] and icf [k, d (d + 1) / 2],
/// column-major.
template <class Number>
struct MixtureParameters {
  std::span<Number> alpha;
  std::span<Number> means;
  std::span<Number> icf;
};

/// The log-likelihood with the prior gamma = 1, m = 0, except for its constant, and its gradient.
double gmm_gradient(const Mixture& mixture, const MixtureParameters<const double>& at,
                    const MixtureParameters<double>& gradient);

}  // namespace fjord::bench
