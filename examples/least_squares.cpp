#include <cstdio>

#include "fjord/autodiff/autodiff.hpp"

using namespace fjord;
using Number = Var<double>;

// Problem Misra1a of NIST's Statistical Reference Datasets: y = b0 (1 - exp(-b1 x)).
const Tensor<double> x{77.6,  114.9, 141.1, 190.8, 239.9, 289.0, 332.8,
                       378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0};
const Tensor<double> y{10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02,
                       44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78};

Number residuals(const Number& b) {
  const Number curve = slice(b, 0, 0, 1) * (1.0 - exp(-slice(b, 0, 1, 2) * b.tape().input(x)));
  return curve - b.tape().input(y);
}

int main() {
  Tape<double> tape;
  Tensor<double> b{500, 1e-4};
  double damping = 1e-3;  // Levenberg's, in Marquardt's scale
  double best = sum(square(residuals(tape.input(b)))).item();
  for (int step = 0; step < 200; ++step) {
    const RewindScope scope(tape);
    const Number at = tape.input(b);
    const Number j = jacobian(residuals, at);
    const Number normal = matmul(transpose(j), j);
    const Number slope = matmul(transpose(j), residuals(at));
    const Number next = at - solve(normal + damping * diag(diag(normal)), slope);
    const double now = sum(square(residuals(next))).item();
    damping *= now <= best ? 0.3 : 2;
    if (now > best) continue;
    b = Tensor<double>(next.value());
    best = now;
  }
  std::printf("b = %.8e, %.8e\n", b(0), b(1));
  std::printf("sum of squares %.8e\n", best);
}
