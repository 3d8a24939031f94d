#include "fjord/flows/divergence.hpp"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/gradient_check.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/factor.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

using test::normals;
using test::worst_difference;

Var<double> network(const Var<double>& x, const Var<double>& w, const Var<double>& v) {
  return matmul(tanh(matmul(x, w)), v) * 1.3 + sin(x);
}

/// The divergence by a reverse sweep for each component.
Var<double> by_reverse(const Var<double>& x, const Var<double>& y) {
  Tape<double>& tape = x.tape();
  const Shape shape = x.shape();
  Var<double> total = tape.input(Tensor<double>::zeros({shape[0]}));
  for (Index d = 0; d < shape[1]; ++d) {
    Tensor<double> unit = Tensor<double>::zeros(shape);
    for (Index row = 0; row < shape[0]; ++row) unit(row, d) = 1;
    const Var<double> slope = pullback<double>({y}, {tape.input(unit)}, {x})[0];
    total = total + sum(slice(slope, 1, d, d + 1), {1});
  }
  return total;
}

TEST_CASE("divergence: forward tangents give what reverse sweeps give, and so do its gradients") {
  for (const Index dim : {1, 2, 3, 5}) {
    CAPTURE(dim);
    Tape<double> tape;
    const Vars<double> inputs{tape.input(normals({7, dim}, 1)), tape.input(normals({dim, 4}, 2)),
                              tape.input(normals({4, dim}, 3))};
    const Var<double> y = network(inputs[0], inputs[1], inputs[2]);
    const Var<double> forward = exact_divergence(inputs[0], y, unit_tangents(inputs[0]));
    const Var<double> reverse = by_reverse(inputs[0], y);
    CHECK(forward.shape() == Shape{7});
    CHECK(worst_difference(Tensor<double>(forward.value()), Tensor<double>(reverse.value())) <
          1e-13);
    const Vars<double> of_forward =
        pullback<double>({sum(square(forward))}, {tape.scalar(1.0)}, inputs);
    const Vars<double> of_reverse =
        pullback<double>({sum(square(reverse))}, {tape.scalar(1.0)}, inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      CHECK(worst_difference(Tensor<double>(of_forward[i].value()),
                             Tensor<double>(of_reverse[i].value())) < 1e-11);
    }
  }
}

TEST_CASE("divergence: its derivatives of both orders pass the check") {
  const CheckedFunction f = [](const Vars<double>& inputs) {
    const Var<double> x = inputs[0];
    return exact_divergence(x, network(x, inputs[1], inputs[2]), unit_tangents(x));
  };
  const GradientCheck check =
      check_gradient(f, {normals({3, 2}, 4), normals({2, 4}, 5), normals({4, 2}, 6)}, 1e-3);
  CHECK(check.reverse < 1e-9);
  CHECK(check.forward < 1e-12);
  CHECK(check.second < 1e-11);
}

TEST_CASE("divergence: of a polynomial field") {
  Tape<double> tape;
  const Var<double> x = tape.input(Tensor<double>{{2, 3}, {-1, 0.5}});
  const Var<double> a = slice(x, 1, 0, 1);
  const Var<double> b = slice(x, 1, 1, 2);
  // d(a^2 b)/da + d(a + b^2)/db = 2 a b + 2 b.
  const Var<double> y = concatenate<double>({square(a) * b, a + square(b)}, 1);
  const Var<double> divergence = exact_divergence(x, y, unit_tangents(x));
  CHECK(worst_difference(Tensor<double>(divergence.value()), Tensor<double>{18.0, 0.0}) < 1e-14);
}

TEST_CASE("divergence: of a field that does not depend on its state is 0") {
  Tape<double> tape;
  const Var<double> x = tape.input(normals({4, 3}, 1));
  const Var<double> y = tape.input(normals({4, 3}, 2));
  CHECK(Tensor<double>(exact_divergence(x, y, unit_tangents(x)).value()) ==
        Tensor<double>::zeros({4}));
}

