#include "fjord/apps/moons/train.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "fjord/apps/common/cores.hpp"
#include "fjord/apps/common/memory.hpp"
#include "fjord/apps/common/program.hpp"
#include "fjord/apps/common/progress.hpp"
#include "fjord/apps/common/random_use.hpp"
#include "fjord/apps/common/ranks.hpp"
#include "fjord/apps/common/run_files.hpp"
#include "fjord/apps/common/solver_settings.hpp"
#include "fjord/apps/common/statistics.hpp"
#include "fjord/apps/common/stop_signal.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/apps/moons/grid_of_lines.hpp"
#include "fjord/apps/moons/picture.hpp"
#include "fjord/apps/moons/preset.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/flows/fit.hpp"
#include "fjord/flows/toys/moons.hpp"
#include "fjord/optim/schedules.hpp"

namespace fjord::apps {
namespace {

constexpr const char* program_name = "moons";

// What a run leaves in its folder, beside checkpoint and metrics.
constexpr const char* config_name = "config.toml";
constexpr const char* model_name = "model.safetensors";
constexpr const char* picture_name = "panels.png";

// The fixed seeds of the two test sets, which depend on the noise but not on --seed.
constexpr std::uint64_t small_test_seed = 20'000'001;
constexpr std::uint64_t large_test_seed = 20'000'002;
constexpr Index small_test_rows = 2'000;
constexpr Index large_test_rows = 20'000;
constexpr Index sample_rows = 8'192;
constexpr Index grid_lines = 17;
constexpr Index points_a_line = 100;
// The flow stretches some parts of a line a hundred times.
constexpr Index points_a_drawn_line = 1'000;

// A recorded solve keeps every step: one that takes more goes astray, and would take the memory.
constexpr std::size_t max_steps = 1'000;

flows::SolverSettings training_settings(const TrainOptions& options) {
  flows::SolverSettings settings =
      solver_settings(options.rtol, options.atol, options.trace, options.precision);
  settings.solve.max_steps = max_steps;
  settings.solve.method = &ode::method_named(options.method);
  return settings;
}

// Before anything that takes as much is made.
template <class T>
void check_memory_for(const TrainOptions& options) {
  // A point: two coordinates and their noise in double, the same in T, and its place in the order.
  constexpr double point = 4 * sizeof(double) + 2 * sizeof(T) + sizeof(std::uint32_t);
  check_memory("points", point * static_cast<double>(options.points));
  double weights = 0;
  double width = 4;
  for (const Index next : flow_settings(options).hidden) {
    weights += width * static_cast<double>(next);
    width = static_cast<double>(next);
  }
  // A weight: itself, its gradient and Adam's two moments.
  check_memory("hidden", 4.0 * sizeof(T) * weights * static_cast<double>(options.blocks));
}

template <class T>
class Training final {
 public:
  Training(const TrainOptions& options, const Communicator& ranks,
           std::chrono::nanoseconds between_checkpoints)
      : options_(options),
        ranks_(ranks),
        between_checkpoints_(between_checkpoints),
        settings_(settings_of(options)),
        random_(options.seed),
        workers_(thread_count(options.threads), ranks),
        model_(flows::make_flow<T>(flow_settings(options), training_settings(options),
                                   use(RandomUse::weights))),
        data_(points(flows::make_moons(options.points, options.noise, use(RandomUse::noise)))),
        test_(test_points(small_test_rows, small_test_seed)),
        rows_(data_),
        test_rows_(test_),
        fit_(*model_, rows_, &test_rows_, workers_, fit_options()) {}

  int run() {
    start();
    int signal = 0;
    while (signal == 0 && fit_.report().end == flows::FitEnd::running) signal = step();
    if (signal == 0) {
      check_end();
      signal = finish();
    }
    return signal == 0 ? 0 : interrupted(signal);
  }

 private:
  RandomKey use(RandomUse use) const { return key_for(random_, use); }

  Tensor<T> points(const Tensor<double>& moons) const {
    return values_as<T>(moons, {}, FileCheck("--noise", settings_.at("noise")));
  }

  Tensor<T> test_points(Index rows, std::uint64_t seed) const {
    return points(flows::Moons(options_.noise).draw(rows, RandomKey(seed)));
  }

