/// How far distributions are from each other.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// The Kullback-Leibler divergence of q from p, in nats: the expected log p(x) - log q(x), x of p.
///
/// Infinite where p has probability outside of the support of q. Nothing where the pair of types
/// has no closed form here: those of one type are of Bernoulli, Beta, Categorical, Cauchy,
/// Dirichlet, Exponential, Gamma, HalfNormal, Laplace, LogNormal, Uniform and VonMises; all pairs
/// of normals; Exponential and Gamma; Products of the same widths, of such pairs.
/// Errors:  std::invalid_argument if the widths differ.
/// Source:  Gil, Alajaji & Linder, Renyi divergence measures for commonly used univariate
///          continuous distributions, Inf. Sci. 249, 2013; Chyzak & Nielsen, A closed-form formula
///          for the Kullback-Leibler divergence between Cauchy distributions, 2019.
template <class T>
std::optional<double> kl_divergence(const Distribution<T>& p, const Distribution<T>& q);

}  // namespace fjord::flows
