#include "fjord/apps/density/table_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "fjord/apps/common/solver_settings.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/apps/density/model.hpp"
#include "fjord/flows/model_file.hpp"
#include "fjord/flows/row_source.hpp"

namespace fjord::apps::density {
namespace {

// As density score computes.
constexpr double score_tolerance = 1e-6;

flows::SolverSettings score_settings() {
  return solver_settings(score_tolerance, score_tolerance, "exact", "double");
}

// Whether numbers around this one, a few scales apart, are as good as exact in float.
bool float_holds(double centre, double scale) {
  using Limits = std::numeric_limits<float>;
  constexpr double most_scales = 0x1p12;  // then rounding errors are up to 2^-12 scales
  return std::abs(centre) <= most_scales * scale && scale >= double{Limits::min()} &&
         scale <= double{Limits::max()} / most_scales;
}

// Whether it holds what the model draws of a positive column: a part of its background has three
// times the deviation, and its mean moves with what is given.
bool float_holds_exponentials(const ColumnMap& map) {
  constexpr double most_deviations = 50;
  constexpr double most = 87;  // e^87 and e^-87 are about the largest and the smallest number
  return std::abs(map.mean) + most_deviations * map.deviation <= most;
}

bool float_holds_units(const Data& data) {
  for (std::size_t k = 0; k < data.maps.size(); ++k) {
    const ColumnMap& map = data.maps[k];
    if (!float_holds(data.means[k], data.deviations[k]) || !float_holds(map.mean, map.deviation) ||
        !float_holds(map.centre, map.scale))
      return false;
    if (map.shape == ColumnMap::Shape::positive && !float_holds_exponentials(map)) return false;
  }
  return true;
}

}  // namespace

template <class T>
nn::State table_model(std::unique_ptr<flows::Distribution<T>> density, const Data& data) {
  if constexpr (std::is_same_v<T, float>) {
    if (!float_holds_units(data)) {
      const nn::State state = flows::state_of(*density);
      return table_model(flows::model_of<double>(state, score_settings()), data);
    }
  }
  const Index given = data.rows.given;
  const auto model = in_table<T>(std::move(density), data.maps, given);
  if (data.names.empty()) return flows::state_of(*model);
  const auto first = data.names.begin() + given;
  return flows::state_of(*model, {{first, data.names.end()}, {data.names.begin(), first}});
}

Tensor<double> standard_log_density(const nn::State& model, const Data& data,
                                    const std::vector<std::uint32_t>& chosen, Workers& workers,
                                    const RandomKey& probes, const Stop& stop) {
  const auto read = flows::model_of<double>(model, score_settings());
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

template nn::State table_model(std::unique_ptr<flows::Distribution<float>>, const Data&);
template nn::State table_model(std::unique_ptr<flows::Distribution<double>>, const Data&);

}  // namespace fjord::apps::density
