#include "fjord/tests/support/detest.hpp"

#include <array>
#include <cmath>

namespace fjord::test {
namespace {

using State = std::span<const double>;
using Slope = std::span<double>;
using Numbers = std::vector<double>;

// Heliocentric positions and velocities of the five outer planets, and the masses of the sun with
// the inner planets and of the outer ones.
const Numbers planets{
    3.42947415189,   3.35386959711,   1.35494901715,   6.6414554255,    5.97156957878,
    2.18231499728,   11.2630437207,   14.6952576794,   6.27960525067,   -30.1552268759,
    1.65699966404,   1.43785752721,   -21.123835338,   28.4465098142,   15.3882659679,
    -0.557160570446, 0.505696783289,  0.230578543901,  -0.415570776342, 0.365682722812,
    0.169143213293,  -0.325325669158, 0.189706021964,  0.087726532278,  -0.024047625417,
    -0.287659532608, -0.117219543175, -0.176860753121, -0.216393453025, -0.014864789309};
constexpr std::array masses{1.00000597682,     0.000954786104043, 0.000285583733151,
                            4.37273164546e-05, 5.17759138449e-05, 2.77777777778e-06};
constexpr double gravity = 2.95912208286;

void move_planets(double, State y, Slope dydt) {
  const auto cube = [](double a, double b, double c) {
    const double square = a * a + b * b + c * c;
    return square * std::sqrt(square);
  };
  for (std::size_t j = 0; j < 15; j += 3) {
    const double from_sun = cube(y[j], y[j + 1], y[j + 2]);
    for (std::size_t i = j; i < j + 3; ++i) {
      dydt[i] = y[15 + i];
      dydt[15 + i] = -(masses[0] + masses[1 + j / 3]) * y[i] / from_sun;
    }
    for (std::size_t k = 0; k < 15; k += 3) {
      if (k == j) continue;
      const double apart = cube(y[k] - y[j], y[k + 1] - y[j + 1], y[k + 2] - y[j + 2]);
      const double other_from_sun = cube(y[k], y[k + 1], y[k + 2]);
      for (std::size_t i = 0; i < 3; ++i) {
        dydt[15 + j + i] +=
            masses[1 + k / 3] * ((y[k + i] - y[j + i]) / apart - y[k + i] / other_from_sun);
      }
    }
  }
  for (std::size_t i = 15; i < 30; ++i) dydt[i] *= gravity;
}

void diffuse(double, State y, Slope dydt) {
  for (std::size_t i = 0; i < y.size(); ++i)
    dydt[i] = (i > 0 ? y[i - 1] : 0) - 2 * y[i] + (i + 1 < y.size() ? y[i + 1] : 0);
}

// A chain of ten decays at those rates, the last of which stays.
template <class Rate>
ode::PlainField chain(Rate rate) {
  return [rate](double, State y, Slope dydt) {
    for (std::size_t i = 0; i < 10; ++i)
      dydt[i] = (i > 0 ? rate(i - 1) * y[i - 1] : 0) - (i < 9 ? rate(i) * y[i] : 0);
  };
}

void attract(double, State y, Slope dydt) {
  const double square = y[0] * y[0] + y[1] * y[1];
  const double cube = square * std::sqrt(square);
  dydt[0] = y[2];
  dydt[1] = y[3];
  dydt[2] = -y[0] / cube;
  dydt[3] = -y[1] / cube;
}

Numbers perihelion(double e) {
  return {1 - e, 0, 0, std::sqrt((1 + e) / (1 - e))};
}

Numbers first_of(std::size_t size) {
  Numbers y(size);
  y[0] = 1;
  return y;
}

template <class F>
ode::PlainField scalar(F f) {
  return [f](double t, State y, Slope dydt) { dydt[0] = f(t, y[0]); };
}

// y'' = f(t, y, y').
template <class F>
ode::PlainField second_order(F f) {
  return [f](double t, State y, Slope dydt) {
    dydt[0] = y[1];
    dydt[1] = f(t, y[0], y[1]);
  };
}

void fight(double, State y, Slope dydt) {
  dydt[0] = 2 * (y[0] - y[0] * y[1]);
  dydt[1] = -(y[1] - y[0] * y[1]);
}

void react_linearly(double, State y, Slope dydt) {
  dydt[0] = -y[0] + y[1];
  dydt[1] = y[0] - 2 * y[1] + y[2];
  dydt[2] = y[1] - y[2];
}

void react(double, State y, Slope dydt) {
  dydt[0] = -y[0];
  dydt[1] = y[0] - y[1] * y[1];
  dydt[2] = y[1] * y[1];
}

void wind_round_torus(double, State y, Slope dydt) {
  const double r = std::sqrt(y[0] * y[0] + y[1] * y[1]);
  dydt[0] = -y[1] - y[0] * y[2] / r;
  dydt[1] = y[0] - y[1] * y[2] / r;
  dydt[2] = y[0] / r;
}

void turn(double, State y, Slope dydt) {
  dydt[0] = y[1] * y[2];
  dydt[1] = -y[0] * y[2];
  dydt[2] = -0.51 * y[0] * y[1];
}

const std::vector<Numbers> ends{
    {2.0611536224385578e-9},                                            // A1
    {0.21821789023599238},                                              // A2
    {2.4916502718504145},                                               // A3
    {17.73016648131484},                                                // A4
    {-0.78878266889642059},                                             // A5
    {0.67618760085766164, 0.18608160996400307},                         // B1
    {1.0000000010305768, 1.0, 0.99999999896942319},                     // B2
    {2.0611536224385579e-9, 0.052572280220485118, 0.9474277177183604},  // B3
    {0.98269509280065758, 2.1984470816949355, 0.91294525072762676},     // B4
    {-0.93965707987292284, -0.34211777540006944, 0.74141265961999422},  // B5
    {2.0611536224385578e-9, 4.1223072448771157e-8, 4.1223072448771157e-7, 2.7482048299180771e-6,
     1.3741024149590386e-5, 5.4964096598361542e-5, 0.00018321365532787181, 0.00052346758665106231,
     0.0013086689666276558, 0.99791274095086498},  // C1
    {2.0611536224385578e-9, 2.0611536181902036e-9, 2.0611536139418493e-9, 2.0611536096934951e-9,
     2.0611536054451409e-9, 2.0611536011967866e-9, 2.0611535969484324e-9, 2.0611535927000782e-9,
     2.061153588451724e-9, 0.99999998144961755},  // C2
    {0.0029481192110226994, 0.0056353801548452959, 0.0078290725159270383, 0.0093482579085955971,
     0.010079436103019805, 0.009982674171429489, 0.0090886933327653319, 0.007489115195185085,
     0.0053229641309526756, 0.0027624343790295144},  // C3
    {0.003124111453722103,   0.0060154168421513227,  0.0084700218348436107,  0.010336829317333923,
     0.011532495728739204,   0.012045495257379124,   0.011929570680152192,   0.011288832071111288,
     0.010258045013909881,   0.00898201758193417,    0.0075975009024927279,  0.0062199205568253672,
     0.0049359163410094624,  0.0038014325442563048,  0.0028442136775879204,  0.0020691233942225834,
     0.0014646872828437805,  0.0010095452639410039,  0.0006779354330226245,  0.00044378152691182428,
     0.00028332645429390632, 0.00017650057987970975, 0.000107334259269755,   6.3744976017795544e-5,
     3.6986453097054484e-5,  2.097466832644101e-5,   1.162956710412348e-5,   6.306710405778984e-6,
     3.3462864308642112e-6,  1.7377600741811661e-6,  8.8353669042576305e-7,  4.39952041112023e-7,
     2.1461818971516787e-7,  1.0259812116573905e-7,  4.8078640688164995e-8,  2.2091751525026646e-8,
     9.9562512633320344e-9,  4.4021936538630752e-9,  1.9101493822598891e-9,  8.13589292167481e-10,
     3.4024771185674607e-10, 1.3974856174900842e-10, 5.6385753023372391e-11, 2.2354597073415191e-11,
     8.710498031903506e-12,  3.3365542723879093e-12, 1.2566795659787626e-12, 4.6543590427571277e-13,
     1.6935591399749388e-13, 5.9965937883867122e-14, 1.8913306910279897e-14},  // C4
    {-4.7927302243235902,   -2.4205507254490483,  -0.92125093060152372, -4.2173104040352008,
     7.3562029474989778,    3.2237859854212153,   4.0355594432622723,   17.198655286705525,
     7.4789107942337035,    -29.987593263248452,  -4.1073109375509324,  -0.92770083217543992,
     -24.421253025184837,   23.814590457465555,   14.920963069513581,   0.34992089630640715,
     -0.57484876879127856,  -0.25516940208791391, -0.523704097890332,   -0.24930004635796574,
     -0.080453416420444325, -0.38752892373341105, 0.056486032887678639, 0.030236064721433326,
     0.041338565467124431,  -0.2862393029841385,  -0.11830324051362058, -0.15119864573592056,
     -0.24600688943187624,  -0.031896874113238754},                                            // C5
    {0.21988353520083965, 0.94270768463418131, -0.97876598410581765, 0.3287977990962036},      // D1
    {-0.17770273571404115, 0.94677847199058926, -1.0302941631929696, 0.12110748900539523},     // D2
    {-0.57804329530353612, 0.86338400091941928, -0.95950837303807274, -0.065049151267120902},  // D3
    {-0.95389902934163936, 0.6907409024219432, -0.82126742708774334, -0.15395742591258246},    // D4
    {-1.2952662509875744, 0.40039389637923211, -0.67753909247075657, -0.12708381542786861},    // D5
    {0.14567236007282468, -0.098835001955745789},                                              // E1
    {2.0081497621749487, -0.042508875273202981},                                               // E2
    {-0.10041788586472192, 0.24114001320959252},                                               // E3
    {33.950914446465563, 0.27678226596728672},                                                 // E4
    {14.117973905426255, 2.4},                                                                 // E5
};

}  // namespace

std::vector<DetestProblem> detest_problems() {
  const auto as_double = [](std::size_t i) { return static_cast<double>(i); };
  std::vector<DetestProblem> problems{
      {"A1", scalar([](double, double y) { return -y; }), {1}, {}},
      {"A2", scalar([](double, double y) { return -y * y * y / 2; }), {1}, {}},
      {"A3", scalar([](double t, double y) { return y * std::cos(t); }), {1}, {}},
      {"A4", scalar([](double, double y) { return y / 4 * (1 - y / 20); }), {1}, {}},
      {"A5", scalar([](double t, double y) { return (y - t) / (y + t); }), {4}, {}},
      {"B1", fight, {1, 3}, {}},
      {"B2", react_linearly, {2, 0, 1}, {}},
      {"B3", react, {1, 0, 0}, {}},
      {"B4", wind_round_torus, {3, 0, 0}, {}},
      {"B5", turn, {0, 1, 1}, {}},
      {"C1", chain([](std::size_t) { return 1.0; }), first_of(10), {}},
      {"C2", chain([=](std::size_t i) { return as_double(i + 1); }), first_of(10), {}},
      {"C3", diffuse, first_of(10), {}},
      {"C4", diffuse, first_of(51), {}},
      {"C5", move_planets, planets, {}},
      {"D1", attract, perihelion(0.1), {}},
      {"D2", attract, perihelion(0.3), {}},
      {"D3", attract, perihelion(0.5), {}},
      {"D4", attract, perihelion(0.7), {}},
      {"D5", attract, perihelion(0.9), {}},
      {"E1",
       second_order([](double t, double y, double v) {
         return -(v / (t + 1) + (1 - 0.25 / ((t + 1) * (t + 1))) * y);
       }),
       {0.6713967071418030, 0.09540051444747446},
       {}},
      {"E2",
       second_order([](double, double y, double v) { return (1 - y * y) * v - y; }),
       {2, 0},
       {}},
      {"E3",
       second_order([](double t, double y, double) {
         return y * y * y / 6 - y + 2 * std::sin(2.78535 * t);
       }),
       {0, 0},
       {}},
      {"E4",
       second_order([](double, double, double v) { return 0.032 - 0.4 * v * v; }),
       {30, 0},
       {}},
      {"E5",
       second_order([](double t, double, double v) { return std::sqrt(1 + v * v) / (25 - t); }),
       {0, 0},
       {}}};
  for (std::size_t i = 0; i < problems.size(); ++i) problems[i].end = ends[i];
  return problems;
}

}  // namespace fjord::test
