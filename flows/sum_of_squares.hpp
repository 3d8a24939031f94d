/// Sums of squares of polynomials.
#pragma once

#include "fjord/flows/transformer.hpp"

namespace fjord::flows {

struct SumOfSquaresSettings {
  Index polynomials = 3;  ///< K, from 1 to 32
  Index degree = 4;       ///< L of each, from 1 to 16
};

/// c + the integral from 0 to x of m + (1 - m) mean_k (1 + sum_l a_kl t^l)^2, for l = 0, ..., L.
///
/// m is `least_slope`. Parameters of an entry are a_10, ..., a_K0, a_11, ..., a_KL, and c. The
/// integral is exact, by Gauss and Legendre's rule with L + 1 nodes.
/// Source:  Jaini et al., Sum-of-Squares Polynomial Flow, ICML 2019. The 1 is zuko's.
template <class T>
class SumOfSquares final : public Transformer<T> {
 public:
  static constexpr double least_slope = 1e-3;  ///< as in zuko

  /// Errors:  std::invalid_argument if a setting is out of its range.
  explicit SumOfSquares(const SumOfSquaresSettings& settings = {});

  explicit SumOfSquares(nn::PartReader<T>& reader)
      : SumOfSquares({reader.size("polynomials"), reader.size("degree")}) {}

  Index parameter_count() const override {
    return settings_.polynomials * (settings_.degree + 1) + 1;
  }

  WithLogSlope<T> apply(const Var<T>& x, const Var<T>& parameters) const override;
  WithLogSlope<T> invert(const Var<T>& y, const Var<T>& parameters) const override;
  nn::Description<T> describe() override;

 private:
  SumOfSquaresSettings settings_;
  std::vector<double> nodes_;    // in [0, 1]
  std::vector<double> weights_;  // their sum is 1
};

extern template class SumOfSquares<float>;
extern template class SumOfSquares<double>;

}  // namespace fjord::flows
