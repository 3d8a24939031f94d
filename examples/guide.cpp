#include <cstdio>

#include "fjord/autodiff/autodiff.hpp"

using namespace fjord;

// The code that docs/guide.md shows.
struct Line {
  Var<double> slope, offset;
};

auto members(Line& line) {
  return std::tie(line.slope, line.offset);
}

void sweeps(Tape<double>& tape) {
  const Tensor<double> numbers{{1, 2, 3}, {4, 5, 6}};
  const Var<double> x = tape.input(numbers);
  const Var<double> y = sum(x * x * x);

  // Numbers: dy/dx = 3 x^2, valid until the next such sweep.
  const TensorView<double> slope = gradient_values<double>(y, {{x}})[0];
  std::printf("%g %g\n", slope(0, 1), slope(1, 2));

  // Nodes: the same, and the tangent of it along ones, 6 x.
  const Var<double> g = pullback<double>({y}, {tape.scalar(1)}, {x})[0];
  const Var<double> tangent = pushforward(x, tape.filled(tape.node(x.index()).shape, 1), g);
  std::printf("%g %g\n", tangent.value()(0, 1), tangent.value()(1, 2));
}

void functions(Tape<double>& tape) {
  const Var<double> x = tape.input({1.0, 2.0});
  const auto f = [](const Var<double>& at) { return exp(sum(at)) + sum(at * at); };
  const Var<double> h = hessian(f, x);
  const Var<double> v = hvp(f, x, tape.input({1.0, 0.0}));
  std::printf("%.4f %.4f\n", h.value()(0, 0), v.value()(0));

  const auto loss = [&](const Line& line) { return sum(square(line.slope * x + line.offset)); };
  const Line slopes = gradient(loss, Line{tape.scalar(3), tape.scalar(1)});
  std::printf("%g %g\n", slopes.slope.item(), slopes.offset.item());
}

void loop(Tape<double>& tape) {
  Tensor<double> x{3.0};
  for (int step = 0; step < 50; ++step) {
    const RewindScope scope(tape);  // what is recorded below ends with this step
    const Var<double> at = tape.input(x);
    const double slope = gradient_values<double>(sum(square(at - 2.0)), {{at}})[0].item();
    x(0) -= 0.25 * slope;
  }
  std::printf("%.6f\n", x(0));
}

void kinks(Tape<double>& tape) {
  const Var<double> x = tape.input({0.0, 4.0});
  const auto safe = [](const Var<double>& at) {
    return sum(
        where(at > 0, sqrt(at), at));  // sqrt has an infinite slope at 0, where it is not chosen
  };
  const auto largest = [](const Var<double>& at) { return max(concatenate({at, at}, 0)); };
  const Var<double> g = gradient(safe, x);
  const Var<double> tie = gradient(largest, x);
  std::printf("%g %g, %g %g\n", g.value()(0), g.value()(1), tie.value()(0), tie.value()(1));
}

int main() {
  Tape<double> tape;
  sweeps(tape);
  functions(tape);
  loop(tape);
  kinks(tape);
}
