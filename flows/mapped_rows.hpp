/// Rows of files that are larger than memory.
#pragma once

#include <string>

#include "fjord/autodiff/mapped_table.hpp"
#include "fjord/flows/row_source.hpp"

namespace fjord::flows {

/// The rows of a .npy file or of a folder of parts: see MappedTable.
template <class T>
class MappedRows final : public RowSource<T> {
 public:
  /// Errors:  as MappedTable.
  explicit MappedRows(const std::string& path) : table_(path) {}

  Index rows() const override { return table_.rows(); }

  Index dim() const override { return table_.columns(); }

  Index block_rows() const override;

  void read(std::span<const std::uint32_t> rows, T* values, T* /*given*/) const override {
    table_.read(rows, values);
  }

 private:
  MappedTable table_;
};

extern template class MappedRows<float>;
extern template class MappedRows<double>;

}  // namespace fjord::flows
