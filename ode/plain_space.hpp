/// States on plain memory: what steps compute with in a simulation, without a tape.
#pragma once

#include <array>
#include <memory>

#include "fjord/ode/error_norm.hpp"
#include "fjord/ode/method.hpp"
#include "fjord/ode/newton_matrix.hpp"
#include "fjord/ode/plain_field.hpp"

namespace fjord::ode {

/// See Step. Vectors are blocks of memory that the space owns, used again after each step.
class PlainSpace final {
 public:
  using Number = double;
  using Mark = std::size_t;

  /// Note:    f must outlive the space.
  PlainSpace(const PlainField& f, Index size);

  static bool is_empty(const double* vector) { return vector == nullptr; }

  void open(const Method&, const StepPlan&, std::span<double* const* const>) {}

  void begin_step(const StepTimes& times) {
    times_ = times;
    h_ = times.t_next - times.t;
  }

  double* slope(double c, const double* y) { return slope_at(times_.stage(c), y); }

  double* slope_at(double t, const double* y) {
    double* const out = new_vector();
    ++evaluations_;
    f_(t, {y, size_}, {out, size_});
    return out;
  }

  /// Whether `make_stages` makes the steps of a method of so many stages.
  bool makes_stages(std::size_t stages) const { return f_.makes_stages(stages); }

  /// The stages of a step after the first, with the coefficients of Tableau.
  void make_stages(std::span<const double> a, std::span<const double> c, Step<PlainSpace>& step) {
    const std::size_t first = used_;
    used_ += c.size() + 1;
    while (used_ > vectors_.size()) [[unlikely]] grow();
    std::copy_n(vectors_.data() + first, c.size() - 1, step.stages.data() + 1);
    double* const y_before = vectors_[used_ - 2];
    double* const y = vectors_[used_ - 1];
    evaluations_ += c.size() - 1;
    f_.make_stages(step.h, {times_, a, c, step.y, step.stages.data(), y, y_before});
    step.last_stages = {{{y_before, step.stages[c.size() - 2]}, {y, step.stages[c.size() - 1]}}};
  }

  double* combine(const double* y, std::span<const double> weights,
                  std::span<double* const> slopes) {
    double* const out = new_vector();
    combine_(y, h_, weights, slopes.data(), out, size_);
    return out;
  }

  double* move(const double* y, double weight, const double* a, const double* b) {
    double* const out = new_vector();
    for (std::size_t i = 0; i < size_; ++i) out[i] = y[i] + weight * (b[i] - a[i]);
    return out;
  }

  /// y with its first or second half moved by weight h times that of the slope.
  double* move_half(const double* y, double weight, const double* slope, bool second);

  /// Takes the matrix 1 - weight h df/dy at the fraction c of the step and y, where f is `there`.
  bool linearize(double c, double weight, const double* y, const double* there);

  /// Newton's step to the solution of y = image(y), with the matrix that was taken last.
  double* correct(const double* y, const double* image);

  /// The vector; ends all others since the mark.
  double* settle(Mark mark, const double* vector);

  bool stretches() const { return false; }

  std::size_t evaluations() const { return evaluations_; }

  Mark mark() const { return used_; }

  void rewind(Mark mark) { used_ = mark; }

  /// Keeps `vectors`, the only ones that are needed from now on.
  void keep(std::span<double** const> vectors);

  const double* numbers(const double* x) const { return x; }

  /// Those of each of some vectors, in a list that may be in `memory`.
  std::span<const double* const> numbers(std::span<double* const> xs,
                                         std::span<const double*>) const {
    return xs;
  }

  Entries<double> entries(const double* x) const {
    return {x, static_cast<Index>(size_), static_cast<Index>(size_)};
  }

  double* new_vector() {
    if (used_ == vectors_.size()) [[unlikely]]
      grow();
    return vectors_[used_++];
  }

 private:
  using Combine = void (*)(const double* y, double h, std::span<const double> weights,
                           double* const* slopes, double* out, std::size_t size);

  void grow();

  const PlainField& f_;
  std::size_t size_;
  Combine combine_;
  std::vector<std::unique_ptr<double[]>> memory_;
  // The first are those that are kept.
  std::vector<double*> vectors_;
  std::size_t used_ = max_kept;
  StepTimes times_;
  NewtonMatrix<double> newton_matrix_;
  double h_ = 0;
  std::size_t evaluations_ = 0;
};

}  // namespace fjord::ode
