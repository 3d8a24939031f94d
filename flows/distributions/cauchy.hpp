/// Independent Cauchy distributions.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// Density 1 / (pi scale (1 + z^2)), z = (x - location) / scale, in each column; no mean exists.
template <class T>
class Cauchy final : public IndependentColumns<T> {
 public:
  /// Errors:  std::invalid_argument if the lists differ in size or are empty, or a number does not
  ///          fit: not finite, or a scale not
  ///          positive, in T.
  Cauchy(std::vector<double> location, std::vector<double> scale);

  explicit Cauchy(nn::PartReader<T>& reader)
      : Cauchy(reader.numbers("location"), reader.numbers("scale")) {}

 private:
  Var<T> log_densities_inside(const Var<T>& x) const override;
  std::optional<double> cdf_of(Index column, double x, Tail tail) const override;
  std::optional<double> quantile_of(Index column, double p, Tail tail) const override;
  std::optional<double> entropy_of(Index column) const override;

  Tensor<T> log_normaliser_;  // [D]
  Tensor<T> log_scale_;       // [D]
};

extern template class Cauchy<float>;
extern template class Cauchy<double>;

}  // namespace fjord::flows
