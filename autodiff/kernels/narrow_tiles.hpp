/// Products of a narrow weight with columns of registers X[column][unit], tile by tile: each lane
/// of a register is a row of the batch.
#pragma once

#include "fjord/autodiff/kernels/narrow_products.hpp"

namespace fjord::kernels::narrow {

/// A weight [out, in], w(i, j) at w[i w_i + j w_j], and the bias of every `period`th column: null
/// for none.
template <class T>
struct MlpWeight {
  Index out;
  Index in;
  const T* w;
  Index w_i;
  Index w_j;
  const T* bias;
  Index period;
};

/// y[c][i] = (bias[i]) + sum over j of w(i, j) x[c][j], for Rows x Columns of them.
template <class T, int Rows, int Columns>
[[gnu::always_inline]] inline void mlp_tile(const MlpWeight<T>& weight, Index row, Index column,
                                            const simd::Batch<T>* x, simd::Batch<T>* y) {
  using Batch = simd::Batch<T>;
  Batch sums[Rows][Columns];
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) {
      const bool is_biased = weight.bias != nullptr && (column + c) % weight.period == 0;
      sums[i][c] = Batch(is_biased ? weight.bias[row + i] : T(0));
    }
  }
  const T* w = weight.w + row * weight.w_i;
  x += column * weight.in;
  y += column * weight.out + row;
#pragma GCC unroll 1
  for (Index j = 0; j < weight.in; ++j, w += weight.w_j) {
    Batch in[Columns];
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) {
      in[c] = x[c * weight.in + j];
      keep_in_register(in[c]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) {
      Batch factor(w[i * weight.w_i]);
      keep_in_register(factor);
#pragma GCC unroll 4
      for (int c = 0; c < Columns; ++c) sums[i][c] = xsimd::fma(factor, in[c], sums[i][c]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) y[c * weight.out + i] = sums[i][c];
  }
}

/// The same for all rows of the weight and so many columns.
template <class T>
[[gnu::always_inline]] inline void mlp_product(const MlpWeight<T>& weight, Index columns,
                                               const simd::Batch<T>* x, simd::Batch<T>* y) {
  const auto some = [&]<int Columns>(Index c) __attribute__((always_inline)) {
    const auto tile = [&]<int Rows>(Index i) __attribute__((always_inline)) {
      mlp_tile<T, Rows, Columns>(weight, i, c, x, y);
    };
    // As many sums as it takes to keep two multipliers busy.
    const Index first = Columns == 1 ? for_each_tile<8>(0, weight.out, tile) : 0;
    for_each_tile<1>(for_each_tile<4>(first, weight.out, tile), weight.out, tile);
  };
  for_each_tile<1>(for_each_tile<3>(0, columns, some), columns, some);
}

/// sums(i, j) += sum over c of g[c][i] x[c][j], for Rows x Columns of them.
template <class T, int Rows, int Columns>
[[gnu::always_inline]] inline void mlp_outer_tile(Index columns, const simd::Batch<T>* g,
                                                  const simd::Batch<T>* x, simd::Batch<T>* sums,
                                                  Index m, Index n) {
  using Batch = simd::Batch<T>;
  Batch totals[Columns][Rows];
#pragma GCC unroll 4
  for (int q = 0; q < Columns; ++q) {
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) totals[q][r] = sums[q * m + r];
  }
#pragma GCC unroll 1
  for (Index c = 0; c < columns; ++c, g += m, x += n) {
    Batch left[Rows];
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      left[r] = g[r];
      keep_in_register(left[r]);
    }
#pragma GCC unroll 4
    for (int q = 0; q < Columns; ++q) {
      Batch right = x[q];
      keep_in_register(right);
#pragma GCC unroll 4
      for (int r = 0; r < Rows; ++r) totals[q][r] = xsimd::fma(left[r], right, totals[q][r]);
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < Columns; ++q) {
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) sums[q * m + r] = totals[q][r];
  }
}

/// sums [m, n], column-major, += g x^T: the gradient of a weight, lane by lane.
template <class T>
[[gnu::always_inline]] inline void mlp_outer(Index m, Index n, Index columns,
                                             const simd::Batch<T>* g, const simd::Batch<T>* x,
                                             simd::Batch<T>* sums) {
  const auto some = [&]<int Columns>(Index j) __attribute__((always_inline)) {
    const auto tile = [&]<int Rows>(Index i) __attribute__((always_inline)) {
      mlp_outer_tile<T, Rows, Columns>(columns, g + i, x + j, sums + j * m + i, m, n);
    };
    for_each_tile<1>(for_each_tile<4>(0, m, tile), m, tile);
  };
  for_each_tile<1>(for_each_tile<2>(0, n, some), n, some);
}

}  // namespace fjord::kernels::narrow
