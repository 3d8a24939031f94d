#include <array>

#include "fjord/ode/methods.hpp"

namespace fjord::ode {
namespace {

// The numbers of every stage begin a line.
// clang-format off

constexpr std::array fehlberg2_a{1.0 / 2, 1.0 / 256, 255.0 / 256};
constexpr std::array fehlberg2_b{1.0 / 512, 255.0 / 256, 1.0 / 512};
constexpr std::array fehlberg2_error{-1.0 / 512, 0.0, 1.0 / 512};
constexpr std::array fehlberg2_c{0.0, 1.0 / 2, 1.0};

constexpr std::array fehlberg45_a{
    1.0 / 4,
    3.0 / 32, 9.0 / 32,
    1932.0 / 2197, -7200.0 / 2197, 7296.0 / 2197,
    439.0 / 216, -8.0, 3680.0 / 513, -845.0 / 4104,
    -8.0 / 27, 2.0, -3544.0 / 2565, 1859.0 / 4104, -11.0 / 40};
constexpr std::array fehlberg45_b{25.0 / 216, 0.0, 1408.0 / 2565, 2197.0 / 4104, -1.0 / 5, 0.0};
constexpr std::array fehlberg45_error{
    -1.0 / 360, 0.0, 128.0 / 4275, 2197.0 / 75240, -1.0 / 50, -2.0 / 55};
constexpr std::array fehlberg45_c{0.0, 1.0 / 4, 3.0 / 8, 12.0 / 13, 1.0, 1.0 / 2};

// clang-format on

}  // namespace

constinit const ExplicitRungeKutta fehlberg2{Tableau{
    .name = "fehlberg2",
    .order = 2,
    .embedded_order = 1,
    .a = fehlberg2_a,
    .b = fehlberg2_b,
    .error = fehlberg2_error,
    .c = fehlberg2_c,
}};

constinit const ExplicitRungeKutta fehlberg45{Tableau{
    .name = "fehlberg45",
    .order = 4,
    .embedded_order = 5,
    .a = fehlberg45_a,
    .b = fehlberg45_b,
    .error = fehlberg45_error,
    .c = fehlberg45_c,
}};

}  // namespace fjord::ode
