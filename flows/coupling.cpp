#include "fjord/flows/coupling.hpp"

#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/flows/check_rows.hpp"

namespace fjord::flows {
namespace {

template <class T>
CouplingSettings read_coupling(nn::PartReader<T>& reader) {
  return {reader.size("dim"), mask_named(reader.text("mask")), reader.flag("parity"),
          read_conditioner(reader)};
}

// So that no number of weights overflows, whatever a file says.
constexpr Index most_columns = Index(1) << 32;

// How many columns column 0 is one of.
Index first_count(Index dim) {
  return (dim + 1) / 2;
}

template <class T>
std::vector<Index> sizes_for(const CouplingSettings& settings, const Transformer<T>* transformer) {
  require(settings.dim > 1 && settings.dim <= most_columns, "coupling", [&] {
    return "rows of 2 to 2^32 numbers are needed, got " + std::to_string(settings.dim);
  });
  require(settings.network.given >= 0, "coupling", "given must be 0 or more");
  require(transformer != nullptr, "coupling", "a transformer is needed, got null");
  const Index first = first_count(settings.dim);
  const Index kept = settings.parity ? settings.dim - first : first;
  return network_sizes(kept + settings.network.given, settings.network,
                       (settings.dim - kept) * transformer->parameter_count());
}

template <class T>
std::unique_ptr<Transformer<T>> coupling_transformer(nn::PartReader<T>& reader) {
  auto transformer = reader.template child<Transformer<T>>("transformer");
  expect_network(reader, sizes_for(read_coupling(reader), transformer.get()));
  return transformer;
}

Tensor<Index> joined_order(Index dim) {
  Tensor<Index> order = Tensor<Index>::zeros({dim});
  for (Index d = 0; d < dim; ++d) order(d) = d % 2 == 0 ? d / 2 : first_count(dim) + d / 2;
  return order;
}

}  // namespace

CouplingMask mask_named(std::string_view name) {
  if (name == "alternate") return CouplingMask::alternate;
  if (name == "halves") return CouplingMask::halves;
  fail("mask", "alternate or halves is needed, got " + std::string(name));
}

std::string_view name_of(CouplingMask mask) {
  return mask == CouplingMask::alternate ? "alternate" : "halves";
}

template <class T>
Coupling<T>::Coupling(CouplingSettings settings, std::unique_ptr<Transformer<T>> transformer,
                      const RandomKey& random)
    : settings_(std::move(settings)), transformer_(std::move(transformer)) {
  const std::vector<Index> sizes = sizes_for(settings_, transformer_.get());
  network_ = std::make_unique<nn::Mlp<T>>(
      sizes, nn::activation_named<T>(settings_.network.activation), random);
  zero_last_layer(*network_);
  order_ = joined_order(settings_.dim);
}

template <class T>
Coupling<T>::Coupling(nn::PartReader<T>& reader)
    : Coupling(read_coupling(reader), coupling_transformer(reader), RandomKey(0)) {}

template <class T>
Var<T> Coupling<T>::columns(const Var<T>& x, bool first) const {
  if (settings_.mask == CouplingMask::alternate) return slice(x, 1, first ? 0 : 1, {}, 2);
  const Index count = first_count(settings_.dim);
  return first ? slice(x, 1, 0, count) : slice(x, 1, count, settings_.dim);
}

template <class T>
Var<T> Coupling<T>::join(const Var<T>& first, const Var<T>& second) const {
  const Var<T> both = concatenate<T>({first, second}, 1);
  return settings_.mask == CouplingMask::alternate ? take(both, order_, 1) : both;
}

template <class T>
WithLogSlope<T> Coupling<T>::apply(const Var<T>& x, const Context<T>& context, Map map) const {
  check_rows(x, settings_.dim, "coupling");
  const Index given = settings_.network.given;
  if (given > 0) check_given(context.given, x, given, "coupling");
  const Var<T> kept = columns(x, !settings_.parity);
  const Var<T> input = given > 0 ? concatenate<T>({kept, context.given}, 1) : kept;
  const WithLogSlope<T> moved =
      (*transformer_.*map)(columns(x, settings_.parity), network_->forward(input));
  const Var<T> joined = settings_.parity ? join(moved.value, kept) : join(kept, moved.value);
  return {joined, moved.log_slope};
}

template <class T>
WithLogDet<T> Coupling<T>::forward_with_log_det(const Var<T>& x, Context<T>& context) const {
  const WithLogSlope<T> y = apply(x, context, &Transformer<T>::invert);
  return {y.value, sum(y.log_slope, {1})};
}

template <class T>
WithLogDet<T> Coupling<T>::inverse_with_log_det(const Var<T>& y, Context<T>& context) const {
  const WithLogSlope<T> x = apply(y, context, &Transformer<T>::apply);
  return {x.value, sum(x.log_slope, {1})};
}

template <class T>
nn::Description<T> Coupling<T>::describe() {
  nn::Description<T> description("coupling");
  description.set("dim", settings_.dim)
      .set("mask", std::string(name_of(settings_.mask)))
      .set("parity", settings_.parity);
  set_conditioner(description, settings_.network);
  return description.child("transformer", *transformer_).inner("network", *network_);
}

template class Coupling<float>;
template class Coupling<double>;

}  // namespace fjord::flows
