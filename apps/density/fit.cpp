#include "fjord/apps/density/fit.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "fjord/apps/common/checkpoint.hpp"
#include "fjord/apps/common/cores.hpp"
#include "fjord/apps/common/option_checks.hpp"
#include "fjord/apps/common/program.hpp"
#include "fjord/apps/common/progress.hpp"
#include "fjord/apps/common/random_use.hpp"
#include "fjord/apps/common/run_folder.hpp"
#include "fjord/apps/common/solver_settings.hpp"
#include "fjord/apps/common/stop_signal.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/apps/density/comparison.hpp"
#include "fjord/apps/density/data.hpp"
#include "fjord/apps/density/model.hpp"
#include "fjord/apps/density/preset.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/npy.hpp"
#include "fjord/flows/fit.hpp"
#include "fjord/flows/model_file.hpp"
#include "fjord/optim/adamw.hpp"
#include "fjord/optim/schedules.hpp"

namespace fjord::apps::density {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr const char* program_name = "density";

// What a run leaves in its folder, the checkpoint first.
constexpr const char* checkpoint_name = "checkpoint.safetensors";
constexpr const char* config_name = "config.toml";
constexpr const char* metrics_name = "metrics.jsonl";
constexpr const char* model_name = "model.safetensors";
constexpr const char* split_name = "split.npy";
constexpr std::array result_names{checkpoint_name, config_name, metrics_name, model_name,
                                  split_name};

// A recorded solve keeps every step: one that takes more goes astray, and would take the memory.
constexpr std::size_t max_steps = 1'000;

// As density score computes.
constexpr double score_tolerance = 1e-6;

Gaussian start_of(const WeightedRows& rows) {
  constexpr double ridge = 1e-6;
  return shrunk_gaussian_of(rows.values.to_vector(), rows.values.shape()[1], rows.weights, ridge);
}

Architecture architecture_of(const FitOptions& options, Index dim) {
  return {dim, options.blocks, widths_of(options.hidden)};
}

flows::SolverSettings training_settings(const FitOptions& options) {
  flows::SolverSettings settings =
      solver_settings(options.rtol, options.atol, "exact", options.precision);
  settings.solve.max_steps = max_steps;
  return settings;
}

template <class T>
Tensor<T> numbers(const WeightedRows& rows, const Data& data, const FitOptions& options) {
  return values_as<T>(rows.values, data.names, FileCheck("table", options.table));
}

Json json_of(const Reached& reached) {
  const Json error = reached.standard_error ? Json(*reached.standard_error) : Json();
  return Json::array({reached.mean, error});
}

template <class T>
class Run final {
 public:
  Run(const FitOptions& options, const Data& data, Clock::time_point began)
      : options_(options),
        data_(data),
        began_(began),
        settings_(settings_of(options)),
        random_(options.seed),
        workers_(thread_count(options.threads)),
        training_(standard_rows(data, data.split.training)),
        validation_(standard_rows(data, data.split.validation)),
        test_(standard_rows(data, data.split.test)),
        model_(make(std::nullopt)),
        training_numbers_(numbers<T>(training_, data, options)),
        validation_numbers_(numbers<T>(validation_, data, options)),
        rows_(training_numbers_, {}, training_.weights),
        held_out_(validation_numbers_, {}, validation_.weights),
        fit_(*model_, rows_, &held_out_, workers_, fit_options()),
        folder_(options.out) {}

  int run() {
    start();
    compare_simple_models();
    while (fit_.report().end == flows::FitEnd::running) {
      step();
      if (stop_signal() != 0) return interrupted();
      if (is_out_of_time(0.9)) fit_.stop(flows::FitEnd::callback);
    }
    progress_.finish();
    check_end();
    finish();
    return 0;
  }

 private:
  RandomKey use(RandomUse use) const { return key_for(random_, use); }

  std::unique_ptr<flows::TransformedDistribution<T>> make(const std::optional<Units>& units) const {
    return make_model<T>(architecture_of(options_, training_.values.shape()[1]),
                         start_of(training_), training_settings(options_), use(RandomUse::weights),
                         units);
  }

  flows::FitOptions<T> fit_options() {
    const Index count = training_.values.shape()[0];
    const TrainingHabits habits = habits_of(options_, count);
    flows::FitOptions<T> fit;
    fit.epochs = options_.epochs;
    fit.batch = options_.batch;
    fit.optimizer = [this, decay = habits.weight_decay](const optim::ParameterGroups<T>&) {
      return std::make_unique<optim::AdamW<T>>(parameter_groups<T>(*model_, decay),
                                               optim::AdamWOptions{.rate = options_.rate});
    };
    fit.schedule = optim::schedule_named("cosine", flows::steps_of(fit, count));
    fit.clip_norm = 10;
    fit.average = habits.average;
    fit.patience = habits.patience;
    fit.shuffling = use(RandomUse::shuffling);
    fit.probes = use(RandomUse::probes);
    return fit;
  }

