#include "fjord/flows/distributions/uniform.hpp"

#include <cmath>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {

template <class T>
Uniform<T>::Uniform(std::vector<double> low, std::vector<double> high)
    : IndependentColumns<T>("uniform",
                            {{"low", IndependentColumns<T>::Range::finite, std::move(low)},
                             {"high", IndependentColumns<T>::Range::finite, std::move(high)}}) {
  for (Index column = 0; column < this->dim(); ++column) {
    const T as_kept =
        static_cast<T>(this->setting(1, column)) - static_cast<T>(this->setting(0, column));
    require(as_kept > 0 && std::isfinite(as_kept), "uniform", [&] {
      return "every low must be less than its high, got " +
             ode::short_number(this->setting(0, column)) + " and " +
             ode::short_number(this->setting(1, column));
    });
  }
  this->set_support([this](Index column) {
    return std::pair(this->setting(0, column), this->setting(1, column));
  });
  log_normaliser_ = this->columns([this](Index column) { return -std::log(width(column)); });
}

template <class T>
Var<T> Uniform<T>::log_densities_inside(const Var<T>& x) const {
  // NaN stays.
  return x * T(0) + x.tape().input(log_normaliser_);
}

template <class T>
std::optional<double> Uniform<T>::cdf_of(Index column, double x, Tail tail) const {
  const double beyond =
      tail == Tail::lower ? x - this->setting(0, column) : this->setting(1, column) - x;
  return beyond / width(column);
}

template <class T>
std::optional<double> Uniform<T>::quantile_of(Index column, double p, Tail tail) const {
  return tail == Tail::lower ? this->setting(0, column) + p * width(column)
                             : this->setting(1, column) - p * width(column);
}

template <class T>
std::optional<double> Uniform<T>::mean_of(Index column) const {
  return this->setting(0, column) + 0.5 * width(column);
}

template <class T>
std::optional<double> Uniform<T>::variance_of(Index column) const {
  return width(column) * width(column) / 12;
}

template <class T>
std::optional<double> Uniform<T>::entropy_of(Index column) const {
  return std::log(width(column));
}

template class Uniform<float>;
template class Uniform<double>;

}  // namespace fjord::flows
