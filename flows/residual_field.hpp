/// The field of a network of residual blocks.
#pragma once

#include "fjord/flows/timed_layers.hpp"
#include "fjord/flows/vector_field.hpp"

namespace fjord::flows {

struct ResidualOptions {
  Index dim = 2;                    ///< D, width of a row, > 0
  Index width = 64;                 ///< of the blocks, > 0
  Index blocks = 2;                 ///< > 0
  std::string layer = "concat";     ///< a type of nn::TimeLayer
  std::string activation = "tanh";  ///< a name of nn::all_activations
  Index frequencies = 0;            ///< of nn::FourierTime; 0: the layers take the time itself
  Index given = 0;                  ///< columns of what is given, next to x
  bool zero_last = false;  ///< whether the last layer begins as 0, and the flow as the identity
};

/// h = first(t, (x, given)), then h + second(t, a(first(t, a(h)))) for every block, f = last(t,
/// a(h)), with the activation a.
///
/// Source:  the order of He et al., Identity mappings in deep residual networks, ECCV 2016.
template <class T>
class ResidualField final : public VectorField<T> {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range.
  ResidualField(const ResidualOptions& options, const RandomKey& random);
  explicit ResidualField(nn::PartReader<T>& reader);

  Var<T> slope(const Var<T>& t, const Var<T>& x, const Var<T>& given) const override;
  nn::Description<T> describe() override;

 private:
  ResidualOptions options_;
  TimedLayers<T> layers_;  // first, two for each block, last
};

extern template class ResidualField<float>;
extern template class ResidualField<double>;

}  // namespace fjord::flows
