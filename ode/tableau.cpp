#include "fjord/ode/tableau.hpp"

#include <algorithm>
#include <array>

namespace fjord::ode {
namespace {

constexpr std::array dormand_prince_a{
    1.0 / 5,        3.0 / 40,        9.0 / 40,        44.0 / 45,    -56.0 / 15,    32.0 / 9,
    19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561,  -212.0 / 729, 9017.0 / 3168, -355.0 / 33,
    46732.0 / 5247, 49.0 / 176,      -5103.0 / 18656, 35.0 / 384,   0.0,           500.0 / 1113,
    125.0 / 192,    -2187.0 / 6784,  11.0 / 84};
constexpr std::array dormand_prince_b{35.0 / 384,     0.0,       500.0 / 1113, 125.0 / 192,
                                      -2187.0 / 6784, 11.0 / 84, 0.0};
constexpr std::array dormand_prince_error{71.0 / 57600,      0.0,        -71.0 / 16695, 71.0 / 1920,
                                          -17253.0 / 339200, 22.0 / 525, -1.0 / 40};
constexpr std::array dormand_prince_c{0.0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1.0, 1.0};

}  // namespace

bool Tableau::is_first_same_as_last() const {
  return c.back() == 1 && b.back() == 0 &&
         std::ranges::equal(row(stages() - 1), b.first(stages() - 1));
}

constinit const Tableau dormand_prince{"dormand_prince",     5,
                                       dormand_prince_a,     dormand_prince_b,
                                       dormand_prince_error, dormand_prince_c};

std::span<const Tableau* const> all_tableaus() {
  static constexpr std::array<const Tableau*, 1> tableaus{&dormand_prince};
  return tableaus;
}

}  // namespace fjord::ode
