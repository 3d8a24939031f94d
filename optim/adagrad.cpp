#include "fjord/optim/adagrad.hpp"

#include <cmath>

#include "fjord/optim/option_checks.hpp"

namespace fjord::optim {

template <class T>
Adagrad<T>::Adagrad(const ParameterGroups<T>& parameters, const AdagradOptions& options)
    : Optimizer<T>("adagrad", parameters, {options.rate, options.weight_decay}, {"sum_of_squares"}),
      options_(options) {
  check_positive("adagrad", "epsilon", options.epsilon);
}

template <class T>
void Adagrad<T>::update(const StepPart<T>& part) const {
  for (std::size_t i = 0; i < part.values.size(); ++i) {
    const double g = part.decayed_gradient(i);
    const double sum = static_cast<double>(part.memory[0][i]) + g * g;
    part.memory[0][i] = static_cast<T>(sum);
    part.values[i] -= static_cast<T>(part.rate * g / (std::sqrt(sum) + options_.epsilon));
  }
}

template class Adagrad<float>;
template class Adagrad<double>;

}  // namespace fjord::optim
