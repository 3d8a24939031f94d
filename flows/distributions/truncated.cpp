#include "fjord/flows/distributions/truncated.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {

namespace {

// Numbers that a model file can hold.
std::vector<double> finite_bounds(std::vector<double> bounds) {
  constexpr double most = std::numeric_limits<double>::max();
  for (double& bound : bounds) bound = std::clamp(bound, -most, most);
  return bounds;
}

}  // namespace

template <class T>
Truncated<T>::Truncated(std::unique_ptr<IndependentColumns<T>> whole, std::vector<double> low,
                        std::vector<double> high)
    : IndependentColumns<T>(
          "truncated",
          {{"low", IndependentColumns<T>::Range::any, finite_bounds(std::move(low))},
           {"high", IndependentColumns<T>::Range::any, finite_bounds(std::move(high))}}),
      whole_(std::move(whole)) {
  require(whole_ != nullptr && whole_->dim() == this->dim(), "truncated", [&] {
    return "a distribution of " + std::to_string(this->dim()) + " columns is needed, got " +
           (whole_ == nullptr ? "null" : std::to_string(whole_->dim()));
  });
  require(whole_->cdf(0, 0).has_value() && whole_->quantile(0, 0.5).has_value(), "truncated",
          "a distribution function in closed form is needed, got none");
  for (Index column = 0; column < this->dim(); ++column) {
    masses_.push_back(mass_of(column));
    require(static_cast<T>(this->setting(0, column)) < static_cast<T>(this->setting(1, column)) &&
                masses_.back().inside > 0,
            "truncated", [&] {
              return "some probability is needed between the bounds, got none from " +
                     ode::short_number(this->setting(0, column)) + " to " +
                     ode::short_number(this->setting(1, column));
            });
  }
  this->set_support([this](Index column) {
    return std::pair(std::max(this->setting(0, column), *whole_->quantile(column, 0)),
                     std::min(this->setting(1, column), *whole_->quantile(column, 1)));
  });
  log_inside_ = this->columns(
      [this](Index column) { return std::log(masses_[static_cast<std::size_t>(column)].inside); });
}

template <class T>
typename Truncated<T>::Mass Truncated<T>::mass_of(Index column) const {
  const double low = this->setting(0, column);
  const double high = this->setting(1, column);
  const double below = whole_->cdf(column, low, Tail::lower).value();
  const double above = whole_->cdf(column, high, Tail::upper).value();
  // Differences of the smaller numbers keep the most digits.
  if (below > 0.5) return {below, *whole_->cdf(column, low, Tail::upper) - above, above};
  if (above > 0.5) return {below, *whole_->cdf(column, high, Tail::lower) - below, above};
  return {below, 1 - below - above, above};
}

template <class T>
Var<T> Truncated<T>::log_densities_inside(const Var<T>& x) const {
  return whole_->log_densities(x) - x.tape().input(log_inside_);
}

template <class T>
std::optional<double> Truncated<T>::cdf_of(Index column, double x, Tail tail) const {
  const Mass& mass = masses_[static_cast<std::size_t>(column)];
  const bool is_lower = tail == Tail::lower;
  const double beyond = is_lower ? mass.below : mass.above;
  const double toward = whole_->cdf(column, x, tail).value();
  double part = (toward - beyond) / mass.inside;
  // Beyond the median the other tail has more digits: of its part, and of its difference.
  if (toward > 0.5) {
    const double end = *whole_->cdf(column, this->setting(is_lower ? 0 : 1, column),
                                    is_lower ? Tail::upper : Tail::lower);
    part = (end - *whole_->cdf(column, x, is_lower ? Tail::upper : Tail::lower)) / mass.inside;
  }
  return std::clamp(part, 0.0, 1.0);
}

template <class T>
std::optional<double> Truncated<T>::quantile_of(Index column, double p, Tail tail) const {
  const Mass& mass = masses_[static_cast<std::size_t>(column)];
  const bool is_lower = tail == Tail::lower;
  const Tail other = is_lower ? Tail::upper : Tail::lower;
  const double toward = (is_lower ? mass.below : mass.above) + p * mass.inside;
  const double end = this->setting(is_lower ? 0 : 1, column);
  const double x =
      toward <= 0.5
          ? *whole_->quantile(column, toward, tail)
          : *whole_->quantile(column, *whole_->cdf(column, end, other) - p * mass.inside, other);
  return std::clamp(x, this->setting(0, column), this->setting(1, column));
}

template <class T>
nn::Description<T> Truncated<T>::describe() {
  return IndependentColumns<T>::describe().child("whole", *whole_);
}

template class Truncated<float>;
template class Truncated<double>;

}  // namespace fjord::flows
