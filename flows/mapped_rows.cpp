#include "fjord/flows/mapped_rows.hpp"

#include <algorithm>

namespace fjord::flows {

template <class T>
Index MappedRows<T>::block_rows() const {
  // As much as disks give at once.
  constexpr std::size_t block_bytes = std::size_t{1} << 16;
  return static_cast<Index>(std::max<std::size_t>(1, block_bytes / table_.row_bytes()));
}

template class MappedRows<float>;
template class MappedRows<double>;

}  // namespace fjord::flows
