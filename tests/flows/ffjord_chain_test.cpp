#include "fjord/flows/ffjord_chain.hpp"

#include <cmath>
#include <functional>

#include <doctest/doctest.h>

#include "fjord/flows/model_file.hpp"
#include "fjord/nn/mlp.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

using test::numerics;

const std::string usual =
    R"({"dim": 2, "blocks": 2, "hidden": [6, 5], "activation": "tanh", "time_input": "repeat",
        "t0": 0, "t1": 1, "base_scale": 0.8})";

nn::State described(const std::string& text) {
  nn::State state;
  state.metadata["format"] = "fjord-flow";
  state.metadata["model"] = text;
  return state;
}

/// The usual text with one part replaced.
std::string changed(const std::string& part, const std::string& with) {
  std::string text = usual;
  REQUIRE(text.find(part) != std::string::npos);
  return text.replace(text.find(part), part.size(), with);
}

nn::State usual_state() {
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-6));
  return version_1_state(*model, test::small_settings());
}

TEST_CASE_TEMPLATE("ffjord_chain: a state through the bytes of a file gives the same densities", T,
                   float, double) {
  FlowSettings settings = test::small_settings();
  settings.dim = 3;
  settings.activation = "softplus";
  settings.time_input = nn::TimeInput::concat;
  settings.t0 = 0.25;
  settings.t1 = -1;
  settings.base_scale = 1.7;
  const auto model = test::random_model<T>(settings, numerics(1e-4));
  const std::string bytes = nn::format_safetensors(version_1_state(*model, settings));
  const nn::State state = nn::parse_safetensors(bytes, "model");
  const auto again = model_of<T>(state, numerics(1e-4));
  const Tensor<T> x = test::normals({9, 3}, 5).template as<T>();
  CHECK(test::log_prob<T>(*again, x) == test::log_prob<T>(*model, x));
  CHECK(nn::format_safetensors(version_1_state(*again, version_1_settings(state))) == bytes);
}

TEST_CASE("ffjord_chain: a state holds the tensors and the text of the format") {
  const nn::State state = usual_state();
  CHECK(state.metadata.at("format") == "fjord-flow");
  CHECK(state.metadata.at("model") ==
        R"({"dim":2,"blocks":2,"hidden":[6,5],"activation":"tanh","time_input":"repeat",)"
        R"("t0":0.0,"t1":1.0,"base_scale":0.8})");
  CHECK(state.tensors.size() == 12);
  CHECK(std::get<Tensor<double>>(state.tensors.at("blocks.1.layers.0.weight")).shape() ==
        Shape{6, 4});
  CHECK(std::get<Tensor<double>>(state.tensors.at("blocks.0.layers.2.bias")).shape() == Shape{2});
}

TEST_CASE("ffjord_chain: settings are read as they stand in the text") {
  const FlowSettings s = version_1_settings(described(
      R"({"dim": 3, "blocks": 1, "hidden": [], "activation": "gelu", "time_input": "concat",
          "t0": -1.5, "t1": 2, "base_scale": 1, "version": 1})"));
  CHECK(s.dim == 3);
  CHECK(s.blocks == 1);
  CHECK(s.hidden.empty());
  CHECK(s.activation == "gelu");
  CHECK(s.time_input == nn::TimeInput::concat);
  CHECK(s.t0 == -1.5);
  CHECK(s.t1 == 2);
  CHECK(s.base_scale == 1);
}

TEST_CASE("ffjord_chain: a file in the other precision is read") {
  const auto model = test::random_model<float>(test::small_settings(), numerics(1e-6));
  const nn::State state = version_1_state(*model, test::small_settings());
  const auto wide = model_of<double>(state, numerics(1e-6));
  const auto from = nn::parameters_of(*model);
  const auto to = nn::parameters_of(*wide);
  for (std::size_t i = 0; i < from.size(); ++i)
    CHECK(from[i].parameter->value().as<double>() == to[i].parameter->value());
}

TEST_CASE(
    "ffjord_chain: the same key gives the same weights, and blocks have weights of their own") {
  const auto weights = [](std::uint64_t seed, std::size_t which) {
    const auto model = make_flow<double>(test::small_settings(), numerics(1e-3), RandomKey(seed));
    return nn::parameters_of(*model)[which].parameter->value();
  };
  CHECK(weights(1, 0) == weights(1, 0));
  CHECK_FALSE(weights(1, 0) == weights(2, 0));
  CHECK_FALSE(weights(1, 0) == weights(1, 6));
}

