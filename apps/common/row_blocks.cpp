#include "fjord/apps/common/row_blocks.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>
#include <utility>

#include "fjord/apps/common/mapped_file.hpp"
#include "fjord/apps/common/ranks.hpp"
#include "fjord/apps/common/row_stream.hpp"
#include "fjord/apps/common/stop_signal.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/flows/sharded.hpp"

namespace fjord::apps {

Index block_rows(const RowWidths& widths) {
  constexpr Index shard = flows::ShardedModel<double>::default_rows;
  constexpr Index numbers = Index{1} << 21;
  const Index shards = numbers / (shard * std::max(Index{1}, widths.dim + widths.given));
  return shard * std::clamp(shards, Index{16}, Index{512});
}

namespace {

// The columns of a table from first to last that are wanted of it.
class WantedStream final {
 public:
  WantedStream(WantedColumns wanted, const std::string& header)
      : wanted_(std::move(wanted)),
        stream_(open_rows(wanted_.file, header_of(header), wanted_.option)),
        is_by_name_(fjord::apps::is_by_name(wanted_, stream_->names())) {
    // Without names, all columns are read before the width is known to be wrong: where a field is
    // missing, that is the better message.
    std::vector<Index> places(static_cast<std::size_t>(stream_->columns()));
    std::iota(places.begin(), places.end(), Index(0));
    if (is_by_name_) places = places_in(wanted_, stream_->names(), stream_->columns());
    need(std::move(places));
  }

  const std::vector<std::string>& names() const { return stream_->names(); }

  // Columns of the same table that follow the others.
  void add(const WantedColumns& more) {
    std::vector<Index> places = places_;
    for (const Index place : places_in(more, stream_->names(), stream_->columns()))
      places.push_back(place);
    need(std::move(places));
  }

  Tensor<double> next(Index most) {
    Tensor<double> rows = stream_->next(most);
    if (!is_by_name_) places_in(wanted_, {}, stream_->columns());
    rows_ += rows.shape()[0];
    return rows;
  }

  // The rows up to the end, those included that have been read.
  Index count_rows() {
    while (next(1000).shape()[0] > 0) {
    }
    return rows_;
  }

 private:
  void need(std::vector<Index> places) {
    places_ = places;
    stream_->need(std::move(places));
  }

  WantedColumns wanted_;
  std::unique_ptr<RowStream> stream_;
  bool is_by_name_;
  std::vector<Index> places_;
  Index rows_ = 0;
};

// Blocks read from streams.
class BlockReader final {
 public:
  BlockReader(const RowFiles& files, const flows::ColumnNames& names, const RowWidths& widths)
      : files_(files),
        wanted_(wanted_tables(files, names, widths)),
        widths_(widths),
        data_(wanted_.data, files.header) {
    check_given_in_data(wanted_, data_.names());
    if (wanted_.is_given_in_data) data_.add(wanted_.given);
    if (!files.conditions.empty()) conditions_.emplace(wanted_.given, files.header);
    names_ = names.columns.empty() ? data_.names() : names.columns;
    names_.insert(names_.end(), names.given.begin(), names.given.end());
  }

  ModelRows next(Index most) {
    ModelRows rows{names_, data_.next(most)};
    if (wanted_.is_given_in_data) {
      const Tensor<double> all = std::move(rows.values);
      rows.values = Tensor<double>(columns_view(all, 0, widths_.dim));
      rows.given = Tensor<double>(columns_view(all, widths_.dim, all.shape()[1]));
    }
    if (conditions_) {
      rows.given = conditions_->next(most);
      if (rows.given.shape()[0] != rows.values.shape()[0])
        check_row_counts(files_, data_.count_rows(), conditions_->count_rows());
    }
    return rows;
  }

 private:
  RowFiles files_;
  WantedTables wanted_;
  RowWidths widths_;
  WantedStream data_;
  std::optional<WantedStream> conditions_;
  std::vector<std::string> names_;
};

template <class T>
class StreamedBlocks final : public RowBlocks<T> {
 public:
  StreamedBlocks(const RowFiles& files, flows::ColumnNames names, const RowWidths& widths,
                 const Communicator& ranks)
      : files_(files),
        names_(std::move(names)),
        widths_(widths),
        rows_(block_rows(widths)),
        ranks_(ranks) {
    lead(ranks_, [&] {
      reader_.emplace(files_, names_, widths_);
      return 0;
    });
  }

  void check() override {
    const auto is_file = [](const std::string& file) {
      return std::filesystem::is_regular_file(file);
    };
    if (!is_file(files_.data) || !(files_.conditions.empty() || is_file(files_.conditions))) return;
    lead(ranks_, [&] {
      BlockReader reader(files_, names_, widths_);
      for (Index first = 0; stop_signal() == 0;) {
        const ModelRows rows = reader.next(rows_);
        if (rows.values.shape()[0] == 0) break;
        take(rows, first);
        first += rows.values.shape()[0];
      }
      return 0;
    });
  }

  const flows::RowSource<T>* next() override {
    const ModelRows rows = rows_of_first_rank(ranks_, [&] { return reader_->next(rows_); });
    const Index count = rows.values.shape()[0];
    if (count == 0) return nullptr;
    take(rows, first_);
    first_ += count;
    return &*block_;
  }

 private:
  // The block that next() gives.
  void take(const ModelRows& rows, Index first) {
    values_ = values_as<T>(rows.values, rows.names, FileCheck("--data", files_.data), first + 1);
    given_ = rows.given.as<T>();
    block_.emplace(values_, widths_.given == 0 ? TensorView<T>() : TensorView<T>(given_));
  }

