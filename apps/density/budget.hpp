/// How a fit keeps the time of --minutes.
#pragma once

#include <chrono>

#include "fjord/autodiff/shape.hpp"

namespace fjord::apps::density {

/// What is to be scored once the training has ended.
struct RestOfFit {
  Index validation = 0;  ///< rows
  Index test = 0;        ///< rows
  Index flows = 1;       ///< whose densities are averaged
};

/// The time of a whole command; without a bound for 0 minutes.
class Budget final {
 public:
  using Clock = std::chrono::steady_clock;

  Budget(Clock::time_point began, double minutes) : began_(began), seconds_(60 * minutes) {}

  /// Whether this share of the time is over.
  bool is_over(double share) const { return seconds_left(share) < 0; }

  /// The seconds until this share of the time is over, infinite without a bound.
  double seconds_left(double share) const;

  /// Around every step of training, of so many rows: what rows cost is learnt from it.
  void begin_step();
  void end_step(Index rows);

  /// Whether what is left is needed for what follows: the scores of the held-out rows and, where it
  /// is not too much of the time, the report.
  bool is_training_over(const RestOfFit& rest) const;

  /// Whether the report can be made, if a score takes so many seconds.
  bool has_time_for_report(double score, Index test) const;

 private:
  double here() const { return std::chrono::duration<double>(Clock::now() - began_).count(); }

  double seconds_for(double scores, const RestOfFit& rest) const;

  Clock::time_point began_;
  double seconds_;
  Index trained_rows_ = 0;
  double untrained_ = 0;  // seconds before the first step, and after the last one
  double trained_ = 0;
};

}  // namespace fjord::apps::density
