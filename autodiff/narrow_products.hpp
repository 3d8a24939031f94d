/// Products of matrices with long columns and few of them, kept in vector registers.
///
/// A BLAS packs its operands and calls through several layers, which costs more than the arithmetic of an 8 by 8
/// weight on 64 rows.
#pragma once

#include <utility>

#include "fjord/autodiff/blas.hpp"
#include "fjord/autodiff/simd.hpp"

namespace fjord::narrow {

/// Up to this many columns; beyond, measured, the BLAS is as fast.
inline constexpr Index limit = 16;

/// Whether multiply_rows takes a [m, k] times b [k, n].
inline bool takes_rows(Index m, Index n, Index k, bool a_transposed) {
  return !a_transposed && m >= 16 && n <= limit && k <= limit;
}

/// Whether multiply_reduction takes it.
inline bool takes_reduction(Index m, Index n, Index k, bool a_transposed, bool b_transposed) {
  return a_transposed && !b_transposed && k >= 16 && m <= limit && n <= limit;
}

/// Where one operand of a tile starts, and the distances to the next entry of a row and of a column.
template <class T>
struct Walk {
  const T* at;
  Index right;
  Index down;
};

/// Columns columns of c and Strips vectors of rows: c = (starts or 0) + a b, or c += a b.
template <class T, int Columns, int Strips, bool Adds>
void multiply_tile(Index k, const T* a, Index a_rows, Walk<T> b, T* c, Index c_rows, const T* starts) {
  using Batch = simd::Batch<T>;
  constexpr Index width = simd::width<T>;
  Batch sums[Columns][Strips];  // a plain array: GCC 12 keeps it in registers, and std::array not always
#pragma GCC unroll 8
  for (int q = 0; q < Columns; ++q) {
#pragma GCC unroll 2
    for (int s = 0; s < Strips; ++s) {
      sums[q][s] = Adds ? simd::load<T>(c + q * c_rows, s * width) : Batch(starts == nullptr ? T(0) : starts[q]);
    }
  }
  for (Index p = 0; p < k; ++p, a += a_rows, b.at += b.down) {
    Batch rows[Strips];
#pragma GCC unroll 2
    for (int s = 0; s < Strips; ++s) rows[s] = simd::load(a, s * width);
#pragma GCC unroll 8
    for (int q = 0; q < Columns; ++q) {
      const Batch factor(b.at[q * b.right]);
#pragma GCC unroll 2
      for (int s = 0; s < Strips; ++s) sums[q][s] = xsimd::fma(rows[s], factor, sums[q][s]);
    }
  }
#pragma GCC unroll 8
  for (int q = 0; q < Columns; ++q) {
#pragma GCC unroll 2
    for (int s = 0; s < Strips; ++s) sums[q][s].store_unaligned(c + q * c_rows + s * width);
  }
}

/// All n columns of a strip, as many at once as there are registers for.
template <class T, int Strips, bool Adds>
void multiply_strip(Index n, Index k, const T* a, Index a_rows, Walk<T> b, T* c, Index c_rows, const T* starts) {
  const auto tile = [&]<int Columns>() {
    for (; n >= Columns; n -= Columns) {
      multiply_tile<T, Columns, Strips, Adds>(k, a, a_rows, b, c, c_rows, starts);
      b.at += Columns * b.right;
      c += Columns * c_rows;
      if (starts != nullptr) starts += Columns;
    }
  };
  tile.template operator()<8>();
  tile.template operator()<4>();
  tile.template operator()<2>();
  tile.template operator()<1>();
}

template <class T, bool Adds>
void multiply_all_rows(Index m, Index n, Index k, const MatrixOperand<T>& a, Walk<T> b, T* c, const T* starts) {
  constexpr Index width = simd::width<T>;
  Index row = 0;
  for (; row + 2 * width <= m; row += 2 * width) {
    multiply_strip<T, 2, Adds>(n, k, a.data + row, a.rows, b, c + row, m, starts);
  }
  for (; row + width <= m; row += width) {
    multiply_strip<T, 1, Adds>(n, k, a.data + row, a.rows, b, c + row, m, starts);
  }
  const Index rest = m - row;
  if (rest == 0) return;
  // The last rows go through buffers of a whole vector.
  std::array<T, limit * width> in{};
  std::array<T, limit * width> out{};
  for (Index p = 0; p < k; ++p) std::copy_n(a.data + p * a.rows + row, rest, in.data() + p * width);
  if (Adds) {
    for (Index j = 0; j < n; ++j) std::copy_n(c + j * m + row, rest, out.data() + j * width);
  }
  multiply_strip<T, 1, Adds>(n, k, in.data(), width, b, out.data(), width, starts);
  for (Index j = 0; j < n; ++j) std::copy_n(out.data() + j * width, rest, c + j * m + row);
}

/// c = (starts or 0) + a b, or c += a b, for a not transposed.
template <class T>
void multiply_rows(Index m, Index n, Index k, const MatrixOperand<T>& a, const MatrixOperand<T>& b, T* c,
                   Start start, const T* starts) {
  const Walk<T> walk = b.transposed ? Walk<T>{b.data, 1, b.rows} : Walk<T>{b.data, b.rows, 1};
  if (start == Start::present) {
    multiply_all_rows<T, true>(m, n, k, a, walk, c, nullptr);
  } else {
    multiply_all_rows<T, false>(m, n, k, a, walk, c, starts);
  }
}

/// Entries (i, j) to (i + Rows - 1, j + Columns - 1) of a^T b: as many as a register has lanes, so that all their
/// sums over the lanes are one operation.
template <class T, int Rows, int Columns>
void reduce_tile(Index m, Index k, const T* a, Index a_rows, const T* b, Index b_rows, T* c, bool adds) {
  using Batch = simd::Batch<T>;
  static_assert(Rows * Columns == simd::width<T>);
  constexpr Index width = simd::width<T>;
  Batch sums[Rows * Columns];
#pragma GCC unroll 16
  for (int i = 0; i < Rows * Columns; ++i) sums[i] = Batch(T(0));
  const auto step = [&](auto load) {
    Batch left[Rows];
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) left[r] = load(a + r * a_rows);
#pragma GCC unroll 4
    for (int q = 0; q < Columns; ++q) {
      const Batch right = load(b + q * b_rows);
#pragma GCC unroll 4
      for (int r = 0; r < Rows; ++r) sums[q * Rows + r] = xsimd::fma(left[r], right, sums[q * Rows + r]);
    }
  };
  Index p = 0;
  for (; p + width <= k; p += width) step([&](const T* run) { return simd::load(run, p); });
  if (p < k) {
    step([&](const T* run) {
      std::array<T, Batch::size> lanes{};  // zeros behind the end add nothing
      std::copy(run + p, run + k, lanes.begin());
      return Batch::load_unaligned(lanes.data());
    });
  }
  std::array<T, Rows * Columns> totals;
  xsimd::haddp(sums).store_unaligned(totals.data());
  for (int q = 0; q < Columns; ++q) {
    for (int r = 0; r < Rows; ++r) c[q * m + r] = totals[q * Rows + r] + (adds ? c[q * m + r] : T(0));
  }
}

