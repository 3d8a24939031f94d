#include "fjord/nn/time_input.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"

namespace fjord::nn {

TimeInput time_input_named(std::string_view name) {
  if (name == "repeat") return TimeInput::repeat;
  if (name == "concat") return TimeInput::concat;
  fail("time_input", "repeat or concat is needed, got " + std::string(name));
}

std::string_view name_of(TimeInput time_input) {
  return time_input == TimeInput::repeat ? "repeat" : "concat";
}

Index input_width(TimeInput time_input, Index dim) {
  return time_input == TimeInput::repeat ? 2 * dim : dim + 1;
}

template <class T>
Var<T> with_time(TimeInput time_input, const Var<T>& t, const Var<T>& x) {
  const Shape shape = x.shape();
  require(shape.rank() == 2, "with_time",
          [&] { return "x [B, D] is needed, got " + to_string(shape); });
  const Index columns = time_input == TimeInput::repeat ? shape[1] : 1;
  return concatenate<T>({broadcast_to(t, {shape[0], columns}), x}, 1);
}

template Var<float> with_time(TimeInput, const Var<float>&, const Var<float>&);
template Var<double> with_time(TimeInput, const Var<double>&, const Var<double>&);

}  // namespace fjord::nn
