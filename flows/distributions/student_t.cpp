#include "fjord/flows/distributions/student_t.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/flows/distributions/draws.hpp"
#include "fjord/flows/distributions/special.hpp"

namespace fjord::flows {

namespace {

// The probability of numbers beyond t >= 0.
double tail_of(double degrees, double t) {
  const double ratio = std::sqrt(degrees) / t;
  const double a = degrees / 2;
  const double y = 1 / (1 + ratio * ratio);
  // Of y and its rest, 1 / (1 + t^2 / degrees), the smaller one has all its digits.
  if (y < 0.5) return 0.5 * special::beta_cdf(0.5, a, y, Tail::upper);
  // The first term of the series in the square of the ratio, which may underflow.
  if (ratio < 1e-10)
    return std::exp(degrees * std::log(ratio) - special::log_beta(a, 0.5).value) / degrees;
  return 0.5 * special::beta_cdf(a, 0.5, ratio * ratio * y, Tail::lower);
}

}  // namespace

template <class T>
StudentT<T>::StudentT(std::vector<double> degrees, std::vector<double> location,
                      std::vector<double> scale)
    : IndependentColumns<T>(
          "student_t", {{"degrees", IndependentColumns<T>::Range::positive, std::move(degrees)},
                        {"location", IndependentColumns<T>::Range::finite, std::move(location)},
                        {"scale", IndependentColumns<T>::Range::positive, std::move(scale)}}) {
  log_normaliser_ = this->columns([this](Index column) {
    return -special::log_beta(this->setting(0, column) / 2, 0.5).value -
           0.5 * std::log(this->setting(0, column)) - std::log(this->setting(2, column));
  });
  log_scale_ = this->columns([this](Index column) {
    return std::log(this->setting(2, column)) + 0.5 * std::log(this->setting(0, column));
  });
}

template <class T>
Var<T> StudentT<T>::log_densities_inside(const Var<T>& x) const {
  Tape<T>& tape = x.tape();
  const Var<T> degrees = this->leaf(tape, 0);
  const Var<T> d = x - this->leaf(tape, 1);
  const Var<T> z = d / this->leaf(tape, 2) / sqrt(degrees);
  const Var<T> log_sum = special::log1p_square(d, z, tape.input(log_scale_));
  return tape.input(log_normaliser_) - (degrees + T(1)) * T(0.5) * log_sum;
}

template <class T>
std::optional<double> StudentT<T>::cdf_of(Index column, double x, Tail tail) const {
  const double z = (x - this->setting(1, column)) / this->setting(2, column);
  const double toward = tail == Tail::lower ? z : -z;
  const double beyond = tail_of(this->setting(0, column), std::abs(toward));
  return toward < 0 ? beyond : 1 - beyond;
}

template <class T>
std::optional<double> StudentT<T>::quantile_of(Index column, double p, Tail tail) const {
  const double degrees = this->setting(0, column);
  const double nearer = std::min(p, 1 - p);
  const double size =
      special::monotone_root([&](double t) { return std::log(tail_of(degrees, t) / nearer); }, 0,
                             std::numeric_limits<double>::infinity());
  const bool is_left = (p < 0.5) == (tail == Tail::lower);
  return this->setting(1, column) + this->setting(2, column) * (is_left ? -size : size);
}

template <class T>
std::optional<double> StudentT<T>::mean_of(Index column) const {
  if (this->setting(0, column) <= 1) return std::nullopt;
  return this->setting(1, column);
}

template <class T>
std::optional<double> StudentT<T>::variance_of(Index column) const {
  const double degrees = this->setting(0, column);
  if (degrees <= 1) return std::nullopt;
  if (degrees <= 2) return std::numeric_limits<double>::infinity();
  return this->setting(2, column) * this->setting(2, column) * degrees / (degrees - 2);
}

template <class T>
std::optional<double> StudentT<T>::entropy_of(Index column) const {
  const double degrees = this->setting(0, column);
  const special::LogBeta beta = special::log_beta(degrees / 2, 0.5);
  return beta.value + 0.5 * std::log(degrees) + std::log(this->setting(2, column)) -
         (degrees + 1) / 2 * beta.in_a;
}

template <class T>
double StudentT<T>::draw(Index column, const RandomKey& random, std::uint64_t number) const {
  const double degrees = this->setting(0, column);
  double normal = 0;
  random.normal(std::span<double>(&normal, 1), number);
  const double log_square = draw_log_gamma(degrees / 2, random, number) + std::log(2 / degrees);
  return this->setting(1, column) + this->setting(2, column) * normal * std::exp(-0.5 * log_square);
}

template class StudentT<float>;
template class StudentT<double>;

}  // namespace fjord::flows
