#include "fjord/ode/node_space.hpp"

#include <algorithm>

#include "fjord/autodiff/checkpoint.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/ode/moving_time.hpp"
#include "fjord/ode/step_maker.hpp"

namespace fjord::ode {

template <class T>
Var<T> evaluate(const Field<T>& f, const Var<T>& t, const Var<T>& y) {
  const Var<T> slope = f(t, y);
  const NodeShape shape = y.tape().node(slope, "solve").shape;
  require(shape == y.tape().node(y, "solve").shape, "solve", [&] {
    return "the field must return the shape of its state, " + to_string(y.shape()) + ", got " +
           to_string(shape.shape());
  });
  return slope;
}

// A step that is tried, to be one operation that makes it again.
template <class T>
class StepAgain final {
 public:
  StepAgain(StepMaker<T> maker, const StepPlan& plan, Vars<T> before)
      : maker_(std::move(maker)),
        plan_(plan),
        before_(std::move(before)),
        evaluation_(before_, "solve") {}

  // Ends the step's nodes but for some vectors, which become outputs of the operation.
  void close(std::span<Var<T>* const> vectors) {
    Vars<T> outputs;
    for (const Var<T>* vector : vectors) {
      if (!vector->is_empty()) outputs.push_back(*vector);
    }
    // Reads the list before it, not leaves in its place, as the step did at first.
    const auto again = [maker = std::move(maker_), plan = plan_, before = before_](const Vars<T>&) {
      return maker.make(plan, before);
    };
    const Vars<T> kept = append_checkpoint<T>(evaluation_, again, before_, outputs);
    auto next = kept.begin();
    for (Var<T>* vector : vectors) {
      if (!vector->is_empty()) *vector = *next++;
    }
  }

 private:
  StepMaker<T> maker_;
  StepPlan plan_;
  Vars<T> before_;
  record::Evaluation<T> evaluation_;
};

template <class T>
NodeSpace<T>::NodeSpace(const Field<T>& f, const Var<T>& y0, const TimeVars<T>& times,
                        Recording recording)
    : f_(f),
      tape_(y0.tape()),
      time_vars_(times),
      recording_(recording),
      shape_(tape_.node(y0, "solve").shape) {
  if (recording != Recording::none) return;
  for (T*& buffer : buffers_) buffer = tape_.new_values(shape_.size);
  base_ = tape_.mark();
}

template <class T>
void NodeSpace<T>::begin_step(const StepTimes& times) {
  times_ = times;
  moves_ = times.is_last && !time_vars_.t1.is_empty();
  const double h = times.t_next - times.t;
  h_node_ = moves_ ? moving_time(time_vars_.t0, time_vars_.t1, h, -1, 1)
                   : tape_.scalar(static_cast<T>(h));
}

template <class T>
Var<T> NodeSpace<T>::move_half(const Var<T>& y, double weight, const Var<T>& slope,
                               bool second) const {
  const std::size_t last = static_cast<std::size_t>(shape_.rank) - 1;
  check_halves(shape_.rank == 0 ? 1 : shape_[last]);
  const Index half = shape_[last] / 2;
  const auto axis = static_cast<Index>(last);
  const auto part = [&](const Var<T>& x, bool upper) {
    return slice(x, axis, upper ? half : 0, upper ? 2 * half : half);
  };
  const Var<T> moved = add_combination<T>(part(y, second), h_node_, std::array{weight},
                                          std::array{part(slope, second)});
  return concatenate<T>(
      second ? std::vector{part(y, false), moved} : std::vector{moved, part(y, true)}, axis);
}

template <class T>
bool NodeSpace<T>::linearize(double c, double weight, const Var<T>& y, const Var<T>& there) {
  const RewindScope<T> scope(tape_);
  const Mark before = mark();
  const auto slope_numbers = [&](std::span<const T> at, std::span<T> out) {
    std::copy_n(numbers(slope(c, tape_.borrow(shape_, at.data()))), out.size(), out.begin());
    rewind(before);
  };
  const auto size = static_cast<std::size_t>(shape_.size);
  // A new one each time: divisions on the tape keep theirs.
  const auto matrix = std::make_shared<NewtonMatrix<T>>();
  newton_matrix_ = matrix;
  const double h = times_.t_next - times_.t;
  return matrix->assign(static_cast<T>(weight * h), {numbers(y), size}, {numbers(there), size},
                        std::cref(slope_numbers));
}

template <class T>
Var<T> NodeSpace<T>::settle(const Mark& mark, const Var<T>& vector) {
  const Tensor<T> entries(vector.value());
  rewind(mark);
  return tape_.input(entries);
}

template <class T>
NodeSpace<T>::~NodeSpace() = default;

template <class T>
void NodeSpace<T>::open(const Method& method, const StepPlan& plan,
                        std::span<const Var<T>* const> before) {
  if (recording_ != Recording::states) return;
  step_again_.reset();
  Vars<T> list;
  for (const Var<T>* vector : before) {
    if (!vector->is_empty()) list.push_back(*vector);
  }
  step_again_ = std::make_unique<StepAgain<T>>(StepMaker<T>(f_, time_vars_, method), plan, list);
}

template <class T>
void NodeSpace<T>::keep(std::span<Var<T>* const> vectors) {
  if (step_again_ != nullptr) {
    step_again_->close(vectors);
    step_again_.reset();
  }
  if (recording_ != Recording::none) return;
  bank_ = max_kept - bank_;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (!vectors[i]->is_empty())
      std::copy_n(numbers(*vectors[i]), shape_.size, buffers_[bank_ + i]);
  }
  tape_.rewind(base_);
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (vectors[i]->is_empty()) continue;
    *vectors[i] = tape_.borrow(shape_, buffers_[bank_ + i]);
  }
}

template <class T>
Var<T> NodeSpace<T>::time_at(double t, double moved_by_t1) {
  if (time_vars_.t0.is_empty()) return tape_.scalar(static_cast<T>(t));
  return moving_time(time_vars_.t0, time_vars_.t1, t, 1 - moved_by_t1, moved_by_t1);
}

#define FJORD_INSTANTIATE(T)                                               \
  template Var<T> evaluate(const Field<T>&, const Var<T>&, const Var<T>&); \
  template class NodeSpace<T>;
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
