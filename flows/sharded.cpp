#include "fjord/flows/sharded.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/flows/rank_parts.hpp"

namespace fjord::flows {
namespace {

template <class T>
void check_width(const Distribution<T>& model, const RowSource<T>& data) {
  require(data.dim() == model.dim(), "flow", [&] {
    return "rows of " + std::to_string(model.dim()) + " numbers are needed, got rows of " +
           std::to_string(data.dim());
  });
}

// A leaf with some rows of a view: row `first` and those after it.
template <class T>
Var<T> leaf(Tape<T>& tape, const TensorView<T>& view, Index first, Index count) {
  const Index columns = view.shape()[1];
  T* values = tape.new_values(count * columns);
  for (Index d = 0; d < columns; ++d) {
    for (Index i = 0; i < count; ++i) values[d * count + i] = view(first + i, d);
  }
  return tape.borrow(tape.keep_shape({count, columns}), values);
}

// Writes a shard's rows [rows] or [rows, D] into the whole.
template <class T>
void scatter(const Var<T>& shard, Tensor<T>& whole, Index first) {
  const TensorView<T> from = shard.value();
  const Index rows = from.shape()[0];
  const Index all = whole.shape()[0];
  const Index columns = whole.shape().rank() == 1 ? 1 : whole.shape()[1];
  for (Index d = 0; d < columns; ++d)
    std::copy_n(from.data() + d * rows, rows, whole.data() + d * all + first);
}

// Appends the sums over a shard's rows of penalties [B, R].
template <class T>
void take_penalties(const Var<T>& penalties, std::vector<double>& sums) {
  if (penalties.is_empty()) return;
  const TensorView<T> values = penalties.value();
  for (Index r = 0; r < values.shape()[1]; ++r) {
    double sum = 0;
    for (Index i = 0; i < values.shape()[0]; ++i) sum += static_cast<double>(values(i, r));
    sums.push_back(sum);
  }
}

// The sum of what the rows lose, each with its weight times `scale`.
template <class T>
Var<T> weighted_sum(const Var<T>& losses, const RowSource<T>& data,
                    std::span<const std::uint32_t> rows, double scale) {
  const double first = data.weight(rows[0]);
  if (std::ranges::all_of(rows, [&](auto row) { return data.weight(row) == first; }))
    return sum(losses) * static_cast<T>(first * scale);
  Tape<T>& tape = losses.tape();
  const auto count = static_cast<Index>(rows.size());
  T* weights = tape.new_values(count);
  for (std::size_t i = 0; i < rows.size(); ++i)
    weights[i] = static_cast<T>(data.weight(rows[i]) * scale);
  return sum(losses * tape.borrow(tape.keep_shape({count}), weights));
}

template <class T>
Context<T> values_only(const RandomKey& random, std::uint64_t first_row = 0) {
  return {.gradient = &ode::values_only, .random = random, .first_row = first_row};
}

// Places of a shard's numbers; those of the penalties follow.
constexpr std::size_t loss_place = 0;
constexpr std::size_t evaluations_place = 1;
constexpr std::size_t penalties_place = 2;

}  // namespace

template <class T>
ShardedModel<T>::ShardedModel(Distribution<T>& model, Workers& workers, Index shard_rows)
    : model_(model), workers_(workers), shard_rows_(shard_rows) {
  require(shard_rows > 0, "sharded", "shard_rows must be positive");
  parameters_ = nn::parameter_pointers(nn::parameters_of(model));
  for (const Parameter<T>* parameter : parameters_)
    gradient_size_ += static_cast<std::size_t>(parameter->value().size());
  for (int i = 0; i < workers.threads(); ++i) per_worker_.push_back(std::make_unique<Worker>());
}

template <class T>
void ShardedModel<T>::bind_parameters(Worker& worker) {
  worker.tape.clear();
  worker.parameters.clear();
  for (const Parameter<T>* parameter : parameters_)
    worker.parameters.push_back(worker.tape.bind(*parameter));
}

template <class T>
template <class Run>
void ShardedModel<T>::for_each_shard(Index rows, const Context<T>& start, Run run) {
  const Share share = share_of(shard_count(rows), workers_.communicator());
  own_shards_ = share.last - share.first;
  if (shards_.size() < own_shards_) shards_.resize(own_shards_);
  const auto task = [&](int index, std::size_t i) {
    Worker& worker = *per_worker_[static_cast<std::size_t>(index)];
    Shard& shard = shards_[i];
    const Index first = static_cast<Index>(share.first + i) * shard_rows_;
    const Index last = first + std::min(rows - first, shard_rows_);
    bind_parameters(worker);
    Context<T> context = start;
    context.first_row += static_cast<std::uint64_t>(first);
    shard.numbers.assign(penalties_place, 0.0);
    try {
      run(worker, shard, first, last - first, context);
    } catch (const ode::SolveFailure& failure) {
      const std::uint64_t end = context.first_row + static_cast<std::uint64_t>(last - first);
      throw ode::SolveFailure(
          "rows " + std::to_string(context.first_row + 1) + " to " + std::to_string(end), failure);
    }
    shard.numbers[evaluations_place] =
        static_cast<double>(context.evaluations) * static_cast<double>(last - first);
  };
  const auto let_go = [&] {
    for (const auto& worker : per_worker_) worker->tape.clear();
  };
  try {
    workers_.run(own_shards_, std::cref(task));
  } catch (...) {
    let_go();
    throw;
  }
  let_go();
}

template <class T>
Var<T> ShardedModel<T>::gather(Tape<T>& tape, const RowSource<T>& data,
                               std::span<const std::uint32_t> rows, Context<T>& context) const {
  const auto count = static_cast<Index>(rows.size());
  T* values = tape.new_values(count * data.dim());
  const Index width = data.given_width();
  T* given = width > 0 ? tape.new_values(count * width) : nullptr;
  data.read(rows, values, given);
  if (width > 0) context.given = tape.borrow(tape.keep_shape({count, width}), given);
  return tape.borrow(tape.keep_shape({count, data.dim()}), values);
}

template <class T>
LossAndGradient<T> ShardedModel<T>::loss_and_gradient(const Loss<T>& loss, const RowSource<T>& data,
                                                      std::span<const std::uint32_t> rows,
                                                      const ode::GradientMode* gradient,
                                                      const RandomKey& random) {
  check_width(model_, data);
  require(!rows.empty(), "flow", "a loss needs at least one row");
  double weights = 0;
  for (const std::uint32_t row : rows) {
    require(row < data.rows(), "flow", [&] {
      return "there is no row " + std::to_string(row) + ": the data has " +
             std::to_string(data.rows());
    });
    weights += data.weight(row);
  }
  const auto count = static_cast<Index>(rows.size());
  const Context<T> start{.gradient = gradient, .norm = ode::ErrorNorm::rms, .random = random};
  const auto run = [&](Worker& worker, Shard& shard, Index first, Index size, Context<T>& context) {
    const auto chosen =
        rows.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size));
    const Var<T> x = gather(worker.tape, data, chosen, context);
    const Var<T> losses = loss.of_rows(model_, x, context);
    take_penalties(context.penalties, shard.numbers);
    take_gradient(worker, shard, weighted_sum(losses, data, chosen, 1 / weights));
  };
  return sum_of_shards([&] { for_each_shard(count, start, run); }, count);
}

