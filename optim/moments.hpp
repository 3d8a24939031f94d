/// The running moments of Adam and the optimisers derived from it.
#pragma once

#include <cmath>

#include "fjord/optim/optimizer.hpp"
#include "fjord/optim/option_checks.hpp"

namespace fjord::optim {

struct Moments {
  double first;   ///< running mean of the gradient
  double second;  ///< running mean of its square
};

/// Brings the moments of entry i, which are memories 0 and 1 of the part, up to date with g.
///
/// Note:    In double: 0.999 and 1 - 0.999 rounded to single precision differ by 5e-5 in what they
///          mean.
template <class T>
Moments next_moments(const StepPart<T>& part, std::size_t i, double g, double beta1, double beta2) {
  const double weight1 = 1 - beta1;
  const double weight2 = 1 - beta2;
  const double m = beta1 * static_cast<double>(part.memory[0][i]) + weight1 * g;
  const double v = beta2 * static_cast<double>(part.memory[1][i]) + weight2 * g * g;
  part.memory[0][i] = static_cast<T>(m);
  part.memory[1][i] = static_cast<T>(v);
  return {m, v};
}

/// The sum of the weights in a running mean that started at zero: 1 - beta^step.
inline double weight_so_far(double beta, std::uint64_t step) {
  return 1 - std::pow(beta, static_cast<double>(step));
}

/// Checks the options that all of these optimisers have.
///
/// Errors:  std::invalid_argument, which names the field, if one is out of its range.
template <class Options>
void check_moments(std::string_view op, const Options& options) {
  check_decay(op, "beta1", options.beta1);
  check_decay(op, "beta2", options.beta2);
  check_positive(op, "epsilon", options.epsilon);
}

}  // namespace fjord::optim
