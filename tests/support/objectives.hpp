/// Objectives of the field's benchmarks, in Fjord's operations.
///
/// Source:  Srajer, Kukelova & Fitzgibbon, A benchmark of selected algorithmic differentiation tools
///          on some problems in computer vision and machine learning (ADBench), 2018.
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

/// The places in concatenate(log-diagonals [d], strict lower triangle column by column, zero) of the
/// entries of a d x d factor.
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
/// Shapes:  alpha [k], means [k, d], icf [k, d (d + 1) / 2], x [n, d].
template <class T>
Var<T> gmm_objective(const Var<T>& alpha, const Var<T>& means, const Var<T>& icf, const Var<T>& x,
                     const Wishart& wishart) {
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
      reshape(take(concatenate<T>({diagonal, lower, zeros}, 1), factor_places(d), 1), {k, d, d});
  const Var<T> centred = einsum("nj,kij->nki", x, factors) - einsum("kij,kj->ki", factors, means);
  const Var<T> distances = sum(square(centred), {2});
  const Var<T> data = sum(logsumexp(alpha + sum_q - T(0.5) * distances, {1})) -
                      static_cast<T>(n) * logsumexp(alpha);
  const double degrees = static_cast<double>(d + wishart.m + 1);
  const double constant =
      -n * static_cast<double>(d) / 2 * std::log(2 * std::numbers::pi) -
      static_cast<double>(k) *
          (degrees * static_cast<double>(d) * (std::log(wishart.gamma) - 0.5 * std::numbers::ln2) -
           log_multigamma(0.5 * degrees, d));
  const Var<T> prior = (sum(square(diagonal)) + sum(square(lower))) *
                           static_cast<T>(0.5 * wishart.gamma * wishart.gamma) -
                       sum(sum_q) * static_cast<T>(wishart.m);
  return data + prior + static_cast<T>(constant);
}

/// The parameters of one layer of the LSTM below: for each gate a weight and a bias [b].
template <class T>
struct LstmLayer {
  Var<T> wf, bf, wi, bi, wo, bo, wc, bc;
};

/// The loss of a network of LSTM layers that predicts the next of a sequence of inputs [b].
///
/// Shapes:  every Var [b]; two layers for each 16 entries of `parameters`, then three vectors.
template <class T>
Var<T> lstm_objective(const Vars<T>& parameters, const Vars<T>& sequence) {
  const std::size_t count = parameters.size() / 8;
  std::vector<LstmLayer<T>> layers;
  for (std::size_t l = 0; l < count; ++l) {
    const Var<T>* p = &parameters[8 * l];
    layers.push_back({p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]});
  }
  const Var<T>& input_scale = parameters[8 * count];
  const Var<T>& output_scale = parameters[8 * count + 1];
  const Var<T>& output_shift = parameters[8 * count + 2];
  const Var<T> zero = broadcast_to(sequence[0].tape().scalar(T(0)), sequence[0].shape());
  Vars<T> hidden(count, zero);
  Vars<T> cell(count, zero);
  Var<T> total = sequence[0].tape().scalar(T(0));
  for (std::size_t step = 0; step + 1 < sequence.size(); ++step) {
    Var<T> x = sequence[step] * input_scale;
    for (std::size_t l = 0; l < count; ++l) {
      const LstmLayer<T>& p = layers[l];
      const Var<T> forget = sigmoid(x * p.wf + p.bf);
      const Var<T> ingate = sigmoid(hidden[l] * p.wi + p.bi);
      const Var<T> outgate = sigmoid(x * p.wo + p.bo);
      const Var<T> change = tanh(hidden[l] * p.wc + p.bc);
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
