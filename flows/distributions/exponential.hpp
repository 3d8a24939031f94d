/// Independent exponential distributions.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// Density rate exp(-rate x) for x >= 0 in each column.
template <class T>
class Exponential final : public IndependentColumns<T> {
 public:
  /// Errors:  std::invalid_argument if the lists differ in size or are empty, or a number does not
  ///          fit: not positive and finite in T.
  explicit Exponential(std::vector<double> rate);

  explicit Exponential(nn::PartReader<T>& reader) : Exponential(reader.numbers("rate")) {}

 private:
  Var<T> log_densities_inside(const Var<T>& x) const override;
  std::optional<double> cdf_of(Index column, double x, Tail tail) const override;
  std::optional<double> quantile_of(Index column, double p, Tail tail) const override;
  std::optional<double> mean_of(Index column) const override;
  std::optional<double> variance_of(Index column) const override;
  std::optional<double> entropy_of(Index column) const override;

  Tensor<T> log_normaliser_;  // [D]
};

extern template class Exponential<float>;
extern template class Exponential<double>;

}  // namespace fjord::flows
