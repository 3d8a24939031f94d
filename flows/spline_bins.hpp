/// Bins of splines on the unit interval, in blocks: the numbers of one bin stand for all entries.
#pragma once

#include <span>

#include "fjord/autodiff/tape.hpp"

namespace fjord::flows {

/// Blocks first, first + 1, ..., end - 1 of numbers in blocks of the width `dim`.
template <class T>
Var<T> blocks(const Var<T>& x, Index dim, Index first, Index end);
/// Entry k is the sum of the blocks up to and including k.
///
/// Shapes:  x [B, K dim]; result K times [B, dim], in the memory of the tape.
template <class T>
std::span<const Var<T>> running_sums(const Var<T>& x, Index dim);

/// The K bins of every entry.
///
/// Shapes:  sizes and uppers [B, K D]; total [B, D].
template <class T>
struct Bins {
  Var<T> sizes;   ///< in units of their total
  Var<T> uppers;  ///< upper ends, in the same units
  Var<T> total;
};

/// Bins of sizes in proportion to e^s with s = c tanh(a / c), so that none is much smaller than
/// another; c is log(1000) / 2.
///
/// Shapes:  logits a [B, K D].
/// Source:  zuko's MonotonicRQSTransform, which bounds its bins alike.
template <class T>
Bins<T> make_bins(const Var<T>& logits, Index dim);
/// e^s of the logits alone.
template <class T>
Var<T> bounded_exp(const Var<T>& logits);
/// Bins of sizes that add up to 1.
template <class T>
Bins<T> unit_bins(const Bins<T>& bins, Index dim);

/// For `gather` along axis 1: the bin of every entry u, the last one for numbers beyond 1; kept by
/// the tape.
///
/// Shapes:  u [B, D]; result [B, D].
template <class T>
TensorView<Index> find_bins(const Var<T>& u, const Bins<T>& bins);
/// The bins after these.
template <class T>
TensorView<Index> next_blocks(const TensorView<Index>& index, Tape<T>& tape);

/// One bin of every entry.
///
/// Shapes:  [B, D].
template <class T>
struct Bin {
  Var<T> lower;  ///< its lower end
  Var<T> size;
};

template <class T>
Bin<T> bin_at(const Bins<T>& bins, const TensorView<Index>& index);

}  // namespace fjord::flows