/// c = a^T b or c += a^T b: the gradient of a narrow weight.
template <class T>
void multiply_reduction(Index m, Index n, Index k, const MatrixOperand<T>& a, const MatrixOperand<T>& b, T* c,
                        Start start) {
  constexpr int rows = simd::width<T> >= 8 ? 4 : 2;
  constexpr int columns = static_cast<int>(simd::width<T>) / rows;
  const bool adds = start == Start::present;
  const Index full_rows = m / rows * rows;
  const Index full_columns = n / columns * columns;
  for (Index j = 0; j < full_columns; j += columns) {
    for (Index i = 0; i < full_rows; i += rows) {
      reduce_tile<T, rows, columns>(m, k, a.data + i * a.rows, a.rows, b.data + j * b.rows, b.rows, c + j * m + i,
                                    adds);
    }
  }
  for (Index j = 0; j < n; ++j) {
    for (Index i = j < full_columns ? full_rows : 0; i < m; ++i) {
      const auto product = [](const auto& x, const auto& y) { return x * y; };
      const T total = static_cast<T>(simd::sum<T>(k, product, a.data + i * a.rows, b.data + j * b.rows));
      c[j * m + i] = total + (adds ? c[j * m + i] : T(0));
    }
  }
}

}  // namespace fjord::narrow
