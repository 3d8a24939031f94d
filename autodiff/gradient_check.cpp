#include "fjord/autodiff/gradient_check.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/random.hpp"

namespace fjord {

using namespace record;

namespace {

using Tensors = std::vector<Tensor<double>>;

// Keeps in `worst` the larger disagreement, relative to `size`.
void compare(double& worst, double a, double b, double size) {
  if (a == b) return;
  double error = std::abs(a - b) / size;
  if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
  worst = std::max(worst, error);
}

double largest(const Tensor<double>& tensor) {
  double result = 0;
  for (const double entry : tensor.storage()) result = std::max(result, std::abs(entry));
  return result;
}

void compare(double& worst, const Tensors& a, const Tensors& b, double least) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double size = std::max({least, largest(a[i]), largest(b[i])});
    for (std::size_t k = 0; k < a[i].storage().size(); ++k) {
      compare(worst, a[i].storage()[k], b[i].storage()[k], size);
    }
  }
}

// A difference has the error of the values that are subtracted, divided by h, however small it is.
void compare_to_differences(double& worst, const Tensors& a, const Tensors& differences) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t k = 0; k < a[i].storage().size(); ++k) {
      const double x = a[i].storage()[k];
      const double y = differences[i].storage()[k];
      compare(worst, x, y, std::max({1.0, std::abs(x), std::abs(y)}));
    }
  }
}

Tensor<double> draw(const Shape& shape, std::uint64_t key) {
  Tensor<double> numbers = Tensor<double>::zeros(shape);
  RandomKey(key).normal(numbers.storage());
  return numbers;
}

Tensors draw_like(const Tensors& tensors, std::uint64_t key) {
  Tensors result;
  for (const Tensor<double>& tensor : tensors) result.push_back(draw(tensor.shape(), ++key));
  return result;
}

double dot(const Tensors& a, const Tensors& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t k = 0; k < a[i].storage().size(); ++k) {
      sum += a[i].storage()[k] * b[i].storage()[k];
    }
  }
  return sum;
}

// Of the products that `dot` adds.
double size_of_terms(const Tensors& a, const Tensors& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t k = 0; k < a[i].storage().size(); ++k) {
      sum += std::abs(a[i].storage()[k] * b[i].storage()[k]);
    }
  }
  return sum;
}

Tensors values_of(const Vars<double>& vars) {
  Tensors result;
  for (const Var<double>& var : vars) result.emplace_back(var.value());
  return result;
}

Vars<double> inputs_on(Tape<double>& tape, const Tensors& numbers) {
  Vars<double> result;
  for (const Tensor<double>& x : numbers) result.push_back(tape.input(x));
  return result;
}

Var<double> inner_product(Tape<double>& tape, const Vars<double>& a, const Vars<double>& b) {
  Var<double> total = tape.scalar(0);
  for (std::size_t i = 0; i < a.size(); ++i) total = total + sum(a[i] * b[i]);
  return total;
}

// The function at hand, with the numbers that its derivatives are contracted with.
struct Problem {
  const CheckedFunctions& f;
  Tensors at;
  Tensors cotangents;
  double least;

  double value(const Tensors& x) const {
    Tape<double> tape;
    return dot(values_of(f(inputs_on(tape, x))), cotangents);
  }

  Tensors gradient(const Tensors& x) const {
    Tape<double> tape;
    const Vars<double> inputs = inputs_on(tape, x);
    const Vars<double> outputs = f(inputs);
    const std::vector<TensorView<double>> seeds(cotangents.begin(), cotangents.end());
    Tensors result;
    for (const TensorView<double>& g : pullback_values<double>(outputs, seeds, inputs)) {
      result.emplace_back(g);
    }
    return result;
  }
};

// Sum over the stencil of weight * term(offset), which is the derivative of term at 0.
template <class Term>
void for_stencil(double h, Term term) {
  constexpr std::array<double, 3> weights{45, -9, 1};
  for (int i = 1; i <= 3; ++i) {
    const double weight = weights[static_cast<std::size_t>(i - 1)] / (60 * h);
    term(i * h, weight);
    term(-i * h, -weight);
  }
}

Tensors differences(const Problem& problem, double h) {
  Tensors result = problem.at;
  for (std::size_t i = 0; i < result.size(); ++i) {
    for (std::size_t k = 0; k < result[i].storage().size(); ++k) {
      double slope = 0;
      for_stencil(h, [&](double offset, double weight) {
        Tensors moved = problem.at;
        moved[i].storage()[k] += offset;
        slope += weight * problem.value(moved);
      });
      result[i].storage()[k] = slope;
    }
  }
  return result;
}

