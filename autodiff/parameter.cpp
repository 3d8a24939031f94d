#include "fjord/autodiff/parameter.hpp"

#include "fjord/autodiff/errors.hpp"

namespace fjord {

template <class T>
std::span<T> Parameter<T>::mutable_values() {
  require(holders_.load(std::memory_order_acquire) == 0, "parameter",
          "a tape still reads this parameter; rewind or destroy the tape before changing it");
  return value_.storage();
}

template class Parameter<float>;
template class Parameter<double>;

}  // namespace fjord
