#include "fjord/ode/reversible.hpp"

#include <algorithm>
#include <functional>

#include "fjord/ode/methods.hpp"
#include "fjord/ode/node_space.hpp"
#include "fjord/ode/plain_space.hpp"

namespace fjord::ode {
namespace {

// The stages of a step from y that begins at the fraction `from` of it, forwards (sign 1) or
// backwards (-1).
template <class Space>
void make_stages(const Tableau& tableau, Step<Space>& step, const Vector<Space>& y, double from,
                 double sign) {
  std::array<double, max_stages> weights;
  for (std::size_t i = 0; i < tableau.stages(); ++i) {
    const std::span<const double> row = i == 0 ? std::span<const double>() : tableau.row(i);
    for (std::size_t j = 0; j < i; ++j) weights[j] = sign * row[j];
    const std::span<const Vector<Space>> before = std::span(step.stages).first(i);
    const Vector<Space> at =
        i == 0 ? y : step.space.combine(y, std::span(weights).first(i), before);
    step.stages[i] = step.space.slope(from + sign * tableau.c[i], at);
  }
}

}  // namespace

template <class Space>
void ReversibleHeun::step(Step<Space>& step) const {
  Space& space = step.space;
  const bool is_first = Space::is_empty(step.carry[0]);
  const Vector<Space> second = is_first ? step.y : step.carry[0];
  const Vector<Space> slope = is_first ? space.slope(0, step.y) : step.carry[1];
  constexpr std::array once{1.0};
  const Vector<Space> second_next =
      space.combine(space.move(step.y, 1, second, step.y), once, std::array{slope});
  const Vector<Space> slope_next = space.slope(1, second_next);
  constexpr std::array halves{0.5, 0.5};
  step.stages[0] = slope;
  step.stages[1] = slope_next;
  step.y_next = space.combine(step.y, halves, std::array{slope, slope_next});
  step.carry = {second_next, slope_next};
  static constexpr std::array difference{-0.5, 0.5};
  step.error = {difference, {}};
}

template <class Space>
void ReversibleHeun::step_back(Step<Space>& step) const {
  Space& space = step.space;
  const auto [second_next, slope_next] = std::pair{step.carry[0], step.carry[1]};
  constexpr std::array once_back{-1.0};
  const Vector<Space> second = space.combine(space.move(step.y_next, 1, second_next, step.y_next),
                                             once_back, std::array{slope_next});
  const Vector<Space> slope = space.slope(0, second);
  constexpr std::array halves_back{-0.5, -0.5};
  step.y = space.combine(step.y_next, halves_back, std::array{slope, slope_next});
  step.carry = {second, slope};
}

template <class Space>
void Reversible::step(Step<Space>& step) const {
  Space& space = step.space;
  const Tableau& tableau = method_.tableau();
  const std::size_t stages = tableau.stages();
  const Vector<Space> second = Space::is_empty(step.carry[0]) ? step.y : step.carry[0];
  const std::span<const Vector<Space>> slopes = std::span(step.stages).first(stages);
  make_stages(tableau, step, second, 0, 1);
  step.y_next = space.combine(space.move(second, coupling_, second, step.y), tableau.b, slopes);
  make_stages(tableau, step, step.y_next, 1, -1);
  step.carry = {space.combine(second, tableau.b, slopes)};
}

template <class Space>
void Reversible::step_back(Step<Space>& step) const {
  Space& space = step.space;
  const Tableau& tableau = method_.tableau();
  const std::span<const Vector<Space>> slopes = std::span(step.stages).first(tableau.stages());
  std::array<double, max_stages> weights;
  std::transform(tableau.b.begin(), tableau.b.end(), weights.begin(), std::negate<>());
  const auto back = std::span<const double>(weights).first(tableau.b.size());
  make_stages(tableau, step, step.y_next, 1, -1);
  const Vector<Space> second = space.combine(step.carry[0], back, slopes);
  make_stages(tableau, step, second, 0, 1);
  step.y = space.move(second, 1 / coupling_, second, space.combine(step.y_next, back, slopes));
  step.carry = {second};
}

#define FJORD_INSTANTIATE(Space)                          \
  template void ReversibleHeun::step(Step<Space>&) const; \
  template void Reversible::step(Step<Space>&) const;
FJORD_INSTANTIATE(NodeSpace<float>)
FJORD_INSTANTIATE(NodeSpace<double>)
FJORD_INSTANTIATE(PlainSpace)
#undef FJORD_INSTANTIATE

#define FJORD_INSTANTIATE(Space)                               \
  template void ReversibleHeun::step_back(Step<Space>&) const; \
  template void Reversible::step_back(Step<Space>&) const;
FJORD_INSTANTIATE(NodeSpace<float>)
FJORD_INSTANTIATE(NodeSpace<double>)
#undef FJORD_INSTANTIATE

constinit const ReversibleHeun reversible_heun;
constinit const Reversible reversible_midpoint("reversible_midpoint", midpoint);
constinit const Reversible reversible_dormand_prince("reversible_dormand_prince", dormand_prince);

}  // namespace fjord::ode
