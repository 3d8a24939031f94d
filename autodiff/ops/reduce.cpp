#include "fjord/autodiff/ops/reduce.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/norm.hpp"
#include "fjord/autodiff/ops/scan.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/rules/reduction.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

// Writes x, stretched to `shape`, or adds it.
template <class T>
void stretch(const T* x, const NodeShape& from, T* out, bool fresh, const NodeShape& to) {
  const BroadcastLoops<1> loops(to, {from});
  loops.for_each_run([&](const std::array<Index, 1>& at, Index out_at) {
    if (loops.is_stretched(0)) {
      simd::accumulate(loops.run(), out + out_at, fresh, simd::same, simd::Repeated<T>{x + at[0]});
    } else {
      simd::accumulate(loops.run(), out + out_at, fresh, simd::same, x + at[0]);
    }
  });
}

// Adds the sums of x over its stretched axes to out, which has the smaller shape.
template <class T>
void add_sums(const T* x, const NodeShape& from, T* out, const NodeShape& to) {
  const BroadcastLoops<1> loops(from, {to});
  loops.for_each_run([&](const std::array<Index, 1>& at, Index x_at) {
    if (loops.is_stretched(0)) {
      out[at[0]] += static_cast<T>(simd::sum<T>(loops.run(), simd::same, x + x_at));
    } else {
      simd::accumulate(loops.run(), out + at[0], false, simd::same, x + x_at);
    }
  });
}

template <class T>
struct SumTo {
  // The shape is a copy: appending may move the node that it came from.
  static Var<T> apply(const Var<T>& x, NodeShape shape) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, "sum");
    if (in.shape == shape) return x;
    const auto [var, value] = append_operation(tape, row, {x}, shape);
    // A sum of masked zeros is masked; to users, one of nothing is 0.
    std::fill_n(value, shape.size, in.shape.size == 0 ? T(0) : simd::masked_zero<T>);
    add_sums(in.value, in.shape, value, shape);
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    rule.add(0, broadcast_to(rule.cotangent(), rule.input_node(0).shape.shape()));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(apply(rule.tangent(0), rule.node().shape));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    if (const Target<T> target = k.target(0)) {
      stretch(k.cotangent(), k.node().shape, target.data, target.fresh, k.input_shape(0));
    }
  }

  static constexpr Operation<T> row{"sum", pullback, pushforward, pullback_values};
};

template <class T>
struct BroadcastTo {
  static Var<T> apply(const Var<T>& x, const Shape& shape) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, "broadcast_to");
    const Shape own = in.shape.shape();
    if (own == shape) return x;
    require(broadcast_shapes(own, shape, "broadcast_to") == shape, "broadcast_to",
            [&] { return "shape " + to_string(own) + " does not stretch to " + to_string(shape); });
    const NodeShape target = tape.keep_shape(shape);
    const auto [var, value] = append_operation(tape, row, {x}, target);
    stretch(in.value, in.shape, value, true, target);
    return var;
  }

  static void pullback(Reverse<T>& rule) { rule.add(0, sum_to(rule.cotangent(), rule.input(0))); }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(apply(rule.tangent(0), rule.node().shape.shape()));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const Target<T> target = k.target(0);
    if (!target) return;
    if (target.fresh) std::fill_n(target.data, k.input_shape(0).size, simd::masked_zero<T>);
    add_sums(k.cotangent(), k.node().shape, target.data, k.input_shape(0));
  }

  static constexpr Operation<T> row{"broadcast_to", pullback, pushforward, pullback_values};
};

// The sum of entries (..., i, i), written as a column, and its transpose.
template <class T>
struct Trace {
  static Var<T> apply(const Var<T>& x) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, "trace");
    require(in.shape.rank >= 2, "trace", [&] {
      return "two axes at least are needed, got shape " + to_string(in.shape.shape());
    });
    const Shape shape = in.shape.shape();
    const NodeShape batch = tape.keep_shape(Shape(std::span(shape.begin(), shape.rank() - 2)));
    const auto [var, value] = append_operation(tape, row, {x}, batch);
    std::fill_n(value, batch.size, T(0));
    for (Index i = 0; i < diagonal(in.shape); ++i) {
      simd::accumulate(batch.size, value, i == 0, simd::same, in.value + offset(in.shape, i));
    }
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const Shape shape = rule.input_node(0).shape.shape();
    const Index rows = shape[shape.rank() - 2];
    const Index columns = shape[shape.rank() - 1];
    Tensor<T> ones = Tensor<T>::zeros({rows, columns});
    for (Index i = 0; i < diagonal(rule.input_node(0).shape); ++i) ones(i, i) = T(1);
    const Shape column =
        rule.node().shape.shape().with_axis(shape.rank() - 2, 1).with_axis(shape.rank() - 2, 1);
    const Var<T> g = broadcast_to(reshape(rule.cotangent(), column), shape);
    rule.add(0, where(rule.tape().input(ones), g, masked(rule.tape())));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(apply(rule.tangent(0)));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const Target<T> target = k.target(0);
    if (!target) return;
    if (target.fresh) std::fill_n(target.data, k.input_shape(0).size, simd::masked_zero<T>);
    for (Index i = 0; i < diagonal(k.input_shape(0)); ++i) {
      simd::accumulate(k.size(), target.data + offset(k.input_shape(0), i), false, simd::same,
                       k.cotangent());
    }
  }

  static constexpr Operation<T> row{"trace", pullback, pushforward, pullback_values};

 private:
  static Index diagonal(const NodeShape& shape) {
    return std::min(shape[shape.rank - 2], shape[shape.rank - 1]);
  }

  static Index offset(const NodeShape& shape, Index i) {
    const Index rows = shape[shape.rank - 2];
    const Index matrix = rows * shape[shape.rank - 1];
    const Index batch = matrix == 0 ? 0 : shape.size / matrix;
    return batch * (i * rows + i);
  }
};

}  // namespace

