/// Invertible maps with a Jacobian determinant.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/nn/part_reader.hpp"
#include "fjord/ode/solve.hpp"

namespace fjord::flows {

template <class T>
struct Regularizer;

/// What one evaluation of a flow on a shard of rows needs besides its input, and what it counts.
template <class T>
struct Context {
  /// How derivatives flow through the solves; never null.
  const ode::GradientMode* gradient = &ode::direct;
  /// What the solves control: the error of every row, or, for a loss, the mean over the rows.
  ode::ErrorNorm norm = ode::ErrorNorm::largest_row;
  RandomKey random{0};          ///< key of the probes and samples of these rows
  std::uint64_t first_row = 0;  ///< number of the shard's first row in the batch
  Var<T> given = {};            ///< what is known of the rows, [B, G]; empty for nothing
  std::size_t evaluations = 0;  ///< calls of fields so far, for the shard
  std::size_t solves = 0;       ///< solves so far: each draws probes of its own
  std::size_t accepted = 0;     ///< steps of solves so far
  std::size_t rejected = 0;     ///< steps that were tried and given up, so far
  /// Length of the first step of the next solve, which takes it only if its settings have none. It
  /// is cut to a quarter of that solve's span, and ignored if it is less than a hundredth of it. A
  /// chain sets it to `next_step` between its parts.
  std::optional<double> first_step = std::nullopt;
  /// Of the last solve: see ode::Report::next_step.
  std::optional<double> next_step = std::nullopt;
  /// Computed along the paths of solves with a log-determinant; none is null. They and the list
  /// outlive the recording.
  std::span<const Regularizer<T>* const> regularizers = {};
  /// [B, R], the integrals of the R regularisers over |dt|, summed over the solves so far; empty
  /// before the first.
  Var<T> penalties = {};
  /// Of the solves so far, where sweeps call fields: see ode::Report::calls_in_sweeps.
  std::vector<std::shared_ptr<const std::size_t>> calls_in_sweeps = {};

  /// Calls of fields by all sweeps through the solves so far; it grows with every sweep.
  std::size_t sweep_evaluations() const {
    std::size_t sum = 0;
    for (const auto& calls : calls_in_sweeps) sum += *calls;
    return sum;
  }
};

template <class T>
struct WithLogDet {
  Var<T> value;
  Var<T> log_det;  ///< [B], log |det| of the Jacobian of the map that was applied, in nats
};

/// An invertible map of rows; it binds its parameters to the tape of its argument: Tape::bind.
///
/// Shapes:  x, y [B, D]; log_det [B].
/// Errors:  ode::SolveFailure where a solve does not reach its end.
template <class T>
class Bijector : public nn::Part<T> {
 public:
  static constexpr const char* kind = "bijector";

  virtual WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const = 0;
  virtual WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const = 0;

  /// From base to data, without the log-determinant and, where it can be left out, its cost.
  virtual Var<T> forward(const Var<T>& x, Context<T>& context) const {
    return forward_with_log_det(x, context).value;
  }

  /// From data to base, without the log-determinant and, where it can be left out, its cost.
  virtual Var<T> inverse(const Var<T>& y, Context<T>& context) const {
    return inverse_with_log_det(y, context).value;
  }

  /// Adapts to rows of data what depends on them and is not trained, and returns inverse(y). No
  /// tape may hold the parameters.
  virtual Var<T> adapt(const Var<T>& y, Context<T>& context, std::uint64_t /*step*/) {
    return inverse(y, context);
  }

  /// With the rows of how many first steps of training adapt() must be called.
  virtual Index adapting_steps() const { return 0; }
};

/// Several bijectors, one after another; base to data runs through the first one first.
template <class T>
class Chain final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if there is none, or one is null.
  explicit Chain(std::vector<std::unique_ptr<Bijector<T>>> parts);

  explicit Chain(nn::PartReader<T>& reader)
      : Chain(reader.template children<Bijector<T>>("parts")) {}

  Var<T> forward(const Var<T>& x, Context<T>& context) const override;
  Var<T> inverse(const Var<T>& y, Context<T>& context) const override;
  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  Var<T> adapt(const Var<T>& y, Context<T>& context, std::uint64_t step) override;
  Index adapting_steps() const override;

  const std::vector<std::unique_ptr<Bijector<T>>>& parts() const { return parts_; }

  /// Paths as "parts.0.field.network.layers.1.weight".
  nn::Description<T> describe() override;

 private:
  std::vector<std::unique_ptr<Bijector<T>>> parts_;
};

/// Another bijector with forward and inverse exchanged.
template <class T>
class Inverse final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if it is null.
  explicit Inverse(std::unique_ptr<Bijector<T>> inner) : inner_(std::move(inner)) {
    require(inner_ != nullptr, "inverse", "a bijector is needed, got null");
  }

  explicit Inverse(nn::PartReader<T>& reader)
      : Inverse(reader.template child<Bijector<T>>("part")) {}

  Var<T> forward(const Var<T>& x, Context<T>& context) const override {
    return inner_->inverse(x, context);
  }

  Var<T> inverse(const Var<T>& y, Context<T>& context) const override {
    return inner_->forward(y, context);
  }

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override {
    return inner_->inverse_with_log_det(x, context);
  }

  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override {
    return inner_->forward_with_log_det(y, context);
  }

  nn::Description<T> describe() override {
    return nn::Description<T>("inverse").child("part", *inner_);
  }

 private:
  std::unique_ptr<Bijector<T>> inner_;
};

extern template class Chain<float>;
extern template class Chain<double>;

}  // namespace fjord::flows
