/// Independent gamma distributions.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// Density rate^a x^(a - 1) exp(-rate x) / gamma(a), a = concentration, for x >= 0 in each column.
template <class T>
class Gamma final : public IndependentColumns<T> {
 public:
  /// Errors:  std::invalid_argument if the lists differ in size or are empty, or a number does not
  ///          fit: not positive and finite in T.
  Gamma(std::vector<double> concentration, std::vector<double> rate);

  explicit Gamma(nn::PartReader<T>& reader)
      : Gamma(reader.numbers("concentration"), reader.numbers("rate")) {}

 private:
  Var<T> log_densities_inside(const Var<T>& x) const override;
  std::optional<double> cdf_of(Index column, double x, Tail tail) const override;
  std::optional<double> quantile_of(Index column, double p, Tail tail) const override;
  std::optional<double> mean_of(Index column) const override;
  std::optional<double> variance_of(Index column) const override;
  std::optional<double> entropy_of(Index column) const override;
  double draw(Index column, const RandomKey& random, std::uint64_t number) const override;

  // What the density of a column is written with, and what it is there: [D].
  Tensor<T> factor_;
  Tensor<T> weight_;
  Tensor<T> origin_;
  Tensor<T> log_density_;
};

extern template class Gamma<float>;
extern template class Gamma<double>;

}  // namespace fjord::flows
