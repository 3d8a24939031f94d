#include "fjord/flows/spline.hpp"

#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/rounding.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {

template <class T>
Spline<T>::Spline(const SplineSettings& settings) : settings_(settings) {
  require(settings.bins >= 2 && settings.bins <= 512, "spline",
          [&] { return "2 to 512 bins are needed, got " + std::to_string(settings.bins); });
  const T bound = static_cast<T>(settings.bound);
  require(bound > 0 && std::isfinite(2 * bound), "spline", [&] {
    return "a positive, finite bound is needed, got " + ode::short_number(settings.bound);
  });
}

template <class T>
WithLogSlope<T> Spline<T>::within_bound(const Var<T>& x, const Var<T>& parameters, Map map) const {
  const T bound = static_cast<T>(settings_.bound);
  const Var<T> inside = abs(x) < bound;
  const Var<T> unit = where(inside, x, T(0)) / (2 * bound) + T(0.5);
  const WithLogSlope<T> mapped = (this->*map)(unit, parameters);
  return {where(inside, (mapped.value - T(0.5)) * (2 * bound), x),
          where(inside, mapped.log_slope, T(0))};
}

template <class T>
WithLogSlope<T> Spline<T>::apply(const Var<T>& x, const Var<T>& parameters) const {
  return within_bound(x, parameters, &Spline::apply_unit);
}

template <class T>
WithLogSlope<T> Spline<T>::invert(const Var<T>& y, const Var<T>& parameters) const {
  return within_bound(y, parameters, &Spline::invert_unit);
}

template <class T>
nn::Description<T> Spline<T>::describe() {
  return nn::Description<T>(type())
      .set("bins", settings_.bins)
      .set("bound", nn::Setting(settings_.bound));
}

template class Spline<float>;
template class Spline<double>;

}  // namespace fjord::flows
