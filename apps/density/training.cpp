#include "fjord/apps/density/training.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "fjord/autodiff/errors.hpp"

namespace fjord::apps::density {
namespace {

constexpr const char* results_name = "members";

std::string tensor_name(std::size_t job) {
  return "members." + std::to_string(job);
}

template <class T>
std::vector<Parameter<T>*> numbers_of(Flow<T>& flow) {
  std::vector<Parameter<T>*> all;
  for (const nn::NamedParameter<T>& p : nn::parameters_of(flow)) all.push_back(p.parameter);
  return all;
}

}  // namespace

template <class T>
Training<T>::Training(TrainingPlan<T> plan, Workers& workers)
    : plan_(std::move(plan)), workers_(workers) {
  begin_job();
}

template <class T>
void Training<T>::begin_job() {
  fit_.reset();
  // A member that failed is not trained again.
  while (job() >= plan_.members && job() < jobs() &&
         results_[static_cast<std::size_t>(job() - plan_.members)].values.empty())
    results_.push_back({});
  if (job() == jobs()) return;
  const bool is_first_round = job() < plan_.members;
  const Index member = job() % plan_.members;
  flow_ = plan_.flow(member);
  flows::FitOptions<T> options = plan_.options(member, *flow_);
  // The schedule stays that of the first round.
  if (!is_first_round) options.epochs = results_[static_cast<std::size_t>(member)].best_epoch;
  const flows::RowSource<T>* rows = is_first_round ? plan_.rows : plan_.all;
  fit_ = std::make_unique<flows::Fit<T>>(*flow_, *rows, is_first_round ? plan_.held_out : nullptr,
                                         workers_, options);
}

template <class T>
bool Training<T>::has_values() const {
  return std::ranges::any_of(results_, [](const Result& r) { return !r.values.empty(); });
}

template <class T>
typename Training<T>::Result Training<T>::result() const {
  const flows::FitReport& report = fit_->report();
  const bool failed = report.end == flows::FitEnd::failure && report.best_epoch == 0;
  if (failed) return {};
  return {optim::values_of(numbers_of(*flow_)), report.best_epoch};
}

template <class T>
void Training<T>::next() {
  Result now = result();
  if (now.values.empty() && job() + 1 == plan_.members && !has_values()) fit_->throw_failure();
  results_.push_back(std::move(now));
  begin_job();
}

template <class T>
void Training<T>::stop() {
  if (is_finished()) return;
  fit_->stop(flows::FitEnd::callback);
  const bool is_first_round = job() < plan_.members;
  if (is_first_round && (fit_->report().best_epoch > 0 || !has_values()))
    results_.push_back(result());
  fit_.reset();
}

template <class T>
std::unique_ptr<Flow<T>> Training<T>::flow_with(Index member, const std::vector<T>& values) const {
  auto flow = plan_.flow(member);
  optim::set_values(numbers_of(*flow), values);
  return flow;
}

template <class T>
Flows<T> Training<T>::members(bool refitted) const {
  Flows<T> flows;
  if (refitted && job() < jobs()) return flows;
  const Index first = refitted ? plan_.members : 0;
  const Index last = std::min(first + plan_.members, job());
  for (Index k = first; k < last; ++k) {
    const Result& r = results_[static_cast<std::size_t>(k)];
    if (!r.values.empty()) flows.push_back(flow_with(k - first, r.values));
  }
  return flows;
}

template <class T>
nn::State Training<T>::state() const {
  nn::State state = fit_ == nullptr ? nn::State{} : fit_->state();
  nlohmann::json best = nlohmann::json::array();
  for (std::size_t k = 0; k < results_.size(); ++k) {
    const Result& r = results_[k];
    best.push_back(r.best_epoch);
    if (!r.values.empty())
      state.tensors[tensor_name(k)] =
          Tensor<T>::from({static_cast<Index>(r.values.size())}, r.values);
  }
  state.metadata[results_name] =
      nlohmann::json{{"best_epochs", best}, {"finished", is_finished()}}.dump();
  return state;
}

template <class T>
void Training<T>::restore(const nn::State& state) {
  const auto damaged = [](bool holds) {
    require(holds, "training", "the state of the training is damaged, or of another version");
  };
  const auto text = state.metadata.find(results_name);
  damaged(text != state.metadata.end());
  const nlohmann::json json = nlohmann::json::parse(text->second, nullptr, false);
  damaged(json.is_object() && json.contains("best_epochs") && json.contains("finished"));
  std::vector<Result> results;
  for (const nlohmann::json& best : json["best_epochs"]) {
    damaged(best.is_number_integer());
    Result r{{}, best.get<Index>()};
    const auto found = state.tensors.find(tensor_name(results.size()));
    if (found != state.tensors.end()) {
      const auto* values = std::get_if<Tensor<T>>(&found->second);
      damaged(values != nullptr);
      r.values = values->to_vector();
    }
    results.push_back(std::move(r));
  }
  damaged(static_cast<Index>(results.size()) <= jobs());
  results_ = std::move(results);
  begin_job();
  if (json["finished"] == true) {
    fit_.reset();
  } else {
    damaged(fit_ != nullptr);
    fit_->restore(state);
  }
}

template class Training<float>;
template class Training<double>;

}  // namespace fjord::apps::density
