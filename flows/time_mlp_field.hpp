/// The field of a multilayer perceptron whose layers all take the time.
#pragma once

#include "fjord/flows/timed_layers.hpp"
#include "fjord/flows/vector_field.hpp"

namespace fjord::flows {

struct TimeMlpOptions {
  Index dim = 2;                         ///< D, width of a row, > 0
  std::vector<Index> hidden = {64, 64};  ///< widths of the hidden layers, each > 0
  std::string layer = "concat";          ///< a type of nn::TimeLayer
  std::string activation = "tanh";       ///< a name of nn::all_activations
  Index frequencies = 0;                 ///< of nn::FourierTime; 0: the layers take the time itself
  Index given = 0;                       ///< columns of what is given, next to x
  bool zero_last = false;  ///< whether the last layer begins as 0, and the flow as the identity
};

/// f(t, x) = layers(t, (x, given)), with an activation after every one but the last.
///
/// Source:  ODEnet of Grathwohl et al., FFJORD, ICLR 2019.
template <class T>
class TimeMlpField final : public VectorField<T> {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range.
  TimeMlpField(const TimeMlpOptions& options, const RandomKey& random);
  explicit TimeMlpField(nn::PartReader<T>& reader);

  Var<T> slope(const Var<T>& t, const Var<T>& x, const Var<T>& given) const override;
  nn::Description<T> describe() override;

 private:
  TimeMlpOptions options_;
  TimedLayers<T> layers_;
};

extern template class TimeMlpField<float>;
extern template class TimeMlpField<double>;

}  // namespace fjord::flows
