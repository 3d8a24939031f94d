/// Maps of columns onto the line, chosen by what held-out rows confirm.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fjord/apps/density/baseline.hpp"
#include "fjord/flows/bijector.hpp"

namespace fjord::apps::density {

/// How the numbers of a column are made of standard ones: mean + deviation x, then a shape.
struct ColumnMap {
  /// straight: as they are; positive: e^x; interval: between 0 and 1, by 1 / (1 + e^-x);
  /// heavy_tails: centre + scale sinh(tailweight asinh(x)).
  enum class Shape { straight, positive, interval, heavy_tails };

  Shape shape = Shape::straight;
  double centre = 0;
  double scale = 1;
  double tailweight = 1;
  double mean = 0;  ///< of the training rows, once the shape is undone
  double deviation = 1;
};

struct ColumnRange {
  double low = 0;
  double high = 0;
};

/// The shape under which a normal distribution, fitted to the training rows, gives the validation
/// rows the highest density; another than straight only if it is better by two standard errors of
/// the difference, to which a row adds ten nats at most.
///
/// `range` is that of all rows of the column: they are positive if it is above 0, and have an
/// interval if it is between 0 and 1.
/// Errors:  std::invalid_argument if the training rows are all equal.
ColumnMap choose_map(std::span<const double> training, std::span<const double> validation,
                     const ColumnRange& range);

bool are_straight(const std::vector<ColumnMap>& maps);

/// These maps, but straight ones for columns in linear relations, as of parts and their sum, that
/// their shapes would destroy: for those of which a linear function of the other columns leaves
/// less than a tenth of what it leaves of them under the maps. Only if the normal distribution of
/// the training rows, with all covariances, then gives the validation rows a higher density by two
/// standard errors of the difference, to which a row adds or takes ten nats at most.
///
/// Shapes:  training [N, D]; validation [M, D].
std::vector<ColumnMap> keep_relations(const std::vector<ColumnMap>& maps,
                                      const std::vector<ColumnMap>& straight,
                                      const Tensor<double>& training,
                                      const Tensor<double>& validation);

/// "positive: the logarithm is modelled" and the like.
std::string text_of(const ColumnMap& map);

/// From standard numbers to those of the table, for all columns.
template <class T>
std::unique_ptr<flows::Bijector<T>> bijector_of(const std::vector<ColumnMap>& maps);

/// Rows of the table in standard numbers: [N, D].
Tensor<double> standard_numbers(const Tensor<double>& rows, const std::vector<ColumnMap>& maps);

}  // namespace fjord::apps::density
