#include "fjord/apps/common/solver_settings.hpp"

#include <algorithm>
#include <limits>

#include "fjord/apps/common/message.hpp"
#include "fjord/autodiff/errors.hpp"

namespace fjord::apps {

flows::SolverSettings solver_settings(double rtol, double atol, const std::string& trace,
                                      const std::string& precision) {
  const bool is_float = precision == "float";
  const double finest = is_float ? static_cast<double>(std::numeric_limits<float>::epsilon())
                                 : std::numeric_limits<double>::epsilon();
  // Finer than the numbers, an error estimate is only rounding: the solves would take tens of
  // thousands of steps and be no better.
  require(std::max(rtol, atol) >= finest, "--rtol", [&] {
    return number_text(rtol) + " with --atol " + number_text(atol) + " is finer than " + precision +
           " precision; loosen one of them" + (is_float ? ", or compute in double" : "");
  });
  flows::SolverSettings settings;
  settings.solve.rtol = rtol;
  settings.solve.atol = atol;
  settings.trace = trace == "exact" ? flows::Trace::exact : flows::Trace::hutchinson;
  return settings;
}

std::set<std::string> method_names() {
  std::set<std::string> names;
  for (const ode::Method* method : ode::methods()) {
    if (method->error_order() > 0) names.emplace(method->name());
  }
  return names;
}

std::set<std::string> gradient_names() {
  std::set<std::string> names;
  for (const ode::GradientMode* mode : ode::gradient_modes()) {
    // Sensitivities in every weight of a network and every row are too many.
    const bool suits_networks = mode != &ode::forward_sensitivity;
    if (mode->has_derivatives() && suits_networks) names.emplace(mode->name());
  }
  return names;
}

void check_gradient_suits(const std::string& gradient, const std::string& method) {
  const ode::GradientMode& mode = ode::gradient_mode_named(gradient);
  std::string suitable;
  for (const std::string& name : method_names()) {
    if (mode.suits(ode::method_named(name))) suitable += (suitable.empty() ? "" : ", ") + name;
  }
  require(mode.suits(ode::method_named(method)), "--gradient", [&] {
    return gradient + " does not go with --method " + method + "; it needs " + suitable;
  });
}

}  // namespace fjord::apps
