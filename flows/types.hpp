/// The types of parts that model files may name.
#pragma once

#include "fjord/nn/part_reader.hpp"

namespace fjord::flows {

template <class T>
std::span<const nn::PartType<T>> vector_fields();
template <class T>
std::span<const nn::PartType<T>> bijectors();
template <class T>
std::span<const nn::PartType<T>> distributions();
template <class T>
std::span<const nn::PartType<T>> transformers();

/// All types of the library. A program adds its own to a copy.
template <class T>
const nn::PartTypes<T>& all_types();

}  // namespace fjord::flows
