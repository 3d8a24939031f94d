#include "fjord/tests/support/random_program.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <exception>
#include <sstream>

#include "fjord/autodiff/checkpoint.hpp"
#include "fjord/autodiff/custom.hpp"
#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/gradient_check.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/random.hpp"

namespace fjord::test {
namespace {

using Number = Var<double>;

const std::array<Shape, 4> input_shapes{Shape{}, Shape{3}, Shape{2, 3}, Shape{3, 3}};
constexpr std::size_t input_count = input_shapes.size();
constexpr std::size_t longest_program = 24;
constexpr std::size_t instruction_bytes = 6;  // operation, wrapping, four operands

constexpr std::array<const char*, 5> wrapper_names{"", "in_checkpoint", "by_vjp", "by_jvp",
                                                   "slope_of"};

Number value_of(const Instruction& line, const Vars<double>& values) {
  Vars<double> operands;
  for (const std::size_t operand : line.operands) operands.push_back(values[operand]);
  switch (line.wrapping) {
    case Wrapping::checkpoint: return in_checkpoint(line.operation.value, operands);
    case Wrapping::vjp: return by_vjp(line.operation.value, operands);
    case Wrapping::jvp: return by_jvp(line.operation.value, operands);
    case Wrapping::slope: return slope_of(line.operation.value, operands);
    default: return line.operation.value(operands);
  }
}

Vars<double> record(Tape<double>& tape, const Tensors& point) {
  Vars<double> inputs;
  for (const Tensor<double>& x : point) inputs.push_back(tape.input(x));
  return inputs;
}

// Whether a value is small enough for its derivatives to keep their digits.
bool is_tame(const Number& value) {
  constexpr double largest = 30;
  const Tensor<double> numbers(value.value());
  return std::all_of(numbers.storage().begin(), numbers.storage().end(),
                     [](double x) { return std::abs(x) <= largest; });
}

Vars<double> all_values(const Program& program, const Vars<double>& inputs) {
  Vars<double> values = inputs;
  for (const Instruction& line : program.instructions) values.push_back(value_of(line, values));
  return values;
}

std::vector<bool> values_read(const Program& program) {
  std::vector<bool> is_read(input_count + program.instructions.size());
  for (const Instruction& line : program.instructions) {
    for (const std::size_t operand : line.operands) is_read[operand] = true;
  }
  return is_read;
}

Vars<double> results(const Program& program, const Vars<double>& inputs) {
  const Vars<double> values = all_values(program, inputs);
  const std::vector<bool> is_read = values_read(program);
  Vars<double> unread;
  for (std::size_t i = input_count; i < values.size(); ++i) {
    if (!is_read[i]) unread.push_back(values[i]);
  }
  return unread;
}

// Operands for an operation among the values so far, recent ones more often than early ones.
std::vector<std::size_t> choose_operands(const ProgramOperation& operation,
                                         const Vars<double>& values,
                                         std::span<const std::uint8_t> bytes) {
  std::vector<std::size_t> operands;
  for (std::size_t k = 0; k < operation.operands.size() && operation.operands[k]; ++k) {
    std::vector<std::size_t> fitting;
    for (std::size_t i = values.size(); i-- > 0;) {
      const Shape shape = values[i].shape();
      const Shape first = k == 0 ? shape : values[operands[0]].shape();
      if (operation.operands[k](shape, first)) fitting.push_back(i);
    }
    const std::size_t byte = bytes[k];
    operands.push_back(fitting[byte * byte * fitting.size() / (std::size_t{256} * 256)]);
  }
  return operands;
}

Wrapping wrapping_of(std::uint8_t byte) {
  return byte < 256 / 2 ? Wrapping::plain : static_cast<Wrapping>(byte % 5);
}

// The expression with the operands' names in place of a, b, c, d.
std::string with_names(const std::string& expression, const std::vector<std::string>& names) {
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  std::string text;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    const bool is_alone = (i == 0 || !is_word(expression[i - 1])) &&
                          (i + 1 == expression.size() || !is_word(expression[i + 1]));
    const auto k = static_cast<std::size_t>(c - 'a');
    text += is_alone && c >= 'a' && k < names.size() ? names[k] : std::string(1, c);
  }
  return text;
}

std::string to_string(const Instruction& line) {
  std::vector<std::string> names;
  std::vector<std::string> places;
  for (const std::size_t operand : line.operands) {
    places.push_back("v[" + std::to_string(names.size()) + "]");
    names.push_back("v" + std::to_string(operand));
  }
  if (line.wrapping == Wrapping::plain) return with_names(line.operation.text, names);
  std::string list = names[0];
  for (std::size_t k = 1; k < names.size(); ++k) list += ", " + names[k];
  return std::string(wrapper_names[static_cast<std::size_t>(line.wrapping)]) +
         "([](const Vars<double>& v) { return " + with_names(line.operation.text, places) +
         "; }, {" + list + "})";
}

std::string input_text(const Tensor<double>& numbers) {
  std::string shape = fjord::to_string(numbers.shape());
  shape.front() = '{';
  shape.back() = '}';
  std::ostringstream text;
  text.precision(17);
  for (const double number : numbers.to_vector()) text << (text.tellp() > 0 ? ", " : "") << number;
  return "tape.input(Tensor<double>::from(" + shape + ", std::vector<double>{" + text.str() + "}))";
}

// The program without value `at`, for which others read value `instead`.
Program without(const Program& program, std::size_t at, std::size_t instead) {
  Program smaller = program;
  smaller.instructions.erase(smaller.instructions.begin() +
                             static_cast<std::ptrdiff_t>(at - input_count));
  for (Instruction& line : smaller.instructions) {
    for (std::size_t& operand : line.operands) {
      if (operand == at) operand = instead;
      if (operand > at) --operand;
    }
  }
  return smaller;
}

// What can be tried to make a program smaller, the greatest savings first.
std::vector<Program> smaller_programs(const Program& program) {
  std::vector<Program> candidates;
  const std::vector<bool> is_read = values_read(program);
  for (std::size_t at = is_read.size(); at-- > input_count;) {
    const Shape& shape = program.instructions[at - input_count].shape;
    if (!is_read[at]) candidates.push_back(without(program, at, 0));
    for (std::size_t i = 0; is_read[at] && i < at; ++i) {
      const Shape& other =
          i < input_count ? input_shapes[i] : program.instructions[i - input_count].shape;
      if (other == shape) candidates.push_back(without(program, at, i));
    }
  }
  for (std::size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction& line = program.instructions[i];
    if (line.wrapping == Wrapping::plain) continue;
    candidates.push_back(program);
    candidates.back().instructions[i].wrapping = Wrapping::plain;
  }
  return candidates;
}

// As `disagreement`, but exceptions pass.
std::string differing_derivatives(const Program& program) {
  if (program.instructions.empty()) return {};
  Tape<double> tape;
  const Vars<double> values = all_values(program, record(tape, program.point));
  if (!std::all_of(values.begin(), values.end(), is_tame)) return {};
  const CheckedFunctions f = [&](const Vars<double>& inputs) { return results(program, inputs); };
  GradientCheck best;
  best.reverse = best.curvature = inf;
  // The longest that reaches over no kink: entries drawn at random have been as near as 5e-7 to a
  // tie.
  for (const double h : {1e-3, 1e-4, 1e-5, 1e-6, 1e-7}) {
    const GradientCheck check = check_gradient(f, program.point, h);
    best = {std::min(best.reverse, check.reverse),
            check.recorded,
            check.forward,
            check.stacked,
            check.second,
            check.symmetry,
            std::min(best.curvature, check.curvature)};
    if (best.reverse < 1e-6 && best.curvature < 1e-6) break;
  }
  const auto judge = [](const char* what, double error, double tolerance) {
    std::ostringstream text;
    if (error >= tolerance) text << what << " by " << error << "; ";
    return text.str();
  };
  return judge("recorded and values differ", best.recorded, 1e-10) +
         judge("forward and reverse differ", best.forward, 1e-10) +
         judge("stacked tangents differ", best.stacked, 1e-10) +
         judge("second derivatives differ", best.second, 1e-9) +
         judge("the Hessian is not symmetric", best.symmetry, 1e-9) +
         judge("the gradient is not that of differences", best.reverse, 1e-6) +
         judge("the Hessian is not that of differences", best.curvature, 1e-6);
}

}  // namespace

