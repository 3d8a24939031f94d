/// The networks that model files may name.
#pragma once

#include "fjord/nn/part_reader.hpp"

namespace fjord::nn {

template <class T>
std::span<const PartType<T>> modules();

}  // namespace fjord::nn
