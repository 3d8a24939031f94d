/// The model of a table's rows, as files hold it, and what it makes of the rows.
#pragma once

#include <cstdint>
#include <vector>

#include "fjord/apps/density/background.hpp"
#include "fjord/apps/density/data.hpp"
#include "fjord/apps/density/model.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/flows/sharded.hpp"

namespace fjord::apps::density {

/// The mean of the flows and the background, in the table's units, with the names of its columns.
///
/// Errors:  as density_of_table().
template <class T>
nn::State table_model(Flows<T> members, const Data& data, const Background& background);

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
