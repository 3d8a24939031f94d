#include "fjord/bench/fused_kernel.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>
#include <stdexcept>
#include <vector>

#include <xsimd/xsimd.hpp>

namespace fjord::bench {
namespace {

using Batch = xsimd::batch<float>;
using Integers = xsimd::batch<std::int32_t>;
constexpr std::size_t lanes = Batch::size, registers = lanes == 16 ? 32 : 16;

constexpr std::size_t blocks = 4, hidden = 8;
constexpr float base_variance = 0.64f;

using Pair = std::array<Batch, 2>;
using Layer = std::array<Batch, hidden>;
// A hidden layer and its two tangents: the same weights act on all three.
using Triple = std::array<const Batch*, 3>;

template <class T>
struct Network {
  T w1[hidden][4], b1[hidden], w2[hidden][hidden], b2[hidden], w3[2][hidden], b3[2];
};

using Weights = Network<float>;
using Sums = Network<Batch>;  // of the gradient, a partial sum in each lane
static_assert(sizeof(Weights) == FusedStep::weights_per_block * sizeof(float));

// What the backward pass needs of an evaluation. tanh is half of the forward pass: storing beats
// recomputing.
struct Stored {
  Pair z;
  Layer h1, s1, h2, s2;
  std::array<Layer, 2> da2;
};

// Dormand & Prince (1980), RK5(4)7M. The last row of a is b, hence first same as last.
constexpr std::size_t stages = 6;
constexpr float c[stages + 1] = {0, 1.0f / 5, 3.0f / 10, 4.0f / 5, 8.0f / 9, 1, 1};
constexpr float a[stages + 1][stages] = {
    {},
    {1.0f / 5},
    {3.0f / 40, 9.0f / 40},
    {44.0f / 45, -56.0f / 15, 32.0f / 9},
    {19372.0f / 6561, -25360.0f / 2187, 64448.0f / 6561, -212.0f / 729},
    {9017.0f / 3168, -355.0f / 33, 46732.0f / 5247, 49.0f / 176, -5103.0f / 18656},
    {35.0f / 384, 0, 500.0f / 1113, 125.0f / 192, -2187.0f / 6784, 11.0f / 84},
};
constexpr const float (&b)[stages] = a[stages];

inline Batch fma(const Batch& x, const Batch& y, const Batch& z) {
  return xsimd::fma(x, y, z);
}

// Several units at once, instruction by instruction: one tanh is a chain of 20 dependent
// instructions, of which too few fit into the scheduler of the processor for it to find this
// parallelism by itself.
constexpr std::size_t group_size = registers / 8;
using Group = std::array<Batch, group_size>;

template <class F, class... Groups>
inline Group map(F f, const Groups&... x) {
  Group y;
#pragma GCC unroll 8
  for (std::size_t i = 0; i < group_size; ++i) y[i] = f(x[i]...);
  return y;
}

// With m = exp(2 x) - 1: tanh = m / (m + 2), and no digit is lost at either end as m is formed from
// exp(f) - 1 of the reduced argument f; slope 4 e / (1 + e)^2 from e = exp(2 x) for the same
// reason.
inline void tanh(const Batch* x, Batch* value, Batch* slope) {
  const auto times = [](const Batch& u, const Batch& v) { return u * v; };
  Group y;
  std::copy_n(x, group_size, y.begin());
  // The bound comes first so that a NaN passes. Beyond it the slope is below 1e-36.
  y = map([](const Batch& u) { return xsimd::min(Batch(86.0f), u + u); }, y);
  y = map([](const Batch& u) { return xsimd::max(Batch(-86.0f), u); }, y);
  // Adding 1.5 2^23 rounds to an integer, left in the low bits; 127 makes it the exponent of 2^n.
  constexpr float magic = 12582912.0f + 127.0f;
  const Group shifted =
      map([](const Batch& u) { return fma(u, Batch(1.44269504f), Batch(magic)); }, y);
  const Group n = map([](const Batch& u) { return u - Batch(magic); }, shifted);
  const Group power = map(
      [](const Batch& u) {
        return xsimd::bitwise_cast<Batch>(xsimd::bitwise_cast<Integers>(u) << 23);
      },
      shifted);
  // ln 2 in two parts, the first short enough that n times it is exact.
  Group f =
      map([](const Batch& u, const Batch& v) { return fma(u, Batch(-0.693359375f), v); }, n, y);
  f = map([](const Batch& u, const Batch& v) { return fma(u, Batch(2.12194440e-4f), v); }, n, f);
  // (exp(f) - 1 - f) / f^2 is Cephes expf.c.
  Group p = map(
      [](const Batch& u) { return fma(u, Batch(1.9875691500e-4f), Batch(1.3981999507e-3f)); }, f);
  for (const float k : {8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f})
    p = map([k](const Batch& u, const Batch& v) { return fma(u, v, Batch(k)); }, p, f);
  p = map(fma, p, map(times, f, f), f);
  const Group e = map(fma, power, p, power);
  const Group r = map([](const Batch& u) { return Batch(1.0f) / (u + Batch(1.0f)); }, e);
  const Group m = map(fma, power, p, map([](const Batch& u) { return u - Batch(1.0f); }, power));
  std::ranges::copy(map(times, m, r), value);
  std::ranges::copy(
      map([](const Batch& u, const Batch& v) { return (u * v) * (v * Batch(4.0f)); }, e, r), slope);
}

// y[k][i] = (k == 0 ? bias[i] : 0) + sum_j w[i si + j sj] x[k][j], a tile of i in registers. The
// loop over j is not unrolled: gcc would load ahead and spill the sums.
template <std::size_t si, std::size_t sj>
inline void multiply(const float* w, const float* bias, const Triple& x,
                     const std::array<Batch*, 3>& y) {
  constexpr std::size_t tile = registers / 4;
  for (std::size_t i0 = 0; i0 < hidden; i0 += tile) {
    Batch sum[3][tile];
    for (std::size_t i = 0; i < tile; ++i) {
      sum[0][i] = Batch(bias ? bias[i0 + i] : 0.0f);
      sum[1][i] = sum[2][i] = Batch(0.0f);
    }
#pragma GCC unroll 1
    for (std::size_t j = 0; j < hidden; ++j) {
#pragma GCC unroll 8
      for (std::size_t i = 0; i < tile; ++i) {
        const Batch weight(w[(i0 + i) * si + j * sj]);
        sum[0][i] = fma(weight, x[0][j], sum[0][i]);
        sum[1][i] = fma(weight, x[1][j], sum[1][i]);
        sum[2][i] = fma(weight, x[2][j], sum[2][i]);
      }
    }
    for (std::size_t k = 0; k < 3; ++k)
      for (std::size_t i = 0; i < tile; ++i)
        y[k][i0 + i] = sum[k][i];  // copy_n would keep sum in memory
  }
}

// sums[i][j] += sum_k g[k][i] x[k][j]
inline void add_outer(const Triple& g, const Triple& x, Batch (&sums)[hidden][hidden]) {
  constexpr std::size_t height = registers / 8, width = 4;
  for (std::size_t i0 = 0; i0 < hidden; i0 += height)
    for (std::size_t j0 = 0; j0 < hidden; j0 += width) {
      Batch sum[height][width];
      for (std::size_t i = 0; i < height; ++i)
        for (std::size_t j = 0; j < width; ++j) sum[i][j] = sums[i0 + i][j0 + j];
      for (std::size_t k = 0; k < 3; ++k)
        for (std::size_t i = 0; i < height; ++i)
          for (std::size_t j = 0; j < width; ++j)
            sum[i][j] = fma(g[k][i0 + i], x[k][j0 + j], sum[i][j]);
      for (std::size_t i = 0; i < height; ++i)
        for (std::size_t j = 0; j < width; ++j) sums[i0 + i][j0 + j] = sum[i][j];
    }
}

// dz/dt and the trace at (t, s.z); fills the rest of s.
inline void evaluate(const Weights& w, float t, Stored& s, Pair& dz, Batch& trace) {
  Layer a1, a2, v0, v1;
  for (std::size_t j = 0; j < hidden; ++j) {
    const Batch constant(w.b1[j] + (w.w1[j][0] + w.w1[j][1]) * t);
    a1[j] = fma(Batch(w.w1[j][3]), s.z[1], fma(Batch(w.w1[j][2]), s.z[0], constant));
  }
  for (std::size_t j = 0; j < hidden; j += group_size) tanh(&a1[j], &s.h1[j], &s.s1[j]);
  // The unit tangents of z arrive at the first layer as columns of W1.
  for (std::size_t j = 0; j < hidden; ++j) {
    v0[j] = s.s1[j] * Batch(w.w1[j][2]);
    v1[j] = s.s1[j] * Batch(w.w1[j][3]);
  }
  const Triple x{s.h1.data(), v0.data(), v1.data()};
  multiply<hidden, 1>(w.w2[0], w.b2, x, {a2.data(), s.da2[0].data(), s.da2[1].data()});
  for (std::size_t i = 0; i < hidden; i += group_size) tanh(&a2[i], &s.h2[i], &s.s2[i]);
  dz = {Batch(w.b3[0]), Batch(w.b3[1])};
  trace = Batch(0.0f);
  for (std::size_t i = 0; i < hidden; ++i) {
    const Batch w0(w.w3[0][i]), w1(w.w3[1][i]);
    dz[0] = fma(w0, s.h2[i], dz[0]);
    dz[1] = fma(w1, s.h2[i], dz[1]);
    trace = fma(s.s2[i], fma(w0, s.da2[0][i], w1 * s.da2[1][i]), trace);
  }
}

// Of dz/dt and of the trace. The log-density is additive in the trace, so its cotangent is the same
// for all rows.
struct Cotangents {
  Pair slope;
  float trace;
};

// Cotangent of s.z from those of dz/dt and of the trace; adds to the gradient sums.
inline void pull_back(const Weights& w, float t, const Stored& s, const Cotangents& cotangents,
                      Sums& sums, Pair& gz) {
  const auto& [g, g_trace] = cotangents;
  Layer ga2, gd0, gd1, v0, v1, gh1, gv0, gv1;
  for (std::size_t i = 0; i < hidden; ++i) {
    const Batch w0(w.w3[0][i]), w1(w.w3[1][i]), h = s.h2[i], slope = s.s2[i],
                                                gs = slope * Batch(g_trace);
    sums.w3[0][i] += fma(g[0], h, gs * s.da2[0][i]);
    sums.w3[1][i] += fma(g[1], h, gs * s.da2[1][i]);
    gd0[i] = gs * w0;
    gd1[i] = gs * w1;
    // d slope = -2 h slope
    const Batch bend = fma(gd0[i], s.da2[0][i], gd1[i] * s.da2[1][i]);
    ga2[i] = xsimd::fnma(h + h, bend, slope * fma(w0, g[0], w1 * g[1]));
    sums.b2[i] += ga2[i];
    v0[i] = s.s1[i] * Batch(w.w1[i][2]);
    v1[i] = s.s1[i] * Batch(w.w1[i][3]);
  }
  const Triple ga{ga2.data(), gd0.data(), gd1.data()};
  add_outer(ga, {s.h1.data(), v0.data(), v1.data()}, sums.w2);
  multiply<1, hidden>(w.w2[0], nullptr, ga, {gh1.data(), gv0.data(), gv1.data()});
  gz.fill(Batch(0.0f));
  for (std::size_t j = 0; j < hidden; ++j) {
    const Batch w0(w.w1[j][2]), w1(w.w1[j][3]), h = s.h1[j], slope = s.s1[j];
    const Batch g_slope = fma(w0, gv0[j], w1 * gv1[j]);
    const Batch ga1 = slope * xsimd::fnma(h + h, g_slope, gh1[j]);
    gz[0] = fma(w0, ga1, gz[0]);
    gz[1] = fma(w1, ga1, gz[1]);
    sums.w1[j][2] += fma(ga1, s.z[0], slope * gv0[j]);
    sums.w1[j][3] += fma(ga1, s.z[1], slope * gv1[j]);
    sums.b1[j] += ga1;
    sums.w1[j][0] = fma(ga1, Batch(t), sums.w1[j][0]);  // and w1[j][1], as t is there twice
  }
  for (std::size_t k = 0; k < 2; ++k) sums.b3[k] += g[k];
}

inline void add(float factor, const Pair& x, Pair& y) {
  for (std::size_t k = 0; k < 2; ++k) y[k] = fma(Batch(factor), x[k], y[k]);
}

void reduce(Sums& sums, std::span<float> gradient) {
  for (auto& row : sums.w1) row[1] = row[0];
  std::array<Batch, FusedStep::weights_per_block> flat;
  std::memcpy(static_cast<void*>(flat.data()), &sums, sizeof(sums));
  std::ranges::transform(flat, gradient.begin(), [](const Batch& x) { return xsimd::hadd(x); });
}

}  // namespace

struct FusedStep::Workspace {
  std::size_t rows, steps;
  float h;  // below zero: from t = 1 to 0
  std::array<Weights, blocks> weights;
  std::array<Sums, blocks> sums;
  std::vector<Stored> stored;  // [blocks, 6 S + 1]

