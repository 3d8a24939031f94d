#include "fjord/flows/bijector.hpp"

#include <algorithm>

#include "fjord/autodiff/ops/elementwise.hpp"

namespace fjord::flows {
namespace {

// Has each solve of a chain go on with the step of the one before it, as over a jump of its field.
template <class T>
class HandedSteps final {
 public:
  explicit HandedSteps(Context<T>& context) : context_(context), first_(context.solves) {}

  // What is after the last solve is not of this chain.
  ~HandedSteps() {
    if (context_.solves != first_) context_.first_step.reset();
  }

  HandedSteps(const HandedSteps&) = delete;
  HandedSteps& operator=(const HandedSteps&) = delete;

  // After a block, which need not solve anything.
  void hand_on() {
    if (context_.solves != first_) context_.first_step = context_.next_step;
  }

 private:
  Context<T>& context_;
  std::size_t first_;
};

// Runs part(block) for all blocks, the last one first if `backwards`. If a solve fails, the error
// says in which block.
template <class T, class F>
void for_each_block(std::span<const std::unique_ptr<Bijector<T>>> blocks, bool backwards,
                    Context<T>& context, F part) {
  HandedSteps<T> steps(context);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::size_t k = backwards ? blocks.size() - 1 - i : i;
    try {
      part(*blocks[k]);
    } catch (const ode::SolveFailure& failure) {
      throw ode::SolveFailure("block " + std::to_string(k), failure);
    }
    steps.hand_on();
  }
}

template <class T>
void append(WithLogDet<T>& sum, const WithLogDet<T>& next) {
  sum = {next.value, sum.log_det.is_empty() ? next.log_det : sum.log_det + next.log_det};
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
  for_each_block<T>(parts_, false, context,
                    [&](const Bijector<T>& block) { z = block.forward(z, context); });
  return z;
}

template <class T>
Var<T> Chain<T>::inverse(const Var<T>& y, Context<T>& context) const {
  Var<T> z = y;
  for_each_block<T>(parts_, true, context,
                    [&](const Bijector<T>& block) { z = block.inverse(z, context); });
  return z;
}

template <class T>
WithLogDet<T> Chain<T>::forward_with_log_det(const Var<T>& x, Context<T>& context) const {
  WithLogDet<T> sum{x, {}};
  for_each_block<T>(parts_, false, context, [&](const Bijector<T>& block) {
    append(sum, block.forward_with_log_det(sum.value, context));
  });
  return sum;
}

template <class T>
WithLogDet<T> Chain<T>::inverse_with_log_det(const Var<T>& y, Context<T>& context) const {
  WithLogDet<T> sum{y, {}};
  for_each_block<T>(parts_, true, context, [&](const Bijector<T>& block) {
    append(sum, block.inverse_with_log_det(sum.value, context));
  });
  return sum;
}

template <class T>
Var<T> Chain<T>::adapt(const Var<T>& y, Context<T>& context, std::uint64_t step) {
  Var<T> z = y;
  for_each_block<T>(parts_, true, context,
                    [&](Bijector<T>& block) { z = block.adapt(z, context, step); });
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
