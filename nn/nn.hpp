/// Everything of the layer nn, for its users.
#pragma once

#include "fjord/nn/activation.hpp"
#include "fjord/nn/fourier_time.hpp"
#include "fjord/nn/linear.hpp"
#include "fjord/nn/masked_mlp.hpp"
#include "fjord/nn/mlp.hpp"
#include "fjord/nn/module.hpp"
#include "fjord/nn/modules.hpp"
#include "fjord/nn/part.hpp"
#include "fjord/nn/part_reader.hpp"
#include "fjord/nn/safetensors.hpp"
#include "fjord/nn/spectral_norm.hpp"
#include "fjord/nn/time_input.hpp"
#include "fjord/nn/time_layer.hpp"
