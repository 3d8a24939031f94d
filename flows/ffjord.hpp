/// FFJORD: the flow of a field, with the log-determinant by the integral of its divergence.
#pragma once

#include "fjord/flows/bijector.hpp"
#include "fjord/flows/divergence.hpp"
#include "fjord/flows/regularizer.hpp"
#include "fjord/flows/vector_field.hpp"
#include "fjord/ode/solve.hpp"

namespace fjord::flows {

/// How continuous flows compute; not part of a model.
struct SolverSettings {
  /// Of every solve, except for the norm and the gradient mode: Context has those.
  ode::SolveOptions solve = {};
  Trace trace = Trace::automatic;
  Probe probe = Probe::rademacher;  ///< of estimated traces
  /// Products with the Jacobian that an estimated trace may take, for each row, > 0; for Hutch++ a
  /// multiple of 3. Its probes are drawn once a solve. Those of Hutchinson's are for the field's
  /// bottleneck, if it has one that is narrower than a row: bottleneck_products.
  Index probes = 1;
  /// In training, where Context::norm is rms, every solve has a time of the data that is drawn
  /// uniformly from t1 - steer to t1 + steer; >= 0, and 0 or less than |t1 - t0|.
  ///
  /// Source:  Ghosh et al., STEER: simple temporal regularization for neural ODEs, NeurIPS 2020.
  double steer = 0;
};

struct FfjordOptions {
  double t0 = 0;            ///< time of the base
  double t1 = 1;            ///< time of the data
  bool trained_t1 = false;  ///< whether t1 is a parameter, which begins at that time
  SolverSettings solver = {};
};

/// The map that carries z(t0) to z(t1) along dz/dt = f(t, z).
///
/// The log-determinant of the forward map is the integral of the divergence of f from t0 to t1;
/// that of the inverse, from t1 to t0, its negative.
/// Source:  Chen et al., NeurIPS 2018, theorem 1; Grathwohl et al., FFJORD, ICLR 2019.
template <class T>
class Ffjord final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if the field is null, the times are not finite, or
  ///          `probes` or `steer` are out of their range.
  explicit Ffjord(std::unique_ptr<VectorField<T>> field, const FfjordOptions& options = {});
  /// Takes a function as the field, with the parameters that it binds: see FunctionField.
  explicit Ffjord(ode::Field<T> field, nn::NamedParameters<T> parameters = {},
                  const FfjordOptions& options = {});
  explicit Ffjord(nn::PartReader<T>& reader);

  /// How it computes from now on.
  ///
  /// Errors:  std::invalid_argument, and no change, if `probes` or `steer` are out of their
  ///          range.
  void set_solver(const SolverSettings& solver);

  const VectorField<T>& field() const { return *field_; }

  const FfjordOptions& options() const { return options_; }

  Var<T> forward(const Var<T>& x, Context<T>& context) const override;
  Var<T> inverse(const Var<T>& y, Context<T>& context) const override;
  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  enum class Direction { to_data, to_base };

  // What is integrated next to z, and by what.
  struct Integrand {
    Trace trace;
    // Pushed through the field; empty where it gives its divergence itself, and where that is
    // computed in blocks.
    Var<T> directions;
    Var<T> given;
    std::span<const Regularizer<T>* const> regularizers;
    bool uses_jacobian;
    bool by_bottleneck = false;  // the directions are of its width
  };

  double data_time() const;
  // The same for one solve, a number apart in training.
  double steered(const Context<T>& context) const;
  // The times of a solve.
  void set_times(ode::Problem<T>& problem, Direction direction, const Context<T>& context) const;
  Var<T> integrate(const ode::Field<T>& f, const Var<T>& y0, Direction direction,
                   Context<T>& context) const;
  Var<T> integrate_alone(const Var<T>& z0, Direction direction, Context<T>& context) const;
  WithLogDet<T> integrate_with_log_det(const Var<T>& z0, Direction direction,
                                       Context<T>& context) const;
  // The trace of settings that leave it open, for rows of some shape.
  Trace trace_for(const Shape& rows, const Context<T>& context) const;
  // Whether the field has a bottleneck for probes.
  bool narrows(const Integrand& integrand, Index dim) const;
  Integrand integrand_for(const Var<T>& z0, const Context<T>& context) const;
  // The slopes of z, of the integral of the divergence and of the penalties, side by side.
  Var<T> slopes(const Var<T>& t, const Var<T>& z, const Integrand& integrand) const;

  std::unique_ptr<VectorField<T>> field_;
  std::vector<Parameter<T>*> parameters_;
  FfjordOptions options_;
  std::unique_ptr<Parameter<T>> t1_;  // null unless it is trained
};

/// Sets how every Ffjord in a model computes.
///
/// Errors:  as Ffjord::set_solver.
template <class T>
void set_solver(nn::Part<T>& model, const SolverSettings& solver);

extern template class Ffjord<float>;
extern template class Ffjord<double>;

}  // namespace fjord::flows
