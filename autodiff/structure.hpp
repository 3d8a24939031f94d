/// Structures of variables: what derivative functions take as one argument and give as one result.
///
/// A structure is a Var or a Scalar (scalar.hpp); a list (std::vector, std::array, a matrix of
/// Eigen) or a std::tuple or std::pair of structures; or a struct whose parts a function `members`,
/// next to the struct, ties together:
///
///     struct Layer { Var<double> weight, bias; };
///     auto members(Layer& layer) { return std::tie(layer.weight, layer.bias); }
///
/// Parts of a struct that `members` leaves out, an int or a name, are copied along.
#pragma once

#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/sweep.hpp"

namespace fjord {
namespace structure {

template <class S>
concept List = requires(S& s) {
  typename S::value_type;
  s.begin();
  s.end();
};

template <class S>
concept Tuple = !List<S> && requires {
  std::tuple_size<S>::value;
};

// `members` is found next to the struct, by argument-dependent lookup.
template <class S>
concept Struct = !List<S> && !Tuple<S> && requires(S & s) {
  members(s);
};

// A number that may or may not be on a tape: a Scalar.
template <class S>
concept Number = requires(const S& s) {
  s.is_recorded();
  S(s.var());
};

template <class S>
struct Entry {};

template <class T>
struct Entry<Var<T>> {
  using type = T;
};

template <Number S>
struct Entry<S> : Entry<std::remove_cvref_t<decltype(std::declval<const S&>().var())>> {};

template <List S>
struct Entry<S> : Entry<typename S::value_type> {};

template <Tuple S>

requires(std::tuple_size_v<S> > 0) struct Entry<S>
    : Entry<std::remove_cvref_t<std::tuple_element_t<0, S>>> {
};

template <Struct S>
struct Entry<S> : Entry<decltype(members(std::declval<S&>()))> {};

// The parts of a list, in order. A matrix has iterators for vectors only.
template <List S>
decltype(auto) parts_of(S& list) {
  if constexpr (requires { list.data(); }) {
    return std::span(list.data(), static_cast<std::size_t>(list.size()));
  } else {
    return (list);
  }
}

template <class T>
const Var<T>& var_of(const Var<T>& var) {
  return var;
}

template <Number S>
const auto& var_of(const S& number) {
  return number.var();
}

}  // namespace structure

/// What a structure's variables hold: float or double.
template <class S>
using ScalarOf = typename structure::Entry<S>::type;

template <class S>
concept Structure = requires {
  typename ScalarOf<S>;
};

/// Calls visit(var) for every Var and Scalar of a structure, in the order of its parts.
template <class S, class Visit>
void for_each_var(S& s, const Visit& visit) {
  using Plain = std::remove_const_t<S>;
  if constexpr (structure::List<Plain>) {
    for (auto& part : structure::parts_of(s)) for_each_var(part, visit);
  } else if constexpr (structure::Tuple<Plain>) {
    std::apply([&](auto&... parts) { (for_each_var(parts, visit), ...); }, s);
  } else if constexpr (structure::Struct<Plain>) {
    auto parts = members(const_cast<Plain&>(s));
    for_each_var(parts, visit);
  } else {
    visit(s);
  }
}

/// All variables of a structure.
///
/// Errors:  std::invalid_argument if a Scalar is on no tape.
template <Structure S>
Vars<ScalarOf<S>> vars_of(const S& s) {
  Vars<ScalarOf<S>> vars;
  for_each_var(s, [&](const auto& part) { vars.push_back(structure::var_of(part)); });
  return vars;
}

/// The tape of the first variable that is on one.
///
/// Errors:  std::invalid_argument if there is none.
template <Structure S>
Tape<ScalarOf<S>>& tape_of(const S& s) {
  Tape<ScalarOf<S>>* tape = nullptr;
  for_each_var(s, [&](const auto& part) {
    if constexpr (structure::Number<std::remove_cvref_t<decltype(part)>>) {
      if (tape == nullptr && part.is_recorded()) tape = &part.var().tape();
    } else if (tape == nullptr) {
      tape = &part.tape();
    }
  });
  require(tape != nullptr, "structure",
          "at least one variable on a tape is needed; for a Scalar, Scalar(tape.scalar(number))");
  return *tape;
}

/// The same structure with leaves of the tape for the Scalars that are on none.
template <Structure S>
S on_tape(S s, Tape<ScalarOf<S>>& tape) {
  for_each_var(s, [&](auto& part) {
    using Part = std::remove_cvref_t<decltype(part)>;
    if constexpr (structure::Number<Part>) {
      if (!part.is_recorded()) part = Part(part.var(tape));
    }
  });
  return s;
}

/// The same structure with other variables, as many of them.
template <Structure S>
S with_vars(S s, const Vars<ScalarOf<S>>& vars) {
  auto next = vars.begin();
  for_each_var(s, [&](auto& part) { part = std::remove_cvref_t<decltype(part)>(*next++); });
  return s;
}

/// The same structure with a fresh node for each variable, through which derivatives flow
/// unchanged.
template <Structure S>
S identity(S s) {
  for_each_var(s, [](auto& part) {
    part = std::remove_cvref_t<decltype(part)>(identity(structure::var_of(part)));
  });
  return s;
}

}  // namespace fjord
