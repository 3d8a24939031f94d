#include <array>

#include "fjord/ode/methods.hpp"

namespace fjord::ode {
namespace {

constexpr std::array<double, 1> euler_b{1.0};
constexpr std::array<double, 1> euler_c{0.0};

constexpr std::array<double, 1> midpoint_a{1.0 / 2};
constexpr std::array midpoint_b{0.0, 1.0};
constexpr std::array midpoint_c{0.0, 1.0 / 2};

constexpr std::array<double, 1> heun2_a{1.0};
constexpr std::array heun2_b{1.0 / 2, 1.0 / 2};
constexpr std::array heun2_c{0.0, 1.0};

constexpr std::array heun3_a{1.0 / 3, 0.0, 2.0 / 3};
constexpr std::array heun3_b{1.0 / 4, 0.0, 3.0 / 4};
constexpr std::array heun3_c{0.0, 1.0 / 3, 2.0 / 3};

constexpr std::array<double, 1> ralston_a{2.0 / 3};
constexpr std::array ralston_b{1.0 / 4, 3.0 / 4};
constexpr std::array ralston_c{0.0, 2.0 / 3};

constexpr std::array rk4_a{1.0 / 2, 0.0, 1.0 / 2, 0.0, 0.0, 1.0};
constexpr std::array rk4_b{1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
constexpr std::array rk4_c{0.0, 1.0 / 2, 1.0 / 2, 1.0};

constexpr std::array rk4_38_a{1.0 / 3, -1.0 / 3, 1.0, 1.0, -1.0, 1.0};
constexpr std::array rk4_38_b{1.0 / 8, 3.0 / 8, 3.0 / 8, 1.0 / 8};
constexpr std::array rk4_38_c{0.0, 1.0 / 3, 2.0 / 3, 1.0};

constexpr std::array<double, 1> heun_euler_a{1.0};
constexpr std::array heun_euler_b{1.0 / 2, 1.0 / 2};
constexpr std::array heun_euler_error{-1.0 / 2, 1.0 / 2};
constexpr std::array heun_euler_c{0.0, 1.0};

}  // namespace

constinit const ExplicitRungeKutta euler{Tableau{
    .name = "euler",
    .order = 1,
    .b = euler_b,
    .c = euler_c,
}};

constinit const ExplicitRungeKutta midpoint{Tableau{
    .name = "midpoint",
    .order = 2,
    .a = midpoint_a,
    .b = midpoint_b,
    .c = midpoint_c,
}};

constinit const ExplicitRungeKutta heun2{Tableau{
    .name = "heun2",
    .order = 2,
    .a = heun2_a,
    .b = heun2_b,
    .c = heun2_c,
}};

constinit const ExplicitRungeKutta heun3{Tableau{
    .name = "heun3",
    .order = 3,
    .a = heun3_a,
    .b = heun3_b,
    .c = heun3_c,
}};

constinit const ExplicitRungeKutta ralston{Tableau{
    .name = "ralston",
    .order = 2,
    .a = ralston_a,
    .b = ralston_b,
    .c = ralston_c,
}};

constinit const ExplicitRungeKutta rk4{Tableau{
    .name = "rk4",
    .order = 4,
    .a = rk4_a,
    .b = rk4_b,
    .c = rk4_c,
}};

constinit const ExplicitRungeKutta rk4_38{Tableau{
    .name = "rk4_38",
    .order = 4,
    .a = rk4_38_a,
    .b = rk4_38_b,
    .c = rk4_38_c,
}};

constinit const ExplicitRungeKutta heun_euler{Tableau{
    .name = "heun_euler",
    .order = 2,
    .embedded_order = 1,
    .a = heun_euler_a,
    .b = heun_euler_b,
    .error = heun_euler_error,
    .c = heun_euler_c,
}};

}  // namespace fjord::ode
