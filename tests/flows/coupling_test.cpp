#include "fjord/flows/coupling.hpp"

#include <doctest/doctest.h>

#include "fjord/flows/affine_transformer.hpp"
#include "fjord/flows/rational_quadratic.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"
#include "fjord/tests/support/transformers.hpp"

namespace fjord::flows {
namespace {

CouplingSettings settings_of(Index dim, CouplingMask mask, bool parity, Index given) {
  return {dim, mask, parity, {{5}, "tanh", given}};
}

TEST_CASE("coupling: with every transformer, it is a bijector") {
  for (const auto& transformer : test::all_transformers()) {
    for (const bool parity : {false, true}) {
      const CouplingSettings settings = settings_of(3, CouplingMask::alternate, parity, 0);
      test::check_bijector({.name = std::string(transformer.name) + (parity ? " odd" : " even"),
                            .make =
                                [&](const RandomKey& key) {
                                  return std::make_unique<Coupling<double>>(
                                      settings, transformer.make(), key);
                                },
                            .x = test::normals({12, 3}, 1),
                            .tolerance = 1e-8});
    }
  }
}

TEST_CASE("coupling: given numbers, masks and an even width make no difference") {
  for (const CouplingMask mask : {CouplingMask::alternate, CouplingMask::halves}) {
    for (const bool parity : {false, true}) {
      for (const Index dim : {3, 4}) {
        const CouplingSettings settings = settings_of(dim, mask, parity, 2);
        test::check_bijector({.name = std::string(name_of(mask)) + (parity ? " odd" : " even"),
                              .make =
                                  [&](const RandomKey& key) {
                                    return std::make_unique<Coupling<double>>(
                                        settings, std::make_unique<AffineTransformer<double>>(),
                                        key);
                                  },
                              .x = test::normals({4, dim}, 8),
                              .given = test::normals({4, 2}, 9)});
      }
    }
  }
}

TEST_CASE("coupling: it begins as the identity, bit for bit where it is affine") {
  const Coupling<double> coupling(settings_of(3, CouplingMask::alternate, true, 0),
                                  std::make_unique<AffineTransformer<double>>(), RandomKey(1));
  Tape<double> tape;
  Context<double> context;
  const Tensor<double> x = test::normals({4, 3}, 8);
  const WithLogDet<double> y = coupling.forward_with_log_det(tape.input(x), context);
  CHECK(Tensor<double>(y.value.value()) == x);
  CHECK(Tensor<double>(y.log_det.value()) == Tensor<double>::zeros({4}));
}

TEST_CASE("coupling: the columns of a mask stay, the others do not") {
  const auto changed = [](CouplingMask mask, bool parity) {
    Coupling<double> coupling(settings_of(5, mask, parity, 0),
                              std::make_unique<AdditiveTransformer<double>>(), RandomKey(1));
    const auto parameters = nn::parameters_of(coupling);
    std::ranges::fill(parameters.back().parameter->mutable_values(), 1.0);
    Tape<double> tape;
    Context<double> context;
    const Var<double> y = coupling.forward(tape.input(Tensor<double>::zeros({1, 5})), context);
    return Tensor<double>(y.value());
  };
  CHECK(changed(CouplingMask::alternate, false) == Tensor<double>{{0, -1, 0, -1, 0}});
  CHECK(changed(CouplingMask::alternate, true) == Tensor<double>{{-1, 0, -1, 0, -1}});
  CHECK(changed(CouplingMask::halves, false) == Tensor<double>{{0, 0, 0, -1, -1}});
  CHECK(changed(CouplingMask::halves, true) == Tensor<double>{{-1, -1, -1, 0, 0}});
}

TEST_CASE("coupling: wrong settings and rows are refused") {
  const auto make = [](Index dim, std::unique_ptr<Transformer<double>> transformer) {
    return Coupling<double>(settings_of(dim, CouplingMask::halves, false, 1),
                            std::move(transformer), RandomKey(1));
  };
  CHECK_THROWS_WITH_AS(make(1, std::make_unique<AffineTransformer<double>>()),
                       "[coupling] rows of 2 to 2^32 numbers are needed, got 1",
                       std::invalid_argument);
  CHECK_THROWS_AS(make(2, nullptr), std::invalid_argument);
  CHECK_THROWS_AS(make(Index(1) << 33, std::make_unique<AffineTransformer<double>>()),
                  std::invalid_argument);
  CHECK_THROWS_AS(Coupling<double>(settings_of(6, CouplingMask::halves, false, -1),
                                   std::make_unique<AffineTransformer<double>>(), RandomKey(1)),
                  std::invalid_argument);
  CHECK_THROWS_WITH_AS(mask_named("odd"), "[mask] alternate or halves is needed, got odd",
                       std::invalid_argument);
  const auto coupling = make(2, std::make_unique<AffineTransformer<double>>());
  Tape<double> tape;
  Context<double> context;
  CHECK_THROWS_AS(coupling.forward(tape.input(Tensor<double>::zeros({2, 3})), context),
                  std::invalid_argument);
  CHECK_THROWS_AS(coupling.forward(tape.input(Tensor<double>::zeros({2, 2})), context),
                  std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
