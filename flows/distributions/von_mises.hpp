/// Independent von Mises distributions.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// Density exp(k cos(x - location)) / (2 pi I_0(k)), k = concentration, for -pi <= x <= pi in each
/// column: angles of a circle, in radians.
///
/// The distribution function has no closed form. The mean of the numbers does where location = 0.
template <class T>
class VonMises final : public IndependentColumns<T> {
 public:
  /// Errors:  std::invalid_argument if the lists differ in size or are empty, or a number does not
  ///          fit: not finite, or a
  ///          concentration not positive, in T.
  VonMises(std::vector<double> location, std::vector<double> concentration);

  explicit VonMises(nn::PartReader<T>& reader)
      : VonMises(reader.numbers("location"), reader.numbers("concentration")) {}

 private:
  Var<T> log_densities_inside(const Var<T>& x) const override;
  std::optional<double> mean_of(Index column) const override;
  std::optional<double> entropy_of(Index column) const override;
  double draw(Index column, const RandomKey& random, std::uint64_t number) const override;

  std::vector<double> center_;  // the locations between -pi and pi
  Tensor<T> log_normaliser_;    // [D]
};

extern template class VonMises<float>;
extern template class VonMises<double>;

}  // namespace fjord::flows
