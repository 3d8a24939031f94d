#include <array>

#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

// numpy.matmul by its definition: sums over loops, one entry of the result after another.
Tensor<double> product_by_loops(const Tensor<double>& a, const Tensor<double>& b) {
  const auto matrix = [](const Tensor<double>& x, bool row) {
    if (x.shape().rank() > 1) return x;
    return x.reshaped(row ? Shape{1, x.size()} : Shape{x.size(), 1});
  };
  const Tensor<double> left = matrix(a, true);
  const Tensor<double> right = matrix(b, false);
  const auto batch = [](const Shape& s) { return Shape(std::span(s.begin(), s.rank() - 2)); };
  const Shape leading = broadcast_shapes(batch(left.shape()), batch(right.shape()), "loops");
  const Index m = left.shape()[left.shape().rank() - 2];
  const Index k = left.shape()[left.shape().rank() - 1];
  const Index n = right.shape()[right.shape().rank() - 1];
  const auto entry = [&](const Tensor<double>& x, Index batch_at, Index i, Index j) {
    // Strides in the order C, those of stretched axes being 0.
    const std::vector<double> numbers = x.to_vector();
    const Shape& s = x.shape();
    Index offset = i * s[s.rank() - 1] + j;
    Index stride = s[s.rank() - 2] * s[s.rank() - 1];
    for (std::size_t back = 0; back < leading.rank(); ++back) {
      const std::size_t axis = leading.rank() - 1 - back;
      const Index at = batch_at % leading[axis];
      batch_at /= leading[axis];
      if (back + 2 >= s.rank()) continue;
      const Index size = s[s.rank() - 3 - back];
      offset += size == 1 ? 0 : at * stride;
      stride *= size;
    }
    return numbers[static_cast<std::size_t>(offset)];
  };
  std::vector<double> result;
  for (Index at = 0; at < leading.size(); ++at) {
    for (Index i = 0; i < m; ++i) {
      for (Index j = 0; j < n; ++j) {
        double total = 0;
        for (Index l = 0; l < k; ++l) total += entry(left, at, i, l) * entry(right, at, l, j);
        result.push_back(total);
      }
    }
  }
  Shape shape = leading;
  if (a.shape().rank() > 1) shape = shape.with_axis(shape.rank(), m);
  if (b.shape().rank() > 1) shape = shape.with_axis(shape.rank(), n);
  return Tensor<double>::from(shape, result);
}

Row& add_batch_row(Rows& rows, const std::string& variant, const Shape& a, const Shape& b) {
  const Tensor<double> left = sample(a, 7);
  const Tensor<double> right = sample(b, 8);
  return rows.add("matmul", variant, [](const auto& v) { return matmul(v[0], v[1]); },
                  {left, right}, {product_by_loops(left, right)});
}

}  // namespace

void add_linalg_rows(Rows& rows) {
  const Tensor<double> a{{1, 2, 3}, {4, 5, 6}};
  const Tensor<double> b{{1, -1}, {0.5, 2}, {-3, 4}};
  const auto product = [](const auto& v) { return matmul(v[0], v[1]); };
  rows.add("matmul", "", product, {a, b}, {{{-7, 15}, {-11.5, 30}}})
      .reject({a, a})
      .reject({Tensor<double>{1, 2}, b})
      .reject({Tensor<double>(1.0), b});
  rows.add("matmul", "leading axes", product, {a.reshaped({2, 1, 3}), b},
           {Tensor<double>{{{-7, 15}}, {{-11.5, 30}}}});
  rows.add("matmul", "vector, matrix", product, {Tensor<double>{1, 2, 3}, b},
           {Tensor<double>{-7, 15}});
  rows.add("matmul", "matrix, vector", product, {a, Tensor<double>{1, 0.5, -3}},
           {Tensor<double>{-7, -11.5}})
      .reject({a, Tensor<double>{1, 2}});
  rows.add("matmul", "vectors", product, {Tensor<double>{1, 2, 3}, Tensor<double>{1, 0.5, -3}},
           {Tensor<double>(-7.0)});
  add_batch_row(rows, "batch", {3, 2, 4}, {3, 4, 3});
  add_batch_row(rows, "batch, broadcast", {2, 1, 2, 3}, {3, 3, 2});
  add_batch_row(rows, "matrix, batch", {2, 3}, {3, 3, 2});
  add_batch_row(rows, "vector, batch", {3}, {2, 3, 2});
  add_batch_row(rows, "batch, vector", {2, 3, 2}, {2});
  add_batch_row(rows, "long batch of small ones", {17, 2, 3}, {17, 3, 2});
  add_batch_row(rows, "batch of wide ones", {2, 3, 9}, {2, 9, 2})
      .reject({sample({2, 3, 9}, 1), sample({3, 9, 2}, 2)});
  add_batch_row(rows, "nothing summed", {2, 2, 0}, {2, 0, 3});
  add_batch_row(rows, "empty batch", {0, 2, 3}, {0, 3, 2});

  const auto combination = [](const auto& v) {
    static constexpr std::array weights{0.5, 0.0, -2.0, 0.25, 3.0, -1.0};
    return add_combination(v[0], v[1], std::span(weights).first(v.size() - 2),
                           std::span(v).subspan(2));
  };
  const Tensor<double> y{1, 2};
  const Tensor<double> h(0.5);
  const Tensor<double> k{4, -1};
  rows.add("add_combination", "", combination, {y, h, k, k, k}, {Tensor<double>{-2, 2.75}})
      .reject({y, k, k})
      .reject({y, h, a});
  rows.add("add_combination", "six terms", combination, {y, h, k, k, k, k, k, k},
           {Tensor<double>{2.5, 1.625}});
}

}  // namespace fjord::test
