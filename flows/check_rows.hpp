/// Checks of the rows that parts of flows get.
#pragma once

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::flows {

/// Errors:  std::invalid_argument "[op] ..." if x is not [B, dim].
template <class T>
void check_rows(const Var<T>& x, Index dim, const char* op) {
  const NodeShape& shape = x.tape().node(x, op).shape;
  require(shape.rank == 2 && shape[1] == dim, op, [&] {
    return "rows of " + std::to_string(dim) + " numbers are needed, got shape " +
           to_string(shape.shape());
  });
}

/// Errors:  std::invalid_argument "[op] ..." if what is given of the rows x is not [B, width].
template <class T>
void check_given(const Var<T>& given, const Var<T>& x, Index width, const char* op) {
  const Shape needed{x.shape()[0], width};
  require(!given.is_empty() && given.shape() == needed, op, [&] {
    return "Context::given must have shape " + to_string(needed) + ", got " +
           (given.is_empty() ? "nothing" : to_string(given.shape()));
  });
}

}  // namespace fjord::flows
