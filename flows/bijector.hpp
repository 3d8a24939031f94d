/// Invertible maps with a Jacobian determinant.
#pragma once

#include <memory>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/nn/module.hpp"
#include "fjord/ode/solve.hpp"

namespace fjord::flows {

/// What one evaluation of a flow on a shard of rows needs besides its input, and what it counts.
struct Context {
  /// How derivatives flow through the solves; never null.
  const ode::GradientMode* gradient = &ode::direct;
  /// What the solves control: the error of every row, or, for a loss, the mean over the rows.
  ode::ErrorNorm norm = ode::ErrorNorm::largest_row;
  RandomKey random{0};          ///< key of the probes and samples of these rows
  std::uint64_t first_row = 0;  ///< number of the shard's first row in the batch
  std::size_t evaluations = 0;  ///< calls of fields so far, for the shard
  std::size_t solves = 0;       ///< solves so far: each draws probes of its own
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
class Bijector {
 public:
  Bijector() = default;
  Bijector(const Bijector&) = delete;
  Bijector& operator=(const Bijector&) = delete;
  virtual ~Bijector() = default;

  /// From base to data, without the log-determinant and what it costs.
  virtual Var<T> forward(const Var<T>& x, Context& context) const = 0;
  /// From data to base, without the log-determinant and what it costs.
  virtual Var<T> inverse(const Var<T>& y, Context& context) const = 0;
  virtual WithLogDet<T> forward_with_log_det(const Var<T>& x, Context& context) const = 0;
  virtual WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context& context) const = 0;
  /// Appends the parameters, always in the same order, their names behind `prefix`.
  virtual void add_parameters(const std::string& prefix, nn::NamedParameters<T>& list) = 0;
};

/// Several bijectors, one after another; base to data runs through the first one first.
template <class T>
class Chain final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if there is none, or one is null.
  explicit Chain(std::vector<std::unique_ptr<Bijector<T>>> blocks);

  Var<T> forward(const Var<T>& x, Context& context) const override;
  Var<T> inverse(const Var<T>& y, Context& context) const override;
  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context& context) const override;
  /// Names as "blocks.0.layers.1.weight".
  void add_parameters(const std::string& prefix, nn::NamedParameters<T>& list) override;

 private:
  std::vector<std::unique_ptr<Bijector<T>>> blocks_;
};

/// Another bijector with forward and inverse exchanged.
template <class T>
class Inverse final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if it is null.
  explicit Inverse(std::unique_ptr<Bijector<T>> inner) : inner_(std::move(inner)) {
    require(inner_ != nullptr, "inverse", "a bijector is needed, got null");
  }

  Var<T> forward(const Var<T>& x, Context& context) const override {
    return inner_->inverse(x, context);
  }

  Var<T> inverse(const Var<T>& y, Context& context) const override {
    return inner_->forward(y, context);
  }

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context& context) const override {
    return inner_->inverse_with_log_det(x, context);
  }

  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context& context) const override {
    return inner_->forward_with_log_det(y, context);
  }

  void add_parameters(const std::string& prefix, nn::NamedParameters<T>& list) override {
    inner_->add_parameters(prefix, list);
  }

 private:
  std::unique_ptr<Bijector<T>> inner_;
};

extern template class Chain<float>;
extern template class Chain<double>;

}  // namespace fjord::flows
