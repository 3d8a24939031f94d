#include "fjord/optim/adam.hpp"

#include <cmath>

#include "fjord/optim/moments.hpp"

namespace fjord::optim {

template <class T>
Adam<T>::Adam(const ParameterGroups<T>& parameters, const AdamOptions& options)
    : Optimizer<T>("adam", parameters, {options.rate, options.weight_decay},
                   {"first_moment", "second_moment"}),
      options_(options) {
  check_moments("adam", options);
}

template <class T>
void Adam<T>::update(const StepPart<T>& part) const {
  const double rate = part.rate / weight_so_far(options_.beta1, part.step);
  const double inverse_root = 1 / std::sqrt(weight_so_far(options_.beta2, part.step));
  for (std::size_t i = 0; i < part.values.size(); ++i) {
    const auto [m, v] =
        next_moments(part, i, part.decayed_gradient(i), options_.beta1, options_.beta2);
    part.values[i] -= static_cast<T>(rate * m / (std::sqrt(v) * inverse_root + options_.epsilon));
  }
}

template class Adam<float>;
template class Adam<double>;

}  // namespace fjord::optim