template <class T>
void ShardedModel<T>::push_own_shards(std::size_t shards) {
  sum_.reset(shards);
  const Share share = share_of(shards, workers_.communicator());
  for (std::size_t i = 0; i < own_shards_; ++i) {
    sum_.push({share.first + i, share.first + i + 1, shards_[i].gradient, shards_[i].numbers});
  }
}

template <class T>
template <class Compute>
LossAndGradient<T> ShardedModel<T>::sum_of_shards(const Compute& compute, Index rows) {
  const std::size_t shards = shard_count(rows);
  LossAndGradient<T> result;
  if (workers_.communicator().size() == 1) {
    compute();
    push_own_shards(shards);
  } else {
    GradientParts<T> parts(workers_.communicator().rank(), sum_, shards, [&] {
      compute();
      push_own_shards(shards);
    });
    result.bad_rank = parts.take(combine_solves(workers_.communicator(), parts, message_));
  }
  const TreeTerm<T>& sum = sum_.nodes()[0];
  for (double& number : sum.numbers.subspan(evaluations_place)) number /= static_cast<double>(rows);
  result.loss = sum.numbers[loss_place];
  result.gradient = sum.values;
  result.evaluations = sum.numbers[evaluations_place];
  result.penalties = sum.numbers.subspan(penalties_place);
  return result;
}