template <class T>
Var<T> sum(const Var<T>& x) {
  return SumTo<T>::apply(x, NodeShape{});
}

template <class T>
Var<T> sum(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims) {
  return reduce_over(x, axes, keep_dims, "sum", SumTo<T>::apply);
}

namespace {

template <class T>
Var<T> over_count(const Var<T>& total, Index count) {
  return total / static_cast<T>(count);
}

Index count_over(const Shape& shape, std::span<const Index> axes, const char* op) {
  return reduced_shapes(shape, axes, op).count;
}

double freedom(Index count, Index ddof) {
  return static_cast<double>(std::max<Index>(count - ddof, 0));
}

}  // namespace

template <class T>
Var<T> mean(const Var<T>& x) {
  return over_count(sum(x), x.shape().size());
}

template <class T>
Var<T> mean(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims) {
  return over_count(sum(x, axes, keep_dims), count_over(x.shape(), axes, "mean"));
}

namespace {

// The product over all axes that have size 1 in `kept`: one after another, the last of the running
// products, whose derivatives divide by nothing.
template <class T>
Var<T> prod_to(const Var<T>& x, const NodeShape& kept) {
  Tape<T>& tape = x.tape();
  Var<T> product = x;
  for (std::size_t k = 0; k < kept.rank; ++k) {
    const NodeShape shape = tape.node(product.index()).shape;
    const Index count = shape[k];
    const auto axis = static_cast<Index>(k);
    if (count == kept[k]) continue;
    product = count == 0 ? tape.filled(kept, T(1))
                         : slice(cumprod(product, axis), axis, count - 1, count);
  }
  return product;
}

}  // namespace

template <class T>
Var<T> prod(const Var<T>& x) {
  std::array<Index, Shape::max_rank> ones;
  ones.fill(1);
  const NodeShape kept = x.tape().keep_shape(Shape(std::span(ones.data(), x.shape().rank())));
  return reshape(prod_to(x, kept), {});
}

template <class T>
Var<T> prod(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims) {
  return reduce_over(x, axes, keep_dims, "prod", prod_to<T>);
}

template <class T>
Var<T> variance(const Var<T>& x, Index ddof) {
  return sum(square(x - mean(x))) * static_cast<T>(1 / freedom(x.shape().size(), ddof));
}

template <class T>
Var<T> variance(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims, Index ddof) {
  const double count = freedom(count_over(x.shape(), axes, "variance"), ddof);
  return sum(square(x - mean(x, axes, true)), axes, keep_dims) * static_cast<T>(1 / count);
}

template <class T>
Var<T> standard_deviation(const Var<T>& x, Index ddof) {
  return norm(x - mean(x)) * static_cast<T>(1 / std::sqrt(freedom(x.shape().size(), ddof)));
}

template <class T>
Var<T> standard_deviation(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims,
                          Index ddof) {
  const double count = freedom(count_over(x.shape(), axes, "standard_deviation"), ddof);
  return norm(x - mean(x, axes, true), axes, keep_dims) * static_cast<T>(1 / std::sqrt(count));
}

template <class T>
Var<T> broadcast_to(const Var<T>& x, const Shape& shape) {
  return BroadcastTo<T>::apply(x, shape);
}

template <class T>
Var<T> sum_to(const Var<T>& x, const Var<T>& like) {
  return SumTo<T>::apply(x, x.tape().node(like, "sum").shape);
}

template <class T>
Var<T> trace(const Var<T>& x) {
  return Trace<T>::apply(x);
}

#define FJORD_INSTANTIATE(T)                                                                    \
  template Var<T> sum(const Var<T>&);                                                           \
  template Var<T> sum(const Var<T>&, std::initializer_list<Index>, bool);                       \
  template Var<T> mean(const Var<T>&);                                                          \
  template Var<T> mean(const Var<T>&, std::initializer_list<Index>, bool);                      \
  template Var<T> prod(const Var<T>&);                                                          \
  template Var<T> prod(const Var<T>&, std::initializer_list<Index>, bool);                      \
  template Var<T> variance(const Var<T>&, Index);                                               \
  template Var<T> variance(const Var<T>&, std::initializer_list<Index>, bool, Index);           \
  template Var<T> standard_deviation(const Var<T>&, Index);                                     \
  template Var<T> standard_deviation(const Var<T>&, std::initializer_list<Index>, bool, Index); \
  template Var<T> broadcast_to(const Var<T>&, const Shape&);                                    \
  template Var<T> sum_to(const Var<T>&, const Var<T>&);                                         \
  template Var<T> trace(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
