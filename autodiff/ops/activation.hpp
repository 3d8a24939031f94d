/// Activations of networks: elementwise, smooth, and with derivatives that are accurate where they
/// are tiny.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

template <class T>
Var<T> tanh(const Var<T>& x);
/// 1 / (1 + e^-x).
template <class T>
Var<T> sigmoid(const Var<T>& x);
/// log(1 + e^x), for every x.
template <class T>
Var<T> softplus(const Var<T>& x);
/// x for x > 0, else e^x - 1.
template <class T>
Var<T> elu(const Var<T>& x);
/// x sigmoid(x).
template <class T>
Var<T> silu(const Var<T>& x);
/// x normal_cdf(x): the exact form, not the one with tanh.
template <class T>
Var<T> gelu(const Var<T>& x);
/// The distribution function of N(0, 1), accurate in its lower tail.
template <class T>
Var<T> normal_cdf(const Var<T>& x);

}  // namespace fjord
