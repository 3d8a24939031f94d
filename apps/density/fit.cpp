#include "fjord/apps/density/fit.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "fjord/apps/common/cores.hpp"
#include "fjord/apps/common/message.hpp"
#include "fjord/apps/common/option_checks.hpp"
#include "fjord/apps/common/program.hpp"
#include "fjord/apps/common/progress.hpp"
#include "fjord/apps/common/random_use.hpp"
#include "fjord/apps/common/ranks.hpp"
#include "fjord/apps/common/run_files.hpp"
#include "fjord/apps/common/stop_signal.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/apps/density/background.hpp"
#include "fjord/apps/density/budget.hpp"
#include "fjord/apps/density/comparison.hpp"
#include "fjord/apps/density/data.hpp"
#include "fjord/apps/density/data_record.hpp"
#include "fjord/apps/density/flow_rows.hpp"
#include "fjord/apps/density/model.hpp"
#include "fjord/apps/density/preset.hpp"
#include "fjord/apps/density/recipe.hpp"
#include "fjord/apps/density/report.hpp"
#include "fjord/apps/density/table_model.hpp"
#include "fjord/apps/density/training.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"

namespace fjord::apps::density {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr const char* program_name = "density";

// What a run leaves in its folder, beside checkpoint and metrics.
constexpr const char* comparison_name = "comparison.csv";
constexpr const char* config_name = "config.toml";
constexpr const char* model_name = "model.safetensors";
constexpr const char* report_name = "report.html";
constexpr const char* split_name = "split.npy";

// In the checkpoint.
constexpr const char* digest_name = "rows";

Json json_of(const Reached& reached) {
  const Json error = reached.standard_error ? Json(*reached.standard_error) : Json();
  return Json::array({reached.mean, error});
}

template <class T>
class Run final {
 public:
  Run(const FitOptions& options, const Data& data, Clock::time_point began,
      const Communicator& ranks, std::chrono::nanoseconds between_checkpoints)
      : options_(options),
        data_(data),
        ranks_(ranks),
        began_(began),
        budget_(began, options.minutes),
        between_checkpoints_(between_checkpoints),
        random_(options.seed),
        workers_(thread_count(options.threads), ranks),
        training_(standard_rows(data, data.split.training)),
        validation_(standard_rows(data, data.split.validation)),
        test_(standard_rows(data, data.split.test)),
        comparison_(table_numbers(data, data.split.test), test_.weights),
        rows_(data, options.table, use(RandomUse::smoothing)),
        flows_(plan_of<T>(options, data, rows_, random_), workers_) {}

  int run() {
    start();
    while (!flows_.is_finished()) {
      const int word = step();
      if (word > 0) return interrupted(word);
      if (word == out_of_time) flows_.stop();
    }
    finish();
    return 0;
  }

 private:
  // What rank 0 may say after a step besides a signal.
  static constexpr int go_on = 0;
  static constexpr int out_of_time = -1;

  RandomKey use(RandomUse use) const { return member_key(random_, use, 0); }

  void start() {
    catch_stop_signals();
    const nn::State state = state_of_first_rank(ranks_, [this] { return open_run(); });
    if (!state.metadata.empty()) restore(flows_, state, RunFiles::checkpoint(options_.out));
    lead(ranks_, [this] {
      if (is_at_beginning()) files_->begin(run_state());
      write_file(files_->file(config_name), config_text(options_));
      save_split(files_->file(split_name), data_);
      for (const std::string& note : notes_on(data_)) print_note(program_name, note);
      compare_simple_models();
      return go_on;
    });
    background_ = background_of(
        state_of_first_rank(ranks_, [this] { return density::state_of(background_); }));
  }

  // The state to go on from, if there is one.
  nn::State open_run() {
    files_.emplace(RunSetup{program_name,
                            options_.out,
                            options_.resume,
                            settings_of(options_),
                            settings_of(FitOptions()),
                            {comparison_name, config_name, model_name, report_name, split_name},
                            between_checkpoints_});
    files_->start_clock(began_);
    nn::State state = files_->take_state();
    const auto found = state.metadata.find(digest_name);
    require(found == state.metadata.end() || found->second == digest_, "--resume", [&] {
      return "the run in " + options_.out + " began with other rows than those of " +
             options_.table + "; give its table, or another --out";
    });
    return state;
  }

