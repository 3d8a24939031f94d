/// A distribution applied to batches: cut into shards, spread over processes and threads, the same
/// bits for any number of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tree_sum.hpp"
#include "fjord/autodiff/workers.hpp"
#include "fjord/flows/loss.hpp"
#include "fjord/flows/row_source.hpp"

namespace fjord::flows {

/// The loss of a batch with its gradient.
template <class T>
struct LossAndGradient {
  double loss = 0;
  std::span<const T> gradient;  ///< of all parameters, one after another; valid until the next call
  double evaluations = 0;       ///< calls of fields, mean over the rows
  /// Of every regulariser that the loss has, the mean over the rows; valid until the next call.
  std::span<const double> penalties;
  /// The lowest rank with a loss or gradient that is not finite, if there are several ranks.
  std::optional<int> bad_rank;
};

/// Numbers for every row of a batch.
template <class T>
struct RowResults {
  Tensor<T> values;
  double evaluations = 0;  ///< calls of fields, mean over the rows
};

/// A model, and the threads and processes that compute with it.
///
/// Every shard of `shard_rows` rows (the last one smaller) is recorded on its worker's tape and
/// integrated with steps of its own; what shards give is added along one binary tree over their
/// numbers. Where the workers have a communicator, every rank computes the shards of its share_of()
/// them, makes the same calls with the same arguments, and gets the whole result; it only reads the
/// rows of its shards. The steps of a loss
/// control the root of the mean square of the error over a shard, all others the largest row's.
/// Errors:  ode::SolveFailure, in every function, with the shard's rows (counted from 1 as in
///          tables), block, time and remedy, and its rank if there are several, where a solve
///          fails; RankFailure, on every rank, if anything else is thrown on one of several.
/// Note:    Changing parameters is allowed between calls: no tape holds them then.
template <class T>
class ShardedModel final {
 public:
  /// Large enough to hide the cost of a node, small enough for two threads to share a batch of 256.
  static constexpr Index default_rows = 128;

  /// Errors:  std::invalid_argument if shard_rows is not positive.
  ShardedModel(Distribution<T>& model, Workers& workers, Index shard_rows = default_rows);

  /// Loss and gradient on the chosen rows of `data`.
  ///
  /// Errors:  std::invalid_argument if there is no row, or one that `data` does not have.
  /// Note:    Allocates nothing if an earlier call recorded as much; the adjoint mode always does.
  LossAndGradient<T> loss_and_gradient(const Loss<T>& loss, const RowSource<T>& data,
                                       std::span<const std::uint32_t> rows,
                                       const ode::GradientMode* gradient, const RandomKey& random);

  /// The mean negative log-likelihood of rows of `data` [N, D] and its gradient.
  LossAndGradient<T> loss_and_gradient(const TensorView<T>& data,
                                       std::span<const std::uint32_t> rows,
                                       const ode::GradientMode* gradient, const RandomKey& random) {
    return loss_and_gradient(NegativeLogLikelihood<T>(), TableRows<T>(data), rows, gradient,
                             random);
  }

  /// The loss of every row of `data`, without derivatives: [N].
  RowResults<T> losses(const Loss<T>& loss, const RowSource<T>& data, const RandomKey& random);
  /// The log-density of every row of `data`: [N].
  ///
  /// Where the rows are a part of a longer table, `first_row` is the number of their first row in
  /// it: random numbers and messages are those of the table. If it is a multiple of shard_rows,
  /// the results have the same bits as for the whole table.
  RowResults<T> log_prob(const RowSource<T>& data, const RandomKey& random,
                         std::uint64_t first_row = 0);

  RowResults<T> log_prob(const TensorView<T>& data, const RandomKey& random) {
    return log_prob(TableRows<T>(data), random);
  }

  /// `count` samples: [count, D]; one for each row of what is given [count, G], if anything is.
  /// `first_row` as in log_prob().
  RowResults<T> sample(Index count, const RandomKey& random, const TensorView<T>& given = {},
                       std::uint64_t first_row = 0);
  /// The map from base to data applied to points [N, D].
  RowResults<T> forward(const TransformedDistribution<T>& model, const TensorView<T>& points);

 private:
  struct Worker {
    Tape<T> tape;
    Vars<T> parameters;
  };

  struct Shard {
    std::vector<T> gradient;
    std::vector<double> numbers;  // the loss, and sums over the rows: evaluations, penalties
  };

  std::size_t shard_count(Index rows) const {
    return static_cast<std::size_t>(rows / shard_rows_ + (rows % shard_rows_ != 0 ? 1 : 0));
  }

  void bind_parameters(Worker& worker);
  // A leaf with some rows, and what is given of them in the context.
  Var<T> gather(Tape<T>& tape, const RowSource<T>& data, std::span<const std::uint32_t> rows,
                Context<T>& context) const;
  // Keeps a shard's loss and its gradient in all parameters.
  void take_gradient(Worker& worker, Shard& shard, const Var<T>& loss) const;
  // Adds the losses, gradients and penalties of all shards, after `compute` has made those of this
  // rank.
  template <class Compute>
  LossAndGradient<T> sum_of_shards(const Compute& compute, Index rows);
  void push_own_shards(std::size_t shards);
  // Runs a function of rows for all rows of data: `row_values` gives a number for each.
  template <class F>
  RowResults<T> for_each_row(const RowSource<T>& data, const Context<T>& start, F row_values);
  // Results of rows, [rows] or [rows, D]: run(tape, first row, rows, context) records some of them.
  template <class Run>
  RowResults<T> row_results(const Shape& shape, const Context<T>& start, Run run);
  // Records run(worker, shard, first row, rows, context) for every shard of this rank, its context
  // like `start` but for the first row, which is added, and lets go of the parameters in the end.
  template <class Run>
  void for_each_shard(Index rows, const Context<T>& start, Run run);

  Distribution<T>& model_;
  Workers& workers_;
  Index shard_rows_;
  std::vector<Parameter<T>*> parameters_;
  std::vector<std::unique_ptr<Worker>> per_worker_;
  std::vector<Shard> shards_;  // those of this rank
  std::size_t own_shards_ = 0;
  TreeSum<T> sum_;
  std::string message_;  // to and from other ranks
  std::size_t gradient_size_ = 0;
};

extern template class ShardedModel<float>;
extern template class ShardedModel<double>;

}  // namespace fjord::flows
