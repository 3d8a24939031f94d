/// Writes docs/ode-methods.md to the file that FJORD_PAGE names: see tests/check_page.py.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/ode/simulate.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/detest.hpp"

namespace fjord::ode {
namespace {

using Cells = std::vector<std::string>;

void write_row(std::ostream& page, const Cells& cells) {
  page << '|';
  for (const std::string& cell : cells) page << ' ' << cell << " |";
  page << '\n';
}

void write_head(std::ostream& page, const Cells& cells) {
  write_row(page, cells);
  page << '|';
  for (std::size_t i = 0; i < cells.size(); ++i) page << "---|";
  page << '\n';
}

/// With so many significant digits, and a ~ because rounding errors change it a little.
std::string about(double number, int digits) {
  const int exponent = static_cast<int>(std::floor(std::log10(number)));
  const double unit = std::pow(10, exponent - digits + 1);
  const double rounded = std::round(number / unit) * unit;
  std::ostringstream text;
  if (rounded >= 1e-3 && rounded < 1e7) {
    text << std::fixed;
    text.precision(std::max(0, digits - 1 - exponent));
  } else {
    text.precision(digits);
  }
  text << '~' << rounded;
  return text.str();
}

/// How often a step after the first asks for the field; of an implicit method this depends on it.
std::string evaluations_of(const Method& method) {
  if (method.kind().starts_with("implicit")) return "varies";
  const auto after = [&](double t1) {
    SolveOptions options;
    options.method = &method;
    options.fixed_step = 1;
    const auto f = [](double, std::span<const double>, std::span<double> dydt) {
      std::ranges::fill(dydt, 1.0);
    };
    return simulate(f, std::vector<double>{0, 0}, {0, t1}, options).report.evaluations;
  };
  return std::to_string(after(3) - after(2));
}

std::string dense_output_of(const Method& method) {
  const auto* table = dynamic_cast<const ExplicitRungeKutta*>(&method);
  const bool is_own = table != nullptr && table->tableau().dense_order > 0;
  return (is_own ? "own, " : "Hermite, ") + std::to_string(method.dense_order());
}

std::string gradient_modes_for(const Method& method) {
  std::string missing;
  for (const GradientMode* mode : gradient_modes()) {
    if (!mode->suits(method)) missing += ", " + std::string(mode->name());
  }
  return missing.empty() ? "all" : "all but " + missing.substr(2);
}

void write_methods(std::ostream& page) {
  write_head(page, {"method", "order", "kind", "evaluations a step", "order of error estimate",
                    "dense output, order", "gradient modes"});
  for (const Method* method : methods()) {
    const int error_order = method->error_order();
    write_row(page, {std::string(method->name()), std::to_string(method->order()),
                     std::string(method->kind()), evaluations_of(*method),
                     error_order > 0 ? std::to_string(error_order) : "-", dense_output_of(*method),
                     gradient_modes_for(*method)});
  }
}

/// The orders of derivative that a mode has, tried on y' = a y.
std::string orders_of(const GradientMode& mode) {
  if (!mode.has_derivatives()) return "-";
  Tape<double> tape;
  const Vars<double> inputs{tape.scalar(1.0), tape.scalar(0.5)};
  const auto f = [&](const Var<double>&, const Var<double>& y) { return inputs[1] * y; };
  SolveOptions options;
  options.gradient = &mode;
  options.method = &reversible_heun;
  const Var<double> y = solve(f, inputs[0], {0, 1}, options).y;
  try {
    pullback<double>({y}, {tape.scalar(1.0)}, inputs);
    return "all";
  } catch (const std::invalid_argument&) {
    return "first, by reverse sweeps";
  }
}

std::string methods_of(const GradientMode& mode) {
  const bool suits_all =
      std::ranges::all_of(methods(), [&](const Method* method) { return mode.suits(*method); });
  if (suits_all) return "all";
  return mode.suits(dormand_prince) ? "all but those that move halves" : "those that can be undone";
}

void write_gradient_modes(std::ostream& page) {
  write_head(page, {"gradient mode", "derivatives by", "orders", "methods", "memory, n steps"});
  for (const GradientMode* mode : gradient_modes()) {
    write_row(page, {std::string(mode->name()), std::string(mode->summary()), orders_of(*mode),
                     methods_of(*mode), std::string(mode->memory())});
  }
}

/// What a method needed for the problems that it solved.
struct Effort {
  std::size_t solved = 0;
  std::size_t steps = 0;
  std::array<std::size_t, 5> evaluations{};  ///< of classes A to E
  double error = 0;                          ///< the largest one, in tolerances
};

Effort effort_of(const Method& method, double tolerance) {
  Effort effort;
  for (const test::DetestProblem& problem : test::detest_problems()) {
    SolveOptions options;
    options.method = &method;
    options.rtol = options.atol = tolerance;
    options.max_steps = 100'000;
    const Simulation s = simulate(problem.f, problem.y0, {0, 20}, options);
    if (s.report.status != Status::success) continue;
    ++effort.solved;
    effort.steps += s.report.accepted + s.report.rejected;
    effort.evaluations[static_cast<std::size_t>(problem.name[0] - 'A')] += s.report.evaluations;
    for (std::size_t i = 0; i < s.y.size(); ++i) {
      const double scale = tolerance * (1 + std::abs(problem.end[i]));
      effort.error = std::max(effort.error, std::abs(s.y[i] - problem.end[i]) / scale);
    }
  }
  return effort;
}

void write_efforts(std::ostream& page, double tolerance) {
  write_head(page, {"method", "solved", "steps", "evaluations: A", "B", "C", "D", "E",
                    "largest error / tolerance"});
  for (const Method* method : methods()) {
    if (method->error_order() == 0) continue;
    const Effort effort = effort_of(*method, tolerance);
    Cells cells{std::string(method->name()), std::to_string(effort.solved),
                about(static_cast<double>(effort.steps), 2)};
    for (const std::size_t evaluations : effort.evaluations)
      cells.push_back(evaluations == 0 ? "-" : about(static_cast<double>(evaluations), 2));
    cells.push_back(about(effort.error, 1));
    write_row(page, cells);
  }
}

void write_page(std::ostream& page) {
  page << R"(# Methods of solves

Made by the tests, from the lists `ode::methods()` and `ode::gradient_modes()`.

* *evaluations a step*: how often a step asks for the field, the first step apart, which may ask
  once more;
* *order of error estimate*: the power of the step's length that the estimate is proportional to;
  methods without one take steps that are given (`fixed_step` or `grid`);
* *dense output, order*: states within a step, by the method's own weights or by Hermite's cubic;
* *gradient modes*: those that derivatives can be taken in.

The headers `ode/methods.hpp` and `ode/gradient_modes.hpp` say more, and name the sources.

)";
  write_methods(page);
  page << "\n## Gradient modes\n\n";
  write_gradient_modes(page);
  page << R"(
## Work and errors

On the 25 nonstiff problems of DETEST (Hull, Enright, Fellen & Sedgwick, SIAM J. Numer. Anal. 9,
1972), from t = 0 to 20, with `rtol` = `atol` = the tolerance and at most 100,000 steps: A are
single equations, B small systems, C moderate systems, D orbits, E equations of second order.

* *solved*: how many of the 25; the other figures are about these, so that they compare methods only
  where both solved all;
* *steps*: those tried;
* *evaluations*: how often the field was asked, in each class;
* *largest error*: of all entries of all states at the end, each divided by the tolerance times
  1 + its size.

Rounding errors, which depend on the processor, change a number after ~ a little.
)";
  for (const double tolerance : {1e-3, 1e-6, 1e-9}) {
    page << "\n### Tolerance " << tolerance << "\n\n";
    write_efforts(page, tolerance);
  }
}

}  // namespace
}  // namespace fjord::ode

int main() {
  const char* const path = std::getenv("FJORD_PAGE");
  if (path == nullptr) {
    std::cerr << "FJORD_PAGE must name the file to write\n";
    return 2;
  }
  std::ofstream page(path);
  fjord::ode::write_page(page);
  return page.flush() ? 0 : 1;
}
