/// What ranks combine of computations that solve equations.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fjord/autodiff/communicator.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {

/// Parts of a result, or the first failure of a solve among them: it is no failure of a rank, since
/// training goes on after it.
class SolveCombination : public Combination {
 public:
  /// `rank` is put in front of what failed.
  explicit SolveCombination(int rank) : rank_(rank) {}

  void begin() final;
  void add(std::string_view following) final;
  void write(std::string& message) const final;

 protected:
  virtual void begin_part() = 0;
  virtual void add_part(std::string_view following) = 0;
  virtual void append_part(std::string& message) const = 0;

 private:
  int rank_;
  std::optional<ode::SolveFailure> failure_;
};

/// Combines the parts of all ranks, and returns those bytes of the message that are their result.
///
/// Errors:  ode::SolveFailure on every rank if a solve failed on one; RankFailure as combine().
std::string_view combine_solves(const Communicator& communicator, SolveCombination& parts,
                                std::string& message);

}  // namespace fjord::flows
