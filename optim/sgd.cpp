#include "fjord/optim/sgd.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/optim/option_checks.hpp"

namespace fjord::optim {
namespace {

std::vector<std::string> memory_of(const SgdOptions& options) {
  if (options.momentum == 0) return {};
  return {"momentum"};
}

}  // namespace

template <class T>
Sgd<T>::Sgd(const ParameterGroups<T>& parameters, const SgdOptions& options)
    : Optimizer<T>("sgd", parameters, {options.rate, options.weight_decay}, memory_of(options)),
      options_(options) {
  check_decay("sgd", "momentum", options.momentum);
  require(options.momentum > 0 || !options.nesterov, "sgd",
          "nesterov needs a momentum that is positive");
}

template <class T>
void Sgd<T>::update(const StepPart<T>& part) const {
  if (options_.momentum == 0) {
    for (std::size_t i = 0; i < part.values.size(); ++i) {
      part.values[i] -= static_cast<T>(part.rate * part.decayed_gradient(i));
    }
    return;
  }
  for (std::size_t i = 0; i < part.values.size(); ++i) {
    const double g = part.decayed_gradient(i);
    const double b = options_.momentum * static_cast<double>(part.memory[0][i]) + g;
    part.memory[0][i] = static_cast<T>(b);
    const double direction = options_.nesterov ? g + options_.momentum * b : b;
    part.values[i] -= static_cast<T>(part.rate * direction);
  }
}

template class Sgd<float>;
template class Sgd<double>;

}  // namespace fjord::optim
