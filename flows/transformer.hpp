/// Monotone maps of single numbers: what couplings and autoregressive flows apply to a column.
#pragma once

#include "fjord/autodiff/var.hpp"
#include "fjord/nn/part_reader.hpp"

namespace fjord::flows {

template <class T>
struct WithLogSlope {
  Var<T> value;
  Var<T> log_slope;  ///< [B, D], log of the derivative of the map that was applied, in nats
};

/// An increasing map of every entry, with parameters that a network gives; all 0 is the identity.
///
/// Shapes:  x, y [B, D]; parameters [B, K D], number k of column d in column k D + d.
/// Note:    Flows apply it from data to base, the direction of training.
template <class T>
class Transformer : public nn::Part<T> {
 public:
  static constexpr const char* kind = "transformer";

  /// K, the parameters of one entry.
  virtual Index parameter_count() const = 0;
  virtual WithLogSlope<T> apply(const Var<T>& x, const Var<T>& parameters) const = 0;
  virtual WithLogSlope<T> invert(const Var<T>& y, const Var<T>& parameters) const = 0;
};

}  // namespace fjord::flows
