/// Products of matrices with long columns and few of them, kept in vector registers.
///
/// A BLAS packs its operands and calls through several layers, which costs more than the arithmetic
/// of an 8 by 8 weight on 64 rows.
#pragma once

#include <utility>

#include "fjord/autodiff/kernels/blas.hpp"
#include "fjord/autodiff/kernels/lane_sums.hpp"
#include "fjord/autodiff/kernels/simd.hpp"

namespace fjord::kernels::narrow {

/// Up to this many columns; beyond, measured, the BLAS is as fast.
inline constexpr Index limit = 16;

/// Whether multiply_rows takes a [m, k] times b [k, n].
inline bool takes_rows(const ProductSizes& sizes, bool a_transposed) {
  return !a_transposed && sizes.m >= 16 && sizes.k <= limit;
}

/// Whether multiply_reduction takes it.
inline bool takes_reduction(const ProductSizes& sizes, bool a_transposed, bool b_transposed) {
  return a_transposed && !b_transposed && sizes.k >= 16 && std::min(sizes.m, sizes.n) <= limit;
}

/// Has the compiler load a register once: GCC 12 loads it again for each use, and loads are what a
/// core has least of.
template <class Batch>
void keep_in_register([[maybe_unused]] Batch& batch) {
#if defined(__GNUC__) && defined(__x86_64__)
  __asm__("" : "+v"(batch.data));
#endif
}

/// Runs body.operator()<Size>(i) for i from `begin` on in steps of Size, while whole ones are left
/// before `end`; returns the first i that is not done.
template <int Size, class Body>
[[gnu::always_inline]] inline Index for_each_tile(Index begin, Index end, Body body) {
  const Index whole = (end - begin) / Size;
  for (Index n = 0; n < whole; ++n) body.template operator()<Size>(begin + n * Size);
  return begin + whole * Size;
}

/// Numbers in memory, those of the next column (or row) `step` further.
template <class T>
struct Strided {
  T* data;
  Index step;
};

/// Columns columns of c and Strips vectors of rows from `a` and `c` on: c = (starts or 0) + a b, or
/// c += a b.
///
/// a and c are columns; b's rows are at b.data + p b.step, Columns numbers together.
template <class T, int Columns, int Strips, bool Adds>
[[gnu::always_inline]] inline void multiply_tile(Index k, Strided<const T> a, Strided<const T> b,
                                                 Strided<T> c, const T* starts) {
  using Batch = simd::Batch<T>;
  constexpr Index width = simd::width<T>;
  Batch sums[Columns]
            [Strips];  // a plain array: GCC 12 keeps it in registers, and std::array not always
#pragma GCC unroll 8
  for (int q = 0; q < Columns; ++q) {
#pragma GCC unroll 4
    for (int s = 0; s < Strips; ++s) {
      sums[q][s] = Adds ? Batch::load_unaligned(c.data + q * c.step + s * width) : Batch(starts[q]);
    }
  }
  for (Index p = 0; p < k; ++p, a.data += a.step, b.data += b.step) {
    Batch rows[Strips];
#pragma GCC unroll 4
    for (int s = 0; s < Strips; ++s) {
      rows[s] = Batch::load_unaligned(a.data + s * width);
      keep_in_register(rows[s]);
    }
#pragma GCC unroll 8
    for (int q = 0; q < Columns; ++q) {
      Batch factor(b.data[q]);
      keep_in_register(factor);
#pragma GCC unroll 4
      for (int s = 0; s < Strips; ++s) sums[q][s] = xsimd::fma(rows[s], factor, sums[q][s]);
    }
  }
#pragma GCC unroll 8
  for (int q = 0; q < Columns; ++q) {
#pragma GCC unroll 4
    for (int s = 0; s < Strips; ++s) {
      if (!Adds) sums[q][s] += Batch(T(0));  // a sum that underflowed may be -0
      sums[q][s].store_unaligned(c.data + q * c.step + s * width);
    }
  }
}

/// All rows of Columns columns.
template <class T, int Columns, bool Adds>
void multiply_columns(Index m, Index k, Strided<const T> a, Strided<const T> b, T* c,
                      const T* starts) {
  constexpr Index width = simd::width<T>;
  Index row = 0;
  // Four columns of three registers are as many sums as sixteen registers hold beside the factors.
  for (; row + 3 * width <= m; row += 3 * width) {
    multiply_tile<T, Columns, 3, Adds>(k, {a.data + row, a.step}, b, {c + row, m}, starts);
  }
  for (; row + width <= m; row += width) {
    multiply_tile<T, Columns, 1, Adds>(k, {a.data + row, a.step}, b, {c + row, m}, starts);
  }
  const Index rest = m - row;
  if (rest == 0) return;
  // The last rows go through buffers of a whole vector.
  std::array<T, limit * width> in{};
  std::array<T, Columns * width> out{};
  for (Index p = 0; p < k; ++p) std::copy_n(a.data + p * a.step + row, rest, in.data() + p * width);
  for (Index j = 0; Adds && j < Columns; ++j)
    std::copy_n(c + j * m + row, rest, out.data() + j * width);
  multiply_tile<T, Columns, 1, Adds>(k, {in.data(), width}, b, {out.data(), width}, starts);
  for (Index j = 0; j < Columns; ++j) std::copy_n(out.data() + j * width, rest, c + j * m + row);
}

/// As multiply_rows, for up to `limit` columns.
template <class T>
void multiply_some(const ProductSizes& sizes, const MatrixOperand<T>& a, const MatrixOperand<T>& b,
                   T* c, Start start, const T* starts) {
  const auto [m, n, k] = sizes;
  static constexpr std::array<T, limit> zeros{};
  std::array<T, limit * limit> packed;
  const T* rows_of_b = b.data;
  Index step = b.rows;
  if (!b.transposed) {
    // Rows of b together, as they are in a transposed b.
    for (Index j = 0; j < n; ++j) {
      for (Index p = 0; p < k; ++p)
        packed[static_cast<std::size_t>(p * n + j)] = b.data[p + j * b.rows];
    }
    rows_of_b = packed.data();
    step = n;
  }
  Index j = 0;
  const auto columns = [&, m = m, n = n, k = k]<int Columns>() {
    for (; j + Columns <= n; j += Columns) {
      const T* from = starts == nullptr ? zeros.data() : starts + j;
      const Strided<const T> left{a.data, a.rows};
      const Strided<const T> right{rows_of_b + j, step};
      if (start == Start::present) {
        multiply_columns<T, Columns, true>(m, k, left, right, c + j * m, from);
      } else {
        multiply_columns<T, Columns, false>(m, k, left, right, c + j * m, from);
      }
    }
  };
  columns.template operator()<4>();
  columns.template operator()<2>();
  columns.template operator()<1>();
}

/// c = (starts or 0) + a b, or c += a b, for a not transposed.
template <class T>
void multiply_rows(const ProductSizes& sizes, const MatrixOperand<T>& a, const MatrixOperand<T>& b,
                   T* c, Start start, const T* starts) {
  const auto [m, n, k] = sizes;
  for (Index j = 0; j < n; j += limit) {
    const MatrixOperand<T> some{b.data + (b.transposed ? j : j * b.rows), b.rows, b.transposed};
    multiply_some<T>({m, std::min(limit, n - j), k}, a, some, c + j * m, start,
                     starts == nullptr ? nullptr : starts + j);
  }
}

/// Entries (i, j) to (i + Rows - 1, j + Columns - 1) of c = a^T b, or c += a^T b.
template <class T, int Rows, int Columns>
void reduce_tile(Index m, Index k, Strided<const T> a, Strided<const T> b, T* c, bool adds) {
  using Batch = simd::Batch<T>;
  constexpr Index width = simd::width<T>;
  Batch sums[Columns][Rows];
#pragma GCC unroll 4
  for (int q = 0; q < Columns; ++q) {
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) sums[q][r] = Batch(T(0));
  }
  const Index whole = k / width * width;
  for (Index p = 0; p < whole; p += width) {
    Batch left[Rows];
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      left[r] = Batch::load_unaligned(a.data + p + r * a.step);
      keep_in_register(left[r]);
    }
#pragma GCC unroll 4
    for (int q = 0; q < Columns; ++q) {
      Batch right = Batch::load_unaligned(b.data + p + q * b.step);
      keep_in_register(right);
#pragma GCC unroll 4
      for (int r = 0; r < Rows; ++r) sums[q][r] = xsimd::fma(left[r], right, sums[q][r]);
    }
  }
  for (int q = 0; q < Columns; ++q) {
    for (int r = 0; r < Rows; ++r) {
      T total = xsimd::hadd(sums[q][r]);
      for (Index p = whole; p < k; ++p) total += a.data[p + r * a.step] * b.data[p + q * b.step];
      c[q * m + r] = (adds ? c[q * m + r] : T(0)) + total;
    }
  }
}

