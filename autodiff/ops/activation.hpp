/// Activations of networks: elementwise, smooth, and with derivatives that are accurate where they
/// are tiny.
#pragma once

#include <type_traits>

#include "fjord/autodiff/var.hpp"

namespace fjord {

template <class T>
Var<T> tanh(const Var<T>& x);
/// 1 / (1 + e^-x).
template <class T>
Var<T> sigmoid(const Var<T>& x);
/// log(sigmoid(x)), for every x.
template <class T>
Var<T> log_sigmoid(const Var<T>& x);
/// log(1 + e^x), for every x.
template <class T>
Var<T> softplus(const Var<T>& x);
/// x for x > 0, else 0; the derivative at 0 is 0.
template <class T>
Var<T> relu(const Var<T>& x);
/// x for x > 0, else slope x; the derivative at 0 is the slope.
template <class T>
Var<T> leaky_relu(const Var<T>& x, std::type_identity_t<T> slope = T(0.01));
/// x for x > 0, else e^x - 1.
template <class T>
Var<T> elu(const Var<T>& x);
/// x for x > 0, else alpha (e^(x / alpha) - 1).
///
/// Errors:  std::invalid_argument unless alpha > 0.
template <class T>
Var<T> celu(const Var<T>& x, std::type_identity_t<T> alpha = T(1));
/// elu whose branches are multiplied by numbers that keep the mean 0 and the variance 1 of layer
/// upon layer; the derivative at 0 is that from below, 1.758...
///
/// Source:  Klambauer et al., Self-normalizing neural networks, NIPS 2017.
template <class T>
Var<T> selu(const Var<T>& x);
/// x sigmoid(x).
template <class T>
Var<T> silu(const Var<T>& x);
/// x tanh(softplus(x)).
template <class T>
Var<T> mish(const Var<T>& x);
/// x / (1 + |x|).
template <class T>
Var<T> softsign(const Var<T>& x);
/// x normal_cdf(x): the exact form, not the one with tanh.
template <class T>
Var<T> gelu(const Var<T>& x);
/// The distribution function of N(0, 1), accurate in its lower tail.
template <class T>
Var<T> normal_cdf(const Var<T>& x);

}  // namespace fjord
