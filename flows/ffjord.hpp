/// FFJORD: the flow of a field, with the log-determinant by the integral of its divergence.
#pragma once

#include "fjord/flows/bijector.hpp"
#include "fjord/flows/divergence.hpp"
#include "fjord/ode/solve.hpp"

namespace fjord::flows {

enum class Trace { exact, hutchinson };

struct FfjordOptions {
  double t0 = 0;  ///< time of the base
  double t1 = 1;  ///< time of the data
  /// Of every solve, except for the norm and the gradient mode: Context has those.
  ode::SolveOptions solve = {};
  Trace trace = Trace::exact;
  Probe probe = Probe::rademacher;  ///< of Hutchinson's trace
  Index probes = 1;  ///< of Hutchinson's trace, for each row, drawn once a solve, > 0
};

/// The map that carries z(t0) to z(t1) along dz/dt = f(t, z).
///
/// The log-determinant of the forward map is the integral of the divergence of f from t0 to t1;
/// that of the inverse, from t1 to t0, its negative.
/// Source:  Chen et al., NeurIPS 2018, theorem 1; Grathwohl et al., FFJORD, ICLR 2019.
template <class T>
class Ffjord final : public Bijector<T> {
 public:
  /// Takes a field f(t, z) of rows [B, D], each row's slope depending on that row alone, and its
  /// parameters; and, where a fused form is known, the map from t and z to f and its exact
  /// divergence as one column more, [B, D + 1]. Without it tangents through f give the trace.
  ///
  /// Note:    The field owns what it needs, or refers to what outlives the bijector, which must in
  ///          turn outlive the recordings it was used in.
  /// Errors:  std::invalid_argument if `probes` is not positive, the field is empty or a parameter
  ///          null.
  Ffjord(ode::Field<T> field, nn::NamedParameters<T> parameters, const FfjordOptions& options = {},
         ode::Field<T> field_with_divergence = nullptr);

  Var<T> forward(const Var<T>& x, Context& context) const override;
  Var<T> inverse(const Var<T>& y, Context& context) const override;
  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context& context) const override;
  void add_parameters(const std::string& prefix, nn::NamedParameters<T>& list) override;

 private:
  Var<T> integrate(const ode::Field<T>& f, const Var<T>& y0, ode::TimeSpan span,
                   Context& context) const;
  WithLogDet<T> integrate_with_log_det(const Var<T>& z0, ode::TimeSpan span,
                                       Context& context) const;
  // What the trace needs pushed through the field; empty where the field gives it itself.
  Var<T> directions_at(const Var<T>& z0, const Context& context) const;
  // Whether the exact trace takes more memory at once than it needs: where nothing is recorded, it
  // is computed in blocks.
  bool takes_blocks(const Shape& rows, const Context& context) const;
  // The slope of z with the divergence as one column more; directions empty: in one operation, or
  // in blocks.
  Var<T> slope_with_divergence(const Var<T>& t, const Var<T>& z, const Var<T>& directions) const;

  ode::Field<T> field_;
  ode::Field<T> field_with_divergence_;
  nn::NamedParameters<T> parameters_;
  FfjordOptions options_;
};

extern template class Ffjord<float>;
extern template class Ffjord<double>;

}  // namespace fjord::flows
