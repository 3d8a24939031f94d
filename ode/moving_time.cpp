#include "fjord/ode/moving_time.hpp"

#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"

namespace fjord::ode {
namespace {

template <class T>
struct MovingTime {
  using Slopes = std::array<double, 2>;

  static Var<T> part(const RuleNode<T>& rule, std::uint32_t i, const Var<T>& derivative) {
    const double slope = rule.template attributes<Slopes>()[i];
    return derivative.is_empty() || slope == 0 ? Var<T>() : derivative * static_cast<T>(slope);
  }

  static void pullback(Reverse<T>& rule) {
    for (const std::uint32_t i : {0U, 1U}) {
      if (rule.wants(i)) rule.add(i, part(rule, i, rule.cotangent()));
    }
  }

  static bool pushforward(Forward<T>& rule) {
    const Var<T> a = part(rule, 0, rule.tangent(0));
    const Var<T> b = part(rule, 1, rule.tangent(1));
    rule.set(a.is_empty() ? b : b.is_empty() ? a : a + b);
    return true;
  }

  static constexpr Operation<T> row{"moving_time", pullback, pushforward};
};

}  // namespace

template <class T>
Var<T> moving_time(const Var<T>& t0, const Var<T>& t1, double value, double slope_t0,
                   double slope_t1) {
  Tape<T>& tape = t0.tape();
  const NodeShape shape = tape.node(t0, "solve").shape;
  const auto [time, number] =
      append_operation<T>(tape, MovingTime<T>::row, {t0, t1}, shape,
                          tape.keep(typename MovingTime<T>::Slopes{slope_t0, slope_t1}));
  *number = static_cast<T>(value);
  return time;
}

template Var<float> moving_time(const Var<float>&, const Var<float>&, double, double, double);
template Var<double> moving_time(const Var<double>&, const Var<double>&, double, double, double);

}  // namespace fjord::ode
