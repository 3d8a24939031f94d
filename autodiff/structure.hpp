/// Structures of variables: what derivative functions take as one argument and give as one result.
///
/// A structure is a Var; a list (std::vector, std::array) or a std::tuple or std::pair of
/// structures; or a struct whose parts a function `members`, beside the struct, ties together:
///
///     struct Layer { Var<double> weight, bias; };
///     auto members(Layer& layer) { return std::tie(layer.weight, layer.bias); }
///
/// Parts of a struct that `members` leaves out, an int or a name, are copied along.
#pragma once

#include <tuple>
#include <type_traits>
#include <utility>

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

// `members` is found beside the struct, by argument-dependent lookup.
template <class S>
concept Struct = !List<S> && !Tuple<S> && requires(S & s) {
  members(s);
};

template <class S>
struct Scalar {};

template <class T>
struct Scalar<Var<T>> {
  using type = T;
};

template <List S>
struct Scalar<S> : Scalar<typename S::value_type> {};

template <Tuple S>

requires(std::tuple_size_v<S> > 0) struct Scalar<S>
    : Scalar<std::remove_cvref_t<std::tuple_element_t<0, S>>> {
};

template <Struct S>
struct Scalar<S> : Scalar<decltype(members(std::declval<S&>()))> {};

}  // namespace structure

/// What a structure's variables hold: float or double.
template <class S>
using ScalarOf = typename structure::Scalar<S>::type;

template <class S>
concept Structure = requires {
  typename ScalarOf<S>;
};

/// Calls visit(var) for every variable of a structure, in the order of its parts.
template <class S, class Visit>
void for_each_var(S& s, const Visit& visit) {
  using Plain = std::remove_const_t<S>;
  if constexpr (structure::List<Plain>) {
    for (auto& part : s) for_each_var(part, visit);
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
template <Structure S>
Vars<ScalarOf<S>> vars_of(const S& s) {
  Vars<ScalarOf<S>> vars;
  for_each_var(s, [&](const auto& var) { vars.push_back(var); });
  return vars;
}

/// The same structure with other variables, as many of them.
template <Structure S>
S with_vars(S s, const Vars<ScalarOf<S>>& vars) {
  auto next = vars.begin();
  for_each_var(s, [&](auto& var) { var = *next++; });
  return s;
}

/// The same structure with a fresh node for each variable, through which derivatives flow
/// unchanged.
template <Structure S>
S identity(const S& s) {
  S fresh = s;
  for_each_var(fresh, [](auto& var) { var = identity(var); });
  return fresh;
}

}  // namespace fjord
