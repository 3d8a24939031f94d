#include "fjord/autodiff/scalar.hpp"

#include <algorithm>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/join.hpp"
#include "fjord/autodiff/ops/shape.hpp"

namespace fjord {

template <class T>
Scalar<T>::Scalar(const Var<T>& var) : var_(var) {
  const Node<T>& node = var.tape().node(var, "scalar");
  require(node.shape.size == 1, "scalar", [&] {
    return "a node of one number is needed, got shape " + to_string(node.shape.shape());
  });
  var.tape().settle();
  value_ = *node.value;
  if (node.shape.rank > 0) var_ = reshape(var, Shape{});
}

template <class T>
const Var<T>& Scalar<T>::var() const {
  require(is_recorded(), "scalar",
          "the number is on no tape: make it Scalar<T>(tape.scalar(number)), or give var() a tape");
  return var_;
}

template <class T>
std::vector<Scalar<T>> to_scalars(const Var<T>& x) {
  const Index count = x.shape().size();
  std::vector<Scalar<T>> numbers;
  if (count == 0) return numbers;
  numbers.reserve(static_cast<std::size_t>(count));
  for (const Var<T>& entry : split(reshape(x, {count}), count, 0)) numbers.emplace_back(entry);
  return numbers;
}

template <class T>
Var<T> to_var(std::span<const Scalar<T>> numbers) {
  const auto on_tape = std::find_if(numbers.begin(), numbers.end(),
                                    [](const Scalar<T>& x) { return x.is_recorded(); });
  require(on_tape != numbers.end(), "to_var", [&] {
    return "at least one number on a tape is needed, got " + std::to_string(numbers.size()) +
           " on none";
  });
  Vars<T> vars;
  for (const Scalar<T>& x : numbers) vars.push_back(x.var(on_tape->var().tape()));
  return stack(std::span<const Var<T>>(vars), 0);
}

template <class T>
std::vector<T> gradient_values(const Scalar<T>& y,
                               std::type_identity_t<std::span<const Scalar<T>>> inputs) {
  Vars<T> vars;
  for (const Scalar<T>& x : inputs) vars.push_back(x.var());
  std::vector<T> slopes(inputs.size(), T(0));
  if (!y.is_recorded() || vars.empty()) return slopes;
  const auto found = gradient_values(y.var(), vars);
  std::transform(found.begin(), found.end(), slopes.begin(),
                 [](const TensorView<T>& slope) { return slope.item(); });
  return slopes;
}

#define FJORD_INSTANTIATE(T)                                 \
  template class Scalar<T>;                                  \
  template std::vector<Scalar<T>> to_scalars(const Var<T>&); \
  template Var<T> to_var(std::span<const Scalar<T>>);        \
  template std::vector<T> gradient_values<T>(const Scalar<T>&, std::span<const Scalar<T>>);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