/// c = a^T b or c += a^T b: the gradient of a weight with few rows or columns.
template <class T>
void multiply_reduction(const ProductSizes& sizes, const MatrixOperand<T>& a,
                        const MatrixOperand<T>& b, T* c, Start start) {
  const Index m = sizes.m;
  const Index n = sizes.n;
  const Index k = sizes.k;
  // So much of the narrow operand stays in the nearest cache.
  constexpr Index block = 256;
  for (Index p = 0; p < k; p += block) {
    const bool adds = p > 0 || start == Start::present;
    const auto some_columns = [&]<int Columns>(Index j) {
      const auto tile = [&]<int Rows>(Index i) {
        reduce_tile<T, Rows, Columns>(m, std::min(block, k - p), {a.data + p + i * a.rows, a.rows},
                                      {b.data + p + j * b.rows, b.rows}, c + j * m + i, adds);
      };
      Index i = for_each_tile<4>(0, m, tile);
      i = for_each_tile<2>(i, m, tile);
      for_each_tile<1>(i, m, tile);
    };
    for_each_tile<1>(for_each_tile<2>(0, n, some_columns), n, some_columns);
  }
}

/// The same for so many rows that a plain sum of their blocks would lose digits.
template <class T>
void multiply_long_reduction(const ProductSizes& sizes, const MatrixOperand<T>& a,
                             const MatrixOperand<T>& b, T* c, Start start) {
  const auto [m, n, k] = sizes;
  constexpr Index block = 256;
  constexpr Index most = BlockSums<T>::width;
  const Index rows_at_once = std::min(m, most / std::min(n, limit));
  const Index columns_at_once = std::min(n, most / rows_at_once);
  std::array<T, most> totals;
  for (Index j = 0; j < n; j += columns_at_once) {
    for (Index i = 0; i < m; i += rows_at_once) {
      const Index rows = std::min(rows_at_once, m - i);
      const Index columns = std::min(columns_at_once, n - j);
      BlockSums<T> sums(rows * columns);
      for (Index p = 0; p < k; p += block) {
        multiply_reduction<T>({rows, columns, std::min(block, k - p)},
                              {a.data + p + i * a.rows, a.rows, true},
                              {b.data + p + j * b.rows, b.rows, false}, sums.part(),
                              sums.is_fresh() ? Start::zero : Start::present);
        sums.next();
      }
      sums.finish(totals.data(), true);
      for (Index column = 0; column < columns; ++column) {
        simd::accumulate(rows, c + (j + column) * m + i, start == Start::zero, simd::same,
                         static_cast<const T*>(totals.data() + column * rows));
      }
    }
  }
}

}  // namespace fjord::kernels::narrow
