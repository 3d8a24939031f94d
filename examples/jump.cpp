#include <cstdio>
#include <tuple>
#include <vector>

#include "fjord/fjord.hpp"

using namespace fjord;
using Number = Var<double>;

// An amount of a drug in the blood: an infusion from begin to end, and losses of k times the
// amount. Derivatives in k, and in the end of the infusion.
constexpr double first = 0.3;
constexpr double rate = 2;
constexpr double begin = 1;
constexpr double last = 6;

auto amount_slope(const Number& k, double end) {
  return [k, end](const Number& t, const Number& amount) {
    const bool flows = t.item() > begin && t.item() < end;
    return (flows ? rate : 0.0) - k * amount;
  };
}

ode::SolveOptions options_with(const std::vector<double>& jumps) {
  return {.rtol = 1e-9, .atol = 1e-9, .jumps = jumps};
}

// An amount and the area under its curve, which are solved for together.
struct Course {
  Number amount, area;
};

auto members(Course& course) {
  return std::tie(course.amount, course.area);
}

Course course(const Number& k, double end) {
  const auto f = [slope = amount_slope(k, end)](const Number& t, const Course& now) {
    return Course{slope(t, now.amount), now.amount};
  };
  const Course start{k.tape().scalar(first), k.tape().scalar(0)};
  return ode::solve(f, start, {0, last}, options_with({begin, end})).y;
}

// The time of a jump is a number to a solve. To take derivatives in it, let two solves meet there.
Number amount_after(const Number& k, const Number& end) {
  const auto filling = amount_slope(k, last);
  const auto emptying = amount_slope(k, begin);  // no infusion any more
  Tape<double>& tape = k.tape();
  const Number start = tape.scalar(first);
  const auto options = options_with({begin});
  const Number full = ode::solve(filling, start, tape.scalar(0), end, options).y;
  return ode::solve(emptying, full, end, tape.scalar(last), options_with({})).y;
}

Number exact_amount(const Number& k, const Number& end) {
  const Number infused = rate / k * (exp(k * (end - last)) - exp(k * (begin - last)));
  return first * exp(k * -last) + infused;
}

Number exact_area(const Number& k, const Number& end) {
  return (first + rate * (end - begin) - exact_amount(k, end)) / k;
}

int main() {
  Tape<double> tape;
  const Number k = tape.scalar(0.5);
  const Number end = tape.scalar(3);

  const auto print = [](const char* what, const Number& solved, const Number& exact) {
    std::printf("%-28s %11.7f %11.7f\n", what, solved.item(), exact.item());
  };
  std::printf("%-28s %11s %11s\n", "", "solved", "closed form");
  const Course at_last = course(k, 3);
  print("amount", at_last.amount, exact_amount(k, end));
  print("area", at_last.area, exact_area(k, end));
  const auto amount = [](const Number& at) { return course(at, 3).amount; };
  const auto area = [](const Number& at) { return course(at, 3).area; };
  const auto to_amount = [&](const Number& at) { return exact_amount(at, end); };
  const auto to_area = [&](const Number& at) { return exact_area(at, end); };
  print("slope of the amount in k", gradient(amount, k), gradient(to_amount, k));
  print("slope of the area in k", gradient(area, k), gradient(to_area, k));
  const auto from_end = [&](const Number& at) { return amount_after(k, at); };
  const auto to_end = [&](const Number& at) { return exact_amount(k, at); };
  print("slope of the amount in end", gradient(from_end, end), gradient(to_end, end));

  // What it costs not to name the jumps.
  const ode::Field<double> f = amount_slope(k, 3);
  const ode::Problem<double> problem{f, tape.scalar(first), {0, last}};
  const auto options = options_with({begin, 3});
  const ode::Report named = ode::solve(problem, options).report;
  const ode::Report unnamed = ode::solve(problem, options_with({})).report;
  std::printf("steps, rejected: %zu, %zu with jumps; %zu, %zu without\n", named.accepted,
              named.rejected, unnamed.accepted, unnamed.rejected);

  const double difference = ode::check_gradient(problem, options, ode::interpolating).largest();
  std::printf("two gradient modes agree: %s\n", difference < 1e-6 ? "yes" : "no");
}
