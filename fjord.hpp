/// Everything of every layer, for programs.
#pragma once

#include "fjord/autodiff/autodiff.hpp"
#include "fjord/flows/flows.hpp"
#include "fjord/nn/nn.hpp"
#include "fjord/ode/ode.hpp"
#include "fjord/optim/optim.hpp"
