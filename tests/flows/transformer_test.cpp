#include "fjord/flows/transformer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/transformers.hpp"

namespace fjord::flows {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class T>
struct Numbers {
  Tensor<T> value;
  Tensor<T> log_slope;
  Tensor<T> slope;  // by forward mode
};

template <class T>
Numbers<T> apply(const Transformer<T>& transformer, const Tensor<T>& x, const Tensor<T>& parameters,
                 bool inverted = false) {
  Tape<T> tape;
  const Var<T> in = tape.input(x);
  const WithLogSlope<T> y = inverted ? transformer.invert(in, tape.input(parameters))
                                     : transformer.apply(in, tape.input(parameters));
  const Var<T> slope = pushforward(in, ones_like(in), y.value);
  return {Tensor<T>(y.value.value()), Tensor<T>(y.log_slope.value()), Tensor<T>(slope.value())};
}

// Networks inside a transformer begin as 0: here they do something.
template <class T>
test::TransformerPointer<T> made(const test::TransformerCase<T>& c, double deviation) {
  auto transformer = c.make();
  for (const nn::NamedParameter<T>& p : nn::parameters_of(*transformer)) {
    const Tensor<double> draws = test::normals(p.parameter->value().shape(), 5, deviation);
    std::ranges::copy(draws.storage(), p.parameter->mutable_values().begin());
  }
  return transformer;
}

// The same float numbers in both precisions.
Tensor<double> doubles(const Tensor<float>& x) {
  Tensor<double> y = Tensor<double>::zeros(x.shape());
  std::ranges::copy(x.storage(), y.storage().begin());
  return y;
}

Tensor<float> floats(const Tensor<double>& x) {
  Tensor<float> y = Tensor<float>::zeros(x.shape());
  std::ranges::transform(x.storage(), y.storage().begin(),
                         [](double number) { return static_cast<float>(number); });
  return y;
}

constexpr double spreads[] = {1, 4, 16, 64};

TEST_CASE("transformer: parameters of 0 make the identity") {
  const Tensor<double> x{{-3, -1.3, 0}, {0.2, 1.999, 7}};
  for (const auto& c : test::all_transformers()) {
    CAPTURE(c.name);
    const auto transformer = c.make();
    const Tensor<double> zeros = Tensor<double>::zeros({2, 3 * transformer->parameter_count()});
    const Numbers<double> y = apply(*transformer, x, zeros);
    CHECK(test::worst_difference(y.value, x) < 1e-14);
    CHECK(test::worst_difference(y.log_slope, Tensor<double>::zeros({2, 3})) < 1e-14);
  }
}

TEST_CASE("transformer: parameters of one kind are side by side") {
  for (const auto& c : test::all_transformers()) {
    CAPTURE(c.name);
    const auto transformer = c.make();
    const Index count = transformer->parameter_count();
    const Tensor<double> x{{0.4, -0.9}};
    const Tensor<double> both = test::normals({1, 2 * count}, 4);
    const Numbers<double> y = apply(*transformer, x, both);
    for (Index d = 0; d < 2; ++d) {
      Tensor<double> own = Tensor<double>::zeros({1, count});
      for (Index k = 0; k < count; ++k) own(0, k) = both(0, k * 2 + d);
      const Numbers<double> alone = apply(*transformer, Tensor<double>{{x(0, d)}}, own);
      CHECK(alone.value(0, 0) == doctest::Approx(y.value(0, d)).epsilon(1e-14));
      CHECK(alone.log_slope(0, 0) == doctest::Approx(y.log_slope(0, d)).epsilon(1e-13));
    }
  }
}

TEST_CASE("transformer: maps increase through all of the line, and their inverses undo them") {
  constexpr Index points = 4001;
  Tensor<double> x = Tensor<double>::zeros({points, 1});
  for (Index i = 0; i < points; ++i) x(i, 0) = -3 + 6.0 * static_cast<double>(i) / (points - 1);
  for (const auto& c : test::all_transformers()) {
    CAPTURE(c.name);
    const auto transformer = c.make();
    const Index count = transformer->parameter_count();
    Tensor<double> parameters = Tensor<double>::zeros({points, count});
    const Tensor<double> one = test::normals({1, count}, 11, 2.0);
    for (Index i = 0; i < points; ++i)
      for (Index k = 0; k < count; ++k) parameters(i, k) = one(0, k);
    const Numbers<double> y = apply(*transformer, x, parameters);
    for (Index i = 1; i < points; ++i) CHECK(y.value(i, 0) > y.value(i - 1, 0));
    const Numbers<double> back = apply(*transformer, y.value, parameters, true);
    CHECK(test::worst_difference(back.value, x) < 1e-10);
    for (Index i = 0; i < points; ++i)
      CHECK(back.log_slope(i, 0) == doctest::Approx(-y.log_slope(i, 0)).epsilon(1e-8));
  }
}

TEST_CASE("transformer: NaN stays NaN, and infinite numbers do not become finite ones") {
  for (const auto& c : test::all_transformers()) {
    CAPTURE(c.name);
    const auto transformer = c.make();
    const Tensor<double> x{{NAN, infinity, -infinity}};
    const Tensor<double> parameters = test::normals({1, 3 * transformer->parameter_count()}, 4);
    for (const bool inverted : {false, true}) {
      const Numbers<double> y = apply(*transformer, x, parameters, inverted);
      CHECK(std::isnan(y.value(0, 0)));
      CHECK(!std::isfinite(y.value(0, 1)));
      CHECK(!std::isfinite(y.value(0, 2)));
    }
  }
}

TEST_CASE("transformer: the log-slope is that of the map that was applied, or NaN") {
  const Tensor<double> x = test::normals({400, 2}, 3, 8.0);
  for (const auto& c : test::all_transformers()) {
    CAPTURE(c.name);
    int finite = 0;
    for (const double spread : spreads) {
      CAPTURE(spread);
      const auto transformer = made(c, spread / 2);
      const Index count = 2 * transformer->parameter_count();
      const Tensor<double> parameters = test::normals({400, count}, 7, spread);
      const Numbers<double> y = apply(*transformer, x, parameters);
      for (std::size_t i = 0; i < x.storage().size(); ++i) {
        const double log_slope = y.log_slope.storage()[i];
        if (std::isnan(log_slope)) continue;
        ++finite;
        CHECK(log_slope == doctest::Approx(std::log(y.slope.storage()[i])).epsilon(1e-9));
      }
    }
    CHECK(finite > 1600);  // half of all
  }
}

// What double finds within some units in the last place of float around x, and of the bound that x
// is compared with. Networks are of the usual size: those of huge weights magnify their own
// rounding.
TEST_CASE("transformer: float finds the log-slope that double finds next to x") {
  const Tensor<float> x = floats(test::normals({400, 2}, 3));
  const double unit = 16 * std::numeric_limits<float>::epsilon();
  const auto in_double = test::all_transformers<double>();
  const auto in_float = test::all_transformers<float>();
  for (std::size_t k = 0; k < in_float.size(); ++k) {
    for (const double spread : spreads) {
      CAPTURE(std::string(in_float[k].name));
      CAPTURE(spread);
      const auto transformer = made(in_float[k], 1);
      const auto exact = made(in_double[k], 1);
      const Index count = 2 * transformer->parameter_count();
      const Tensor<float> parameters = floats(test::normals({400, count}, 7, spread));
      for (const bool inverted : {false, true}) {
        CAPTURE(inverted);
        const Numbers<float> y = apply(*transformer, x, parameters, inverted);
        Tensor<double> least = Tensor<double>::full(x.shape(), infinity);
        Tensor<double> most = Tensor<double>::full(x.shape(), -infinity);
        for (int step = -16; step <= 16; ++step) {
          Tensor<double> near = doubles(x);
          for (double& entry : near.storage())
            entry += step / 16.0 * unit * std::max(2.0, std::abs(entry));
          const Numbers<double> z = apply(*exact, near, doubles(parameters), inverted);
          for (std::size_t i = 0; i < z.log_slope.storage().size(); ++i) {
            least.storage()[i] = std::min(least.storage()[i], z.log_slope.storage()[i]);
            most.storage()[i] = std::max(most.storage()[i], z.log_slope.storage()[i]);
          }
        }
        for (std::size_t i = 0; i < x.storage().size(); ++i) {
          const double found = y.log_slope.storage()[i];
          if (std::isnan(found)) continue;
          CAPTURE(x.storage()[i]);
          const double slack = 2e-4 * std::max(1.0, std::abs(found));
          CHECK(found >= least.storage()[i] - slack);
          CHECK(found <= most.storage()[i] + slack);
        }
      }
    }
  }
}

}  // namespace
}  // namespace fjord::flows
