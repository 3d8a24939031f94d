/// Weights that are exponentials over their sum, and the logarithms of both.
///
/// Large terms do not overflow, and derivatives keep their digits where one term is nearly all.
/// Units:   natural logarithms.
/// Errors:  std::invalid_argument if an axis does not exist or comes twice.
/// Note:    A term of -inf has weight 0, also where all terms are -inf; terms of +inf share all
///          weight. A NaN shows.
#pragma once

#include <span>

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// log(sum(exp(x))) over all entries or some axes; -inf of no entries.
///
/// Shapes:  the axes, counted from the end if negative, become 1 with keep_dims and vanish without.
template <class T>
Var<T> logsumexp(const Var<T>& x);
template <class T>
Var<T> logsumexp(const Var<T>& x, std::span<const Index> axes, bool keep_dims = false);

template <class T>
Var<T> logsumexp(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims = false) {
  return logsumexp(x, std::span(axes.begin(), axes.size()), keep_dims);
}

/// exp(x) / sum(exp(x)) along one axis.
///
/// Shapes:  that of x.
template <class T>
Var<T> softmax(const Var<T>& x, Index axis = -1);
/// x - logsumexp(x) along one axis.
///
/// Shapes:  that of x.
template <class T>
Var<T> log_softmax(const Var<T>& x, Index axis = -1);

}  // namespace fjord
