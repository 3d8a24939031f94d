#include "fjord/flows/spline_bins.hpp"

#include <algorithm>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/flows/var_list.hpp"

namespace fjord::flows {

template <class T>
Var<T> blocks(const Var<T>& x, Index dim, Index first, Index end) {
  return slice(x, 1, first * dim, end * dim);
}

template <class T>
std::span<const Var<T>> running_sums(const Var<T>& x, Index dim) {
  const Index count = x.shape()[1] / dim;
  VarList<T> sums(x.tape(), static_cast<std::size_t>(count));
  sums.add(blocks(x, dim, 0, 1));
  for (Index k = 1; k < count; ++k) sums.add(sums.all().back() + blocks(x, dim, k, k + 1));
  return sums.all();
}

template <class T>
Var<T> bounded_exp(const Var<T>& logits) {
  constexpr T bound = T(3.4538776394910684);  // log(1000) / 2
  return exp(tanh(logits * (1 / bound)) * bound);
}

template <class T>
Bins<T> make_bins(const Var<T>& logits, Index dim) {
  const Var<T> sizes = bounded_exp(logits);
  const std::span<const Var<T>> sums = running_sums(sizes, dim);
  return {sizes, concatenate(sums, 1), sums.back()};
}

template <class T>
Bins<T> unit_bins(const Bins<T>& bins, Index dim) {
  const Var<T> all = tile(bins.total, {1, bins.sizes.shape()[1] / dim});
  return {bins.sizes / all, bins.uppers / all, ones_like(bins.total)};
}

template <class T>
TensorView<Index> find_bins(const Var<T>& u, const Bins<T>& bins) {
  const Shape shape = u.shape();
  const Index entries = shape.size();
  const Index count = bins.uppers.shape().size() / std::max<Index>(entries, 1);
  auto* index = u.tape().template new_records<Index>(static_cast<std::size_t>(entries));
  for (Index i = 0; i < entries; ++i) index[i] = i / shape[0];
  const T* numbers = u.value().data();
  const T* total = bins.total.value().data();
  const T* upper = bins.uppers.value().data();
  for (Index bin = 0; bin + 1 < count; ++bin, upper += entries) {
    for (Index i = 0; i < entries; ++i)
      index[i] += numbers[i] * total[i] >= upper[i] ? shape[1] : 0;
  }
  return {index, shape, Order::column_major};
}

template <class T>
TensorView<Index> next_blocks(const TensorView<Index>& index, Tape<T>& tape) {
  const Index entries = index.shape().size();
  auto* next = tape.template new_records<Index>(static_cast<std::size_t>(entries));
  for (Index i = 0; i < entries; ++i) next[i] = index.data()[i] + index.shape()[1];
  return {next, index.shape(), Order::column_major};
}

template <class T>
Bin<T> bin_at(const Bins<T>& bins, const TensorView<Index>& index) {
  const Var<T> size = gather(bins.sizes, index, 1);
  const Var<T> lower = gather(bins.uppers, index, 1) - size;
  return {lower / bins.total, size / bins.total};
}

#define FJORD_INSTANTIATE(T)                                                       \
  template Var<T> blocks(const Var<T>&, Index, Index, Index);                      \
  template std::span<const Var<T>> running_sums(const Var<T>&, Index);             \
  template Var<T> bounded_exp(const Var<T>&);                                      \
  template Bins<T> make_bins(const Var<T>&, Index);                                \
  template Bins<T> unit_bins(const Bins<T>&, Index);                               \
  template TensorView<Index> find_bins(const Var<T>&, const Bins<T>&);             \
  template TensorView<Index> next_blocks(const TensorView<Index>&, Tape<T>& tape); \
  template Bin<T> bin_at(const Bins<T>&, const TensorView<Index>& index);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::flows
