#include "fjord/bench/gmm_by_hand.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <xsimd/xsimd.hpp>

namespace fjord::bench {
namespace {

using Batch = xsimd::batch<double>;
constexpr std::size_t lanes = Batch::size;
// Points that go through all components together: few enough for the caches.
constexpr std::size_t block = 64;
constexpr std::size_t vectors = block / lanes;

// One component: its factor row by row with the diagonal's exponentials, and sums of derivatives.
struct Component {
  std::vector<double> mean;
  std::vector<double> factor;  // [d, d], lower
  double offset;               // alpha + sum q
  double g_offset = 0;
  std::vector<Batch> g_factor;
  std::vector<Batch> g_mean;
};

std::size_t place(std::size_t i, std::size_t j, std::size_t d) {
  // Strict lower triangle, column by column, behind the d log-diagonals.
  return d + j * d - j * (j + 1) / 2 + i - j - 1;
}

std::vector<Component> read_components(const Mixture& m,
                                       const MixtureParameters<const double>& at) {
  std::vector<Component> components(m.k);
  for (std::size_t k = 0; k < m.k; ++k) {
    Component& c = components[k];
    c.mean.resize(m.d);
    c.factor.assign(m.d * m.d, 0);
    c.g_factor.assign(m.d * m.d, Batch(0.0));
    c.g_mean.assign(m.d, Batch(0.0));
    c.offset = at.alpha[k];
    for (std::size_t i = 0; i < m.d; ++i) {
      c.mean[i] = at.means[i * m.k + k];
      c.offset += at.icf[i * m.k + k];
      c.factor[i * m.d + i] = std::exp(at.icf[i * m.k + k]);
      for (std::size_t j = 0; j < i; ++j)
        c.factor[i * m.d + j] = at.icf[place(i, j, m.d) * m.k + k];
    }
  }
  return components;
}

struct Workspace {
  std::vector<Batch> x;         // [d, vectors]
  std::vector<Batch> centred;   // [d, vectors]
  std::vector<Batch> scaled;    // [k, d, vectors]
  std::vector<Batch> exponent;  // [k, vectors]