TEST_CASE("divergence: an estimate by orthogonal probes is exact") {
  Tape<double> tape;
  const Var<double> x = tape.input(normals({4, 2}, 1));
  const Var<double> y = network(x, tape.input(normals({2, 4}, 2)), tape.input(normals({4, 2}, 3)));
  // The mean over (1, 1) and (1, -1) of p^T J p is the trace.
  Tensor<double> probes = Tensor<double>::ones({4, 2, 2});
  for (Index row = 0; row < 4; ++row) probes(row, 1, 1) = -1;
  const Tensor<double> estimate(estimated_divergence(x, y, tape.input(probes)).value());
  const Tensor<double> exact(exact_divergence(x, y, unit_tangents(x)).value());
  CHECK(worst_difference(estimate, exact) < 1e-13);
}

TEST_CASE("divergence: estimates have the mean and the variance of Hutchinson's") {
  constexpr Index rows = 100'000;
  const Tensor<double> matrix{{0.3, 1.1}, {-0.4, 0.8}};
  // For p^T A p: Gaussian 2 |S|^2, Rademacher that without the diagonal, S the symmetric part.
  const double off = std::pow(matrix(0, 1) + matrix(1, 0), 2);
  const double on = 2 * (std::pow(matrix(0, 0), 2) + std::pow(matrix(1, 1), 2));
  for (const Probe probe : {Probe::rademacher, Probe::gaussian}) {
    for (const Index count : {1, 3}) {
      Tape<double> tape;
      const Var<double> x = tape.input(Tensor<double>::zeros({rows, 2}));
      const Var<double> y = matmul(x, tape.input(matrix));
      const Var<double> probes = draw_probes(x, count, probe, RandomKey(11), 0);
      const Tensor<double> estimate(estimated_divergence(x, y, probes).value());
      double mean = 0;
      double square_sum = 0;
      for (const double e : estimate.storage()) mean += e / rows;
      for (const double e : estimate.storage()) square_sum += (e - mean) * (e - mean) / rows;
      const double variance =
          (probe == Probe::gaussian ? on + off : off) / static_cast<double>(count);
      CAPTURE(count);
      CHECK(std::abs(mean - 1.1) < 4 * std::sqrt(variance / rows));
      CHECK(square_sum == doctest::Approx(variance).epsilon(0.03));
    }
  }
}

/// U diag(values) U^T with the orthogonal U of a random matrix.
Tensor<double> symmetric(const std::vector<double>& values) {
  const auto dim = static_cast<Index>(values.size());
  Tape<double> tape;
  const Var<double> u = qr(tape.input(normals({dim, dim}, 21))).q;
  Tensor<double> diagonal = Tensor<double>::zeros({dim});
  std::ranges::copy(values, diagonal.storage().begin());
  const Var<double> d = tape.input(diagonal);
  return Tensor<double>(matmul(u * d, transpose(u)).value());
}

/// The estimates for y = x A by products with so many probes' directions, at many rows.
Tensor<double> estimates(Trace trace, const Tensor<double>& a, Index products, Probe probe,
                         Index rows) {
  Tape<double> tape;
  const Var<double> x = tape.input(Tensor<double>::zeros({rows, a.shape()[0]}));
  const Var<double> y = matmul(x, tape.input(a));
  const Var<double> directions = directions_for(trace, x, products, probe, RandomKey(3), 0);
  return Tensor<double>(divergence_of(jacobian_products(trace, x, y, directions)).value());
}

struct Moments {
  double mean = 0;
  double squared_error = 0;
};

Moments moments(const Tensor<double>& estimates, double exact) {
  Moments m;
  const auto count = static_cast<double>(estimates.shape().size());
  for (const double e : estimates.storage()) {
    m.mean += e / count;
    m.squared_error += (e - exact) * (e - exact) / count;
  }
  return m;
}

