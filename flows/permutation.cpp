#include "fjord/flows/permutation.hpp"

#include <limits>

#include "fjord/autodiff/ops/index.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/columns.hpp"

namespace fjord::flows {
namespace {

Tensor<Index> places(const std::vector<Index>& order) {
  return Tensor<Index>::from({static_cast<Index>(order.size())}, order);
}

}  // namespace

std::vector<Index> reversed_order(Index dim) {
  std::vector<Index> order;
  for (Index k = dim; k-- > 0;) order.push_back(k);
  return order;
}

std::vector<Index> random_order(Index dim, const RandomKey& random) {
  require(dim > 0 && dim <= std::numeric_limits<std::uint32_t>::max(), "random_order",
          [&] { return "from 1 to 2^32 - 1 columns are needed, got " + std::to_string(dim); });
  const std::vector<std::uint32_t> drawn = random.permutation(static_cast<std::uint32_t>(dim));
  return {drawn.begin(), drawn.end()};
}

std::vector<Index> transposed_order(const std::vector<Index>& sizes,
                                    const std::vector<Index>& axes) {
  inverse_order(axes, "transposed_order");
  require(sizes.size() == axes.size(), "transposed_order", "one size for each axis is needed");
  std::vector<Index> strides(sizes.size(), 1);
  Index count = 1;
  for (std::size_t axis = sizes.size(); axis-- > 0;) {
    require(sizes[axis] > 0, "transposed_order", "sizes must be positive");
    strides[axis] = count;
    count *= sizes[axis];
  }
  std::vector<Index> order;
  for (Index place = 0; place < count; ++place) {
    Index rest = place;
    Index from = 0;
    for (std::size_t k = axes.size(); k-- > 0;) {
      const auto axis = static_cast<std::size_t>(axes[k]);
      from += rest % sizes[axis] * strides[axis];
      rest /= sizes[axis];
    }
    order.push_back(from);
  }
  return order;
}

std::vector<Index> inverse_order(const std::vector<Index>& order, const char* op) {
  const auto dim = static_cast<Index>(order.size());
  std::vector<Index> inverse(order.size(), -1);
  bool holds = dim > 0;
  for (Index k = 0; k < dim && holds; ++k) {
    const Index from = order[static_cast<std::size_t>(k)];
    holds = from >= 0 && from < dim && inverse[static_cast<std::size_t>(from)] < 0;
    if (holds) inverse[static_cast<std::size_t>(from)] = k;
  }
  require(holds, op, [&] {
    return "each of the numbers 0 to D - 1 is needed once, D > 0, got other " +
           std::to_string(order.size());
  });
  return inverse;
}

template <class T>
Permutation<T>::Permutation(std::vector<Index> order)
    : order_(std::move(order)),
      places_(places(order_)),
      places_back_(places(inverse_order(order_, "permutation"))) {}

template <class T>
Var<T> Permutation<T>::forward(const Var<T>& x, Context<T>&) const {
  check_rows(x, places_.size(), "permutation");
  return take(x, places_, 1);
}

template <class T>
Var<T> Permutation<T>::inverse(const Var<T>& y, Context<T>&) const {
  check_rows(y, places_.size(), "permutation");
  return take(y, places_back_, 1);
}

template <class T>
WithLogDet<T> Permutation<T>::forward_with_log_det(const Var<T>& x, Context<T>& context) const {
  return {forward(x, context), zero_log_det(x)};
}

template <class T>
WithLogDet<T> Permutation<T>::inverse_with_log_det(const Var<T>& y, Context<T>& context) const {
  return {inverse(y, context), zero_log_det(y)};
}

template <class T>
nn::Description<T> Permutation<T>::describe() {
  return nn::Description<T>("permutation").set("order", order_);
}

template class Permutation<float>;
template class Permutation<double>;

}  // namespace fjord::flows
