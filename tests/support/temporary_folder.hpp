/// A folder for the files of one test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>

namespace fjord::test {

/// A new folder, removed at the end with all that is in it.
struct TemporaryFolder final {
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fjord_XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }

  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  ~TemporaryFolder() { std::filesystem::remove_all(path); }

  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path),
                                                  std::filesystem::directory_iterator()));
  }

  std::filesystem::path path;
};

}  // namespace fjord::test
