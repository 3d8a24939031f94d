#include "fjord/optim/lion.hpp"

#include "fjord/optim/option_checks.hpp"

namespace fjord::optim {

template <class T>
Lion<T>::Lion(const ParameterGroups<T>& parameters, const LionOptions& options)
    : Optimizer<T>("lion", parameters, {options.rate, options.weight_decay}, {"momentum"}),
      options_(options) {
  check_decay("lion", "beta1", options.beta1);
  check_decay("lion", "beta2", options.beta2);
}

template <class T>
void Lion<T>::update(const StepPart<T>& part) const {
  const double decay = part.rate * part.weight_decay;
  for (std::size_t i = 0; i < part.values.size(); ++i) {
    const auto g = static_cast<double>(part.gradient[i]);
    const auto m = static_cast<double>(part.memory[0][i]);
    const double direction = options_.beta1 * m + (1 - options_.beta1) * g;
    const int sign = (direction > 0 ? 1 : 0) - (direction < 0 ? 1 : 0);
    part.memory[0][i] = static_cast<T>(options_.beta2 * m + (1 - options_.beta2) * g);
    part.values[i] -=
        static_cast<T>(part.rate * sign + decay * static_cast<double>(part.values[i]));
  }
}

template class Lion<float>;
template class Lion<double>;

}  // namespace fjord::optim
