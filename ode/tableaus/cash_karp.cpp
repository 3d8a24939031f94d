#include <array>

#include "fjord/ode/methods.hpp"

namespace fjord::ode {
namespace {

// The numbers of every stage begin a line.
// clang-format off

constexpr std::array cash_karp_a{
    1.0 / 5,
    3.0 / 40, 9.0 / 40,
    3.0 / 10, -9.0 / 10, 6.0 / 5,
    -11.0 / 54, 5.0 / 2, -70.0 / 27, 35.0 / 27,
    1631.0 / 55296, 175.0 / 512, 575.0 / 13824, 44275.0 / 110592, 253.0 / 4096};
constexpr std::array cash_karp_b{37.0 / 378, 0.0, 250.0 / 621, 125.0 / 594, 0.0, 512.0 / 1771};
constexpr std::array cash_karp_error{
    -277.0 / 64512, 0.0, 6925.0 / 370944, -6925.0 / 202752, -277.0 / 14336, 277.0 / 7084};
constexpr std::array cash_karp_c{0.0, 1.0 / 5, 3.0 / 10, 3.0 / 5, 1.0, 7.0 / 8};

// clang-format on

}  // namespace

constinit const ExplicitRungeKutta cash_karp{Tableau{
    .name = "cash_karp",
    .order = 5,
    .embedded_order = 4,
    .a = cash_karp_a,
    .b = cash_karp_b,
    .error = cash_karp_error,
    .c = cash_karp_c,
}};

}  // namespace fjord::ode
