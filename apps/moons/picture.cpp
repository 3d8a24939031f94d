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

/// An empty folder beside a file, removed at the end. Its name is always the same, so that what a
/// killed run left there goes as well.
class TemporaryFolder final {
 public:
  explicit TemporaryFolder(const fs::path& file) : path_(file.string() + ".tmp") {
    std::error_code error;
    fs::remove_all(path_, error);
    if (!error) fs::create_directory(path_, error);
    if (error) throw std::system_error(error, "[write] " + path_.string());
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
constexpr double bottom = -1.15;
constexpr double top = 1.65;
constexpr Index columns = 400;
constexpr Index rows = 280;
constexpr double cell = (right - left) / columns;

std::string point_bytes(const Tensor<double>& points) {
  std::string bytes;
  append_bytes<double>(bytes, points);
  return bytes;
}

std::string bytes_of(const std::vector<double>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)};
}

// Lines of text, an empty line after each line of the grid, with the colour of its direction.
std::string grid_text(const Tensor<double>& grid, Index points_a_line) {
  constexpr const char* vertical = " 0xd1495b\n";
  constexpr const char* horizontal = " 0x3aa076\n";
  std::string text;
  for (Index i = 0; i < grid.shape()[0]; ++i) {
    if (i > 0 && i % points_a_line == 0) text += "\n";
    text += std::to_string(grid(i, 0)) + " " + std::to_string(grid(i, 1));
    text += 2 * i < grid.shape()[0] ? vertical : horizontal;
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
  const auto runs = static_cast<Index>(values.size()) / count;
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
std::vector<double> density_of(const Tensor<double>& points) {
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
  return density;
}

// The sizes in pixels give both coordinates the same scale. A line of text before this one defines
// left, right, bottom, top, cell, peak, columns and rows.
constexpr const char* script = R"(
panel_width = 570.0
panel_height = panel_width * (top - bottom) / (right - left)
width = 2 * panel_width + 100
height = 2 * panel_height + 125
set terminal pngcairo size width,height font 'Sans,15'
set output 'panels.png'
set multiplot
unset key
unset colorbox
set border lw 0.7 lc rgb '#777777'
set tics scale 0.5 textcolor rgb '#444444' font 'Sans,12'
set xtics 1 offset 0,0.4
set ytics 1 offset 0.5,0
set title offset 0,-0.6
set cbrange [0:peak]
set palette defined (0 '#440154', 1 '#472d7b', 2 '#3b528b', 3 '#2c728e', 4 '#21918c', \
                     5 '#28ae80', 6 '#5ec962', 7 '#addc30', 8 '#fde725')
points = "binary format='%float64%float64' using 1:2 with points pt 7 ps 0.3 lc rgb '#a01b4f8a'"
grid = "using 1:2:3 with lines lw 1 lc rgb variable"
density = sprintf("binary array=(%d,%d) format='%%float64' origin=(%g,%g) dx=%g dy=%g with image", \
                  columns, rows, left + cell / 2, bottom + cell / 2, cell, cell)
x(column) = (45 + column * (panel_width + 45)) / width
y(row) = (30 + (1 - row) * (panel_height + 60)) / height
place = "set lmargin at screen x(column); set rmargin at screen x(column) + panel_width / width; \
         set bmargin at screen y(row); set tmargin at screen y(row) + panel_height / height"

row = 0; column = 0; @place
set title 'Base samples'
set yrange [-2.5:2.5]
set xrange [-2.5 * panel_width / panel_height:2.5 * panel_width / panel_height]
plot 'base_grid.txt' @grid, 'base.bin' @points
set xrange [left:right]
set yrange [bottom:top]
column = 1; @place
set title 'Transformed samples'
plot 'transformed_grid.txt' @grid, 'transformed.bin' @points
row = 1; column = 0; @place
set title 'Density of the transformed samples'
plot 'density.bin' @density
column = 1; @place
set title 'Density of the data'
plot 'data_density.bin' @density
)";

std::string script_text(double peak) {
  std::string text;
  const auto define = [&](const char* name, double value) {
    text += std::string(name) + " = " + std::to_string(value) + "\n";
  };
  define("left", left);
  define("right", right);
  define("bottom", bottom);
  define("top", top);
  define("cell", cell);
  define("peak", peak);
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
  const TemporaryFolder folder(file);
  const auto put = [&](const char* name, const std::string& bytes) {
    write_file(folder.path() / name, bytes);
  };
  put("base.bin", point_bytes(panels.base));
  put("base_grid.txt", grid_text(panels.base_grid, panels.points_a_line));
  put("transformed.bin", point_bytes(panels.transformed));
  put("transformed_grid.txt", grid_text(panels.transformed_grid, panels.points_a_line));
  const std::vector<double> density = density_of(panels.transformed);
  const std::vector<double> data_density = density_of(panels.data);
  put("density.bin", bytes_of(density));
  put("data_density.bin", bytes_of(data_density));
  put("panels.gp",
      script_text(std::max(std::ranges::max(density), std::ranges::max(data_density))));
  const std::string trouble = run_gnuplot(folder.path());
  if (trouble.empty()) write_file(file, read_file(folder.path() / "panels.png"));
  return trouble;
}

}  // namespace fjord::apps
