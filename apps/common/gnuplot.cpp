#include "fjord/apps/common/gnuplot.hpp"

#include <cerrno>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "fjord/autodiff/files.hpp"

namespace fjord::apps {
namespace {

namespace fs = std::filesystem;

constexpr const char* script_name = "script.gp";
constexpr const char* errors_name = "errors";

// Runs gnuplot in the folder; returns what went wrong.
std::string run_gnuplot(const fs::path& folder) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors_name, O_WRONLY | O_CREAT, 0600);
  std::string name = "gnuplot";
  std::string defaults = "-d";
  std::string input = script_name;
  char* const arguments[] = {name.data(), defaults.data(), input.data(), nullptr};
  pid_t process = 0;
  const int error = posix_spawnp(&process, "gnuplot", &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) return "no picture, because gnuplot is missing; install gnuplot-nox";
  if (error != 0) return "no picture: gnuplot: " + std::generic_category().message(error);
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return "no picture, because gnuplot failed: " + printable(read_file(folder / errors_name), 200);
}

}  // namespace

GnuplotPicture::GnuplotPicture(fs::path picture)
    : picture_(std::move(picture)), folder_(picture_.string() + ".tmp") {
  std::error_code error;
  fs::remove_all(folder_, error);
  if (!error) fs::create_directory(folder_, error);
  if (error) throw std::system_error(error, "[write] " + folder_.string());
}

GnuplotPicture::~GnuplotPicture() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void GnuplotPicture::add_text(const std::string& name, std::string_view text) {
  write_file(folder_ / name, text);
}

void GnuplotPicture::add_numbers(const std::string& name, const Tensor<double>& numbers) {
  std::string bytes;
  append_bytes<double>(bytes, numbers);
  write_file(folder_ / name, bytes);
}

void GnuplotPicture::add_numbers(const std::string& name, std::span<const double> numbers) {
  write_file(folder_ / name, {reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()});
}

std::string GnuplotPicture::draw(std::string_view script, const std::string& output) {
  const Drawn drawn = draw_bytes(script, output);
  if (drawn.trouble.empty()) write_file(picture_, drawn.bytes);
  return drawn.trouble;
}

Drawn GnuplotPicture::draw_bytes(std::string_view script, const std::string& output) {
  add_text(script_name, script);
  std::string trouble = run_gnuplot(folder_);
  if (!trouble.empty()) return {{}, std::move(trouble)};
  return {read_file(folder_ / output), {}};
}

}  // namespace fjord::apps