TEST_CASE("ffjord_chain: a text that is not a model of this version is refused by name") {
  const auto refuses = [](const nn::State& state, const char* part) {
    CAPTURE(part);
    CHECK_THROWS_WITH_AS(model_of<float>(state, numerics(1e-3)), doctest::Contains(part),
                         std::invalid_argument);
  };
  nn::State other = described(usual);
  other.metadata["format"] = "something-else";
  refuses(other, "not a model file of Fjord");
  refuses(nn::State{}, "not a model file of Fjord");
  refuses(described("[1, 2]"), "not a JSON object");
  refuses(described("{"), "not JSON");
  refuses(described(changed("}", R"(, "version": 3})")), "has version 3");
  refuses(described(changed("}", R"(, "version": "1"})")), "version must be a whole number");
  refuses(described(changed("}", R"(, "scaling": 2})")), "unknown key scaling");
  refuses(described(changed("}", R"(, "a\u001bb": 2})")), "unknown key a?b");
  refuses(described(changed("}", R"(, "dim": 2})")), "'dim' occurs twice");
  refuses(described(changed(R"("dim": 2, )", "")), "dim must be a whole number");
  refuses(described(changed(R"(, "base_scale": 0.8)", "")), "lacks the key base_scale");
  refuses(described(changed(R"("dim": 2)", R"("dim": 2.5)")), "dim must be a whole number");
  refuses(described(changed(R"("dim": 2)", R"("dim": 0)")), "dim must be positive");
  refuses(described(changed(R"("blocks": 2)", R"("blocks": -1)")), "blocks must be positive");
  refuses(described(changed("[6, 5]", "[6, 0]")), "hidden widths must be positive");
  refuses(described(changed("[6, 5]", R"("6,5")")), "hidden must be a list of whole numbers");
  refuses(described(changed("[6, 5]", "[6.5, 5]")), "hidden must be a list of whole numbers");
  refuses(described(changed(R"("t1": 1)", R"("t1": 0)")), "t0 and t1 must be finite and different");
  refuses(described(changed(R"("t1": 1)", R"("t1": null)")), "t1 has a value of the wrong kind");
  refuses(described(changed("0.8", "-0.8")), "base_scale must be positive");
  refuses(described(changed(R"("tanh")", R"("relu")")), "relu");
  refuses(described(changed(R"("repeat")", R"("twice")")), "twice");
}

TEST_CASE("ffjord_chain: tensors that do not fit the text are refused by name") {
  const auto refuses = [](const nn::State& state, const char* part) {
    CAPTURE(part);
    CHECK_THROWS_WITH_AS(model_of<double>(state, numerics(1e-3)), doctest::Contains(part),
                         std::invalid_argument);
  };
  nn::State missing = usual_state();
  missing.tensors.erase("blocks.1.layers.1.bias");
  refuses(missing, "the file holds 11 tensors");
  nn::State renamed = missing;
  renamed.tensors["extra"] = Tensor<double>{1.0};
  refuses(renamed, "lacks the tensor blocks.1.layers.1.bias");
  nn::State extra = usual_state();
  extra.tensors["extra"] = Tensor<double>{1.0};
  refuses(extra, "the file holds 13 tensors");
  nn::State shape = usual_state();
  shape.tensors["blocks.1.layers.1.weight"] = Tensor<double>::zeros({6, 5});
  refuses(shape, "blocks.1.layers.1.weight must have shape [5, 6], got [6, 5]");
  nn::State mixed = usual_state();
  mixed.tensors["blocks.1.layers.1.bias"] = Tensor<float>::zeros({5});
  refuses(mixed, "all tensors must be F32, or all F64");
  // Before anything of that size is allocated.
  nn::State wide = usual_state();
  wide.metadata["model"] = changed("[6, 5]", "[6000000000, 5]");
  refuses(wide, "blocks.0.layers.0.weight must have shape [6000000000, 4], got [6, 4]");
  wide.metadata["model"] = changed(R"("blocks": 2)", R"("blocks": 4611686018427387904)");
  refuses(wide, "blocks of 3 weights and biases");
}

TEST_CASE(
    "ffjord_chain: a weight that is not a finite number of the precision is refused by name") {
  // An activation that saturates would turn it into a density that looks like one.
  const auto holding = [](double number) {
    nn::State state = usual_state();
    std::get<Tensor<double>>(state.tensors.at("blocks.1.layers.0.bias"))(2) = number;
    return state;
  };
  const char* part = "tensor blocks.1.layers.0.bias holds a number that is not finite";
  for (const double number : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    CHECK_THROWS_WITH_AS(model_of<double>(holding(number), numerics(1e-3)), doctest::Contains(part),
                         std::invalid_argument);
  }
  CHECK_THROWS_WITH_AS(model_of<float>(holding(1e39), numerics(1e-3)), doctest::Contains(part),
                       std::invalid_argument);
  CHECK_NOTHROW(model_of<double>(holding(1e39), numerics(1e-3)));
}

TEST_CASE("ffjord_chain: a base_scale that the precision cannot hold is refused by name") {
  nn::State state = usual_state();
  for (const char* scale : {"1e+300", "1e-300"}) {
    state.metadata["model"] = changed("0.8", scale);
    const std::string message =
        std::string("base_scale must be positive and finite in this precision, got ") + scale;
    CHECK_THROWS_WITH_AS(model_of<float>(state, numerics(1e-3)), doctest::Contains(message.c_str()),
                         std::invalid_argument);
    CHECK_NOTHROW(model_of<double>(state, numerics(1e-3)));
  }
}

