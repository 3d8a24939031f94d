/// What fields of layers that take the time have in common.
#pragma once

#include "fjord/nn/fourier_time.hpp"
#include "fjord/nn/time_layer.hpp"

namespace fjord::flows {

struct TimedLayersOptions {
  Index dim;               ///< D, width of a row, > 0
  Index given;             ///< columns of what is given, next to x
  std::string layer;       ///< a type of nn::TimeLayer
  std::string activation;  ///< a name of nn::all_activations
  Index frequencies;       ///< of nn::FourierTime; 0: the layers take the time itself
  bool zero_last;          ///< whether the last layer begins as 0
};

/// The layers of a field, from D + given columns by way of hidden ones to D.
template <class T>
class TimedLayers final {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range.
  TimedLayers(const TimedLayersOptions& options, const std::vector<Index>& hidden,
              const RandomKey& random);

  /// The weights of such a layer, of these widths.
  static double weights(const TimedLayersOptions& options, Index in, Index out);

  /// The options in a part's settings, but for `zero_last`, which is for new layers.
  static TimedLayersOptions read(nn::PartReader<T>& reader);

  std::size_t size() const { return layers_.size(); }

  const nn::TimeLayer<T>& operator[](std::size_t i) const { return *layers_[i]; }

  const nn::Activation<T>& activation() const { return activation_; }

  /// The time as the layers take it.
  Var<T> time(const Var<T>& t) const { return time_.forward(t); }

  /// What the first layer takes: x, and what is given.
  ///
  /// Errors:  std::invalid_argument if the shapes do not match.
  Var<T> input(const Var<T>& x, const Var<T>& given) const;
  /// Adds all options but `dim`, and the layers, as "layers.0" and so on.
  void describe(nn::Description<T>& description);

 private:
  TimedLayersOptions options_;
  nn::Activation<T> activation_;
  nn::FourierTime<T> time_;
  std::vector<std::unique_ptr<nn::TimeLayer<T>>> layers_;
};

extern template class TimedLayers<float>;
extern template class TimedLayers<double>;

}  // namespace fjord::flows
