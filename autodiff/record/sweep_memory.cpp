#include "fjord/autodiff/record/sweep_memory.hpp"

namespace fjord::record {

template <class T>
std::size_t SweepMemory<T>::capacity() const {
  std::size_t sum = pool.capacity() + push_order.capacity();
  for (const auto& frame : frames_) sum += frame->capacity();
  return sum;
}

template class SweepMemory<float>;
template class SweepMemory<double>;

}  // namespace fjord::record
