/// The base of maps that act on each number by itself.
#pragma once

#include "fjord/flows/bijector.hpp"

namespace fjord::flows {

/// y = m(x) for every number of a row, with m increasing or decreasing.
///
/// log_det = the sum over the row of log |m'(x)|.
/// Note:    A number outside the domain of m, or of its inverse, gives NaN or an infinity.
template <class T>
class Elementwise : public Bijector<T> {
 public:
  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const final;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const final;
  Var<T> forward(const Var<T>& x, Context<T>& context) const final;
  Var<T> inverse(const Var<T>& y, Context<T>& context) const final;

 private:
  virtual Var<T> map(const Var<T>& x) const = 0;
  virtual Var<T> map_back(const Var<T>& y) const = 0;
  /// log |m'(x)|.
  virtual Var<T> log_slope(const Var<T>& x) const = 0;

  /// The width of the rows; 0 for any.
  virtual Index dim() const { return 0; }

  void check(const Var<T>& x) const;
};

extern template class Elementwise<float>;
extern template class Elementwise<double>;

}  // namespace fjord::flows
