#include "fjord/optim/amsgrad.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/optim/moments.hpp"

namespace fjord::optim {

template <class T>
AmsGrad<T>::AmsGrad(const ParameterGroups<T>& parameters, const AmsGradOptions& options)
    : Optimizer<T>("amsgrad", parameters, {options.rate, options.weight_decay},
                   {"first_moment", "second_moment", "largest_second_moment"}),
      options_(options) {
  check_moments("amsgrad", options);
}

template <class T>
void AmsGrad<T>::update(const StepPart<T>& part) const {
  const double rate = part.rate / weight_so_far(options_.beta1, part.step);
  const double inverse_root = 1 / std::sqrt(weight_so_far(options_.beta2, part.step));
  for (std::size_t i = 0; i < part.values.size(); ++i) {
    const auto [m, v] =
        next_moments(part, i, part.decayed_gradient(i), options_.beta1, options_.beta2);
    const double largest = std::max(static_cast<double>(part.memory[2][i]), v);
    part.memory[2][i] = static_cast<T>(largest);
    part.values[i] -=
        static_cast<T>(rate * m / (std::sqrt(largest) * inverse_root + options_.epsilon));
  }
}

template class AmsGrad<float>;
template class AmsGrad<double>;

}  // namespace fjord::optim
