#include "fjord/ode/separate_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/ode/gradient_mode.hpp"
#include "fjord/ode/node_space.hpp"
#include "fjord/ode/row_norms.hpp"
#include "fjord/ode/starting_step.hpp"

namespace fjord::ode {
namespace {

// Where one row is.
struct Row {
  Index place;  // in the whole state
  double t;
  double t_next = 0;
  double h = 0;
  double error = 0;
  double last_error = 1;
  double second_last_error = 1;
  bool was_rejected = false;
  bool waits = false;  // while the others make this step
  bool is_over = false;
  Report report = {};
};

// The rows that are still solved for, as one batch, each from its own time: with the fraction s of
// the row's step in place of the time, all have steps from 0 to 1, and methods need not know.
template <class T>
class RowIntegration final {
 public:
  RowIntegration(const Problem<T>& problem, const SolveOptions& options, bool records)
      : problem_(problem),
        options_(options),
        method_(*options.method),
        tape_(problem.y0.tape()),
        records_(records),
        part_{problem.span.t0, problem.span.t0},
        whole_(problem.y0),
        scaled_([this](const Var<T>& s, const Var<T>& y) {
          return slope_at(static_cast<double>(s.item()), y) * steps();
        }) {
    const Shape shape = problem.y0.shape();
    columns_ = static_cast<std::size_t>(shape.size() / std::max<Index>(shape[0], 1));
    reports_.resize(static_cast<std::size_t>(shape[0]), {.t = problem.span.t0});
    if (!records) ends_.emplace(Tensor<T>(problem.y0.value()));
  }

  Solution<T> run() {
    Solution<T> result;
    for (const double t : options_.save_at) {
      go_to(t);
      result.times.push_back(t);
      result.states.push_back(whole_);
    }
    go_to(problem_.span.t1);
    result.y = whole_;
    result.report = report();
    result.rows = std::move(reports_);
    return result;
  }

 private:
  // From where the rows are, in steps that are chosen anew.
  void go_to(double t) {
    if (t == part_.t1 || reports_.empty()) return;
    part_ = {part_.t1, t};
    const typename Tape<T>::Mark base = tape_.mark();
    take_up_rows();
    if (!rows_.empty()) begin();
    while (!rows_.empty()) {
      step();
      // Of the batch, once a quarter of it is over: the others are copied, which must pay.
      const auto over = std::ranges::count_if(rows_, &Row::is_over);
      if (static_cast<std::size_t>(over) * 4 >= rows_.size()) remove_rows_that_are_over();
      if (!records_) forget_steps(base);
    }
    put_together(base);
  }

  // Those that have not failed.
  void take_up_rows() {
    std::vector<Index> failed;
    std::vector<Index> going;
    for (std::size_t i = 0; i < reports_.size(); ++i) {
      Report& report = reports_[i];
      const auto place = static_cast<Index>(i);
      if (report.status == Status::success && attempts(report) == options_.max_steps)
        report.status = Status::max_steps;
      if (report.status == Status::success) {
        going.push_back(place);
        rows_.push_back({.place = place, .t = part_.t0, .report = report});
      } else {
        failed.push_back(place);
      }
    }
    slope_ = {};
    if (!going.empty()) y_ = rows_of(whole_, going);
    removed_ = failed.empty() ? Vars<T>() : Vars<T>{rows_of(whole_, failed)};
    places_ = std::move(failed);
  }

  static std::size_t attempts(const Report& report) { return report.accepted + report.rejected; }

  double length() const { return part_.t1 - part_.t0; }

  // One number of each row, as [rows, 1, ...].
  template <class Rows, class F>
  Var<T> column_of(const Rows& rows, F number) const {
    std::vector<T> numbers;
    numbers.reserve(rows.size());
    for (const auto& row : rows) numbers.push_back(static_cast<T>(number(row)));
    std::vector<Index> sizes(problem_.y0.shape().rank(), 1);
    sizes[0] = static_cast<Index>(rows.size());
    return tape_.input(Tensor<T>::from(Shape(std::span<const Index>(sizes)), numbers));
  }

  // The lengths of the rows' steps.
  Var<T> steps() const {
    return column_of(rows_, [](const Row& row) { return row.t_next - row.t; });
  }

  // At the fraction s of every row's step.
  Var<T> slope_at(double s, const Var<T>& y) {
    ++evaluations_;
    const Var<T> t = column_of(rows_, [s](const Row& row) {
      return s == 0 ? row.t : s == 1 ? row.t_next : row.t + s * (row.t_next - row.t);
    });
    return evaluate(problem_.f, t, y);
  }

