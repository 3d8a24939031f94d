#include <doctest/doctest.h>

#include "fjord/flows/model_file.hpp"

namespace fjord::flows {
namespace {

TEST_CASE("asked_weights: settings that ask for too many weights are refused by every map") {
  // Each asks for 5 10^11 numbers or more of a file that holds none.
  const std::vector<std::string> bijectors{
      R"("type": "act_norm", "dim": 1e12)",
      R"("type": "affine", "dim": 1e12)",
      R"("type": "conditional_affine", "dim": 2, "given": 1, "hidden": [1e6, 1e6],
          "activation": "tanh")",
      R"("type": "conditional_affine", "dim": 1e12, "given": 1, "hidden": [],
          "activation": "tanh")",
      R"("type": "householder", "dim": 1e6, "reflections": 1e6)",
      R"("type": "moving_batch_norm", "dim": 1e12, "decay": 0.1, "epsilon": 1e-4)",
      R"("type": "scale", "dim": 1e12)",
      R"("type": "shift", "dim": 1e12)",
      R"("type": "sinh_arcsinh", "dim": 1e12)",
      R"("type": "triangular", "dim": 1e6)",
      R"("type": "yeo_johnson", "dim": 1e12)"};
  for (const std::string& bijector : bijectors) {
    CAPTURE(bijector);
    nn::State state;
    state.metadata["format"] = "fjord-flow";
    state.metadata["model"] =
        R"({"version": 2, "distribution": {"type": "transformed",
            "base": {"type": "diagonal_normal", "mean": [0], "scale": [1]}, "bijector": {)" +
        bijector + "}}}";
    CHECK_THROWS_WITH_AS(model_of<float>(state),
                         doctest::Contains("more weights than the file holds numbers"),
                         std::invalid_argument);
  }
}

}  // namespace
}  // namespace fjord::flows