  // Of the training, with what shows whose it is.
  nn::State run_state() const {
    nn::State state = flows_.state();
    state.metadata[digest_name] = digest_;
    return state;
  }

  // By a signal, or once this share of the time is over.
  Stop end_after(double share) const {
    return [this, share] { return stop_signal() != 0 || budget_.is_over(share); };
  }

  void compare_simple_models() {
    const auto add = [&](const char* key, const std::string& name, const Baseline& model) {
      comparison_.add(key, name, model.log_density(test_.values, workers_));
    };
    add("gaussian", "gaussian", *fit_gaussian(training_));
    MixtureFit mixture =
        choose_mixture(training_, validation_, use(RandomUse::mixtures), workers_, end_after(0.15));
    components_ = mixture.components;
    add("mixture", "mixture (" + std::to_string(components_) + ")", *mixture.model);
    const WeightedRows kernels = rows_with_kernels();
    const double width = choose_kernel_width(kernels, validation_, workers_);
    add("kernel", "kernel density", *kernel_density(kernels, width));
    const auto given = static_cast<std::size_t>(data_.rows.given);
    background_ = given > 0 ? wide_background(std::span(data_.maps).subspan(given))
                            : find_background(std::move(mixture));
  }

  WeightedRows rows_with_kernels() {
    const double seconds = std::max(0.0, budget_.seconds_left(0.22));
    const std::size_t all = training_.weights.size();
    WeightedRows kernels =
        rows_for_kernels(training_, validation_, test_.values.shape()[0], seconds, workers_);
    if (kernels.weights.size() < all) {
      print_note(program_name, "kernels on " + std::to_string(kernels.weights.size()) + " of " +
                                   std::to_string(all) +
                                   " training rows, for which the time of --minutes lasts");
    }
    return kernels;
  }

  // The same models of the rows as flows see them, where `mixture` is not of these.
  Background find_background(MixtureFit mixture) {
    const WeightedRows rows = mapped_rows(data_, data_.split.training);
    const WeightedRows validation = mapped_rows(data_, data_.split.validation);
    if (!are_straight(data_.maps))
      mixture = choose_mixture_from(std::move(mixture.memberships), rows, validation,
                                    use(RandomUse::mixtures), workers_, end_after(0.4));
    Background background;
    background.mixture = with_wide_part(std::move(mixture.parts), data_.maps);
    background.shares = first_shares(2);
    if (training_rows(data_) > Background::most_kernels) return background;
    background.width = choose_kernel_width(rows, validation, workers_);
    background.kernels = rows;
    background.shares = first_shares(3);
    return background;
  }

  bool is_at_beginning() const {
    return !flows_.is_finished() && flows_.job() == 0 && flows_.fit().position().steps == 0;
  }

  // Returns what rank 0 says: the signal that ends the run, or whether its time is over.
  int step() {
    const flows::FitReport& report = flows_.fit().report();
    const std::size_t epochs = report.curve.size();
    const Index failures = report.failures;
    budget_.begin_step();
    const bool goes_on = flows_.step();
    budget_.end_step(std::min(options_.batch, training_rows(data_)));
    const int word = lead(ranks_, [&] {
      tell(report, epochs, failures);
      if (files_->is_checkpoint_due()) files_->save(run_state());
      if (stop_signal() != 0) return stop_signal();
      return budget_.is_training_over(rest()) ? end_by_budget() : go_on;
    });
    if (!goes_on) next();
    return word;
  }

  int end_by_budget() {
    progress_.finish();
    print_note(program_name, "the time of --minutes ended the training of flow " +
                                 std::to_string(flows_.job() + 1) + " of " +
                                 std::to_string(flows_.jobs()) + " in epoch " +
                                 std::to_string(flows_.fit().position().epoch + 1));
    return out_of_time;
  }