  void start() {
    catch_stop_signals();
    folder_.check_files(result_names);
    const fs::path file = folder_.file(checkpoint_name);
    if (options_.resume && fs::exists(file)) {
      const Checkpoint checkpoint = load_checkpoint(file, settings_, settings_of(FitOptions()));
      record_ = checkpoint.record;
      record_.finished = false;
      restore(fit_, checkpoint.state, file);
    } else if (options_.resume) {
      print_note(program_name,
                 "no checkpoint in " + options_.out + ", so the run starts from the beginning");
    } else {
      require(!is_unfinished(file), "--out", [&] {
        return options_.out +
               " holds an unfinished run; go on with --resume, or name another --out";
      });
    }
    if (fit_.position().steps == 0) begin();
    write_file(folder_.file(config_name), config_text(options_));
    save_npy(folder_.file(split_name), split());
    if (data_.dropped == 0) return;
    print_note(program_name,
               "left out " + std::to_string(data_.dropped) + " rows with missing values");
  }

  // Files of an earlier run are replaced, and must not pass for those of this one meanwhile. The
  // checkpoint comes first: it shows that the other files belong to a run.
  void begin() {
    save();
    for (const char* name : {model_name, metrics_name}) {
      std::error_code ignored;
      fs::remove(folder_.file(name), ignored);
    }
  }

  Tensor<double> split() const {
    Tensor<double> parts = Tensor<double>::zeros({data_.rows.values.shape()[0]});
    for (const std::uint32_t i : data_.split.validation) parts.storage()[i] = 1;
    for (const std::uint32_t i : data_.split.test) parts.storage()[i] = 2;
    return parts;
  }

  void compare_simple_models() {
    const auto add = [&](const char* key, const std::string& name, const Baseline& model) {
      const Reached value = reached(model.log_density(test_.values, workers_), test_.weights, name);
      log_density_[key] = json_of(value);
      lines_ += line_of(name, value) + "\n";
    };
    add("gaussian", "gaussian", *fit_gaussian(training_));
    const MixtureFit mixture = choose_mixture(training_, validation_, use(RandomUse::mixtures),
                                              workers_, [&] { return is_out_of_time(0.15); });
    add("mixture", "mixture (" + std::to_string(mixture.components) + ")", *mixture.model);
    log_density_["mixture"].push_back(mixture.components);
    add("kernel", "kernel density", *choose_kernel_density(training_, validation_, workers_));
  }

  void step() {
    const std::size_t epochs = fit_.report().curve.size();
    const Index failures = fit_.report().failures;
    fit_.step();
    if (fit_.report().failures > failures && fit_.report().end == flows::FitEnd::running) {
      progress_.finish();
      print_note(program_name, fit_.report().failure +
                                   "; going on from the beginning of the epoch at a lower rate");
    } else if (fit_.report().curve.size() > epochs) {
      end_epoch(fit_.report().curve.back());
    } else {
      progress_.update(progress_state());
    }
  }

  void end_epoch(const flows::FitEpoch& epoch) {
    Json line;
    line["epoch"] = epoch.epoch;
    line["step"] = epoch.steps;
    line["train_nll"] = epoch.loss;
    line["validation_nll"] = *epoch.held_out;
    line["validation_nll_se"] = epoch.standard_error ? Json(*epoch.standard_error) : Json();
    line["nfe_forward"] = epoch.evaluations;
    line["seconds"] = seconds();
    record_.metrics += line.dump() + "\n";
    // Epochs of small tables take milliseconds.
    constexpr std::chrono::seconds interval(1);
    if (Clock::now() - shown_ < interval) return;
    shown_ = Clock::now();
    ProgressState state = progress_state();
    state.epoch = epoch.epoch;
    state.nll = epoch.loss;
    state.evaluations = epoch.evaluations;
    progress_.end_epoch(state, *epoch.held_out);
    write_file(folder_.file(metrics_name), record_.metrics);
    save();
  }

  int interrupted() {
    progress_.finish();
    save();
    write_file(folder_.file(metrics_name), record_.metrics);
    fit_.stop(flows::FitEnd::callback);
    nn::save_safetensors(folder_.file(model_name), model_state());
    print_note(program_name, "stopped after step " + std::to_string(fit_.position().steps) +
                                 ", with the best model so far; go on with --resume");
    return 128 + stop_signal();
  }

