#include "fjord/flows/autoregressive.hpp"

#include <algorithm>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/var_list.hpp"

namespace fjord::flows {
namespace {

template <class T>
AutoregressiveSettings read_autoregressive(nn::PartReader<T>& reader) {
  return {reader.counts("order"), read_conditioner(reader)};
}

template <class T>
std::unique_ptr<Transformer<T>> autoregressive_transformer(nn::PartReader<T>& reader) {
  auto transformer = reader.template child<Transformer<T>>("transformer");
  const AutoregressiveSettings settings = read_autoregressive(reader);
  const auto dim = static_cast<Index>(settings.order.size());
  expect_network(reader, network_sizes(dim + settings.network.given, settings.network,
                                       dim * transformer->parameter_count()));
  return transformer;
}

void check_order(std::vector<Index> order) {
  std::ranges::sort(order);
  bool is_order = !order.empty();
  for (std::size_t i = 0; i < order.size(); ++i)
    is_order = is_order && order[i] == static_cast<Index>(i);
  require(is_order, "autoregressive", "an order with each column once is needed");
}

// The degree of column order[i] is i + 1; what is given has degree 0.
nn::MaskedSizes masked_sizes(const AutoregressiveSettings& settings, Index parameter_count) {
  const std::vector<Index>& order = settings.order;
  nn::MaskedSizes sizes;
  sizes.inputs.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    sizes.inputs[static_cast<std::size_t>(order[i])] = static_cast<Index>(i) + 1;
  for (Index k = 0; k < parameter_count; ++k)
    sizes.outputs.insert(sizes.outputs.end(), sizes.inputs.begin(), sizes.inputs.end());
  sizes.inputs.insert(sizes.inputs.end(), static_cast<std::size_t>(settings.network.given), 0);
  sizes.hidden = settings.network.hidden;
  return sizes;
}

}  // namespace

template <class T>
Autoregressive<T>::Autoregressive(AutoregressiveSettings settings,
                                  std::unique_ptr<Transformer<T>> transformer,
                                  const RandomKey& random)
    : settings_(std::move(settings)), transformer_(std::move(transformer)) {
  check_order(settings_.order);
  require(settings_.network.given >= 0, "autoregressive", "given must be 0 or more");
  require(transformer_ != nullptr, "autoregressive", "a transformer is needed, got null");
  network_ = std::make_unique<nn::MaskedMlp<T>>(
      masked_sizes(settings_, transformer_->parameter_count()),
      nn::activation_named<T>(settings_.network.activation), random);
  zero_last_layer(*network_);
}

template <class T>
Autoregressive<T>::Autoregressive(nn::PartReader<T>& reader)
    : Autoregressive(read_autoregressive(reader), autoregressive_transformer(reader),
                     RandomKey(0)) {}

template <class T>
void Autoregressive<T>::check(const Var<T>& x, const Context<T>& context) const {
  check_rows(x, dim(), "autoregressive");
  const Index given = settings_.network.given;
  if (given > 0) check_given(context.given, x, given, "autoregressive");
}

template <class T>
Var<T> Autoregressive<T>::parameters(const Var<T>& data, const Context<T>& context) const {
  const bool has_given = settings_.network.given > 0;
  return network_->forward(has_given ? concatenate<T>({data, context.given}, 1) : data);
}

template <class T>
WithLogDet<T> Autoregressive<T>::forward_with_log_det(const Var<T>& x, Context<T>& context) const {
  check(x, context);
  // Columns that are not yet known are 0 there: anything finite would do, as masked weights are 0.
  VarList<T> columns(x.tape(), settings_.order.size());
  const Var<T> unknown = zeros_like(slice(x, 1, 0, 1));
  for (std::size_t d = 0; d < settings_.order.size(); ++d) columns.add(unknown);
  VarList<T> log_slopes(x.tape(), settings_.order.size());
  for (const Index d : settings_.order) {
    const Var<T> known = concatenate(columns.all(), 1);
    const Var<T> own = slice(parameters(known, context), 1, d, {}, dim());
    const WithLogSlope<T> y = transformer_->invert(slice(x, 1, d, d + 1), own);
    columns[static_cast<std::size_t>(d)] = y.value;
    log_slopes.add(y.log_slope);
  }
  return {concatenate(columns.all(), 1), sum(concatenate(log_slopes.all(), 1), {1})};
}

template <class T>
WithLogDet<T> Autoregressive<T>::inverse_with_log_det(const Var<T>& y, Context<T>& context) const {
  check(y, context);
  const WithLogSlope<T> x = transformer_->apply(y, parameters(y, context));
  return {x.value, sum(x.log_slope, {1})};
}

template <class T>
nn::Description<T> Autoregressive<T>::describe() {
  nn::Description<T> description("autoregressive");
  description.set("order", settings_.order);
  set_conditioner(description, settings_.network);
  return description.child("transformer", *transformer_).inner("network", *network_);
}

template class Autoregressive<float>;
template class Autoregressive<double>;

}  // namespace fjord::flows
