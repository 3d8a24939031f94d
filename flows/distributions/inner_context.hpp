/// The contexts of distributions within distributions.
#pragma once

#include <utility>

#include "fjord/flows/bijector.hpp"

namespace fjord::flows {

/// Calls f with a copy of the context that has a random key of its own, for inner part k, and keeps
/// what f counts and the penalties that it adds.
template <class T, class F>
auto with_inner_context(Context<T>& context, std::size_t k, F f) {
  Context<T> inner = context;
  inner.random = context.random.fold(k);
  auto result = f(inner);
  inner.random = context.random;
  context = std::move(inner);
  return result;
}

}  // namespace fjord::flows
