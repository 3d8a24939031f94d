#include "fjord/tests/support/matrices.hpp"

#include <cmath>

namespace fjord::test {
namespace {

// Entries (row, column) of matrix k in column-major memory.
struct Places {
  Index count;
  Index rows;
  Index columns;

  explicit Places(const Shape& shape)
      : count(Shape(std::span(shape.begin(), shape.rank() - 2)).size()),
        rows(shape[shape.rank() - 2]),
        columns(shape[shape.rank() - 1]) {}

  std::size_t operator()(Index k, Index i, Index j) const {
    return static_cast<std::size_t>(k % count + count * (i + rows * j));
  }

  template <class Body>
  void for_each(Body body) const {
    for (Index k = 0; k < count; ++k) {
      for (Index i = 0; i < rows; ++i) {
        for (Index j = 0; j < columns; ++j) body(k, i, j);
      }
    }
  }
};

// The determinant of the rows from `row` on and the columns given.
double minor_of(const Tensor<double>& a, const Places& at, Index k, Index row,
                const std::vector<Index>& columns) {
  if (columns.empty()) return 1;
  double total = 0;
  double sign = 1;
  for (const Index j : columns) {
    std::vector<Index> others = columns;
    std::erase(others, j);
    total += sign * a.storage()[at(k, row, j)] * minor_of(a, at, k, row + 1, others);
    sign = -sign;
  }
  return total;
}

Shape with_matrix(const Shape& shape, Index rows, Index columns) {
  std::vector<Index> sizes(shape.begin(), shape.end());
  sizes[shape.rank() - 2] = rows;
  sizes[shape.rank() - 1] = columns;
  return Shape(sizes);
}

}  // namespace

Tensor<double> multiply_by_loops(const Tensor<double>& a, const Tensor<double>& b) {
  const Places left(a.shape());
  const Places right(b.shape());
  Tensor<double> c = Tensor<double>::zeros(with_matrix(a.shape(), left.rows, right.columns));
  const Places out(c.shape());
  out.for_each([&](Index k, Index i, Index j) {
    for (Index l = 0; l < left.columns; ++l) {
      c.storage()[out(k, i, j)] += a.storage()[left(k, i, l)] * b.storage()[right(k, l, j)];
    }
  });
  return c;
}

Tensor<double> transpose_by_loops(const Tensor<double>& a) {
  const Places from(a.shape());
  Tensor<double> result = Tensor<double>::zeros(with_matrix(a.shape(), from.columns, from.rows));
  const Places to(result.shape());
  from.for_each([&](Index k, Index i, Index j) {
    result.storage()[to(k, j, i)] = a.storage()[from(k, i, j)];
  });
  return result;
}

Tensor<double> det_by_minors(const Tensor<double>& a) {
  const Places at(a.shape());
  Tensor<double> result =
      Tensor<double>::zeros(Shape(std::span(a.shape().begin(), a.shape().rank() - 2)));
  for (Index k = 0; k < at.count; ++k) {
    std::vector<Index> columns;
    for (Index j = 0; j < at.columns; ++j) columns.push_back(j);
    result.data()[k] = minor_of(a, at, k, 0, columns);
  }
  return result;
}

Tensor<double> dominant(const Shape& shape, std::uint64_t key) {
  Tensor<double> result = sample(shape, key, 0.7);
  const Places at(shape);
  at.for_each([&](Index k, Index i, Index j) {
    if (i == j) result.storage()[at(k, i, j)] += static_cast<double>(at.rows);
  });
  return result;
}

Tensor<double> positive_definite(const Shape& shape, std::uint64_t key) {
  const Tensor<double> root = sample(shape, key, 0.7);
  Tensor<double> result = multiply_by_loops(root, transpose_by_loops(root));
  const Places at(shape);
  at.for_each([&](Index k, Index i, Index j) {
    if (i == j) result.storage()[at(k, i, j)] += static_cast<double>(at.rows);
  });
  return result;
}

Tensor<double> masked(const Tensor<double>& a, const std::function<bool(Index, Index)>& keep,
                      double other) {
  Tensor<double> result = a;
  const Places at(a.shape());
  at.for_each([&](Index k, Index i, Index j) {
    if (!keep(i, j)) result.storage()[at(k, i, j)] = other;
  });
  return result;
}

Tensor<double> batch_of(const Tensors& parts) {
  std::vector<double> numbers;
  for (const Tensor<double>& part : parts) {
    const std::vector<double> more = part.to_vector();
    numbers.insert(numbers.end(), more.begin(), more.end());
  }
  return Tensor<double>::from(parts.front().shape().with_axis(0, static_cast<Index>(parts.size())),
                              numbers);
}

Tensor<double> reflection(Index n, double first) {
  double norm = 0;
  for (Index i = 0; i < n; ++i) norm += std::pow(first + static_cast<double>(i), 2);
  Tensor<double> q = Tensor<double>::identity(n);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < n; ++j) {
      q(i, j) -= 2 * (first + static_cast<double>(i)) * (first + static_cast<double>(j)) / norm;
    }
  }
  return q;
}

Tensor<double> symmetric_with(const std::vector<double>& values) {
  const auto n = static_cast<Index>(values.size());
  const Tensor<double> q = reflection(n);
  Tensor<double> scaled = q;
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < n; ++j) scaled(i, j) *= values[static_cast<std::size_t>(j)];
  }
  return multiply_by_loops(scaled, q);
}

Tensor<double> with_positive_peaks(const Tensor<double>& a) {
  Tensor<double> result = a;
  for (Index j = 0; j < a.shape()[1]; ++j) {
    double peak = 0;
    for (Index i = 0; i < a.shape()[0]; ++i) {
      if (std::abs(a(i, j)) > std::abs(peak)) peak = a(i, j);
    }
    for (Index i = 0; i < a.shape()[0]; ++i) result(i, j) = peak < 0 ? -a(i, j) : a(i, j);
  }
  return result;
}

}  // namespace fjord::test