  Workspace(std::size_t row_count, std::size_t step_count)
      : rows(row_count),
        steps(step_count),
        h(-1.0f / static_cast<float>(step_count)),
        stored(blocks * (stages * step_count + 1)) {}

  float time(std::size_t step, std::size_t stage) const {
    return 1.0f + (static_cast<float>(step) + c[stage]) * h;
  }

  Stored* stored_of(std::size_t block) { return stored.data() + block * (stages * steps + 1); }

  // z goes from data to base, log_det gains the integral of the trace.
  void forward(std::size_t block, Pair& z, Batch& log_det) {
    Stored* s = stored_of(block);
    Pair k[stages + 1];
    Batch trace;
    s->z = z;
    evaluate(weights[block], time(0, 0), *s, k[0], trace);
    for (std::size_t step = 0; step < steps; ++step) {
      for (std::size_t stage = 0; stage < stages; ++stage) {
        log_det = fma(Batch(h * b[stage]), trace, log_det);
        Pair next = z;
        for (std::size_t j = 0; j <= stage; ++j) add(h * a[stage + 1][j], k[j], next);
        (++s)->z = next;
        evaluate(weights[block], time(step, stage + 1), *s, k[stage + 1], trace);
      }
      z = s->z;
      k[0] = k[stages];
    }
  }

