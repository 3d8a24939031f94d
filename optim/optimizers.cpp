#include "fjord/optim/optimizers.hpp"

#include <algorithm>

#include "fjord/autodiff/errors.hpp"

namespace fjord::optim {
namespace {

constexpr double usual_momentum = 0.9;

template <class T, class Made, class Options>
std::unique_ptr<Optimizer<T>> make(const ParameterGroups<T>& parameters, double rate) {
  Options options;
  options.rate = rate;
  return std::make_unique<Made>(parameters, options);
}

template <class T>
std::unique_ptr<Optimizer<T>> make_momentum(const ParameterGroups<T>& parameters, double rate) {
  return std::make_unique<Sgd<T>>(parameters, SgdOptions{.rate = rate, .momentum = usual_momentum});
}

template <class T>
std::unique_ptr<Optimizer<T>> make_nesterov(const ParameterGroups<T>& parameters, double rate) {
  return std::make_unique<Sgd<T>>(
      parameters, SgdOptions{.rate = rate, .momentum = usual_momentum, .nesterov = true});
}

}  // namespace

template <class T>
std::span<const NamedOptimizer<T>> optimizers() {
  static constexpr auto all =
      std::to_array<NamedOptimizer<T>>({{"sgd", make<T, Sgd<T>, SgdOptions>},
                                        {"momentum", make_momentum<T>},
                                        {"nesterov", make_nesterov<T>},
                                        {"adagrad", make<T, Adagrad<T>, AdagradOptions>},
                                        {"rmsprop", make<T, RmsProp<T>, RmsPropOptions>},
                                        {"adam", make<T, Adam<T>, AdamOptions>},
                                        {"adamw", make<T, AdamW<T>, AdamWOptions>},
                                        {"amsgrad", make<T, AmsGrad<T>, AmsGradOptions>},
                                        {"radam", make<T, RAdam<T>, RAdamOptions>},
                                        {"nadam", make<T, NAdam<T>, NAdamOptions>},
                                        {"lion", make<T, Lion<T>, LionOptions>}});
  return all;
}

template <class T>
std::unique_ptr<Optimizer<T>> optimizer_named(std::string_view name,
                                              const ParameterGroups<T>& parameters, double rate) {
  const auto all = optimizers<T>();
  const auto found = std::ranges::find(all, name, &NamedOptimizer<T>::name);
  require(found != all.end(), "optimizer_named", [&] {
    std::string names;
    for (const NamedOptimizer<T>& one : all)
      names += (names.empty() ? "" : ", ") + std::string(one.name);
    return "optimizer must be one of " + names + ", got " + std::string(name);
  });
  return found->make(parameters, rate);
}

#define FJORD_INSTANTIATE(T)                                               \
  template std::span<const NamedOptimizer<T>> optimizers();                \
  template std::unique_ptr<Optimizer<T>> optimizer_named(std::string_view, \
                                                         const ParameterGroups<T>&, double);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::optim
