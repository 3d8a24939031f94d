#include "fjord/tests/support/check_flow.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/sweep.hpp"

namespace fjord::test {
namespace {

using flows::Bijector;
using flows::Context;

struct Direction {
  Var<double> (Bijector<double>::*map)(const Var<double>&, Context&) const;
  flows::WithLogDet<double> (Bijector<double>::*with_log_det)(const Var<double>&, Context&) const;
};

constexpr Direction forward{&Bijector<double>::forward, &Bijector<double>::forward_with_log_det};
constexpr Direction inverse{&Bijector<double>::inverse, &Bijector<double>::inverse_with_log_det};

Context direct_pass() {
  Context context;
  context.gradient = &ode::direct;
  return context;
}

double there_and_back(const Bijector<double>& flow, const Tensor<double>& x, Direction there,
                      Direction back) {
  Tape<double> tape;
  Context context;
  const Var<double> end = (flow.*back.map)((flow.*there.map)(tape.input(x), context), context);
  return worst_difference(Tensor<double>(end.value()), x);
}

void check_direction(const Bijector<double>& flow, const Tensor<double>& x, Direction direction,
                     FlowCheck& worst) {
  Tape<double> tape;
  Context context;
  const Var<double> rows = tape.input(x);
  const flows::WithLogDet<double> whole = (flow.*direction.with_log_det)(rows, context);
  const Var<double> alone = (flow.*direction.map)(rows, context);
  worst.trace_free = std::max(
      worst.trace_free,
      worst_difference(Tensor<double>(alone.value()), Tensor<double>(whole.value.value())));
  const Index dim = x.shape()[1];
  for (Index row = 0; row < x.shape()[0]; ++row) {
    Tensor<double> one = Tensor<double>::zeros({1, dim});
    for (Index d = 0; d < dim; ++d) one(0, d) = x(row, d);
    const Tensor<double> matrix = jacobian<double>(
        [&](const Var<double>& z) {
          Context single = direct_pass();
          return (flow.*direction.map)(z, single);
        },
        one);
    const double expected = log_abs_det(matrix.reshaped({dim, dim}));
    worst.log_det =
        std::max(worst.log_det, std::abs(Tensor<double>(whole.log_det.value())(row) - expected));
  }
}

void check_parameters(const Bijector<double>& flow, const nn::NamedParameters<double>& parameters,
                      const Tensor<double>& x, FlowCheck& found) {
  Tape<double> tape;
  Context context = direct_pass();
  const flows::WithLogDet<double> z = flow.inverse_with_log_det(tape.input(x), context);
  const Var<double> loss = sum(square(z.value)) - sum(z.log_det);
  Vars<double> bound;
  for (const auto& p : parameters) bound.push_back(tape.bind(*p.parameter));
  if (bound.empty()) return;
  const auto gradients = gradient_values<double>(loss, bound);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    for (const double g : Tensor<double>(gradients[i]).to_vector()) {
      if (g != 0 && std::isfinite(g)) continue;
      found.without_gradient.push_back(parameters[i].name);
      break;
    }
  }
}

}  // namespace

FlowCheck check_flow(const Bijector<double>& flow, const nn::NamedParameters<double>& parameters,
                     const Tensor<double>& x) {
  FlowCheck result;
  result.inverse = std::max(there_and_back(flow, x, forward, inverse),
                            there_and_back(flow, x, inverse, forward));
  check_direction(flow, x, forward, result);
  check_direction(flow, x, inverse, result);
  check_parameters(flow, parameters, x, result);
  return result;
}

double log_abs_det(Tensor<double> a) {
  const Index n = a.shape()[0];
  double sum = 0;
  for (Index k = 0; k < n; ++k) {
    Index pivot = k;
    for (Index i = k + 1; i < n; ++i) {
      if (std::abs(a(i, k)) > std::abs(a(pivot, k))) pivot = i;
    }
    for (Index j = 0; j < n; ++j) std::swap(a(k, j), a(pivot, j));
    sum += std::log(std::abs(a(k, k)));
    for (Index i = k + 1; i < n; ++i) {
      const double factor = a(i, k) / a(k, k);
      for (Index j = k; j < n; ++j) a(i, j) -= factor * a(k, j);
    }
  }
  return sum;
}

double worst_difference(const Tensor<double>& a, const Tensor<double>& b) {
  REQUIRE(a.shape() == b.shape());
  double worst = 0;
  for (std::size_t i = 0; i < a.storage().size(); ++i)
    worst = std::max(worst, std::abs(a.storage()[i] - b.storage()[i]));
  return worst;
}

}  // namespace fjord::test
