/// Everything of the layer ode, for its users.
#pragma once

#include "fjord/ode/check_gradient.hpp"
#include "fjord/ode/methods.hpp"
#include "fjord/ode/simulate.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/ode/structured.hpp"
