/// Independent uniform distributions.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// Density 1 / (high - low) from low to high, both included, in each column.
template <class T>
class Uniform final : public IndependentColumns<T> {
 public:
  /// Errors:  std::invalid_argument if the lists differ in size or are empty, or a number does not
  ///          fit: low is not below high, or
  ///          their difference is not finite, in T.
  Uniform(std::vector<double> low, std::vector<double> high);

  explicit Uniform(nn::PartReader<T>& reader)
      : Uniform(reader.numbers("low"), reader.numbers("high")) {}

 private:
  Var<T> log_densities_inside(const Var<T>& x) const override;
  std::optional<double> cdf_of(Index column, double x, Tail tail) const override;
  std::optional<double> quantile_of(Index column, double p, Tail tail) const override;
  std::optional<double> mean_of(Index column) const override;
  std::optional<double> variance_of(Index column) const override;
  std::optional<double> entropy_of(Index column) const override;

  double width(Index column) const { return this->setting(1, column) - this->setting(0, column); }

  Tensor<T> log_normaliser_;  // [D]
};

extern template class Uniform<float>;
extern template class Uniform<double>;

}  // namespace fjord::flows