  // After too many failures, the best parameters before them are left, if there are any.
  void check_end() const {
    if (fit_.report().end != flows::FitEnd::failure) return;
    if (fit_.report().best_epoch > 0) return print_note(program_name, fit_.report().failure);
    try {
      fit_.throw_failure();
    } catch (const std::range_error& error) {
      throw std::range_error(std::string(error.what()) +
                             "; lower --rate, or tighten --rtol and --atol");
    }
  }

  // The model in the table's units.
  nn::State model_state() const {
    const auto whole = make(Units{data_.means, data_.deviations});
    const auto trained = nn::parameter_pointers(nn::parameters_of(*model_));
    optim::set_values(nn::parameter_pointers(nn::parameters_of(*whole)), optim::values_of(trained));
    return flows::state_of(*whole, {data_.names, {}});
  }

  // The log-densities of the test rows by the saved model, in units of the standardised columns.
  Tensor<double> flow_log_density(const nn::State& state) {
    const flows::SolverSettings solver =
        solver_settings(score_tolerance, score_tolerance, "exact", "double");
    const auto model = flows::model_of<double>(state, solver);
    flows::ShardedModel<double> sharded(*model, workers_);
    const flows::TableRows<double> rows(data_.rows.values);
    const flows::ChosenRows<double> chosen(rows, data_.split.test);
    Tensor<double> result = sharded.log_prob(chosen, use(RandomUse::probes)).values;
    double shift = 0;
    for (const double deviation : data_.deviations) shift += std::log(deviation);
    for (double& value : result.storage()) value += shift;
    return result;
  }

  void finish() {
    const nn::State state = model_state();
    const Reached flow = reached(flow_log_density(state), test_.weights, "flow");
    log_density_["flow"] = json_of(flow);
    lines_ += line_of("flow", flow) + "\n";
    const double total = seconds();
    Json line;
    line["final"] = true;
    line["rows"] = {{"train", data_.split.training.size()},
                    {"validation", data_.split.validation.size()},
                    {"test", data_.split.test.size()}};
    line["log_density"] = log_density_;
    line["seconds"] = total;
    write_file(folder_.file(metrics_name), record_.metrics + line.dump() + "\n");
    nn::save_safetensors(folder_.file(model_name), state);
    record_.finished = true;
    save();
    std::printf("%s%zu test rows, %.1f s, wrote %s\n", lines_.c_str(), data_.split.test.size(),
                total, (fs::path(options_.out) / model_name).c_str());
  }

  ProgressState progress_state() const {
    ProgressState state;
    const flows::FitPosition& position = fit_.position();
    state.epoch = position.epoch + 1;
    state.epochs = options_.epochs;
    state.step = position.steps;
    state.steps = options_.epochs * fit_.batches();
    state.nll = position.loss_sum / position.weight;
    state.evaluations = position.evaluation_sum / static_cast<double>(position.batch);
    return state;
  }

  double here() const { return std::chrono::duration<double>(Clock::now() - began_).count(); }

  double seconds() const { return record_.seconds + here(); }

  // Whether this share of --minutes is over.
  bool is_out_of_time(double share) const {
    return options_.minutes > 0 && here() > 60 * share * options_.minutes;
  }

  void save() {
    RunRecord now = record_;
    now.seconds = seconds();
    save_checkpoint(folder_.file(checkpoint_name), fit_.state(), now, settings_);
  }

  const FitOptions& options_;
  const Data& data_;
  Clock::time_point began_;
  Clock::time_point shown_;
  Settings settings_;
  RandomKey random_;
  Workers workers_;
  WeightedRows training_;
  WeightedRows validation_;
  WeightedRows test_;
  std::unique_ptr<flows::TransformedDistribution<T>> model_;
  Tensor<T> training_numbers_;
  Tensor<T> validation_numbers_;
  flows::TableRows<T> rows_;
  flows::TableRows<T> held_out_;
  flows::Fit<T> fit_;
  RunRecord record_;
  std::string lines_;
  Json log_density_;
  Progress progress_{"validation"};
  RunFolder folder_;  // the last: it makes the folder, once nothing else has been refused
};

}  // namespace

int fit(const FitOptions& options) {
  const Clock::time_point began = Clock::now();
  const Data data = load_data(options);
  FitOptions full = options;
  apply_preset(full, static_cast<Index>(data.split.training.size()));
  if (full.precision == "float") return Run<float>(full, data, began).run();
  return Run<double>(full, data, began).run();
}

}  // namespace fjord::apps::density
