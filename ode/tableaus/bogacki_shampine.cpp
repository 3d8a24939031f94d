#include <array>

#include "fjord/ode/methods.hpp"

namespace fjord::ode {
namespace {

constexpr std::array bogacki_shampine_a{1.0 / 2, 0.0, 3.0 / 4, 2.0 / 9, 1.0 / 3, 4.0 / 9};
constexpr std::array bogacki_shampine_b{2.0 / 9, 1.0 / 3, 4.0 / 9, 0.0};
constexpr std::array bogacki_shampine_error{-5.0 / 72, 1.0 / 12, 1.0 / 9, -1.0 / 8};
constexpr std::array bogacki_shampine_c{0.0, 1.0 / 2, 3.0 / 4, 1.0};

}  // namespace

constinit const ExplicitRungeKutta bogacki_shampine{Tableau{
    .name = "bogacki_shampine",
    .order = 3,
    .embedded_order = 2,
    .a = bogacki_shampine_a,
    .b = bogacki_shampine_b,
    .error = bogacki_shampine_error,
    .c = bogacki_shampine_c,
}};

}  // namespace fjord::ode
