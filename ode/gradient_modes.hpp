/// The gradient modes of the library, with their default options.
#pragma once

#include "fjord/ode/backsolve.hpp"
#include "fjord/ode/checkpointed.hpp"
#include "fjord/ode/direct.hpp"
#include "fjord/ode/forward_sensitivity.hpp"
#include "fjord/ode/interpolating_adjoint.hpp"
#include "fjord/ode/reversible_adjoint.hpp"

namespace fjord::ode {

extern const Direct direct;
extern const ValuesOnly values_only;
extern const Checkpointed checkpointed;
extern const Backsolve backsolve;  // by name: adjoint
extern const InterpolatingAdjoint interpolating;
extern const QuadratureAdjoint quadrature;
extern const ReversibleAdjoint reversible;
extern const ForwardSensitivity forward_sensitivity;  // by name: forward

}  // namespace fjord::ode
