/// Vector fields: the right-hand sides of continuous flows.
#pragma once

#include <utility>

#include "fjord/nn/part_reader.hpp"
#include "fjord/ode/field.hpp"

namespace fjord::flows {

/// dx/dt = f(t, x): a function of a time and rows, with parameters, each row's slope depending on
/// that row only.
///
/// Shapes:  t a scalar, or [B, 1], a time for each row; x [B, D]; given [B, G], what is known of
///          the rows, or empty; f [B, D].
/// Errors:  std::invalid_argument, in all functions, if the shapes do not match.
template <class T>
class VectorField : public nn::Part<T> {
 public:
  static constexpr const char* kind = "vector field";

  /// f(t, x).
  virtual Var<T> slope(const Var<T>& t, const Var<T>& x, const Var<T>& given) const = 0;

  /// The same where tangents will be pushed through it, for fields that have a fused form, through
  /// which that takes longer.
  virtual Var<T> slope_for_tangents(const Var<T>& t, const Var<T>& x, const Var<T>& given) const {
    return slope(t, x, given);
  }

  /// The width of a layer that all that f takes from x passes through; 0 if there is none.
  virtual Index bottleneck() const { return 0; }

  /// What that layer gives, [B, bottleneck()], and f, as `slope_for_tangents` gives it.
  ///
  /// Errors:  std::invalid_argument if there is none.
  virtual std::pair<Var<T>, Var<T>> slope_by_bottleneck(const Var<T>& t, const Var<T>& x,
                                                        const Var<T>& given) const;

  /// Whether `with_divergence` is there: the field knows its exact divergence without tangents.
  virtual bool knows_divergence() const { return false; }

  /// f with its exact divergence, the sum of the df_i/dx_i, as one column more: [B, D + 1].
  ///
  /// Errors:  std::invalid_argument if the field does not know it.
  virtual Var<T> with_divergence(const Var<T>& t, const Var<T>& x, const Var<T>& given) const;

  /// dP/dt of a field f = -grad P, the gradient in x of a potential P(t, x): [B].
  ///
  /// Errors:  std::invalid_argument if the field has no potential.
  virtual Var<T> potential_time_slope(const Var<T>& t, const Var<T>& x, const Var<T>& given) const;
};

/// A field that is a function, with the parameters that it binds. A model with it cannot be saved.
///
/// Note:    The function owns what it needs, or refers to what outlives the model, which must in
///          turn outlive the recordings it was used in.
template <class T>
class FunctionField final : public VectorField<T> {
 public:
  /// Errors:  std::invalid_argument if the function is empty or a parameter null.
  FunctionField(ode::Field<T> function, nn::NamedParameters<T> parameters);

  Var<T> slope(const Var<T>& t, const Var<T>& x, const Var<T>& given) const override;
  nn::Description<T> describe() override;

 private:
  ode::Field<T> function_;
  nn::NamedParameters<T> parameters_;
};

extern template class VectorField<float>;
extern template class VectorField<double>;
extern template class FunctionField<float>;
extern template class FunctionField<double>;

}  // namespace fjord::flows
