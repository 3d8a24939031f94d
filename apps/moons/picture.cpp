#include "fjord/apps/moons/picture.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "fjord/autodiff/files.hpp"

namespace fjord::apps {
namespace {

namespace fs = std::filesystem;

/// A new folder, removed at the end.
class TemporaryFolder final {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "moons_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), "[write] " + pattern);
    }
    path_ = pattern;
  }

  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// What the panels of moons show of the plane.
constexpr double left = -1.5;
constexpr double right = 2.5;
constexpr double bottom = -1.1;
constexpr double top = 1.6;
constexpr Index columns = 400;
constexpr Index rows = 270;
constexpr double cell = (right - left) / columns;

std::string point_bytes(const Tensor<double>& points) {
  std::string bytes;
  append_bytes<double>(bytes, points);
  return bytes;
}

// Lines of text, an empty line after each line of the grid.
std::string grid_text(const Tensor<double>& grid, Index points_a_line) {
  std::string text;
  for (Index i = 0; i < grid.shape()[0]; ++i) {
    if (i > 0 && i % points_a_line == 0) text += "\n";
    text += std::to_string(grid(i, 0)) + " " + std::to_string(grid(i, 1)) + "\n";
  }
  return text;
}

// Replaces every run of `count` values, `stride` apart, by its average under a Gaussian.
void blur(std::vector<double>& values, Index count, Index stride, double deviation) {
  const auto reach = static_cast<Index>(4 * deviation);
  std::vector<double> old(static_cast<std::size_t>(count));
  std::vector<double> weights;
  double total = 0;
  for (Index k = -reach; k <= reach; ++k) {
    const double u = static_cast<double>(k) / deviation;
    weights.push_back(std::exp(-u * u / 2));
    total += weights.back();
  }
  const Index runs = static_cast<Index>(values.size()) / count;
  for (Index run = 0; run < runs; ++run) {
    double* first = values.data() + (stride == 1 ? run * count : run);
    for (Index i = 0; i < count; ++i) old[static_cast<std::size_t>(i)] = first[i * stride];
    for (Index i = 0; i < count; ++i) {
      double sum = 0;
      for (Index k = std::max<Index>(-reach, -i); k <= std::min(reach, count - 1 - i); ++k) {
        sum += weights[static_cast<std::size_t>(k + reach)] * old[static_cast<std::size_t>(i + k)];
      }
      first[i * stride] = sum / total;
    }
  }
}

// A kernel estimate of the density on the cells of the picture, row by row from the bottom.
std::string density_bytes(const Tensor<double>& points) {
  std::vector<double> density(static_cast<std::size_t>(columns * rows));
  const double share = 1 / (static_cast<double>(points.shape()[0]) * cell * cell);
  for (Index i = 0; i < points.shape()[0]; ++i) {
    const double x = std::floor((points(i, 0) - left) / cell);
    const double y = std::floor((points(i, 1) - bottom) / cell);
    if (!(x >= 0 && x < columns && y >= 0 && y < rows)) continue;
    density[static_cast<std::size_t>(static_cast<Index>(y) * columns + static_cast<Index>(x))] +=
        share;
  }
  constexpr double bandwidth = 0.05;
  blur(density, columns, 1, bandwidth / cell);
  blur(density, rows, columns, bandwidth / cell);
  return {reinterpret_cast<const char*>(density.data()), density.size() * sizeof(double)};
}

constexpr const char* script = R"(
set terminal pngcairo size 1880,460 font 'Sans,13' background '#ffffff'
set output 'panels.png'
set multiplot
unset key
unset colorbox
set border lw 0.6 lc rgb '#888888'
set tics scale 0.4 textcolor rgb '#555555' font 'Sans,10'
set palette defined (0 '#440154', 1 '#472d7b', 2 '#3b528b', 3 '#2c728e', 4 '#21918c', 5 '#28ae80', 6 '#5ec962', 7 '#addc30', 8 '#fde725')
points = "binary format='%float64%float64' using 1:2 with points pt 7 ps 0.28 lc rgb '#b01f5f9e'"
grid = "with lines lw 0.7 lc rgb '#55d1495b'"
density = sprintf("binary array=(%d,%d) format='%%float64' origin=(%g,%g) dx=%g dy=%g with image", columns, rows, left + cell / 2, bottom + cell / 2, cell, cell)
set tmargin at screen 0.89
set bmargin at screen 0.085
set xrange [-2.7:2.7]
set yrange [-2.7:2.7]
set lmargin at screen 0.018
set rmargin at screen 0.215
set title 'Base samples'
plot 'base_grid.txt' @grid, 'base.bin' @points
set xrange [left:right]
set yrange [bottom:top]
set lmargin at screen 0.235
set rmargin at screen 0.48
set title 'Transformed samples'
plot 'transformed_grid.txt' @grid, 'transformed.bin' @points
set lmargin at screen 0.49
set rmargin at screen 0.73
set title 'Density of the transformed samples'
plot 'density.bin' @density
set lmargin at screen 0.75
set rmargin at screen 0.99
set title 'Density of the data'
plot 'data_density.bin' @density
)";

std::string script_text() {
  std::string text;
  const auto define = [&](const char* name, double value) {
    text += std::string(name) + " = " + std::to_string(value) + "\n";
  };
  define("left", left);
  define("right", right);
  define("bottom", bottom);
  define("top", top);
  define("cell", cell);
  text += "columns = " + std::to_string(columns) + "\nrows = " + std::to_string(rows) + "\n";
  return text + script;
}

// Runs gnuplot in the folder; returns what went wrong.
std::string run_gnuplot(const fs::path& folder) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "errors", O_WRONLY | O_CREAT, 0600);
  std::string name = "gnuplot";
  std::string defaults = "-d";
  std::string input = "panels.gp";
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
  return "no picture, because gnuplot failed: " + printable(read_file(folder / "errors"), 200);
}

}  // namespace

std::string draw_panels(const fs::path& file, const Panels& panels) {
  const TemporaryFolder folder;
  const auto put = [&](const char* name, const std::string& bytes) {
    write_file(folder.path() / name, bytes);
  };
  put("base.bin", point_bytes(panels.base));
  put("base_grid.txt", grid_text(panels.base_grid, panels.points_a_line));
  put("transformed.bin", point_bytes(panels.transformed));
  put("transformed_grid.txt", grid_text(panels.transformed_grid, panels.points_a_line));
  put("density.bin", density_bytes(panels.transformed));
  put("data_density.bin", density_bytes(panels.data));
  put("panels.gp", script_text());
  const std::string trouble = run_gnuplot(folder.path());
  if (trouble.empty()) write_file(file, read_file(folder.path() / "panels.png"));
  return trouble;
}

}  // namespace fjord::apps
