/// Operations that join tensors, cut them into parts, or surround them.
///
/// An axis counts from the end if negative.
#pragma once

#include <span>
#include <type_traits>

#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/var.hpp"

namespace fjord {

/// Joins tensors of one shape along a new axis.
///
/// Errors:  std::invalid_argument if there is none, or if their shapes differ.
template <class T>
Var<T> stack(std::span<const Var<T>> parts, Index axis);

template <class T>
Var<T> stack(std::initializer_list<Var<T>> parts, Index axis) {
  return stack(std::span<const Var<T>>(parts.begin(), parts.size()), axis);
}
/// Cuts x into `count` equal parts along an axis.
///
/// Errors:  std::invalid_argument unless count is positive, at most 65535, and divides the size of
///          the axis.
/// Note:    In recorded sweeps cheaper than as many slices, of which each has a cotangent of x's
///          size.
template <class T>
Vars<T> split(const Var<T>& x, Index count, Index axis);

/// How many entries `pad` adds around an axis.
struct PadWidths {
  Index before;
  Index after;
};

/// x with a constant around it, so many entries before and after along each axis.
///
/// Errors:  std::invalid_argument unless there are widths >= 0 for each axis.
template <class T>
Var<T> pad(const Var<T>& x, std::span<const PadWidths> widths,
           std::type_identity_t<T> constant = 0);

template <class T>
Var<T> pad(const Var<T>& x, std::initializer_list<PadWidths> widths,
           std::type_identity_t<T> constant = 0) {
  return pad(x, std::span(widths.begin(), widths.size()), constant);
}

}  // namespace fjord
