/// Dirichlet distributions: random parts of a whole.
#pragma once

#include "fjord/flows/distribution.hpp"

namespace fjord::flows {

/// All but the last of K parts of 1, with density proportional to the product of part_k^(a_k - 1).
///
/// The last part is what the others leave of 1; so rows have a density in their D = K - 1 numbers.
/// Rows with a negative part have log-density -inf.
template <class T>
class Dirichlet final : public Distribution<T> {
 public:
  /// Shapes:  K numbers, 2 or more.
  /// Errors:  std::invalid_argument if there are fewer, or one is not positive and finite in T.
  explicit Dirichlet(std::vector<double> concentration);

  explicit Dirichlet(nn::PartReader<T>& reader) : Dirichlet(reader.numbers("concentration")) {}

  /// The numbers a, K of them.
  const std::vector<double>& concentration() const& { return concentration_; }

  const std::vector<double>& concentration() const&& = delete;

  Index dim() const override { return static_cast<Index>(concentration_.size()) - 1; }

  std::optional<Tensor<double>> mean() const override;
  std::optional<Tensor<double>> variance() const override;
  std::optional<double> entropy() const override;
  Var<T> sample(Tape<T>& tape, Index rows, Context<T>& context) const override;
  Var<T> log_prob(const Var<T>& x, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  std::vector<double> concentration_;
  double total_ = 0;
  // What the density is written with, for each part: [K].
  std::vector<double> factors_;
  std::vector<double> weights_;
  std::vector<double> origins_;
  double log_density_ = 0;
};

extern template class Dirichlet<float>;
extern template class Dirichlet<double>;

}  // namespace fjord::flows
