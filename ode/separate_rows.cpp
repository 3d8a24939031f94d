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
        y_(problem.y0),
        scaled_([this](const Var<T>& s, const Var<T>& y) {
          return slope_at(static_cast<double>(s.item()), y) * column(&Row::h);
        }) {
    const Shape shape = problem.y0.shape();
    columns_ = static_cast<std::size_t>(shape.size() / std::max<Index>(shape[0], 1));
    for (Index i = 0; i < shape[0]; ++i) rows_.push_back({i, problem.span.t0});
    reports_.resize(rows_.size());
    if (!records) ends_.emplace(Tensor<T>(problem.y0.value()));
  }

  Solution<T> run() {
    const typename Tape<T>::Mark base = tape_.mark();
    if (problem_.span.t0 != problem_.span.t1 && !rows_.empty()) {
      begin();
      while (!rows_.empty()) {
        step();
        remove_rows_that_are_over();
        if (!records_) forget_steps(base);
      }
    }
    return solution();
  }

 private:
  double length() const { return problem_.span.t1 - problem_.span.t0; }

  // One number of each row, as [rows, 1, ...].
  Var<T> column(double Row::*number) const {
    return column_of([number](const Row& row) { return row.*number; });
  }

  template <class F>
  Var<T> column_of(F number) const {
    std::vector<T> numbers;
    numbers.reserve(rows_.size());
    for (const Row& row : rows_) numbers.push_back(static_cast<T>(number(row)));
    std::vector<Index> sizes(problem_.y0.shape().rank(), 1);
    sizes[0] = static_cast<Index>(rows_.size());
    return tape_.input(Tensor<T>::from(Shape(std::span<const Index>(sizes)), numbers));
  }

  // At the fraction s of every row's step.
  Var<T> slope_at(double s, const Var<T>& y) {
    ++evaluations_;
    for (Row& row : rows_) row.report.evaluations += row.is_over ? 0 : 1;
    const Var<T> t = column_of([s](const Row& row) {
      return s == 0 ? row.t : s == 1 ? row.t_next : row.t + s * (row.t_next - row.t);
    });
    return evaluate(problem_.f, t, y);
  }

  const T* numbers(const Var<T>& x) const { return tape_.node(x, "solve").value; }

  std::vector<double> norms(std::span<const double> weights, std::span<const T* const> vectors,
                            const Var<T>& y_next) const {
    return RowNorms<T>(options_, rows_.size(), columns_)
        .of(weights, vectors, numbers(y_), numbers(y_next));
  }

  void begin() {
    for (Row& row : rows_) row.t_next = row.t;
    slope_ = slope_at(0, y_);
    constexpr std::array once{1.0};
    const std::vector<double> states = norms(once, std::array{numbers(y_)}, y_);
    const std::vector<double> slopes = norms(once, std::array{numbers(slope_)}, y_);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (!std::isfinite(slopes[i])) end(rows_[i], Status::non_finite);
    }
    if (options_.first_step) {
      for (Row& row : rows_) row.h = std::copysign(*options_.first_step, length());
      return;
    }
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
      rows_[i].h = rows_[i].is_over ? 0 : std::copysign(trial, length());
      rows_[i].t_next = rows_[i].t + rows_[i].h;
    }
    const Var<T> there = slope_at(1, y_ + slope_ * column(&Row::h));
    constexpr std::array difference{1.0, -1.0};
    const std::vector<double> changes =
        norms(difference, std::array{numbers(there), numbers(slope_)}, y_);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const double h = step_of(i, [&](double) { return changes[i]; });
      rows_[i].h = std::copysign(h, length());
    }
  }

  void step() {
    for (Row& row : rows_) aim(row);
    NodeSpace<T> space(scaled_, y_, {}, Recording::steps);
    space.begin_step({0, 1, 0, 1, false});
    Step<NodeSpace<T>> step{.space = space, .h = 1, .h_last = 1, .y = y_};
    if (method_.needs_slope()) step.slope = slope_ * column(&Row::h);
    method_.make(step);
    require(step.carry[0].is_empty(), "solve", [&] {
      return "separate_rows needs a method of one step, got " + std::string(method_.name());
    });
    set_errors(step);
    const bool is_known = !step.slope_next.is_empty();
    const Var<T> slope_next =
        !method_.needs_slope() ? Var<T>()
        : is_known
            ? step.slope_next * column_of([](const Row& row) { return row.h == 0 ? 0 : 1 / row.h; })
            : slope_at(1, step.y_next);
    const Var<T> mask = column_of([](const Row& row) { return row.error <= 1 && !row.is_over; });
    const bool are_all_accepted =
        std::ranges::all_of(rows_, [](const Row& row) { return row.error <= 1 && !row.is_over; });
    y_ = are_all_accepted ? step.y_next : where(mask, step.y_next, y_);
    if (method_.needs_slope())
      slope_ = are_all_accepted ? slope_next : where(mask, slope_next, slope_);
    for (Row& row : rows_) decide(row);
  }

  void aim(Row& row) const {
    if (row.is_over) {
      row.h = 0;
      row.t_next = row.t;
      return;
    }
    const double left = problem_.span.t1 - row.t;
    const double longest = options_.largest_step.value_or(std::abs(left));
    const double h = std::clamp(std::abs(row.h), std::min(shortest_step(row), longest), longest);
    // Two equal steps in place of one that leaves a sliver.
    row.t_next = h >= std::abs(left)      ? problem_.span.t1
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
    if (row.t == problem_.span.t1) return end(row, Status::success);
    const Status trouble = std::isfinite(row.error) ? Status::step_too_small : Status::non_finite;
    if (row.was_rejected && std::abs(row.h) < shortest_step(row)) return end(row, trouble);
    if (row.report.accepted + row.report.rejected == options_.max_steps)
      end(row, std::isfinite(row.error) ? Status::max_steps : Status::non_finite);
  }

  static void end(Row& row, Status status) {
    row.is_over = true;
    row.report.status = status;
  }

  // Of the batch, once a quarter of it is over: the others are copied, which must pay.
  void remove_rows_that_are_over() {
    std::vector<Index> over;
    std::vector<Index> left;
    for (std::size_t i = 0; i < rows_.size(); ++i)
      (rows_[i].is_over ? over : left).push_back(static_cast<Index>(i));
    if (over.size() * 4 < rows_.size()) return;
    for (const Index i : over) {
      Row& row = rows_[static_cast<std::size_t>(i)];
      row.report.t = row.t;
      reports_[static_cast<std::size_t>(row.place)] = row.report;
      places_.push_back(row.place);
      if (!records_) copy_end(static_cast<std::size_t>(i), static_cast<std::size_t>(row.place));
    }
    if (records_) parts_.push_back(rows_of(y_, over));
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

  Solution<T> solution() {
    Solution<T> result;
    if (records_) {
      result.y = parts_.empty() ? problem_.y0 : in_order();
    } else {
      result.y = tape_.input(*ends_);
    }
    result.rows = std::move(reports_);
    Report& report = result.report;
    report.t = problem_.span.t1;
    report.evaluations = evaluations_;
    for (const Report& row : result.rows) {
      report.accepted += row.accepted;
      report.rejected += row.rejected;
      if (report.status == Status::success && row.status != Status::success) {
        report.status = row.status;
        report.t = row.t;
      }
    }
    return result;
  }

  Var<T> in_order() const {
    std::vector<Index> order(places_.size());
    for (std::size_t i = 0; i < places_.size(); ++i)
      order[static_cast<std::size_t>(places_[i])] = static_cast<Index>(i);
    const Var<T> all = parts_.size() == 1 ? parts_[0] : concatenate<T>(parts_, 0);
    if (std::ranges::is_sorted(order)) return all;
    return take(all, Tensor<Index>::from({static_cast<Index>(order.size())}, order), 0);
  }

  const Problem<T>& problem_;
  const SolveOptions& options_;
  const Method& method_;
  Tape<T>& tape_;
  bool records_;
  Var<T> y_;
  Var<T> slope_;
  Field<T> scaled_;
  std::size_t columns_ = 0;
  std::vector<Row> rows_;
  std::vector<Report> reports_;  // by place
  std::vector<Index> places_;    // of rows that were removed, in the order of the parts
  Vars<T> parts_;
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
