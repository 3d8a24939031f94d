#include "fjord/apps/density/budget.hpp"

#include <algorithm>
#include <limits>

namespace fjord::apps::density {
namespace {

// Of the test rows, of ten thousand samples, which are drawn as well, and of twenty thousand trials
// of unusual rows.
double scores_of_report(Index test) {
  return static_cast<double>(test) + 40'000;
}

// Of the report, too, for its picture and its test of two samples.
constexpr double seconds_beside_scores = 4;

}  // namespace

double Budget::seconds_left(double share) const {
  return seconds_ > 0 ? share * seconds_ - here() : std::numeric_limits<double>::infinity();
}

void Budget::begin_step() {
  if (trained_rows_ == 0) untrained_ = here();
}

void Budget::end_step(Index rows) {
  trained_rows_ += rows;
  trained_ = here();
}

// A score costs about as much as a row in two steps of training.
double Budget::seconds_for(double scores, const RestOfFit& rest) const {
  if (trained_rows_ == 0) return 0;
  const double a_row = (trained_ - untrained_) / static_cast<double>(trained_rows_);
  return 2 * scores * a_row * static_cast<double>(rest.flows);
}

bool Budget::is_training_over(const RestOfFit& rest) const {
  if (seconds_ == 0) return false;
  const auto held_out = static_cast<double>(rest.validation + rest.test);
  const double most = 0.4 * seconds_;
  double left = seconds_for(held_out + scores_of_report(rest.test), rest) + seconds_beside_scores;
  if (left > most) left = std::min(seconds_for(held_out, rest), most);
  return here() + left > 0.9 * seconds_;
}

bool Budget::has_time_for_report(double score, Index test) const {
  return seconds_left(1) > score * scores_of_report(test) + seconds_beside_scores;
}

}  // namespace fjord::apps::density
