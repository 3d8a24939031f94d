#include "fjord/flows/transformer.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/transformers.hpp"

namespace fjord::flows {
namespace {

struct Numbers {
  Tensor<double> value;
  Tensor<double> log_slope;
};

Numbers apply(const Transformer<double>& transformer, const Tensor<double>& x,
              const Tensor<double>& parameters, bool inverted = false) {
  Tape<double> tape;
  const WithLogSlope<double> y = inverted
                                     ? transformer.invert(tape.input(x), tape.input(parameters))
                                     : transformer.apply(tape.input(x), tape.input(parameters));
  return {Tensor<double>(y.value.value()), Tensor<double>(y.log_slope.value())};
}

TEST_CASE("transformer: parameters of 0 make the identity") {
  const Tensor<double> x{{-3, -1.3, 0}, {0.2, 1.999, 7}};
  for (const auto& c : test::all_transformers()) {
    CAPTURE(c.name);
    const auto transformer = c.make();
    const Tensor<double> zeros = Tensor<double>::zeros({2, 3 * transformer->parameter_count()});
    const Numbers y = apply(*transformer, x, zeros);
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
    const Numbers y = apply(*transformer, x, both);
    for (Index d = 0; d < 2; ++d) {
      Tensor<double> own = Tensor<double>::zeros({1, count});
      for (Index k = 0; k < count; ++k) own(0, k) = both(0, k * 2 + d);
      const Numbers alone = apply(*transformer, Tensor<double>{{x(0, d)}}, own);
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
    const Numbers y = apply(*transformer, x, parameters);
    for (Index i = 1; i < points; ++i) CHECK(y.value(i, 0) > y.value(i - 1, 0));
    const Numbers back = apply(*transformer, y.value, parameters, true);
    CHECK(test::worst_difference(back.value, x) < 1e-10);
    for (Index i = 0; i < points; ++i)
      CHECK(back.log_slope(i, 0) == doctest::Approx(-y.log_slope(i, 0)).epsilon(1e-8));
  }
}

TEST_CASE("transformer: NaN stays NaN, and infinite numbers do not become finite ones") {
  for (const auto& c : test::all_transformers()) {
    CAPTURE(c.name);
    const auto transformer = c.make();
    const Tensor<double> x{{NAN, INFINITY, -INFINITY}};
    const Tensor<double> parameters = test::normals({1, 3 * transformer->parameter_count()}, 4);
    for (const bool inverted : {false, true}) {
      const Numbers y = apply(*transformer, x, parameters, inverted);
      CHECK(std::isnan(y.value(0, 0)));
      CHECK(!std::isfinite(y.value(0, 1)));
      CHECK(!std::isfinite(y.value(0, 2)));
    }
  }
}

}  // namespace
}  // namespace fjord::flows
