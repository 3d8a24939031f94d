/// How unusual rows are for a model, as density score tells it.
#pragma once

#include <optional>
#include <vector>

#include "fjord/autodiff/random.hpp"
#include "fjord/flows/row_source.hpp"
#include "fjord/flows/sharded.hpp"

namespace fjord::apps {

/// The levels of rows that come in blocks (see levels.hpp): among samples that are the same for
/// all or, of a conditional model, among samples for each row.
template <class T>
class RowLevels final {
 public:
  RowLevels(flows::ShardedModel<T>& model, const RandomKey& random)
      : model_(model), random_(random) {}

  /// Of rows with these log-densities, the first of which has this number. Every rank calls it.
  std::vector<double> of(const std::vector<double>& log_densities, const flows::RowSource<T>& rows,
                         Index first_row);

 private:
  std::vector<double> own(const std::vector<double>& log_densities, const flows::RowSource<T>& rows,
                          Index first_row);
  std::vector<double> sampled(Index count, const Tensor<T>& given, Index use);

  flows::ShardedModel<T>& model_;
  RandomKey random_;
  std::optional<std::vector<double>> shared_;  // log-densities of samples
};

extern template class RowLevels<float>;
extern template class RowLevels<double>;

}  // namespace fjord::apps
