/// Distributions of columns between bounds.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// The columns of another distribution, given that each lies between its bounds, both included.
///
/// A bound outside of the support bounds nothing, as an infinite one does.
template <class T>
class Truncated final : public IndependentColumns<T> {
 public:
  /// Errors:  std::invalid_argument if `whole` is null or has no cdf and quantile in closed form,
  ///          the lists do not have its width, or no probability that double can hold is between
  ///          the bounds of a column, or no two numbers of T.
  Truncated(std::unique_ptr<IndependentColumns<T>> whole, std::vector<double> low,
            std::vector<double> high);

  explicit Truncated(nn::PartReader<T>& reader)
      : Truncated(reader.template child<IndependentColumns<T>>("whole"), reader.numbers("low"),
                  reader.numbers("high")) {}

  nn::Description<T> describe() override;

 private:
  // Probabilities under the whole distribution.
  struct Mass {
    double below;
    double inside;
    double above;
  };

  Mass mass_of(Index column) const;
  Var<T> log_densities_inside(const Var<T>& x) const override;
  std::optional<double> cdf_of(Index column, double x, Tail tail) const override;
  std::optional<double> quantile_of(Index column, double p, Tail tail) const override;

  std::unique_ptr<IndependentColumns<T>> whole_;
  std::vector<Mass> masses_;
  Tensor<T> log_inside_;  // [D]
};

extern template class Truncated<float>;
extern template class Truncated<double>;

}  // namespace fjord::flows
