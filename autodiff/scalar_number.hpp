/// The class Scalar and its arithmetic; scalar.hpp has the rest.
#pragma once

#include <cmath>
#include <compare>
#include <limits>
#include <type_traits>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/power.hpp"
#include "fjord/autodiff/ops/rounding.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord {

/// A number, and the node that it is on a tape, if any.
///
/// Errors:  operations throw std::invalid_argument if the operands are on different tapes, or if a
///          node was ended by a rewind.
/// Note:    Comparisons and conversions to numbers are those of the value; no derivative flows. A
///          Scalar on a tape must not outlive it.
template <class T>
class Scalar final {
 public:
  constexpr Scalar() = default;

  /// A number on no tape.
  template <class N>
  requires std::is_arithmetic_v<N>

  constexpr Scalar(N number) : value_(static_cast<T>(number)) {}

  /// The number of a node.
  ///
  /// Errors:  std::invalid_argument if the node's size is not 1.
  explicit Scalar(const Var<T>& var);

  T value() const { return value_; }

  template <class N>
  requires std::is_arithmetic_v<N>

  explicit constexpr operator N() const { return static_cast<N>(value_); }

  bool is_recorded() const { return !var_.is_empty(); }

  /// The node, of rank 0.
  ///
  /// Errors:  std::invalid_argument if the number is on no tape.
  const Var<T>& var() const;

  /// The node, or a new leaf of the tape if the number is on none.
  Var<T> var(Tape<T>& tape) const { return is_recorded() ? var_ : tape.scalar(value_); }

  // Adding 0 and multiplying by 1, with which sums and products begin, records nothing.

  friend Scalar operator+(const Scalar& a, const Scalar& b) {
    if (!b.is_recorded()) return a.plus(b.value_);
    if (!a.is_recorded()) return b.plus(a.value_);
    return recorded(a.var_ + b.var_);
  }

  friend Scalar operator-(const Scalar& a, const Scalar& b) {
    if (!b.is_recorded()) return a.plus(-b.value_);
    if (!a.is_recorded()) return recorded(a.value_ - b.var_);
    return recorded(a.var_ - b.var_);
  }

  friend Scalar operator*(const Scalar& a, const Scalar& b) {
    if (!b.is_recorded()) return a.times(b.value_);
    if (!a.is_recorded()) return b.times(a.value_);
    return recorded(a.var_ * b.var_);
  }

  friend Scalar operator/(const Scalar& a, const Scalar& b) {
    if (!b.is_recorded()) {
      if (!a.is_recorded()) return a.value_ / b.value_;
      return b.value_ == 1 ? a : recorded(a.var_ / b.value_);
    }
    return a.is_recorded() ? recorded(a.var_ / b.var_) : recorded(a.value_ / b.var_);
  }

  friend Scalar operator-(const Scalar& x) {
    return x.is_recorded() ? recorded(-x.var_) : Scalar(-x.value_);
  }

  friend Scalar operator+(const Scalar& x) { return x; }

  Scalar& operator+=(const Scalar& b) { return *this = *this + b; }

  Scalar& operator-=(const Scalar& b) { return *this = *this - b; }

  Scalar& operator*=(const Scalar& b) { return *this = *this * b; }

  Scalar& operator/=(const Scalar& b) { return *this = *this / b; }

  friend constexpr bool operator==(const Scalar& a, const Scalar& b) {
    return a.value_ == b.value_;
  }

  friend constexpr std::partial_ordering operator<=>(const Scalar& a, const Scalar& b) {
    return a.value_ <=> b.value_;
  }

  friend Scalar pow(const Scalar& a, const Scalar& b) {
    if (!b.is_recorded()) {
      if (!a.is_recorded()) return std::pow(a.value_, b.value_);
      return b.value_ == 2 ? recorded(square(a.var_)) : recorded(pow(a.var_, b.value_));
    }
    return recorded(pow(a.var(b.var_.tape()), b.var_));
  }

  friend Scalar atan2(const Scalar& y, const Scalar& x) {
    return of_both(y, x, [](const auto& u, const auto& v) {
      using std::atan2;
      return atan2(u, v);
    });
  }

  friend Scalar hypot(const Scalar& a, const Scalar& b) {
    return of_both(a, b, [](const auto& u, const auto& v) {
      using std::hypot;
      return hypot(u, v);
    });
  }

  friend Scalar fmod(const Scalar& a, const Scalar& b) {
    return of_both(a, b, [](const auto& u, const auto& v) {
      using std::fmod;
      return fmod(u, v);
    });
  }

  /// The larger one, or the one that is not NaN; the first of equal ones.
  friend Scalar fmax(const Scalar& a, const Scalar& b) {
    return a.value_ >= b.value_ || std::isnan(b.value_) ? a : b;
  }

  friend Scalar fmin(const Scalar& a, const Scalar& b) {
    return a.value_ <= b.value_ || std::isnan(b.value_) ? a : b;
  }

  friend Scalar fdim(const Scalar& a, const Scalar& b) {
    return a.value_ <= b.value_ ? Scalar() : a - b;
  }

  friend Scalar fma(const Scalar& a, const Scalar& b, const Scalar& c) { return a * b + c; }

  friend Scalar copysign(const Scalar& a, const Scalar& b) {
    return std::signbit(a.value_) == std::signbit(b.value_) ? a : -a;
  }

 private:
  // Of a node of rank 0 that was just recorded.
  static Scalar recorded(const Var<T>& var) {
    Scalar x;
    x.value_ = *var.tape().node(var.index()).value;
    x.var_ = var;
    return x;
  }

  Scalar plus(T c) const {
    if (!is_recorded()) return value_ + c;
    return c == 0 && value_ != 0 ? *this : recorded(var_ + c);
  }

  Scalar times(T c) const {
    if (!is_recorded()) return value_ * c;
    return c == 1 ? *this : recorded(var_ * c);
  }

  template <class F>
  static Scalar of_both(const Scalar& a, const Scalar& b, F f) {
    if (!a.is_recorded() && !b.is_recorded()) return f(a.value_, b.value_);
    Tape<T>& tape = (a.is_recorded() ? a : b).var_.tape();
    return recorded(f(a.var(tape), b.var(tape)));
  }

  T value_ = 0;
  Var<T> var_;
};

extern template class Scalar<float>;
extern template class Scalar<double>;

}  // namespace fjord

/// @cond
template <class T>
struct std::numeric_limits<fjord::Scalar<T>> : std::numeric_limits<T> {
 private:
  using Limits = std::numeric_limits<T>;
  using Number = fjord::Scalar<T>;

 public:
  static constexpr Number min() noexcept { return Limits::min(); }

  static constexpr Number max() noexcept { return Limits::max(); }

  static constexpr Number lowest() noexcept { return Limits::lowest(); }

  static constexpr Number epsilon() noexcept { return Limits::epsilon(); }

  static constexpr Number round_error() noexcept { return Limits::round_error(); }

  static constexpr Number infinity() noexcept { return Limits::infinity(); }

  static constexpr Number quiet_NaN() noexcept { return Limits::quiet_NaN(); }

  static constexpr Number signaling_NaN() noexcept { return Limits::signaling_NaN(); }

  static constexpr Number denorm_min() noexcept { return Limits::denorm_min(); }
};

/// @endcond
