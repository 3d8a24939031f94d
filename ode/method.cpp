#include "fjord/ode/method.hpp"

#include <algorithm>

#include "fjord/autodiff/errors.hpp"
#include "fjord/ode/methods.hpp"
#include "fjord/ode/node_space.hpp"
#include "fjord/ode/plain_space.hpp"

namespace fjord::ode {

template <class Space>
Vector<Space> hermite(Step<Space>& step, double part) {
  if (Space::is_empty(step.slope)) step.slope = step.space.slope(0, step.y);
  if (Space::is_empty(step.slope_next)) step.slope_next = step.space.slope(1, step.y_next);
  const double rest = 1 - part;
  const std::array weights{part * rest * rest, -part * part * rest};
  const auto base = step.space.combine(step.y, weights, std::array{step.slope, step.slope_next});
  return step.space.move(base, part * part * (3 - 2 * part), step.y, step.y_next);
}

#define FJORD_INSTANTIATE(Space) template Vector<Space> hermite(Step<Space>&, double);
FJORD_INSTANTIATE(NodeSpace<float>)
FJORD_INSTANTIATE(NodeSpace<double>)
FJORD_INSTANTIATE(PlainSpace)
#undef FJORD_INSTANTIATE

void check_halves(Index size) {
  require(size % 2 == 0, "solve", [&] {
    return "the last axis must have positions and as many velocities, got " + std::to_string(size) +
           " entries";
  });
}

std::span<const Method* const> methods() {
  static constexpr auto all = std::to_array<const Method*>({&euler,
                                                            &midpoint,
                                                            &heun2,
                                                            &heun3,
                                                            &ralston,
                                                            &rk4,
                                                            &rk4_38,
                                                            &heun_euler,
                                                            &fehlberg2,
                                                            &bogacki_shampine,
                                                            &fehlberg45,
                                                            &cash_karp,
                                                            &owren_zennaro3,
                                                            &owren_zennaro4,
                                                            &owren_zennaro5,
                                                            &dormand_prince,
                                                            &tsitouras,
                                                            &verner6,
                                                            &verner7,
                                                            &verner9,
                                                            &dormand_prince8,
                                                            &dop853,
                                                            &semi_implicit_euler,
                                                            &leapfrog,
                                                            &yoshida4,
                                                            &yoshida6,
                                                            &reversible_heun,
                                                            &reversible_midpoint,
                                                            &reversible_dormand_prince,
                                                            &adams_bashforth2,
                                                            &implicit_midpoint});
  return all;
}

const Method& method_named(std::string_view name) {
  const auto all = methods();
  const auto found =
      std::ranges::find_if(all, [&](const Method* method) { return method->name() == name; });
  require(found != all.end(), "method_named", [&] {
    std::string names;
    for (const Method* method : all)
      names += (names.empty() ? "" : ", ") + std::string(method->name());
    return "method must be one of " + names + ", got " + std::string(name);
  });
  return **found;
}

}  // namespace fjord::ode
