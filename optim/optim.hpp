/// Everything of the layer optim, for its users.
#pragma once

#include "fjord/optim/average.hpp"
#include "fjord/optim/clip.hpp"
#include "fjord/optim/lbfgs.hpp"
#include "fjord/optim/optimizers.hpp"
#include "fjord/optim/plateau.hpp"
#include "fjord/optim/schedules.hpp"
