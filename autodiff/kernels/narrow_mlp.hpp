/// A narrow perceptron and its divergence, for as many rows at a time as a register has lanes.
///
/// The state x of a row and the D unit tangents of it go through the layers side by side, as the
/// 1 + D columns of X[column][unit]; the tangents of the first layer are columns of its weight.
#pragma once

#include "fjord/autodiff/kernels/narrow_tiles.hpp"
#include "fjord/autodiff/kernels/tanh.hpp"

namespace fjord::kernels::narrow {

/// One affine layer: weight [out, in], column-major.
template <class T>
struct MlpLayer {
  Index out;
  Index in;
  const T* weight;
  const T* bias;
};

/// Sizes that are known as the code is compiled, which unrolls its loops: all hidden layers of one
/// width, and the dimension.
template <Index hidden_width, Index dimension>
struct FixedSizes {
  Index hidden(std::size_t) const { return hidden_width; }

  Index dim() const { return dimension; }
};

/// Any sizes.
template <class T>
struct AnySizes {
  std::span<const MlpLayer<T>> layers;
  Index dimension;

  Index hidden(std::size_t l) const { return layers[l].out; }

  Index dim() const { return dimension; }
};

/// A perceptron with an elementwise function F between its layers: see Paired.
template <class T, class F, class Sizes, bool has_divergence>
class Mlp final {
 public:
  using Batch = simd::Batch<T>;

  /// `shifts`: what the first layer adds to the part of x, its bias and the share of the time.
  Mlp(std::span<const MlpLayer<T>> layers, Sizes sizes, const T* shifts)
      : layers_(layers),
        sizes_(sizes),
        shifts_(shifts),
        state_weight_(layers.front().weight +
                      (layers.front().in - sizes.dim()) * layers.front().out) {}

  /// Vectors that `forward` saves for `backward`.
  Index saved_size() const {
    Index size = 0;
    for (std::size_t l = 0; l <= last_hidden(); ++l) size += saved_size(l);
    return size;
  }

  /// Vectors of sums that `backward` adds to: of each layer the weight's, without the time's
  /// columns, and the bias's.
  Index sums_size() const {
    Index size = hidden(0) * (dim() + 1) + outputs() * (hidden(last_hidden()) + 1);
    for (std::size_t l = 1; l <= last_hidden(); ++l) size += hidden(l) * (hidden(l - 1) + 1);
    return size;
  }

  /// So many registers of rows keep a core busy: one is a single chain of instructions, unless its
  /// tangents go next to it.
  static constexpr int most_strips = has_divergence ? 1 : 3;

  /// From x [strips][dim] to y [strips][out of the last], behind it the divergence if there is one;
  /// saved [strips][saved_size].
  template <int strips>
  void forward(const Batch* x, Batch* y, Batch* saved) const {
    static_assert(strips <= most_strips);  // the last layer takes the tangents of one strip
    Batch in[strips * most_numbers];
    Batch out[strips * most_numbers];
    mlp_product<T>({hidden(0), dim(), state_weight_, 1, hidden(0), shifts_, 1}, strips, x, out);
    pass_on<strips>(0, out, 1, saved, in);
    for (std::size_t l = 1; l <= last_hidden(); ++l) {
      saved += saved_size(l - 1);
      mlp_product<T>(
          {hidden(l), hidden(l - 1), layers_[l].weight, 1, hidden(l), layers_[l].bias, columns()},
          strips * columns(), in, out);
      pass_on<strips>(l, out, columns(), saved, in);
    }
    last_forward<strips>(in, y);
  }

  /// From the cotangents g of y to that of x; adds to the sums.
  void backward(const Batch* x, const Batch* g, const Batch* saved, Batch* gx, Batch* sums) const {
    Batch in[most_numbers];
    Batch g_in[most_numbers];
    Batch g_out[most_numbers];
    saved += saved_size() - saved_size(last_hidden());
    sums += sums_size();
    inputs_after(last_hidden(), saved, in);
    last_backward(g, in, g_in, sums);
    for (std::size_t l = last_hidden(); l > 0; --l) {
      through_function(l, saved, g_in, g_out);
      saved -= saved_size(l - 1);
      inputs_after(l - 1, saved, in);
      add_sums(hidden(l), hidden(l - 1), g_out, in, sums);
      mlp_product<T>({hidden(l - 1), hidden(l), layers_[l].weight, hidden(l), 1, nullptr, 1},
                     columns(), g_out, g_in);
    }
    through_function(0, saved, g_in, g_out);
    first_backward(x, g_out, gx, sums);
  }

 private:
  // Of a strip, between two layers.
  static constexpr Index most_numbers = has_divergence ? limit * (limit + 1) : limit;

  Index dim() const { return sizes_.dim(); }

  Index tangents() const { return has_divergence ? sizes_.dim() : 0; }

  Index columns() const { return 1 + tangents(); }

  Index outputs() const { return has_divergence ? sizes_.dim() : layers_.back().out; }

  Index hidden(std::size_t l) const { return sizes_.hidden(l); }

  std::size_t last_hidden() const { return layers_.size() - 2; }

