#include "fjord/flows/sharded.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"

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

// The sums over a shard's rows of penalties [B, R].
template <class T>
void take_penalties(const Var<T>& penalties, std::vector<double>& sums) {
  sums.clear();
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
Context<T> values_only(const RandomKey& random) {
  return {.gradient = &ode::values_only, .random = random};
}

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
double ShardedModel<T>::for_each_shard(Index rows, const Context<T>& start, Run run) {
  const auto count = static_cast<std::size_t>(shard_count(rows));
  if (shards_.size() < count) shards_.resize(count);
  const auto task = [&](int index, std::size_t shard) {
    Worker& worker = *per_worker_[static_cast<std::size_t>(index)];
    const Index first = static_cast<Index>(shard) * shard_rows_;
    const Index last = first + std::min(rows - first, shard_rows_);
    bind_parameters(worker);
    Context<T> context = start;
    context.first_row = static_cast<std::uint64_t>(first);
    try {
      run(worker, shards_[shard], first, last - first, context);
    } catch (const ode::SolveFailure& failure) {
      throw ode::SolveFailure("rows " + std::to_string(first + 1) + " to " + std::to_string(last),
                              failure);
    }
    shards_[shard].evaluations = context.evaluations * static_cast<std::size_t>(last - first);
  };
  const auto let_go = [&] {
    for (const auto& worker : per_worker_) worker->tape.clear();
  };
  try {
    workers_.run(count, std::cref(task));
  } catch (...) {
    let_go();
    throw;
  }
  let_go();
  double evaluations = 0;
  for (std::size_t i = 0; i < count; ++i)
    evaluations += static_cast<double>(shards_[i].evaluations);
  return rows == 0 ? 0 : evaluations / static_cast<double>(rows);
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
    take_penalties(context.penalties, shard.penalties);
    take_gradient(worker, shard, weighted_sum(losses, data, chosen, 1 / weights));
  };
  const double evaluations = for_each_shard(count, start, run);
  LossAndGradient<T> result = sum_of_shards(static_cast<std::size_t>(shard_count(count)), count);
  result.evaluations = evaluations;
  return result;
}

template <class T>
LossAndGradient<T> ShardedModel<T>::sum_of_shards(std::size_t shards, Index rows) {
  LossAndGradient<T> result;
  for (std::size_t i = 0; i < shards; ++i) result.loss += shards_[i].loss;
  // Along a tree, so that the sums over many shards keep their digits.
  for (std::size_t apart = 1; apart < shards; apart *= 2) {
    for (std::size_t i = 0; i + apart < shards; i += 2 * apart) {
      std::ranges::transform(shards_[i].gradient, shards_[i + apart].gradient,
                             shards_[i].gradient.begin(), std::plus());
    }
  }
  std::vector<double>& penalties = shards_[0].penalties;
  for (std::size_t r = 0; r < penalties.size(); ++r) {
    for (std::size_t i = 1; i < shards; ++i) penalties[r] += shards_[i].penalties[r];
    penalties[r] /= static_cast<double>(rows);
  }
  result.gradient = shards_[0].gradient;
  result.penalties = penalties;
  return result;
}

template <class T>
void ShardedModel<T>::take_gradient(Worker& worker, Shard& shard, const Var<T>& loss) const {
  shard.loss = static_cast<double>(loss.item());
  shard.gradient.resize(gradient_size_);
  T* next = shard.gradient.data();
  for (const TensorView<T>& g : gradient_values<T>(loss, worker.parameters))
    next = std::copy_n(g.data(), g.shape().size(), next);
}

template <class T>
template <class F>
RowResults<T> ShardedModel<T>::for_each_row(const RowSource<T>& data, const RandomKey& random,
                                            F row_values) {
  check_width(model_, data);
  const Index count = data.rows();
  RowResults<T> result{Tensor<T>::zeros({count})};
  result.evaluations =
      for_each_shard(count, values_only<T>(random),
                     [&](Worker& worker, Shard&, Index first, Index size, Context<T>& context) {
                       std::vector<std::uint32_t> rows(static_cast<std::size_t>(size));
                       std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(first));
                       const Var<T> x = gather(worker.tape, data, rows, context);
                       scatter(row_values(x, context), result.values, first);
                     });
  return result;
}

template <class T>
RowResults<T> ShardedModel<T>::losses(const Loss<T>& loss, const RowSource<T>& data,
                                      const RandomKey& random) {
  return for_each_row(data, random, [&](const Var<T>& x, Context<T>& context) {
    return loss.of_rows(model_, x, context);
  });
}

template <class T>
RowResults<T> ShardedModel<T>::log_prob(const RowSource<T>& data, const RandomKey& random) {
  return for_each_row(data, random, [&](const Var<T>& x, Context<T>& context) {
    return model_.log_prob(x, context);
  });
}

template <class T>
RowResults<T> ShardedModel<T>::sample(Index count, const RandomKey& random,
                                      const TensorView<T>& given) {
  const bool has_given = given.data() != nullptr;
  require(!has_given || (given.shape().rank() == 2 && given.shape()[0] == count), "flow", [&] {
    return "what is given of " + std::to_string(count) + " samples must have as many rows, got " +
           to_string(given.shape());
  });
  RowResults<T> result{Tensor<T>::zeros({count, model_.dim()})};
  result.evaluations =
      for_each_shard(count, values_only<T>(random),
                     [&](Worker& worker, Shard&, Index first, Index size, Context<T>& context) {
                       if (has_given) context.given = leaf(worker.tape, given, first, size);
                       scatter(model_.sample(worker.tape, size, context), result.values, first);
                     });
  return result;
}

template <class T>
RowResults<T> ShardedModel<T>::forward(const TransformedDistribution<T>& model,
                                       const TensorView<T>& points) {
  check_width(model, TableRows<T>(points));
  const Index count = points.shape()[0];
  RowResults<T> result{Tensor<T>::zeros({count, model.dim()})};
  result.evaluations =
      for_each_shard(count, values_only<T>(RandomKey(0)),
                     [&](Worker& worker, Shard&, Index first, Index size, Context<T>& context) {
                       const Var<T> z = leaf(worker.tape, points, first, size);
                       scatter(model.bijector().forward(z, context), result.values, first);
                     });
  return result;
}

template class ShardedModel<float>;
template class ShardedModel<double>;

}  // namespace fjord::flows
