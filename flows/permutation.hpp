/// Columns in another order.
#pragma once

#include "fjord/flows/bijector.hpp"

namespace fjord::flows {

/// dim - 1, ..., 1, 0.
std::vector<Index> reversed_order(Index dim);

/// A uniform random permutation of 0 .. dim - 1.
///
/// Errors:  std::invalid_argument if dim is not positive, or 2^32 or more.
std::vector<Index> random_order(Index dim, const RandomKey& random);

/// That of rows which hold tensors, such as images, in the order C: axis k of the permuted tensor
/// is axis axes[k]. A reshape needs no order: it leaves the row as it is.
///
/// Errors:  std::invalid_argument if a size is not positive, or unless every axis is named once.
std::vector<Index> transposed_order(const std::vector<Index>& sizes,
                                    const std::vector<Index>& axes);

/// The order of the columns back: inverse[order[k]] = k.
///
/// Errors:  std::invalid_argument "[op] ..." if the order is not one of 0 .. D - 1, D > 0.
std::vector<Index> inverse_order(const std::vector<Index>& order, const char* op);

/// Column k of y is column order[k] of x.
template <class T>
class Permutation final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if the order is not one of 0 .. D - 1, D > 0.
  explicit Permutation(std::vector<Index> order);

  explicit Permutation(nn::PartReader<T>& reader) : Permutation(reader.counts("order")) {}

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  Var<T> forward(const Var<T>& x, Context<T>& context) const override;
  Var<T> inverse(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  std::vector<Index> order_;
  Tensor<Index> places_;
  Tensor<Index> places_back_;
};

extern template class Permutation<float>;
extern template class Permutation<double>;

}  // namespace fjord::flows
