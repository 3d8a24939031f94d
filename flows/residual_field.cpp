#include "fjord/flows/residual_field.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"

namespace fjord::flows {
namespace {

TimedLayersOptions timed(const ResidualOptions& o) {
  return {o.dim, o.given, o.layer, o.activation, o.frequencies, o.zero_last};
}

// The outputs of the first layer and of two for each block.
std::vector<Index> block_widths(const ResidualOptions& options) {
  require(options.blocks > 0, "residual_field", "blocks must be positive");
  return std::vector<Index>(1 + 2 * static_cast<std::size_t>(options.blocks), options.width);
}

template <class T>
ResidualOptions read_residual(nn::PartReader<T>& reader) {
  const TimedLayersOptions o = TimedLayers<T>::read(reader);
  const Index width = reader.size("width");
  const Index blocks = reader.size("blocks");
  const auto weights = [&](Index in, Index out) { return TimedLayers<T>::weights(o, in, out); };
  reader.expect_weights(weights(o.dim + o.given, width) + weights(width, o.dim) +
                        2 * static_cast<double>(blocks) * weights(width, width));
  return {o.dim, width, blocks, o.layer, o.activation, o.frequencies, o.given};
}

}  // namespace

template <class T>
ResidualField<T>::ResidualField(const ResidualOptions& options, const RandomKey& random)
    : options_(options), layers_(timed(options), block_widths(options), random) {}

template <class T>
ResidualField<T>::ResidualField(nn::PartReader<T>& reader)
    : ResidualField(read_residual(reader), RandomKey(0)) {}

template <class T>
Var<T> ResidualField<T>::slope(const Var<T>& t, const Var<T>& x, const Var<T>& given) const {
  const nn::Activation<T>& activation = layers_.activation();
  const Var<T> input = layers_.input(x, given);
  const Var<T> time = layers_.time(t);
  Var<T> h = layers_[0].forward(time, input);
  for (std::size_t i = 1; i + 1 < layers_.size(); i += 2) {
    const Var<T> inner = layers_[i].forward(time, activation.function(h), &activation);
    h = h + layers_[i + 1].forward(time, inner);
  }
  return layers_[layers_.size() - 1].forward(time, activation.function(h));
}

template <class T>
nn::Description<T> ResidualField<T>::describe() {
  nn::Description<T> description("residual_field");
  description.set("dim", options_.dim).set("width", options_.width).set("blocks", options_.blocks);
  layers_.describe(description);
  return description;
}

template class ResidualField<float>;
template class ResidualField<double>;

}  // namespace fjord::flows
