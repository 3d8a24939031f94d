#include "fjord/flows/fit.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <utility>

#include "fjord/autodiff/errors.hpp"
#include "fjord/optim/adam.hpp"
#include "fjord/optim/clip.hpp"

namespace fjord::flows {
namespace {

template <class T>
void check(const FitOptions<T>& o, const RowSource<T>& rows, const RowSource<T>* held_out) {
  const auto need = [](bool holds, const char* what) { require(holds, "fit", what); };
  need(rows.rows() > 0, "at least one row is needed to train on");
  need(held_out == nullptr || held_out->rows() > 0, "at least one held-out row is needed, or null");
  need(o.epochs >= 0, "epochs must not be negative");
  need(o.batch > 0, "batch must be positive");
  need(o.patience >= 0, "patience must not be negative");
  need(o.retries >= 0, "retries must not be negative");
  need(o.retry_factor > 0 && o.retry_factor < 1, "retry_factor must be in (0, 1)");
  need(o.loss != nullptr, "a loss is needed, got null");
  need(o.gradient != nullptr && o.gradient->has_derivatives(),
       "gradient must be a mode that has derivatives");
}

template <class T>
std::unique_ptr<optim::Optimizer<T>> make_optimizer(const FitOptions<T>& options,
                                                    const std::vector<Parameter<T>*>& parameters) {
  require(!parameters.empty(), "fit", "the model has no parameters to train");
  if (options.optimizer) return options.optimizer(parameters);
  return std::make_unique<optim::Adam<T>>(parameters, optim::AdamOptions{.rate = options.rate});
}

template <class T>
std::vector<Parameter<T>*> pointers(const nn::NamedParameters<T>& named) {
  std::vector<Parameter<T>*> all;
  for (const nn::NamedParameter<T>& p : named) all.push_back(p.parameter);
  return all;
}

// Of the numbers' bytes: FNV-1a.
template <class T>
std::uint64_t digest_of(std::span<const T> values) {
  std::uint64_t digest = 0xcbf29ce484222325;
  for (const std::byte byte : std::as_bytes(values))
    digest = (digest ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3;
  return digest;
}

}  // namespace

std::string_view text_of(FitEnd end) {
  switch (end) {
    case FitEnd::running: return "training goes on";
    case FitEnd::epochs: return "all epochs are done";
    case FitEnd::patience: return "the held-out loss did not fall any more";
    case FitEnd::callback: return "the caller stopped the training";
    case FitEnd::failure: return "too many steps failed";
    case FitEnd::converged: return "no step lowers the loss any more";
  }
  fail("fit", "there is no such end");
}

template <class T>
void average_held_out(const Tensor<T>& losses, const RowSource<T>& rows, FitEpoch& epoch) {
  double weights = 0;
  double sum = 0;
  double squares = 0;
  const Index count = losses.size();
  for (Index i = 0; i < count; ++i) {
    const double weight = rows.weight(static_cast<std::uint32_t>(i));
    weights += weight;
    sum += weight * static_cast<double>(losses(i));
  }
  const double mean = sum / weights;
  for (Index i = 0; i < count; ++i) {
    const double weight = rows.weight(static_cast<std::uint32_t>(i));
    squares += std::pow(weight * (static_cast<double>(losses(i)) - mean), 2);
  }
  epoch.held_out = mean;
  if (count > 1) {
    const auto n = static_cast<double>(count);
    epoch.standard_error = std::sqrt(squares * n / (n - 1)) / weights;
  }
}

template <class T>
void adapt_to(Distribution<T>& model, const RowSource<T>& source,
              std::span<const std::uint32_t> rows, Index step) {
  const auto count = static_cast<Index>(rows.size());
  Tensor<T> values = Tensor<T>::zeros({count, source.dim()});
  Tensor<T> given = Tensor<T>::zeros({count, source.given_width()});
  source.read(rows, values.data(), given.data());
  Tape<T> tape;
  Context<T> context{.gradient = &ode::values_only, .norm = ode::ErrorNorm::rms};
  if (source.given_width() > 0) context.given = tape.input(given);
  model.adapt(tape.input(values), context, static_cast<std::uint64_t>(step));
}

template <class T>
std::uint64_t steps_of(const FitOptions<T>& options, Index rows) {
  return static_cast<std::uint64_t>(options.epochs * ((rows + options.batch - 1) / options.batch));
}

template <class T>
Fit<T>::Fit(Distribution<T>& model, const RowSource<T>& rows, const RowSource<T>* held_out,
            Workers& workers, const FitOptions<T>& options)
    : model_(model),
      rows_(rows),
      held_out_(held_out),
      communicator_(workers.communicator()),
      options_((check(options, rows, held_out), options)),
      named_(nn::parameters_of(model)),
      all_(pointers(named_)),
      sharded_(model, workers),
      optimizer_(make_optimizer(options, nn::parameter_pointers(named_))) {
  if (options.average) {
    average_ = std::make_unique<optim::ExponentialAverage<T>>(
        nn::parameter_pointers(named_), optim::ExponentialAverageOptions{*options.average});
  }
  check_ranks();
  epoch_start_ = snapshot();
  shuffle();
  if (options_.epochs == 0) stop(FitEnd::epochs);
}

template <class T>
void Fit<T>::check_ranks() const {
  if (communicator_.size() == 1) return;
  const std::vector<T> values = optim::values_of(all_);
  std::string own = std::to_string(rows_.rows()) + " rows, " + std::to_string(options_.epochs) +
                    " epochs, batch " + std::to_string(options_.batch) + ", parameters " +
                    std::to_string(digest_of<T>(values));
  const std::string first = from_first_rank(communicator_, [&] { return own; });
  agree(communicator_, [&] {
    require(own == first, "fit", [&] {
      return "rank " + std::to_string(communicator_.rank()) + " differs from rank 0 (" + own +
             "; " + first + "): start the same program on processors of one kind";
    });
  });
}

template <class T>
Index Fit<T>::batches() const {
  return (rows_.rows() + options_.batch - 1) / options_.batch;
}

template <class T>
void Fit<T>::shuffle() {
  order_ =
      RowOrder({rows_.rows(), rows_.block_rows(), options_.batch, ShardedModel<T>::default_rows},
               options_.shuffling.fold(static_cast<std::uint64_t>(position_.epoch)));
}

template <class T>
bool Fit<T>::step() {
  if (report_.end != FitEnd::running) return false;
  const Index first = position_.batch * options_.batch;
  step_rows_.resize(static_cast<std::size_t>(std::min(rows_.rows() - first, options_.batch)));
  order_.read(first, step_rows_);
  try {
    if (position_.steps < model_.adapting_steps())
      adapt_to<T>(model_, rows_, step_rows_, position_.steps);
    take_step(step_rows_);
    if (position_.batch == batches()) end_epoch();
  } catch (const ode::SolveFailure& failure) {
    recover(std::current_exception(), failure.what());
  } catch (const std::range_error& failure) {
    recover(std::current_exception(), failure.what());
  } catch (const NumericalError& failure) {
    const std::string what =
        std::string(failure.what()) + " in step " + std::to_string(position_.steps + 1);
    recover(std::make_exception_ptr(std::range_error(what)), what);
  }
  return report_.end == FitEnd::running;
}

template <class T>
void Fit<T>::take_step(std::span<const std::uint32_t> rows) {
  const auto number = static_cast<std::uint64_t>(position_.steps);
  const LossAndGradient<T> result = sharded_.loss_and_gradient(
      *options_.loss, rows_, rows, options_.gradient, options_.probes.fold(number));
  bool is_finite = std::isfinite(result.loss);
  for (const T g : result.gradient) is_finite &= std::isfinite(g);
  if (!is_finite) {
    throw std::range_error("step " + std::to_string(position_.steps + 1) +
                           " gave a loss or gradient that is not a number" +
                           (result.bad_rank ? " on rank " + std::to_string(*result.bad_rank) : ""));
  }
  gradient_.assign(result.gradient.begin(), result.gradient.end());
  if (options_.clip_norm) optim::clip_by_norm<T>(gradient_, *options_.clip_norm);
  position_.rate_factor = options_.schedule ? options_.schedule->factor(number) : 1;
  optimizer_->step(gradient_, position_.rate_factor * position_.retry_rate);
  if (average_) average_->update();
  double weight = 0;
  for (const std::uint32_t row : rows) weight += rows_.weight(row);
  position_.loss_sum += result.loss * weight;
  position_.weight += weight;
  position_.evaluation_sum += result.evaluations;
  position_.penalty_sums.resize(result.penalties.size());
  std::ranges::transform(position_.penalty_sums, result.penalties, position_.penalty_sums.begin(),
                         std::plus());
  ++position_.batch;
  ++position_.steps;
}

template <class T>
void Fit<T>::recover(std::exception_ptr failure, const std::string& what) {
  failure_ = std::move(failure);
  report_.failure = what;
  ++report_.failures;
  go_back_to(epoch_start_);
  if (report_.failures > options_.retries) {
    stop(FitEnd::failure);
    return;
  }
  const double rate = position_.retry_rate * options_.retry_factor;
  position_ = epoch_position_;
  position_.retry_rate = rate;
}

template <class T>
void Fit<T>::end_epoch() {
  FitEpoch epoch{.epoch = position_.epoch + 1,
                 .steps = position_.steps,
                 .loss = position_.loss_sum / position_.weight,
                 .evaluations = position_.evaluation_sum / static_cast<double>(batches()),
                 .rate_factor = position_.rate_factor * position_.retry_rate,
                 .penalties = position_.penalty_sums};
  for (double& penalty : epoch.penalties) penalty /= static_cast<double>(batches());
  if (held_out_ != nullptr) score(epoch);
  report_.curve.push_back(epoch);
  check_ranks();
  ++position_.epoch;
  position_.batch = 0;
  position_.loss_sum = position_.weight = position_.evaluation_sum = 0;
  position_.penalty_sums.clear();
  epoch_start_ = snapshot();
  epoch_position_ = position_;
  if (position_.epoch == options_.epochs) {
    stop(FitEnd::epochs);
  } else if (held_out_ != nullptr && options_.patience > 0 &&
             position_.epoch - report_.best_epoch >= options_.patience) {
    stop(FitEnd::patience);
  } else {
    shuffle();
  }
}

template <class T>
void Fit<T>::score(FitEpoch& epoch) {
  if (average_) average_->swap_in();
  const auto restore = [&] {
    if (average_) average_->swap_out();
  };
  try {
    average_held_out(sharded_.losses(*options_.loss, *held_out_, options_.probes).values,
                     *held_out_, epoch);
  } catch (...) {
    restore();
    throw;
  }
  const bool is_best =
      report_.best_epoch == 0 ||
      *epoch.held_out < *report_.curve[static_cast<std::size_t>(report_.best_epoch) - 1].held_out;
  if (std::isfinite(*epoch.held_out) && is_best) {
    report_.best_epoch = epoch.epoch;
    best_ = optim::values_of(all_);
  }
  restore();
  if (std::isfinite(*epoch.held_out)) return;
  throw std::range_error("after epoch " + std::to_string(epoch.epoch) +
                         ", the loss of the held-out rows is not a number");
}

template <class T>
void Fit<T>::throw_failure() const {
  require(failure_ != nullptr, "fit", "no step failed");
  std::rethrow_exception(failure_);
}

template <class T>
void Fit<T>::stop(FitEnd end) {
  if (report_.end != FitEnd::running) return;
  report_.end = end;
  end_ = snapshot();
  if (options_.keep_best && !best_.empty()) {
    optim::set_values(all_, best_);
  } else if (average_ && average_->state().count > 0) {
    average_->swap_in();
  }
}

template <class T>
FitSnapshot<T> Fit<T>::snapshot() const {
  return {optim::values_of(all_), optimizer_->state(),
          average_ ? average_->state() : optim::AverageState{}};
}

template <class T>
void Fit<T>::go_back_to(const FitSnapshot<T>& snapshot) {
  optim::set_values(all_, snapshot.values);
  optimizer_->restore(snapshot.optimizer);
  if (average_) average_->restore(snapshot.average);
}

template <class T>
nn::State Fit<T>::state() const {
  return state_of(FitContents<T>{end_ ? *end_ : snapshot(), epoch_start_, best_, position_,
                                 epoch_position_, report_});
}

template <class T>
void Fit<T>::restore(const nn::State& state) {
  FitContents<T> contents = fit_contents_of<T>(state, snapshot());
  for (const FitPosition& at : {contents.position, contents.epoch_position}) {
    require(at.epoch >= 0 && at.batch >= 0 && at.batch <= batches() &&
                at.steps == at.epoch * batches() + at.batch,
            "fit", [&] {
              return "the state is of another number of rows or size of batches: its step " +
                     std::to_string(at.steps) + " is not batch " + std::to_string(at.batch) +
                     " of epoch " + std::to_string(at.epoch + 1) + " with " +
                     std::to_string(batches()) + " batches";
            });
  }
  go_back_to(contents.now);
  epoch_start_ = std::move(contents.epoch_start);
  best_ = std::move(contents.best);
  position_ = contents.position;
  epoch_position_ = contents.epoch_position;
  report_ = std::move(contents.report);
  end_.reset();
  shuffle();
  const FitEnd end = std::exchange(report_.end, FitEnd::running);
  if (end == FitEnd::patience || end == FitEnd::failure) {
    stop(end);
  } else if (position_.epoch >= options_.epochs) {
    stop(FitEnd::epochs);
  }
}

template <class T>
FitReport fit(Distribution<T>& model, const RowSource<T>& rows, const RowSource<T>* held_out,
              Workers& workers, const FitOptions<T>& options,
              const std::function<bool(const Fit<T>&)>& on_step) {
  Fit<T> run(model, rows, held_out, workers, options);
  while (run.step()) {
    if (on_step && !on_step(run)) run.stop(FitEnd::callback);
  }
  return run.report();
}

template <class T>
std::vector<FitReport> fit_stages(Distribution<T>& model, const RowSource<T>& rows,
                                  const RowSource<T>* held_out, Workers& workers,
                                  std::span<const FitOptions<T>> stages) {
  std::vector<FitReport> reports;
  for (const FitOptions<T>& stage : stages)
    reports.push_back(fit<T>(model, rows, held_out, workers, stage));
  return reports;
}

#define FJORD_INSTANTIATE(T)                                                                    \
  template class Fit<T>;                                                                        \
  template void average_held_out(const Tensor<T>&, const RowSource<T>&, FitEpoch&);             \
  template void adapt_to(Distribution<T>&, const RowSource<T>&, std::span<const std::uint32_t>, \
                         Index);                                                                \
  template std::uint64_t steps_of(const FitOptions<T>&, Index);                                 \
  template FitReport fit(Distribution<T>&, const RowSource<T>&, const RowSource<T>*, Workers&,  \
                         const FitOptions<T>&, const std::function<bool(const Fit<T>&)>&);      \
  template std::vector<FitReport> fit_stages(Distribution<T>&, const RowSource<T>&,             \
                                             const RowSource<T>*, Workers&,                     \
                                             std::span<const FitOptions<T>>);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::flows