Tensors gradient_differences(const Problem& problem, const Tensors& direction, double h) {
  Tensors result;
  for (const Tensor<double>& x : problem.at) result.push_back(Tensor<double>::zeros(x.shape()));
  for_stencil(h, [&](double offset, double weight) {
    Tensors moved = problem.at;
    for (std::size_t i = 0; i < moved.size(); ++i) {
      for (std::size_t k = 0; k < moved[i].storage().size(); ++k) {
        moved[i].storage()[k] += offset * direction[i].storage()[k];
      }
    }
    const Tensors gradient = problem.gradient(moved);
    for (std::size_t i = 0; i < result.size(); ++i) {
      for (std::size_t k = 0; k < result[i].storage().size(); ++k) {
        result[i].storage()[k] += weight * gradient[i].storage()[k];
      }
    }
  });
  return result;
}

// Both directions as one tensor each, stacked as a forward sweep of two tangents takes them.
Tensors stack(const Tensors& a, const Tensors& b) {
  Tensors result;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Shape shape = a[i].shape();
    const auto axis = static_cast<std::size_t>(stacking_axis(shape.rank()));
    std::size_t inner = 1;
    for (std::size_t k = 0; k < axis; ++k) inner *= static_cast<std::size_t>(shape[k]);
    Tensor<double> both = Tensor<double>::zeros(stacked_shape(shape, 2));
    for (std::size_t k = 0; k < a[i].storage().size(); ++k) {
      const std::size_t first = k / inner * 2 * inner + k % inner;
      both.storage()[first] = a[i].storage()[k];
      both.storage()[first + inner] = b[i].storage()[k];
    }
    result.push_back(both);
  }
  return result;
}

// H v and H w by every nesting, H the Hessian of <cotangents, f>.
void check_second(const Problem& problem, const Tensors& v, const Tensors& w,
                  const Tensors& gradient, double h, GradientCheck& result) {
  Tape<double> tape;
  const Vars<double> inputs = inputs_on(tape, problem.at);
  const Vars<double> u = inputs_on(tape, problem.cotangents);
  const Vars<double> direction = inputs_on(tape, v);
  const Vars<double> other_direction = inputs_on(tape, w);
  const Vars<double> outputs = problem.f(inputs);
  const Vars<double> one{tape.scalar(1)};

  const Vars<double> recorded = pullback(outputs, u, inputs);
  compare(result.recorded, values_of(recorded), gradient, problem.least);
  const Vars<double> tangents = pushforward(inputs, direction, outputs);
  const Var<double> slope = inner_product(tape, tangents, u);
  compare(result.forward, slope.item(), dot(gradient, v),
          std::max(problem.least, size_of_terms(gradient, v)));

  const Tensors stacked = values_of(pushforward(inputs, inputs_on(tape, stack(v, w)), outputs));
  const Vars<double> other_tangents = pushforward(inputs, other_direction, outputs);
  compare(result.stacked, stacked, stack(values_of(tangents), values_of(other_tangents)),
          problem.least);

  const Tensors forward_reverse = values_of(pushforward(inputs, direction, recorded));
  const Var<double> along = inner_product(tape, recorded, direction);
  compare(result.second, values_of(pullback({along}, one, inputs)), forward_reverse, problem.least);
  compare(result.second, values_of(pullback({slope}, one, inputs)), forward_reverse, problem.least);
  const Var<double> twice_forward = pushforward(inputs, other_direction, {slope}).front();
  compare(result.second, twice_forward.item(), dot(forward_reverse, w),
          std::max(problem.least, size_of_terms(forward_reverse, w)));
  const Tensors other = values_of(pushforward(inputs, other_direction, recorded));
  compare(result.symmetry, dot(other, v), dot(forward_reverse, w),
          std::max(problem.least, size_of_terms(other, v) + size_of_terms(forward_reverse, w)));
  compare_to_differences(result.curvature, forward_reverse, gradient_differences(problem, v, h));
}

}  // namespace

GradientCheck check_gradient(const CheckedFunctions& f, const Tensors& at, double h, double least) {
  require(!at.empty(), "check_gradient", "at least one input is needed");
  Problem problem{f, at, {}, least};
  Tape<double> tape;
  problem.cotangents = draw_like(values_of(f(inputs_on(tape, at))), 1000);
  const Tensors gradient = problem.gradient(at);
  GradientCheck result;
  compare_to_differences(result.reverse, gradient, differences(problem, h));
  check_second(problem, draw_like(at, 2000), draw_like(at, 3000), gradient, h, result);
  return result;
}

GradientCheck check_gradient(const CheckedFunction& f, const Tensors& at, double h, double least) {
  return check_gradient([&](const Vars<double>& inputs) { return Vars<double>{f(inputs)}; }, at, h,
                        least);
}

}  // namespace fjord