TEST_CASE("divergence: Hutch++ is exact for a Jacobian of rank up to a third of the products") {
  const Tensor<double> a = symmetric({1.5, -0.7, 0, 0, 0, 0, 0});
  for (const Probe probe : {Probe::rademacher, Probe::gaussian}) {
    const Tensor<double> exact = Tensor<double>::full({40}, 0.8);
    CHECK(worst_difference(estimates(Trace::hutch_plus_plus, a, 6, probe, 40), exact) < 1e-12);
    CHECK(worst_difference(estimates(Trace::hutch_plus_plus, a, 3, probe, 40), exact) > 1e-2);
    CHECK(worst_difference(estimates(Trace::hutchinson, a, 6, probe, 40), exact) > 1e-2);
  }
  // Vectors of signs are often linearly dependent, or orthogonal to these matrices' rows.
  const Tensor<double> full{{0.3, -1.2, 0.5}, {0.7, -0.4, 0.1}, {0.2, 0.9, 1.1}};
  for (const Probe probe : {Probe::rademacher, Probe::gaussian}) {
    CHECK(worst_difference(estimates(Trace::hutch_plus_plus, full, 9, probe, 200),
                           Tensor<double>::full({200}, 1)) < 1e-8);
    CHECK(worst_difference(
              estimates(Trace::hutch_plus_plus, Tensor<double>::ones({4, 4}), 3, probe, 200),
              Tensor<double>::full({200}, 4)) < 1e-8);
  }
  // More probes than there are directions, and nothing to find.
  const Tensor<double> small{{0.3, 1.1}, {-0.4, 0.8}};
  CHECK(worst_difference(estimates(Trace::hutch_plus_plus, small, 9, Probe::gaussian, 5),
                         Tensor<double>::full({5}, 1.1)) < 1e-12);
  CHECK(estimates(Trace::hutch_plus_plus, Tensor<double>::zeros({4, 4}), 6, Probe::gaussian, 5) ==
        Tensor<double>::zeros({5}));
}

TEST_CASE("divergence: Hutch++ has the right mean and less error than Hutchinson's products") {
  constexpr Index rows = 4000;
  std::vector<double> values;
  for (int i = 1; i <= 12; ++i) values.push_back(1.0 / (i * i));
  const Tensor<double> a = symmetric(values);
  double exact = 0;
  for (const double value : values) exact += value;
  for (const Probe probe : {Probe::rademacher, Probe::gaussian}) {
    for (const Index products : {3, 6, 12}) {
      CAPTURE(products);
      const Moments plain = moments(estimates(Trace::hutchinson, a, products, probe, rows), exact);
      const Moments better =
          moments(estimates(Trace::hutch_plus_plus, a, products, probe, rows), exact);
      CHECK(std::abs(better.mean - exact) < 4 * std::sqrt(better.squared_error / rows));
      CHECK(better.squared_error < plain.squared_error);
    }
  }
}

TEST_CASE("divergence: Hutch++ has derivatives where the Jacobian is 0, of the right mean") {
  constexpr Index rows = 20'000;
  Tape<double> tape;
  const Var<double> x = tape.input(Tensor<double>::zeros({rows, 5}));
  const Var<double> factor = tape.scalar(0);
  const Var<double> y = matmul(x, tape.input(symmetric({1.5, -0.7, 0.4, 0.3, 0.2}))) * factor;
  const Var<double> probes =
      directions_for(Trace::hutch_plus_plus, x, 6, Probe::rademacher, RandomKey(3), 0);
  const Var<double> loss = mean(divergence_of(hutch_plus_plus_products(x, y, probes)));
  // The derivative of an estimate is one of the trace 1.7, its deviation that of the part outside
  // of the basis: below the norm 1.8 of the whole.
  CHECK(std::abs(gradient_values<double>(loss, {factor})[0].item() - 1.7) <
        4 * 1.8 / std::sqrt(static_cast<double>(rows)));
}

