/// Distributions of rows, with densities and samples.
#pragma once

#include <algorithm>

#include "fjord/flows/bijector.hpp"

namespace fjord::flows {

template <class T>
struct SampleAndLogProb {
  Var<T> sample;    ///< [B, D]
  Var<T> log_prob;  ///< [B], nats
};

/// A distribution of rows of numbers.
template <class T>
class Distribution : public nn::Part<T> {
 public:
  static constexpr const char* kind = "distribution";

  /// D, the width of a row.
  virtual Index dim() const = 0;
  /// Draws `rows` rows: [rows, D]; each depends only on context.random and on its number,
  /// context.first_row + row.
  ///
  /// Errors:  ode::SolveFailure where a solve does not reach its end.
  virtual Var<T> sample(Tape<T>& tape, Index rows, Context<T>& context) const = 0;
  /// The log-density of every row of x [B, D], in nats: [B].
  ///
  /// Errors:  std::invalid_argument if the rows have another width than D.
  virtual Var<T> log_prob(const Var<T>& x, Context<T>& context) const = 0;

  /// Draws rows as `sample` does, with their log-densities by the same solves.
  ///
  /// Errors:  as sample.
  virtual SampleAndLogProb<T> sample_and_log_prob(Tape<T>& tape, Index rows,
                                                  Context<T>& context) const {
    const Var<T> x = sample(tape, rows, context);
    return {x, log_prob(x, context)};
  }

  /// Adapts to rows of data what depends on them and is not trained: Bijector::adapt.
  virtual void adapt(const Var<T>& /*x*/, Context<T>& /*context*/, std::uint64_t /*step*/) {}

  /// As Bijector::adapting_steps.
  virtual Index adapting_steps() const { return 0; }
};

/// Independent normals: N(mean_d, scale_d^2) in column d.
template <class T>
class DiagonalNormal final : public Distribution<T> {
 public:
  /// Errors:  std::invalid_argument if the sizes differ, or a number does not fit: not finite, or a
  ///          scale not positive, in T.
  DiagonalNormal(std::vector<double> mean, std::vector<double> scale);

  explicit DiagonalNormal(nn::PartReader<T>& reader)
      : DiagonalNormal(reader.numbers("mean"), reader.numbers("scale")) {}

  Index dim() const override { return mean_.size(); }

  Var<T> sample(Tape<T>& tape, Index rows, Context<T>& context) const override;
  Var<T> log_prob(const Var<T>& x, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  std::vector<double> means_;
  std::vector<double> scales_;
  Tensor<T> mean_;
  Tensor<T> scale_;
  T log_normaliser_;
};

/// The distribution of bijector.forward(z), z drawn from a base.
///
/// log_prob(x) = base.log_prob(z) + inverse log-det, with z = inverse(x).
template <class T>
class TransformedDistribution final : public Distribution<T> {
 public:
  /// Errors:  std::invalid_argument if one is null.
  TransformedDistribution(std::unique_ptr<Distribution<T>> base,
                          std::unique_ptr<Bijector<T>> bijector);

  explicit TransformedDistribution(nn::PartReader<T>& reader)
      : TransformedDistribution(reader.template child<Distribution<T>>("base"),
                                reader.template child<Bijector<T>>("bijector")) {}

  const Distribution<T>& base() const { return *base_; }

  const Bijector<T>& bijector() const { return *bijector_; }

  Index dim() const override { return base_->dim(); }

  Var<T> sample(Tape<T>& tape, Index rows, Context<T>& context) const override;
  Var<T> log_prob(const Var<T>& x, Context<T>& context) const override;
  SampleAndLogProb<T> sample_and_log_prob(Tape<T>& tape, Index rows,
                                          Context<T>& context) const override;

  void adapt(const Var<T>& x, Context<T>& context, std::uint64_t step) override {
    base_->adapt(bijector_->adapt(x, context, step), context, step);
  }

  Index adapting_steps() const override {
    return std::max(base_->adapting_steps(), bijector_->adapting_steps());
  }

  nn::Description<T> describe() override;

 private:
  std::unique_ptr<Distribution<T>> base_;
  std::unique_ptr<Bijector<T>> bijector_;
};

extern template class DiagonalNormal<float>;
extern template class DiagonalNormal<double>;
extern template class TransformedDistribution<float>;
extern template class TransformedDistribution<double>;

}  // namespace fjord::flows
