/// The folder of a training run.
#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace fjord::apps {

/// A folder that one run at a time owns: until the end of this object, or of the process, however
/// it ends.
///
/// Note:    Owners exclude each other on one machine, not across those that share a file system.
class RunFolder final {
 public:
  /// Owns the folder, and makes it where there is none.
  ///
  /// Errors:  std::invalid_argument "[--out] ..." if another run owns it; std::system_error
  ///          "[write] path: reason" if it cannot be made or read.
  explicit RunFolder(std::filesystem::path path);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  /// Refuses to replace files that no run has written: of these names, those that are not regular
  /// files, and all of them if there is no checkpoint. Runs write it first; it is the first name.
  ///
  /// Errors:  std::invalid_argument "[--out] ..." with the file's name.
  void check_files(std::span<const char* const> names) const;

  /// The path of a file in the folder.
  ///
  /// Errors:  std::system_error "[write] path: reason" if the folder was removed, or another one is
  ///          in its place.
  std::filesystem::path file(const std::string& name) const;

 private:
  std::filesystem::path path_;
  int descriptor_;
};

}  // namespace fjord::apps
