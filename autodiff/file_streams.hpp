/// Files read and written some bytes at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>

namespace fjord {

/// Owns an open file.
class FileDescriptor final {
 public:
  /// Takes the number that open() gave, which is negative if it failed.
  explicit FileDescriptor(int number) : number_(number) {}

  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

  FileDescriptor& operator=(FileDescriptor&&) = delete;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor();

  int number() const { return number_; }

  /// False if what was written before turns out not to have reached the disk (quota, network).
  bool close();

 private:
  int number_;
};

/// The bytes of a file, a pipe or a device, from the first to the last.
class FileInput final {
 public:
  /// Errors:  std::invalid_argument "[read] path: reason" if it is missing or unreadable.
  explicit FileInput(const std::string& path);

  /// Standard input.
  static FileInput standard() { return FileInput(); }

  /// Reads some bytes, as many as there are at once; 0 at the end.
  ///
  /// Errors:  std::invalid_argument "[read] path: reason" if it fails, as for a directory.
  std::size_t read(std::span<char> bytes);

  /// The size of a regular file, 0 of anything else.
  std::size_t size() const { return size_; }

 private:
  FileInput();
  void check(bool holds) const;
  void find_size();

  FileDescriptor opened_;  // none for standard input
  int number_;
  std::string name_;
  std::size_t size_ = 0;
};

/// A file that is written piece by piece, so that under its name there is at any time the old
/// content or the whole new one, never a part.
///
/// The bytes go to a new file next to it, `<path>.<process>-<n>.tmp`, which takes its name and mode
/// as it is closed, and is removed if it never is. Symbolic links are followed. An existing path
/// that is not a regular file (a pipe, /dev/full), or to which standard output or error already
/// writes (/dev/stdout), is written directly.
/// Errors:  std::system_error "[write] path: reason" if anything fails, a full disk included.
/// Note:    The old or the new content survives a killed process, but not for certain a loss of
///          power.
class FileOutput final {
 public:
  explicit FileOutput(const std::string& path);
  FileOutput(const FileOutput&) = delete;
  FileOutput& operator=(const FileOutput&) = delete;
  ~FileOutput();

  void write(std::string_view bytes);

  /// The new file, for write_at() and FilePart; empty if the path is written directly.
  const std::string& beside() const { return beside_; }

  /// Writes at a place of the new file, whatever is there; write() goes on where it was.
  void write_at(std::size_t place, std::string_view bytes);

  /// Gives the file its name, after the last write.
  void close();

 private:
  int number() const { return stream_.value_or(file_.number()); }

  FileDescriptor open();
  FileDescriptor open_new(std::optional<mode_t> old_mode);

  std::string path_;
  std::string target_;  // what is replaced: the end of symbolic links
  std::string beside_;  // the new file; empty if the target is written directly
  std::optional<int> stream_;
  FileDescriptor file_;
};

/// The new file of a FileOutput, which another process has: for writing parts of it.
///
/// Errors:  as FileOutput, in every function.
class FilePart final {
 public:
  /// `path` and `beside` are those of the FileOutput.
  FilePart(const std::string& path, const std::string& beside);

  void write_at(std::size_t place, std::string_view bytes);

  /// After the last write, and before the FileOutput is closed.
  void close();

 private:
  std::string path_;
  FileDescriptor file_;
};

}  // namespace fjord
