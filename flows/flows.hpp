/// Everything of the layer flows, for its users.
#pragma once

#include "fjord/flows/bijector.hpp"
#include "fjord/flows/distribution.hpp"
#include "fjord/flows/divergence.hpp"
#include "fjord/flows/ffjord.hpp"
#include "fjord/flows/model.hpp"
#include "fjord/flows/sharded.hpp"
