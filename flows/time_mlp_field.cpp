#include "fjord/flows/time_mlp_field.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/flows/check_rows.hpp"

namespace fjord::flows {
namespace {

// The widths of all layers' inputs, then of the last one's output.
std::vector<Index> widths(const TimeMlpOptions& options) {
  std::vector<Index> all{options.dim + options.given};
  all.insert(all.end(), options.hidden.begin(), options.hidden.end());
  all.push_back(options.dim);
  return all;
}

template <class T>
TimeMlpOptions read_time_mlp(nn::PartReader<T>& reader) {
  const TimeMlpOptions options{.dim = reader.size("dim"),
                               .hidden = reader.sizes("hidden"),
                               .layer = reader.text("layer"),
                               .activation = reader.text("activation"),
                               .frequencies = reader.count("frequencies"),
                               .given = reader.count("given")};
  const Index time = options.frequencies == 0 ? 1 : 2 * options.frequencies;
  const std::vector<Index> all = widths(options);
  for (std::size_t i = 0; i + 1 < all.size(); ++i)
    reader.expect_weights(nn::TimeLayer<T>::weights(options.layer, time, all[i], all[i + 1]));
  return options;
}

}  // namespace

template <class T>
TimeMlpField<T>::TimeMlpField(const TimeMlpOptions& options, const RandomKey& random)
    : options_(options),
      activation_(nn::activation_named<T>(options.activation)),
      time_(options.frequencies) {
  require(options.dim > 0 && options.given >= 0, "time_mlp_field",
          "dim must be positive, and given not negative");
  const std::vector<Index> all = widths(options);
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    layers_.push_back(std::make_unique<nn::TimeLayer<T>>(options.layer, time_.width(), all[i],
                                                         all[i + 1], random.fold(i)));
  }
  if (options.zero_last) layers_.back()->set_zero();
}

template <class T>
TimeMlpField<T>::TimeMlpField(nn::PartReader<T>& reader)
    : TimeMlpField(read_time_mlp(reader), RandomKey(0)) {}

template <class T>
Var<T> TimeMlpField<T>::slope(const Var<T>& t, const Var<T>& x, const Var<T>& given) const {
  check_rows(x, options_.dim, "flow");
  if (options_.given > 0) check_given(given, x, options_.given, "flow");
  const Var<T> time = time_.forward(t);
  Var<T> h = options_.given == 0 ? x : concatenate<T>({x, given}, 1);
  for (std::size_t i = 0; i + 1 < layers_.size(); ++i)
    h = layers_[i]->forward(time, h, &activation_);
  return layers_.back()->forward(time, h);
}

template <class T>
nn::Description<T> TimeMlpField<T>::describe() {
  nn::Description<T> description("time_mlp_field");
  description.set("dim", options_.dim)
      .set("hidden", options_.hidden)
      .set("layer", options_.layer)
      .set("activation", options_.activation)
      .set("frequencies", options_.frequencies)
      .set("given", options_.given);
  for (std::size_t i = 0; i < layers_.size(); ++i)
    description.inner("layers." + std::to_string(i), *layers_[i]);
  return description;
}

template class TimeMlpField<float>;
template class TimeMlpField<double>;

}  // namespace fjord::flows
