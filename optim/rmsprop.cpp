#include "fjord/optim/rmsprop.hpp"

#include <cmath>

#include "fjord/optim/option_checks.hpp"

namespace fjord::optim {

template <class T>
RmsProp<T>::RmsProp(const ParameterGroups<T>& parameters, const RmsPropOptions& options)
    : Optimizer<T>("rmsprop", parameters, {options.rate, options.weight_decay}, {"mean_square"}),
      options_(options) {
  check_decay("rmsprop", "beta", options.beta);
  check_positive("rmsprop", "epsilon", options.epsilon);
}

template <class T>
void RmsProp<T>::update(const StepPart<T>& part) const {
  for (std::size_t i = 0; i < part.values.size(); ++i) {
    const double g = part.decayed_gradient(i);
    const double v =
        options_.beta * static_cast<double>(part.memory[0][i]) + (1 - options_.beta) * g * g;
    part.memory[0][i] = static_cast<T>(v);
    part.values[i] -= static_cast<T>(part.rate * g / (std::sqrt(v) + options_.epsilon));
  }
}

template class RmsProp<float>;
template class RmsProp<double>;

}  // namespace fjord::optim
