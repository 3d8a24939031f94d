#include "fjord/flows/ffjord_chain.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/flows/mlp_field.hpp"
#include "fjord/flows/model_file.hpp"
#include "fjord/flows/state_checks.hpp"
#include "fjord/nn/mlp.hpp"

namespace fjord::flows {
namespace {

template <class T>
void check(const FlowSettings& s) {
  require(s.dim > 0, "flow", [&] { return "dim must be positive, got " + std::to_string(s.dim); });
  require(s.blocks > 0, "flow",
          [&] { return "blocks must be positive, got " + std::to_string(s.blocks); });
  for (const Index width : s.hidden) {
    require(width > 0, "flow",
            [&] { return "hidden widths must be positive, got " + std::to_string(width); });
  }
  nn::activation_named<double>(s.activation);
  require(std::isfinite(s.t0) && std::isfinite(s.t1) && s.t0 != s.t1, "flow",
          "t0 and t1 must be finite and different");
  const T scale = static_cast<T>(s.base_scale);
  require(scale > 0 && std::isfinite(scale), "flow", [&] {
    std::ostringstream got;
    got << s.base_scale;
    return "base_scale must be positive and finite in this precision, got " + got.str();
  });
}

template <class T>
std::unique_ptr<Bijector<T>> make_block(const FlowSettings& settings, const SolverSettings& solver,
                                        const RandomKey& random) {
  std::vector<Index> sizes{nn::input_width(settings.time_input, settings.dim)};
  sizes.insert(sizes.end(), settings.hidden.begin(), settings.hidden.end());
  sizes.push_back(settings.dim);
  auto network =
      std::make_unique<nn::Mlp<T>>(sizes, nn::activation_named<T>(settings.activation), random);
  return std::make_unique<Ffjord<T>>(
      std::make_unique<MlpField<T>>(std::move(network), settings.time_input),
      FfjordOptions{.t0 = settings.t0, .t1 = settings.t1, .solver = solver});
}

// Reads one key of the model's JSON text and names it in any error.
template <class V>
V value_at(const nlohmann::json& json, const char* key) {
  require(json.contains(key), "model",
          [&] { return std::string("the model file lacks the key ") + key; });
  try {
    return json.at(key).get<V>();
  } catch (const nlohmann::json::exception&) {
    fail("model", std::string("the model file's key ") + key + " has a value of the wrong kind");
  }
}

Index whole_number_at(const nlohmann::json& json, const char* key) {
  const bool is_whole = json.contains(key) && json.at(key).is_number_integer();
  require(is_whole, "model",
          [&] { return std::string("the model file's key ") + key + " must be a whole number"; });
  return value_at<Index>(json, key);
}

std::vector<Index> whole_numbers_at(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  const bool are_whole =
      found != json.end() && found->is_array() &&
      std::ranges::all_of(*found, [](const auto& item) { return item.is_number_integer(); });
  require(are_whole, "model", [&] {
    return std::string("the model file's key ") + key + " must be a list of whole numbers";
  });
  return value_at<std::vector<Index>>(json, key);
}

void check_keys(const nlohmann::json& json) {
  static const std::set<std::string> known{"version",    "dim", "blocks", "hidden",    "activation",
                                           "time_input", "t0",  "t1",     "base_scale"};
  for (const auto& [key, value] : json.items()) {
    require(known.contains(key), "model", [&, &name = key] {
      return "the model file has the unknown key " + printable(name) + "; it needs a newer Fjord";
    });
  }
}

// The tensors of a model, as a file of version 1 has them.
std::vector<std::pair<std::string, Shape>> version_1_tensors(const FlowSettings& settings) {
  std::vector<Index> widths{nn::input_width(settings.time_input, settings.dim)};
  widths.insert(widths.end(), settings.hidden.begin(), settings.hidden.end());
  widths.push_back(settings.dim);
  std::vector<std::pair<std::string, Shape>> tensors;
  for (Index k = 0; k < settings.blocks; ++k) {
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      const std::string layer = "blocks." + std::to_string(k) + ".layers." + std::to_string(i);
      tensors.push_back({layer + ".weight", Shape{widths[i + 1], widths[i]}});
      tensors.push_back({layer + ".bias", Shape{widths[i + 1]}});
    }
  }
  return tensors;
}

// The path, in the tree of parts, of a tensor "blocks.K.layers.I.weight".
std::string version_2_name(const std::string& name) {
  const std::string block = name.substr(0, name.find(".layers."));
  return "bijector.parts." + block.substr(block.find('.') + 1) + ".field.network" +
         name.substr(block.size());
}

}  // namespace

