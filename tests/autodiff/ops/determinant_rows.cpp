#include <cmath>

#include "fjord/autodiff/ops/determinant.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"
#include "fjord/tests/support/matrices.hpp"

namespace fjord::test {
namespace {

Tensor<double> empty(const Shape& shape) {
  return Tensor<double>::zeros(shape);
}

void add_det_row(Rows& rows, const std::string& variant, const Tensor<double>& a) {
  rows.add("det", variant, [](const auto& v) { return det(v[0]); }, {a}, {det_by_minors(a)})
      .with_least(1);
}

// Of rank r in general.
Tensor<double> of_rank(Index r, const Shape& shape, std::uint64_t key) {
  const Index n = shape[shape.rank() - 1];
  const Shape batch(std::span(shape.begin(), shape.rank() - 2));
  const auto factor = [&](Index rows, Index columns, std::uint64_t seed) {
    return sample(batch.with_axis(batch.rank(), rows).with_axis(batch.rank() + 1, columns), seed);
  };
  return multiply_by_loops(factor(n, r, key), factor(r, n, key + 1));
}

void add_det_rows(Rows& rows) {
  const auto f = [](const auto& v) { return det(v[0]); };
  // Gradients of singular matrices are cofactors.
  rows.add("det", "2x2", f, {Tensor<double>{{1.3, 0.4}, {-0.7, 0.9}}}, {Tensor<double>(1.45)})
      .edge({Tensor<double>{{1, 2}, {2, 4}}}, Tensor<double>(0.0),
            {Tensor<double>{{4, -2}, {-2, 1}}})
      .edge({empty({2, 2})}, Tensor<double>(0.0), {empty({2, 2})})
      .edge({Tensor<double>{{1, nan}, {2, 4}}}, Tensor<double>(nan), {})
      .edge({empty({0, 0})}, Tensor<double>(1.0), {})
      .edge({empty({2, 0, 0})}, Tensor<double>{1, 1}, {})
      .edge({empty({0, 2, 2})}, empty({0}), {})
      .edge({empty({0, 4, 4})}, empty({0}), {})
      .edge({Tensor<double>::full({4, 4}, nan)}, Tensor<double>(nan), {})
      .reject({empty({2})})
      .reject({empty({2, 3})});
  rows.add("det", "1x1", f, {Tensor<double>{{-3}}}, {Tensor<double>(-3.0)});
  rows.add("det", "3x3", f, {Tensor<double>{{2, 1, 0}, {1, 3, 1}, {0, 1, 4}}},
           {Tensor<double>(18.0)})
      .edge({Tensor<double>{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}}, Tensor<double>(0.0),
            {Tensor<double>{{-3, 6, -3}, {6, -12, 6}, {-3, 6, -3}}})
      .edge({Tensor<double>{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}}}, Tensor<double>(0.0),
            {empty({3, 3})});
  add_det_row(rows, "batch of 3x3", sample({9, 3, 3}, 51));
  add_det_row(rows, "4x4", sample({4, 4}, 52));
  add_det_row(rows, "batch of 5x5", sample({2, 5, 5}, 53));
  add_det_row(rows, "rank 4 of 5", of_rank(4, {5, 5}, 54));
  add_det_row(rows, "rank 3 of 5", of_rank(3, {5, 5}, 55));
  add_det_row(rows, "rank 1 of 4", of_rank(1, {4, 4}, 56));
  add_det_row(rows, "rank 0 of 4", empty({4, 4}));
  add_det_row(rows, "nearly singular 4x4",
              Tensor<double>{{1, 2, 3, 4}, {2, 4, 6, 8.000001}, {1, 0, 2, 1}, {-1, 3, 0.5, 2}});
  Tensor<double> mixed = of_rank(3, {3, 4, 4}, 57);
  for (Index j = 0; j < 4; ++j) {
    for (Index i = 0; i < 4; ++i) mixed(0, i, j) = i == j ? 2 : i == 1 ? 1 : 0;
    for (Index i = 0; i < 4; ++i) mixed(2, i, j) = static_cast<double>((i + 1) * (j - 2));
  }
  add_det_row(rows, "batch of ranks 4, 3, 1", mixed);
}

}  // namespace

void add_determinant_rows(Rows& rows) {
  add_det_rows(rows);
  const auto f = [](const auto& v) { return log_det(v[0]); };
  const Tensor<double> a{{2, 1}, {1, 3}};
  rows.add("log_det", "", f, {a}, {Tensor<double>(std::log(5.0))})
      .edge({Tensor<double>{{4, 0}, {0, 2}}}, Tensor<double>(std::log(8.0)),
            {Tensor<double>{{0.25, 0}, {0, 0.5}}})
      .edge({Tensor<double>{{1, 2}, {2, 4}}}, Tensor<double>(-inf), {})
      .edge({Tensor<double>{{0, 2}, {2, 0}}}, Tensor<double>(nan), {})
      .edge({Tensor<double>{{nan, 2}, {2, 0}}}, Tensor<double>(nan), {})
      .edge({empty({0, 0})}, Tensor<double>(0.0), {})
      .edge({empty({0, 2, 2})}, empty({0}), {})
      .reject({empty({2})})
      .reject({empty({2, 3})});
  const Tensor<double> batch = positive_definite({3, 4, 4}, 58);
  Tensor<double> logs = det_by_minors(batch);
  for (double& x : logs.storage()) x = std::log(x);
  rows.add("log_det", "batch", f, {batch}, {logs});

  const auto both = [](const auto& v) {
    const auto [sign, log_abs] = slogdet(v[0]);
    return std::vector{sign, log_abs};
  };
  rows.add("slogdet", "", both, {Tensor<double>{{1, 2}, {3, 1}}},
           {Tensor<double>(-1.0), Tensor<double>(std::log(5.0))})
      .edge({Tensor<double>{{1, 2}, {2, 4}}}, Tensor<double>(0.0), {})
      .edge({Tensor<double>{{nan, 2}, {2, 4}}}, Tensor<double>(nan), {})
      .reject({empty({2, 3})});
  rows.add("slogdet", "batch", both, {batch}, {Tensor<double>::ones({3}), logs});
}

}  // namespace fjord::test
