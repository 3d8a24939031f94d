#include "fjord/ode/gradient_mode.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "fjord/autodiff/errors.hpp"
#include "fjord/ode/gradient_modes.hpp"

namespace fjord::ode {

constinit const GradientMode* const default_gradient = &direct;

template <class T>
bool has_outputs(const Problem<T>& problem, const SolveOptions& options) {
  return !problem.events.empty() || problem.on_step || options.save_steps ||
         !options.save_at.empty();
}

template bool has_outputs(const Problem<float>&, const SolveOptions&);
template bool has_outputs(const Problem<double>&, const SolveOptions&);

void GradientMode::check_has_no_outputs(bool has_outputs) const {
  require(!has_outputs, "solve", [&] {
    return "the gradient mode " + std::string(name()) +
           " gives the state at the end only; call ode::solve for more";
  });
}

void GradientMode::check_moves_no_halves(const Method* method) const {
  require(method == nullptr || !method->moves_halves(), "solve", [&] {
    return "the method " + std::string(method->name()) +
           " is for positions and velocities only, next to which the gradient mode " +
           std::string(name()) +
           " solves for more; use direct, checkpointed, quadrature or reversible";
  });
}

std::span<const GradientMode* const> gradient_modes() {
  static constexpr auto all = std::to_array<const GradientMode*>(
      {&direct, &checkpointed, &backsolve, &interpolating, &quadrature, &reversible,
       &forward_sensitivity, &values_only});
  return all;
}

const GradientMode& gradient_mode_named(std::string_view name) {
  const auto all = gradient_modes();
  const auto found =
      std::ranges::find_if(all, [&](const GradientMode* mode) { return mode->name() == name; });
  require(found != all.end(), "gradient_mode_named", [&] {
    std::string names;
    for (const GradientMode* mode : all)
      names += (names.empty() ? "" : ", ") + std::string(mode->name());
    return "gradient mode must be one of " + names + ", got " + std::string(name);
  });
  return **found;
}

}  // namespace fjord::ode
