/// Independent log-normal distributions.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// The density of exp(y), y of N(location, scale^2), for x > 0 in each column.
template <class T>
class LogNormal final : public IndependentColumns<T> {
 public:
  /// Errors:  std::invalid_argument if the lists differ in size or are empty, or a number does not
  ///          fit: not finite, or a scale not
  ///          positive, in T.
  LogNormal(std::vector<double> location, std::vector<double> scale);

  explicit LogNormal(nn::PartReader<T>& reader)
      : LogNormal(reader.numbers("location"), reader.numbers("scale")) {}

 private:
  Var<T> log_densities_inside(const Var<T>& x) const override;
  std::optional<double> cdf_of(Index column, double x, Tail tail) const override;
  std::optional<double> quantile_of(Index column, double p, Tail tail) const override;
  std::optional<double> mean_of(Index column) const override;
  std::optional<double> variance_of(Index column) const override;
  std::optional<double> entropy_of(Index column) const override;
  double draw(Index column, const RandomKey& random, std::uint64_t number) const override;

  Tensor<T> log_normaliser_;  // [D]
};

extern template class LogNormal<float>;
extern template class LogNormal<double>;

}  // namespace fjord::flows
