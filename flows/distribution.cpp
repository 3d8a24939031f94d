#include "fjord/flows/distribution.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <tuple>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/distributions/special.hpp"
#include "fjord/flows/image.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {

template <class T>
IndependentColumns<T>::IndependentColumns(std::string type, std::vector<Setting> settings)
    : type_(std::move(type)), settings_(std::move(settings)) {
  const std::size_t size = settings_.front().values.size();
  for (const Setting& setting : settings_) {
    require(size > 0 && setting.values.size() == size, type_, [&] {
      return "lists of one size, 1 or more, are needed, got " + std::to_string(size) + " and " +
             std::to_string(setting.values.size()) + " numbers as " + settings_.front().name +
             " and " + setting.name;
    });
  }
  dim_ = static_cast<Index>(size);
  low_.assign(size, -std::numeric_limits<double>::infinity());
  high_.assign(size, std::numeric_limits<double>::infinity());
  for (const Setting& setting : settings_) {
    const bool positive = setting.range == Range::positive;
    for (const double value : setting.values) {
      const T as_kept = static_cast<T>(value);
      const bool fits = setting.range == Range::any
                            ? !std::isnan(value)
                            : std::isfinite(as_kept) && (!positive || as_kept > 0);
      require(fits, type_, [&] {
        return "every " + setting.name + " must be " + (positive ? "positive and " : "") +
               "finite, got " + ode::short_number(value);
      });
    }
    rounded_.push_back(
        columns([&](Index d) { return setting.values[static_cast<std::size_t>(d)]; }));
  }
}

template <class T>
void IndependentColumns<T>::set_support(
    const std::function<std::pair<double, double>(Index)>& of_column) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  is_bounded_ = true;
  below_ = columns([](Index) { return 0; });
  above_ = below_;
  for (Index d = 0; d < dim_; ++d) {
    const auto k = static_cast<std::size_t>(d);
    std::tie(low_[k], high_[k]) = of_column(d);
    below_(d) = std::nextafter(static_cast<T>(low_[k]), -infinity);
    above_(d) = std::nextafter(static_cast<T>(high_[k]), infinity);
  }
}

template <class T>
void IndependentColumns<T>::check_column(Index column) const {
  require(column >= 0 && column < dim_, type_, [&] {
    return "a column below " + std::to_string(dim_) + " is needed, got " + std::to_string(column);
  });
}

template <class T>
std::optional<double> IndependentColumns<T>::cdf(Index column, double x, Tail tail) const {
  check_column(column);
  const auto k = static_cast<std::size_t>(column);
  const bool is_infinite = std::isinf(x);
  if (!is_infinite && !(x <= low_[k]) && !(x >= high_[k])) return cdf_of(column, x, tail);
  if (!cdf_of(column, x, tail).has_value()) return std::nullopt;
  return (x <= low_[k]) == (tail == Tail::lower) ? 0 : 1;
}

template <class T>
std::optional<double> IndependentColumns<T>::quantile(Index column, double p, Tail tail) const {
  check_column(column);
  const auto k = static_cast<std::size_t>(column);
  if (p > 0 && p < 1) return quantile_of(column, p, tail);
  if (!quantile_of(column, 0.5, tail).has_value()) return std::nullopt;
  if (!(p >= 0 && p <= 1)) return std::numeric_limits<double>::quiet_NaN();
  return (p == 0) == (tail == Tail::lower) ? low_[k] : high_[k];
}

namespace {

// The sum of f(column), if every column has it.
template <class F>
std::optional<double> sum_of(Index dim, F f) {
  double sum = 0;
  for (Index d = 0; d < dim; ++d) {
    const std::optional<double> value = f(d);
    if (!value) return std::nullopt;
    sum += *value;
  }
  return sum;
}

// The numbers f(column), if every column has it.
template <class F>
std::optional<Tensor<double>> all_of(Index dim, F f) {
  Tensor<double> values = Tensor<double>::zeros({dim});
  for (Index d = 0; d < dim; ++d) {
    const std::optional<double> value = f(d);
    if (!value) return std::nullopt;
    values(d) = *value;
  }
  return values;
}

}  // namespace

template <class T>
std::optional<Tensor<double>> IndependentColumns<T>::mean() const {
  return all_of(dim_, [&](Index d) { return mean_of(d); });
}

template <class T>
std::optional<Tensor<double>> IndependentColumns<T>::variance() const {
  return all_of(dim_, [&](Index d) { return variance_of(d); });
}

template <class T>
std::optional<double> IndependentColumns<T>::entropy() const {
  return sum_of(dim_, [&](Index d) { return entropy_of(d); });
}

template <class T>
double IndependentColumns<T>::draw(Index column, const RandomKey& random,
                                   std::uint64_t number) const {
  double u = 0;
  random.uniform(std::span<double>(&u, 1), number);
  // The middle of the cell of 0; that of every other number rounds to the number.
  return quantile_of(column, std::max(u, 0x1p-54), Tail::lower).value();
}

