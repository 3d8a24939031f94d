/// Independent beta distributions.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// Density x^(a - 1) (1 - x)^(b - 1) / B(a, b) for 0 <= x <= 1 in each column.
template <class T>
class Beta final : public IndependentColumns<T> {
 public:
  /// Errors:  std::invalid_argument if the lists differ in size or are empty, or a number does not
  ///          fit: not positive and finite in T.
  Beta(std::vector<double> a, std::vector<double> b);

  explicit Beta(nn::PartReader<T>& reader) : Beta(reader.numbers("a"), reader.numbers("b")) {}

 private:
  Var<T> log_densities_inside(const Var<T>& x) const override;
  std::optional<double> cdf_of(Index column, double x, Tail tail) const override;
  std::optional<double> quantile_of(Index column, double p, Tail tail) const override;
  std::optional<double> mean_of(Index column) const override;
  std::optional<double> variance_of(Index column) const override;
  std::optional<double> entropy_of(Index column) const override;
  double draw(Index column, const RandomKey& random, std::uint64_t number) const override;

  // What the density of a column is written with: [D]. The part of the smaller number a or b is
  // offset + sign x.
  Tensor<T> offset_;
  Tensor<T> sign_;
  Tensor<T> power_;
  Tensor<T> other_power_;
  Tensor<T> factor_;
  Tensor<T> other_factor_;
  Tensor<T> origin_;
  Tensor<T> ratio_;
  Tensor<T> log_density_;
};

extern template class Beta<float>;
extern template class Beta<double>;

}  // namespace fjord::flows
