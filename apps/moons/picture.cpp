#include "fjord/apps/moons/picture.hpp"

#include <algorithm>
#include <vector>

#include "fjord/apps/common/gnuplot.hpp"
#include "fjord/apps/common/plane_density.hpp"

namespace fjord::apps {
namespace {

// What the panels of moons show of the plane.
constexpr double left = -1.5;
constexpr double right = 2.5;
constexpr double bottom = -1.15;
constexpr double top = 1.65;
constexpr Index picture_columns = 400;
constexpr Index picture_rows = 280;
constexpr double cell = (right - left) / picture_columns;

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

std::vector<double> density_of(const Tensor<double>& points) {
  constexpr double bandwidth = 0.05;
  return density_on_cells(points, {left, bottom, cell, picture_columns, picture_rows}, bandwidth);
}

// The sizes in pixels give both coordinates the same scale. A line of text before this one defines
// left, right, bottom, top, cell, peak, picture_columns and picture_rows.
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
                  picture_columns, picture_rows, left + cell / 2, bottom + cell / 2, cell, cell)
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
  text += "picture_columns = " + std::to_string(picture_columns) +
          "\npicture_rows = " + std::to_string(picture_rows) + "\n";
  return text + script;
}

}  // namespace

std::string draw_panels(const std::filesystem::path& file, const Panels& panels) {
  GnuplotPicture picture(file);
  picture.add_numbers("base.bin", panels.base);
  picture.add_text("base_grid.txt", grid_text(panels.base_grid, panels.points_a_line));
  picture.add_numbers("transformed.bin", panels.transformed);
  picture.add_text("transformed_grid.txt",
                   grid_text(panels.transformed_grid, panels.points_a_line));
  const std::vector<double> density = density_of(panels.transformed);
  const std::vector<double> data_density = density_of(panels.data);
  picture.add_numbers("density.bin", density);
  picture.add_numbers("data_density.bin", data_density);
  const double peak = std::max(std::ranges::max(density), std::ranges::max(data_density));
  return picture.draw(script_text(peak), "panels.png");
}

}  // namespace fjord::apps
