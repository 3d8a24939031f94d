#include "fjord/flows/model.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/nn/mlp.hpp"

namespace fjord::flows {
namespace {

constexpr const char* format_name = "fjord-flow";
constexpr int newest_version = 1;

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
void check_rows(const Var<T>& z, Index dim) {
  const NodeShape& shape = z.tape().node(z, "flow").shape;
  require(shape.rank == 2 && shape[1] == dim, "flow", [&] {
    return "rows of " + std::to_string(dim) + " numbers are needed, got shape " +
           to_string(shape.shape());
  });
}

template <class T>
std::unique_ptr<Bijector<T>> make_block(const FlowSettings& settings,
                                        const SolverSettings& numerics, const RandomKey& random) {
  std::vector<Index> sizes{nn::input_width(settings.time_input, settings.dim)};
  sizes.insert(sizes.end(), settings.hidden.begin(), settings.hidden.end());
  sizes.push_back(settings.dim);
  const auto network =
      std::make_shared<nn::Mlp<T>>(sizes, nn::activation_named<T>(settings.activation), random);
  const Index dim = settings.dim;
  ode::Field<T> field = [network, dim, time_input = settings.time_input](const Var<T>& t,
                                                                         const Var<T>& z) {
    check_rows(z, dim);
    return network->forward(nn::with_time(time_input, t, z));
  };
  ode::Field<T> field_with_divergence;
  // Probes are pushed through the pieces.
  if (network->has_one_piece() && numerics.trace == Trace::exact) {
    field = [network, dim](const Var<T>& t, const Var<T>& z) {
      check_rows(z, dim);
      return network->fused(t, z);
    };
    field_with_divergence = [network, dim](const Var<T>& t, const Var<T>& z) {
      check_rows(z, dim);
      return network->in_one_piece_with_divergence(t, z);
    };
  }
  FfjordOptions options;
  options.t0 = settings.t0;
  options.t1 = settings.t1;
  options.solve = numerics.solve;
  options.trace = numerics.trace;
  return std::make_unique<Ffjord<T>>(field, nn::parameters_of<T>(*network), options,
                                     field_with_divergence);
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

// Parses the model's JSON text; refuses keys that occur twice, of which nlohmann::json would keep
// the last.
nlohmann::json parse_text(const std::string& text) {
  std::set<std::string> seen;
  const auto watch = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    if (event != nlohmann::json::parse_event_t::key) return true;
    const auto& key = value.get_ref<const std::string&>();
    require(seen.insert(key).second, "model",
            [&] { return "the model file has the key " + printable(key) + " twice"; });
    return true;
  };
  return nlohmann::json::parse(text, watch, false);
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

void check_tensor(const nn::State& state, const std::string& name, const Shape& expected) {
  const auto found = state.tensors.find(name);
  require(found != state.tensors.end(), "model",
          [&] { return "the file lacks the tensor " + name; });
  const Shape shape = std::visit([](const auto& tensor) { return tensor.shape(); }, found->second);
  require(shape == expected, "model", [&] {
    return "tensor " + name + " must have shape " + to_string(expected) + ", got " +
           to_string(shape);
  });
}

// The tensor's numbers in the precision T, held against those that T has: an activation that
// saturates would make a density that looks like one of any other.
template <class T>
Tensor<T> finite_tensor(const nn::State& state, const std::string& name) {
  Tensor<T> values = std::visit([](const auto& tensor) { return tensor.template as<T>(); },
                                state.tensors.at(name));
  require(
      std::ranges::all_of(values.storage(), [](T v) { return std::isfinite(v); }), "model",
      [&] { return "tensor " + name + " holds a number that is not finite in this precision"; });
  return values;
}

void check_one_precision(const nn::State& state) {
  for (const auto& [name, tensor] : state.tensors) {
    require(tensor.index() == state.tensors.begin()->second.index(), "model", [&, &odd = name] {
      return "all tensors must be F32, or all F64; " + printable(odd) + " and " +
             printable(state.tensors.begin()->first) + " differ";
    });
  }
}

// The tensors of a model, as a model file has them.
std::vector<std::pair<std::string, Shape>> tensors_of(const FlowSettings& settings) {
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

// Every tensor is one of `names`, which all are there.
template <class Names>
void check_no_other(const nn::State& state, const Names& names) {
  if (state.tensors.size() == names.size()) return;
  for (const auto& [name, tensor] : state.tensors) {
    const bool is_known = std::ranges::find(names, name) != names.end();
    require(is_known, "model", [&, &odd = name] {
      return "the model has no parameter for the tensor " + printable(odd);
    });
  }
}

// Holds the widths against the first block's biases before anything of their size is allocated.
void check_widths(const FlowSettings& settings, const nn::State& state) {
  std::vector<Index> widths = settings.hidden;
  widths.push_back(settings.dim);
  for (std::size_t i = 0; i < widths.size(); ++i)
    check_tensor(state, "blocks.0.layers." + std::to_string(i) + ".bias", {widths[i]});
}

}  // namespace

template <class T>
std::unique_ptr<TransformedDistribution<T>> make_flow(const FlowSettings& settings,
                                                      const SolverSettings& numerics,
                                                      const RandomKey& random) {
  check<T>(settings);
  std::vector<std::unique_ptr<Bijector<T>>> blocks;
  for (Index k = 0; k < settings.blocks; ++k) {
    blocks.push_back(make_block<T>(settings, numerics, random.fold(static_cast<std::uint64_t>(k))));
  }
  auto base = std::make_unique<DiagonalNormal<T>>(
      Tensor<T>::zeros({settings.dim}),
      Tensor<T>::full({settings.dim}, static_cast<T>(settings.base_scale)));
  return std::make_unique<TransformedDistribution<T>>(
      std::move(base), std::make_unique<Chain<T>>(std::move(blocks)));
}

template <class T>
nn::State state_of(TransformedDistribution<T>& model, const FlowSettings& settings) {
  check<T>(settings);
  nn::State state;
  for (const nn::NamedParameter<T>& p : nn::parameters_of<T>(model))
    state.tensors[p.name] = p.parameter->value();
  std::vector<std::string> names;
  for (const auto& [name, shape] : tensors_of(settings)) {
    check_tensor(state, name, shape);
    finite_tensor<T>(state, name);
    names.push_back(name);
  }
  check_no_other(state, names);
  nlohmann::ordered_json json;
  json["dim"] = settings.dim;
  json["blocks"] = settings.blocks;
  json["hidden"] = settings.hidden;
  json["activation"] = settings.activation;
  json["time_input"] = nn::name_of(settings.time_input);
  json["t0"] = settings.t0;
  json["t1"] = settings.t1;
  json["base_scale"] = settings.base_scale;
  state.metadata["format"] = format_name;
  state.metadata["model"] = json.dump();
  return state;
}

FlowSettings settings_of(const nn::State& state) {
  const auto format = state.metadata.find("format");
  require(format != state.metadata.end() && format->second == format_name &&
              state.metadata.contains("model"),
          "model",
          "this is not a model file of Fjord: its metadata lacks format = fjord-flow and model");
  const nlohmann::json json = parse_text(state.metadata.at("model"));
  require(json.is_object(), "model", "the model file's text `model` is not a JSON object");
  if (json.contains("version")) {
    const Index version = whole_number_at(json, "version");
    require(version == newest_version, "model", [&] {
      return "the model file has version " + std::to_string(version) +
             ", and this Fjord reads version " + std::to_string(newest_version);
    });
  }
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
void load_parameters(Distribution<T>& model, const nn::State& state) {
  const nn::NamedParameters<T> parameters = nn::parameters_of<T>(model);
  // All are looked at before the first is changed.
  std::vector<Tensor<T>> values;
  std::vector<std::string> names;
  for (const nn::NamedParameter<T>& p : parameters) {
    check_tensor(state, p.name, p.parameter->value().shape());
    values.push_back(finite_tensor<T>(state, p.name));
    names.push_back(p.name);
    p.parameter->mutable_values();
  }
  check_no_other(state, names);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    std::ranges::copy(values[i].storage(), parameters[i].parameter->mutable_values().begin());
  }
}

template <class T>
std::unique_ptr<TransformedDistribution<T>> model_of(const nn::State& state,
                                                     const SolverSettings& numerics) {
  const FlowSettings settings = settings_of(state);
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
  check_widths(settings, state);
  auto model = make_flow<T>(settings, numerics, RandomKey(0));
  load_parameters(*model, state);
  return model;
}

#define FJORD_INSTANTIATE(T)                                                      \
  template std::unique_ptr<TransformedDistribution<T>> make_flow(                 \
      const FlowSettings&, const SolverSettings&, const RandomKey&);              \
  template nn::State state_of(TransformedDistribution<T>&, const FlowSettings&);  \
  template void load_parameters(Distribution<T>&, const nn::State&);              \
  template std::unique_ptr<TransformedDistribution<T>> model_of(const nn::State&, \
                                                                const SolverSettings&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::flows
