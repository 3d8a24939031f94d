/// Everything of the layer autodiff, for its users; the adapters of other libraries are apart:
/// fjord/autodiff/eigen.hpp and xtensor.hpp.
#pragma once

#include "fjord/autodiff/blas.hpp"
#include "fjord/autodiff/checkpoint.hpp"
#include "fjord/autodiff/communicator.hpp"
#include "fjord/autodiff/custom.hpp"
#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/diagnostics.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/gradient_check.hpp"
#include "fjord/autodiff/npy.hpp"
#include "fjord/autodiff/ops/ops.hpp"
#include "fjord/autodiff/parameter.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/scalar.hpp"
#include "fjord/autodiff/structure.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/autodiff/tensor.hpp"
#include "fjord/autodiff/tree_sum.hpp"
#include "fjord/autodiff/workers.hpp"
