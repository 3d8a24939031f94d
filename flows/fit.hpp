/// Training of a model: mini-batches, held-out rows, early stopping, recovery from numerical
/// failures; without files, a terminal or a clock.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "fjord/flows/fit_state.hpp"
#include "fjord/flows/row_order.hpp"
#include "fjord/flows/sharded.hpp"
#include "fjord/optim/parameter_groups.hpp"
#include "fjord/optim/schedule.hpp"

namespace fjord::flows {

template <class T>
struct FitOptions {
  Index epochs = 100;  ///< at most, >= 0
  Index batch = 256;   ///< rows of a step, > 0; the last step of an epoch takes what is left
  double rate = 1e-3;  ///< of Adam, the default optimiser, > 0
  /// Makes another optimiser; empty for Adam.
  std::function<std::unique_ptr<optim::Optimizer<T>>(const optim::ParameterGroups<T>&)> optimizer =
      {};
  /// Factor of the rate for each step; null for 1. optim::schedule_named makes one for a number of
  /// steps: steps_of().
  std::shared_ptr<const optim::Schedule> schedule = nullptr;
  std::shared_ptr<const Loss<T>> loss = std::make_shared<NegativeLogLikelihood<T>>();
  const ode::GradientMode* gradient = &ode::direct;  ///< never null
  std::optional<double> clip_norm = std::nullopt;    ///< bound of the gradient's norm, > 0
  /// Decay of an exponential average of the parameters, in [0, 1), which is what is scored and
  /// what is left in the end; none if absent.
  std::optional<double> average = std::nullopt;
  /// Epochs in a row without a better loss of the held-out rows that end the training; 0 for never.
  /// Without such rows, there is nothing to be patient with, and it is not used.
  Index patience = 0;
  /// Whether the parameters with the best loss of the held-out rows are left in the end, and not
  /// the last ones.
  bool keep_best = true;
  /// After a step that fails, because a solve does, a number is not finite or a matrix is singular,
  /// training goes on from the beginning of the epoch at a rate that is lower by this factor, in
  /// (0, 1), ...
  double retry_factor = 0.5;
  Index retries = 3;  ///< ... so many times at most, >= 0
  RandomKey shuffling{1};
  RandomKey probes{2};  ///< of the losses
};

/// A training run that goes on step by step.
///
/// Equal models, rows and options give equal bits, whatever the number of ranks and threads, and
/// wherever a run was interrupted: restore(state()). All ranks of the workers' communicator make
/// the same calls, and have the same state after each.
template <class T>
class Fit final {
 public:
  /// Trains `model` on `rows`; `held_out` may be null. All must outlive it.
  ///
  /// Errors:  std::invalid_argument if there is no row, the widths do not match, or an option is
  ///          out of its range; RankFailure, here and after every epoch, if parameters, numbers of
  ///          rows or options differ between ranks.
  Fit(Distribution<T>& model, const RowSource<T>& rows, const RowSource<T>* held_out,
      Workers& workers, const FitOptions<T>& options);

  /// Takes one step, and ends the epoch after its last one; returns whether training goes on.
  ///
  /// Errors:  ode::SolveFailure if a solve over the held-out rows fails before the first epoch is
  ///          complete.
  bool step();
  /// Ends the training: the model gets the parameters that are to be left.
  void stop(FitEnd end);

  /// Throws what the last step that failed threw: ode::SolveFailure, or std::range_error for a
  /// number that is not finite or a singular matrix.
  ///
  /// Errors:  std::invalid_argument if no step failed in this process.
  [[noreturn]] void throw_failure() const;

  const FitReport& report() const { return report_; }

  const FitPosition& position() const { return position_; }

  /// Steps of an epoch.
  Index batches() const;

  ShardedModel<T>& sharded() { return sharded_; }

  /// All that another run needs to go on to the same bits.
  nn::State state() const;
  /// Goes on from the state of a run with the same model, rows and options; there may be more
  /// epochs than the other had.
  ///
  /// Errors:  std::invalid_argument, and no change, if the state does not fit.
  void restore(const nn::State& state);

 private:
  // Refuses to go on if this rank has other numbers than rank 0.
  void check_ranks() const;
  void take_step(std::span<const std::uint32_t> rows);
  // Goes back to the beginning of the epoch after a failure, or ends the training.
  void recover(std::exception_ptr failure, const std::string& what);
  void end_epoch();
  void score(FitEpoch& epoch);
  void shuffle();
  FitSnapshot<T> snapshot() const;
  void go_back_to(const FitSnapshot<T>& snapshot);

  Distribution<T>& model_;
  const RowSource<T>& rows_;
  const RowSource<T>* held_out_;
  const Communicator& communicator_;
  FitOptions<T> options_;
  nn::NamedParameters<T> named_;
  std::vector<Parameter<T>*> all_;  // buffers included
  ShardedModel<T> sharded_;
  std::unique_ptr<optim::Optimizer<T>> optimizer_;
  std::unique_ptr<optim::Average<T>> average_;
  RowOrder order_;
  std::vector<std::uint32_t> step_rows_;
  std::vector<T> gradient_;
  FitPosition position_;
  FitReport report_;
  std::exception_ptr failure_;
  FitSnapshot<T> epoch_start_;
  FitPosition epoch_position_;
  std::vector<T> best_;                // empty: none yet
  std::optional<FitSnapshot<T>> end_;  // before the model got the parameters that are left
};

/// Adapts a model to some rows: Distribution::adapt.
template <class T>
void adapt_to(Distribution<T>& model, const RowSource<T>& source,
              std::span<const std::uint32_t> rows, Index step);

/// Writes into an epoch the weighted mean of what the held-out rows lose, and its standard error,
/// that of a mean of ratios.
///
/// Shapes:  losses [N], one for each row.
template <class T>
void average_held_out(const Tensor<T>& losses, const RowSource<T>& rows, FitEpoch& epoch);

/// The steps of a training run on so many rows.
template <class T>
std::uint64_t steps_of(const FitOptions<T>& options, Index rows);

/// Trains a model to the end, or until `on_step` returns false after a step.
///
/// Errors:  as Fit.
template <class T>
FitReport fit(Distribution<T>& model, const RowSource<T>& rows, const RowSource<T>* held_out,
              Workers& workers, const FitOptions<T>& options = {},
              const std::function<bool(const Fit<T>&)>& on_step = {});

/// Trains a model in stages, each from where the one before it ended: a warm start by FlowMatching,
/// then the likelihood.
///
/// Errors:  as Fit.
template <class T>
std::vector<FitReport> fit_stages(Distribution<T>& model, const RowSource<T>& rows,
                                  const RowSource<T>* held_out, Workers& workers,
                                  std::span<const FitOptions<T>> stages);

extern template class Fit<float>;
extern template class Fit<double>;

}  // namespace fjord::flows