TEST_CASE("ffjord_chain: parameters are loaded all or not at all") {
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-6), 1);
  const Tensor<double> before = nn::parameters_of(*model)[0].parameter->value();
  const auto donor = test::random_model<double>(test::small_settings(), numerics(1e-6), 2);
  const nn::State whole = state_of(*donor);
  nn::State missing = whole;
  missing.tensors.erase("bijector.parts.1.field.network.layers.2.bias");
  CHECK_THROWS_AS(load_parameters(*model, missing), std::invalid_argument);
  nn::State infinite = whole;
  std::get<Tensor<double>>(infinite.tensors.at("bijector.parts.1.field.network.layers.2.bias"))(0) =
      HUGE_VAL;
  CHECK_THROWS_AS(load_parameters(*model, infinite), std::invalid_argument);
  nn::State more = whole;
  more.tensors["bijector.parts.2.field.network.layers.0.bias"] = Tensor<double>{1, 2};
  CHECK_THROWS_WITH_AS(load_parameters(*model, more),
                       "[model] the model has no parameter for the tensor "
                       "bijector.parts.2.field.network.layers.0.bias",
                       std::invalid_argument);
  Tape<double> tape;
  tape.bind(*nn::parameters_of(*model).back().parameter);
  CHECK_THROWS_AS(load_parameters(*model, whole), std::invalid_argument);
  CHECK(nn::parameters_of(*model)[0].parameter->value() == before);
  tape.clear();
  load_parameters(*model, whole);
  CHECK(nn::format_safetensors(state_of(*model)) == nn::format_safetensors(whole));
}

TEST_CASE("ffjord_chain: what model_of refuses is not made into a state") {
  const auto refuses = [](const FlowSettings& settings, double weight) {
    const auto model = test::random_model<double>(test::small_settings(), numerics(1e-6));
    nn::parameters_of(*model)[1].parameter->mutable_values()[0] = weight;
    CHECK_THROWS_AS(version_1_state(*model, settings), std::invalid_argument);
  };
  const FlowSettings good = test::small_settings();
  const auto with = [&](auto change) {
    FlowSettings settings = good;
    change(settings);
    return settings;
  };
  refuses(good, HUGE_VAL);
  refuses(good, std::nan(""));
  refuses(with([](FlowSettings& s) { s.dim = 3; }), 1);
  refuses(with([](FlowSettings& s) { s.blocks = 1; }), 1);
  refuses(with([](FlowSettings& s) { s.blocks = 3; }), 1);
  refuses(with([](FlowSettings& s) { s.hidden = {6}; }), 1);
  refuses(with([](FlowSettings& s) { s.hidden = {6, 4}; }), 1);
  refuses(with([](FlowSettings& s) { s.activation = "relu"; }), 1);
  refuses(with([](FlowSettings& s) { s.time_input = nn::TimeInput::concat; }), 1);
  refuses(with([](FlowSettings& s) { s.t1 = s.t0; }), 1);
  refuses(with([](FlowSettings& s) { s.base_scale = -1; }), 1);
}

TEST_CASE("ffjord_chain: rows of another width are refused by the model") {
  Tape<double> tape;
  for (const Trace trace : {Trace::exact, Trace::hutchinson}) {
    const auto model = test::random_model<double>(test::small_settings(), numerics(1e-4, trace));
    for (const Shape& shape : {Shape{5, 3}, Shape{5, 1}, Shape{2}, Shape{1, 5, 2}}) {
      CAPTURE(to_string(shape));
      const Var<double> x = tape.input(Tensor<double>::ones(shape));
      const auto refuses = [&](const std::string& op,
                               const std::function<void(Context<double>&)>& use) {
        Context<double> context;
        CHECK_THROWS_WITH_AS(
            use(context),
            ("[" + op + "] rows of 2 numbers are needed, got shape " + to_string(shape)).c_str(),
            std::invalid_argument);
      };
      refuses("log_prob", [&](Context<double>& c) { model->log_prob(x, c); });
      if (shape.rank() != 2) continue;
      refuses("flow", [&](Context<double>& c) { model->bijector().forward(x, c); });
      refuses("flow", [&](Context<double>& c) { model->bijector().inverse(x, c); });
      refuses("flow", [&](Context<double>& c) { model->bijector().forward_with_log_det(x, c); });
      refuses("flow", [&](Context<double>& c) { model->bijector().inverse_with_log_det(x, c); });
    }
  }
}

TEST_CASE("ffjord_chain: parts that are null are refused") {
  const auto base = [] {
    return std::make_unique<DiagonalNormal<double>>(std::vector<double>{0, 0},
                                                    std::vector<double>{1, 1});
  };
  const auto refuses = [](auto make) { CHECK_THROWS_AS(make(), std::invalid_argument); };
  refuses([&] { TransformedDistribution<double>(base(), nullptr); });
  refuses([] { TransformedDistribution<double>(nullptr, nullptr); });
  refuses([] { Inverse<double>(nullptr); });
  refuses([] { Chain<double>(std::vector<std::unique_ptr<Bijector<double>>>(2)); });
  refuses([] { Ffjord<double>(ode::Field<double>(), {}); });
  refuses([] {
    nn::Mlp<double>(std::vector<Index>{2, 3}, nn::Activation<double>{}, RandomKey(0));
  });
}

}  // namespace
}  // namespace fjord::flows
