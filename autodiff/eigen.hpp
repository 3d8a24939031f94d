/// Eigen's matrices of Scalars, with all that its templates compute of them.
///
/// Includes nothing of Eigen, which may be included before or after.
/// Note:    A vector or matrix of Scalars is a structure (structure.hpp): `gradient` takes it as an
///          argument and gives one like it. Decompositions choose pivots by values, as for numbers.
///          Where one of them leaves out a step because a number is exactly 0, the derivative in
///          that number is lost, without a word: the reflections and rotations of Eigen's QR,
///          eigenvalue and singular value decompositions do, in triangular, diagonal or symmetric
///          matrices. Its LU, LLT and LDLT do not; nor do Fjord's `qr`, `eigh` and `svd` of Vars.
#pragma once

#include <limits>

#include "fjord/autodiff/scalar.hpp"

namespace Eigen {

template <class T>
struct NumTraits;
template <class A, class B, class Operation>
struct ScalarBinaryOpTraits;

template <class T>
struct NumTraits<fjord::Scalar<T>> {
  using Real = fjord::Scalar<T>;
  using NonInteger = fjord::Scalar<T>;
  using Nested = fjord::Scalar<T>;
  using Literal = fjord::Scalar<T>;

  enum {
    IsComplex = 0,
    IsInteger = 0,
    IsSigned = 1,
    RequireInitialization = 1,
    ReadCost = 3,
    AddCost = 30,
    MulCost = 30,
  };

  static Real epsilon() { return std::numeric_limits<T>::epsilon(); }

  static Real dummy_precision() { return std::is_same_v<T, float> ? T(1e-5) : T(1e-12); }

  static Real highest() { return std::numeric_limits<T>::max(); }

  static Real lowest() { return std::numeric_limits<T>::lowest(); }

  static Real infinity() { return std::numeric_limits<T>::infinity(); }

  static Real quiet_NaN() { return std::numeric_limits<T>::quiet_NaN(); }

  static int digits10() { return std::numeric_limits<T>::digits10; }
};

// Matrices of numbers mix with those of Scalars.
template <class T, class Operation>
struct ScalarBinaryOpTraits<fjord::Scalar<T>, T, Operation> {
  using ReturnType = fjord::Scalar<T>;
};

template <class T, class Operation>
struct ScalarBinaryOpTraits<T, fjord::Scalar<T>, Operation> {
  using ReturnType = fjord::Scalar<T>;
};

}  // namespace Eigen