Var<double> in_checkpoint(const ListToVar& f, const Vars<double>& operands) {
  return checkpoint(f, operands);
}

Var<double> by_vjp(const ListToVar& f, const Vars<double>& operands) {
  return custom(f, [f](const Vars<double>& x, const Number&, const Number& g) {
    return vjp(f, x, g);
  })(operands);
}

Var<double> by_jvp(const ListToVar& f, const Vars<double>& operands) {
  return custom(f, nullptr, [f](const Vars<double>& x, const Number&, const Vars<double>& v) {
    return jvp(f, x, v);
  })(operands);
}

Var<double> slope_of(const ListToVar& f, const Vars<double>& operands) {
  return gradient([&f](const Vars<double>& x) { return sum(f(x)); }, operands)[0];
}

Program decode_program(std::span<const std::uint8_t> bytes,
                       std::span<const ProgramOperation> operations) {
  Program program;
  if (bytes.size() < 2) return program;
  const RandomKey random(256 * std::uint64_t{bytes[0]} + bytes[1]);
  for (const Shape& shape : input_shapes) {
    program.point.push_back(Tensor<double>::zeros(shape));
    random.fold(program.point.size()).normal(program.point.back().storage());
  }
  Tape<double> tape;
  Vars<double> values = record(tape, program.point);
  for (bytes = bytes.subspan(2);
       bytes.size() >= instruction_bytes && program.instructions.size() < longest_program;
       bytes = bytes.subspan(instruction_bytes)) {
    const ProgramOperation& operation = operations[bytes[0] % operations.size()];
    program.instructions.push_back({operation,
                                    wrapping_of(bytes[1]),
                                    choose_operands(operation, values, bytes.subspan(2)),
                                    {}});
    try {
      values.push_back(value_of(program.instructions.back(), values));
    } catch (const std::exception&) {
      break;  // the program throws, which is a disagreement
    }
    constexpr Index largest = 18;
    program.instructions.back().shape = values.back().shape();
    if (values.back().shape().size() <= largest && is_tame(values.back())) continue;
    program.instructions.pop_back();
    values.pop_back();
  }
  return program;
}

std::string to_string(const Program& program) {
  const std::vector<bool> is_read = values_read(program);
  std::string text;
  for (std::size_t i = 0; i < is_read.size(); ++i) {
    if (i < input_count && !is_read[i]) continue;
    text += "const Var<double> v" + std::to_string(i) + " = " +
            (i < input_count ? input_text(program.point[i])
                             : to_string(program.instructions[i - input_count])) +
            ";\n";
  }
  return text;
}

std::string disagreement(const Program& program) {
  try {
    return differing_derivatives(program);
  } catch (const std::exception& error) {
    return std::string("it throws: ") + error.what();
  }
}

Program shrunk(Program program) {
  for (bool is_smaller = true; is_smaller;) {
    is_smaller = false;
    for (const Program& candidate : smaller_programs(program)) {
      if (disagreement(candidate).empty()) continue;
      program = candidate;
      is_smaller = true;
      break;
    }
  }
  return program;
}

std::string check_program(std::span<const std::uint8_t> bytes,
                          std::span<const ProgramOperation> operations) {
  const Program program = decode_program(bytes, operations);
  if (disagreement(program).empty()) return {};
  const Program smallest = shrunk(program);
  return disagreement(smallest) + '\n' + to_string(smallest);
}

}  // namespace fjord::test
