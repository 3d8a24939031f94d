/// Independent distributions of ranges of columns.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// Rows that consist of rows of several distributions, side by side.
template <class T>
class Product final : public Distribution<T> {
 public:
  /// Errors:  std::invalid_argument if there is none, or one is null.
  explicit Product(std::vector<std::unique_ptr<Distribution<T>>> parts);

  explicit Product(nn::PartReader<T>& reader)
      : Product(reader.template children<Distribution<T>>("parts")) {}

  const std::vector<std::unique_ptr<Distribution<T>>>& parts() const& { return parts_; }

  const std::vector<std::unique_ptr<Distribution<T>>>& parts() const&& = delete;

  Index dim() const override { return dim_; }

  std::optional<Tensor<double>> mean() const override;
  std::optional<Tensor<double>> variance() const override;
  std::optional<double> entropy() const override;
  Var<T> sample(Tape<T>& tape, Index rows, Context<T>& context) const override;
  Var<T> log_prob(const Var<T>& x, Context<T>& context) const override;
  void adapt(const Var<T>& x, Context<T>& context, std::uint64_t step) override;
  Index adapting_steps() const override;
  SampleAndLogProb<T> sample_and_log_prob(Tape<T>& tape, Index rows,
                                          Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  std::vector<std::unique_ptr<Distribution<T>>> parts_;
  Index dim_ = 0;
};

extern template class Product<float>;
extern template class Product<double>;

}  // namespace fjord::flows
