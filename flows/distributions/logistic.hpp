/// Independent logistic distributions.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// Distribution function 1 / (1 + exp(-z)), z = (x - location) / scale, in each column.
template <class T>
class Logistic final : public IndependentColumns<T> {
 public:
  /// Errors:  std::invalid_argument if the lists differ in size or are empty, or a number does not
  ///          fit: not finite, or a scale not
  ///          positive, in T.
  Logistic(std::vector<double> location, std::vector<double> scale);

  explicit Logistic(nn::PartReader<T>& reader)
      : Logistic(reader.numbers("location"), reader.numbers("scale")) {}

 private:
  Var<T> log_densities_inside(const Var<T>& x) const override;
  std::optional<double> cdf_of(Index column, double x, Tail tail) const override;
  std::optional<double> quantile_of(Index column, double p, Tail tail) const override;
  std::optional<double> mean_of(Index column) const override;
  std::optional<double> variance_of(Index column) const override;
  std::optional<double> entropy_of(Index column) const override;

  Tensor<T> log_normaliser_;  // [D]
};

extern template class Logistic<float>;
extern template class Logistic<double>;

}  // namespace fjord::flows
