#include "fjord/apps/density/budget.hpp"

#include <algorithm>

namespace fjord::apps::density {
namespace {

// Of the test rows, of ten thousand samples, which are drawn as well, and of twenty thousand trials
// of unusual rows.
double scores_of_report(const RestOfFit& rest) {
  return static_cast<double>(rest.test) + 40'000;
}

}  // namespace

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
  double left = seconds_for(held_out + scores_of_report(rest), rest);
  if (left > most) left = std::min(seconds_for(held_out, rest), most);
  return here() + left > 0.9 * seconds_;
}

bool Budget::has_time_for_report(const RestOfFit& rest) const {
  return seconds_ == 0 || here() + seconds_for(scores_of_report(rest), rest) < seconds_;
}

}  // namespace fjord::apps::density
