#include "fjord/flows/model_file.hpp"

#include <cmath>
#include <cstdint>

#include <nlohmann/json.hpp>

#include "fjord/flows/ffjord_chain.hpp"
#include "fjord/flows/state_checks.hpp"
#include "fjord/nn/check_json.hpp"

namespace fjord::flows {
namespace {

using Json = nlohmann::ordered_json;
using nn::Config;

constexpr const char* format_name = "fjord-flow";
constexpr int tree_version = 2;
// Of the tree, whose parts are built by functions that call each other.
constexpr std::size_t max_depth = 100;

// Whole numbers without a fraction, as a person would write them.
Json json_of(double number) {
  const bool is_whole = number == std::floor(number) && std::abs(number) < 1e15;
  if (!is_whole || (number == 0 && std::signbit(number))) return number;
  return static_cast<std::int64_t>(number);
}

Json json_of(const nn::Setting& setting) {
  if (const auto* number = std::get_if<double>(&setting)) return json_of(*number);
  if (const auto* numbers = std::get_if<std::vector<double>>(&setting)) {
    Json list = Json::array();
    for (const double number : *numbers) list.push_back(json_of(number));
    return list;
  }
  return std::visit([](const auto& value) { return Json(value); }, setting);
}

Json json_of(const Config& config, const std::string& path) {
  require(!config.type.empty(), "save", [&] {
    return "the part " + path +
           " has no type name, as a function has none; give it a class that is "
           "among the types of save() and load_model()";
  });
  Json json{{"type", config.type}};
  for (const auto& [name, setting] : config.settings) json[name] = json_of(setting);
  for (const Config::Child& child : config.children) {
    const std::string start = path.empty() ? child.name : path + "." + child.name;
    if (!child.is_list) {
      json[child.name] = json_of(child.parts[0], start);
      continue;
    }
    json[child.name] = Json::array();
    for (std::size_t k = 0; k < child.parts.size(); ++k)
      json[child.name].push_back(json_of(child.parts[k], start + "." + std::to_string(k)));
  }
  return json;
}

[[noreturn]] void fail_value(const std::string& name) {
  fail("model",
       "the entry " + printable(name) +
           " must be a number, a text, true, false, a part, or a list of numbers or parts");
}

template <class V>
bool all_are(const Json& list, V is) {
  return std::ranges::all_of(list, is);
}

Config config_of(const Json& json);

void read_entry(const std::string& name, const Json& value, Config& config) {
  const auto set = [&](const nn::Setting& setting) { config.settings.emplace_back(name, setting); };
  if (value.is_boolean()) {
    set(value.get<bool>());
  } else if (value.is_number()) {
    set(value.get<double>());
  } else if (value.is_string()) {
    set(value.get<std::string>());
  } else if (value.is_object()) {
    config.children.push_back({name, false, {config_of(value)}});
  } else if (value.is_array() && all_are(value, [](const Json& v) { return v.is_number(); })) {
    set(value.get<std::vector<double>>());
  } else if (value.is_array() && all_are(value, [](const Json& v) { return v.is_object(); })) {
    Config::Child child{name, true, {}};
    for (const Json& part : value) child.parts.push_back(config_of(part));
    config.children.push_back(std::move(child));
  } else {
    fail_value(name);
  }
}

Config config_of(const Json& json) {
  const auto type = json.find("type");
  require(type != json.end() && type->is_string(), "model",
          "a part of the model file lacks its type, a text");
  Config config;
  config.type = type->get<std::string>();
  for (const auto& item : json.items()) {
    if (item.key() != "type") read_entry(item.key(), item.value(), config);
  }
  return config;
}

// The text `model` of a file's metadata.
Json model_text(const nn::State& state) {
  const auto format = state.metadata.find("format");
  require(format != state.metadata.end() && format->second == format_name &&
              state.metadata.contains("model"),
          "model",
          "this is not a model file of Fjord: its metadata lacks format = fjord-flow and model");
  const std::string& text = state.metadata.at("model");
  nn::check_json(text, "the text", max_depth, FileCheck("model", "the model file's text `model`"));
  Json json = Json::parse(text);
  require(json.is_object(), "model", "the model file's text `model` is not a JSON object");
  return json;
}

// 1 or 2; version 1 need not say so.
int version_of(const Json& json) {
  const auto version = json.find("version");
  if (version == json.end()) return 1;
  require(version->is_number_integer(), "model",
          "the model file's key version must be a whole number");
  const auto number = version->get<std::int64_t>();
  require(number == 1 || number == tree_version, "model", [&] {
    return "the model file has version " + std::to_string(number) +
           ", and this Fjord reads versions 1 and 2";
  });
  return static_cast<int>(number);
}

std::vector<std::string> names_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return {};
  require(found->is_array() && all_are(*found, [](const Json& v) { return v.is_string(); }),
          "model",
          [&] { return std::string("the model file's key ") + key + " must be a list of texts"; });
  return found->get<std::vector<std::string>>();
}

Config tree_of(const Json& json) {
  for (const auto& item : json.items()) {
    const std::string& key = item.key();
    require(key == "version" || key == "columns" || key == "given" || key == "distribution",
            "model", [&] {
              return "the model file has the unknown key " + printable(key) +
                     "; it needs a newer Fjord";
            });
  }
  const auto distribution = json.find("distribution");
  require(distribution != json.end() && distribution->is_object(), "model",
          "the model file lacks the key distribution, a part");
  return config_of(*distribution);
}

void check_names(const std::vector<std::string>& names, Index count, const char* what) {
  const auto found = static_cast<Index>(names.size());
  require(names.empty() || found == count, "model", [&] {
    return "the model takes " + std::to_string(count) + " " + what + ", and " +
           std::to_string(found) + " are named";
  });
}

double numbers_in(const nn::State& state) {
  double count = 0;
  for (const auto& [name, tensor] : state.tensors)
    count += std::visit([](const auto& t) { return static_cast<double>(t.size()); }, tensor);
  return count;
}

}  // namespace