  // Of each row as of a solve of its own.
  void count_evaluations(std::size_t count) {
    for (Row& row : rows_) row.report.evaluations += row.is_over ? 0 : count;
  }

  const T* numbers(const Var<T>& x) const { return tape_.node(x, "solve").value; }

  std::vector<double> norms(std::span<const double> weights, std::span<const T* const> vectors,
                            const Var<T>& y_next) const {
    return RowNorms<T>(options_, rows_.size(), columns_)
        .of(weights, vectors, numbers(y_), numbers(y_next));
  }

  void begin() {
    find_slope();
    if (rows_.empty()) return;
    if (options_.first_step) {
      for (Row& row : rows_) row.h = std::copysign(*options_.first_step, length());
      return;
    }
    constexpr std::array once{1.0};
    const std::vector<double> states = norms(once, std::array{numbers(y_)}, y_);
    const std::vector<double> slopes = norms(once, std::array{numbers(slope_)}, y_);
    const auto step_of = [&](std::size_t i, const std::function<double(double)>& slope_change) {
      return starting_step(states[i], slopes[i], method_.error_order(), std::abs(length()),
                           slope_change);
    };
    // The rule is asked for its trial steps first, for all rows at once.
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      double trial = 0;
      step_of(i, [&](double h) {
        trial = h;
        return 0.0;
      });
      rows_[i].h = std::copysign(trial, length());
      rows_[i].t_next = rows_[i].t + rows_[i].h;
    }
    const Var<T> trials = column_of(rows_, [](const Row& row) { return row.h; });
    const Var<T> there = slope_at(1, y_ + slope_ * trials);
    count_evaluations(1);
    constexpr std::array difference{1.0, -1.0};
    const std::vector<double> changes =
        norms(difference, std::array{numbers(there), numbers(slope_)}, y_);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const double h = step_of(i, [&](double) { return changes[i]; });
      rows_[i].h = std::copysign(h, length());
    }
  }

  // At the begin. Rows without one fail, and leave before it is recorded: see step.
  void find_slope() {
    if (end_rows_not_finite(y_)) remove_rows_that_are_over();
    if (rows_.empty()) return;
    const typename Tape<T>::Mark before = tape_.mark();
    slope_ = slope_at(0, y_);
    count_evaluations(1);
    if (!end_rows_not_finite(slope_)) return;
    tape_.rewind(before);
    slope_ = {};
    remove_rows_that_are_over();
    if (!rows_.empty()) slope_ = slope_at(0, y_);
  }

  // Returns whether there are any.
  bool end_rows_not_finite(const Var<T>& x) {
    for_rows_not_finite(x, [](Row& row) { end(row, Status::non_finite); });
    return std::ranges::any_of(rows_, &Row::is_over);
  }

