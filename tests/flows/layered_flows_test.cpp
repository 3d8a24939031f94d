#include "fjord/flows/layered_flows.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

constexpr SplineSettings spline{4, 2.0};

LayeredSettings small(Index given) {
  return {3, 2, {{5}, "tanh", given}};
}

struct ChainCase {
  const char* name;
  std::function<std::unique_ptr<Chain<double>>(const LayeredSettings&, const RandomKey&)> make;
};

const std::vector<ChainCase> chains{
    {"nice", make_nice<double>},
    {"real_nvp", make_real_nvp<double>},
    {"glow", make_glow<double>},
    {"spline_coupling",
     [](const LayeredSettings& s, const RandomKey& key) {
       return make_spline_coupling<double>(s, spline, key);
     }},
    {"maf", make_maf<double>},
    {"iaf", make_iaf<double>},
    {"spline_autoregressive", [](const LayeredSettings& s, const RandomKey& key) {
       return make_spline_autoregressive<double>(s, spline, key);
     }}};

// The weights of masked networks.
std::vector<std::string> masked_in(Chain<double>& chain) {
  std::vector<std::string> names;
  for (const auto& p : nn::parameters_of(chain)) {
    const bool is_masked =
        std::ranges::any_of(p.parameter->value().to_vector(), [](double w) { return w == 0; });
    if (is_masked && p.name.find("layers.0.weight") != std::string::npos) {
      names.push_back(p.name);
      names.push_back(p.name);
      names.back().replace(names.back().find("layers.0"), 8, "layers.1");
    }
  }
  return names;
}

TEST_CASE("layered_flows: every chain is a bijector, with what is given") {
  for (const ChainCase& c : chains) {
    test::check_bijector({.name = c.name,
                          .make = [&](const RandomKey& key) { return c.make(small(2), key); },
                          .x = test::normals({12, 3}, 1),
                          .given = test::normals({12, 2}, 9),
                          .tolerance = 1e-8,
                          .idle = masked_in(*c.make(small(2), RandomKey(1)))});
  }
}

TEST_CASE("layered_flows: three layers let every number depend on every other") {
  for (const ChainCase& c : chains) {
    CAPTURE(c.name);
    LayeredSettings settings = small(0);
    settings.layers = 3;
    const auto chain = c.make(settings, RandomKey(2));
    for (const auto& p : nn::parameters_of(*chain))
      RandomKey(3).fold(p.name.size()).normal(p.parameter->mutable_values());
    const Tensor<double> jacobian = fjord::jacobian<double>(
        [&](const Var<double>& y) {
          Context<double> context;
          return chain->inverse(y, context);
        },
        test::normals({1, 3}, 3, 0.5));
    for (const double d : jacobian.to_vector()) CHECK(d != 0);
  }
}

TEST_CASE("layered_flows: numbers that must be positive are") {
  for (const ChainCase& c : chains) {
    CHECK_THROWS_AS(c.make({0, 2, {}}, RandomKey(1)), std::invalid_argument);
    CHECK_THROWS_AS(c.make({3, 0, {}}, RandomKey(1)), std::invalid_argument);
    CHECK_THROWS_AS(c.make({3, 2, {{0}, "tanh", 0}}, RandomKey(1)), std::invalid_argument);
    CHECK_THROWS_AS(c.make({3, 2, {{4}, "tanh", -1}}, RandomKey(1)), std::invalid_argument);
    CHECK_THROWS_AS(c.make({3, 2, {{4}, "step", 0}}, RandomKey(1)), std::invalid_argument);
  }
}

}  // namespace
}  // namespace fjord::flows
