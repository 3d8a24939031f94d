#include "fjord/flows/bijector.hpp"

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
Chain<T>::Chain(std::vector<std::unique_ptr<Bijector<T>>> blocks) : blocks_(std::move(blocks)) {
  require(!blocks_.empty(), "chain", "at least one bijector is needed");
  for (const auto& block : blocks_) require(block != nullptr, "chain", "a bijector is null");
}

template <class T>
Var<T> Chain<T>::forward(const Var<T>& x, Context& context) const {
  Var<T> z = x;
  for (std::size_t k = 0; k < blocks_.size(); ++k) {
    z = in_block(k, [&] { return blocks_[k]->forward(z, context); });
  }
  return z;
}

template <class T>
Var<T> Chain<T>::inverse(const Var<T>& y, Context& context) const {
  Var<T> z = y;
  for (std::size_t k = blocks_.size(); k-- > 0;) {
    z = in_block(k, [&] { return blocks_[k]->inverse(z, context); });
  }
  return z;
}

template <class T>
WithLogDet<T> Chain<T>::forward_with_log_det(const Var<T>& x, Context& context) const {
  WithLogDet<T> sum = in_block(0, [&] { return blocks_[0]->forward_with_log_det(x, context); });
  for (std::size_t k = 1; k < blocks_.size(); ++k) {
    const WithLogDet<T> next =
        in_block(k, [&] { return blocks_[k]->forward_with_log_det(sum.value, context); });
    sum = {next.value, sum.log_det + next.log_det};
  }
  return sum;
}

template <class T>
WithLogDet<T> Chain<T>::inverse_with_log_det(const Var<T>& y, Context& context) const {
  const std::size_t last = blocks_.size() - 1;
  WithLogDet<T> sum =
      in_block(last, [&] { return blocks_[last]->inverse_with_log_det(y, context); });
  for (std::size_t k = last; k-- > 0;) {
    const WithLogDet<T> next =
        in_block(k, [&] { return blocks_[k]->inverse_with_log_det(sum.value, context); });
    sum = {next.value, sum.log_det + next.log_det};
  }
  return sum;
}

template <class T>
void Chain<T>::add_parameters(const std::string& prefix, nn::NamedParameters<T>& list) {
  for (std::size_t k = 0; k < blocks_.size(); ++k) {
    blocks_[k]->add_parameters(prefix + "blocks." + std::to_string(k) + ".", list);
  }
}

template class Chain<float>;
template class Chain<double>;

}  // namespace fjord::flows
