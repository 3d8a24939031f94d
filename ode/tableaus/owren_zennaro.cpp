#include <array>

#include "fjord/ode/methods.hpp"

namespace fjord::ode {
namespace {

// The numbers of every stage begin a line.
// clang-format off

constexpr std::array owren_zennaro3_a{
    12.0 / 23, -68.0 / 375, 368.0 / 375, 31.0 / 144, 529.0 / 1152, 125.0 / 384};
constexpr std::array owren_zennaro3_b{31.0 / 144, 529.0 / 1152, 125.0 / 384, 0.0};
constexpr std::array owren_zennaro3_error{25.0 / 144, -575.0 / 1152, 125.0 / 384, 0.0};
constexpr std::array owren_zennaro3_c{0.0, 12.0 / 23, 4.0 / 5, 1.0};
constexpr std::array owren_zennaro3_dense{
    1.0, -65.0 / 48, 41.0 / 72,
    0.0, 529.0 / 384, -529.0 / 576,
    0.0, 125.0 / 128, -125.0 / 192,
    0.0, -1.0, 1.0};

constexpr std::array owren_zennaro4_a{
    1.0 / 6,
    44.0 / 1369, 363.0 / 1369,
    3388.0 / 4913, -8349.0 / 4913, 8140.0 / 4913,
    -36764.0 / 408375, 767.0 / 1125, -32708.0 / 136125, 210392.0 / 408375,
    1697.0 / 18876, 0.0, 50653.0 / 116160, 299693.0 / 1626240, 3375.0 / 11648};
constexpr std::array owren_zennaro4_b{
    1697.0 / 18876, 0.0, 50653.0 / 116160, 299693.0 / 1626240, 3375.0 / 11648, 0.0};
constexpr std::array owren_zennaro4_error{
    -1185.0 / 6292, 0.0, 4107.0 / 7744, -68493.0 / 108416, 3375.0 / 11648, 0.0};
constexpr std::array owren_zennaro4_c{0.0, 1.0 / 6, 11.0 / 37, 11.0 / 17, 13.0 / 15, 1.0};
constexpr std::array owren_zennaro4_dense{
    1.0, -104217.0 / 37466, 1806901.0 / 618189, -866577.0 / 824252,
    0.0, 0.0, 0.0, 0.0,
    0.0, 861101.0 / 230560, -2178079.0 / 380424, 12308679.0 / 5072320,
    0.0, -63869.0 / 293440, 6244423.0 / 5325936, -7816583.0 / 10144640,
    0.0, -1522125.0 / 762944, 982125.0 / 190736, -624375.0 / 217984,
    0.0, 165.0 / 131, -461.0 / 131, 296.0 / 131};

constexpr std::array owren_zennaro5_a{
    1.0 / 6,
    1.0 / 16, 3.0 / 16,
    1.0 / 4, -3.0 / 4, 1.0,
    -3.0 / 4, 15.0 / 4, -3.0, 1.0 / 2,
    369.0 / 1372, -243.0 / 343, 297.0 / 343, 1485.0 / 9604, 297.0 / 4802,
    -133.0 / 4512, 1113.0 / 6016, 7945.0 / 16544, -12845.0 / 24064, -315.0 / 24064,
        156065.0 / 198528,
    83.0 / 945, 0.0, 248.0 / 825, 41.0 / 180, 1.0 / 36, 2401.0 / 38610, 6016.0 / 20475};
constexpr std::array owren_zennaro5_b{
    83.0 / 945, 0.0, 248.0 / 825, 41.0 / 180, 1.0 / 36, 2401.0 / 38610, 6016.0 / 20475, 0.0};
constexpr std::array owren_zennaro5_error{
    188.0 / 945, 0.0, -752.0 / 825, 89.0 / 45, 1.0 / 9, -32242.0 / 19305, 6016.0 / 20475, 0.0};
constexpr std::array owren_zennaro5_c{
    0.0, 1.0 / 6, 1.0 / 4, 1.0 / 2, 1.0 / 2, 9.0 / 14, 7.0 / 8, 1.0};
constexpr std::array owren_zennaro5_dense{
    1.0, -3292.0 / 819, 17893.0 / 2457, -4969.0 / 819, 596.0 / 315,
    0.0, 0.0, 0.0, 0.0, 0.0,
    0.0, 5112.0 / 715, -43568.0 / 2145, 1344.0 / 65, -1984.0 / 275,
    0.0, -123.0 / 52, 3161.0 / 234, -1465.0 / 78, 118.0 / 15,
    0.0, -63.0 / 52, 1061.0 / 234, -413.0 / 78, 2.0,
    0.0, -40817.0 / 33462, 60025.0 / 50193, 2401.0 / 1521, -9604.0 / 6435,
    0.0, 18048.0 / 5915, -637696.0 / 53235, 96256.0 / 5915, -48128.0 / 6825,
    0.0, -18.0 / 13, 75.0 / 13, -109.0 / 13, 4.0};

// clang-format on

}  // namespace

constinit const ExplicitRungeKutta owren_zennaro3{Tableau{
    .name = "owren_zennaro3",
    .order = 3,
    .embedded_order = 2,
    .a = owren_zennaro3_a,
    .b = owren_zennaro3_b,
    .error = owren_zennaro3_error,
    .c = owren_zennaro3_c,
    .dense_order = 3,
    .dense = owren_zennaro3_dense,
}};

constinit const ExplicitRungeKutta owren_zennaro4{Tableau{
    .name = "owren_zennaro4",
    .order = 4,
    .embedded_order = 3,
    .a = owren_zennaro4_a,
    .b = owren_zennaro4_b,
    .error = owren_zennaro4_error,
    .c = owren_zennaro4_c,
    .dense_order = 4,
    .dense = owren_zennaro4_dense,
}};

constinit const ExplicitRungeKutta owren_zennaro5{Tableau{
    .name = "owren_zennaro5",
    .order = 5,
    .embedded_order = 4,
    .a = owren_zennaro5_a,
    .b = owren_zennaro5_b,
    .error = owren_zennaro5_error,
    .c = owren_zennaro5_c,
    .dense_order = 5,
    .dense = owren_zennaro5_dense,
}};

}  // namespace fjord::ode