  template <class F>
  void for_rows_not_finite(const Var<T>& x, F f) {
    const T* const entries = numbers(x);
    const std::size_t size = rows_.size() * columns_;
    if (is_finite<T>({entries, static_cast<Index>(size), static_cast<Index>(rows_.size())})) return;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      std::size_t at = i;
      while (at < size && std::isfinite(entries[at])) at += rows_.size();
      if (at < size) f(rows_[i]);
    }
  }

  struct Attempt {
    Var<T> y_next;
    Var<T> slope_next;
  };

  void step() {
    for (Row& row : rows_) aim(row);
    const typename Tape<T>::Mark before = tape_.mark();
    const std::size_t evaluations = evaluations_;
    Attempt next = attempt();
    count_evaluations(evaluations_ - evaluations);
    const auto moves = [](const Row& row) { return row.error <= 1 && !row.is_over; };
    const auto is_lost = [](const Row& row) { return !std::isfinite(row.error); };
    if (std::ranges::none_of(rows_, moves)) {
      tape_.rewind(before);
    } else {
      if (records_ && std::ranges::any_of(rows_, is_lost)) {
        // Sweeps may multiply what is not finite by a zero, in sums over all rows: it is NaN. So
        // the others make the step again while these rows stay where they are.
        tape_.rewind(before);
        for (Row& row : rows_) {
          row.waits = is_lost(row);
          if (row.waits) row.t_next = row.t;
        }
        next = attempt();
      }
      const bool do_all_move = std::ranges::all_of(rows_, moves);
      const Var<T> mask = do_all_move ? Var<T>() : column_of(rows_, moves);
      y_ = do_all_move ? next.y_next : where(mask, next.y_next, y_);
      if (method_.needs_slope())
        slope_ = do_all_move ? next.slope_next : where(mask, next.slope_next, slope_);
    }
    for (Row& row : rows_) decide(row);
  }

  Attempt attempt() {
    NodeSpace<T> space(scaled_, y_, {}, Recording::steps);
    space.begin_step({0, 1, 0, 1, false});
    Step<NodeSpace<T>> step{.space = space, .h = 1, .h_last = 1, .y = y_};
    if (method_.needs_slope()) step.slope = slope_ * steps();
    method_.make(step);
    require(step.carry[0].is_empty(), "solve", [&] {
      return "separate_rows needs a method of one step, got " + std::string(method_.name());
    });
    set_errors(step);
    if (!method_.needs_slope()) return {step.y_next, {}};
    const auto per_step = [](const Row& row) {
      return row.t_next == row.t ? 0 : 1 / (row.t_next - row.t);
    };
    const Var<T> slope_next = step.slope_next.is_empty()
                                  ? slope_at(1, step.y_next)
                                  : step.slope_next * column_of(rows_, per_step);
    for_rows_not_finite(slope_next,
                        [](Row& row) { row.error = std::numeric_limits<double>::quiet_NaN(); });
    return {step.y_next, slope_next};
  }

  void aim(Row& row) const {
    row.waits = false;
    if (row.is_over) {
      row.h = 0;
      row.t_next = row.t;
      return;
    }
    const double left = part_.t1 - row.t;
    const double longest = options_.largest_step.value_or(std::abs(left));
    const double h = std::clamp(std::abs(row.h), std::min(shortest_step(row), longest), longest);
    // Two equal steps in place of one that leaves a sliver.
    row.t_next = h >= std::abs(left)      ? part_.t1
                 : h > std::abs(left) / 2 ? row.t + left / 2
                                          : row.t + std::copysign(h, left);
    row.h = row.t_next - row.t;
  }

  double shortest_step(const Row& row) const {
    const double t = std::abs(row.t);
    const double gap = std::nextafter(t, std::numeric_limits<double>::infinity()) - t;
    return std::max(10 * gap, options_.smallest_step.value_or(0));
  }

  void set_errors(const Step<NodeSpace<T>>& step) {
    std::array<const T*, max_stages> stages{};
    const auto norms_of = [&](std::span<const double> weights) {
      for (std::size_t j = 0; j < weights.size(); ++j) stages[j] = numbers(step.stages[j]);
      return norms(weights, std::span(stages).first(weights.size()), step.y_next);
    };
    const std::vector<double> errors = norms_of(step.error.weights);
    std::vector<double> second(rows_.size());
    if (!step.error.second.empty()) second = norms_of(step.error.second);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i].waits) continue;
      const double e = errors[i];
      const bool has_second = !step.error.second.empty() && e != 0;
      rows_[i].error = has_second ? e * e / std::sqrt(e * e + 0.01 * second[i] * second[i]) : e;
    }
  }

  void decide(Row& row) const {
    if (row.is_over) return;
    const bool is_accepted = row.error <= 1;
    const double factor =
        options_.controller->factor({row.error, row.last_error, row.second_last_error,
                                     method_.error_order(), row.was_rejected});
    if (is_accepted) {
      ++row.report.accepted;
      row.t = row.t_next;
      row.h *= factor;
      row.second_last_error = row.last_error;
      row.last_error = row.error;
    } else {
      ++row.report.rejected;
      row.h *= std::min(factor, 1.0);
    }
    row.was_rejected = !is_accepted;
    if (row.t == part_.t1) return end(row, Status::success);
    const Status trouble = std::isfinite(row.error) ? Status::step_too_small : Status::non_finite;
    if (row.was_rejected && std::abs(row.h) < shortest_step(row)) return end(row, trouble);
    if (attempts(row.report) == options_.max_steps)
      end(row, std::isfinite(row.error) ? Status::max_steps : Status::non_finite);
  }

  static void end(Row& row, Status status) {
    row.is_over = true;
    row.report.status = status;
  }

  void remove_rows_that_are_over() {
    std::vector<Index> over;
    std::vector<Index> left;
    for (std::size_t i = 0; i < rows_.size(); ++i)
      (rows_[i].is_over ? over : left).push_back(static_cast<Index>(i));
    for (const Index i : over) {
      Row& row = rows_[static_cast<std::size_t>(i)];
      row.report.t = row.t;
      reports_[static_cast<std::size_t>(row.place)] = row.report;
      places_.push_back(row.place);
      if (!records_) copy_end(static_cast<std::size_t>(i), static_cast<std::size_t>(row.place));
    }
    if (records_) removed_.push_back(rows_of(y_, over));
    if (!left.empty()) {
      y_ = rows_of(y_, left);
      if (!slope_.is_empty()) slope_ = rows_of(slope_, left);
    }
    std::erase_if(rows_, [](const Row& row) { return row.is_over; });
  }

  static Var<T> rows_of(const Var<T>& x, const std::vector<Index>& places) {
    if (static_cast<Index>(places.size()) == x.shape()[0]) return x;
    return take(x, Tensor<Index>::from({static_cast<Index>(places.size())}, places), 0);
  }

  void copy_end(std::size_t row, std::size_t place) {
    const T* const from = numbers(y_);
    for (std::size_t column = 0; column < columns_; ++column)
      ends_->data()[column * reports_.size() + place] = from[column * rows_.size() + row];
  }

  void forget_steps(const typename Tape<T>::Mark& base) {
    if (rows_.empty()) return;
    const bool has_slope = !slope_.is_empty();
    kept_ = {Tensor<T>(y_.value()), has_slope ? Tensor<T>(slope_.value()) : Tensor<T>()};
    tape_.rewind(base);
    y_ = tape_.borrow(kept_[0]);
    if (has_slope) slope_ = tape_.borrow(kept_[1]);
  }

  // All rows in their places; those that failed are NaN, and so are derivatives of them.
  void put_together(const typename Tape<T>::Mark& base) {
    if (records_) {
      whole_ = in_order();
    } else {
      tape_.rewind(base);
      whole_ = tape_.input(*ends_);
    }
    const auto has_failed = [](const Report& row) { return row.status != Status::success; };
    if (std::ranges::none_of(reports_, has_failed)) return;
    whole_ = whole_ * column_of(reports_, [&](const Report& row) {
               return has_failed(row) ? std::numeric_limits<double>::quiet_NaN() : 1;
             });
  }

  Report report() const {
    Report sum{.t = problem_.span.t1, .evaluations = evaluations_};
    for (const Report& row : reports_) {
      sum.accepted += row.accepted;
      sum.rejected += row.rejected;
      if (sum.status == Status::success && row.status != Status::success) {
        sum.status = row.status;
        sum.t = row.t;
      }
    }
    return sum;
  }

  Var<T> in_order() const {
    std::vector<Index> order(places_.size());
    for (std::size_t i = 0; i < places_.size(); ++i)
      order[static_cast<std::size_t>(places_[i])] = static_cast<Index>(i);
    const Var<T> all = removed_.size() == 1 ? removed_[0] : concatenate<T>(removed_, 0);
    if (std::ranges::is_sorted(order)) return all;
    return take(all, Tensor<Index>::from({static_cast<Index>(order.size())}, order), 0);
  }

  const Problem<T>& problem_;
  const SolveOptions& options_;
  const Method& method_;
  Tape<T>& tape_;
  bool records_;
  TimeSpan part_;  // to the next time to save, or to the end
  Var<T> whole_;   // the state where the part begins
  Var<T> y_;       // of the rows in the batch
  Var<T> slope_;
  Field<T> scaled_;
  std::size_t columns_ = 0;
  std::vector<Row> rows_;
  std::vector<Report> reports_;  // by place
  std::vector<Index> places_;    // of rows that are not in the batch, in the order of `removed_`
  Vars<T> removed_;
  std::optional<Tensor<T>> ends_;
  std::array<Tensor<T>, 2> kept_;
  std::size_t evaluations_ = 0;
};

void check_none(bool is_given, const char* name) {
  require(!is_given, "solve", [&] {
    return std::string("separate_rows gives each row its own steps, so that ") + name +
           " cannot be given with it";
  });
}

}  // namespace

template <class T>
Solution<T> run_separate_rows(const Problem<T>& problem, const SolveOptions& options,
                              bool records) {
  require(problem.y0.shape().rank() > 0, "solve",
          "separate_rows needs a state with rows, got a number");
  check_none(options.fixed_step.has_value(), "fixed_step");
  check_none(!options.grid.empty(), "grid");
  check_none(!options.step_on.empty(), "step_on");
  check_none(!options.jumps.empty(), "jumps");
  check_none(!options.rtol_of_entries.empty(), "rtol_of_entries");
  check_none(!options.atol_of_entries.empty(), "atol_of_entries");
  check_none(options.custom_norm != nullptr, "custom_norm");
  check_none(!problem.times.t1.is_empty(), "a derivative in the times");
  return RowIntegration<T>(problem, options, records).run();
}

#define FJORD_INSTANTIATE(T) \
  template Solution<T> run_separate_rows(const Problem<T>&, const SolveOptions&, bool);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
