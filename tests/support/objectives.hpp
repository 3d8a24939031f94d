/// Objectives of the field's benchmarks, in Fjord's operations.
///
/// Source:  Srajer, Kukelova & Fitzgibbon, A benchmark of selected algorithmic differentiation
///          tools on some problems in computer vision and machine learning (ADBench), 2018.
#pragma once

#include <cmath>
#include <numbers>

#include "fjord/autodiff/autodiff.hpp"

namespace fjord::test {

/// Hyperparameters of the Wishart prior.
struct Wishart {
  double gamma = 1;
  int m = 0;
};

/// The places in concatenate(log-diagonals [d], strict lower triangle column by column, zero) of
/// the entries of a d x d factor.
inline Tensor<Index> factor_places(Index d) {
  Tensor<Index> places = Tensor<Index>::full({d * d}, d + d * (d - 1) / 2);
  Index next = d;
  for (Index j = 0; j < d; ++j) {
    places(j * d + j) = j;
    for (Index i = j + 1; i < d; ++i) places(i * d + j) = next++;
  }
  return places;
}

/// log Gamma_d(a), the multivariate gamma function.
inline double log_multigamma(double a, Index d) {
  double sum = 0.25 * static_cast<double>(d * (d - 1)) * std::log(std::numbers::pi);
  for (Index j = 0; j < d; ++j) sum += std::lgamma(a - 0.5 * static_cast<double>(j));
  return sum;
}

/// The log-likelihood of a mixture of Gaussians with its prior.
///
/// Shapes:  alpha [k], means [k, d], icf [k, d (d + 1) / 2], x [n, d]; places as factor_places.
template <class T>
Var<T> gmm_objective(const Var<T>& alpha, const Var<T>& means, const Var<T>& icf, const Var<T>& x,
                     const Tensor<Index>& places, const Wishart& wishart) {
  const Index k = means.shape()[0];
  const Index d = means.shape()[1];
  const auto n = static_cast<double>(x.shape()[0]);
  const Index size = d * (d + 1) / 2;
  const Var<T> q = slice(icf, 1, 0, d);
  const Var<T> lower = slice(icf, 1, d, size);
  const Var<T> diagonal = exp(q);
  const Var<T> sum_q = sum(q, {1});
  const Var<T> zeros = broadcast_to(x.tape().scalar(T(0)), {k, 1});
  const Var<T> factors =
      reshape(take(concatenate<T>({diagonal, lower, zeros}, 1), places, 1), {k, d, d});
  // Q (x - mu) as one product, [Q, -Q mu] [x, 1].
  const Var<T> shifts = reshape(-einsum("kij,kj->ki", factors, means), {k, d, 1});
  const Var<T> ones = broadcast_to(x.tape().scalar(T(1)), {x.shape()[0], 1});
  const Var<T> centred =
      einsum("nj,kij->nki", concatenate<T>({x, ones}, 1), concatenate<T>({factors, shifts}, 2));
  const Var<T> distances = sum_squares(centred, {2});
  const Var<T> data = sum(logsumexp(alpha + sum_q - T(0.5) * distances, {1})) -
                      static_cast<T>(n) * logsumexp(alpha);
  const double degrees = static_cast<double>(d + wishart.m + 1);
  const double constant =
      -n * static_cast<double>(d) / 2 * std::log(2 * std::numbers::pi) -
      static_cast<double>(k) *
          (degrees * static_cast<double>(d) * (std::log(wishart.gamma) - 0.5 * std::numbers::ln2) -
           log_multigamma(0.5 * degrees, d));
  const Var<T> prior = (sum_squares(diagonal) + sum_squares(lower)) *
                           static_cast<T>(0.5 * wishart.gamma * wishart.gamma) -
                       sum(sum_q) * static_cast<T>(wishart.m);
  return data + prior + static_cast<T>(constant);
}

/// The loss of a network of two LSTM layers that predicts the next of a sequence of inputs [b].
///
/// Shapes:  every Var [b]; `parameters` holds for each layer and each gate (forget, input, output,
///          change) a weight and a bias, then the scale of the inputs and scale and shift of the
///          predictions: 19 in all.
template <class T>
Var<T> lstm_objective(const Vars<T>& parameters, const Vars<T>& sequence) {
  constexpr std::size_t layers = 2;
  const Var<T>& input_scale = parameters[8 * layers];
  const Var<T>& output_scale = parameters[8 * layers + 1];
  const Var<T>& output_shift = parameters[8 * layers + 2];
  const Var<T> zero = broadcast_to(sequence[0].tape().scalar(T(0)), sequence[0].shape());
  std::array<Var<T>, layers> hidden{zero, zero};
  std::array<Var<T>, layers> cell{zero, zero};
  Var<T> total = sequence[0].tape().scalar(T(0));
  for (std::size_t step = 0; step + 1 < sequence.size(); ++step) {
    Var<T> x = sequence[step] * input_scale;
    for (std::size_t l = 0; l < layers; ++l) {
      const auto gate = [&](const Var<T>& in, std::size_t k) {
        return in * parameters[8 * l + 2 * k] + parameters[8 * l + 2 * k + 1];
      };
      const Var<T> forget = sigmoid(gate(x, 0));
      const Var<T> ingate = sigmoid(gate(hidden[l], 1));
      const Var<T> outgate = sigmoid(gate(x, 2));
      const Var<T> change = tanh(gate(hidden[l], 3));
      cell[l] = cell[l] * forget + ingate * change;
      hidden[l] = outgate * tanh(cell[l]);
      x = hidden[l];
    }
    const Var<T> y = x * output_scale + output_shift;
    total = total + sum(sequence[step + 1] * (y - log(sum(exp(y)) + T(2))));
  }
  const auto terms =
      static_cast<double>(sequence.size() - 1) * static_cast<double>(sequence[0].shape().size());
  return total * static_cast<T>(-1 / terms);
}

/// The sum over points [n, d] of the squared distance to the nearest of the centres [k, d].
template <class T>
Var<T> kmeans_objective(const Var<T>& centres, const Var<T>& points) {
  const Var<T> fixed = stop_gradient(centres);
  const Var<T> distances =
      sum(square(fixed), {1}) - T(2) * matmul(points, transpose(fixed));  // but for |point|^2
  return sum(square(points - take(centres, argmin(distances, 1), 0)));
}

}  // namespace fjord::test
