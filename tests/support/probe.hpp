/// An operation for tests of the sweeps: y = 2 x, which counts the calls of its rules and can fail.
#pragma once

#include <stdexcept>

#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"

namespace fjord::test {

/// What a probe has seen, and whether its next rule throws std::runtime_error.
struct ProbeState {
  int reverse = 0;  ///< calls of the recorded reverse rule
  int forward = 0;  ///< calls of the forward rule
  bool fails = false;

  void check() const {
    if (fails) throw std::runtime_error("the probe was told to fail");
  }
};

/// 2 x; its rules take one tangent at a time, and its reverse sweep of values goes through the
/// recorded rule.
struct Probe {
  static Var<double> apply(const Var<double>& x, ProbeState& state) {
    Tape<double>& tape = x.tape();
    const Node<double> in = tape.node(x, "probe");
    const auto [var, value] =
        append_operation(tape, row, {x}, in.shape, tape.keep<ProbeState*>(&state));
    for (Index i = 0; i < in.shape.size; ++i) value[i] = 2 * in.value[i];
    return var;
  }

  static void pullback(Reverse<double>& rule) {
    ProbeState& state = *rule.attributes<ProbeState*>();
    ++state.reverse;
    const Var<double> g = rule.cotangent() * 2;
    state.check();
    rule.add(0, g);
  }

  static bool pushforward(Forward<double>& rule) {
    if (rule.stack() > 0) return false;
    ProbeState& state = *rule.attributes<ProbeState*>();
    ++state.forward;
    const Var<double> tangent = rule.tangent(0) * 2;
    state.check();
    rule.set(tangent);
    return true;
  }

  static constexpr Operation<double> row{"probe", pullback, pushforward};
};

}  // namespace fjord::test