template <class T>
void ShardedModel<T>::take_gradient(Worker& worker, Shard& shard, const Var<T>& loss) const {
  shard.numbers[loss_place] = static_cast<double>(loss.item());
  shard.gradient.resize(gradient_size_);
  T* next = shard.gradient.data();
  for (const TensorView<T>& g : gradient_values<T>(loss, worker.parameters))
    next = std::copy_n(g.data(), g.shape().size(), next);
}

template <class T>
template <class Run>
RowResults<T> ShardedModel<T>::row_results(const Shape& shape, const Context<T>& start, Run run) {
  RowResults<T> result{Tensor<T>::zeros(shape)};
  const Index count = shape[0];
  const auto compute = [&] {
    for_each_shard(count, start,
                   [&](Worker& worker, Shard&, Index first, Index size, Context<T>& context) {
                     scatter(run(worker.tape, first, size, context), result.values, first);
                   });
    double evaluations = 0;
    for (std::size_t i = 0; i < own_shards_; ++i)
      evaluations += shards_[i].numbers[evaluations_place];
    return evaluations;
  };
  const Communicator& communicator = workers_.communicator();
  if (communicator.size() == 1) {
    result.evaluations = compute();
  } else {
    const Share share = share_of(shard_count(count), communicator);
    const Index first = std::min(count, static_cast<Index>(share.first) * shard_rows_);
    const Index last = std::min(count, static_cast<Index>(share.last) * shard_rows_);
    RowParts<T> parts(communicator.rank(), {first, last - first}, result.values, compute);
    result.evaluations = parts.take(combine_solves(communicator, parts, message_));
  }
  if (count > 0) result.evaluations /= static_cast<double>(count);
  return result;
}

template <class T>
template <class F>
RowResults<T> ShardedModel<T>::for_each_row(const RowSource<T>& data, const Context<T>& start,
                                            F row_values) {
  check_width(model_, data);
  return row_results({data.rows()}, start,
                     [&](Tape<T>& tape, Index first, Index size, Context<T>& context) {
                       std::vector<std::uint32_t> rows(static_cast<std::size_t>(size));
                       std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(first));
                       return row_values(gather(tape, data, rows, context), context);
                     });
}

template <class T>
RowResults<T> ShardedModel<T>::losses(const Loss<T>& loss, const RowSource<T>& data,
                                      const RandomKey& random) {
  return for_each_row(data, values_only<T>(random), [&](const Var<T>& x, Context<T>& context) {
    return loss.of_rows(model_, x, context);
  });
}

template <class T>
RowResults<T> ShardedModel<T>::log_prob(const RowSource<T>& data, const RandomKey& random,
                                        std::uint64_t first_row) {
  const Context<T> start = values_only<T>(random, first_row);
  return for_each_row(data, start, [&](const Var<T>& x, Context<T>& context) {
    return model_.log_prob(x, context);
  });
}

template <class T>
RowResults<T> ShardedModel<T>::sample(Index count, const RandomKey& random,
                                      const TensorView<T>& given, std::uint64_t first_row) {
  const bool has_given = given.data() != nullptr;
  require(!has_given || (given.shape().rank() == 2 && given.shape()[0] == count), "flow", [&] {
    return "what is given of " + std::to_string(count) + " samples must have as many rows, got " +
           to_string(given.shape());
  });
  return row_results({count, model_.dim()}, values_only<T>(random, first_row),
                     [&](Tape<T>& tape, Index first, Index size, Context<T>& context) {
                       if (has_given) context.given = leaf(tape, given, first, size);
                       return model_.sample(tape, size, context);
                     });
}

template <class T>
RowResults<T> ShardedModel<T>::forward(const TransformedDistribution<T>& model,
                                       const TensorView<T>& points) {
  check_width(model, TableRows<T>(points));
  return row_results({points.shape()[0], model.dim()}, values_only<T>(RandomKey(0)),
                     [&](Tape<T>& tape, Index first, Index size, Context<T>& context) {
                       const Var<T> z = leaf(tape, points, first, size);
                       return model.bijector().forward(z, context);
                     });
}

template class ShardedModel<float>;
template class ShardedModel<double>;

}  // namespace fjord::flows
