#include "fjord/flows/sylvester.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/matrix_shape.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/increasing_root.hpp"

namespace fjord::flows {
namespace {

template <class T>
Tensor<T> normals(const Shape& shape, const RandomKey& random) {
  Tensor<T> draws = Tensor<T>::zeros(shape);
  random.normal(draws.storage());
  return draws;
}

// R = 0, and S of draws from N(0, 1 / D).
template <class T>
Tensor<T> initial_triangles(Index dim, const RandomKey& random) {
  require(dim > 0, "sylvester",
          [&] { return "a positive dim is needed, got " + std::to_string(dim); });
  Tensor<T> triangles = normals<T>({dim, dim}, random);
  const T deviation = static_cast<T>(1 / std::sqrt(static_cast<double>(dim)));
  for (Index i = 0; i < dim; ++i)
    for (Index j = 0; j < dim; ++j) triangles(i, j) *= j < i ? deviation : T(0);
  return triangles;
}

Index checked(Index reflections) {
  require(reflections > 0, "sylvester", [&] {
    return "a positive number of reflections is needed, got " + std::to_string(reflections);
  });
  return reflections;
}

template <class T>
Index sylvester_dim(nn::PartReader<T>& reader) {
  const Index dim = reader.size("dim");
  reader.expect_weights(
      static_cast<double>(dim) *
      (static_cast<double>(dim) + static_cast<double>(reader.size("reflections")) + 2));
  return dim;
}

// Reflects rows in one mirror after another, or in the opposite order: x Q, or x Q^T.
template <class T>
Var<T> reflected(Var<T> x, const Var<T>& mirrors, bool transposed) {
  const Index count = mirrors.shape()[0];
  for (Index k = 0; k < count; ++k) {
    const Index at = transposed ? count - 1 - k : k;
    const Var<T> v = slice(mirrors, 0, at, at + 1);
    const Var<T> along = matmul(x, swap_axes(v, 0, 1)) * (T(2) / sum(square(v)));
    x = x - along * v;
  }
  return x;
}

// log(1 + product (1 - tanh^2)), as a sum of positive terms.
template <class T>
Var<T> sylvester_log_slope(const Var<T>& tanh_of, const Var<T>& product) {
  const Var<T> squared = square(tanh_of);
  return log(squared + (T(1) - squared) * (product + T(1)));
}

}  // namespace

template <class T>
Sylvester<T>::Sylvester(Index dim, Index reflections, const RandomKey& random)
    : triangles_(initial_triangles<T>(dim, random.fold(0))),
      diagonal_(normals<T>({dim}, random.fold(1))),
      bias_(Tensor<T>::zeros({dim})),
      mirrors_(normals<T>({checked(reflections), dim}, random.fold(2))) {}

template <class T>
Sylvester<T>::Sylvester(nn::PartReader<T>& reader)
    : Sylvester(sylvester_dim(reader), reader.size("reflections"), RandomKey(0)) {}

template <class T>
typename Sylvester<T>::Matrices Sylvester<T>::bind(Tape<T>& tape) const {
  const Var<T> triangles = tape.bind(triangles_);
  const Var<T> of_r = tanh(diag(triangles));
  const Var<T> of_s = tanh(tape.bind(diagonal_));
  return {triu(triangles, 1) + diag(of_r), swap_axes(tril(triangles, -1), 0, 1) + diag(of_s),
          tape.bind(bias_), of_r * of_s, tape.bind(mirrors_)};
}

template <class T>
Var<T> Sylvester<T>::solve(const Matrices& m, const Var<T>& c) const {
  const Index dim = c.shape()[1];
  // Of the columns so far, from the last one on, and their sums for the next one.
  Var<T> z;
  Var<T> t;
  for (Index i = dim - 1; i >= 0; --i) {
    const auto sum_of = [&](const Var<T>& matrix, const Var<T>& later) {
      const Var<T> row = slice(slice(matrix, 0, i, i + 1), 1, i + 1, dim);
      return matmul(later, swap_axes(row, 0, 1));
    };
    const auto own = [&](const Var<T>& of) { return slice(slice(of, 0, i, i + 1), 1, i, i + 1); };
    const Var<T> target = slice(c, 1, i, i + 1);
    const Var<T> bias = slice(m.b, 0, i, i + 1);
    const bool is_last = z.is_empty();
    const Var<T> shift = is_last ? zeros_like(target) + bias : sum_of(m.s, z) + bias;
    const Var<T> rest = is_last ? target : target - sum_of(m.r, t);
    const Var<T> product = slice(m.product, 0, i, i + 1);
    const auto map = [&](const Var<T>& x) -> WithLogSlope<T> {
      const Var<T> moved = tanh(x * own(m.s) + shift);
      return {x + moved * own(m.r), sylvester_log_slope(moved, product)};
    };
    const double least = std::min(1.0, 1 + static_cast<double>(product.item()));
    const Var<T> root = increasing_root<T>(std::cref(map), rest, least);
    const Var<T> moved = tanh(root * own(m.s) + shift);
    z = is_last ? root : concatenate<T>({root, z}, 1);
    t = is_last ? moved : concatenate<T>({moved, t}, 1);
  }
  return t;
}

template <class T>
WithLogDet<T> Sylvester<T>::forward_with_log_det(const Var<T>& x, Context<T>& /*context*/) const {
  check_rows(x, bias_.value().size(), "sylvester");
  const Matrices m = bind(x.tape());
  const Var<T> moved = tanh_affine(reflected(x, m.mirrors, false), m.s, m.b);
  const Var<T> step = matmul(moved, swap_axes(m.r, 0, 1));
  return {x + reflected(step, m.mirrors, true), sum(sylvester_log_slope(moved, m.product), {1})};
}

template <class T>
WithLogDet<T> Sylvester<T>::inverse_with_log_det(const Var<T>& y, Context<T>& /*context*/) const {
  check_rows(y, bias_.value().size(), "sylvester");
  const Matrices m = bind(y.tape());
  const Var<T> moved = solve(m, reflected(y, m.mirrors, false));
  const Var<T> step = matmul(moved, swap_axes(m.r, 0, 1));
  return {y - reflected(step, m.mirrors, true), -sum(sylvester_log_slope(moved, m.product), {1})};
}

template <class T>
nn::Description<T> Sylvester<T>::describe() {
  return nn::Description<T>("sylvester")
      .set("dim", bias_.value().size())
      .set("reflections", mirrors_.value().shape()[0])
      .parameter("triangles", triangles_)
      .parameter("diagonal", diagonal_)
      .parameter("bias", bias_)
      .parameter("mirrors", mirrors_);
}

template class Sylvester<float>;
template class Sylvester<double>;

}  // namespace fjord::flows
