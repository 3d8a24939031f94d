#include "fjord/autodiff/ops/least_squares.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"
#include "fjord/tests/support/matrices.hpp"

namespace fjord::test {
namespace {

Tensor<double> empty(const Shape& shape) {
  return Tensor<double>::zeros(shape);
}

// The sum of s_k u_k v_k^T with columns of two reflections, or its pseudo-inverse.
Tensor<double> with_singular_values(Index m, Index n, const std::vector<double>& s, bool inverse) {
  const Tensor<double> u = reflection(m);
  const Tensor<double> v = reflection(n, 2);
  Tensor<double> result = inverse ? empty({n, m}) : empty({m, n});
  for (std::size_t k = 0; k < s.size(); ++k) {
    const auto column = static_cast<Index>(k);
    for (Index i = 0; i < m; ++i) {
      for (Index j = 0; j < n; ++j) {
        const double entry = u(i, column) * v(j, column);
        (inverse ? result(j, i) : result(i, j)) += inverse ? entry / s[k] : entry * s[k];
      }
    }
  }
  return result;
}

void add_pinv_rows(Rows& rows) {
  const auto f = [](const auto& v) { return pinv(v[0]); };
  const std::vector<double> s{3, 1.5, 2};
  const auto add = [&](const std::string& variant, Index m, Index n) -> Row& {
    return rows.add("pinv", variant, f, {with_singular_values(m, n, s, false)},
                    {with_singular_values(m, n, s, true)});
  };
  add("tall", 5, 3)
      .edge({Tensor<double>{{1, 0}, {0, 0}, {0, 0}}}, Tensor<double>{{1, 0, 0}, {0, 0, 0}},
            {Tensor<double>::full({3, 2}, nan)})
      .edge({Tensor<double>{{0.0}}}, Tensor<double>{{0.0}}, {Tensor<double>{{nan}}})
      .edge({Tensor<double>{{nan, 2}, {2, 1}}}, Tensor<double>::full({2, 2}, nan), {})
      .edge({empty({0, 0})}, empty({0, 0}), {})
      .edge({empty({3, 0})}, empty({0, 3}), {})
      .edge({empty({0, 3})}, empty({3, 0}), {})
      .edge({empty({0, 3, 2})}, empty({0, 2, 3}), {})
      .reject({empty({2})});
  add("wide", 3, 4);
  add("square", 3, 3);
  rows.add("pinv", "batch", f,
           {batch_of({with_singular_values(4, 3, s, false),
                      with_singular_values(4, 3, {1, 1, 1}, false)})},
           {batch_of({with_singular_values(4, 3, s, true),
                      with_singular_values(4, 3, {1, 1, 1}, true)})});
}

void add_lstsq_rows(Rows& rows) {
  const auto f = [](const auto& v) { return lstsq(v[0], v[1]); };
  const std::vector<double> s{3, 1.5, 2};
  const Tensor<double> tall = with_singular_values(5, 3, s, false);
  const Tensor<double> b = sample({5, 2}, 71);
  rows.add("lstsq", "tall", f, {tall, b},
           {multiply_by_loops(with_singular_values(5, 3, s, true), b)})
      .edge({Tensor<double>{{1, 1}, {1, 1}}, Tensor<double>{{1, 2}, {3, 2}}},
            Tensor<double>{{1, 1}, {1, 1}},
            {Tensor<double>::full({2, 2}, nan), Tensor<double>::full({2, 2}, nan)})
      .edge({empty({2, 2}), Tensor<double>{1, 2}}, Tensor<double>{0, 0}, {})
      .edge({empty({3, 0}), empty({3, 2})}, empty({0, 2}), {})
      .edge({empty({0, 3}), empty({0, 2})}, empty({3, 2}), {})
      .edge({empty({3, 2}), empty({3, 0})}, empty({2, 0}), {})
      .reject({empty({3, 2}), empty({2})})
      .reject({empty({3, 2}), empty({2, 3})})
      .reject({empty({3}), empty({3})})
      .reject({empty({2, 3, 2}), empty({3, 3, 1})});
  const Tensor<double> wide = with_singular_values(3, 4, s, false);
  const Tensor<double> given = sample({3, 2}, 72);
  rows.add("lstsq", "wide", f, {wide, given},
           {multiply_by_loops(with_singular_values(3, 4, s, true), given)});
  // The mean, and the line through (0, 1), (1, 3), (2, 2), (3, 4).
  rows.add("lstsq", "vector", f, {Tensor<double>{{1}, {1}, {1}}, Tensor<double>{1, 5, 3}},
           {Tensor<double>{3}});
  rows.add("lstsq", "line", f,
           {Tensor<double>{{1, 0}, {1, 1}, {1, 2}, {1, 3}}, Tensor<double>{1, 3, 2, 4}},
           {Tensor<double>{1.3, 0.8}});
  rows.add("lstsq", "batch and one right-hand side", f, {batch_of({tall, tall}), b},
           {batch_of({multiply_by_loops(with_singular_values(5, 3, s, true), b),
                      multiply_by_loops(with_singular_values(5, 3, s, true), b)})});
}

}  // namespace

void add_least_squares_rows(Rows& rows) {
  add_lstsq_rows(rows);
  add_pinv_rows(rows);
}

}  // namespace fjord::test
