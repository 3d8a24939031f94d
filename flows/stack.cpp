#include "fjord/flows/stack.hpp"

#include <algorithm>
#include <numeric>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/columns.hpp"
#include "fjord/flows/var_list.hpp"

namespace fjord::flows {

template <class T>
WithLogDet<T> Identity<T>::forward_with_log_det(const Var<T>& x, Context<T>&) const {
  return {x, zero_log_det(x)};
}

template <class T>
WithLogDet<T> Identity<T>::inverse_with_log_det(const Var<T>& y, Context<T>&) const {
  return {y, zero_log_det(y)};
}

template <class T>
nn::Description<T> Identity<T>::describe() {
  return nn::Description<T>("identity");
}

template <class T>
Stack<T>::Stack(std::vector<std::unique_ptr<Bijector<T>>> parts, std::vector<Index> widths)
    : parts_(std::move(parts)), widths_(std::move(widths)) {
  require(!parts_.empty() && parts_.size() == widths_.size(), "stack", [&] {
    return "as many bijectors as widths are needed, one at least, got " +
           std::to_string(parts_.size()) + " and " + std::to_string(widths_.size());
  });
  for (const auto& part : parts_) require(part != nullptr, "stack", "a bijector is null");
  for (const Index width : widths_)
    require(width > 0, "stack", "a width must be positive, got " + std::to_string(width));
}

template <class T>
template <class Map>
Var<T> Stack<T>::side_by_side(const Var<T>& x, Map map) const {
  check_rows(x, std::accumulate(widths_.begin(), widths_.end(), Index{0}), "stack");
  VarList<T> mapped(x.tape(), parts_.size());
  Index begin = 0;
  for (std::size_t k = 0; k < parts_.size(); ++k) {
    mapped.add(map(*parts_[k], slice(x, 1, begin, begin + widths_[k])));
    begin += widths_[k];
  }
  return concatenate(mapped.all(), 1);
}

template <class T>
Var<T> Stack<T>::forward(const Var<T>& x, Context<T>& context) const {
  return side_by_side(x, [&](const Bijector<T>& part, const Var<T>& columns) {
    return part.forward(columns, context);
  });
}

template <class T>
Var<T> Stack<T>::inverse(const Var<T>& y, Context<T>& context) const {
  return side_by_side(y, [&](const Bijector<T>& part, const Var<T>& columns) {
    return part.inverse(columns, context);
  });
}

template <class T>
WithLogDet<T> Stack<T>::forward_with_log_det(const Var<T>& x, Context<T>& context) const {
  Var<T> log_det;
  const Var<T> y = side_by_side(x, [&](const Bijector<T>& part, const Var<T>& columns) {
    const WithLogDet<T> mapped = part.forward_with_log_det(columns, context);
    log_det = log_det.is_empty() ? mapped.log_det : log_det + mapped.log_det;
    return mapped.value;
  });
  return {y, log_det};
}

template <class T>
WithLogDet<T> Stack<T>::inverse_with_log_det(const Var<T>& y, Context<T>& context) const {
  Var<T> log_det;
  const Var<T> x = side_by_side(y, [&](const Bijector<T>& part, const Var<T>& columns) {
    const WithLogDet<T> mapped = part.inverse_with_log_det(columns, context);
    log_det = log_det.is_empty() ? mapped.log_det : log_det + mapped.log_det;
    return mapped.value;
  });
  return {x, log_det};
}

template <class T>
Var<T> Stack<T>::adapt(const Var<T>& y, Context<T>& context, std::uint64_t step) {
  return side_by_side(y, [&](Bijector<T>& part, const Var<T>& columns) {
    return part.adapt(columns, context, step);
  });
}

template <class T>
Index Stack<T>::adapting_steps() const {
  Index steps = 0;
  for (const auto& part : parts_) steps = std::max(steps, part->adapting_steps());
  return steps;
}

template <class T>
OpenInterval Stack<T>::image(Index column) const {
  std::size_t k = 0;
  for (; k + 1 < parts_.size() && column >= widths_[k]; ++k) column -= widths_[k];
  return image_of(*parts_[k], column);
}

template <class T>
nn::Description<T> Stack<T>::describe() {
  return nn::Description<T>("stack").set("widths", widths_).children("parts", parts_);
}

template class Identity<float>;
template class Identity<double>;
template class Stack<float>;
template class Stack<double>;

}  // namespace fjord::flows
