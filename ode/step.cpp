#include "fjord/ode/step.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/simd.hpp"

namespace fjord::ode {

namespace simd = kernels::simd;

namespace {

template <class T>
const T* numbers(const Var<T>& var) {
  return var.tape().node(var, "solve").value;
}

template <class T>
Index size_of(const Var<T>& var) {
  return var.tape().node(var, "solve").shape.size;
}

double mean_root(double sum, Index size) {
  return size == 0 ? 0 : std::sqrt(sum / static_cast<double>(size));
}

}  // namespace

template <class T>
Var<T> evaluate(const Field<T>& f, const Var<T>& t, const Var<T>& y) {
  const Var<T> slope = f(t, y);
  const NodeShape shape = y.tape().node(slope, "solve").shape;
  require(shape == y.tape().node(y, "solve").shape, "solve", [&] {
    return "the field must return the shape of its state, " + to_string(y.shape()) + ", got " +
           to_string(shape.shape());
  });
  return slope;
}

template <class T>
double error_norm(const SolveOptions& options, double h, const Stages<T>& stages, const Var<T>& y,
                  const Var<T>& y_next) {
  using Batch = simd::Batch<T>;
  const std::span<const double> weights = options.method->error;
  std::array<const T*, max_stages> slopes;
  std::array<Batch, max_stages> factors;
  std::size_t count = 0;
  for (std::size_t j = 0; j < weights.size(); ++j) {
    if (weights[j] == 0) continue;
    slopes[count] = numbers(stages[j]);
    factors[count++] = Batch(static_cast<T>(h * weights[j]));
  }
  const Batch rtol(static_cast<T>(options.rtol));
  const Batch atol(static_cast<T>(options.atol));
  const T* before = numbers(y);
  const T* after = numbers(y_next);
  const auto square_at = [&](auto load) {
    Batch error(T(0));
    for (std::size_t j = 0; j < count; ++j) error = xsimd::fma(factors[j], load(slopes[j]), error);
    // max(NaN, x) may be x, so that a NaN state is seen by its own term and not by the maximum.
    const Batch scale =
        xsimd::fma(rtol, xsimd::max(xsimd::abs(load(before)), xsimd::abs(load(after))), atol);
    const Batch ratio = error / scale + (load(after) - load(after));
    return ratio * ratio;
  };
  const Index size = size_of(y);
  double sum = 0;
  Index i = 0;
  for (; i + simd::width<T> <= size; i += simd::width<T>) {
    sum += static_cast<double>(
        simd::sum_of_lanes<T>(square_at([&](const T* run) { return simd::load(run, i); })));
  }
  if (i < size) {
    const Batch squares =
        square_at([&](const T* run) { return simd::load_part(run, i, size - i); });
    std::array<T, Batch::size> lanes;
    squares.store_unaligned(lanes.data());
    for (Index k = 0; k < size - i; ++k)
      sum += static_cast<double>(lanes[static_cast<std::size_t>(k)]);
  }
  return mean_root(sum, size);
}

template <class T>
double scaled_norm(const SolveOptions& options, const Var<T>& x, const Var<T>& y) {
  const simd::Batch<T> rtol(static_cast<T>(options.rtol));
  const simd::Batch<T> atol(static_cast<T>(options.atol));
  const double sum = simd::sum<T>(
      size_of(x),
      [&](const auto& u, const auto& v) {
        const simd::Batch<T> ratio = u / xsimd::fma(rtol, xsimd::abs(v), atol);
        return ratio * ratio;
      },
      numbers(x), numbers(y));
  return mean_root(sum, size_of(x));
}

template <class T>
bool is_finite(const Var<T>& x) {
  // v - v is 0 for a number, and NaN for all else.
  return simd::sum<T>(
             size_of(x), [](const auto& v) { return v - v; }, numbers(x)) == 0;
}

double starting_step(double state_norm, double slope_norm, int order, double longest,
                     const std::function<double(double)>& slope_change) {
  double trial = 0.01 * state_norm / slope_norm;
  // Norms may overflow in single precision.
  if (state_norm < 1e-5 || slope_norm < 1e-5 || !(trial > 0)) trial = 1e-6;
  trial = std::min(trial, longest);
  const double curvature = slope_change(trial) / trial;
  const double steepest = std::max(slope_norm, curvature);
  const double step =
      steepest <= 1e-15 ? std::max(1e-6, trial * 1e-3) : std::pow(0.01 / steepest, 1.0 / order);
  // A trial that ran into infinities says nothing but that steps must be short.
  return std::isfinite(step) && step > 0 ? std::min(100 * trial, step) : trial;
}

double step_factor(double error, int order, double max_growth) {
  // 0.9 aims below the tolerance, so that the next step is seldom rejected; a fifth is the most it
  // shrinks.
  constexpr double safety = 0.9;
  constexpr double max_shrink = 0.2;
  if (!std::isfinite(error)) return max_shrink;
  return std::clamp(safety * std::pow(error, -1.0 / order), max_shrink, max_growth);
}

#define FJORD_INSTANTIATE(T)                                                               \
  template Var<T> evaluate(const Field<T>&, const Var<T>&, const Var<T>&);                 \
  template double error_norm(const SolveOptions&, double, const Stages<T>&, const Var<T>&, \
                             const Var<T>&);                                               \
  template double scaled_norm(const SolveOptions&, const Var<T>&, const Var<T>&);          \
  template bool is_finite(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
