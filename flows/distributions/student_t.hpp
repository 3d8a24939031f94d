/// Independent Student distributions.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// Density proportional to (1 + z^2 / degrees)^(-(degrees + 1) / 2), z = (x - location) / scale, in
/// each column. There is no mean for degrees <= 1 and no variance for degrees <= 1; between 1 and 2
/// the variance is infinite.
template <class T>
class StudentT final : public IndependentColumns<T> {
 public:
  /// Errors:  std::invalid_argument if the lists differ in size or are empty, or a number does not
  ///          fit: not finite, or degrees
  ///          or a scale not positive, in T.
  StudentT(std::vector<double> degrees, std::vector<double> location, std::vector<double> scale);

  explicit StudentT(nn::PartReader<T>& reader)
      : StudentT(reader.numbers("degrees"), reader.numbers("location"), reader.numbers("scale")) {}

 private:
  Var<T> log_densities_inside(const Var<T>& x) const override;
  std::optional<double> cdf_of(Index column, double x, Tail tail) const override;
  std::optional<double> quantile_of(Index column, double p, Tail tail) const override;
  std::optional<double> mean_of(Index column) const override;
  std::optional<double> variance_of(Index column) const override;
  std::optional<double> entropy_of(Index column) const override;
  double draw(Index column, const RandomKey& random, std::uint64_t number) const override;

  Tensor<T> log_normaliser_;  // [D]
  Tensor<T> log_scale_;       // of scale sqrt(degrees), [D]
};

extern template class StudentT<float>;
extern template class StudentT<double>;

}  // namespace fjord::flows
