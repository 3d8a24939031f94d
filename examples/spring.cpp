#include <cstdio>

#include "fjord/fjord.hpp"

using namespace fjord;
using Number = Var<double>;

// The position, one second after release at 1, of a mass on a spring of stiffness k: cos(sqrt(k)).
Number position(const Number& k) {
  const auto motion = [k](const Number&, const Number& y) { return stack({y[1], -k * y[0]}, 0); };
  const Number start = k.tape().input({1, 0});
  return ode::solve(motion, start, {0, 1}, {.rtol = 1e-10, .atol = 1e-10}).y[0];
}

int main() {
  Tape<double> tape;
  const Number k = tape.scalar(4);
  std::printf("position            %9.6f\n", position(k).item());
  std::printf("its derivative in k %9.6f\n", gradient(position, k).item());
  std::printf("the second one      %9.6f\n", hvp(position, k, tape.scalar(1)).item());
}
