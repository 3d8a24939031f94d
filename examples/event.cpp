#include <cmath>
#include <cstdio>
#include <vector>

#include "fjord/fjord.hpp"

using namespace fjord;
using Number = Var<double>;

constexpr double gravity = 9.81;
constexpr double elevation = 0.6;  // of the throw, in radians
constexpr double bounce = 0.8;     // the part of the vertical speed that a bounce leaves

// A ball in the air: place, height, and the speeds of both.
Number fall(const Number&, const Number& ball) {
  Tape<double>& tape = ball.tape();
  return stack({ball[2], ball[3], tape.scalar(0), tape.scalar(-gravity)}, 0);
}

// Where and when a ball that was in the air at t0 reaches the ground.
ode::Occurrence<double> landing(const Number& ball, const Number& t0) {
  const ode::Field<double> f = fall;
  const auto height = [](const Number&, const Number& at) { return at[1]; };
  const Number t1 = t0 + 100.0;
  ode::Problem<double> problem{f, ball, {t0.item(), t1.item()}, {t0, t1}};
  problem.events = {{height, ode::Crossing::falling, /*is_terminal=*/true}};
  return ode::solve(problem, {.rtol = 1e-10, .atol = 1e-10}).occurrences.at(0);
}

struct Landing {
  Number t, place;
};

// The first landings of a ball that is thrown from the ground.
std::vector<Landing> landings(const Number& speed, int count) {
  const Number zero = speed.tape().scalar(0);
  Number t = zero;
  Number ball = stack({zero, zero, speed * std::cos(elevation), speed * std::sin(elevation)}, 0);
  std::vector<Landing> result;
  for (int i = 0; i < count; ++i) {
    const ode::Occurrence<double> ground = landing(ball, t);
    t = ground.t;
    result.push_back({t, ground.y[0]});
    ball = stack({ground.y[0], zero, ground.y[2], -bounce * ground.y[3]}, 0);
  }
  return result;
}

int main() {
  const double speed = 10;
  Tape<double> tape;
  const Number at = tape.scalar(speed);
  std::printf("landing                       solved  closed form\n");
  const auto print = [](int number, const char* what, double solved, double exact) {
    std::printf("%d %-22s %11.7f %11.7f\n", number, what, solved, exact);
  };
  const auto slope = [&](const Number& of) { return gradient_values(of, {at})[0].item(); };
  double flight = 2 * speed * std::sin(elevation) / gravity;
  double time = 0;
  int number = 0;
  for (const auto& [t, x] : landings(at, 3)) {
    ++number;
    time += flight;
    flight *= bounce;
    const double place = speed * std::cos(elevation) * time;
    print(number, "time", t.item(), time);
    print(number, "time's slope in speed", slope(t), time / speed);
    print(number, "place", x.item(), place);
    print(number, "place's slope in speed", slope(x), 2 * place / speed);
  }
}
