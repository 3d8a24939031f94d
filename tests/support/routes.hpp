/// Derivatives of every order by every route: each nesting of the two sweeps, and values mode.
#pragma once

#include <cmath>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/sweep.hpp"

namespace fjord::test {

/// A function of one variable, chosen as a test runs.
template <class T>
using Function = std::function<Var<T>(const Var<T>& x)>;

/// The words that name a nesting of `order` sweeps, innermost first: f forward, r reverse recorded,
/// v reverse in values, which only the outermost can be.
inline std::vector<std::string> routes(int order) {
  std::vector<std::string> words{""};
  for (int i = 1; i <= order; ++i) {
    std::vector<std::string> longer;
    for (const std::string& word : words) {
      longer.push_back(word + 'f');
      longer.push_back(word + 'r');
      if (i == order) longer.push_back(word + 'v');
    }
    words = longer;
  }
  return words;
}

/// One derivative of order `indices.size()` of a function with one number as its value.
///
/// Shapes:  indices count the entries of x in the order C; one for each sweep of `route`.
inline double derivative_by(const std::string& route, const Function<double>& f,
                            const Tensor<double>& x, const std::vector<Index>& indices) {
  Tape<double> tape;
  const Var<double> at = tape.input(x);
  Var<double> y = reshape(f(at), {});
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const Index k = indices[i];
    if (route[i] == 'f') {
      std::vector<double> unit(static_cast<std::size_t>(x.size()));
      unit[static_cast<std::size_t>(k)] = 1;
      y = pushforward(at, tape.input(Tensor<double>::from(x.shape(), unit)), y);
    } else if (route[i] == 'r') {
      const Var<double> g = pullback<double>({y}, {tape.scalar(1)}, {at})[0];
      y = reshape(slice(reshape(g, {x.size()}), 0, k, k + 1), {});
    } else {
      const TensorView<double> g = gradient_values<double>(y, std::span(&at, 1))[0];
      return Tensor<double>(g).to_vector()[static_cast<std::size_t>(k)];
    }
  }
  return y.item();
}

/// A sentence on the first derivative, of all of one order, that a route gets wrong; empty if none.
///
/// Shapes:  expected holds size(x)^order numbers, in any shape: the gradient, the Hessian, ...
/// Units:   tolerance is relative to each expected number, however tiny; a zero is to be met
///          exactly.
inline std::string wrong_route(const Function<double>& f, const Tensor<double>& x, int order,
                               const Tensor<double>& expected, double tolerance) {
  const std::vector<double> numbers = expected.to_vector();
  for (const std::string& route : routes(order)) {
    for (std::size_t at = 0; at < numbers.size(); ++at) {
      std::vector<Index> indices;
      for (auto rest = static_cast<Index>(at); indices.size() < route.size(); rest /= x.size()) {
        indices.insert(indices.begin(), rest % x.size());
      }
      const double got = derivative_by(route, f, x, indices);
      const bool same = got == numbers[at] || (std::isnan(got) && std::isnan(numbers[at]));
      if (same || std::abs(got - numbers[at]) <= tolerance * std::abs(numbers[at])) continue;
      std::ostringstream text;
      text.precision(17);
      text << "by " << route << ", entry " << at << ": " << got << ", expected " << numbers[at];
      return text.str();
    }
  }
  return {};
}

}  // namespace fjord::test
