/// Bounds of the factors by which matrices and networks lengthen vectors.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord::nn {

/// An upper bound of a matrix's largest singular value: its Schatten norm of order 256,
///
///     (s_1^256 + ... + s_r^256)^(1/256) <= r^(1/256) s_1,
///
/// so 1.7 % too large for a matrix of rank 64, at most. It takes eight products and no iteration
/// that has to converge: equal weights give equal bits.
/// Shapes:  weight [out, in]; result a scalar.
/// Source:  Delattre et al., Efficient bound of Lipschitz constant for convolutional layers by Gram
///          iteration, ICML 2023, sec. 4.
/// Note:    Its derivatives are right to every order, but infinite or NaN for a matrix of zeros.
template <class T>
Var<T> spectral_norm_bound(const Var<T>& weight);

/// A matrix, scaled down where that is needed for spectral_norm_bound to be at most `bound`.
///
/// Shapes:  weight and result [out, in]; bound > 0.
/// Source:  Miyato et al., Spectral normalization for generative adversarial networks, ICLR 2018;
///          that it only scales down: Behrmann et al., Invertible residual networks, ICML 2019,
///          eq. 8. Both take powers of a vector, which give a bound from below.
template <class T>
Var<T> with_spectral_bound(const Var<T>& weight, double bound);

}  // namespace fjord::nn
