/// Everything of the layer optim, for its users.
#pragma once

#include "fjord/optim/adam.hpp"
