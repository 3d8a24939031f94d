#include "fjord/flows/toy_sets.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "fjord/autodiff/errors.hpp"

namespace fjord::flows {

std::span<const ToySet* const> toy_sets() {
  static const Moons moons(0.06);
  static const auto all = std::to_array<const ToySet*>(
      {&moons, &circles(), &rings(), &eight_gaussians(), &pinwheel(), &two_spirals(),
       &checkerboard(), &swiss_roll(), &s_curve(), &line(), &cosine()});
  return all;
}

const ToySet& toy_set_named(std::string_view name) {
  const auto all = toy_sets();
  const auto found =
      std::ranges::find_if(all, [&](const ToySet* set) { return set->name() == name; });
  require(found != all.end(), "toy_set_named", [&] {
    std::string names;
    for (const ToySet* set : all) names += (names.empty() ? "" : ", ") + std::string(set->name());
    return "toy set must be one of " + names + ", got " + std::string(name);
  });
  return **found;
}

}  // namespace fjord::flows
