#include "fjord/flows/conditional_affine.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {
namespace {

std::vector<Index> sizes_of(Index dim, Index given, const std::vector<Index>& hidden) {
  require(dim > 0 && given > 0, "conditional_affine", [&] {
    return "a column and a given number at least are needed, got " + std::to_string(dim) + " and " +
           std::to_string(given);
  });
  std::vector<Index> sizes{given};
  sizes.insert(sizes.end(), hidden.begin(), hidden.end());
  sizes.push_back(2 * dim);
  return sizes;
}

template <class T>
ConditionalAffineOptions expected_options(nn::PartReader<T>& reader) {
  const std::vector<Index> hidden = reader.sizes("hidden");
  auto in = static_cast<double>(reader.size("given"));
  for (const Index size : hidden) {
    reader.expect_weights((in + 1) * static_cast<double>(size));
    in = static_cast<double>(size);
  }
  reader.expect_weights((in + 1) * 2 * static_cast<double>(reader.size("dim")));
  ConditionalAffineOptions options{hidden, reader.text("activation")};
  if (reader.has("bound")) options.bound = reader.number("bound");
  return options;
}

}  // namespace

template <class T>
ConditionalAffine<T>::ConditionalAffine(Index dim, Index given,
                                        const ConditionalAffineOptions& options,
                                        const RandomKey& random)
    : dim_(dim),
      given_(given),
      options_(options),
      network_(sizes_of(dim, given, options.hidden), nn::activation_named<T>(options.activation),
               random) {
  require(static_cast<T>(options.bound) > 0, "conditional_affine",
          [&] { return "a positive bound is needed, got " + ode::short_number(options.bound); });
  const nn::NamedParameters<T> parameters = nn::parameters_of(network_);
  // The biases are zeros already.
  const std::span<T> last = parameters[parameters.size() - 2].parameter->mutable_values();
  std::fill(last.begin(), last.end(), T(0));
}

template <class T>
ConditionalAffine<T>::ConditionalAffine(nn::PartReader<T>& reader)
    : ConditionalAffine(reader.size("dim"), reader.size("given"), expected_options(reader),
                        RandomKey(0)) {}

template <class T>
auto ConditionalAffine<T>::numbers_for(const Var<T>& x, const Context<T>& context) const
    -> Numbers {
  check_rows(x, dim_, "conditional_affine");
  check_given(context.given, x, given_, "conditional_affine");
  const Var<T> both = network_.forward(context.given);
  const Var<T> shift = slice(both, 1, 0, dim_);
  const Var<T> unbounded = slice(both, 1, dim_, 2 * dim_);
  const auto bound = static_cast<T>(options_.bound);
  return {shift, std::isfinite(bound) ? tanh(unbounded / bound) * bound : unbounded};
}

template <class T>
WithLogDet<T> ConditionalAffine<T>::forward_with_log_det(const Var<T>& x,
                                                         Context<T>& context) const {
  const Numbers numbers = numbers_for(x, context);
  return {x * exp(numbers.log_scale) + numbers.shift, sum(numbers.log_scale, {1})};
}

template <class T>
WithLogDet<T> ConditionalAffine<T>::inverse_with_log_det(const Var<T>& y,
                                                         Context<T>& context) const {
  const Numbers numbers = numbers_for(y, context);
  const Var<T> narrowing = -numbers.log_scale;
  return {(y - numbers.shift) * exp(narrowing), sum(narrowing, {1})};
}

template <class T>
nn::Description<T> ConditionalAffine<T>::describe() {
  nn::Description<T> description("conditional_affine");
  description.set("dim", dim_)
      .set("given", given_)
      .set("hidden", options_.hidden)
      .set("activation", options_.activation);
  if (std::isfinite(options_.bound)) description.set("bound", options_.bound);
  return description.inner("network", network_);
}

template class ConditionalAffine<float>;
template class ConditionalAffine<double>;

}  // namespace fjord::flows
