#include "fjord/flows/bijector.hpp"

#include <algorithm>

#include "fjord/autodiff/ops/elementwise.hpp"

namespace fjord::flows {
namespace {

// Runs one block, and says which one it was if its solve fails.
template <class F>
auto in_block(std::size_t block, F run) {
  try {
    return run();
  } catch (const ode::SolveFailure& failure) {
    throw ode::SolveFailure("block " + std::to_string(block), failure);
  }
}

}  // namespace

template <class T>
Chain<T>::Chain(std::vector<std::unique_ptr<Bijector<T>>> parts) : parts_(std::move(parts)) {
  require(!parts_.empty(), "chain", "at least one bijector is needed");
  for (const auto& part : parts_) require(part != nullptr, "chain", "a bijector is null");
}

template <class T>
Var<T> Chain<T>::forward(const Var<T>& x, Context<T>& context) const {
  Var<T> z = x;
  for (std::size_t k = 0; k < parts_.size(); ++k) {
    z = in_block(k, [&] { return parts_[k]->forward(z, context); });
  }
  return z;
}

template <class T>
Var<T> Chain<T>::inverse(const Var<T>& y, Context<T>& context) const {
  Var<T> z = y;
  for (std::size_t k = parts_.size(); k-- > 0;) {
    z = in_block(k, [&] { return parts_[k]->inverse(z, context); });
  }
  return z;
}

template <class T>
WithLogDet<T> Chain<T>::forward_with_log_det(const Var<T>& x, Context<T>& context) const {
  WithLogDet<T> sum = in_block(0, [&] { return parts_[0]->forward_with_log_det(x, context); });
  for (std::size_t k = 1; k < parts_.size(); ++k) {
    const WithLogDet<T> next =
        in_block(k, [&] { return parts_[k]->forward_with_log_det(sum.value, context); });
    sum = {next.value, sum.log_det + next.log_det};
  }
  return sum;
}

template <class T>
WithLogDet<T> Chain<T>::inverse_with_log_det(const Var<T>& y, Context<T>& context) const {
  const std::size_t last = parts_.size() - 1;
  WithLogDet<T> sum =
      in_block(last, [&] { return parts_[last]->inverse_with_log_det(y, context); });
  for (std::size_t k = last; k-- > 0;) {
    const WithLogDet<T> next =
        in_block(k, [&] { return parts_[k]->inverse_with_log_det(sum.value, context); });
    sum = {next.value, sum.log_det + next.log_det};
  }
  return sum;
}

template <class T>
Var<T> Chain<T>::adapt(const Var<T>& y, Context<T>& context, std::uint64_t step) {
  Var<T> z = y;
  for (std::size_t k = parts_.size(); k-- > 0;) {
    z = in_block(k, [&] { return parts_[k]->adapt(z, context, step); });
  }
  return z;
}

template <class T>
Index Chain<T>::adapting_steps() const {
  Index steps = 0;
  for (const auto& part : parts_) steps = std::max(steps, part->adapting_steps());
  return steps;
}

template <class T>
nn::Description<T> Chain<T>::describe() {
  return nn::Description<T>("chain").children("parts", parts_);
}

template class Chain<float>;
template class Chain<double>;

}  // namespace fjord::flows
