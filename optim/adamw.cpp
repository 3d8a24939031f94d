#include "fjord/optim/adamw.hpp"

#include <cmath>

#include "fjord/optim/moments.hpp"

namespace fjord::optim {

template <class T>
AdamW<T>::AdamW(const ParameterGroups<T>& parameters, const AdamWOptions& options)
    : Optimizer<T>("adamw", parameters, {options.rate, options.weight_decay},
                   {"first_moment", "second_moment"}),
      options_(options) {
  check_moments("adamw", options);
}

template <class T>
void AdamW<T>::update(const StepPart<T>& part) const {
  const double rate = part.rate / weight_so_far(options_.beta1, part.step);
  const double inverse_root = 1 / std::sqrt(weight_so_far(options_.beta2, part.step));
  const double decay = part.rate * part.weight_decay;
  for (std::size_t i = 0; i < part.values.size(); ++i) {
    const auto g = static_cast<double>(part.gradient[i]);
    const auto [m, v] = next_moments(part, i, g, options_.beta1, options_.beta2);
    const double step = rate * m / (std::sqrt(v) * inverse_root + options_.epsilon);
    part.values[i] -= static_cast<T>(step + decay * static_cast<double>(part.values[i]));
  }
}

template class AdamW<float>;
template class AdamW<double>;

}  // namespace fjord::optim
