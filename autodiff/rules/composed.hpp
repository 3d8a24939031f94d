/// Rules of an operation that computes in one pass the result of a composition of others.
///
/// Each rule records the composition on fresh identities of the operation's inputs and sweeps over
/// it, so every order of derivative is that of the composition.
#pragma once

#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/rules/inner_sweep.hpp"

namespace fjord::rules {

using namespace kernels;

template <class T>
Vars<T> fresh_inputs(const RecordedRule<T>& rule) {
  Vars<T> inputs;
  for (std::uint32_t i = 0; i < rule.input_count(); ++i) inputs.push_back(identity(rule.input(i)));
  return inputs;
}

/// The reverse rule; f maps the inputs, Vars<T>, to the outputs.
template <class T, class F>
void pull_composed(Reverse<T>& rule, F f) {
  const Vars<T> inputs = fresh_inputs<T>(rule);
  const Vars<T> all = f(inputs);
  Vars<T> outputs;
  Vars<T> cotangents;
  for (std::uint32_t k = 0; k < all.size(); ++k) {
    if (rule.cotangent(k).is_empty()) continue;
    outputs.push_back(all[k]);
    cotangents.push_back(rule.cotangent(k));
  }
  Vars<T> wanted;
  for (std::uint32_t i = 0; i < inputs.size(); ++i) {
    if (rule.wants(i)) wanted.push_back(inputs[i]);
  }
  const Vars<T> found = inner_pullback(outputs, cotangents, wanted);
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < inputs.size(); ++i) {
    if (rule.wants(i)) rule.add(i, found[next++]);
  }
}

/// The forward rule.
template <class T, class F>
bool push_composed(Forward<T>& rule, F f) {
  const Vars<T> inputs = fresh_inputs<T>(rule);
  const Vars<T> outputs = f(inputs);
  Vars<T> moving;
  Vars<T> tangents;
  for (std::uint32_t i = 0; i < inputs.size(); ++i) {
    if (rule.tangent(i).is_empty()) continue;
    moving.push_back(inputs[i]);
    tangents.push_back(rule.tangent(i));
  }
  const Vars<T> found = inner_pushforward(moving, tangents, outputs);
  for (std::uint32_t k = 0; k < outputs.size(); ++k) {
    if (rule.wants(k)) rule.set(k, found[k]);
  }
  return true;
}

}  // namespace fjord::rules
