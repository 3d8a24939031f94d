#include "fjord/autodiff/mapped_table.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <limits>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/npy.hpp"

namespace fjord {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_to_map(const std::string& path) {
  fail("read", path + ": " + std::generic_category().message(errno));
}

// Bytes that the system maps at a touch.
constexpr std::size_t chunk_bytes = std::size_t{1} << 16;

// The number at the end of the name of a part, which begins at `digits`.
constexpr std::size_t digit_count = 5;

std::string part_name(const std::string& first, std::size_t number) {
  std::string digits = std::to_string(number);
  digits.insert(0, digit_count - std::min(digits.size(), digit_count), '0');
  return first.substr(0, first.size() - digit_count) + digits;
}

// The files of a folder, in order.
std::vector<std::string> parts_in(const fs::path& folder) {
  std::vector<std::string> stems;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".npy") stems.push_back(entry.path().stem().string());
  }
  require(!stems.empty(), "load_npy",
          [&] { return folder.string() + ": the folder has no part NAME-00000.npy"; });
  std::ranges::sort(stems);
  std::vector<std::string> files;
  for (std::size_t i = 0; i < stems.size(); ++i) {
    const bool is_part = stems[0].size() > digit_count && stems[0].ends_with("-00000");
    const std::string expected = is_part ? part_name(stems[0], i) : "NAME-00000";
    require(is_part && stems[i] == expected, "load_npy", [&] {
      return folder.string() + ": expected the part " + expected + ".npy, got " + stems[i] +
             ".npy; parts must be numbered from 00000 without a gap";
    });
    files.push_back((folder / (stems[i] + ".npy")).string());
  }
  return files;
}

}  // namespace

// The bytes of a file.
class MappedTable::Mapping final {
 public:
  explicit Mapping(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) fail_to_map(path);

    struct stat status {};

    const bool has_size = ::fstat(file, &status) == 0;
    size_ = has_size ? static_cast<std::size_t>(status.st_size) : 0;
    if (size_ > 0) memory_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file, 0);
    ::close(file);
    if (!has_size || memory_ == MAP_FAILED) fail_to_map(path);
    touched_ = std::vector<std::atomic<std::uint64_t>>(size_ / chunk_bytes / 64 + 1);
  }

  ~Mapping() {
    if (size_ > 0) ::munmap(memory_, size_);
  }

  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::string_view bytes() const { return {static_cast<const char*>(memory_), size_}; }

  // Notes that bytes are read; returns how many are mapped thereby.
  std::size_t touch(std::size_t begin, std::size_t end) {
    std::size_t mapped = 0;
    for (std::size_t i = begin / chunk_bytes; i * chunk_bytes < end; ++i) {
      std::atomic<std::uint64_t>& chunks = touched_[i / 64];
      const std::uint64_t chunk = std::uint64_t{1} << i % 64;
      if ((chunks.load(std::memory_order_relaxed) & chunk) != 0) continue;
      if ((chunks.fetch_or(chunk, std::memory_order_relaxed) & chunk) == 0) mapped += chunk_bytes;
    }
    return mapped;
  }

  // The pages stay in the system's cache as long as there is room, but count for nobody.
  void forget() {
    for (std::atomic<std::uint64_t>& chunks : touched_) chunks.store(0, std::memory_order_relaxed);
    ::madvise(memory_, size_, MADV_DONTNEED);
  }

 private:
  void* memory_ = nullptr;
  std::size_t size_ = 0;
  std::vector<std::atomic<std::uint64_t>> touched_;  // a bit for each chunk
};

class MappedTable::Part final {
 public:
  Part(const std::string& file, Index first)
      : mapping_(file), layout_(npy_layout(mapping_.bytes(), file)), first_(first) {
    require(layout_.shape.rank() == 2, "load_npy",
            [&] { return file + ": " + table_shape_message(layout_.shape); });
  }

  Index end() const { return first_ + layout_.shape[0]; }