  RowFiles files_;
  flows::ColumnNames names_;
  RowWidths widths_;
  Index rows_;
  const Communicator& ranks_;
  std::optional<BlockReader> reader_;  // of rank 0
  Tensor<T> values_ = Tensor<T>::zeros({0});
  Tensor<T> given_ = Tensor<T>::zeros({0});
  std::optional<flows::TableRows<T>> block_;
  Index first_ = 0;
};

// A file and its columns that are wanted.
struct MappedColumns {
  std::shared_ptr<const MappedFile> file;
  std::vector<Index> columns;
};

template <class T>
class MappedBlock final : public flows::RowSource<T> {
 public:
  MappedBlock(MappedColumns values, MappedColumns given)
      : values_(std::move(values)), given_(std::move(given)) {}

  void set(Index first, Index rows) {
    first_ = first;
    rows_ = rows;
  }

  Index rows() const override { return rows_; }

  Index dim() const override { return static_cast<Index>(values_.columns.size()); }

  Index given_width() const override { return static_cast<Index>(given_.columns.size()); }

  void read(std::span<const std::uint32_t> rows, T* values, T* given) const override {
    std::vector<std::uint32_t> places(rows.begin(), rows.end());
    for (std::uint32_t& place : places) place += static_cast<std::uint32_t>(first_);
    values_.file->read(places, values_.columns, values);
    if (given_width() > 0) given_.file->read(places, given_.columns, given);
  }

 private:
  MappedColumns values_;
  MappedColumns given_;
  Index first_ = 0;
  Index rows_ = 0;
};

template <class T>
class MappedBlocks final : public RowBlocks<T> {
 public:
  MappedBlocks(MappedColumns values, MappedColumns given, const Communicator& ranks)
      : all_(values.file->rows()),
        block_rows_(block_rows(
            {static_cast<Index>(values.columns.size()), static_cast<Index>(given.columns.size())})),
        ranks_(ranks),
        block_(std::move(values), std::move(given)) {}

  void check() override {
    agree(ranks_, [&] {
      constexpr std::size_t at_once = 4096;
      const Share own = share_of(static_cast<std::size_t>(all_), ranks_);
      std::vector<T> values(at_once * static_cast<std::size_t>(block_.dim()));
      std::vector<T> given(at_once * static_cast<std::size_t>(block_.given_width()));
      block_.set(0, all_);
      for (std::size_t i = own.first; i < own.last && stop_signal() == 0; i += at_once) {
        std::vector<std::uint32_t> rows(std::min(at_once, own.last - i));
        std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(i));
        block_.read(rows, values.data(), given.data());
      }
    });
  }

  const flows::RowSource<T>* next() override {
    const Index rows = std::min(block_rows_, all_ - next_);
    block_.set(next_, rows);
    next_ += rows;
    return rows > 0 ? &block_ : nullptr;
  }

 private:
  Index all_;
  Index block_rows_;
  const Communicator& ranks_;
  MappedBlock<T> block_;
  Index next_ = 0;
};

// The files, if all are mapped; errors on all ranks.
struct MappedFiles {
  std::shared_ptr<const MappedFile> data;
  std::shared_ptr<const MappedFile> conditions;
  bool is_complete = false;
};

MappedFiles mapped_files(const RowFiles& files) {
  const Header header = header_of(files.header);
  MappedFiles mapped;
  mapped.data = open_mapped(files.data, header, "--data");
  if (mapped.data == nullptr) return mapped;
  if (!files.conditions.empty())
    mapped.conditions = open_mapped(files.conditions, header, "--conditions");
  mapped.is_complete = files.conditions.empty() || mapped.conditions != nullptr;
  return mapped;
}

template <class T>
std::unique_ptr<RowBlocks<T>> mapped_blocks(const MappedFiles& mapped, const RowFiles& files,
                                            const WantedTables& wanted, const Communicator& ranks) {
  const MappedFile& data = *mapped.data;
  MappedColumns values{mapped.data, places_in(wanted.data, data.names(), data.columns())};
  check_given_in_data(wanted, data.names());
  MappedColumns given;
  if (wanted.is_given_in_data)
    given = {mapped.data, places_in(wanted.given, data.names(), data.columns())};
  if (mapped.conditions != nullptr) {
    check_row_counts(files, data.rows(), mapped.conditions->rows());
    given = {mapped.conditions,
             places_in(wanted.given, mapped.conditions->names(), mapped.conditions->columns())};
  }
  return std::make_unique<MappedBlocks<T>>(std::move(values), std::move(given), ranks);
}

}  // namespace

template <class T>
std::unique_ptr<RowBlocks<T>> open_row_blocks(const RowFiles& files, const nn::State& state,
                                              const RowWidths& widths, const Communicator& ranks) {
  const flows::ColumnNames names = model_columns(files.model, state);
  std::unique_ptr<RowBlocks<T>> blocks;
  // Rank 0 knows the kinds of the files; others need not see what it reads for all.
  const bool is_mapped = lead(ranks, [&] { return mapped_files(files).is_complete ? 1 : 0; }) == 1;
  if (!is_mapped) return std::make_unique<StreamedBlocks<T>>(files, names, widths, ranks);
  agree(ranks, [&] {
    const MappedFiles mapped = mapped_files(files);
    require(mapped.is_complete, "--data", "the file is of another kind than on rank 0");
    blocks = mapped_blocks<T>(mapped, files, wanted_tables(files, names, widths), ranks);
  });
  return blocks;
}

template std::unique_ptr<RowBlocks<float>> open_row_blocks(const RowFiles&, const nn::State&,
                                                           const RowWidths&, const Communicator&);
template std::unique_ptr<RowBlocks<double>> open_row_blocks(const RowFiles&, const nn::State&,
                                                            const RowWidths&, const Communicator&);

}  // namespace fjord::apps
