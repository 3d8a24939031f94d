#include "fjord/optim/nadam.hpp"

#include <cmath>

#include "fjord/optim/moments.hpp"

namespace fjord::optim {

template <class T>
NAdam<T>::NAdam(const ParameterGroups<T>& parameters, const NAdamOptions& options)
    : Optimizer<T>("nadam", parameters, {options.rate, options.weight_decay},
                   {"first_moment", "second_moment"}),
      options_(options) {
  check_moments("nadam", options);
}

template <class T>
void NAdam<T>::update(const StepPart<T>& part) const {
  const double of_moment = options_.beta1 / weight_so_far(options_.beta1, part.step + 1);
  const double of_gradient = (1 - options_.beta1) / weight_so_far(options_.beta1, part.step);
  const double inverse_root = 1 / std::sqrt(weight_so_far(options_.beta2, part.step));
  for (std::size_t i = 0; i < part.values.size(); ++i) {
    const double g = part.decayed_gradient(i);
    const auto [m, v] = next_moments(part, i, g, options_.beta1, options_.beta2);
    const double direction = of_moment * m + of_gradient * g;
    const double scale = std::sqrt(v) * inverse_root + options_.epsilon;
    part.values[i] -= static_cast<T>(part.rate * direction / scale);
  }
}

template class NAdam<float>;
template class NAdam<double>;

}  // namespace fjord::optim
