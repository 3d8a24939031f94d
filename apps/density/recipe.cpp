#include "fjord/apps/density/recipe.hpp"

#include "fjord/apps/common/option_checks.hpp"
#include "fjord/apps/common/random_use.hpp"
#include "fjord/apps/common/solver_settings.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/apps/density/model.hpp"
#include "fjord/apps/density/preset.hpp"
#include "fjord/flows/matching.hpp"
#include "fjord/optim/adamw.hpp"
#include "fjord/optim/schedules.hpp"

namespace fjord::apps::density {
namespace {

// A recorded solve keeps every step: one that takes more goes astray, and would take the memory.
constexpr std::size_t max_steps = 1'000;

// The normal distribution of the training rows as the flows see them.
Gaussian start_of(const Data& data) {
  constexpr double ridge = 1e-6;
  const std::vector<std::uint32_t>& training = data.split.training;
  const Tensor<double> standard =
      chosen_rows(standard_numbers(data.rows.values, data.maps), training);
  return shrunk_gaussian_of(standard.to_vector(), standard.shape()[1],
                            standard_rows(data, training).weights, ridge);
}

Architecture architecture_of(const FitOptions& options, const Data& data) {
  const Index given = data.rows.given;
  return {options.flow, data.rows.values.shape()[1] - given, given, options.blocks,
          widths_of(options.hidden)};
}

flows::SolverSettings training_settings(const FitOptions& options) {
  flows::SolverSettings settings =
      solver_settings(options.rtol, options.atol, "exact", options.precision);
  settings.solve.max_steps = max_steps;
  return settings;
}

template <class T>
flows::FitOptions<T> fit_options(const FitOptions& options, Index rows, Flow<T>& flow) {
  const TrainingHabits habits = habits_of(options, rows);
  flows::FitOptions<T> fit;
  fit.epochs = options.epochs;
  fit.batch = options.batch;
  fit.optimizer = [&options, &flow, decay = habits.weight_decay](const optim::ParameterGroups<T>&) {
    return std::make_unique<optim::AdamW<T>>(parameter_groups<T>(flow, decay),
                                             optim::AdamWOptions{.rate = options.rate});
  };
  if (options.method == "matching") fit.loss = std::make_shared<flows::FlowMatching<T>>();
  fit.schedule = optim::schedule_named("cosine", flows::steps_of(fit, rows));
  fit.clip_norm = 10;
  fit.average = habits.average;
  fit.patience = habits.patience;
  return fit;
}

}  // namespace

template <class T>
TrainingPlan<T> plan_of(const FitOptions& options, const Data& data, const FlowRows<T>& rows,
                        const RandomKey& random) {
  TrainingPlan<T> plan;
  plan.members = options.members;
  plan.refit = options.refit;
  plan.rows = &rows.training();
  plan.held_out = &rows.validation();
  plan.all = &rows.all();
  plan.flow = [&options, &data, random, start = start_of(data)](Index member) {
    return make_flow<T>(architecture_of(options, data), start, training_settings(options),
                        member_key(random, RandomUse::weights, member));
  };
  plan.options = [&options, random, count = rows.training().rows()](Index member, Flow<T>& flow) {
    flows::FitOptions<T> fit = fit_options<T>(options, count, flow);
    fit.shuffling = member_key(random, RandomUse::shuffling, member);
    fit.probes = member_key(random, RandomUse::probes, member);
    return fit;
  };
  return plan;
}

template TrainingPlan<float> plan_of(const FitOptions&, const Data&, const FlowRows<float>&,
                                     const RandomKey&);
template TrainingPlan<double> plan_of(const FitOptions&, const Data&, const FlowRows<double>&,
                                      const RandomKey&);

}  // namespace fjord::apps::density