  void start() {
    catch_stop_signals();
    const nn::State state = state_of_first_rank(ranks_, [this] { return open_run(); });
    agree(ranks_, [&] {
      if (!state.metadata.empty()) go_on_from(state);
    });
    lead(ranks_, [this] {
      if (fit_.position().steps == 0) files_->begin(fit_.state());
      write_file(files_->file(config_name), config_text(options_));
      files_->start_clock(RunFiles::Clock::now());
      return 0;
    });
  }

  // The state to go on from, if there is one.
  nn::State open_run() {
    files_.emplace(RunSetup{program_name,
                            options_.out,
                            options_.resume,
                            settings_,
                            settings_of(TrainOptions()),
                            {config_name, model_name, picture_name},
                            between_checkpoints_});
    return files_->take_state();
  }

  void go_on_from(const nn::State& state) {
    restore(fit_, state, RunFiles::checkpoint(options_.out));
    const Index begun = fit_.position().epoch + (fit_.position().batch > 0 ? 1 : 0);
    require(begun <= options_.epochs, "--epochs", [&] {
      return "the checkpoint is already in epoch " + std::to_string(begun) +
             "; give at least as many epochs";
    });
  }

  flows::FitOptions<T> fit_options() const {
    flows::FitOptions<T> fit;
    fit.epochs = options_.epochs;
    fit.batch = options_.batch;
    fit.rate = options_.rate;
    fit.gradient = &ode::gradient_mode_named(options_.gradient);
    fit.keep_best = false;
    const Preset& preset = preset_named(options_.preset);
    fit.schedule = optim::schedule_named(preset.schedule, flows::steps_of(fit, options_.points));
    fit.average = preset.average;
    fit.shuffling = use(RandomUse::shuffling);
    fit.probes = use(RandomUse::probes);
    return fit;
  }

  // Returns the signal that ends the run, or 0.
  int step() {
    const std::size_t epochs = fit_.report().curve.size();
    const Index failures = fit_.report().failures;
    fit_.step();
    if (fit_.report().curve.size() > epochs) draw_samples(points_a_line);
    return lead(ranks_, [&] {
      tell(epochs, failures);
      if (files_->is_checkpoint_due()) files_->save(fit_.state());
      return stop_signal();
    });
  }

  // What a step came to, after one with so many epochs and failures so far.
  void tell(std::size_t epochs, Index failures) {
    if (fit_.report().failures > failures && fit_.report().end == flows::FitEnd::running) {
      progress_.finish();
      print_note(program_name, fit_.report().failure +
                                   "; going on from the beginning of the epoch at a lower rate");
    } else if (fit_.report().curve.size() > epochs) {
      end_epoch(fit_.report().curve.back());
    } else {
      progress_.update(progress_state());
    }
    if (fit_.report().end != flows::FitEnd::running) progress_.finish();
  }

  void check_end() const {
    if (fit_.report().end != flows::FitEnd::failure) return;
    try {
      fit_.throw_failure();
    } catch (const std::range_error& error) {
      throw std::range_error(std::string(error.what()) +
                             "; lower --rate, or tighten --rtol and --atol");
    }
  }

  void end_epoch(const flows::FitEpoch& epoch) {
    ProgressState state = progress_state();
    state.epoch = epoch.epoch;
    state.nll = epoch.loss;
    state.evaluations = epoch.evaluations;
    progress_.end_epoch(state, *epoch.held_out);
    nlohmann::ordered_json line;
    line["epoch"] = epoch.epoch;
    line["step"] = epoch.steps;
    line["train_nll"] = epoch.loss;
    line["test_nll"] = *epoch.held_out;
    line["test_nll_se"] = json_number(epoch.standard_error);
    line["nfe_forward"] = epoch.evaluations;
    line["seconds"] = files_->seconds();
    files_->add_metrics(line.dump());
    files_->write_metrics();
    files_->save(fit_.state());
  }

