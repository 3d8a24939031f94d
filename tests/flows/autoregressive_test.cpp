#include "fjord/flows/autoregressive.hpp"

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"
#include "fjord/tests/support/transformers.hpp"

namespace fjord::flows {
namespace {

const std::vector<std::string> masked{"network.layers.0.weight", "network.layers.1.weight"};

TEST_CASE("autoregressive: with every transformer, it is a bijector") {
  for (const auto& transformer : test::all_transformers()) {
    test::check_bijector({.name = transformer.name,
                          .make =
                              [&](const RandomKey& key) {
                                return std::make_unique<Autoregressive<double>>(
                                    AutoregressiveSettings{{0, 1, 2}, {{5}, "tanh", 0}},
                                    transformer.make(), key);
                              },
                          .x = test::normals({12, 3}, 10),
                          .tolerance = 1e-8,
                          .idle = masked});
  }
}

TEST_CASE("autoregressive: given numbers, orders and the exchanged maps make no difference") {
  for (const bool is_inverse : {false, true}) {
    const auto make = [&](const RandomKey& key) -> std::unique_ptr<Bijector<double>> {
      auto flow = std::make_unique<Autoregressive<double>>(
          AutoregressiveSettings{{2, 0, 3, 1}, {{5}, "tanh", 2}},
          std::make_unique<AffineTransformer<double>>(), key);
      if (!is_inverse) return flow;
      return std::make_unique<Inverse<double>>(std::move(flow));
    };
    std::vector<std::string> names = masked;
    for (std::string& name : names) name.insert(0, is_inverse ? "part." : "");
    test::check_bijector({.name = is_inverse ? "inverse" : "masked",
                          .make = make,
                          .x = test::normals({4, 4}, 8),
                          .given = test::normals({4, 2}, 9),
                          .idle = names});
  }
}

TEST_CASE("autoregressive: one column alone, and one with given numbers, are affine maps") {
  for (const Index given : {0, 2}) {
    test::check_bijector({.name = "one column",
                          .make =
                              [&](const RandomKey& key) {
                                return std::make_unique<Autoregressive<double>>(
                                    AutoregressiveSettings{{0}, {{4}, "tanh", given}},
                                    std::make_unique<AffineTransformer<double>>(), key);
                              },
                          .x = test::normals({4, 1}, 8),
                          .given = given > 0 ? test::normals({4, 2}, 9) : Tensor<double>(),
                          .idle = {"network.layers.0.weight"}});
  }
}

TEST_CASE("autoregressive: the base depends on the data before it in the order, and on all of it") {
  const std::vector<Index> order{2, 0, 3, 1};
  Autoregressive<double> flow({order, {{12, 12}, "tanh", 0}},
                              std::make_unique<AffineTransformer<double>>(), RandomKey(1));
  for (const auto& p : nn::parameters_of(flow)) RandomKey(2).normal(p.parameter->mutable_values());
  const Tensor<double> jacobian = fjord::jacobian<double>(
                                      [&](const Var<double>& y) {
                                        Context<double> context;
                                        return flow.inverse(y, context);
                                      },
                                      test::normals({1, 4}, 3))
                                      .reshaped({4, 4});
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 4; ++j) CHECK((jacobian(order[i], order[j]) != 0) == (j <= i));
  }
}

TEST_CASE("autoregressive: wrong settings and rows are refused") {
  const auto make = [](std::vector<Index> order) {
    return Autoregressive<double>({std::move(order), {{4}, "tanh", 0}},
                                  std::make_unique<AffineTransformer<double>>(), RandomKey(1));
  };
  for (const std::vector<Index>& order :
       {std::vector<Index>{}, std::vector<Index>{1, 2}, std::vector<Index>{0, 0}})
    CHECK_THROWS_WITH_AS(make(order), "[autoregressive] an order with each column once is needed",
                         std::invalid_argument);
  const auto flow = make({0, 1});
  Tape<double> tape;
  Context<double> context;
  CHECK_THROWS_AS(flow.forward(tape.input(Tensor<double>::zeros({2, 3})), context),
                  std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
