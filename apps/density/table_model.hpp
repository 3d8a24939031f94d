/// The model of a table's rows, as files hold it, and what it makes of the rows.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "fjord/apps/density/data.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/flows/distribution.hpp"
#include "fjord/flows/sharded.hpp"
#include "fjord/nn/safetensors.hpp"

namespace fjord::apps::density {

/// A density of standard numbers in the table's units, with the names of its columns: in the
/// precision T, or in double if float does not hold the units, as of numbers around 1e9 that are
/// about 1 apart, or of positive ones whose logarithms have a deviation above 1.7.
template <class T>
nn::State table_model(std::unique_ptr<flows::Distribution<T>> density, const Data& data);

/// The log-densities of rows by a saved model, in units of the standardised columns, as precise as
/// density score computes them: of some thousand rows, and then of as many more until a stop. All
/// ranks take part, in the stop, too.
///
/// Shapes:  chosen: numbers of rows -> [chosen], or the first of these.
/// Errors:  as flows::model_of().
Tensor<double> standard_log_density(const nn::State& model, const Data& data,
                                    const std::vector<std::uint32_t>& chosen, Workers& workers,
                                    const RandomKey& probes, const Stop& stop);

}  // namespace fjord::apps::density