  explicit Workspace(const Mixture& m)
      : x(m.d * vectors),
        centred(m.d * vectors),
        scaled(m.k * m.d * vectors),
        exponent(m.k * vectors) {}
};

void centre(const Component& c, std::size_t d, Workspace& w) {
  for (std::size_t j = 0; j < d; ++j) {
    for (std::size_t v = 0; v < vectors; ++v)
      w.centred[j * vectors + v] = w.x[j * vectors + v] - Batch(c.mean[j]);
  }
}

void forward(const Component& c, std::size_t k, std::size_t d, Workspace& w) {
  centre(c, d, w);
  Batch squares[vectors];
  std::fill_n(squares, vectors, Batch(0.0));
  for (std::size_t i = 0; i < d; ++i) {
    Batch z[vectors];
    std::fill_n(z, vectors, Batch(0.0));
    for (std::size_t j = 0; j <= i; ++j) {
      const Batch factor(c.factor[i * d + j]);
      for (std::size_t v = 0; v < vectors; ++v)
        z[v] = xsimd::fma(factor, w.centred[j * vectors + v], z[v]);
    }
    for (std::size_t v = 0; v < vectors; ++v) {
      squares[v] = xsimd::fma(z[v], z[v], squares[v]);
      w.scaled[(k * d + i) * vectors + v] = z[v];
    }
  }
  for (std::size_t v = 0; v < vectors; ++v)
    w.exponent[k * vectors + v] = Batch(c.offset) - Batch(0.5) * squares[v];
}

// Exponents become weights; returns the sum of log sum exp over the points that are there.
double normalise(std::size_t components, std::size_t points, Workspace& w) {
  double total = 0;
  for (std::size_t v = 0; v < vectors; ++v) {
    Batch largest = w.exponent[v];
    for (std::size_t k = 1; k < components; ++k)
      largest = xsimd::max(largest, w.exponent[k * vectors + v]);
    Batch sum(0.0);
    for (std::size_t k = 0; k < components; ++k) {
      Batch& e = w.exponent[k * vectors + v];
      e = xsimd::exp(e - largest);
      sum += e;
    }
    const Batch results = largest + xsimd::log(sum);
    double mask[lanes];
    double numbers[lanes];
    results.store_unaligned(numbers);
    for (std::size_t i = 0; i < lanes; ++i) {
      mask[i] = v * lanes + i < points ? 1 : 0;
      if (mask[i] != 0) total += numbers[i];
    }
    const Batch share = Batch::load_unaligned(mask) / sum;
    for (std::size_t k = 0; k < components; ++k) w.exponent[k * vectors + v] *= share;
  }
  return total;
}

void backward(Component& c, std::size_t k, std::size_t d, Workspace& w) {
  centre(c, d, w);
  const Batch* weight = &w.exponent[k * vectors];
  Batch sum(0.0);
  for (std::size_t v = 0; v < vectors; ++v) sum += weight[v];
  c.g_offset += xsimd::hadd(sum);
  for (std::size_t i = 0; i < d; ++i) {
    Batch g[vectors];
    Batch g_sum(0.0);
    for (std::size_t v = 0; v < vectors; ++v) {
      g[v] = -(weight[v] * w.scaled[(k * d + i) * vectors + v]);
      g_sum += g[v];
    }
    for (std::size_t j = 0; j <= i; ++j) {
      Batch total = c.g_factor[i * d + j];
      for (std::size_t v = 0; v < vectors; ++v)
        total = xsimd::fma(g[v], w.centred[j * vectors + v], total);
      c.g_factor[i * d + j] = total;
      c.g_mean[j] = xsimd::fnma(Batch(c.factor[i * d + j]), g_sum, c.g_mean[j]);
    }
  }
}

void write_gradient(const Mixture& m, const std::vector<Component>& components,
                    const MixtureParameters<const double>& at,
                    const MixtureParameters<double>& gradient) {
  const double largest = *std::max_element(at.alpha.begin(), at.alpha.end());
  double sum = 0;
  for (const double a : at.alpha) sum += std::exp(a - largest);
  for (std::size_t k = 0; k < m.k; ++k) {
    const Component& c = components[k];
    gradient.alpha[k] =
        c.g_offset - static_cast<double>(m.n) * std::exp(at.alpha[k] - largest) / sum;
    for (std::size_t i = 0; i < m.d; ++i) {
      const double diagonal = c.factor[i * m.d + i];
      gradient.means[i * m.k + k] = xsimd::hadd(c.g_mean[i]);
      gradient.icf[i * m.k + k] =
          c.g_offset + (xsimd::hadd(c.g_factor[i * m.d + i]) + diagonal) * diagonal;
      for (std::size_t j = 0; j < i; ++j) {
        gradient.icf[place(i, j, m.d) * m.k + k] =
            xsimd::hadd(c.g_factor[i * m.d + j]) + c.factor[i * m.d + j];
      }
    }
  }
}

double prior_and_weights(const Mixture& m, const MixtureParameters<const double>& at) {
  double value = 0;
  for (std::size_t i = 0; i < at.icf.size(); ++i)
    value += 0.5 * (i < m.d * m.k ? std::exp(2 * at.icf[i]) : at.icf[i] * at.icf[i]);
  const double largest = *std::max_element(at.alpha.begin(), at.alpha.end());
  double sum = 0;
  for (const double a : at.alpha) sum += std::exp(a - largest);
  return value - static_cast<double>(m.n) * (largest + std::log(sum));
}

}  // namespace

double gmm_gradient(const Mixture& m, const MixtureParameters<const double>& at,
                    const MixtureParameters<double>& gradient) {
  std::vector<Component> components = read_components(m, at);
  Workspace w(m);
  double value = prior_and_weights(m, at);
  for (std::size_t first = 0; first < m.n; first += block) {
    const std::size_t points = std::min(block, m.n - first);
    for (std::size_t j = 0; j < m.d; ++j) {
      double column[block] = {};
      std::copy_n(m.x.begin() + static_cast<std::ptrdiff_t>(j * m.n + first), points, column);
      for (std::size_t v = 0; v < vectors; ++v)
        w.x[j * vectors + v] = Batch::load_unaligned(column + v * lanes);
    }
    for (std::size_t k = 0; k < m.k; ++k) forward(components[k], k, m.d, w);
    value += normalise(m.k, points, w);
    for (std::size_t k = 0; k < m.k; ++k) backward(components[k], k, m.d, w);
  }
  write_gradient(m, components, at, gradient);
  return value;
}

}  // namespace fjord::bench
