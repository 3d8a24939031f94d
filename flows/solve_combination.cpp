#include "fjord/flows/solve_combination.hpp"

#include <cstring>

namespace fjord::flows {
namespace {

// A message's first byte.
constexpr char result_mark = 'r';
constexpr char solve_mark = 's';

struct ReportNumbers {
  ode::Status status;
  double t;
  std::size_t evaluations;
  std::size_t accepted;
  std::size_t rejected;
};

void append_failure(const ode::SolveFailure& failure, std::string& message) {
  const ode::Report& r = failure.report();
  const ReportNumbers numbers{r.status, r.t, r.evaluations, r.accepted, r.rejected};
  message += solve_mark;
  message.append(reinterpret_cast<const char*>(&numbers), sizeof(numbers));
  message += failure.outcome();
}

std::optional<ode::SolveFailure> solve_failure_of(std::string_view message) {
  if (message.front() == result_mark) return std::nullopt;
  ReportNumbers numbers{};
  std::memcpy(&numbers, message.data() + 1, sizeof(numbers));
  const ode::Report report{.status = numbers.status,
                           .t = numbers.t,
                           .evaluations = numbers.evaluations,
                           .accepted = numbers.accepted,
                           .rejected = numbers.rejected};
  return ode::SolveFailure(std::string(message.substr(1 + sizeof(numbers))), report);
}

}  // namespace

void SolveCombination::begin() {
  try {
    begin_part();
  } catch (const ode::SolveFailure& failure) {
    failure_.emplace("rank " + std::to_string(rank_), failure);
  }
}

void SolveCombination::add(std::string_view following) {
  if (failure_) return;
  if (const auto failure = solve_failure_of(following)) {
    failure_.emplace(*failure);
  } else {
    add_part(following.substr(1));
  }
}

void SolveCombination::write(std::string& message) const {
  if (failure_) return append_failure(*failure_, message);
  message += result_mark;
  append_part(message);
}

std::string_view combine_solves(const Communicator& communicator, SolveCombination& parts,
                                std::string& message) {
  const std::string_view combined = combine(communicator, parts, message);
  if (const auto failure = solve_failure_of(combined)) throw ode::SolveFailure(*failure);
  return combined.substr(1);
}

}  // namespace fjord::flows