  // What a step came to, after one with so many epochs and failures so far.
  void tell(const flows::FitReport& report, std::size_t epochs, Index failures) {
    if (report.failures > failures) {
      progress_.finish();
      print_note(program_name, plain_message(report.failure) + "; " + consequence_of(report));
    } else if (report.curve.size() > epochs) {
      end_epoch(report.curve.back());
    } else {
      progress_.update(progress_state());
    }
  }

  static std::string consequence_of(const flows::FitReport& report) {
    if (report.end != flows::FitEnd::failure)
      return "going on from the beginning of the epoch at a lower rate";
    return report.best_epoch > 0 ? "going on with the best epoch before it"
                                 : "going on without this flow";
  }

  void next() {
    try {
      flows_.next();
    } catch (const std::range_error& error) {
      throw std::range_error(std::string(error.what()) +
                             "; lower --rate, or tighten --rtol and --atol");
    }
  }

  void end_epoch(const flows::FitEpoch& epoch) {
    const std::string unit = options_.method == "matching" ? "_loss" : "_nll";
    Json line;
    line["flow"] = flows_.job() + 1;
    line["epoch"] = epoch.epoch;
    line["step"] = epoch.steps;
    line["train" + unit] = epoch.loss;
    if (epoch.held_out) {
      line["validation" + unit] = *epoch.held_out;
      line["validation" + unit + "_se"] =
          epoch.standard_error ? Json(*epoch.standard_error) : Json();
    }
    line["nfe_forward"] = epoch.evaluations;
    line["seconds"] = files_->seconds();
    files_->add_metrics(line.dump());
    // Epochs of small tables take milliseconds.
    constexpr std::chrono::seconds interval(1);
    if (Clock::now() - shown_ < interval) return;
    shown_ = Clock::now();
    ProgressState state = progress_state();
    state.epoch -= 1;
    state.nll = epoch.loss;
    state.evaluations = epoch.evaluations;
    progress_.end_epoch(state, epoch.held_out.value_or(epoch.loss));
    files_->write_metrics();
    files_->save(run_state());
  }

  int interrupted(int signal) {
    lead(ranks_, [this] {
      progress_.finish();
      files_->save(run_state());
      files_->write_metrics();
      const Index job = flows_.job() + 1;
      flows_.stop();
      nn::save_safetensors(files_->file(model_name), model(false));
      print_note(program_name, "stopped in the training of flow " + std::to_string(job) + " of " +
                                   std::to_string(flows_.jobs()) +
                                   ", with the best model so far; go on with --resume");
      return go_on;
    });
    return 128 + signal;
  }

  // The model in the table's units; of the second round if `refitted`.
  nn::State model(bool refitted) const {
    return table_model(blend_of<T>(flows_.members(refitted), background_), data_);
  }

  // Of the first of the rows, if this share of the time is over before the last.
  Tensor<double> log_density_of(const nn::State& model, const std::vector<std::uint32_t>& rows,
                                double share) {
    return standard_log_density(model, data_, rows, workers_, use(RandomUse::probes), [&] {
      return lead(ranks_, [&] { return budget_.is_over(share) ? 1 : 0; }) == 1;
    });
  }

  // As the validation rows have it.
  void choose_shares() {
    if (data_.rows.given > 0) return;  // the background has its share
    auto parts = parts_of<T>(background_);
    const std::vector<std::uint32_t>& rows = data_.split.validation;
    constexpr double most = 0.93;
    parts.insert(parts.begin(), blend_of<T>(flows_.members(false), {}));
    std::vector<Tensor<double>> found;
    found.reserve(parts.size());
    for (auto& part : parts)
      found.push_back(log_density_of(table_model(std::move(part), data_), rows, most));
    background_.shares = best_shares(found, validation_.weights);
  }

  void finish() {
    choose_shares();
    const nn::State held_out = model(false);
    const Clock::time_point began = Clock::now();
    const Tensor<double> log_density = log_density_of(held_out, data_.split.test, 0.98);
    const std::chrono::duration<double> seconds = Clock::now() - began;
    lead(ranks_, [&] {
      progress_.finish();
      compare_with(log_density);
      close(held_out);
      report(held_out, seconds.count() / static_cast<double>(comparison_.rows()));
      return go_on;
    });
  }

