/// Regularisers of continuous flows: integrals along the paths that training may keep small.
#pragma once

#include <span>
#include <string_view>

#include "fjord/flows/vector_field.hpp"

namespace fjord::flows {

/// A field at a time and rows, as regularisers see it.
template <class T>
struct FieldAt {
  const VectorField<T>& field;
  Var<T> t;      ///< a scalar
  Var<T> x;      ///< [B, D]
  Var<T> given;  ///< [B, G], or empty
  Var<T> slope;  ///< [B, D], f(t, x), recorded from t and x
  /// [B], the square of the Jacobian's Frobenius norm, or an estimate by the probes of the trace;
  /// empty unless a regulariser uses it.
  Var<T> squared_jacobian;
};

/// A density along the paths of rows, whose integral over |dt| is a penalty: data without state.
template <class T>
struct Regularizer {
  /// What it needs; what costs more comes later.
  enum class Uses {
    slope,     ///< values of the field
    tangents,  ///< tangents through the field, which is not computed in its fused form
    jacobian,  ///< FieldAt::squared_jacobian
  };

  std::string_view name;
  Uses uses;
  Var<T> (*density)(const FieldAt<T>& at);  ///< [B], not negative
};

/// All regularisers of the library, with f the field, J its Jacobian in x and D the width of rows.
///
/// * kinetic_energy: |f|^2;
/// * jacobian_norm: |J|_F^2, with estimated traces the mean of |J e|^2 over their probes e;
/// * directional_derivative: |J f|^2;
/// * total_derivative: |df/dt + J f|^2, the square of the acceleration along the path;
/// * hamilton_jacobi_bellman: |dP/dt - |f|^2 / 2| of a field f = -grad P with a potential P, which
///   is 0 on straight paths.
/// Source:  Finlay et al., How to train your neural ODE (RNODE), ICML 2020, for the first two; its
///          code, github.com/cfinlay/ffjord-rnode, for the next two, there halves of means over D;
///          Onken et al., OT-Flow, AAAI 2021, for the last.
template <class T>
std::span<const Regularizer<T>> regularizers();

/// The regulariser of that name.
///
/// Errors:  std::invalid_argument, which lists the names, if there is none.
template <class T>
const Regularizer<T>& regularizer_named(std::string_view name);

}  // namespace fjord::flows
