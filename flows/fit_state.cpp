#include "fjord/flows/fit_state.hpp"

#include <nlohmann/json.hpp>

#include "fjord/autodiff/errors.hpp"

namespace fjord::flows {
namespace {

using Json = nlohmann::json;

constexpr const char* text_name = "fit";

Json to_json(const FitPosition& p) {
  return {{"epoch", p.epoch},
          {"batch", p.batch},
          {"steps", p.steps},
          {"loss_sum", p.loss_sum},
          {"weight", p.weight},
          {"evaluation_sum", p.evaluation_sum},
          {"rate_factor", p.rate_factor},
          {"retry_rate", p.retry_rate},
          {"penalty_sums", p.penalty_sums}};
}

FitPosition position_of(const Json& json) {
  FitPosition p;
  json.at("epoch").get_to(p.epoch);
  json.at("batch").get_to(p.batch);
  json.at("steps").get_to(p.steps);
  json.at("loss_sum").get_to(p.loss_sum);
  json.at("weight").get_to(p.weight);
  json.at("evaluation_sum").get_to(p.evaluation_sum);
  json.at("rate_factor").get_to(p.rate_factor);
  json.at("retry_rate").get_to(p.retry_rate);
  json.at("penalty_sums").get_to(p.penalty_sums);
  require(p.epoch >= 0 && p.batch >= 0 && p.steps >= 0, "fit", "a count is negative");
  return p;
}

Json optional(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

std::optional<double> optional_at(const Json& json, const char* name) {
  const Json& value = json.at(name);
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

Json to_json(const FitReport& r) {
  Json curve = Json::array();
  for (const FitEpoch& e : r.curve) {
    curve.push_back({{"epoch", e.epoch},
                     {"steps", e.steps},
                     {"loss", e.loss},
                     {"held_out", optional(e.held_out)},
                     {"standard_error", optional(e.standard_error)},
                     {"evaluations", e.evaluations},
                     {"rate_factor", e.rate_factor},
                     {"penalties", e.penalties}});
  }
  return {{"curve", curve},
          {"best_epoch", r.best_epoch},
          {"failures", r.failures},
          {"failure", r.failure},
          {"end", static_cast<int>(r.end)}};
}

FitReport report_of(const Json& json) {
  FitReport r;
  for (const Json& e : json.at("curve")) {
    r.curve.push_back({e.at("epoch").get<Index>(), e.at("steps").get<Index>(),
                       e.at("loss").get<double>(), optional_at(e, "held_out"),
                       optional_at(e, "standard_error"), e.at("evaluations").get<double>(),
                       e.at("rate_factor").get<double>(),
                       e.at("penalties").get<std::vector<double>>()});
  }
  json.at("best_epoch").get_to(r.best_epoch);
  json.at("failures").get_to(r.failures);
  json.at("failure").get_to(r.failure);
  const int end = json.at("end").get<int>();
  require(end >= 0 && end <= static_cast<int>(FitEnd::failure), "fit", "there is no such end");
  require(r.best_epoch >= 0 && r.best_epoch <= static_cast<Index>(r.curve.size()), "fit",
          "the best epoch is not on the curve");
  r.end = static_cast<FitEnd>(end);
  return r;
}

template <class T>
void add(const FitSnapshot<T>& snapshot, const std::string& prefix, nn::State& state) {
  const auto size = static_cast<Index>(snapshot.values.size());
  state.tensors[prefix + "parameters"] = Tensor<T>::from({size}, snapshot.values);
  for (const auto& [name, tensor] : snapshot.optimizer.tensors)
    state.tensors[prefix + "optimizer." + name] = tensor;
  if (snapshot.average.count > 0) state.tensors[prefix + "average"] = snapshot.average.values;
}

template <class V>
const Tensor<V>& tensor_at(const nn::State& state, const std::string& name, const Shape& shape) {
  const auto found = state.tensors.find(name);
  const auto* tensor =
      found == state.tensors.end() ? nullptr : std::get_if<Tensor<V>>(&found->second);
  require(tensor != nullptr && tensor->shape() == shape, "fit", [&] {
    return "the state lacks the tensor " + name + " of shape " + to_string(shape) +
           " in the run's precision";
  });
  return *tensor;
}

template <class T>
FitSnapshot<T> snapshot_at(const nn::State& state, const std::string& prefix, const Json& counts,
                           const FitSnapshot<T>& like) {
  const Shape size{static_cast<Index>(like.values.size())};
  FitSnapshot<T> result;
  result.values = tensor_at<T>(state, prefix + "parameters", size).to_vector();
  result.optimizer.steps = counts.at("optimizer").get<std::uint64_t>();
  for (const auto& [name, tensor] : like.optimizer.tensors) {
    result.optimizer.tensors[name] =
        tensor_at<T>(state, prefix + "optimizer." + name, tensor.shape());
  }
  result.average = like.average;
  result.average.count = counts.at("average").get<std::uint64_t>();
  if (result.average.count > 0) {
    result.average.values =
        tensor_at<double>(state, prefix + "average", like.average.values.shape());
  }
  return result;
}

template <class T>
Json counts_of(const FitSnapshot<T>& snapshot) {
  return {{"optimizer", snapshot.optimizer.steps}, {"average", snapshot.average.count}};
}

}  // namespace

template <class T>
nn::State state_of(const FitContents<T>& c) {
  nn::State state;
  add(c.now, "now.", state);
  add(c.epoch_start, "epoch_start.", state);
  const auto size = static_cast<Index>(c.best.size());
  if (size > 0) state.tensors["best"] = Tensor<T>::from({size}, c.best);
  const Json text{{"position", to_json(c.position)},
                  {"epoch_position", to_json(c.epoch_position)},
                  {"report", to_json(c.report)},
                  {"now", counts_of(c.now)},
                  {"epoch_start", counts_of(c.epoch_start)},
                  {"has_best", size > 0}};
  state.metadata[text_name] = text.dump();
  return state;
}

template <class T>
FitContents<T> fit_contents_of(const nn::State& state, const FitSnapshot<T>& like) {
  const auto text = state.metadata.find(text_name);
  require(text != state.metadata.end(), "fit", "this is not the state of a training run");
  try {
    const Json json = Json::parse(text->second);
    FitContents<T> c{snapshot_at(state, "now.", json.at("now"), like),
                     snapshot_at(state, "epoch_start.", json.at("epoch_start"), like),
                     {},
                     position_of(json.at("position")),
                     position_of(json.at("epoch_position")),
                     report_of(json.at("report"))};
    if (json.at("has_best").get<bool>()) {
      const Shape size{static_cast<Index>(like.values.size())};
      c.best = tensor_at<T>(state, "best", size).to_vector();
    }
    return c;
  } catch (const Json::exception&) {
    fail("fit", "the state of the training run is damaged");
  }
}

#define FJORD_INSTANTIATE(T)                          \
  template nn::State state_of(const FitContents<T>&); \
  template FitContents<T> fit_contents_of(const nn::State&, const FitSnapshot<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::flows
