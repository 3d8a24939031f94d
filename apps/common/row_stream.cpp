#include "fjord/apps/common/row_stream.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "fjord/apps/common/csv_rows.hpp"
#include "fjord/apps/common/mapped_file.hpp"
#include "fjord/apps/common/table_input.hpp"

namespace fjord::apps {
namespace {

class CsvStream final : public RowStream {
 public:
  CsvStream(std::unique_ptr<TableInput> input, Header header)
      : input_(std::move(input)), rows_(input_->text(), header, input_->check()) {}

  const std::vector<std::string>& names() const override { return rows_.names(); }

  Index columns() const override { return rows_.columns(); }

  void need(std::vector<Index> columns) override {
    rows_.need(columns);
    needed_ = std::move(columns);
  }

  Tensor<double> next(Index most) override {
    values_.clear();
    const Index count = rows_.read(most, values_);
    Tensor<double> result = Tensor<double>::zeros({count, static_cast<Index>(needed_.size())});
    for (std::size_t k = 0; k < needed_.size(); ++k) {
      const double* from = values_.data() + needed_[k];
      double* to = result.data() + static_cast<Index>(k) * count;
      for (Index i = 0; i < count; ++i) to[i] = from[i * columns()];
    }
    return result;
  }

 private:
  std::unique_ptr<TableInput> input_;
  CsvRows rows_;
  std::vector<Index> needed_;
  std::vector<double> values_;
};

class MappedStream final : public RowStream {
 public:
  explicit MappedStream(std::unique_ptr<MappedFile> file) : file_(std::move(file)) {}

  const std::vector<std::string>& names() const override { return file_->names(); }

  Index columns() const override { return file_->columns(); }

  void need(std::vector<Index> columns) override { needed_ = std::move(columns); }

  Tensor<double> next(Index most) override {
    std::vector<std::uint32_t> rows(
        static_cast<std::size_t>(std::min(most, file_->rows() - next_)));
    std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(next_));
    next_ += static_cast<Index>(rows.size());
    Tensor<double> result = Tensor<double>::zeros(
        {static_cast<Index>(rows.size()), static_cast<Index>(needed_.size())});
    file_->read(rows, needed_, result.data());
    return result;
  }

 private:
  std::unique_ptr<MappedFile> file_;
  std::vector<Index> needed_;
  Index next_ = 0;
};

// An array from a pipe, which can only be read as a whole.
class ArrayStream final : public RowStream {
 public:
  ArrayStream(LooseTable table, FileCheck check)
      : table_(std::move(table)), check_(std::move(check)) {}

  const std::vector<std::string>& names() const override { return table_.table.names; }

  Index columns() const override { return table_.table.values.shape()[1]; }

  void need(std::vector<Index> columns) override { needed_ = columns_of(table_, columns, check_); }

  Tensor<double> next(Index most) override {
    std::vector<std::uint32_t> rows(
        static_cast<std::size_t>(std::min(most, needed_.shape()[0] - next_)));
    std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(next_));
    next_ += static_cast<Index>(rows.size());
    return chosen_rows(needed_, rows);
  }

 private:
  LooseTable table_;
  FileCheck check_;
  Tensor<double> needed_ = Tensor<double>::zeros({0, 0});
  Index next_ = 0;
};

}  // namespace

std::unique_ptr<RowStream> open_rows(const std::string& file, Header header, std::string_view op) {
  if (auto mapped = open_mapped(file, header, op))
    return std::make_unique<MappedStream>(std::move(mapped));
  auto input = std::make_unique<TableInput>(file, op);
  if (!input->is_array()) return std::make_unique<CsvStream>(std::move(input), header);
  check_array_header(header, input->check());
  return std::make_unique<ArrayStream>(array_in(std::move(*input)), FileCheck(op, file));
}

}  // namespace fjord::apps
