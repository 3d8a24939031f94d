#include "fjord/apps/density/convert.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>

#include "fjord/apps/common/csv_reader.hpp"
#include "fjord/apps/common/mapped_file.hpp"
#include "fjord/apps/common/row_stream.hpp"
#include "fjord/apps/common/stop_signal.hpp"
#include "fjord/apps/common/table_output.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"

namespace fjord::apps::density {
namespace {

namespace fs = std::filesystem;

// A folder that has its name once it is complete, and is removed if it never is.
class NewFolder final {
 public:
  explicit NewFolder(fs::path target) : target_(std::move(target)) {
    std::error_code error;
    require(!fs::exists(target_) || fs::is_empty(target_, error), "FOLDER", [&] {
      return target_.string() + " is there and not an empty folder; name another, or remove it";
    });
    path_ = target_;
    path_ += "." + std::to_string(::getpid()) + "-0.tmp";
    fs::create_directory(path_, error);
    check(error);
  }

  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  ~NewFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }

  std::string file(const std::string& name) const { return (path_ / name).string(); }

  void complete() {
    std::error_code error;
    fs::rename(path_, target_, error);
    check(error);
    path_.clear();
  }

 private:
  void check(const std::error_code& error) const {
    if (error) throw std::system_error(error, "[write] " + target_.string());
  }

  fs::path target_;
  fs::path path_;
};

std::string part_file(const std::string& name, Index number) {
  std::string digits = std::to_string(number);
  digits.insert(0, 5 - std::min<std::size_t>(digits.size(), 5), '0');
  return name + "-" + digits + ".npy";
}

class Conversion final {
 public:
  Conversion(const ConvertOptions& options, std::size_t part_bytes)
      : rows_(open_rows(options.table, header_of(options.header), "table")),
        // A slash at the end names the same folder.
        target_((fs::path(options.folder) / "").parent_path()),
        folder_(target_),
        name_(options.table == "-" ? "table"
                                   : (fs::path(options.table) / "").parent_path().stem().string()),
        part_rows_(std::max(Index{1},
                            static_cast<Index>(part_bytes / sizeof(double)) / rows_->columns())) {
    std::vector<Index> all(static_cast<std::size_t>(rows_->columns()));
    std::iota(all.begin(), all.end(), Index(0));
    rows_->need(std::move(all));
  }

  int run() {
    catch_stop_signals();
    while (append()) {
      if (const int signal = stop_signal()) return 128 + signal;
    }
    if (part_) part_->close();
    if (!rows_->names().empty()) write_file(folder_.file(column_names_file), names());
    folder_.complete();
    std::printf("%lld rows, %lld %s, wrote %s\n", static_cast<long long>(count_),
                static_cast<long long>(parts_), parts_ == 1 ? "part" : "parts", target_.c_str());
    return 0;
  }

 private:
  // The next rows; false at the end.
  bool append() {
    constexpr Index at_once = 1 << 16;
    const Index rest = part_rows_ - in_part_;
    const Tensor<double> rows = rows_->next(std::min({rest, at_once}));
    if (rows.shape()[0] == 0) return false;
    if (!part_) part_.emplace(folder_.file(part_file(name_, parts_++)), rows_->columns());
    part_->append(rows);
    count_ += rows.shape()[0];
    in_part_ += rows.shape()[0];
    if (in_part_ < part_rows_) return true;
    part_->close();
    part_.reset();
    in_part_ = 0;
    return true;
  }

  std::string names() const {
    std::string text;
    for (const std::string& name : rows_->names())
      text += (text.empty() ? "" : ",") + csv_quoted(name);
    return text + '\n';
  }

  std::unique_ptr<RowStream> rows_;
  fs::path target_;
  NewFolder folder_;
  std::string name_;
  Index part_rows_;
  std::optional<TableWriter<double>> part_;
  Index in_part_ = 0;
  Index parts_ = 0;
  Index count_ = 0;
};

}  // namespace

int convert(const ConvertOptions& options, std::size_t part_bytes) {
  return Conversion(options, part_bytes).run();
}

}  // namespace fjord::apps::density
