#include "fjord/ode/dense_output.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fjord::ode {

template <class T>
const std::array<double, DenseOutput<T>::points>& DenseOutput<T>::parts() {
  static const std::array<double, points> chebyshev = [] {
    std::array<double, points> result{};
    for (std::size_t k = 0; k < points; ++k) {
      const double angle = std::numbers::pi * static_cast<double>(k) / (points - 1);
      result[k] = (1 - std::cos(angle)) / 2;
    }
    return result;
  }();
  return chebyshev;
}

template <class T>
std::optional<EarlyEnd<NodeSpace<T>>> DenseOutput<T>::after(
    const AcceptedStep<NodeSpace<T>>& accepted) {
  shape_ = accepted.step.y.shape();
  steps_.push_back({accepted.t, accepted.t_next});
  const auto size = static_cast<std::size_t>(shape_.size());
  for (std::size_t k = 0; k < points; ++k) {
    const Var<T> y = k == 0            ? accepted.step.y
                     : k + 1 == points ? accepted.step.y_next
                                       : accepted.method.between(accepted.step, parts()[k]);
    const T* const numbers = accepted.step.space.numbers(y);
    numbers_.insert(numbers_.end(), numbers, numbers + size);
  }
  return std::nullopt;
}

template <class T>
Var<T> DenseOutput<T>::at(Tape<T>& tape, double t) const {
  const bool forward = steps_.back().t1 > steps_.front().t0;
  const auto ends_before = [&](const TimeSpan& step, double time) {
    return forward ? step.t1 < time : step.t1 > time;
  };
  auto step = std::lower_bound(steps_.begin(), steps_.end(), t, ends_before);
  // A time of single precision may be beyond the end by a rounding.
  if (step == steps_.end()) --step;
  const double part = std::clamp((t - step->t0) / (step->t1 - step->t0), 0.0, 1.0);
  std::array<double, points> weights{};
  double sum = 0;
  for (std::size_t k = 0; k < points; ++k) {
    const double distance = part - parts()[k];
    if (distance == 0) {
      weights = {};
      weights[k] = sum = 1;
      break;
    }
    const double sign = k % 2 == 0 ? 1 : -1;
    weights[k] = sign * (k == 0 || k + 1 == points ? 0.5 : 1) / distance;
    sum += weights[k];
  }
  const NodeShape shape = tape.keep_shape(shape_);
  const auto size = static_cast<std::size_t>(shape.size);
  const T* from = numbers_.data() + static_cast<std::size_t>(step - steps_.begin()) * points * size;
  T* const out = tape.new_values(shape.size);
  std::fill_n(out, size, T(0));
  for (std::size_t k = 0; k < points; ++k) {
    const T weight = static_cast<T>(weights[k] / sum);
    for (std::size_t i = 0; i < size; ++i) out[i] += weight * from[k * size + i];
  }
  return tape.borrow(shape, out);
}

template class DenseOutput<float>;
template class DenseOutput<double>;

}  // namespace fjord::ode
