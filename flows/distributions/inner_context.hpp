/// The contexts of distributions within distributions.
#pragma once

#include "fjord/flows/bijector.hpp"

namespace fjord::flows {

/// Calls f with a copy of the context that has a random key of its own, for inner part k, and adds
/// what f counts.
template <class T, class F>
auto with_inner_context(Context<T>& context, std::size_t k, F f) {
  Context<T> inner = context;
  inner.random = context.random.fold(k);
  auto result = f(inner);
  context.evaluations = inner.evaluations;
  context.solves = inner.solves;
  return result;
}

}  // namespace fjord::flows
