#include "fjord/autodiff/eigen.hpp"

#include <Eigen/Dense>
#include <array>
#include <cstdio>
#include <vector>

#include "fjord/autodiff/autodiff.hpp"

using namespace fjord;

// The part of the program that does not know Fjord.
struct Particle {
  double mass;
  double velocity[3];
};

// Views of it, without a copy; Eigen's matrices are stored as Fjord's are.
TensorView<double> view_of(const Eigen::MatrixXd& m) {
  return {m.data(), {m.rows(), m.cols()}, Order::column_major};
}

constexpr std::array<Index, 2> particle_strides{sizeof(Particle) / sizeof(double), 1};

TensorView<double> masses_of(const std::vector<Particle>& particles) {
  return {&particles[0].mass, {std::ssize(particles), 1}, particle_strides};
}

TensorView<double> velocities_of(const std::vector<Particle>& particles) {
  return {&particles[0].velocity[0], {std::ssize(particles), 3}, particle_strides};
}

int main() {
  Tape<double> tape;

  // |A x - b|^2 / 2 has the gradient A^T (A x - b).
  Eigen::MatrixXd a(3, 2), x(2, 1), b(3, 1);
  a << 1, 2, 3, 4, 5, 6;
  x << 0.5, -1;
  b << 1, 0, -1;
  const Var<double> matrix = tape.borrow(view_of(a));
  const auto loss = [&](const Var<double>& at) {
    return 0.5 * sum(square(matmul(matrix, at) - tape.borrow(view_of(b))));
  };
  const Var<double> slope = gradient(loss, tape.borrow(view_of(x)));
  const Eigen::Map<const Eigen::MatrixXd> g(slope.value().data(), 2, 1);
  std::printf("read in place: %s\n", matrix.value().data() == a.data() ? "yes" : "no");
  std::printf("gradient %.6f, %.6f\n", g(0), g(1));
  std::printf("Eigen's  %.6f, %.6f\n", (a.transpose() * (a * x - b))(0),
              (a.transpose() * (a * x - b))(1));

  // Numbers that lie apart are gathered into the tape. The slope of the energy is the momentum.
  const std::vector<Particle> particles{{2.0, {1, 0, -1}}, {0.5, {4, 2, 0}}};
  const Var<double> mass = tape.borrow(masses_of(particles));
  const auto energy = [&](const Var<double>& v) { return 0.5 * sum(mass * square(v)); };
  const auto momentum = gradient(energy, tape.borrow(velocities_of(particles)));
  for (int i = 0; i < 2; ++i)
    std::printf("momentum %.1f, %.1f, %.1f\n", momentum.value()(i, 0), momentum.value()(i, 1),
                momentum.value()(i, 2));

  // Eigen's decompositions run with numbers on a tape: the gradient of log det A is its inverse.
  using Matrix = Eigen::Matrix<Scalar<double>, 2, 2>;
  const auto log_det = [](const Matrix& at) { return log(at.partialPivLu().determinant()); };
  Matrix at;
  at << Scalar<double>(tape.scalar(2)), Scalar<double>(tape.scalar(1)), 1, 3;
  const Matrix inverse = gradient(log_det, at);
  std::printf("inverse  %.1f, %.1f, %.1f, %.1f\n", inverse(0, 0).value(), inverse(0, 1).value(),
              inverse(1, 0).value(), inverse(1, 1).value());
}
