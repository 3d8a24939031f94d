/// Independent distributions of absolute values of normals.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// The density of |x|, x of N(0, scale^2), in each column.
template <class T>
class HalfNormal final : public IndependentColumns<T> {
 public:
  /// Errors:  std::invalid_argument if the lists differ in size or are empty, or a number does not
  ///          fit: not positive and finite in T.
  explicit HalfNormal(std::vector<double> scale);

  explicit HalfNormal(nn::PartReader<T>& reader) : HalfNormal(reader.numbers("scale")) {}

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

extern template class HalfNormal<float>;
extern template class HalfNormal<double>;

}  // namespace fjord::flows
