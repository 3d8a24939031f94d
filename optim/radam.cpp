#include "fjord/optim/radam.hpp"

#include <cmath>
#include <optional>

#include "fjord/optim/moments.hpp"

namespace fjord::optim {
namespace {

// The paper's r_t; none while rho_t, the length of the moment's memory, is at most 4.
std::optional<double> rectification(double beta2, std::uint64_t step) {
  const auto t = static_cast<double>(step);
  const double most = 2 / (1 - beta2) - 1;
  const double rho = most - 2 * t * std::pow(beta2, t) / weight_so_far(beta2, step);
  if (rho <= 4) return std::nullopt;
  return std::sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho));
}

}  // namespace

template <class T>
RAdam<T>::RAdam(const ParameterGroups<T>& parameters, const RAdamOptions& options)
    : Optimizer<T>("radam", parameters, {options.rate, options.weight_decay},
                   {"first_moment", "second_moment"}),
      options_(options) {
  check_moments("radam", options);
}

template <class T>
void RAdam<T>::update(const StepPart<T>& part) const {
  const double rate = part.rate / weight_so_far(options_.beta1, part.step);
  const double inverse_root = 1 / std::sqrt(weight_so_far(options_.beta2, part.step));
  const std::optional<double> factor = rectification(options_.beta2, part.step);
  for (std::size_t i = 0; i < part.values.size(); ++i) {
    const auto [m, v] =
        next_moments(part, i, part.decayed_gradient(i), options_.beta1, options_.beta2);
    const double scale = std::sqrt(v) * inverse_root + options_.epsilon;
    part.values[i] -= static_cast<T>(factor ? rate * *factor * m / scale : rate * m);
  }
}

template class RAdam<float>;
template class RAdam<double>;

}  // namespace fjord::optim
