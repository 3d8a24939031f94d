/// Distributions of rows, with densities and samples.
#pragma once

#include <algorithm>
#include <optional>

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

  /// The mean of every column, [D]; nothing where it does not exist or has no closed form.
  virtual std::optional<Tensor<double>> mean() const { return std::nullopt; }

  /// The variance of every column, [D], may be infinite; nothing as for the mean.
  virtual std::optional<Tensor<double>> variance() const { return std::nullopt; }

  /// The expected value of -log_prob, in nats; nothing where it has no closed form.
  virtual std::optional<double> entropy() const { return std::nullopt; }
};

/// Which numbers a probability is of: those up to x, or those beyond, of which it keeps all digits.
enum class Tail { lower, upper };

/// Columns that are independent of each other, each of one family with settings of its own.
///
/// A family names its settings in the constructor and overrides what it has in closed form; numbers
/// about one column are of its settings in double. Rows outside of the support have log-density
/// -inf.
template <class T>
class IndependentColumns : public Distribution<T> {
 public:
  static constexpr const char* kind = "distribution of independent columns";

  Index dim() const final { return dim_; }

  /// The probability of numbers up to x in a column, or beyond; nothing as for the mean.
  ///
  /// Errors:  std::invalid_argument if there is no such column.
  std::optional<double> cdf(Index column, double x, Tail tail = Tail::lower) const;
  /// The x of which the cdf is p, in the same tail; NaN unless 0 <= p <= 1.
  ///
  /// Errors:  as cdf.
  /// Note:    Families whose cdf is an incomplete gamma or beta function search it: some 0.5 ms.
  std::optional<double> quantile(Index column, double p, Tail tail = Tail::lower) const;
  /// The log-density of every entry: log_prob is the sum over each row.
  ///
  /// Shapes:  [B, D] -> [B, D].
  /// Errors:  as log_prob.
  Var<T> log_densities(const Var<T>& x) const;

  /// Number `column` of the list that the constructor named as setting k.
  double setting(std::size_t k, Index column) const {
    return settings_[k].values[static_cast<std::size_t>(column)];
  }

  std::optional<Tensor<double>> mean() const final;
  std::optional<Tensor<double>> variance() const final;
  std::optional<double> entropy() const final;
  Var<T> sample(Tape<T>& tape, Index rows, Context<T>& context) const override;
  Var<T> log_prob(const Var<T>& x, Context<T>& context) const override;
  nn::Description<T> describe() override;

 protected:
  enum class Range { any, finite, positive };

  struct Setting {
    std::string name;
    Range range;  ///< of the numbers, once rounded to T
    std::vector<double> values;
  };

  /// Errors:  std::invalid_argument if the lists differ in size or are empty, or a number does not
  ///          fit its range in T.
  IndependentColumns(std::string type, std::vector<Setting> settings);

  /// Gives the support of every column, ends included; without a call it is every number.
  void set_support(const std::function<std::pair<double, double>(Index)>& of_column);

  /// The numbers f(column), [D].
  template <class F>
  Tensor<T> columns(F f) const {
    Tensor<T> numbers = Tensor<T>::zeros({dim_});
    for (Index d = 0; d < dim_; ++d) numbers(d) = static_cast<T>(f(d));
    return numbers;
  }

  /// Setting k as a leaf, [D].
  Var<T> leaf(Tape<T>& tape, std::size_t k) const { return tape.input(rounded_[k]); }

  const std::string& type() const { return type_; }

  /// The log-density of every entry [B, D] of the support; whatever it gives elsewhere is not used.
  virtual Var<T> log_densities_inside(const Var<T>& x) const = 0;

  // Of one column, inside its support and for 0 < p < 1.
  virtual std::optional<double> cdf_of(Index, double, Tail) const { return std::nullopt; }

  virtual std::optional<double> quantile_of(Index, double, Tail) const { return std::nullopt; }

  virtual std::optional<double> mean_of(Index) const { return std::nullopt; }

  virtual std::optional<double> variance_of(Index) const { return std::nullopt; }

  virtual std::optional<double> entropy_of(Index) const { return std::nullopt; }

  /// A draw of a column, which depends on the key and the number of the entry only; without
  /// override, by the quantile of a uniform number.
  virtual double draw(Index column, const RandomKey& random, std::uint64_t number) const;

 private:
  void check_column(Index column) const;

  std::string type_;
  std::vector<Setting> settings_;
  std::vector<Tensor<T>> rounded_;
  Index dim_;
  bool is_bounded_ = false;
  std::vector<double> low_;   // the support
  std::vector<double> high_;  // the support
  Tensor<T> below_;           // the largest numbers below the support
  Tensor<T> above_;           // the smallest numbers above the support
};

/// Independent normals: N(mean_d, scale_d^2) in column d.
template <class T>
class DiagonalNormal final : public IndependentColumns<T> {
 public:
  /// Errors:  std::invalid_argument if the sizes differ, or a number does not fit: not finite, or a
  ///          scale not positive, in T.
  DiagonalNormal(std::vector<double> mean, std::vector<double> scale);

  explicit DiagonalNormal(nn::PartReader<T>& reader)
      : DiagonalNormal(reader.numbers("mean"), reader.numbers("scale")) {}

  Var<T> sample(Tape<T>& tape, Index rows, Context<T>& context) const override;
  Var<T> log_prob(const Var<T>& x, Context<T>& context) const override;

 private:
  Var<T> log_densities_inside(const Var<T>& x) const override;
  std::optional<double> cdf_of(Index column, double x, Tail tail) const override;
  std::optional<double> quantile_of(Index column, double p, Tail tail) const override;
  std::optional<double> mean_of(Index column) const override;
  std::optional<double> variance_of(Index column) const override;
  std::optional<double> entropy_of(Index column) const override;

  Tensor<T> log_normaliser_;  // [D]
  T sum_of_log_normalisers_;
};

/// The distribution of bijector.forward(z), z drawn from a base.
///
/// log_prob(x) = base.log_prob(z) + inverse log-det, z = inverse(x); -inf where there is no such z.
/// Samples that round to an end of what the bijector reaches are the number next to it.
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

extern template class IndependentColumns<float>;
extern template class IndependentColumns<double>;
extern template class DiagonalNormal<float>;
extern template class DiagonalNormal<double>;
extern template class TransformedDistribution<float>;
extern template class TransformedDistribution<double>;

}  // namespace fjord::flows
