/// The training of the flows of a density: several, one after another.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "fjord/flows/distribution.hpp"
#include "fjord/flows/fit.hpp"

namespace fjord::apps::density {

template <class T>
using Flow = flows::TransformedDistribution<T>;

template <class T>
using Flows = std::vector<std::unique_ptr<Flow<T>>>;

/// Which flows are trained, and on what.
template <class T>
struct TrainingPlan {
  Index members = 1;                              ///< flows, > 0
  bool refit = false;                             ///< whether each is trained again on all rows
  const flows::RowSource<T>* rows = nullptr;      ///< to train on; never null
  const flows::RowSource<T>* held_out = nullptr;  ///< to choose the best epoch by; never null
  const flows::RowSource<T>* all = nullptr;       ///< for `refit`; never null then
  std::function<std::unique_ptr<Flow<T>>(Index member)> flow;
  std::function<flows::FitOptions<T>(Index member, Flow<T>&)> options;
};

/// Trains the members in turn, each until its own end; with `refit` then each once more, on all
/// rows, for as many epochs as its best one.
///
/// Equal plans give equal bits, wherever a run was interrupted: restore(state()). A member whose
/// training fails before it has a best epoch is left out.
template <class T>
class Training final {
 public:
  /// What the plan refers to must outlive it.
  Training(TrainingPlan<T> plan, Workers& workers);

  bool is_finished() const { return fit_ == nullptr; }

  /// Takes one step of the training under way, as flows::Fit::step; not after the end.
  bool step() { return fit_->step(); }

  /// Goes on to the next training, once the one under way has ended.
  ///
  /// Errors:  as flows::Fit::throw_failure if it failed, and so did all others.
  void next();
  /// Ends the training. The member under way is kept if it has a best epoch, and without one if
  /// it is the first; a second round that is not complete is given up.
  void stop();

  /// The training under way, of number job() of jobs().
  const flows::Fit<T>& fit() const { return *fit_; }

  Index job() const { return static_cast<Index>(results_.size()); }

  Index jobs() const { return plan_.members * (plan_.refit ? 2 : 1); }

  /// The members as they are now, with their best parameters; of the second round if `refitted`,
  /// and then empty where that was not complete.
  Flows<T> members(bool refitted) const;

  nn::State state() const;
  /// Errors:  std::invalid_argument if the state does not fit.
  void restore(const nn::State& state);

 private:
  // What the training of one member left; no values if it failed.
  struct Result {
    std::vector<T> values;
    Index best_epoch = 0;
  };

  void begin_job();
  Result result() const;
  bool has_values() const;
  std::unique_ptr<Flow<T>> flow_with(Index member, const std::vector<T>& values) const;

  TrainingPlan<T> plan_;
  Workers& workers_;
  std::vector<Result> results_;
  std::unique_ptr<Flow<T>> flow_;
  std::unique_ptr<flows::Fit<T>> fit_;  // null at the end
};

extern template class Training<float>;
extern template class Training<double>;

}  // namespace fjord::apps::density
