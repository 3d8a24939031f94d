/// The norms that step control looks at.
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/ode/error_norm.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/solves.hpp"
#include "fjord/tests/support/tolerances.hpp"

namespace fjord::ode {
namespace {

using test::solve_values;

using test::tolerances;

Tensor<double> normals(const Shape& shape, std::uint64_t seed) {
  Tensor<double> draws = Tensor<double>::zeros(shape);
  RandomKey(seed).normal(draws.storage());
  return draws;
}

/// The norm by its definition, in long double, from columns of rows.
double norm_by_hand(ErrorNorm norm, const Tensor<double>& ratios) {
  const Index rows = ratios.shape().rank() == 0 ? 1 : ratios.shape()[0];
  const Index columns = rows == 0 ? 0 : ratios.size() / rows;
  long double sum = 0;
  long double largest = 0;
  for (Index i = 0; i < rows; ++i) {
    long double row = 0;
    for (Index j = 0; j < columns; ++j) {
      const long double r = ratios.storage()[static_cast<std::size_t>(i + j * rows)];
      row += r * r;
    }
    sum += row;
    largest = std::max(largest, row / static_cast<long double>(columns));
  }
  if (ratios.size() == 0) return 0;
  if (norm == ErrorNorm::maximum) {
    long double most = 0;
    for (const double r : ratios.storage()) most = std::max<long double>(most, std::abs(r));
    return static_cast<double>(most);
  }
  return static_cast<double>(
      std::sqrt(norm == ErrorNorm::rms ? sum / static_cast<long double>(ratios.size()) : largest));
}

TEST_CASE_TEMPLATE("norm: all norms are what they say, for every shape and size", T, float,
                   double) {
  const std::vector<Shape> shapes{{},        {1},        {7},     {63},     {64},     {65},
                                  {1, 5},    {3, 1},     {64, 3}, {128, 3}, {200, 2}, {1, 300},
                                  {2, 3, 4}, {70, 2, 2}, {0, 3},  {5, 0}};
  for (const Shape& shape : shapes) {
    for (const ErrorNorm norm : {ErrorNorm::rms, ErrorNorm::largest_row, ErrorNorm::maximum}) {
      CAPTURE(to_string(shape));
      SolveOptions options = tolerances(1e-2, 1e-3);
      options.norm = norm;
      const Tensor<T> y = normals(shape, 1).template as<T>();
      const Tensor<T> next = normals(shape, 2).template as<T>();
      const Tensor<T> slope = normals(shape, 3).template as<T>();
      std::vector<Tensor<T>> terms;
      std::vector<const T*> vectors;
      std::vector<double> weights;
      double weight = 0;
      for (int j = 0; j < 7; ++j) {
        terms.push_back(slope);
        for (T& entry : terms.back().storage()) entry *= static_cast<T>(j * j);
        weights.push_back(j == 1 ? 0 : 0.3 - 0.1 * j);
        weight += weights.back() * j * j;
      }
      vectors.reserve(terms.size());
      for (const Tensor<T>& term : terms) vectors.push_back(term.data());
      Tensor<double> errors = slope.template as<double>();
      Tensor<double> scaled = slope.template as<double>();
      for (std::size_t i = 0; i < errors.storage().size(); ++i) {
        const auto before = static_cast<double>(std::abs(y.storage()[i]));
        const auto after = static_cast<double>(std::abs(next.storage()[i]));
        errors.storage()[i] *= weight * 0.3 / (1e-3 + 1e-2 * std::max(before, after));
        scaled.storage()[i] /= 1e-3 + 1e-2 * before;
      }
      const double bound = std::is_same_v<T, double> ? 1e-12 : 1e-4;
      const Entries<T> at{y.data(), y.size(), shape.rank() == 0 ? 1 : shape[0]};
      CHECK(squared_error_norm<T>(options, {0.3, weights, vectors}, at, next.data()) ==
            doctest::Approx(std::pow(norm_by_hand(norm, errors), 2)).epsilon(bound));
      CHECK(scaled_norm(options, slope.data(), at) ==
            doctest::Approx(norm_by_hand(norm, scaled)).epsilon(bound));
    }
  }
}

TEST_CASE_TEMPLATE("norm: NaN and infinities show, however they hide, and large numbers do not", T,
                   float, double) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const T infinity = std::numeric_limits<T>::infinity();
  const T large = std::numeric_limits<T>::max();
  for (const ErrorNorm norm : {ErrorNorm::rms, ErrorNorm::largest_row}) {
    SolveOptions options = tolerances(1e-3, 1e-5);
    options.norm = norm;
    for (const Index at : {0, 63, 64, 129}) {
      const auto norm_with = [&](T slope, T next) {
        Tensor<T> slopes = Tensor<T>::zeros({65, 2});
        Tensor<T> after = Tensor<T>::ones({65, 2});
        slopes.storage()[static_cast<std::size_t>(at)] = slope;
        after.storage()[static_cast<std::size_t>(at)] = next;
        const Tensor<T> others = Tensor<T>::zeros({65, 2});
        const Tensor<T> before = Tensor<T>::ones({65, 2});
        const std::array weights{0.5, -71.0 / 16695, 0.25};
        const std::array<const T*, 3> vectors{others.data(), slopes.data(), others.data()};
        return std::sqrt(squared_error_norm<T>(options, {1.0, weights, vectors},
                                               {before.data(), 130, 65}, after.data()));
      };
      CHECK(norm_with(0, 1) == 0);
      CHECK_FALSE(std::isfinite(norm_with(nan, 1)));
      CHECK_FALSE(std::isfinite(norm_with(infinity, 1)));
      CHECK_FALSE(std::isfinite(norm_with(0, nan)));
      CHECK_FALSE(std::isfinite(norm_with(0, infinity)));
      CHECK(std::isfinite(norm_with(large, 1)));
      CHECK(norm_with(large, 1) > 1e9);
      // Of a double, no larger than that the square of the norm is one.
      const T half = std::sqrt(large) * (std::is_same_v<T, double> ? T(1e-3) : T(100));
      const double ratio = static_cast<double>(half) * 71.0 / 16695 /
                           (norm == ErrorNorm::rms ? std::sqrt(130.0) : std::sqrt(2.0));
      CHECK(norm_with(half, 1) == doctest::Approx(ratio / (1e-5 + 1e-3)).epsilon(1e-5));
    }
  }
}

TEST_CASE("norm: a row is no less accurate in company than on its own") {
  // Row i is y' = cos(a_i t), a_i = 1 to 60 where the fastest is one of 128.
  for (const double tolerance : {1e-4, 1e-6}) {
    const auto worst_error = [&](Index rows, ErrorNorm norm) {
      Tape<double> tape;
      Tensor<double> rates = Tensor<double>::full({rows, 1}, 0.1);
      rates(0, 0) = 60;
      const Var<double> rate = tape.input(rates);
      const Field<double> f = [&](const Var<double>& t, const Var<double>&) {
        return cos(rate * t);
      };
      SolveOptions options = tolerances(tolerance, tolerance);
      options.norm = norm;
      const Var<double> y =
          solve_values(f, tape.input(Tensor<double>::zeros({rows, 1})), {0, 2}, options).y;
      return std::abs(y.value()(0, 0) - std::sin(120.0) / 60);
    };
    const double alone = worst_error(1, ErrorNorm::rms);
    CHECK(worst_error(128, ErrorNorm::largest_row) <= 2 * alone);
    CHECK(worst_error(128, ErrorNorm::rms) > 2 * alone);
  }
}

}  // namespace
}  // namespace fjord::ode