  // As the notebook does at each epoch.
  void draw_samples(Index points_of_line) {
    flows::Context<T> context;
    context.random =
        use(RandomUse::samples).fold(static_cast<std::uint64_t>(fit_.position().epoch));
    panels_.points_a_line = points_of_line;
    Tape<T> tape;
    const Tensor<T> base(model_->base().sample(tape, sample_rows, context).value());
    const Tensor<double> grid = grid_of_lines(grid_lines, points_of_line, 2.4);
    panels_.base = base.template as<double>();
    panels_.base_grid = grid;
    panels_.transformed = fit_.sharded().forward(*model_, base).values.template as<double>();
    const Tensor<T> lines = grid.as<T>();
    panels_.transformed_grid = fit_.sharded().forward(*model_, lines).values.template as<double>();
  }

  int interrupted(int signal) {
    lead(ranks_, [this] {
      progress_.finish();
      files_->save(fit_.state());
      print_note(program_name, "stopped after step " + std::to_string(fit_.position().steps) +
                                   "; go on with --resume");
      return 0;
    });
    return 128 + signal;
  }

  // Returns the signal that came, which leaves all of this to --resume, or 0.
  int finish() {
    const Tensor<T> test = test_points(large_test_rows, large_test_seed);
    const Statistics result =
        negated_statistics(fit_.sharded().log_prob(test, use(RandomUse::probes)).values);
    const int signal = lead(ranks_, [&] {
      if (stop_signal() == 0) write_results(result);
      return stop_signal();
    });
    if (signal != 0) return signal;
    draw_samples(points_a_drawn_line);
    return lead(ranks_, [&] {
      draw_picture();
      if (stop_signal() == 0) close(result);
      return stop_signal();
    });
  }

  void write_results(const Statistics& result) {
    files_->stop_clock();  // the picture does not count
    nlohmann::ordered_json line;
    line["final"] = true;
    line["test_nll"] = result.mean;
    line["test_nll_se"] = json_number(result.standard_error);
    entropy_ = flows::Moons(options_.noise).entropy();
    line["entropy"] = json_number(entropy_);
    line["nfe_forward"] = fit_.report().curve.back().evaluations;
    line["seconds"] = files_->seconds();
    files_->write_metrics(line.dump());
    nn::save_safetensors(files_->file(model_name),
                         flows::version_1_state(*model_, flow_settings(options_)));
  }

  void close(const Statistics& result) {
    files_->close(fit_.state());
    std::printf(
        "test NLL %.3f +- %.3f nats (entropy %s), %lld epochs in %.1f s, %.0f field evaluations a "
        "step\n",
        result.mean, result.standard_error.value_or(0),
        entropy_ ? fixed(*entropy_).c_str() : "null", static_cast<long long>(options_.epochs),
        files_->seconds(), fit_.report().curve.back().evaluations);
  }

  void draw_picture() {
    panels_.data = data_.template as<double>();
    const std::string trouble = draw_panels(files_->file(picture_name), panels_);
    // Ctrl-C ends gnuplot as well, which does not matter then.
    if (!trouble.empty() && stop_signal() == 0) print_note(program_name, trouble);
  }

  static std::string fixed(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3f", value);
    return text.data();
  }

  static nlohmann::ordered_json json_number(std::optional<double> value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
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

  const TrainOptions& options_;
  const Communicator& ranks_;
  std::chrono::nanoseconds between_checkpoints_;
  Settings settings_;
  RandomKey random_;
  Workers workers_;
  std::unique_ptr<flows::TransformedDistribution<T>> model_;
  Tensor<T> data_;
  Tensor<T> test_;
  flows::TableRows<T> rows_;
  flows::TableRows<T> test_rows_;
  flows::Fit<T> fit_;
  Panels panels_;
  std::optional<double> entropy_;  // of the data, once the results are written
  Progress progress_;
  std::optional<RunFiles> files_;  // of rank 0, once nothing else has been refused
};

template <class T>
int train_as(const TrainOptions& options, const Communicator& ranks,
             std::chrono::nanoseconds between_checkpoints) {
  agree(ranks, [&] { check_memory_for<T>(options); });
  return Training<T>(options, ranks, between_checkpoints).run();
}

}  // namespace

int train(const TrainOptions& options, const Communicator& ranks,
          std::chrono::nanoseconds between_checkpoints) {
  return options.precision == "float" ? train_as<float>(options, ranks, between_checkpoints)
                                      : train_as<double>(options, ranks, between_checkpoints);
}

}  // namespace fjord::apps
