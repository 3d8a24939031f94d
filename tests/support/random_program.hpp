/// Random programs of the catalogue's operations, whose derivatives are held against each other.
///
/// A program is decoded from bytes, so that the same programs serve tests with fixed bytes and a
/// fuzzer that chooses them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "fjord/autodiff/sweep.hpp"
#include "fjord/tests/support/battery.hpp"

namespace fjord::test {

/// Whether a value of some shape can be an operand, beside a first operand.
using Fits = bool (*)(const Shape& shape, const Shape& first);

/// An operation as random programs use it: composed so that every number is in its domain.
struct ProgramOperation {
  const char* text;  ///< its C++, of operands a, b, c, d
  Var<double> (*value)(const Vars<double>& operands);
  std::array<Fits, 4> operands{};  ///< nullptr where there is no further one
};

/// What all programs are made of.
std::span<const ProgramOperation> program_operations();

/// How an operation becomes part of a program.
enum class Wrapping {
  plain,
  checkpoint,  ///< in_checkpoint
  vjp,         ///< by_vjp
  jvp,         ///< by_jvp
  slope,       ///< slope_of
};

using ListToVar = std::function<Var<double>(const Vars<double>& operands)>;

/// f as a checkpoint.
Var<double> in_checkpoint(const ListToVar& f, const Vars<double>& operands);
/// f as a custom operation whose only rule is its own vjp.
Var<double> by_vjp(const ListToVar& f, const Vars<double>& operands);
/// f as a custom operation whose only rule is its own jvp.
Var<double> by_jvp(const ListToVar& f, const Vars<double>& operands);
/// The gradient of the sum of f in the first operand.
Var<double> slope_of(const ListToVar& f, const Vars<double>& operands);

/// One line of a program.
struct Instruction {
  ProgramOperation operation;
  Wrapping wrapping = Wrapping::plain;
  std::vector<std::size_t> operands;  ///< values: the inputs, then the instructions' in order
  Shape shape;                        ///< of its value
};

/// A straight-line program of inputs of shapes [], [3], [2, 3] and [3, 3], and a point for them;
/// its results are the values that no instruction reads.
struct Program {
  Tensors point;
  std::vector<Instruction> instructions;
};

/// The program that the bytes choose: two for the point, then six for each instruction.
///
/// Instructions whose values at the point are not finite, or large, are left out.
Program decode_program(std::span<const std::uint8_t> bytes,
                       std::span<const ProgramOperation> operations = program_operations());

/// The program's C++, one line an instruction, after the inputs that it reads.
std::string to_string(const Program& program);

/// A sentence on derivatives that differ from each other, or from differences; empty if none do.
///
/// Units:   relative to the size of what is compared, at least 1: 1e-10 for first derivatives, 1e-9
///          for second ones, 1e-6 for differences, of several steps for the sake of kinks nearby.
std::string disagreement(const Program& program);

/// A smaller program that fails, made from one that does: instructions are cut while it fails.
Program shrunk(Program program);

/// What is wrong with the program that the bytes choose, and the program in its smallest form;
/// empty if nothing is.
std::string check_program(std::span<const std::uint8_t> bytes,
                          std::span<const ProgramOperation> operations = program_operations());

}  // namespace fjord::test
