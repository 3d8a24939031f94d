#include "fjord/flows/timed_layers.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/flows/check_rows.hpp"

namespace fjord::flows {

template <class T>
TimedLayers<T>::TimedLayers(const TimedLayersOptions& options, const std::vector<Index>& hidden,
                            const RandomKey& random)
    : options_(options),
      activation_(nn::activation_named<T>(options.activation)),
      time_(options.frequencies) {
  require(options.dim > 0 && options.given >= 0, "field",
          "dim must be positive, and given not negative");
  Index in = options.dim + options.given;
  for (std::size_t i = 0; i <= hidden.size(); ++i) {
    const Index out = i < hidden.size() ? hidden[i] : options.dim;
    layers_.push_back(
        std::make_unique<nn::TimeLayer<T>>(options.layer, time_.width(), in, out, random.fold(i)));
    in = out;
  }
  if (options.zero_last) layers_.back()->set_zero();
}

template <class T>
double TimedLayers<T>::weights(const TimedLayersOptions& options, Index in, Index out) {
  const Index time = options.frequencies == 0 ? 1 : 2 * options.frequencies;
  return nn::TimeLayer<T>::weights(options.layer, time, in, out);
}

template <class T>
TimedLayersOptions TimedLayers<T>::read(nn::PartReader<T>& reader) {
  return {reader.size("dim"),        reader.count("given"),       reader.text("layer"),
          reader.text("activation"), reader.count("frequencies"), false};
}

template <class T>
Var<T> TimedLayers<T>::input(const Var<T>& x, const Var<T>& given) const {
  check_rows(x, options_.dim, "flow");
  if (options_.given == 0) return x;
  check_given(given, x, options_.given, "flow");
  return concatenate<T>({x, given}, 1);
}

template <class T>
void TimedLayers<T>::describe(nn::Description<T>& description) {
  description.set("layer", options_.layer)
      .set("activation", options_.activation)
      .set("frequencies", options_.frequencies)
      .set("given", options_.given);
  for (std::size_t i = 0; i < layers_.size(); ++i)
    description.inner("layers." + std::to_string(i), *layers_[i]);
}

template class TimedLayers<float>;
template class TimedLayers<double>;

}  // namespace fjord::flows
