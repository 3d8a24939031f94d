#include "fjord/autodiff/ops/linalg.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/matrix.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

// op(A) op(B), with either transposed; rows of A are all its leading axes together. Closed under
// derivatives.
template <class T>
struct Product {
  static Var<T> apply(const Var<T>& a, const Var<T>& b, Transposes flags) {
    Tape<T>& tape = a.tape();
    const Node<T> in_a = tape.node(a, "matmul");
    const Node<T> in_b = tape.node(b, "matmul");
    const Index m = flags.a ? in_a.shape[in_a.shape.rank - 1] : row_count(in_a.shape);
    const Index k = flags.a ? row_count(in_a.shape) : in_a.shape[in_a.shape.rank - 1];
    const Index n = flags.b ? row_count(in_b.shape) : in_b.shape[in_b.shape.rank - 1];
    const NodeShape shape = result_shape(tape, in_a.shape, m, n, flags);
    const auto [var, value] = append_operation(tape, row, {a, b}, shape, tape.keep(flags));
    kernels::multiply<T>(pool_of(tape),
                         {{m, n, k}, operand(in_a, flags.a), operand(in_b, flags.b), flags.moving},
                         value, true);
    return var;
  }

  static void pullback(Reverse<T>& rule) { pull_product(rule, apply); }

  static bool pushforward(Forward<T>& rule) {
    const bool is_transposed = rule.template attributes<Transposes>().a;
    if (rule.stack() > 0 && (is_transposed || !rule.tangent(1).is_empty())) return false;
    push_product(rule, apply);
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const auto [ta, tb, moving] = k.template attributes<Transposes>();
    const Node<T> a = k.input_node(0);
    const Node<T> b = k.input_node(1);
    const Index n = tb ? row_count(b.shape) : b.shape[b.shape.rank - 1];
    const Index m = ta ? a.shape[a.shape.rank - 1] : row_count(a.shape);
    const Index inner = ta ? row_count(a.shape) : a.shape[a.shape.rank - 1];
    const auto g = [&](bool transposed) { return MatrixOperand<T>{k.cotangent(), m, transposed}; };
    if (ta) {
      multiply<T>(k, 0, {{inner, m, n}, operand(b, tb), g(true), {moving.b, true}});
    } else {
      multiply<T>(k, 0, {{m, inner, n}, g(false), operand(b, !tb), {true, moving.b}});
    }
    if (tb) {
      multiply<T>(k, 1, {{n, inner, m}, g(true), operand(a, ta), {true, moving.a}});
    } else {
      multiply<T>(k, 1, {{inner, n, m}, operand(a, !ta), g(false), {moving.a, true}});
    }
  }

  static constexpr Operation<T> row{"matmul", pullback, pushforward, pullback_values};

 private:
  static NodeShape result_shape(Tape<T>& tape, const NodeShape& a, Index m, Index n,
                                Transposes flags) {
    return flags.a ? tape.keep_shape({m, n}) : with_columns(tape, a, n);
  }
};

struct Weights {
  const double* numbers;
  std::size_t count;
};

template <class T>
struct AddCombination {
  static Var<T> apply(const Var<T>& y, const Var<T>& h, std::span<const double> weights,
                      std::span<const Var<T>> terms) {
    Tape<T>& tape = y.tape();
    const Node<T> base = tape.node(y, name);
    require(terms.size() == weights.size(), name, "one weight for each term is needed");
    require(tape.node(h, name).shape.rank == 0, name, "h must be a scalar");
    auto* kept = tape.template new_records<double>(weights.size());
    auto* inputs = tape.template new_records<std::uint32_t>(weights.size() + 2);
    inputs[0] = y.index();
    inputs[1] = h.index();
    std::size_t count = 0;
    for (std::size_t j = 0; j < terms.size(); ++j) {
      require(tape.node(terms[j], name).shape == base.shape, name, [&] {
        return "the terms must have the shape of y, " + to_string(base.shape.shape()) + ", got " +
               to_string(terms[j].shape());
      });
      if (weights[j] == 0) continue;
      kept[count] = weights[j];
      inputs[2 + count++] = terms[j].index();
    }
    const auto [var, value] =
        append_kept(tape, row, {inputs, count + 2}, base.shape, tape.keep(Weights{kept, count}));
    combine(tape, *tape.node(h.index()).value, {kept, count}, inputs + 2, base, value);
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const auto [weights, count] = rule.template attributes<Weights>();
    const Var<T> g = rule.cotangent();
    rule.add(0, g);
    const Var<T> h = broadcast_to(rule.input(1), g.shape());
    if (rule.wants(1)) rule.add(1, sum(scale(g, weighted_sum(rule, weights, count))));
    for (std::size_t j = 0; j < count; ++j) {
      const auto i = static_cast<std::uint32_t>(j + 2);
      if (rule.wants(i)) rule.add(i, scaled(scale(g, h), static_cast<T>(weights[j])));
    }
  }

