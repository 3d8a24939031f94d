#include "fjord/autodiff/rules/pick.hpp"

#include "fjord/autodiff/kernels/simd.hpp"

namespace fjord::rules {

using namespace kernels;

namespace {

// Assigns or adds to `out` what is picked from x.
template <class T>
void gather_runs(const Picks& picks, const T* x, T* out, bool fresh) {
  const Index inner = picks.inner;
  for (Index o = 0; o < picks.outer; ++o, x += picks.from * inner, out += picks.to * inner) {
    if (inner == 1) {
      for (Index j = 0; j < picks.to; ++j) {
        const Index place = picks.places[j];
        const T entry = place < 0 ? simd::masked_zero<T> : x[place];
        out[j] = fresh ? entry : out[j] + entry;
      }
      continue;
    }
    for (Index j = 0; j < picks.to; ++j) {
      const Index place = picks.places[j];
      if (place >= 0) {
        simd::accumulate(inner, out + j * inner, fresh, simd::same, x + place * inner);
      } else if (fresh) {
        std::fill_n(out + j * inner, inner, simd::masked_zero<T>);
      }
    }
  }
}

// Adds to x what was picked from it.
template <class T>
void add_runs(const Picks& picks, const T* out, T* x) {
  const Index inner = picks.inner;
  for (Index o = 0; o < picks.outer; ++o, x += picks.from * inner, out += picks.to * inner) {
    for (Index j = 0; j < picks.to; ++j) {
      const Index place = picks.places[j];
      if (place < 0) continue;
      if (inner == 1) {
        x[place] += out[j];
      } else {
        simd::accumulate(inner, x + place * inner, false, simd::same, out + j * inner);
      }
    }
  }
}

// The same picks from tensors that stack `count` of the old ones between the first axes and the
// last.
Picks stacked(Picks picks, std::size_t rank, Index count) {
  (picks.axis < stacking_axis(rank) ? picks.outer : picks.inner) *= count;
  return picks;
}

// What both operations' forward rules share: f is the operation itself.
template <class T, class F>
bool push_linear(Forward<T>& rule, F f) {
  const NodeShape shape = rule.node().shape;
  const Picks& picks = rule.template attributes<Picks>();
  if (rule.stack() == 0) {
    rule.set(f(rule.tangent(0), picks, shape));
    return true;
  }
  if (picks.axis < 0) return false;
  rule.set(f(rule.tangent(0), stacked(picks, shape.rank, rule.stack()),
             rule.tape().keep_shape(stacked_shape(shape.shape(), rule.stack()))));
  return true;
}

template <class T>
struct Pick {
  static void pullback(Reverse<T>& rule) {
    rule.add(0, spread(rule.cotangent(), rule.template attributes<Picks>(),
                       rule.input_node(0).shape, simd::masked_zero<T>));
  }

  static bool pushforward(Forward<T>& rule) { return push_linear(rule, pick<T>); }

  static void pullback_values(ReverseKernel<T>& k) {
    const Target<T> target = k.target(0);
    if (!target) return;
    if (target.fresh) std::fill_n(target.data, k.input_shape(0).size, simd::masked_zero<T>);
    add_runs(k.template attributes<Picks>(), k.cotangent(), target.data);
  }

  static constexpr Operation<T> row{"pick", pullback, pushforward, pullback_values};
};

template <class T>
struct Spread {
  static void pullback(Reverse<T>& rule) {
    rule.add(0,
             pick(rule.cotangent(), rule.template attributes<Picks>(), rule.input_node(0).shape));
  }

  static bool pushforward(Forward<T>& rule) {
    return push_linear(rule, [](const Var<T>& x, const Picks& picks, const NodeShape& shape) {
      return spread(x, picks, shape, simd::masked_zero<T>);
    });
  }

  static void pullback_values(ReverseKernel<T>& k) {
    if (const Target<T> target = k.target(0))
      gather_runs(k.template attributes<Picks>(), k.cotangent(), target.data, target.fresh);
  }

  static constexpr Operation<T> row{"spread", pullback, pushforward, pullback_values};
};

}  // namespace

template <class T>
Var<T> pick(const Var<T>& x, const Picks& picks, const NodeShape& shape) {
  Tape<T>& tape = x.tape();
  const Node<T> in = tape.node(x, "pick");
  const auto [var, value] = append_operation(tape, Pick<T>::row, {x}, shape, tape.keep(picks));
  gather_runs(picks, in.value, value, true);
  return var;
}

template <class T>
Var<T> spread(const Var<T>& x, const Picks& picks, const NodeShape& shape,
              std::type_identity_t<T> zero) {
  Tape<T>& tape = x.tape();
  const Node<T> in = tape.node(x, "spread");
  const auto [var, value] = append_operation(tape, Spread<T>::row, {x}, shape, tape.keep(picks));
  std::fill_n(value, shape.size, zero);
  add_runs(picks, in.value, value);
  return var;
}

#define FJORD_INSTANTIATE(T)                                           \
  template Var<T> pick(const Var<T>&, const Picks&, const NodeShape&); \
  template Var<T> spread(const Var<T>&, const Picks&, const NodeShape&, std::type_identity_t<T>);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::rules
