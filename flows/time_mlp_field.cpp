#include "fjord/flows/time_mlp_field.hpp"

namespace fjord::flows {
namespace {

TimedLayersOptions timed(const TimeMlpOptions& o) {
  return {o.dim, o.given, o.layer, o.activation, o.frequencies, o.zero_last};
}

template <class T>
TimeMlpOptions read_time_mlp(nn::PartReader<T>& reader) {
  const TimedLayersOptions o = TimedLayers<T>::read(reader);
  const std::vector<Index> hidden = reader.sizes("hidden");
  Index in = o.dim + o.given;
  for (const Index out : hidden) {
    reader.expect_weights(TimedLayers<T>::weights(o, in, out));
    in = out;
  }
  reader.expect_weights(TimedLayers<T>::weights(o, in, o.dim));
  return {o.dim, hidden, o.layer, o.activation, o.frequencies, o.given};
}

}  // namespace

template <class T>
TimeMlpField<T>::TimeMlpField(const TimeMlpOptions& options, const RandomKey& random)
    : options_(options), layers_(timed(options), options.hidden, random) {}

template <class T>
TimeMlpField<T>::TimeMlpField(nn::PartReader<T>& reader)
    : TimeMlpField(read_time_mlp(reader), RandomKey(0)) {}

template <class T>
Var<T> TimeMlpField<T>::slope(const Var<T>& t, const Var<T>& x, const Var<T>& given) const {
  Var<T> h = layers_.input(x, given);
  const Var<T> time = layers_.time(t);
  for (std::size_t i = 0; i + 1 < layers_.size(); ++i)
    h = layers_[i].forward(time, h, &layers_.activation());
  return layers_[layers_.size() - 1].forward(time, h);
}

template <class T>
nn::Description<T> TimeMlpField<T>::describe() {
  nn::Description<T> description("time_mlp_field");
  description.set("dim", options_.dim).set("hidden", options_.hidden);
  layers_.describe(description);
  return description;
}

template class TimeMlpField<float>;
template class TimeMlpField<double>;

}  // namespace fjord::flows