  static bool pushforward(Forward<T>& rule) {
    const auto [weights, count] = rule.template attributes<Weights>();
    if (rule.stack() > 0 && !rule.tangent(1).is_empty()) return false;
    Var<T> tangent = rule.tangent(0);
    for (std::size_t j = 0; j < count; ++j) {
      const Var<T> term = rule.tangent(static_cast<std::uint32_t>(j + 2));
      if (term.is_empty()) continue;
      const Var<T> h = broadcast_to(rule.input(1), term.shape());
      tangent = sum_of(tangent, scaled(scale(term, h), static_cast<T>(weights[j])));
    }
    if (!rule.tangent(1).is_empty()) {
      const Var<T> dh = broadcast_to(rule.tangent(1), rule.node().shape.shape());
      tangent = sum_of(tangent, scale(dh, weighted_sum(rule, weights, count)));
    }
    rule.set(tangent);
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const auto [weights, count] = k.template attributes<Weights>();
    const T h = *k.input(1);
    for (std::size_t j = 0; j < count; ++j) {
      const auto i = static_cast<std::uint32_t>(j + 2);
      if (const Target<T> target = k.target(i)) {
        add_scaled(k, static_cast<T>(h * weights[j]), target);
      }
    }
    if (const Target<T> target = k.target(1)) {
      T* sum = k.take(k.size());
      std::fill_n(sum, k.size(), T(0));
      for (std::size_t j = 0; j < count; ++j) {
        const simd::Batch<T> weight(static_cast<T>(weights[j]));
        simd::accumulate(
            k.size(), sum, false, [&](const auto& x) { return x * weight; },
            k.input(static_cast<std::uint32_t>(j + 2)));
      }
      const T total = static_cast<T>(simd::sum<T>(k.size(), simd::strong_product<T>, k.cotangent(),
                                                  static_cast<const T*>(sum)));
      *target.data = target.fresh ? total : *target.data + total;
      k.give_back(sum, k.size());
    }
    k.pass(0);
  }

  static constexpr const char* name = "add_combination";
  static constexpr Operation<T> row{name, pullback, pushforward, pullback_values};

 private:
  // So few numbers take less time one by one than as part of a register.
  static constexpr Index few = 3;

  static void add_scaled(const ReverseKernel<T>& k, T factor, const Target<T>& target) {
    const T* const g = k.cotangent();
    if (k.size() > few)
      return simd::accumulate(
          k.size(), target.data, target.fresh,
          [&](const auto& x) { return simd::strong_product<T>(x, simd::Batch<T>(factor)); }, g);
    for (Index i = 0; i < k.size(); ++i) {
      const T part = simd::of_numbers<T>(simd::strong_product<T>, g[i], factor);
      target.data[i] = target.fresh ? part : target.data[i] + part;
    }
  }

  static Var<T> weighted_sum(const RecordedRule<T>& rule, const double* weights,
                             std::size_t count) {
    Var<T> sum = rule.tape().filled(rule.node().shape, T(0));
    for (std::size_t j = 0; j < count; ++j) {
      sum = sum + rule.input(static_cast<std::uint32_t>(j + 2)) * static_cast<T>(weights[j]);
    }
    return sum;
  }

