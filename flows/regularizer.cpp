#include "fjord/flows/regularizer.hpp"

#include <array>
#include <string>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/norm.hpp"
#include "fjord/autodiff/ops/rounding.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::flows {
namespace {

template <class T>
Var<T> squares_of_rows(const Var<T>& x) {
  return sum_squares(x, {1});
}

template <class T>
Var<T> kinetic_energy(const FieldAt<T>& at) {
  return squares_of_rows(at.slope);
}

template <class T>
Var<T> jacobian_norm(const FieldAt<T>& at) {
  return at.squared_jacobian;
}

template <class T>
Var<T> directional_derivative(const FieldAt<T>& at) {
  return squares_of_rows(pushforward(at.x, at.slope, at.slope));
}

template <class T>
Var<T> total_derivative(const FieldAt<T>& at) {
  const Var<T> one = at.t.tape().scalar(T(1));
  return squares_of_rows(pushforward<T>({at.t, at.x}, {one, at.slope}, {at.slope})[0]);
}

template <class T>
Var<T> hamilton_jacobi_bellman(const FieldAt<T>& at) {
  const Var<T> time_slope = at.field.potential_time_slope(at.t, at.x, at.given);
  return abs(time_slope - squares_of_rows(at.slope) * T(0.5));
}

}  // namespace

template <class T>
std::span<const Regularizer<T>> regularizers() {
  using Uses = typename Regularizer<T>::Uses;
  static constexpr std::array<Regularizer<T>, 5> all{
      {{"kinetic_energy", Uses::slope, kinetic_energy<T>},
       {"jacobian_norm", Uses::jacobian, jacobian_norm<T>},
       {"directional_derivative", Uses::tangents, directional_derivative<T>},
       {"total_derivative", Uses::tangents, total_derivative<T>},
       {"hamilton_jacobi_bellman", Uses::slope, hamilton_jacobi_bellman<T>}}};
  return all;
}

template <class T>
const Regularizer<T>& regularizer_named(std::string_view name) {
  std::string names;
  for (const Regularizer<T>& regularizer : regularizers<T>()) {
    if (regularizer.name == name) return regularizer;
    names += (names.empty() ? "" : ", ") + std::string(regularizer.name);
  }
  fail("regularizer", "one of " + names + " is needed, got " + std::string(name));
}

template std::span<const Regularizer<float>> regularizers();
template std::span<const Regularizer<double>> regularizers();
template const Regularizer<float>& regularizer_named(std::string_view);
template const Regularizer<double>& regularizer_named(std::string_view);

}  // namespace fjord::flows
