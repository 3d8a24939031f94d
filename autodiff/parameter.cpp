#include "fjord/autodiff/parameter.hpp"

#include <atomic>

#include "fjord/autodiff/errors.hpp"

namespace fjord {

template <class T>
std::span<T> Parameter<T>::mutable_values() & {
  const bool is_free = token_.use_count() == 1;
  // What other threads read through their tapes they read before this one writes.
  std::atomic_thread_fence(std::memory_order_acquire);
  require(is_free, "parameter",
          "a tape still reads this parameter; rewind or destroy the tape before changing it");
  return value_.storage();
}

template class Parameter<float>;
template class Parameter<double>;

}  // namespace fjord