  static void combine_few(Tape<T>& tape, T h, Weights weights, const std::uint32_t* terms,
                          const Node<T>& base, T* out) {
    const auto add = [](const auto& sum, const auto& v, const auto& w) {
      return xsimd::fma(w, v, sum);
    };
    std::copy_n(base.value, base.shape.size, out);
    for (std::size_t j = 0; j < weights.count; ++j) {
      const T* const x = tape.node(terms[j]).value;
      const T weight = static_cast<T>(h * weights.numbers[j]);
      for (Index i = 0; i < base.shape.size; ++i)
        out[i] = simd::of_numbers<T>(add, out[i], x[i], weight);
    }
  }

  static void combine(Tape<T>& tape, T h, Weights weights, const std::uint32_t* terms,
                      const Node<T>& base, T* out) {
    if (base.shape.size <= few) return combine_few(tape, h, weights, terms, base, out);
    constexpr std::size_t at_once = 4;
    const T* from = base.value;
    std::size_t j = 0;
    do {
      std::array<const T*, at_once> x;
      std::array<simd::Batch<T>, at_once> w;
      for (std::size_t i = 0; i < at_once; ++i) {
        const bool there = j + i < weights.count;
        x[i] = there ? tape.node(terms[j + i]).value : base.value;
        w[i] = simd::Batch<T>(there ? static_cast<T>(h * weights.numbers[j + i]) : T(0));
      }
      const auto some = [&](std::size_t terms_left) {
        const auto f = [&](const auto& y, const auto&... v) {
          std::size_t i = 0;
          auto sum = y;
          ((sum = xsimd::fma(w[i++], v, sum)), ...);
          return sum;
        };
        switch (terms_left) {
          case 0: simd::transform(base.shape.size, out, f, from); break;
          case 1: simd::transform(base.shape.size, out, f, from, x[0]); break;
          case 2: simd::transform(base.shape.size, out, f, from, x[0], x[1]); break;
          case 3: simd::transform(base.shape.size, out, f, from, x[0], x[1], x[2]); break;
          default: simd::transform(base.shape.size, out, f, from, x[0], x[1], x[2], x[3]); break;
        }
      };
      some(weights.count - std::min(j, weights.count));
      from = out;
      j += at_once;
    } while (j < weights.count);
  }
};

}  // namespace

template <class T>
Var<T> matmul(const Var<T>& a, const Var<T>& b) {
  const NodeShape left = a.tape().node(a, "matmul").shape;
  const NodeShape right = a.tape().node(b, "matmul").shape;
  const bool fits = left.rank >= 1 && right.rank >= 1 &&
                    left[left.rank - 1] == right[right.rank - std::min<std::size_t>(right.rank, 2)];
  require(fits, "matmul", [&] {
    return "shapes [..., m, k] and [..., k, n] are needed, got " + to_string(left.shape()) +
           " and " + to_string(right.shape());
  });
  if (left.rank >= 2 && right.rank == 2) return Product<T>::apply(a, b, {false, false});
  if (left.rank == 1) {
    const Var<T> y = matmul(reshape(a, {1, left[0]}), b);
    const Shape shape = y.shape();
    return reshape(y, shape.without_axis(right.rank == 1 ? 0 : shape.rank() - 2));
  }
  if (right.rank == 1) {
    const Var<T> y = matmul(a, reshape(b, {right[0], 1}));
    return reshape(y, y.shape().without_axis(left.rank - 1));
  }
  const auto [first, second] = with_common_batch(a, b, "matmul");
  return matrix_product(first, second);
}

template <class T>
Var<T> rules::product(const Var<T>& a, const Var<T>& b, Transposes transposes) {
  return Product<T>::apply(a, b, transposes);
}

template <class T>
Var<T> add_combination(const Var<T>& y, const Var<T>& h, std::span<const double> weights,
                       std::span<const Var<T>> terms) {
  return AddCombination<T>::apply(y, h, weights, terms);
}

#define FJORD_INSTANTIATE(T)                                                             \
  template Var<T> matmul(const Var<T>&, const Var<T>&);                                  \
  template Var<T> rules::product(const Var<T>&, const Var<T>&, Transposes);              \
  template Var<T> add_combination(const Var<T>&, const Var<T>&, std::span<const double>, \
                                  std::span<const Var<T>>);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