  Index columns() const { return layout_.shape[1]; }

  std::size_t row_bytes() const { return static_cast<std::size_t>(columns()) * entry_bytes(); }

  // Row `row` of the table becomes row `at` of `count` rows; returns how many bytes that maps.
  template <class T>
  std::size_t read(Index row, T* values, Index at, Index count) {
    if (layout_.is_double) return read_as<double>(row - first_, values + at, count);
    return read_as<float>(row - first_, values + at, count);
  }

  void forget() { mapping_.forget(); }

 private:
  std::size_t entry_bytes() const { return layout_.is_double ? sizeof(double) : sizeof(float); }

  template <class Stored, class T>
  std::size_t read_as(Index row, T* values, Index count) {
    const bool by_rows = layout_.order == Order::c;
    const auto next = static_cast<std::size_t>(by_rows ? 1 : layout_.shape[0]);
    const auto width = static_cast<std::size_t>(columns());
    const std::size_t begin =
        layout_.begin + sizeof(Stored) * static_cast<std::size_t>(by_rows ? row * columns() : row);
    std::size_t mapped = by_rows ? mapping_.touch(begin, begin + sizeof(Stored) * width) : 0;
    for (std::size_t k = 0; k < width; ++k) {
      const std::size_t place = begin + sizeof(Stored) * k * next;
      if (!by_rows) mapped += mapping_.touch(place, place + sizeof(Stored));
      Stored value{};  // a header of another writer may leave the data unaligned
      std::memcpy(&value, mapping_.bytes().data() + place, sizeof(value));
      values[k * static_cast<std::size_t>(count)] = static_cast<T>(value);
    }
    return mapped;
  }

  Mapping mapping_;
  NpyLayout layout_;
  Index first_;
};

MappedTable::MappedTable(const std::string& path) {
  if (fs::is_directory(path)) {
    for (const std::string& file : parts_in(path)) add_part(file);
  } else {
    add_part(path);
  }
  require(rows_ <= std::numeric_limits<std::uint32_t>::max(), "load_npy",
          [&] { return path + ": fewer than 2^32 rows are needed, got " + std::to_string(rows_); });
}

MappedTable::~MappedTable() = default;

void MappedTable::add_part(const std::string& file) {
  auto part = std::make_unique<Part>(file, rows_);
  if (parts_.empty()) columns_ = part->columns();
  require(part->columns() == columns_, "load_npy", [&] {
    return file + ": " + std::to_string(columns_) + " columns are needed, as in the first part, " +
           "got " + std::to_string(part->columns());
  });
  rows_ = part->end();
  parts_.push_back(std::move(part));
}

std::size_t MappedTable::row_bytes() const {
  return parts_.front()->row_bytes();
}

template <class T>
void MappedTable::read(std::span<const std::uint32_t> rows, T* values) const {
  const auto count = static_cast<Index>(rows.size());
  std::size_t mapped = 0;
  for (Index i = 0; i < count; ++i) {
    const Index row = rows[static_cast<std::size_t>(i)];
    require(row < rows_, "rows", [&] {
      return "there is no row " + std::to_string(row) + ": the table has " + std::to_string(rows_);
    });
    const auto part =
        std::ranges::upper_bound(parts_, row, {}, [](const auto& p) { return p->end(); });
    mapped += (*part)->read(row, values, i, count);
  }
  forget(mapped);
}

void MappedTable::forget(std::size_t mapped) const {
  if (mapped == 0) return;
  constexpr std::size_t interval = std::size_t{48} << 20;
  const std::size_t before = mapped_.fetch_add(mapped, std::memory_order_relaxed);
  if (before / interval == (before + mapped) / interval) return;
  for (const auto& part : parts_) part->forget();
}

template void MappedTable::read(std::span<const std::uint32_t>, float*) const;
template void MappedTable::read(std::span<const std::uint32_t>, double*) const;

}  // namespace fjord
