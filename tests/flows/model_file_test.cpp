#include "fjord/flows/model_file.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/flows/ffjord_chain.hpp"
#include "fjord/flows/mlp_field.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::flows {
namespace {

using test::normals;
using test::numerics;

/// y = factor x, the factor a parameter: a type that the library does not have.
template <class T>
class Scaling final : public Bijector<T> {
 public:
  explicit Scaling(T factor) : factor_(Tensor<T>(factor)) {}

  explicit Scaling(nn::PartReader<T>&) : Scaling(T(1)) {}

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>&) const override {
    const Var<T> factor = x.tape().bind(factor_);
    return {x * factor, sum(x * T(0) + log(factor), {1})};
  }

  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>&) const override {
    const Var<T> factor = y.tape().bind(factor_);
    return {y / factor, sum(y * T(0) - log(factor), {1})};
  }

  nn::Description<T> describe() override {
    return nn::Description<T>("scaling").parameter("factor", factor_);
  }

 private:
  Parameter<T> factor_;
};

template <class T>
std::unique_ptr<Distribution<T>> scaled_normal(T factor) {
  return std::make_unique<TransformedDistribution<T>>(
      std::make_unique<DiagonalNormal<T>>(std::vector<double>{0.1, -0.2},
                                          std::vector<double>{0.7, 1.3}),
      std::make_unique<Scaling<T>>(factor));
}

template <class T>
nn::PartTypes<T> types_with_scaling() {
  nn::PartTypes<T> types = all_types<T>();
  types.add(std::array{nn::part_type<T, Scaling<T>>("scaling")});
  return types;
}

/// A file of version 2 with this tree and no tensors.
nn::State tree(const std::string& distribution) {
  nn::State state;
  state.metadata["format"] = "fjord-flow";
  state.metadata["model"] = R"({"version": 2, "distribution": )" + distribution + "}";
  return state;
}

const std::string normal = R"({"type": "diagonal_normal", "mean": [1, 2], "scale": [1, 2]})";

TEST_CASE("model_file: the tree says what the parts are, and their paths name the tensors") {
  const auto model = make_flow<double>(test::small_settings(), {}, RandomKey(1));
  const nn::State state = state_of(*model, {{"x", "y"}, {}});
  CHECK(state.metadata.at("format") == "fjord-flow");
  const std::string block =
      R"({"type":"ffjord","t0":0,"t1":1,"field":{"type":"mlp_field","time_input":"repeat",)"
      R"("given":0,"network":{"type":"mlp","sizes":[4,6,5,2],"activation":"tanh"}}})";
  CHECK(state.metadata.at("model") ==
        R"({"version":2,"columns":["x","y"],"distribution":{"type":"transformed","base":)"
        R"({"type":"diagonal_normal","mean":[0,0],"scale":[0.8,0.8]},"bijector":)"
        R"({"type":"chain","parts":[)" +
            block + "," + block + "]}}}");
  CHECK(state.tensors.size() == 12);
  CHECK(std::get<Tensor<double>>(state.tensors.at("bijector.parts.1.field.network.layers.0.weight"))
            .shape() == Shape{6, 4});
  CHECK(column_names_of(state).columns == std::vector<std::string>{"x", "y"});
}

TEST_CASE_TEMPLATE("model_file: a model of version 1 scores the same bits as version 2", T, float,
                   double) {
  const auto model = test::random_model<float>(test::small_settings(), numerics(1e-4));
  const nn::State first = version_1_state(*model, test::small_settings());
  const nn::State second = state_of(*model);
  const Tensor<T> x = normals({9, 2}, 5).as<T>();
  CHECK(test::log_prob<T>(*model_of<T>(first, numerics(1e-4)), x) ==
        test::log_prob<T>(*model_of<T>(second, numerics(1e-4)), x));
}

TEST_CASE("model_file: a program's own types are saved and loaded in one line each") {
  const test::TemporaryFolder folder;
  const std::string path = (folder.path / "model.safetensors").string();
  const auto types = types_with_scaling<double>();
  const auto model = scaled_normal<double>(3);
  save(*model, path, {}, types);
  const Tensor<double> x = normals({4, 2}, 1);
  const auto again = load_model<double>(path, {}, types);
  CHECK(test::log_prob<double>(*again, x) == test::log_prob<double>(*model, x));
  // N(0.3, 2.1^2) and N(-0.6, 3.9^2) at 0.
  const double exact = -std::log(2 * 3.14159265358979312 * 2.1 * 3.9) -
                       0.5 * (0.3 * 0.3 / 4.41 + 0.36 / (3.9 * 3.9));
  CHECK(test::log_prob<double>(*again, {{0, 0}})(0) == doctest::Approx(exact).epsilon(1e-14));
  CHECK_THROWS_WITH_AS(load_model<double>(path), doctest::Contains("type scaling is unknown"),
                       std::invalid_argument);
}

