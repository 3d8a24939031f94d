#include "fjord/autodiff/gradient_check.hpp"

#include <array>
#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/random.hpp"

namespace fjord {
namespace {

using Tensors = std::vector<Tensor<double>>;

double relative(double a, double b) {
  return std::abs(a - b) / std::max({1.0, std::abs(a), std::abs(b)});
}

Tensor<double> draw(const Shape& shape, std::uint64_t key) {
  Tensor<double> numbers = Tensor<double>::zeros(shape);
  Random(key).normal(numbers.storage());
  return numbers;
}

double dot(const TensorView<double>& a, const Tensor<double>& b) {
  const Tensor<double> left(a);
  double sum = 0;
  for (std::size_t i = 0; i < left.storage().size(); ++i) sum += left.storage()[i] * b.storage()[i];
  return sum;
}

// One recording of the function, with a direction in every input and a cotangent of its value.
struct Recording {
  Tape<double> tape;
  Vars<double> inputs;
  Vars<double> directions;
  Var<double> output;
  Var<double> cotangent;

  Recording(const CheckedFunction& f, const Tensors& at) {
    std::uint64_t key = 0;
    for (const Tensor<double>& x : at) inputs.push_back(tape.input(x));
    for (const Tensor<double>& x : at) directions.push_back(tape.input(draw(x.shape(), ++key)));
    output = f(inputs);
    cotangent = tape.input(draw(output.shape(), 1000));
  }

  Vars<double> reverse(const Var<double>& of, const Var<double>& g) {
    return pullback<double>({of}, {g}, inputs);
  }

  Var<double> forward(const Var<double>& of) {
    return pushforward<double>(inputs, directions, {of}).front();
  }

  Var<double> along_directions(const Vars<double>& gradients) {
    Var<double> sum_of_products = tape.scalar(0);
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      sum_of_products = sum_of_products + sum(gradients[i] * directions[i]);
    }
    return sum_of_products;
  }
};

double weighted_value(const CheckedFunction& f, const Tensors& at,
                      const Tensor<double>& cotangent) {
  Tape<double> tape;
  Vars<double> inputs;
  for (const Tensor<double>& x : at) inputs.push_back(tape.input(x));
  return dot(f(inputs).value(), cotangent);
}

double difference(const CheckedFunction& f, Tensors at, std::size_t input, std::size_t entry,
                  const Tensor<double>& cotangent, double h) {
  constexpr std::array<double, 7> stencil{-1, 9, -45, 0, 45, -9, 1};
  const double x = at[input].storage()[entry];
  double sum = 0;
  for (int i = 0; i < 7; ++i) {
    if (i == 3) continue;
    at[input].storage()[entry] = x + (i - 3) * h;
    sum += stencil[static_cast<std::size_t>(i)] * weighted_value(f, at, cotangent);
  }
  return sum / (60 * h);
}

}  // namespace

GradientCheck check_gradient(const CheckedFunction& f, const Tensors& at, double h) {
  require(!at.empty(), "check_gradient", "at least one input is needed");
  GradientCheck result;
  Recording r(f, at);
  const Tensor<double> cotangent(r.cotangent.value());

  const TensorView<double> seed = r.cotangent.value();
  Tensors gradients;
  for (const TensorView<double>& g :
       pullback_values<double>(std::span(&r.output, 1), std::span(&seed, 1), r.inputs)) {
    gradients.emplace_back(g);
  }
  for (std::size_t i = 0; i < at.size(); ++i) {
    for (std::size_t k = 0; k < at[i].storage().size(); ++k) {
      const double expected = difference(f, at, i, k, cotangent, h);
      result.reverse = std::max(result.reverse, relative(gradients[i].storage()[k], expected));
    }
  }

  const Var<double> tangent = r.forward(r.output);
  double along = 0;
  for (std::size_t i = 0; i < at.size(); ++i)
    along += dot(gradients[i], Tensor<double>(r.directions[i].value()));
  result.forward = relative(dot(tangent.value(), cotangent), along);

  // v^T (d^2 <u, f>) v in each of the four ways.
  const Vars<double> recorded = r.reverse(r.output, r.cotangent);
  const Var<double> weighted = sum(tangent * r.cotangent);
  const Var<double> one = r.tape.scalar(1);
  const Var<double> slope = r.along_directions(recorded);
  const double forward_reverse = r.forward(slope).item();
  const double reverse_reverse = r.along_directions(r.reverse(slope, one)).item();
  const double reverse_forward = r.along_directions(r.reverse(weighted, one)).item();
  const double forward_forward = r.forward(weighted).item();
  for (const double other : {reverse_reverse, reverse_forward, forward_forward}) {
    result.second = std::max(result.second, relative(forward_reverse, other));
  }
  return result;
}

}  // namespace fjord
