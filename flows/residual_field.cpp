#include "fjord/flows/residual_field.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/flows/check_rows.hpp"

namespace fjord::flows {
namespace {

template <class T>
ResidualOptions read_residual(nn::PartReader<T>& reader) {
  const ResidualOptions o{.dim = reader.size("dim"),
                          .width = reader.size("width"),
                          .blocks = reader.size("blocks"),
                          .layer = reader.text("layer"),
                          .activation = reader.text("activation"),
                          .frequencies = reader.count("frequencies"),
                          .given = reader.count("given")};
  const Index time = o.frequencies == 0 ? 1 : 2 * o.frequencies;
  const auto weights = [&](Index in, Index out) {
    return nn::TimeLayer<T>::weights(o.layer, time, in, out);
  };
  reader.expect_weights(weights(o.dim + o.given, o.width) + weights(o.width, o.dim) +
                        2 * static_cast<double>(o.blocks) * weights(o.width, o.width));
  return o;
}

}  // namespace

template <class T>
ResidualField<T>::ResidualField(const ResidualOptions& options, const RandomKey& random)
    : options_(options),
      activation_(nn::activation_named<T>(options.activation)),
      time_(options.frequencies) {
  require(options.dim > 0 && options.given >= 0 && options.blocks > 0, "residual_field",
          "dim and blocks must be positive, and given not negative");
  const auto add = [&](Index in, Index out) {
    layers_.push_back(std::make_unique<nn::TimeLayer<T>>(options.layer, time_.width(), in, out,
                                                         random.fold(layers_.size())));
  };
  add(options.dim + options.given, options.width);
  for (Index k = 0; k < 2 * options.blocks; ++k) add(options.width, options.width);
  add(options.width, options.dim);
  if (options.zero_last) layers_.back()->set_zero();
}

template <class T>
ResidualField<T>::ResidualField(nn::PartReader<T>& reader)
    : ResidualField(read_residual(reader), RandomKey(0)) {}

template <class T>
Var<T> ResidualField<T>::slope(const Var<T>& t, const Var<T>& x, const Var<T>& given) const {
  check_rows(x, options_.dim, "flow");
  if (options_.given > 0) check_given(given, x, options_.given, "flow");
  const Var<T> time = time_.forward(t);
  Var<T> h = layers_[0]->forward(time, options_.given == 0 ? x : concatenate<T>({x, given}, 1));
  for (std::size_t i = 1; i + 1 < layers_.size(); i += 2) {
    const Var<T> inner = layers_[i]->forward(time, activation_.function(h), &activation_);
    h = h + layers_[i + 1]->forward(time, inner);
  }
  return layers_.back()->forward(time, activation_.function(h));
}

template <class T>
nn::Description<T> ResidualField<T>::describe() {
  nn::Description<T> description("residual_field");
  description.set("dim", options_.dim)
      .set("width", options_.width)
      .set("blocks", options_.blocks)
      .set("layer", options_.layer)
      .set("activation", options_.activation)
      .set("frequencies", options_.frequencies)
      .set("given", options_.given);
  for (std::size_t i = 0; i < layers_.size(); ++i)
    description.inner("layers." + std::to_string(i), *layers_[i]);
  return description;
}

template class ResidualField<float>;
template class ResidualField<double>;

}  // namespace fjord::flows
