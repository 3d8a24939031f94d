#include "fjord/apps/density/baseline.hpp"

#include "fjord/apps/density/row_loops.hpp"

namespace fjord::apps::density {

double mean_log_density(const Baseline& model, const WeightedRows& rows, Workers& workers) {
  return weighted_mean(model.log_density(rows.values, workers).to_vector(), rows.weights);
}

}  // namespace fjord::apps::density
