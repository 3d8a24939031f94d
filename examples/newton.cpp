#include <cstdio>
#include <numeric>
#include <vector>

#include "fjord/autodiff/autodiff.hpp"

using namespace fjord;
using Vector = std::vector<double>;
constexpr Index size = 1000;

// Rosenbrock's valleys side by side; the minimum is 0, at (1, ..., 1).
Var<double> valleys(const Var<double>& x) {
  const auto a = slice(x, 0, 0, size, 2);
  const auto b = slice(x, 0, 1, size, 2);
  return sum(square(1.0 - a) + 100.0 * square(b - square(a)));
}

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

Vector sum_of(const Vector& a, double factor, const Vector& b) {
  Vector result = a;
  for (std::size_t i = 0; i < a.size(); ++i) result[i] += factor * b[i];
  return result;
}

Vector numbers_of(const Var<double>& x) {
  return Tensor<double>(x.value()).to_vector();
}

Var<double> on(Tape<double>& tape, const Vector& x) {
  return tape.input(Tensor<double>::from({size}, x));
}

// The step p of H p = -g by conjugate gradients, which need only products of H with vectors.
// They stop where the valley is not convex, or as soon as p is precise enough at this x.
Vector newton_step(Tape<double>& tape, const Vector& x, const Vector& g) {
  Vector p(size, 0.0);
  Vector residual = sum_of(p, -1, g);
  Vector direction = residual;
  double left = dot(residual, residual);
  const double enough = left * std::min(0.25, left);
  while (left > enough) {
    const RewindScope scope(tape);
    const Vector h = numbers_of(hvp(valleys, on(tape, x), on(tape, direction)));
    const double curvature = dot(direction, h);
    if (curvature <= 0) return dot(p, p) > 0 ? p : direction;
    p = sum_of(p, left / curvature, direction);
    residual = sum_of(residual, -left / curvature, h);
    const double next = dot(residual, residual);
    direction = sum_of(residual, next / left, direction);
    left = next;
  }
  return p;
}

int main() {
  Tape<double> tape;
  Vector x(size, 1.0);
  for (std::size_t i = 0; i < size; i += 2) x[i] = -1.2;
  for (int step = 0; step < 100; ++step) {
    const RewindScope scope(tape);
    const auto [value, slope] = value_and_gradient(valleys, on(tape, x));
    const Vector g = numbers_of(slope);
    if (step % 5 == 0) std::printf("step %2d: %.3e\n", step, value.item());
    if (dot(g, g) < 1e-20) break;
    const Vector p = newton_step(tape, x, g);
    double length = 1;
    while (valleys(on(tape, sum_of(x, length, p))).item() >
           value.item() + 1e-4 * length * dot(g, p))
      length /= 2;
    x = sum_of(x, length, p);
  }
  const auto [lowest, highest] = std::minmax_element(x.begin(), x.end());
  std::printf("the minimum lies between %.9f and %.9f in each of %td directions\n", *lowest,
              *highest, size);
}
