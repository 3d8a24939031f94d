#include "fjord/flows/assignment.hpp"

#include <limits>

namespace fjord::flows {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The duals and the assignment so far. Column 0 and row 0 stand for "none": the others are counted
/// from 1.
class Assignment final {
 public:
  Assignment(std::span<const double> cost, std::size_t n)
      : cost_(cost), n_(n), of_row_(n + 1), of_column_(n + 1), row_at_(n + 1), from_(n + 1) {}

  // Adds one row along the shortest path of exchanges to a free column.
  void add(std::size_t row) {
    row_at_[0] = row;
    least_.assign(n_ + 1, infinity);
    is_done_.assign(n_ + 1, false);
    std::size_t column = 0;
    do column = next(column);
    while (row_at_[column] != 0);
    for (; column != 0; column = from_[column]) row_at_[column] = row_at_[from_[column]];
  }

  std::vector<Index> columns() const {
    std::vector<Index> result(n_);
    for (std::size_t j = 1; j <= n_; ++j) result[row_at_[j] - 1] = static_cast<Index>(j - 1);
    return result;
  }

 private:
  // Relaxes the edges of the row at `column`, and goes to the nearest column that is not done.
  std::size_t next(std::size_t column) {
    is_done_[column] = true;
    const std::size_t row = row_at_[column];
    std::size_t nearest = 0;
    double step = infinity;
    for (std::size_t j = 1; j <= n_; ++j) {
      if (is_done_[j]) continue;
      const double reduced = cost_[(row - 1) * n_ + j - 1] - of_row_[row] - of_column_[j];
      if (reduced < least_[j]) {
        least_[j] = reduced;
        from_[j] = column;
      }
      if (least_[j] < step) {
        step = least_[j];
        nearest = j;
      }
    }
    for (std::size_t j = 0; j <= n_; ++j) {
      if (is_done_[j]) {
        of_row_[row_at_[j]] += step;
        of_column_[j] -= step;
      } else {
        least_[j] -= step;
      }
    }
    return nearest;
  }

  std::span<const double> cost_;
  std::size_t n_;
  std::vector<double> of_row_;
  std::vector<double> of_column_;
  std::vector<std::size_t> row_at_;  // of each column; 0 for a free one
  std::vector<std::size_t> from_;    // the column before it on the shortest path
  std::vector<double> least_;
  std::vector<bool> is_done_;
};

}  // namespace

std::vector<Index> optimal_assignment(std::span<const double> cost, Index n) {
  Assignment assignment(cost, static_cast<std::size_t>(n));
  for (std::size_t row = 1; row <= static_cast<std::size_t>(n); ++row) assignment.add(row);
  return assignment.columns();
}

}  // namespace fjord::flows