Index given_width(const Config& config) {
  Index width = 0;
  const auto take = [&](Index other) {
    require(width == 0 || other == 0 || width == other, "given", [&] {
      return "parts of the model need " + std::to_string(width) + " and " + std::to_string(other) +
             " given numbers of a row; all that need any must need as many";
    });
    width = std::max(width, other);
  };
  for (const auto& [name, setting] : config.settings) {
    if (name == "given") take(static_cast<Index>(std::get<double>(setting)));
  }
  for (const Config::Child& child : config.children) {
    for (const Config& part : child.parts) take(given_width(part));
  }
  return width;
}

template <class T>
nn::State state_of(Distribution<T>& model, const ColumnNames& names,
                   const nn::PartTypes<T>& types) {
  const nn::Description<T> description = model.describe();
  nn::State state;
  for (const nn::NamedParameter<T>& p : description.parameters())
    state.tensors[p.name] = p.parameter->value();
  Json json{{"version", tree_version}};
  if (!names.columns.empty()) json["columns"] = names.columns;
  if (!names.given.empty()) json["given"] = names.given;
  json["distribution"] = json_of(description.config(), "");
  state.metadata["format"] = format_name;
  state.metadata["model"] = json.dump();
  // What cannot be loaded again is not saved.
  model_of(state, {}, types);
  return state;
}

template <class T>
void load_parameters(nn::Part<T>& model, const nn::State& state) {
  const nn::NamedParameters<T> parameters = nn::parameters_of(model);
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
std::unique_ptr<Distribution<T>> model_of(const nn::State& state, const SolverSettings& solver,
                                          const nn::PartTypes<T>& types) {
  const Json json = model_text(state);
  if (version_of(json) == 1) return version_1_model<T>(state, solver);
  check_one_precision(state);
  const Config tree = tree_of(json);
  auto model = nn::PartReader<T>::template build<Distribution<T>>(tree, types, numbers_in(state));
  load_parameters(*model, state);
  check_names(names_at(json, "columns"), model->dim(), "numbers a row");
  check_names(names_at(json, "given"), given_width(tree), "given numbers a row");
  set_solver(*model, solver);
  return model;
}

ColumnNames column_names_of(const nn::State& state) {
  const Json json = model_text(state);
  if (version_of(json) == 1) return {};
  return {names_at(json, "columns"), names_at(json, "given")};
}

template <class T>
void save(Distribution<T>& model, const std::string& path, const ColumnNames& names,
          const nn::PartTypes<T>& types) {
  nn::save_safetensors(path, state_of(model, names, types));
}

template <class T>
std::unique_ptr<Distribution<T>> load_model(const std::string& path, const SolverSettings& solver,
                                            const nn::PartTypes<T>& types) {
  return model_of<T>(nn::load_safetensors(path), solver, types);
}

#define FJORD_INSTANTIATE(T)                                                                      \
  template nn::State state_of(Distribution<T>&, const ColumnNames&, const nn::PartTypes<T>&);     \
  template void load_parameters(nn::Part<T>&, const nn::State&);                                  \
  template std::unique_ptr<Distribution<T>> model_of(const nn::State&, const SolverSettings&,     \
                                                     const nn::PartTypes<T>&);                    \
  template void save(Distribution<T>&, const std::string&, const ColumnNames&,                    \
                     const nn::PartTypes<T>&);                                                    \
  template std::unique_ptr<Distribution<T>> load_model(const std::string&, const SolverSettings&, \
                                                       const nn::PartTypes<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::flows
