/// Everything of the layer ode, for its users.
#pragma once

#include "fjord/ode/adjoint.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/ode/tableau.hpp"
