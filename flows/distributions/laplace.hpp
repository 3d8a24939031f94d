/// Independent Laplace distributions.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// Density exp(-|x - location| / scale) / (2 scale) in each column.
template <class T>
class Laplace final : public IndependentColumns<T> {
 public:
  /// Errors:  std::invalid_argument if the lists differ in size or are empty, or a number does not
  ///          fit: not finite, or a scale not
  ///          positive, in T.
  Laplace(std::vector<double> location, std::vector<double> scale);

  explicit Laplace(nn::PartReader<T>& reader)
      : Laplace(reader.numbers("location"), reader.numbers("scale")) {}

 private:
  Var<T> log_densities_inside(const Var<T>& x) const override;
  std::optional<double> cdf_of(Index column, double x, Tail tail) const override;
  std::optional<double> quantile_of(Index column, double p, Tail tail) const override;
  std::optional<double> mean_of(Index column) const override;
  std::optional<double> variance_of(Index column) const override;
  std::optional<double> entropy_of(Index column) const override;

  Tensor<T> log_normaliser_;  // [D]
};

extern template class Laplace<float>;
extern template class Laplace<double>;

}  // namespace fjord::flows
