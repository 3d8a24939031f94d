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
  Var<double> (Bijector<double>::*map)(const Var<double>&, Context<double>&) const;
  flows::WithLogDet<double> (Bijector<double>::*with_log_det)(const Var<double>&,
                                                              Context<double>&) const;
};

constexpr Direction forward{&Bijector<double>::forward, &Bijector<double>::forward_with_log_det};
constexpr Direction inverse{&Bijector<double>::inverse, &Bijector<double>::inverse_with_log_det};

// A context with some rows of what is given.
Context<double> context_on(Tape<double>& tape, const Tensor<double>& given, Index first,
                           Index rows) {
  Context<double> context;
  if (given.shape().rank() == 2) context.given = tape.input(rows_of(given, first, rows));
  return context;
}

Tensor<double> apply(const Bijector<double>& flow, Direction direction, const Tensor<double>& x,
                     const Tensor<double>& given) {
  Tape<double> tape;
  Context<double> context = context_on(tape, given, 0, x.shape()[0]);
  return Tensor<double>((flow.*direction.map)(tape.input(x), context).value());
}

void check_direction(const Bijector<double>& flow, const Tensor<double>& x,
                     const Tensor<double>& given, Direction direction, FlowCheck& worst) {
  Tape<double> tape;
  Context<double> context = context_on(tape, given, 0, x.shape()[0]);
  const Var<double> rows = tape.input(x);
  const flows::WithLogDet<double> whole = (flow.*direction.with_log_det)(rows, context);
  const Var<double> alone = (flow.*direction.map)(rows, context);
  worst.trace_free = std::max(
      worst.trace_free,
      worst_difference(Tensor<double>(alone.value()), Tensor<double>(whole.value.value())));
  const Index dim = x.shape()[1];
  for (Index row = 0; row < x.shape()[0]; ++row) {
    const Tensor<double> matrix = jacobian<double>(
        [&](const Var<double>& z) {
          Context<double> single = context_on(z.tape(), given, row, 1);
          return (flow.*direction.map)(z, single);
        },
        rows_of(x, row, 1));
    const double expected = log_abs_det(matrix.reshaped({dim, dim}));
    worst.log_det =
        std::max(worst.log_det, std::abs(Tensor<double>(whole.log_det.value())(row) - expected));
  }
}

void check_parameters(const Bijector<double>& flow, const nn::NamedParameters<double>& parameters,
                      const Tensor<double>& y, const Tensor<double>& given, FlowCheck& found) {
  Tape<double> tape;
  Context<double> context = context_on(tape, given, 0, y.shape()[0]);
  const flows::WithLogDet<double> z = flow.inverse_with_log_det(tape.input(y), context);
  const Var<double> loss = sum(square(z.value)) - sum(z.log_det);
  Vars<double> bound;
  for (const auto& p : parameters) bound.push_back(tape.bind(*p.parameter));
  if (bound.empty()) return;
  const auto gradients = gradient_values<double>(loss, bound);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!parameters[i].is_trained) continue;
    for (const double g : Tensor<double>(gradients[i]).to_vector()) {
      if (g != 0 && std::isfinite(g)) continue;
      found.without_gradient.push_back(parameters[i].name);
      break;
    }
  }
}

}  // namespace

FlowCheck check_flow(const Bijector<double>& flow, const nn::NamedParameters<double>& parameters,
                     const Tensor<double>& x, const Tensor<double>& given) {
  FlowCheck result;
  const Tensor<double> y = apply(flow, forward, x, given);
  const Tensor<double> back = apply(flow, inverse, y, given);
  result.inverse =
      std::max(worst_difference(back, x), worst_difference(apply(flow, forward, back, given), y));
  check_direction(flow, x, given, forward, result);
  check_direction(flow, y, given, inverse, result);
  check_parameters(flow, parameters, y, given, result);
  return result;
}

Tensor<double> rows_of(const Tensor<double>& x, Index first, Index count) {
  Tensor<double> rows = Tensor<double>::zeros({count, x.shape()[1]});
  for (Index row = 0; row < count; ++row)
    for (Index d = 0; d < x.shape()[1]; ++d) rows(row, d) = x(first + row, d);
  return rows;
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
  for (std::size_t i = 0; i < a.storage().size(); ++i) {
    const double apart = std::abs(a.storage()[i] - b.storage()[i]);
    // NaN is infinitely far from everything.
    worst = std::max(worst, std::isnan(apart) ? HUGE_VAL : apart);
  }
  return worst;
}

}  // namespace fjord::test
