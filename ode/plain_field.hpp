/// Right-hand sides on plain memory.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "fjord/ode/few.hpp"

namespace fjord::ode {

/// The times of a step.
struct StepTimes {
  double t = 0;
  double t_next = 0;
  /// Where the field is asked at the two ends: next to a jump, on the side of the step.
  double field_t = 0;
  double field_t_next = 0;
  bool is_last = false;  ///< whether it ends at the end of the solve

  /// Of a stage at the fraction c of the step.
  double stage(double c) const {
    return c == 0 ? field_t : c == 1 ? field_t_next : t + c * (t_next - t);
  }
};

/// The stages of an explicit Runge-Kutta step of length h, with the coefficients of Tableau.
struct ExplicitStages {
  const StepTimes& times;
  std::span<const double> a;
  std::span<const double> c;
  const double* y;
  double* const* slopes;  ///< of all stages, to be written but for the first, which is known
  double* y_last;         ///< the state of the last stage, to be written
  double* y_before_last;  ///< of the stage before it
};

/// The extent of the spans that a function object takes.
template <class C, std::size_t n>
std::integral_constant<std::size_t, n> extent_of(void (C::*)(double, std::span<const double, n>,
                                                             std::span<double, n>) const);
template <class C, std::size_t n>
std::integral_constant<std::size_t, n> extent_of(void (C::*)(double, std::span<const double, n>,
                                                             std::span<double, n>));

template <class F, class = void>
struct FieldExtent : std::integral_constant<std::size_t, std::dynamic_extent> {};

template <class F>
struct FieldExtent<F, std::void_t<decltype(extent_of(&F::operator()))>>
    : decltype(extent_of(&F::operator())) {};

class PlainField;

/// A function that a PlainField can be made of, such as a lambda.
template <class F>
concept PlainFunction =
    !std::is_same_v<F, PlainField> &&
    (FieldExtent<F>::value != std::dynamic_extent ||
     std::is_invocable_v<F&, double, std::span<const double>, std::span<double>>);

/// A right-hand side on plain memory, for simulation without a tape: writes f(t, y) to dydt. Made
/// of any function of these, such as a lambda; empty if made of nothing.
///
/// Faster is a lambda whose spans have a fixed extent, as std::span<const double, 3> for y and
/// std::span<double, 3> for dydt: explicit steps of few stages and numbers are compiled around it,
/// so that these stay in registers. Sums then round as the program's compiler flags have it.
///
/// Shapes:  y and dydt have as many numbers as the state.
/// Note:    Copies share the function.
class PlainField final {
 public:
  PlainField(std::nullptr_t = nullptr) {}

  template <PlainFunction F>
  PlainField(F f) {
    using Function = std::function<void(double, std::span<const double>, std::span<double>)>;
    if constexpr (std::is_pointer_v<F> || std::is_same_v<F, Function>) {
      if (f == nullptr) return;
    }
    field_ = std::make_shared<Held<F>>(std::move(f));
  }

  friend bool operator==(const PlainField& f, std::nullptr_t) { return f.field_ == nullptr; }

  void operator()(double t, std::span<const double> y, std::span<double> dydt) const {
    field_->slope(t, y, dydt);
  }

  /// The number of numbers that it takes; none: any.
  std::optional<std::size_t> size() const { return field_->size(); }

  /// Whether `make_stages` makes the steps of a method of so many stages.
  bool makes_stages(std::size_t stages) const {
    return field_->makes_stages() && stages > 1 && stages <= most_stages;
  }

  void make_stages(double h, const ExplicitStages& stages) const { field_->make_stages(h, stages); }

 private:
  static constexpr std::size_t most_stages = 7;

  struct Any {
    virtual ~Any() = default;
    virtual void slope(double t, std::span<const double> y, std::span<double> dydt) = 0;
    virtual std::optional<std::size_t> size() const = 0;
    virtual bool makes_stages() const = 0;
    virtual void make_stages(double h, const ExplicitStages& stages) = 0;
  };

  template <class F>
  struct Held;

  std::shared_ptr<Any> field_;
};

/// Makes the stages of a state of n numbers, one after another.
template <std::size_t n, std::size_t most_stages, class F>
class StageMaker final {
 public:
  StageMaker(F& f, double h, const ExplicitStages& stages)
      : f_(f), stages_(stages), h_(h), a_(stages.a.data()), count_(stages.c.size()) {
    y_ = read(stages.y);
    slopes_[0] = read(stages.slopes[0]);
  }

  void make() {
    [this]<std::size_t... i>(std::index_sequence<i...>) {
      static_cast<void>((this->template make<i + 1>() && ...));
    }
    (std::make_index_sequence<most_stages - 1>());
  }

 private:
  using Numbers = std::array<double, n>;

  // Number by number, as volatile has it: compilers that make pairs of them make pairs of all sums
  // before, whose numbers then go from register to register between a slope and the next state.
  static Numbers read(const volatile double* from) {
    Numbers numbers;
    for_few<n>([&](std::size_t d) { numbers[d] = from[d]; });
    return numbers;
  }

  static void write(const Numbers& numbers, volatile double* to) {
    for_few<n>([&](std::size_t d) { to[d] = numbers[d]; });
  }

  // Returns whether there may be another one.
  template <std::size_t i>
  bool make() {
    if (i >= count_) return false;
    Numbers y = y_;
    for_few<i>([&](std::size_t j) {
      const double factor = h_ * a_[i * (i - 1) / 2 + j];
      for_few<n>([&](std::size_t d) { y[d] += factor * slopes_[j][d]; });
    });
    if (i + 1 == count_) write(y, stages_.y_last);
    if (i + 2 == count_) write(y, stages_.y_before_last);
    const double t = stages_.times.stage(stages_.c[i]);
    f_(t, std::span<const double, n>(y), std::span<double, n>(slopes_[i]));
    write(slopes_[i], stages_.slopes[i]);
    return true;
  }

  F& f_;
  const ExplicitStages& stages_;
  double h_;
  const double* a_;
  std::size_t count_;
  Numbers y_;
  std::array<Numbers, most_stages> slopes_{};
};

template <class F>
struct PlainField::Held final : PlainField::Any {
  static constexpr std::size_t n = FieldExtent<F>::value;
  static constexpr bool is_sized = n != std::dynamic_extent;
  static constexpr bool is_small = n > 0 && n <= few;

  explicit Held(F function) : f(std::move(function)) {}

  void slope(double t, std::span<const double> y, std::span<double> dydt) override {
    if constexpr (is_sized) {
      f(t, y.template first<n>(), dydt.template first<n>());
    } else {
      f(t, y, dydt);
    }
  }

  std::optional<std::size_t> size() const override {
    return is_sized ? std::optional(n) : std::nullopt;
  }

  bool makes_stages() const override { return is_small; }

  void make_stages([[maybe_unused]] double h,
                   [[maybe_unused]] const ExplicitStages& stages) override {
    if constexpr (is_small) StageMaker<n, most_stages, F>(f, h, stages).make();
  }

  F f;
};

}  // namespace fjord::ode
