/// The field of a multilayer perceptron.
#pragma once

#include "fjord/flows/vector_field.hpp"
#include "fjord/nn/mlp.hpp"
#include "fjord/nn/time_input.hpp"

namespace fjord::flows {

/// f(t, x) = network(time, x, given), in this order side by side.
template <class T>
class MlpField final : public VectorField<T> {
 public:
  /// Errors:  std::invalid_argument if the network is null, or its input is not as wide as the
  ///          time, its output x and `given` together.
  MlpField(std::unique_ptr<nn::Mlp<T>> network, nn::TimeInput time_input, Index given = 0);
  explicit MlpField(nn::PartReader<T>& reader);

  Var<T> slope(const Var<T>& t, const Var<T>& x, const Var<T>& given) const override;
  Var<T> slope_for_tangents(const Var<T>& t, const Var<T>& x, const Var<T>& given) const override;

  Index bottleneck() const override { return network_->bottleneck(); }

  std::pair<Var<T>, Var<T>> slope_by_bottleneck(const Var<T>& t, const Var<T>& x,
                                                const Var<T>& given) const override;
  bool knows_divergence() const override;
  Var<T> with_divergence(const Var<T>& t, const Var<T>& x, const Var<T>& given) const override;
  nn::Description<T> describe() override;

 private:
  void check_rows(const Var<T>& x, const Var<T>& given) const;
  // What the network takes.
  Var<T> input(const Var<T>& t, const Var<T>& x, const Var<T>& given) const;

  std::unique_ptr<nn::Mlp<T>> network_;
  nn::TimeInput time_input_;
  Index given_;
};

extern template class MlpField<float>;
extern template class MlpField<double>;

}  // namespace fjord::flows
