/// User-defined operations, from functions of variables: right in every nesting if their rules are.
#pragma once

#include <functional>
#include <string>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/record/evaluation.hpp"
#include "fjord/autodiff/structure.hpp"

namespace fjord {

/// The rules of `custom` on lists; one may be empty.
template <class T>
struct CustomRules {
  using Rule = std::function<Vars<T>(const Vars<T>& inputs, const Vars<T>& outputs,
                                     const Vars<T>& derivatives)>;
  std::string name;
  Rule vjp;
  Rule jvp;
};

/// Appends the results of an evaluation as the outputs of an operation with these rules.
template <class T>
Vars<T> append_custom(record::Evaluation<T>& evaluation, CustomRules<T> rules,
                      const Vars<T>& inputs, const Vars<T>& outputs);

/// An operation made by `custom`; applied to a structure of variables, it gives another.
template <class Value, class Vjp, class Jvp>
class Custom final {
 public:
  Custom(std::string name, Value value, Vjp vjp, Jvp jvp)
      : name_(std::move(name)),
        value_(std::move(value)),
        vjp_(std::move(vjp)),
        jvp_(std::move(jvp)) {
    require(has_vjp || has_jvp, name_, "a rule is needed: give vjp, jvp or both");
  }

  /// Errors:  std::invalid_argument if a handle is empty, of another tape, or ended.
  template <Structure S>
  auto operator()(const S& x) const {
    using T = ScalarOf<S>;
    const Vars<T> inputs = vars_of(x);
    record::Evaluation<T> evaluation(inputs, name_);
    const auto y = value_(x);
    CustomRules<T> rules{name_, {}, {}};
    if constexpr (has_vjp) {
      rules.vjp = [x, y, vjp = vjp_](const Vars<T>& in, const Vars<T>& out, const Vars<T>& g) {
        return vars_of(vjp(with_vars(x, in), with_vars(y, out), with_vars(y, g)));
      };
    }
    if constexpr (has_jvp) {
      rules.jvp = [x, y, jvp = jvp_](const Vars<T>& in, const Vars<T>& out, const Vars<T>& v) {
        return vars_of(jvp(with_vars(x, in), with_vars(y, out), with_vars(x, v)));
      };
    }
    return with_vars(y, append_custom(evaluation, std::move(rules), inputs, vars_of(y)));
  }

 private:
  static constexpr bool has_vjp = !std::is_same_v<Vjp, std::nullptr_t>;
  static constexpr bool has_jvp = !std::is_same_v<Jvp, std::nullptr_t>;
  std::string name_;
  Value value_;
  Vjp vjp_;
  Jvp jvp_;
};

/// Makes an operation of three functions:
///
///     value(x) -> y           by operations, of which only the result is kept, or from numbers:
///                             x.value() and x.tape().input(...)
///     vjp(x, y, g) -> like x  the cotangents of x from those of y
///     jvp(x, y, v) -> like y  the tangents of y from those of x
///
/// Either rule may be nullptr: it is then the transpose of the other, which is linear in its last
/// argument and written in operations on it.
/// Errors:  std::invalid_argument if both are missing; and when a derivative is taken, if a rule
///          does not give what it must, or the rule that is there cannot give the missing one.
/// Note:    Sweeps record the rules, so further derivatives are those of the operations in them:
///          numbers that a rule reads from value() are constants there. Whatever else the functions
///          use is constant in every order, variables from outside included. They are copied, and
///          must stay valid as long as the tape holds y.
template <class Value, class Vjp, class Jvp = std::nullptr_t>
auto custom(std::string name, Value value, Vjp vjp, Jvp jvp = {}) {
  return Custom<Value, Vjp, Jvp>(std::move(name), std::move(value), std::move(vjp), std::move(jvp));
}

template <class Value, class Vjp, class Jvp = std::nullptr_t>

requires(!std::is_convertible_v<Value, std::string>) auto custom(Value value, Vjp vjp,
                                                                 Jvp jvp = {}) {
  return custom(std::string("custom"), std::move(value), std::move(vjp), std::move(jvp));
}

}  // namespace fjord