TEST_CASE("model_file: what could not be loaded again is not saved") {
  const test::TemporaryFolder folder;
  const std::string path = (folder.path / "model.safetensors").string();
  const auto model = scaled_normal<double>(3);
  CHECK_THROWS_WITH_AS(save(*model, path), doctest::Contains("type scaling is unknown"),
                       std::invalid_argument);
  const auto infinite = scaled_normal<double>(HUGE_VAL);
  CHECK_THROWS_WITH_AS(save(*infinite, path, {}, types_with_scaling<double>()),
                       doctest::Contains("bijector.factor holds a number that is not finite"),
                       std::invalid_argument);
  TransformedDistribution<double> function(
      std::make_unique<DiagonalNormal<double>>(std::vector<double>{0}, std::vector<double>{1}),
      std::make_unique<Ffjord<double>>(
          [](const Var<double>&, const Var<double>& z) { return z * 2.0; }));
  CHECK_THROWS_WITH_AS(save(function, path), doctest::Contains("bijector.field has no type name"),
                       std::invalid_argument);
  const auto named = make_flow<double>(test::small_settings(), {}, RandomKey(1));
  CHECK_THROWS_WITH_AS(save(*named, path, {{"x"}, {}}),
                       doctest::Contains("takes 2 numbers a row, and 1 are named"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(save(*named, path, {{}, {"age"}}),
                       doctest::Contains("takes 0 given numbers a row, and 1 are named"),
                       std::invalid_argument);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE(
    "model_file: a tree that is not one of parts is refused in one line that names the part") {
  const auto refuses = [](const std::string& distribution, const char* part) {
    CAPTURE(distribution);
    CHECK_THROWS_WITH_AS(model_of<double>(tree(distribution)), doctest::Contains(part),
                         std::invalid_argument);
  };
  CHECK(model_of<double>(tree(normal))->dim() == 2);
  refuses("3", "lacks the key distribution, a part");
  refuses(R"({"mean": [1]})", "lacks its type");
  refuses(R"({"type": 3})", "lacks its type");
  refuses(R"({"type": "normall"})", "type normall is unknown; known are ");
  refuses(R"({"type": "diagonal_normal", "mean": [1]})",
          "the whole (diagonal_normal): the setting scale is missing; a list of numbers is needed");
  refuses(R"({"type": "diagonal_normal", "mean": 1, "scale": [1]})",
          "the setting mean must be a list of numbers");
  refuses(R"({"type": "diagonal_normal", "mean": [1], "scale": [1], "df": 3})",
          "the setting df is unknown; it needs a newer Fjord");
  refuses(R"({"type": "diagonal_normal", "mean": [1], "scale": [-1]})",
          "(diagonal_normal): [diagonal_normal] every scale must be positive");
  refuses(R"({"type": "diagonal_normal", "mean": [1], "scale": [null]})",
          "the entry scale must be a number, a text");
  refuses(R"({"type": "chain", "parts": []})", "entry parts is missing");
  refuses(R"({"type": "mlp", "sizes": [2, 2], "activation": "tanh"})",
          "more weights than the file holds numbers");
  refuses(R"({"type": "transformed", "base": )" + normal + R"(, "bijector": )" + normal + "}",
          "part bijector (diagonal_normal): a bijector is needed here");
  refuses(R"({"type": "inverse", "part": [)" + normal + "]}", "the entry part must be a part");
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += R"({"type": "inverse", "part": )";
  refuses(deep, "nested too deeply");
}

TEST_CASE("model_file: settings that ask for more weights than the file holds allocate nothing") {
  nn::State state = state_of(*make_flow<double>(test::small_settings(), {}, RandomKey(1)));
  std::string& text = state.metadata.at("model");
  text.replace(text.find("[4,6"), 4, "[4,4611686018427387904");
  CHECK_THROWS_WITH_AS(model_of<double>(state), doctest::Contains("whole numbers from 1 on"),
                       std::invalid_argument);
  text.replace(text.find("4611686018427387904"), 19, "600000000000");
  CHECK_THROWS_WITH_AS(
      model_of<double>(state),
      doctest::Contains("part bijector.parts.0.field.network (mlp): its settings ask for more"),
      std::invalid_argument);
}

TEST_CASE("model_file: parts that are given numbers say how many, and must agree") {
  const auto field = [](Index given) {
    auto network = std::make_unique<nn::Mlp<double>>(
        std::vector<Index>{4 + given, 3, 2}, nn::activation_named<double>("tanh"), RandomKey(1));
    return std::make_unique<Ffjord<double>>(
        std::make_unique<MlpField<double>>(std::move(network), nn::TimeInput::repeat, given));
  };
  const auto chain = [&](Index first, Index second) {
    std::vector<std::unique_ptr<Bijector<double>>> parts;
    parts.push_back(field(first));
    parts.push_back(field(second));
    return Chain<double>(std::move(parts));
  };
  const auto width = [](nn::Part<double>&& part) {
    const nn::Description<double> description = part.describe();
    return given_width(description.config());
  };
  CHECK(width(chain(0, 0)) == 0);
  CHECK(width(chain(0, 3)) == 3);
  CHECK_THROWS_WITH_AS(width(chain(2, 3)), doctest::Contains("2 and 3 given numbers"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