  void compare_with(const Tensor<double>& log_density) {
    const auto scored = static_cast<std::size_t>(log_density.shape()[0]);
    if (scored < comparison_.rows()) {
      print_note(program_name, "the time of --minutes lasts for the scores of " +
                                   std::to_string(scored) + " of " +
                                   std::to_string(comparison_.rows()) +
                                   " test rows: the models are compared on these");
    }
    comparison_.keep(scored);
    comparison_.add("flow", "flow", log_density);
  }

  void close(const nn::State& held_out) {
    const double total = files_->seconds();
    files_->write_metrics(final_line(total).dump());
    const bool is_refitted = options_.refit && !flows_.members(true).empty();
    if (options_.refit && !is_refitted)
      print_note(
          program_name,
          "the time was over before the flows were trained on all rows: the model is that of "
          "the training rows");
    comparison_.save(files_->file(comparison_name));
    nn::save_safetensors(files_->file(model_name), is_refitted ? model(true) : held_out);
    files_->close(run_state());
    std::printf("%s%zu test rows, %.1f s, wrote %s\n", comparison_.lines().c_str(),
                comparison_.rows(), total, (fs::path(options_.out) / model_name).c_str());
  }

  // `score`: the seconds that one takes.
  void report(const nn::State& held_out, double score) {
    if (!budget_.has_time_for_report(score, rest().test)) {
      print_note(program_name,
                 "no report.html, for which the time of --minutes does not last; density report "
                 "makes one");
      return;
    }
    Workers own(thread_count(options_.threads));  // the other ranks do not take part
    report_fit(files_->file(report_name), data_, held_out, options_.seed, own);
  }

  Json final_line(double total) const {
    Json log_density;
    for (const Comparison::Entry& entry : comparison_.entries())
      log_density[entry.key] = json_of(entry.reached);
    log_density["mixture"].push_back(components_);
    Json line;
    line["final"] = true;
    line["rows"] = {{"train", training_rows(data_)},
                    {"validation", data_.split.validation.size()},
                    {"test", comparison_.rows()}};
    line["log_density"] = log_density;
    line["seconds"] = total;
    return line;
  }

  // Of all flows together.
  ProgressState progress_state() const {
    const flows::Fit<T>& fit = flows_.fit();
    const flows::FitPosition& position = fit.position();
    ProgressState state;
    state.epochs = flows_.jobs() * options_.epochs;
    state.epoch = flows_.job() * options_.epochs + position.epoch + 1;
    state.step = flows_.job() * options_.epochs * fit.batches() + position.steps;
    state.steps = state.epochs * fit.batches();
    state.nll = position.loss_sum / position.weight;
    state.evaluations = position.evaluation_sum / static_cast<double>(position.batch);
    return state;
  }

  RestOfFit rest() const {
    return {static_cast<Index>(data_.split.validation.size()),
            static_cast<Index>(data_.split.test.size()),
            std::min(flows_.job() + 1, options_.members)};
  }

  const FitOptions& options_;
  const Data& data_;
  const Communicator& ranks_;
  Clock::time_point began_;
  Budget budget_;
  std::chrono::nanoseconds between_checkpoints_;
  Clock::time_point shown_;
  RandomKey random_;
  Workers workers_;
  WeightedRows training_;
  WeightedRows validation_;
  WeightedRows test_;
  Comparison comparison_;
  FlowRows<T> rows_;
  Training<T> flows_;
  std::string digest_{digest_of(data_)};
  Index components_ = 0;  // of the mixture
  Background background_;
  Progress progress_{"validation"};
  std::optional<RunFiles> files_;  // of rank 0, once nothing else has been refused
};

}  // namespace

int fit(const FitOptions& options, const Communicator& ranks, const RunLimits& limits) {
  const Clock::time_point began = Clock::now();
  const Data data = load_data(options, ranks, limits.memory);
  FitOptions full = options;
  agree(ranks, [&] { apply_preset(full, training_rows(data), data.rows.values.shape()[1]); });
  const std::chrono::nanoseconds between = limits.between_checkpoints;
  if (full.precision == "float") return Run<float>(full, data, began, ranks, between).run();
  return Run<double>(full, data, began, ranks, between).run();
}

}  // namespace fjord::apps::density