template <class T>
Var<T> IndependentColumns<T>::sample(Tape<T>& tape, Index rows, Context<T>& context) const {
  constexpr T largest = std::numeric_limits<T>::max();
  Tensor<T> x = Tensor<T>::zeros({rows, dim_});
  for (Index d = 0; d < dim_; ++d) {
    // Rounding to T must not leave the support, nor reach its ends, where densities may be
    // infinite.
    const T first = is_bounded_ ? std::nextafter(below_(d), largest) : -largest;
    const T last = is_bounded_ ? std::nextafter(above_(d), -largest) : largest;
    const double low = std::nextafter(first, largest);
    const double high = std::nextafter(last, -largest);
    for (Index row = 0; row < rows; ++row) {
      const std::uint64_t number =
          (context.first_row + static_cast<std::uint64_t>(row)) * static_cast<std::uint64_t>(dim_) +
          static_cast<std::uint64_t>(d);
      x(row, d) = static_cast<T>(std::clamp(draw(d, context.random, number), low, high));
    }
  }
  return tape.input(x);
}

template <class T>
Var<T> IndependentColumns<T>::log_densities(const Var<T>& x) const {
  check_rows(x, dim_, type_.c_str());
  const Var<T> inside = log_densities_inside(x);
  if (!is_bounded_) return inside;
  Tape<T>& tape = x.tape();
  const Var<T> outside = (x <= tape.input(below_)) + (x >= tape.input(above_));
  return where(outside, -std::numeric_limits<T>::infinity(), inside);
}

template <class T>
Var<T> IndependentColumns<T>::log_prob(const Var<T>& x, Context<T>&) const {
  return sum(log_densities(x), {1});
}

template <class T>
nn::Description<T> IndependentColumns<T>::describe() {
  nn::Description<T> description(type_);
  for (const Setting& setting : settings_) description.set(setting.name, setting.values);
  return description;
}

template <class T>
DiagonalNormal<T>::DiagonalNormal(std::vector<double> mean, std::vector<double> scale)
    : IndependentColumns<T>("diagonal_normal",
                            {{"mean", IndependentColumns<T>::Range::finite, std::move(mean)},
                             {"scale", IndependentColumns<T>::Range::positive, std::move(scale)}}) {
  double sum = 0;
  log_normaliser_ = this->columns([&](Index d) {
    const double log_normaliser =
        -std::log(this->setting(1, d)) - 0.5 * std::log(2 * std::numbers::pi);
    sum += log_normaliser;
    return log_normaliser;
  });
  sum_of_log_normalisers_ = static_cast<T>(sum);
}

template <class T>
Var<T> DiagonalNormal<T>::sample(Tape<T>& tape, Index rows, Context<T>& context) const {
  const Index dim = this->dim();
  std::vector<T> normals(static_cast<std::size_t>(Shape{rows, dim}.size()));
  context.random.normal(std::span<T>(normals), context.first_row * static_cast<std::uint64_t>(dim));
  Tensor<T> draws = Tensor<T>::from({rows, dim}, normals);
  for (Index d = 0; d < dim; ++d) {
    const T mean = static_cast<T>(this->setting(0, d));
    const T scale = static_cast<T>(this->setting(1, d));
    for (Index row = 0; row < rows; ++row) draws(row, d) = mean + scale * draws(row, d);
  }
  return tape.input(draws);
}

template <class T>
Var<T> DiagonalNormal<T>::log_prob(const Var<T>& x, Context<T>&) const {
  check_rows(x, this->dim(), "diagonal_normal");
  const Var<T> z = (x - this->leaf(x.tape(), 0)) / this->leaf(x.tape(), 1);
  return sum(square(z), {1}) * T(-0.5) + sum_of_log_normalisers_;
}

template <class T>
Var<T> DiagonalNormal<T>::log_densities_inside(const Var<T>& x) const {
  const Var<T> z = (x - this->leaf(x.tape(), 0)) / this->leaf(x.tape(), 1);
  return square(z) * T(-0.5) + x.tape().input(log_normaliser_);
}

template <class T>
std::optional<double> DiagonalNormal<T>::cdf_of(Index column, double x, Tail tail) const {
  const double z = (x - this->setting(0, column)) / this->setting(1, column);
  return special::normal_cdf(tail == Tail::lower ? z : -z);
}

template <class T>
std::optional<double> DiagonalNormal<T>::quantile_of(Index column, double p, Tail tail) const {
  const double z = special::normal_quantile(p);
  return this->setting(0, column) + this->setting(1, column) * (tail == Tail::lower ? z : -z);
}

template <class T>
std::optional<double> DiagonalNormal<T>::mean_of(Index column) const {
  return this->setting(0, column);
}

template <class T>
std::optional<double> DiagonalNormal<T>::variance_of(Index column) const {
  return this->setting(1, column) * this->setting(1, column);
}

template <class T>
std::optional<double> DiagonalNormal<T>::entropy_of(Index column) const {
  return 0.5 * std::log(2 * std::numbers::pi * std::numbers::e) +
         std::log(this->setting(1, column));
}

