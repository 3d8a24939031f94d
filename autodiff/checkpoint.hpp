/// Memory for time: functions that sweeps evaluate once more instead of keeping their nodes.
#pragma once

#include <functional>

#include "fjord/autodiff/record/evaluation.hpp"
#include "fjord/autodiff/structure.hpp"

namespace fjord {

/// A function on lists of variables.
template <class T>
using ListFunction = std::function<Vars<T>(const Vars<T>& inputs)>;

/// Leaves that read the values of the inputs in place: what a checkpointed function is first
/// evaluated at, so that all else that it reads can be told from its argument.
template <class T>
Vars<T> leaves_of(const Vars<T>& inputs);

/// Appends the results of an evaluation of f at leaves_of(inputs) as one operation.
template <class T>
Vars<T> append_checkpoint(record::Evaluation<T>& evaluation, ListFunction<T> f,
                          const Vars<T>& inputs, const Vars<T>& outputs);

/// f(x), of which the tape keeps only the result; a sweep over it evaluates f again and sweeps
/// over that, to the same bits. A sweep of values then forgets it again.
///
/// Shapes:  x and f(x) any structures of variables.
/// Errors:  std::invalid_argument in a sweep, if f then reads other variables than it did at first,
///          or gives variables of another number, shape or tape.
/// Note:    Derivatives flow to all that f reads: x, variables from outside, parameters. f is
///          copied, must be valid as long as the tape holds the result, and must compute the same
///          every time.
template <class F, Structure S>
auto checkpoint(F f, const S& x) {
  using T = ScalarOf<S>;
  const Vars<T> inputs = vars_of(x);
  record::Evaluation<T> evaluation(inputs, "checkpoint");
  const auto y = f(with_vars(x, leaves_of(inputs)));
  const Vars<T> outputs = vars_of(y);
  ListFunction<T> again = [f = std::move(f), x](const Vars<T>& at) mutable {
    return vars_of(f(with_vars(x, at)));
  };
  return with_vars(y, append_checkpoint(evaluation, std::move(again), inputs, outputs));
}

}  // namespace fjord
