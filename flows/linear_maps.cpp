#include "fjord/flows/linear_maps.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/factor.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/matrix_shape.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/solve.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/columns.hpp"
#include "fjord/flows/permutation.hpp"

namespace fjord::flows {
namespace {

template <class T>
Tensor<T> random_vectors(Index dim, Index count, const RandomKey& random) {
  require(dim > 0 && count > 0, "householder", [&] {
    return "a column and a reflection at least are needed, got " + std::to_string(dim) + " and " +
           std::to_string(count);
  });
  Tensor<T> vectors = Tensor<T>::zeros({count, dim});
  random.normal(vectors.storage());
  return vectors;
}

template <class T>
Index expected_reflections(nn::PartReader<T>& reader) {
  const Index count = reader.size("reflections");
  reader.expect_weights(static_cast<double>(count) * static_cast<double>(reader.size("dim")));
  return count;
}

Tensor<double> checked_square(const Tensor<double>& matrix) {
  const Shape& shape = matrix.shape();
  require(shape.rank() == 2 && shape[0] == shape[1] && shape[0] > 0, "lu_linear",
          [&] { return "a square matrix is needed, got shape " + to_string(shape); });
  return matrix;
}

// P L U of a matrix; row k of L U is row places[k] of the matrix.
struct Factors {
  std::vector<Index> places;
  Tensor<double> lu;  // L below the diagonal, U on and above it
};

Factors factors_of(Tensor<double> a) {
  const Index n = a.shape()[0];
  Factors result;
  for (Index k = 0; k < n; ++k) result.places.push_back(k);
  for (Index k = 0; k < n; ++k) {
    Index pivot = k;
    for (Index i = k + 1; i < n; ++i) {
      if (std::abs(a(i, k)) > std::abs(a(pivot, k))) pivot = i;
    }
    std::swap(result.places[static_cast<std::size_t>(k)],
              result.places[static_cast<std::size_t>(pivot)]);
    for (Index j = 0; j < n; ++j) std::swap(a(k, j), a(pivot, j));
    require(a(k, k) != 0 && std::isfinite(a(k, k)), "lu_linear", "the matrix is singular");
    for (Index i = k + 1; i < n; ++i) {
      a(i, k) /= a(k, k);
      for (Index j = k + 1; j < n; ++j) a(i, j) -= a(i, k) * a(k, j);
    }
  }
  result.lu = std::move(a);
  return result;
}

// A rotation or reflection, all of them equally likely.
Tensor<double> random_rotation(Index dim, const RandomKey& random) {
  require(dim > 0, "lu_linear",
          [&] { return "one column at least is needed, got " + std::to_string(dim); });
  Tensor<double> normals = Tensor<double>::zeros({dim, dim});
  random.normal(normals.storage());
  Tape<double> tape;
  return Tensor<double>(qr(tape.input(normals)).q.value());
}

template <class T>
std::vector<Index> expected_order(nn::PartReader<T>& reader) {
  std::vector<Index> order = reader.counts("order");
  const auto dim = static_cast<double>(order.size());
  reader.expect_weights(dim * dim);
  return order;
}

Tensor<Index> places_of(const std::vector<Index>& order) {
  return Tensor<Index>::from({static_cast<Index>(order.size())}, order);
}

template <class T>
Index expected_triangle(nn::PartReader<T>& reader) {
  const Index dim = reader.size("dim");
  const auto n = static_cast<double>(dim);
  reader.expect_weights(n + n * (n + 1) / 2);
  return dim;
}

// Of every entry of a matrix its place in the list of a triangle; 0 above the diagonal.
Tensor<Index> places_in_triangle(Index dim) {
  Tensor<Index> places = Tensor<Index>::zeros({dim, dim});
  for (Index i = 0; i < dim; ++i)
    for (Index j = 0; j <= i; ++j) places(i, j) = i * (i + 1) / 2 + j;
  return places;
}

}  // namespace

template <class T>
Householder<T>::Householder(Index dim, Index reflections, const RandomKey& random)
    : vectors_(random_vectors<T>(dim, reflections, random)),
      halved_(Tensor<T>::ones({reflections, reflections})) {
  for (Index k = 0; k < reflections; ++k) halved_(k, k) = T(0.5);
}

template <class T>
Householder<T>::Householder(nn::PartReader<T>& reader)
    : Householder(reader.size("dim"), expected_reflections(reader), RandomKey(0)) {}

template <class T>
Var<T> Householder<T>::reflect(const Var<T>& x, bool reversed) const {
  check_rows(x, vectors_.value().shape()[1], "householder");
  const Var<T> v = x.tape().bind(vectors_);
  const Var<T> vt = transpose(v);
  const Var<T> s = matmul(v, vt) * x.tape().input(halved_);
  // A row is x^T: the order of the factors is the reverse of that for columns.
  const TriangularForm form{.lower = false, .transposed = reversed, .side = Side::right};
  return x - matmul(triangular_solve(s, matmul(x, vt), form), v);
}

template <class T>
WithLogDet<T> Householder<T>::forward_with_log_det(const Var<T>& x, Context<T>&) const {
  return {reflect(x, false), zero_log_det(x)};
}

template <class T>
WithLogDet<T> Householder<T>::inverse_with_log_det(const Var<T>& y, Context<T>&) const {
  return {reflect(y, true), zero_log_det(y)};
}

template <class T>
nn::Description<T> Householder<T>::describe() {
  const Shape& shape = vectors_.value().shape();
  return nn::Description<T>("householder")
      .set("dim", shape[1])
      .set("reflections", shape[0])
      .parameter("vectors", vectors_);
}

template <class T>
LuLinear<T>::LuLinear(Index dim, const RandomKey& random)
    : LuLinear(random_rotation(dim, random)) {}

template <class T>
LuLinear<T>::LuLinear(const Tensor<double>& matrix) : factors_(checked_square(matrix).as<T>()) {
  Factors factors = factors_of(matrix);
  std::vector<double> signs;
  for (Index k = 0; k < matrix.shape()[0]; ++k) {
    double& diagonal = factors.lu(k, k);
    signs.push_back(diagonal > 0 ? 1 : -1);
    diagonal = std::log(std::abs(diagonal));
  }
  fix(inverse_order(factors.places, "lu_linear"), std::move(signs));
  std::transform(factors.lu.storage().begin(), factors.lu.storage().end(),
                 factors_.mutable_values().begin(), [](double v) { return static_cast<T>(v); });
}

template <class T>
LuLinear<T>::LuLinear(std::vector<Index> order, std::vector<double> signs)
    : factors_(
          Tensor<T>::zeros({static_cast<Index>(order.size()), static_cast<Index>(order.size())})) {
  fix(std::move(order), std::move(signs));
}

template <class T>
void LuLinear<T>::fix(std::vector<Index> order, std::vector<double> signs) {
  const bool are_signs =
      std::all_of(signs.begin(), signs.end(), [](double sign) { return sign == 1 || sign == -1; });
  require(are_signs && signs.size() == order.size(), "lu_linear",
          "a sign, 1 or -1, is needed for each column");
  places_back_ = places_of(inverse_order(order, "lu_linear"));
  places_ = places_of(order);
  sign_ = column_numbers<T>(signs, Needed::finite, "lu_linear");
  order_ = std::move(order);
  signs_ = std::move(signs);
}

template <class T>
LuLinear<T>::LuLinear(nn::PartReader<T>& reader)
    : LuLinear(expected_order(reader), reader.numbers("signs")) {}

template <class T>
Var<T> LuLinear<T>::upper(const Var<T>& factors, const Var<T>& log_diagonal) const {
  return triu(factors, 1) + diag(exp(log_diagonal) * factors.tape().input(sign_));
}

template <class T>
WithLogDet<T> LuLinear<T>::forward_with_log_det(const Var<T>& x, Context<T>&) const {
  check_rows(x, sign_.size(), "lu_linear");
  Tape<T>& tape = x.tape();
  const Var<T> factors = tape.bind(factors_);
  const Var<T> log_diagonal = diag(factors);
  const Var<T> lower = tril(factors, -1) + tape.input(Tensor<T>::identity(sign_.size()));
  const Var<T> product = matmul(lower, upper(factors, log_diagonal));
  return {take(matmul(x, transpose(product)), places_, 1), log_det_of_rows(x, sum(log_diagonal))};
}

template <class T>
WithLogDet<T> LuLinear<T>::inverse_with_log_det(const Var<T>& y, Context<T>&) const {
  check_rows(y, sign_.size(), "lu_linear");
  const Var<T> factors = y.tape().bind(factors_);
  const Var<T> log_diagonal = diag(factors);
  const Var<T> z = triangular_solve(
      factors, take(y, places_back_, 1),
      {.lower = true, .transposed = true, .unit_diagonal = true, .side = Side::right});
  return {triangular_solve(upper(factors, log_diagonal), z,
                           {.lower = false, .transposed = true, .side = Side::right}),
          log_det_of_rows(y, -sum(log_diagonal))};
}

template <class T>
nn::Description<T> LuLinear<T>::describe() {
  return nn::Description<T>("lu_linear")
      .set("order", order_)
      .set("signs", signs_)
      .parameter("factors", factors_);
}

template <class T>
Triangular<T>::Triangular(Index dim)
    : shift_(column_zeros<T>(dim, "triangular")),
      triangle_(Tensor<T>::zeros({dim * (dim + 1) / 2})),
      places_(places_in_triangle(dim)) {}

template <class T>
Triangular<T>::Triangular(nn::PartReader<T>& reader) : Triangular(expected_triangle(reader)) {}

template <class T>
auto Triangular<T>::bind(Tape<T>& tape) const -> Factor {
  const Var<T> entries = take(tape.bind(triangle_), places_, 0);
  const Var<T> log_diagonal = diag(entries);
  return {tril(entries, -1) + diag(exp(log_diagonal)), log_diagonal};
}

template <class T>
WithLogDet<T> Triangular<T>::forward_with_log_det(const Var<T>& x, Context<T>&) const {
  check_rows(x, shift_.value().size(), "triangular");
  const Factor factor = bind(x.tape());
  return {affine(x, factor.matrix, x.tape().bind(shift_)),
          log_det_of_rows(x, sum(factor.log_diagonal))};
}

template <class T>
WithLogDet<T> Triangular<T>::inverse_with_log_det(const Var<T>& y, Context<T>&) const {
  check_rows(y, shift_.value().size(), "triangular");
  const Factor factor = bind(y.tape());
  return {triangular_solve(factor.matrix, y - y.tape().bind(shift_),
                           {.lower = true, .transposed = true, .side = Side::right}),
          log_det_of_rows(y, -sum(factor.log_diagonal))};
}

template <class T>
nn::Description<T> Triangular<T>::describe() {
  return nn::Description<T>("triangular")
      .set("dim", shift_.value().size())
      .parameter("shift", shift_)
      .parameter("triangle", triangle_);
}

template class Householder<float>;
template class Householder<double>;
template class LuLinear<float>;
template class LuLinear<double>;
template class Triangular<float>;
template class Triangular<double>;

}  // namespace fjord::flows
