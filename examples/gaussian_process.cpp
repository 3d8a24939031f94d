#include <cmath>
#include <cstdio>
#include <numbers>

#include "fjord/autodiff/autodiff.hpp"

using namespace fjord;
using Number = Var<double>;

constexpr Index count = 12;

// Squares of the distances between the points of two lists.
Number squared_distances(const Number& a, const Number& b) {
  return square(reshape(a, {a.shape().size(), 1}) - reshape(b, {1, b.shape().size()}));
}

// A Gaussian process with covariance s^2 exp(-d^2 / 2 l^2), and noise n^2 on top of it; log_scales
// are the logarithms of l, s and n.
struct Process {
  Number x, y, log_scales;

  Number covariance(const Number& a, const Number& b) const {
    const Number inverse = exp(-2.0 * slice(log_scales, 0, 0, 1));
    return exp(2.0 * slice(log_scales, 0, 1, 2) - 0.5 * squared_distances(a, b) * inverse);
  }

  // The factor L of the covariance of the data, L L^T.
  Number factor() const {
    const Number noise = exp(2.0 * slice(log_scales, 0, 2, 3));
    return cholesky(covariance(x, x) + noise * x.tape().input(Tensor<double>::identity(count)));
  }

  // -log p(y), which the fit minimises.
  Number loss() const {
    const Number l = factor();
    const Number fit = 0.5 * sum(y * cholesky_solve(l, y));
    return fit + sum(log(diag(l))) + 0.5 * count * std::log(2 * std::numbers::pi);
  }
};

int main() {
  Tape<double> tape;
  Tensor<double> x = Tensor<double>::zeros({count});
  Tensor<double> y = x;
  for (Index i = 0; i < count; ++i) {
    x(i) = 0.5 * static_cast<double>(i);
    y(i) = std::sin(x(i)) + 0.1 * std::cos(17.0 * static_cast<double>(i));
  }
  const Number points = tape.input(x);
  const Number values = tape.input(y);

  // Newton's method in three unknowns, downhill along every axis of the Hessian, by at most 1/2.
  Tensor<double> log_scales{0.0, 0.0, -1.0};
  for (int step = 0; step < 30; ++step) {
    const RewindScope scope(tape);
    const auto loss = [&](const Number& s) { return Process{points, values, s}.loss(); };
    const Number at = tape.input(log_scales);
    const auto [curvatures, axes] = eigh(hessian(loss, at));
    const Number steps = matmul(transpose(axes), gradient(loss, at)) / abs(curvatures);
    log_scales = Tensor<double>((at - matmul(axes, clamp(steps, -0.5, 0.5))).value());
  }

  const Process fitted{points, values, tape.input(log_scales)};
  const Number place = tape.input({2.75});
  const Number weights = cholesky_solve(fitted.factor(), values);
  std::printf("length %.4f, deviation %.4f, noise %.4f\n", std::exp(log_scales(0)),
              std::exp(log_scales(1)), std::exp(log_scales(2)));
  std::printf("log-likelihood %.6f\n", -fitted.loss().item());
  std::printf("at 2.75: %.4f\n", matmul(fitted.covariance(place, points), weights).item());
}
