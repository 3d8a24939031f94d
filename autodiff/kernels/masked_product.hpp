/// Products of matrices that are derivatives: entries that come from masked zeros only are masked.
#pragma once

#include <algorithm>

#include "fjord/autodiff/kernels/batched.hpp"
#include "fjord/autodiff/kernels/blas.hpp"
#include "fjord/autodiff/kernels/simd.hpp"

namespace fjord::kernels {

/// Which operands of a product are derivatives.
struct Moving {
  bool a = false;
  bool b = false;
};

/// The lines of a batch of matrices: entry p of line i of all matrices is the run of `count`
/// numbers at data + count (i line_step + p entry_step).
template <class T>
struct Lines {
  const T* data;
  Index count;
  Index lines;
  Index length;
  Index line_step;
  Index entry_step;
};

/// The rows of a batch [count, rows, columns], or of the transposed matrices.
template <class T>
Lines<T> rows_of(const T* data, const MatrixBatch& batch, bool transposed) {
  if (transposed) return {data, batch.count, batch.columns, batch.rows, batch.rows, 1};
  return {data, batch.count, batch.rows, batch.columns, 1, batch.rows};
}

template <class T>
bool has_masked(const T* numbers, Index count) {
  Index i = 0;
  for (; i + simd::width<T> <= count; i += simd::width<T>) {
    if (xsimd::any(simd::is_masked(simd::load(numbers, i)))) return true;
  }
  return std::any_of(numbers + i, numbers + count, [](T x) { return simd::is_masked(x); });
}

/// Whether a line could be masked, from its first entry: what nearly all products pay.
template <class T>
bool may_be_masked(const Lines<T>& all) {
  if (all.length == 0) return false;
  if (all.line_step == 1) return has_masked(all.data, all.count * all.lines);
  for (Index i = 0; i < all.lines; ++i) {
    if (has_masked(all.data + all.count * i * all.line_step, all.count)) return true;
  }
  return false;
}

/// Writes to flags [count, lines] which lines are masked in all entries; false if none is.
template <class T>
bool find_masked(const Lines<T>& all, bool* flags) {
  bool any = false;
  for (Index i = 0; i < all.lines; ++i, flags += all.count) {
    std::fill_n(flags, all.count, true);
    bool left = true;
    for (Index p = 0; left && p < all.length; ++p) {
      const T* run = all.data + all.count * (i * all.line_step + p * all.entry_step);
      left = false;
      for (Index k = 0; k < all.count; ++k) left |= flags[k] &= simd::is_masked(run[k]);
    }
    any |= left;
  }
  return any;
}

/// Makes the zeros of `count` numbers +0.
template <class T>
void clear_signs(T* numbers, Index count) {
  simd::transform(
      count, numbers, [](const auto& x) { return simd::computed<T>(x); },
      static_cast<const T*>(numbers));
}

/// The operands of a product a b.
template <class T>
struct Factors {
  Lines<T> rows;     ///< of a
  Lines<T> columns;  ///< of b
  Moving moving;
};

/// c = a b or c += a b, made by product(c, is_fresh), where the rows and columns that belong to
/// derivatives mask the entries that they make if all of their own are masked; all other zeros are
/// +0.
///
/// Shapes:  c [count, rows of a, columns of b].
template <class T, class Product>
void multiply_derivatives(record::BufferPool& pool, const Factors<T>& factors, T* c, bool is_fresh,
                          Product product) {
  const auto& [rows, columns, moving] = factors;
  const Index count = rows.count;
  const Index m = rows.lines;
  const Index n = columns.lines;
  const auto plain = [&] {
    product(c, is_fresh);
    clear_signs(c, count * m * n);
  };
  const bool may = (moving.a && may_be_masked(rows)) || (moving.b && may_be_masked(columns));
  if (!may || m * n == 0) return plain();
  const PoolMemory<bool> of_rows(pool, count * m);
  const PoolMemory<bool> of_columns(pool, count * n);
  const bool by_rows = moving.a && find_masked(rows, of_rows.data());
  const bool by_columns = moving.b && find_masked(columns, of_columns.data());
  if (!by_rows && !by_columns) return plain();
  const PoolMemory<T> scratch(pool, count * m * n);
  product(scratch.data(), true);
  clear_signs(scratch.data(), count * m * n);
  T* entry = scratch.data();
  for (Index j = 0; j < n; ++j) {
    for (Index i = 0; i < m; ++i) {
      for (Index k = 0; k < count; ++k, ++entry) {
        const bool is_masked = (by_rows && of_rows.data()[count * i + k]) ||
                               (by_columns && of_columns.data()[count * j + k]);
        if (is_masked) *entry = simd::masked_zero<T>;
      }
    }
  }
  simd::accumulate(count * m * n, c, is_fresh, simd::same, static_cast<const T*>(scratch.data()));
}

/// A product of two matrices, some of them derivatives.
template <class T>
struct MatrixProduct {
  ProductSizes sizes;
  MatrixOperand<T> a;
  MatrixOperand<T> b;
  Moving moving;
};

/// As above, of single matrices; plain if no operand is a derivative.
template <class T>
void multiply(record::BufferPool& pool, const MatrixProduct<T>& p, T* c, bool is_fresh) {
  const auto product = [&p](T* out, bool fresh) {
    multiply(p.sizes, p.a, p.b, out, fresh ? Start::zero : Start::present);
  };
  if (!p.moving.a && !p.moving.b) {
    product(c, is_fresh);
    return;
  }
  const auto lines = [&p](const MatrixOperand<T>& x, Index count, bool together) -> Lines<T> {
    return {x.data, 1, count, p.sizes.k, together ? x.rows : 1, together ? 1 : x.rows};
  };
  const Factors<T> factors{lines(p.a, p.sizes.m, p.a.transposed),
                           lines(p.b, p.sizes.n, !p.b.transposed), p.moving};
  multiply_derivatives(pool, factors, c, is_fresh, product);
}

/// Marks the columns of solutions [count, lines, length] whose right-hand sides `given` are masked;
/// all other zeros are made +0.
template <class T>
void mark_solutions(record::BufferPool& pool, const Lines<T>& given, const Lines<T>& solutions,
                    T* numbers) {
  clear_signs(numbers, given.count * given.lines * given.length);
  if (!may_be_masked(given)) return;
  const PoolMemory<bool> flags(pool, given.count * given.lines);
  if (!find_masked(given, flags.data())) return;
  for (Index i = 0; i < solutions.lines; ++i) {
    for (Index p = 0; p < solutions.length; ++p) {
      T* run = numbers + solutions.count * (i * solutions.line_step + p * solutions.entry_step);
      for (Index k = 0; k < solutions.count; ++k) {
        if (flags.data()[solutions.count * i + k]) run[k] = simd::masked_zero<T>;
      }
    }
  }
}

}  // namespace fjord::kernels
