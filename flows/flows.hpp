/// Everything of the layer flows, for its users.
#pragma once

#include "fjord/flows/bijector.hpp"
#include "fjord/flows/distribution.hpp"
#include "fjord/flows/divergence.hpp"
#include "fjord/flows/ffjord.hpp"
#include "fjord/flows/ffjord_chain.hpp"
#include "fjord/flows/fit.hpp"
#include "fjord/flows/loss.hpp"
#include "fjord/flows/matching.hpp"
#include "fjord/flows/mlp_field.hpp"
#include "fjord/flows/model_file.hpp"
#include "fjord/flows/row_source.hpp"
#include "fjord/flows/sharded.hpp"
#include "fjord/flows/split.hpp"
#include "fjord/flows/toy_sets.hpp"
#include "fjord/flows/types.hpp"
#include "fjord/flows/vector_field.hpp"