  // Of each hidden layer the values, their slopes, and except for the first the tangents before
  // them.
  Index saved_size(std::size_t l) const { return hidden(l) * (l == 0 ? 2 : 2 + tangents()); }

  // Saves what a hidden layer makes of its affine map, `columns_before` columns a strip, and writes
  // what it passes on.
  template <int strips>
  void pass_on(std::size_t l, const Batch* out, Index columns_before, Batch* saved,
               Batch* in) const {
    const Index n = hidden(l);
    for (int s = 0; s < strips; ++s) {
      F::both(n, out, saved, saved + n);
      std::copy_n(out + n, n * (columns_before - 1), saved + 2 * n);
      inputs_after(l, saved, in);
      out += n * columns_before;
      saved += saved_size();
      in += n * columns();
    }
  }

  // The tangent k of the affine map of a layer, unit i.
  Batch tangent_before(std::size_t l, const Batch* saved, Index k, Index i) const {
    const Index n = hidden(l);
    return l == 0 ? Batch(state_weight_[k * n + i]) : saved[(2 + k) * n + i];
  }

  // What a hidden layer passes on: its values and tangents.
  void inputs_after(std::size_t l, const Batch* saved, Batch* in) const {
    const Index n = hidden(l);
    for (Index i = 0; i < n; ++i) in[i] = saved[i];
    for (Index k = 0; k < tangents(); ++k) {
      for (Index i = 0; i < n; ++i)
        in[(1 + k) * n + i] = saved[n + i] * tangent_before(l, saved, k, i);
    }
  }

  template <int strips>
  void last_forward(const Batch* in, Batch* y) const {
    const Index n = hidden(last_hidden());
    const MlpLayer<T>& last = layers_.back();
    mlp_product<T>({outputs(), n, last.weight, 1, outputs(), last.bias, 1}, strips, in, y);
    if (!has_divergence) return;
    Batch trace(T(0));
    for (Index k = 0; k < tangents(); ++k) {
      for (Index j = 0; j < n; ++j)
        trace = xsimd::fma(Batch(last.weight[j * outputs() + k]), in[(1 + k) * n + j], trace);
    }
    y[outputs()] = trace;
  }

  // sums, moved to its begin: += g in^T, and behind it the bias's += g's column 0.
  void add_sums(Index m, Index n, const Batch* g, const Batch* in, Batch*& sums) const {
    sums -= m * (n + 1);
    mlp_outer<T>(m, n, columns(), g, in, sums);
    for (Index i = 0; i < m; ++i) sums[m * n + i] += g[i];
  }

  void last_backward(const Batch* g, const Batch* in, Batch* g_in, Batch*& sums) const {
    const Index n = hidden(last_hidden());
    const T* w = layers_.back().weight;
    sums -= outputs() * (n + 1);
    for (Index i = 0; i < outputs(); ++i) sums[outputs() * n + i] += g[i];
    for (Index j = 0; j < n; ++j, w += outputs(), sums += outputs()) {
      Batch total(T(0));
      for (Index i = 0; i < outputs(); ++i) {
        total = xsimd::fma(Batch(w[i]), g[i], total);
        Batch sum = xsimd::fma(g[i], in[j], sums[i]);
        if (has_divergence) {
          // The trace takes of each tangent the entry along its own axis.
          g_in[(1 + i) * n + j] = Batch(w[i]) * g[outputs()];
          sum = xsimd::fma(g[outputs()], in[(1 + i) * n + j], sum);
        }
        sums[i] = sum;
      }
      g_in[j] = total;
    }
    sums -= outputs() * n;
  }

  // From the cotangents of what a hidden layer passes on to those of its affine map.
  void through_function(std::size_t l, const Batch* saved, const Batch* g_in, Batch* g_out) const {
    const Index n = hidden(l);
    const Batch* h = saved;
    const Batch* s = saved + n;
    for (Index i = 0; i < n; ++i) {
      Batch g_slope(T(0));
      for (Index k = 0; k < tangents(); ++k) {
        const Batch g = g_in[(1 + k) * n + i];
        g_slope = xsimd::fma(g, tangent_before(l, saved, k, i), g_slope);
        g_out[(1 + k) * n + i] = g * s[i];
      }
      g_out[i] = xsimd::fma(g_slope, F::curvature(h[i], s[i]), g_in[i] * s[i]);
    }
  }

  void first_backward(const Batch* x, const Batch* g, Batch* gx, Batch* sums) const {
    const Index n = hidden(0);
    sums -= n * (dim() + 1);
    for (Index j = 0; j < dim(); ++j, sums += n) {
      Batch total(T(0));
      for (Index i = 0; i < n; ++i) {
        total = xsimd::fma(Batch(state_weight_[j * n + i]), g[i], total);
        Batch sum = xsimd::fma(g[i], x[j], sums[i]);
        if (has_divergence) sum += g[(1 + j) * n + i];
        sums[i] = sum;
      }
      gx[j] = total;
    }
    for (Index i = 0; i < n; ++i) sums[i] += g[i];
  }

  std::span<const MlpLayer<T>> layers_;
  [[no_unique_address]] Sizes sizes_;
  const T* shifts_;
  const T* state_weight_;
};

}  // namespace fjord::kernels::narrow
