/// Model files and checkpoints: named tensors and metadata in the safetensors format.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "fjord/autodiff/tensor.hpp"

namespace fjord::nn {

/// Named tensors and strings of metadata: the content of a safetensors file.
///
/// Note:    Integers, such as the position of a checkpoint, go into the metadata as text: F64 would
///          cut them to 53 bits.
struct State {
  std::map<std::string, std::variant<Tensor<float>, Tensor<double>>> tensors;
  std::map<std::string, std::string> metadata;
};

/// Reads a file of F32 and F64 tensors. Nothing in it is trusted.
///
/// Errors:  std::invalid_argument "[load_safetensors] path: ..." if it is malformed or holds
///          another dtype; "[read] path: ..." if it cannot be read.
/// Source:  github.com/huggingface/safetensors, README, "Format".
State load_safetensors(const std::string& path);

/// Writes a file, so that the target is never half there (see write_file()). Equal states give
/// equal bytes.
///
/// Errors:  std::invalid_argument if a name or a metadata string is not UTF-8, or a tensor is named
///          "__metadata__"; std::system_error if writing fails.
void save_safetensors(const std::string& path, const State& state);

/// Reads the bytes of a file as load_safetensors() does; errors name it `name`.
///
/// Errors:  std::invalid_argument "[load_safetensors] name: ..." if they are malformed or hold
///          another dtype.
State parse_safetensors(std::string_view bytes, const std::string& name);

/// The bytes that save_safetensors() writes: the widest dtype first, then by name.
///
/// Errors:  std::invalid_argument as save_safetensors().
std::string format_safetensors(const State& state);

}  // namespace fjord::nn