  // g: cotangent of z at the end, becomes that at the start.
  void backward(std::size_t block, Pair& g, float g_log_det) {
    const Stored* s = stored_of(block) + stages * steps;  // the last one is for the error alone
    for (std::size_t step = steps; step-- > 0;) {
      Pair gz[stages], g_start = g;
      for (std::size_t stage = stages; stage-- > 0;) {
        Pair gk{g[0] * Batch(h * b[stage]), g[1] * Batch(h * b[stage])};
        for (std::size_t j = stage + 1; j < stages; ++j) add(h * a[j][stage], gz[j], gk);
        pull_back(weights[block], time(step, stage), *--s, {gk, h * b[stage] * g_log_det},
                  sums[block], gz[stage]);
        add(1.0f, gz[stage], g_start);
      }
      g = g_start;
    }
  }

  // Everything but the sums over the batch is row by row, so a vector of rows runs through the
  // whole step alone, and what it stores stays in the L2 cache. Returns the loss summed over such
  // vectors.
  Batch run(const float* x) {
    Pair z{Batch::load_unaligned(x), Batch::load_unaligned(x + rows)};
    Batch log_det(0.0f);
    for (std::size_t block = blocks; block-- > 0;) forward(block, z, log_det);
    const float mean = 1.0f / static_cast<float>(rows);
    Pair g{z[0] * (mean / base_variance), z[1] * (mean / base_variance)};
    for (std::size_t block = 0; block < blocks; ++block) backward(block, g, -mean);
    return fma(z[0], z[0], z[1] * z[1]) * Batch(0.5f / base_variance) - log_det;
  }
};

FusedStep::FusedStep(std::size_t rows, int steps_per_block) {
  if (rows == 0 || rows % 16 != 0)
    throw std::invalid_argument("[FusedStep] rows must be a multiple of 16");
  if (steps_per_block < 1)
    throw std::invalid_argument("[FusedStep] needs at least one step per block");
  workspace_ = std::make_unique<Workspace>(rows, static_cast<std::size_t>(steps_per_block));
}

FusedStep::~FusedStep() = default;

float FusedStep::operator()(std::span<const float> weights, std::span<const float> x,
                            std::span<float> gradient) {
  Workspace& ws = *workspace_;
  if (weights.size() != weight_count || gradient.size() != weight_count || x.size() != 2 * ws.rows)
    throw std::invalid_argument("[FusedStep] weights, x or gradient has the wrong size");
  std::memcpy(ws.weights.data(), weights.data(), sizeof(ws.weights));
  std::memset(static_cast<void*>(ws.sums.data()), 0, sizeof(ws.sums));
  Batch loss(0.0f);
  for (std::size_t row = 0; row < ws.rows; row += lanes) loss += ws.run(x.data() + row);
  for (std::size_t block = 0; block < blocks; ++block)
    reduce(ws.sums[block], gradient.subspan(block * weights_per_block, weights_per_block));
  return xsimd::hadd(loss) / static_cast<float>(ws.rows) +
         std::log(2.0f * std::numbers::pi_v<float> * base_variance);
}

std::size_t FusedStep::evaluations() const {
  return blocks * (stages * workspace_->steps + 1);
}

}  // namespace fjord::bench
