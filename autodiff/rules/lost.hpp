/// Derivatives of matrices at which a function of them has none.
#pragma once

#include <cmath>
#include <limits>

#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/rules/matrix.hpp"

namespace fjord::rules {

using namespace kernels;

template <class T>
inline constexpr T lost = std::numeric_limits<T>::quiet_NaN();

/// Whether one of the columns of a matrix with m rows depends on those before it except for
/// rounding errors, by its triangle R [n, n] with entries `step` apart: |R_jj| is the distance of
/// column j from them, and the others of its column are its parts along them.
template <class T>
bool is_dependent(Index m, Index n, const T* r, Index step = 1) {
  const T share = static_cast<T>(m) * std::numeric_limits<T>::epsilon();
  for (Index j = 0; j < n; ++j) {
    const T* column = r + step * n * j;
    T largest = 0;
    for (Index i = 0; i < j; ++i) largest = std::max(largest, std::abs(column[step * i]));
    if (column[step * j] <= share * largest) return true;
  }
  return false;
}

/// Whether all entries of the derivative of matrix k are masked; of an empty handle they are.
template <class T>
bool is_masked_matrix(const Var<T>& x, Index k) {
  if (x.is_empty()) return true;
  const Node<T>& node = x.tape().node(x.index());
  const MatrixBatch batch = matrices_of(node.shape);
  for (Index i = 0; i < batch.size(); ++i) {
    if (!simd::is_masked(node.value[k + batch.count * i])) return false;
  }
  return true;
}

/// For every matrix of a derivative a masked zero if all its entries are masked, else NaN; so are
/// all its derivatives.
template <class T>
Var<T> lost_unless_masked(const Var<T>& x) {
  const Var<T> everywhere = broadcast_to(x.tape().scalar(lost<T>), x.shape());
  return sum(scale(x, everywhere), {-2, -1}, true);
}

/// `found`, which a rule made of derivatives g and h, one of which may be empty, by quotients that
/// are NaN for matrices where is_lost[k]; but masked for those of these where g and h are.
template <class T>
Var<T> or_zero(const Var<T>& found, const std::vector<bool>& is_lost, const Var<T>& g,
               const Var<T>& h = {}) {
  if (std::find(is_lost.begin(), is_lost.end(), true) == is_lost.end()) return found;
  Tape<T>& tape = found.tape();
  Tensor<T> idle = Tensor<T>::zeros(batch_shape(tape.node(found.index()).shape, 1, 1));
  for (std::size_t k = 0; k < is_lost.size(); ++k) {
    const auto i = static_cast<Index>(k);
    const bool is_idle = is_lost[k] && is_masked_matrix(g, i) && is_masked_matrix(h, i);
    idle.storage()[k] = is_idle ? T(1) : T(0);
  }
  Var<T> nothing = lost_unless_masked(g.is_empty() ? h : g);
  if (!g.is_empty() && !h.is_empty()) nothing = nothing + lost_unless_masked(h);
  return where(tape.input(idle), broadcast_to(nothing, found.shape()), found);
}

}  // namespace fjord::rules
