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

/// How many of the first numbers are masked.
template <class T>
Index count_masked(const T* numbers, Index count) {
  Index i = 0;
  while (i + simd::width<T> <= count && xsimd::all(simd::is_masked(simd::load(numbers, i)))) {
    i += simd::width<T>;
  }
  while (i < count && simd::is_masked(numbers[i])) ++i;
  return i;
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

/// Writes to found [count, lines] an entry of each line that is not masked, or a masked one where
/// all are; returns whether there is such a line.
///
/// Shapes:  lines of at least one entry.
template <class T>
bool find_masked(const Lines<T>& all, T* found) {
  const auto search = [&all](const T* line, Index count, T* out) {
    std::copy_n(line, count, out);
    for (Index p = 1; p < all.length && has_masked(out, count); ++p) {
      simd::transform(
          count, out,
          [](const auto& before, const auto& x) {
            return xsimd::select(simd::is_masked(before), x, before);
          },
          static_cast<const T*>(out), line + all.count * p * all.entry_step);
    }
    return has_masked(out, count);
  };
  if (all.line_step == 1) return search(all.data, all.count * all.lines, found);
  const bool together = all.count == 1 && all.entry_step == 1;
  bool any = false;
  for (Index i = 0; i < all.lines; ++i) {
    const T* line = all.data + all.count * i * all.line_step;
    if (together) {
      const Index masked = count_masked(line, all.length);
      found[i] = line[std::min(masked, all.length - 1)];
      any |= masked == all.length;
    } else {
      any |= search(line, all.count, found + all.count * i);
    }
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

/// Masks numbers where those of `found` are masked: see find_masked.
template <class T>
void mask(const T* found, Index count, T* numbers) {
  simd::transform(
      count, numbers,
      [](const auto& f, const auto& x) { return xsimd::select(simd::is_masked(f), f, x); }, found,
      static_cast<const T*>(numbers));
}

/// c = a b or c += a b, made by product(c, is_fresh), where the rows and columns that belong to
/// derivatives mask the entries that they make if all of their own are masked; all other zeros are
/// +0, as product makes them in fresh memory.
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
    if (!is_fresh) clear_signs(c, count * m * n);
  };
  const bool may = (moving.a && may_be_masked(rows)) || (moving.b && may_be_masked(columns));
  if (!may || m * n == 0) return plain();
  const PoolMemory<T> of_rows(pool, count * m);
  const PoolMemory<T> of_columns(pool, count * n);
  const bool by_rows = moving.a && find_masked(rows, of_rows.data());
  const bool by_columns = moving.b && find_masked(columns, of_columns.data());
  if (!by_rows && !by_columns) return plain();
  const PoolMemory<T> scratch(pool, is_fresh ? 0 : count * m * n);
  T* out = is_fresh ? c : scratch.data();
  product(out, true);
  for (Index j = 0; j < n; ++j) {
    T* column = out + count * m * j;
    if (by_rows) mask(static_cast<const T*>(of_rows.data()), count * m, column);
    const T* found = of_columns.data() + count * j;
    if (!by_columns || !has_masked(found, count)) continue;
    for (Index i = 0; i < m; ++i) mask(found, count, column + count * i);
  }
  if (!is_fresh) simd::accumulate(count * m * n, c, false, simd::same, static_cast<const T*>(out));
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
  const PoolMemory<T> found(pool, given.count * given.lines);
  if (!find_masked(given, found.data())) return;
  for (Index i = 0; i < solutions.lines; ++i) {
    for (Index p = 0; p < solutions.length; ++p) {
      mask<T>(found.data() + solutions.count * i, solutions.count,
              numbers + solutions.count * (i * solutions.line_step + p * solutions.entry_step));
    }
  }
}

}  // namespace fjord::kernels