template <class T>
std::unique_ptr<TransformedDistribution<T>> make_flow(const FlowSettings& settings,
                                                      const SolverSettings& solver,
                                                      const RandomKey& random) {
  check<T>(settings);
  std::vector<std::unique_ptr<Bijector<T>>> blocks;
  for (Index k = 0; k < settings.blocks; ++k) {
    blocks.push_back(make_block<T>(settings, solver, random.fold(static_cast<std::uint64_t>(k))));
  }
  auto base = std::make_unique<DiagonalNormal<T>>(
      std::vector<double>(static_cast<std::size_t>(settings.dim), 0.0),
      std::vector<double>(static_cast<std::size_t>(settings.dim), settings.base_scale));
  return std::make_unique<TransformedDistribution<T>>(
      std::move(base), std::make_unique<Chain<T>>(std::move(blocks)));
}

template <class T>
nn::State version_1_state(Distribution<T>& model, const FlowSettings& settings) {
  check<T>(settings);
  const nn::State state = state_of(model);
  const auto described = make_flow<T>(settings, {}, RandomKey(0));
  require(state.metadata == state_of(*described).metadata, "model",
          "the model is not the one that the settings describe");
  nn::State renamed;
  for (const auto& [name, shape] : version_1_tensors(settings))
    renamed.tensors[name] = state.tensors.at(version_2_name(name));
  nlohmann::ordered_json json;
  json["dim"] = settings.dim;
  json["blocks"] = settings.blocks;
  json["hidden"] = settings.hidden;
  json["activation"] = settings.activation;
  json["time_input"] = nn::name_of(settings.time_input);
  json["t0"] = settings.t0;
  json["t1"] = settings.t1;
  json["base_scale"] = settings.base_scale;
  renamed.metadata["format"] = "fjord-flow";
  renamed.metadata["model"] = json.dump();
  return renamed;
}

FlowSettings version_1_settings(const nn::State& state) {
  const nlohmann::json json = nlohmann::json::parse(state.metadata.at("model"));
  check_keys(json);
  FlowSettings settings;
  settings.dim = whole_number_at(json, "dim");
  settings.blocks = whole_number_at(json, "blocks");
  settings.hidden = whole_numbers_at(json, "hidden");
  settings.activation = value_at<std::string>(json, "activation");
  settings.time_input = nn::time_input_named(value_at<std::string>(json, "time_input"));
  settings.t0 = value_at<double>(json, "t0");
  settings.t1 = value_at<double>(json, "t1");
  settings.base_scale = value_at<double>(json, "base_scale");
  check<double>(settings);
  return settings;
}

template <class T>
std::unique_ptr<TransformedDistribution<T>> version_1_model(const nn::State& state,
                                                            const SolverSettings& solver) {
  const FlowSettings settings = version_1_settings(state);
  // A hostile file could ask for any number of weights; it must at least hold a tensor for each.
  const std::size_t layers = settings.hidden.size() + 1;
  require(static_cast<std::size_t>(settings.blocks) <= state.tensors.size() &&
              state.tensors.size() == static_cast<std::size_t>(settings.blocks) * layers * 2,
          "model", [&] {
            return "the model needs " + std::to_string(settings.blocks) + " blocks of " +
                   std::to_string(layers) + " weights and biases, the file holds " +
                   std::to_string(state.tensors.size()) + " tensors";
          });
  check_one_precision(state);
  nn::State renamed;
  for (const auto& [name, shape] : version_1_tensors(settings)) {
    check_tensor(state, name, shape);
    renamed.tensors[version_2_name(name)] = finite_tensor<T>(state, name);
  }
  auto model = make_flow<T>(settings, solver, RandomKey(0));
  load_parameters(*model, renamed);
  return model;
}

#define FJORD_INSTANTIATE(T)                                                             \
  template std::unique_ptr<TransformedDistribution<T>> make_flow(                        \
      const FlowSettings&, const SolverSettings&, const RandomKey&);                     \
  template nn::State version_1_state(Distribution<T>&, const FlowSettings&);             \
  template std::unique_ptr<TransformedDistribution<T>> version_1_model(const nn::State&, \
                                                                       const SolverSettings&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::flows