template <class T>
TransformedDistribution<T>::TransformedDistribution(std::unique_ptr<Distribution<T>> base,
                                                    std::unique_ptr<Bijector<T>> bijector)
    : base_(std::move(base)), bijector_(std::move(bijector)) {
  require(base_ != nullptr && bijector_ != nullptr, "transformed_distribution",
          "a base and a bijector are needed, got null");
}

namespace {

// Samples in the place of those that rounding carried to an end of what the bijector reaches, where
// there is no density, or in such a column beyond all numbers.
template <class T>
Var<T> within_image(const Bijector<T>& bijector, const Var<T>& x) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  Tensor<T> first = Tensor<T>::full({x.shape()[1]}, -infinity);
  Tensor<T> last = Tensor<T>::full({x.shape()[1]}, infinity);
  bool is_bounded = false;
  for (Index d = 0; d < x.shape()[1]; ++d) {
    const OpenInterval image = image_of(bijector, d);
    if (std::isinf(image.low) && std::isinf(image.high)) continue;
    is_bounded = true;
    first(d) = static_cast<T>(image.low);
    if (static_cast<double>(first(d)) <= image.low) first(d) = std::nextafter(first(d), infinity);
    last(d) = static_cast<T>(image.high);
    if (static_cast<double>(last(d)) >= image.high) last(d) = std::nextafter(last(d), -infinity);
  }
  if (!is_bounded) return x;
  return minimum(maximum(x, x.tape().input(first)), x.tape().input(last));
}

}  // namespace

template <class T>
Var<T> TransformedDistribution<T>::sample(Tape<T>& tape, Index rows, Context<T>& context) const {
  return within_image(*bijector_, bijector_->forward(base_->sample(tape, rows, context), context));
}

namespace {

// Marks the rows that have a number which the bijector cannot reach; empty if there are none, so
// that a step of training allocates nothing.
template <class T>
std::vector<char> rows_outside(const Bijector<T>& bijector, const TensorView<T>& x) {
  std::vector<char> outside;
  for (Index d = 0; d < x.shape()[1]; ++d) {
    const OpenInterval image = image_of(bijector, d);
    if (std::isinf(image.low) && std::isinf(image.high)) continue;
    for (Index i = 0; i < x.shape()[0]; ++i) {
      const auto number = static_cast<double>(x(i, d));
      if (!(number <= image.low || number >= image.high)) continue;
      outside.resize(static_cast<std::size_t>(x.shape()[0]), 0);
      outside[static_cast<std::size_t>(i)] = 1;
    }
  }
  return outside;
}

// Rows with one that is inside in the place of those that are not, so that no solve begins where
// there is nothing; and what marks these.
template <class T>
struct Inside {
  Var<T> rows;
  Var<T> outside;  // [B]
};

template <class T>
Inside<T> inside_of(const Var<T>& x, const std::vector<char>& outside, Index stand_in) {
  Tensor<T> marks = Tensor<T>::zeros({x.shape()[0], 1});
  Tensor<T> others = Tensor<T>::zeros({1, x.shape()[1]});
  for (Index i = 0; i < x.shape()[0]; ++i) marks(i, 0) = T(outside[static_cast<std::size_t>(i)]);
  for (Index d = 0; d < x.shape()[1]; ++d) others(0, d) = x.value()(stand_in, d);
  Tape<T>& tape = x.tape();
  return {where(tape.input(marks), tape.input(others), x),
          tape.input(marks.reshaped({x.shape()[0]}))};
}

}  // namespace

template <class T>
Var<T> TransformedDistribution<T>::log_prob(const Var<T>& x, Context<T>& context) const {
  check_rows(x, dim(), "log_prob");
  const auto through = [&](const Var<T>& rows) {
    const WithLogDet<T> z = bijector_->inverse_with_log_det(rows, context);
    return base_->log_prob(z.value, context) + z.log_det;
  };
  const std::vector<char> outside = rows_outside(*bijector_, x.value());
  if (outside.empty()) return through(x);
  constexpr T nothing = -std::numeric_limits<T>::infinity();
  const auto first_inside = std::ranges::find(outside, 0);
  if (first_inside == outside.end())
    return x.tape().input(Tensor<T>::full({x.shape()[0]}, nothing));
  const Inside<T> inside = inside_of(x, outside, first_inside - outside.begin());
  return where(inside.outside, nothing, through(inside.rows));
}

template <class T>
SampleAndLogProb<T> TransformedDistribution<T>::sample_and_log_prob(Tape<T>& tape, Index rows,
                                                                    Context<T>& context) const {
  const SampleAndLogProb<T> z = base_->sample_and_log_prob(tape, rows, context);
  const WithLogDet<T> x = bijector_->forward_with_log_det(z.sample, context);
  return {within_image(*bijector_, x.value), z.log_prob - x.log_det};
}

template <class T>
nn::Description<T> TransformedDistribution<T>::describe() {
  return nn::Description<T>("transformed").child("base", *base_).child("bijector", *bijector_);
}

template class IndependentColumns<float>;
template class IndependentColumns<double>;
template class DiagonalNormal<float>;
template class DiagonalNormal<double>;
template class TransformedDistribution<float>;
template class TransformedDistribution<double>;

}  // namespace fjord::flows
