/// The gradient modes of the library, with their default options.
#pragma once

#include "fjord/ode/backsolve.hpp"
#include "fjord/ode/checkpointed.hpp"
#include "fjord/ode/direct.hpp"

namespace fjord::ode {

extern const Direct direct;
extern const ValuesOnly values_only;
extern const Checkpointed checkpointed;
extern const Backsolve backsolve;

}  // namespace fjord::ode
