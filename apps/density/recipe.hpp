/// How the flows of a fit are made and trained.
#pragma once

#include <vector>

#include "fjord/apps/density/data.hpp"
#include "fjord/apps/density/flow_rows.hpp"
#include "fjord/apps/density/options.hpp"
#include "fjord/apps/density/training.hpp"

namespace fjord::apps::density {

/// The plan that the options ask for; all that it is given must outlive it.
///
/// `random` is the key of the run.
template <class T>
TrainingPlan<T> plan_of(const FitOptions& options, const Data& data, const FlowRows<T>& rows,
                        const RandomKey& random);

}  // namespace fjord::apps::density