TEST_CASE("divergence: squares of the Jacobian's norm are exact, and estimated without a bias") {
  constexpr Index rows = 4000;
  const Tensor<double> a{{0.3, 1.1, -0.2}, {-0.4, 0.8, 0.5}, {0.9, 0.1, -0.6}};
  double exact = 0;
  for (const double entry : a.storage()) exact += entry * entry;
  Tape<double> tape;
  const Var<double> x = tape.input(Tensor<double>::zeros({rows, 3}));
  const Var<double> y = matmul(x, tape.input(a));
  const auto norms = [&](Trace trace, Index products) {
    const Var<double> e = directions_for(trace, x, products, Probe::gaussian, RandomKey(4), 0);
    return Tensor<double>(squared_norm_of(jacobian_products(trace, x, y, e)).value());
  };
  CHECK(worst_difference(norms(Trace::exact, 1), Tensor<double>::full({rows}, exact)) < 1e-13);
  for (const Trace trace : {Trace::hutchinson, Trace::hutch_plus_plus}) {
    const Moments m = moments(norms(trace, 3), exact);
    CHECK(std::abs(m.mean - exact) < 4 * std::sqrt(m.squared_error / rows));
    CHECK(m.squared_error > 0.01);
  }
}

TEST_CASE("divergence: numbers of probes out of their range are refused") {
  CHECK_THROWS_WITH_AS(check_probes(Trace::hutchinson, 0),
                       "[divergence] probes must be positive, got 0", std::invalid_argument);
  CHECK_THROWS_WITH_AS(check_probes(Trace::hutch_plus_plus, 4),
                       "[divergence] probes of Hutch++ must be a multiple of 3, got 4",
                       std::invalid_argument);
  check_probes(Trace::hutch_plus_plus, 9);
}

TEST_CASE_TEMPLATE("divergence: probes of a row depend on its number alone", T, float, double) {
  for (const Probe probe : {Probe::rademacher, Probe::gaussian}) {
    Tape<T> tape;
    const Var<T> whole =
        draw_probes(tape.input(Tensor<T>::zeros({9, 2})), 3, probe, RandomKey(5), 0);
    const Var<T> part =
        draw_probes(tape.input(Tensor<T>::zeros({4, 2})), 3, probe, RandomKey(5), 5);
    CHECK(whole.shape() == Shape{9, 3, 2});
    CHECK(Tensor<T>(slice(whole, 0, 5, 9).value()) == Tensor<T>(part.value()));
    const Var<T> other =
        draw_probes(tape.input(Tensor<T>::zeros({4, 2})), 3, probe, RandomKey(6), 5);
    CHECK_FALSE(Tensor<T>(other.value()) == Tensor<T>(part.value()));
    if (probe == Probe::rademacher) {
      for (const T p : Tensor<T>(part.value()).to_vector()) CHECK(std::abs(p) == T(1));
    }
  }
}

TEST_CASE("divergence: other shapes are refused by name") {
  Tape<double> tape;
  const Var<double> x = tape.input(normals({4, 2}, 1));
  const Var<double> other = tape.input(normals({4, 3}, 1));
  const Var<double> flat = tape.input(normals({4}, 1));
  const auto refuses = [](auto f) {
    CHECK_THROWS_WITH_AS(f(), doctest::Contains("[divergence]"), std::invalid_argument);
  };
  refuses([&] { exact_divergence(x, other, unit_tangents(x)); });
  refuses([&] { exact_divergence(flat, flat, unit_tangents(x)); });
  refuses([&] { exact_divergence(x, square(x), unit_tangents(other)); });
  refuses(
      [&] { exact_divergence(x, square(x), draw_probes(x, 1, Probe::gaussian, RandomKey(0), 0)); });
  refuses([&] { estimated_divergence(x, other, unit_tangents(x)); });
}

}  // namespace
}  // namespace fjord::flows
