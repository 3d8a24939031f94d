#include "fjord/ode/newton_matrix.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "fjord/autodiff/operation.hpp"

namespace fjord::ode {
namespace {

template <class T>
T largest_size(std::span<const T> x) {
  T largest = 0;
  for (const T entry : x) largest = std::max(largest, std::abs(entry));
  return largest;
}

}  // namespace

template <class T>
bool NewtonMatrix<T>::assign(T a, std::span<const T> y, std::span<const T> slope, const Slope& f) {
  size_ = y.size();
  factors_.resize(size_ * size_);
  pivots_.resize(size_);
  moved_.assign(y.begin(), y.end());
  // Half of the digits: what rounding and curvature spoil is then about the same. Small entries
  // move by a part of the largest one, whose rounding errors are theirs, too.
  const T part = std::sqrt(std::numeric_limits<T>::epsilon());
  const T largest = largest_size(y);
  for (std::size_t j = 0; j < size_; ++j) {
    const T scale = std::max(std::abs(y[j]), largest / 10);
    moved_[j] = y[j] + part * (scale > 0 ? scale : 1);
    T* const entries = column(j);
    f(moved_, {entries, size_});
    const T factor = -a / (moved_[j] - y[j]);
    for (std::size_t i = 0; i < size_; ++i) entries[i] = (entries[i] - slope[i]) * factor;
    entries[j] += 1;
    moved_[j] = y[j];
  }
  return factor();
}

// Gauss's elimination, column by column, with the largest entry as the pivot.
template <class T>
bool NewtonMatrix<T>::factor() {
  for (std::size_t k = 0; k < size_; ++k) {
    T* const left = column(k);
    const auto is_smaller = [](T a, T b) { return std::abs(a) < std::abs(b); };
    const T* const pivot = std::max_element(left + k, left + size_, is_smaller);
    if (*pivot == 0 || !std::isfinite(*pivot)) return false;
    pivots_[k] = static_cast<std::size_t>(pivot - left);
    for (std::size_t j = 0; j < size_; ++j) std::swap(column(j)[k], column(j)[pivots_[k]]);
    for (std::size_t i = k + 1; i < size_; ++i) left[i] /= left[k];
    for (std::size_t j = k + 1; j < size_; ++j) {
      T* const entries = column(j);
      for (std::size_t i = k + 1; i < size_; ++i) entries[i] -= left[i] * entries[k];
    }
  }
  return true;
}

template <class T>
void NewtonMatrix<T>::divide(std::span<T> x) const {
  for (std::size_t k = 0; k < size_; ++k) std::swap(x[k], x[pivots_[k]]);
  for (std::size_t k = 0; k < size_; ++k) {
    for (std::size_t i = k + 1; i < size_; ++i) x[i] -= column(k)[i] * x[k];
  }
  for (std::size_t k = size_; k-- > 0;) {
    x[k] /= column(k)[k];
    for (std::size_t i = 0; i < k; ++i) x[i] -= column(k)[i] * x[k];
  }
}

template <class T>
void NewtonMatrix<T>::divide_by_transpose(std::span<T> x) const {
  for (std::size_t k = 0; k < size_; ++k) {
    for (std::size_t i = 0; i < k; ++i) x[k] -= column(k)[i] * x[i];
    x[k] /= column(k)[k];
  }
  for (std::size_t k = size_; k-- > 0;) {
    for (std::size_t i = k + 1; i < size_; ++i) x[k] -= column(k)[i] * x[i];
  }
  for (std::size_t k = size_; k-- > 0;) std::swap(x[k], x[pivots_[k]]);
}

namespace {

template <class T>
struct Division {
  struct Divisor {
    std::shared_ptr<const NewtonMatrix<T>> matrix;
    bool is_transposed;
  };

  static Var<T> record(const Var<T>& x, Divisor divisor) {
    Tape<T>& tape = x.tape();
    const Node<T>& dividend = tape.node(x, "solve");
    const auto kept = std::make_shared<const Divisor>(std::move(divisor));
    tape.own(kept);
    const auto [quotient, numbers] =
        append_operation<T>(tape, row, {x}, dividend.shape, kept.get());
    const std::span<T> entries(numbers, static_cast<std::size_t>(dividend.shape.size));
    std::copy_n(dividend.value, entries.size(), numbers);
    if (kept->is_transposed) {
      kept->matrix->divide_by_transpose(entries);
    } else {
      kept->matrix->divide(entries);
    }
    // In derivatives -0 has a meaning that a quotient must not have by chance: see Operation.
    for (T& entry : entries) entry += T(0);
    return quotient;
  }

  static void pullback(Reverse<T>& rule) {
    const auto& divisor = rule.template attributes<Divisor>();
    if (rule.wants(0))
      rule.add(0, record(rule.cotangent(), {divisor.matrix, !divisor.is_transposed}));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(record(rule.tangent(0), rule.template attributes<Divisor>()));
    return true;
  }

  static constexpr Operation<T> row{"newton_division", pullback, pushforward};
};

}  // namespace

template <class T>
Var<T> divide(const Var<T>& x, std::shared_ptr<const NewtonMatrix<T>> matrix) {
  return Division<T>::record(x, {std::move(matrix), false});
}

#define FJORD_INSTANTIATE(T)      \
  template class NewtonMatrix<T>; \
  template Var<T> divide(const Var<T>&, std::shared_ptr<const NewtonMatrix<T>>);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
