#include "fjord/apps/common/checkpoint.hpp"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "fjord/apps/common/message.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/nn/safetensors.hpp"

namespace fjord::apps {
namespace {

const std::string remedy = "; name another --out, or remove the file to start a new run";

constexpr const char* format_name = "fjord-checkpoint";
constexpr const char* moment_prefix = "optimizer.";

// nlohmann writes the shortest text that reads back to the same double.
nlohmann::json to_json(const Position& p) {
  return {{"epoch", p.epoch},
          {"batch", p.batch},
          {"steps", p.steps},
          {"loss_sum", p.loss_sum},
          {"rows", p.rows},
          {"evaluation_sum", p.evaluation_sum},
          {"last_evaluations", p.last_evaluations},
          {"seconds", p.seconds},
          {"metrics", p.metrics},
          {"finished", p.finished}};
}

Position position_of(const nlohmann::json& json) {
  Position p;
  json.at("epoch").get_to(p.epoch);
  json.at("batch").get_to(p.batch);
  json.at("steps").get_to(p.steps);
  json.at("loss_sum").get_to(p.loss_sum);
  json.at("rows").get_to(p.rows);
  json.at("evaluation_sum").get_to(p.evaluation_sum);
  json.at("last_evaluations").get_to(p.last_evaluations);
  json.at("seconds").get_to(p.seconds);
  json.at("metrics").get_to(p.metrics);
  json.at("finished").get_to(p.finished);
  require(p.epoch >= 0 && p.batch >= 0 && p.steps >= 0, "checkpoint", "a count is negative");
  return p;
}

struct Metadata {
  Position position;
  Settings settings;
  std::uint64_t optimizer_steps;
};

Metadata metadata_of(const nn::State& state, const std::string& file) {
  const auto format = state.metadata.find("format");
  require(format != state.metadata.end() && format->second == format_name, "checkpoint",
          [&] { return file + " is not a checkpoint of Fjord; name another --out"; });
  try {
    const nlohmann::json json = nlohmann::json::parse(state.metadata.at("run"));
    return {position_of(json.at("position")), json.at("settings").get<Settings>(),
            json.at("optimizer_steps").get<std::uint64_t>()};
  } catch (const std::exception&) {
    fail("checkpoint", file + " is damaged" + remedy);
  }
}

template <class T>
const Tensor<T>& tensor_at(const nn::State& state, const std::string& name,
                           const std::string& file) {
  const auto found = state.tensors.find(name);
  const bool ok = found != state.tensors.end() && std::holds_alternative<Tensor<T>>(found->second);
  require(ok, "checkpoint",
          [&] { return file + " lacks the tensor " + name + " in the run's precision" + remedy; });
  return std::get<Tensor<T>>(found->second);
}

nn::State read_state(const std::filesystem::path& file) {
  try {
    return nn::load_safetensors(file);
  } catch (const std::invalid_argument& error) {
    fail("checkpoint", plain_message(error.what()) + remedy);
  }
}

// A setting that the checkpoint does not know came later, when its default was all that there was.
void check_settings(const Settings& saved, const Settings& asked, const Settings& defaults) {
  static const std::set<std::string> free{"epochs", "threads", "out"};
  for (const auto& [name, value] : asked) {
    if (free.contains(name)) continue;
    const auto found = saved.find(name);
    const std::string before = found == saved.end() ? defaults.at(name) : found->second;
    require(before == value, "--resume", [&, &setting = name, &now = value] {
      return "the checkpoint was made with --" + setting + " " + before + ", not " + now +
             "; give --" + setting + " " + before + ", or another --out";
    });
  }
  for (const auto& [name, value] : saved) {
    require(asked.contains(name), "--resume", [&, &setting = name, &before = value] {
      return "the checkpoint was made with --" + setting + " " + before +
             ", which this version does not have; name another --out";
    });
  }
}

}  // namespace

template <class T>
void save_checkpoint(const std::filesystem::path& file, const nn::NamedParameters<T>& parameters,
                     const optim::Optimizer<T>& optimizer, const Position& position,
                     const Settings& settings) {
  nn::State state;
  for (const nn::NamedParameter<T>& p : parameters) state.tensors[p.name] = p.parameter->value();
  const optim::OptimizerState<T> moments = optimizer.state();
  for (const auto& [name, tensor] : moments.tensors) state.tensors[moment_prefix + name] = tensor;
  const nlohmann::json run{
      {"position", to_json(position)}, {"settings", settings}, {"optimizer_steps", moments.steps}};
  state.metadata = {{"format", format_name}, {"run", run.dump()}};
  nn::save_safetensors(file, state);
}

bool is_unfinished(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return false;
  return !metadata_of(read_state(file), file.string()).position.finished;
}

template <class T>
Position load_checkpoint(const std::filesystem::path& file,
                         const nn::NamedParameters<T>& parameters, optim::Optimizer<T>& optimizer,
                         const Settings& settings, const Settings& defaults) {
  const nn::State state = read_state(file);
  const Metadata metadata = metadata_of(state, file.string());
  check_settings(metadata.settings, settings, defaults);
  optim::OptimizerState<T> moments{metadata.optimizer_steps, {}};
  for (const auto& [name, tensor] : optimizer.state().tensors) {
    moments.tensors[name] = tensor_at<T>(state, moment_prefix + name, file.string());
  }
  optimizer.restore(moments);
  for (const nn::NamedParameter<T>& p : parameters) {
    const Tensor<T>& saved = tensor_at<T>(state, p.name, file.string());
    require(saved.shape() == p.parameter->value().shape(), "checkpoint", [&] {
      return file.string() + ": tensor " + p.name + " has another shape than the model's" + remedy;
    });
    std::ranges::copy(saved.storage(), p.parameter->mutable_values().begin());
  }
  return metadata.position;
}

#define FJORD_INSTANTIATE(T)                                                                     \
  template void save_checkpoint(const std::filesystem::path&, const nn::NamedParameters<T>&,     \
                                const optim::Optimizer<T>&, const Position&, const Settings&);   \
  template Position load_checkpoint(const std::filesystem::path&, const nn::NamedParameters<T>&, \
                                    optim::Optimizer<T>&, const Settings&, const Settings&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::apps
