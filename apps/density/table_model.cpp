#include "fjord/apps/density/table_model.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "fjord/apps/common/solver_settings.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/flows/model_file.hpp"
#include "fjord/flows/row_source.hpp"

namespace fjord::apps::density {
namespace {

// As density score computes.
constexpr double score_tolerance = 1e-6;

}  // namespace

template <class T>
nn::State table_model(Flows<T> members, const Data& data, const Background& background) {
  const Index given = data.rows.given;
  const auto model = density_of_table<T>(std::move(members), data.maps, given, background);
  if (data.names.empty()) return flows::state_of(*model);
  const auto first = data.names.begin() + given;
  return flows::state_of(*model, {{first, data.names.end()}, {data.names.begin(), first}});
}

Tensor<double> standard_log_density(const nn::State& model, const Data& data,
                                    const std::vector<std::uint32_t>& chosen, Workers& workers,
                                    const RandomKey& probes, const Stop& stop) {
  const auto read = flows::model_of<double>(
      model, solver_settings(score_tolerance, score_tolerance, "exact", "double"));
  flows::ShardedModel<double> sharded(*read, workers);
  const Tensor<double>& values = data.rows.values;
  const Index given = data.rows.given;
  const flows::TableRows<double> rows(
      columns_view(values, given, values.shape()[1]),
      given == 0 ? TensorView<double>{} : columns_view(values, 0, given));
  constexpr std::size_t at_once = 16 * flows::ShardedModel<double>::default_rows;
  std::vector<double> result;
  while (result.size() < chosen.size() && (result.empty() || !stop())) {
    const auto first = chosen.begin() + static_cast<std::ptrdiff_t>(result.size());
    const std::size_t count = std::min(at_once, chosen.size() - result.size());
    const std::vector<std::uint32_t> part(first, first + static_cast<std::ptrdiff_t>(count));
    const Tensor<double> found =
        sharded.log_prob(flows::ChosenRows<double>(rows, part), probes, result.size()).values;
    result.insert(result.end(), found.storage().begin(), found.storage().end());
  }
  double shift = 0;
  for (auto k = static_cast<std::size_t>(given); k < data.deviations.size(); ++k)
    shift += std::log(data.deviations[k]);
  for (double& value : result) value += shift;
  return Tensor<double>::from({static_cast<Index>(result.size())}, result);
}

template nn::State table_model<float>(Flows<float>, const Data&, const Background&);
template nn::State table_model<double>(Flows<double>, const Data&, const Background&);

}  // namespace fjord::apps::density
