#include "fjord/apps/density/picture.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "fjord/apps/common/message.hpp"
#include "fjord/apps/density/picture_data.hpp"

namespace fjord::apps::density {
namespace {

constexpr std::size_t most_points = 1'000;

// Pixels.
constexpr double gap = 14;
constexpr double left_margin = 84;
constexpr double bottom_margin = 62;
constexpr double top_margin = 44;
constexpr double right_margin = 18;
constexpr double panel_margin = 84;  // left of a panel beside the columns

// The script, panel by panel.
class LookScript final {
 public:
  LookScript(GnuplotPicture& picture, const Look& look, const std::optional<RunMetrics>& metrics)
      : picture_(picture),
        look_(look),
        metrics_(metrics),
        columns_(std::min<Index>(static_cast<Index>(look.names.size()), most_columns_in_picture)),
        cell_(cell_size(columns_)),
        points_(points_in(look)) {
    for (Index k = 0; k < columns_; ++k) ranges_.push_back(shown_range(look, k));
    has_training_ = metrics && std::ranges::any_of(metrics->curves, [](const auto& curve) {
                      return curve.second.training.size() > 1;
                    });
    has_coverage_ = look.levels.size() > 1;
    side_ = has_training_ || has_coverage_ ? (total() - panel_margin) / 2 : 0;
    width_ = left_margin + total() + right_margin + (side_ > 0 ? panel_margin + 1.3 * side_ : 0);
    height_ = top_margin + total() + bottom_margin;
  }

  std::string text() {
    begin();
    add_points("rows.bin", look_.rows);
    add_points("samples.bin", look_.samples);
    for (Index row = 0; row < columns_; ++row) {
      for (Index column = 0; column < row; ++column) add_pair(row, column);
      add_histogram(row);
      // Every panel would draw the legend again.
      if (row == 0) line("unset label");
      for (Index column = row + 1; column < columns_; ++column) add_sampled_pair(row, column);
    }
    if (has_training_) add_training();
    if (has_coverage_) add_coverage();
    return text_;
  }

 private:
  static std::size_t points_in(const Look& look) {
    const Index rows = look.rows.shape()[0];
    return std::min(most_points,
                    static_cast<std::size_t>(rows > 0 ? rows : look.samples.shape()[0]));
  }

  static double cell_size(Index columns) {
    constexpr std::array sizes{460.0, 300.0, 235.0, 190.0, 165.0, 145.0};
    return sizes[static_cast<std::size_t>(columns - 1)];
  }

  double total() const {
    return static_cast<double>(columns_) * cell_ + static_cast<double>(columns_ - 1) * gap;
  }

  void line(const std::string& text) { text_ += text + "\n"; }

  // A panel by its corner at the top left, in pixels.
  void place(double x, double y, double width, double height) {
    const auto margin = [&](const char* name, double at) {
      line("set " + std::string(name) + " at screen " + std::to_string(at));
    };
    margin("lmargin", x / width_);
    margin("rmargin", (x + width) / width_);
    margin("tmargin", 1 - y / height_);
    margin("bmargin", 1 - (y + height) / height_);
  }

  void place_cell(Index row, Index column) {
    const double step = cell_ + gap;
    place(left_margin + static_cast<double>(column) * step,
          top_margin + static_cast<double>(row) * step, cell_, cell_);
  }

  const std::string& name(Index column) const {
    return look_.names[static_cast<std::size_t>(column)];
  }

  static std::string interval(const Range& range) {
    return "[" + number_text(range.low) + ":" + number_text(range.high) + "]";
  }

  void begin() {
    line("set terminal pngcairo noenhanced size " + std::to_string(std::lround(width_)) + "," +
         std::to_string(std::lround(height_)) + " font 'Sans,11'");
    line(R"(set output 'look.png'
set encoding utf8
set multiplot
unset key
unset colorbox
set border lw 0.7 lc rgb '#777777'
set tics scale 0.5 textcolor rgb '#444444' font 'Sans,10'
set palette defined (0 '#ffffff', 0.25 '#cfe3ee', 0.5 '#86b8d6', 0.75 '#3f83b5', 1 '#1b4f8a')
set cbrange [0:1]
set xtics rotate by 0 offset 0,0.3
set style fill solid 0.35 noborder)");
    const double y = 1 - 0.5 * top_margin / height_;
    const auto legend = [&](int number, double x, const char* text, const char* colour) {
      line("set label " + std::to_string(number) + " '" + text + "' at screen " +
           std::to_string(x / width_) + "," + std::to_string(y) + " font 'Sans,13' tc rgb '" +
           colour + "'");
    };
    legend(1, left_margin, "model", "#1b4f8a");
    if (look_.rows.shape()[0] > 0) legend(2, left_margin + 70, "data", "#d1495b");
    const auto all = static_cast<Index>(look_.names.size());
    if (columns_ == all) return;
    const std::string note =
        "the first " + std::to_string(columns_) + " of " + std::to_string(all) + " columns";
    legend(3, left_margin + 130, note.c_str(), "#777777");
  }

  // Some rows of a table, evenly spread, in the columns that are shown.
  void add_points(const std::string& file, const Tensor<double>& table) {
    const auto all = static_cast<std::size_t>(table.shape()[0]);
    const std::size_t count = std::min(all, points_);
    std::vector<double> numbers;
    for (std::size_t i = 0; i < count; ++i) {
      for (Index k = 0; k < columns_; ++k)
        numbers.push_back(table(static_cast<Index>(i * all / count), k));
    }
    if (count > 0) picture_.add_numbers(file, numbers);
  }

  // What plots the points of a file in two columns.
  std::string points(const std::string& file, Index x, Index y, const char* colour) const {
    std::string format;
    for (Index k = 0; k < columns_; ++k) format += "%float64";
    return "'" + file + "' binary format='" + format + "' using " + std::to_string(x + 1) + ":" +
           std::to_string(y + 1) + " with points pt 7 ps " + (points_ > 1'000 ? "0.3" : "0.45") +
           " lc rgb '#70" + colour + "'";
  }

  // The names of columns in the panels at the left and at the bottom.
  void label_axes(Index row, Index column) {
    line(row + 1 == columns_
             ? "set format x '%.4g'; set xlabel " + quoted(name(column)) + " offset 0,0.4"
             : "set format x ''; unset xlabel");
    const bool is_left = column == 0 && row > 0;
    line(is_left ? "set format y '%.4g'" : "set format y ''");
    if (is_left) {
      const double y = top_margin + cell_ / 2 + static_cast<double>(row) * (cell_ + gap);
      line("set label 9 " + quoted(name(row)) + " at screen " + std::to_string(16 / width_) + "," +
           std::to_string(1 - y / height_) + " center rotate by 90");
    }
    const Range& x = ranges_[static_cast<std::size_t>(column)];
    line("set xtics " + number_text(tic_step(x)));
    line("set xrange " + interval(x));
  }

  std::string quoted(const std::string& text) const {
    constexpr double letter = 7.5;  // pixels
    std::string result = "'";
    for (const char c : shown(text, static_cast<std::size_t>(cell_ / letter)))
      result += c == '\'' ? std::string("''") : std::string(1, c);
    return result + "'";
  }

  // 1, 2 or 5 times a power of ten, some 90 pixels wide.
  double tic_step(const Range& range) const {
    const double wanted = (range.high - range.low) * 65 / cell_;
    const double power = std::pow(10, std::floor(std::log10(wanted)));
    for (const double factor : {5.0, 2.0})
      if (factor * power <= wanted) return factor * power;
    return power;
  }

  void add_pair(Index row, Index column) {
    const Range& x = ranges_[static_cast<std::size_t>(column)];
    const Range& y = ranges_[static_cast<std::size_t>(row)];
    const std::string file = "pair_" + std::to_string(row) + "_" + std::to_string(column) + ".bin";
    picture_.add_numbers(file, density_of_pair(look_, column, row, x, y));
    place_cell(row, column);
    label_axes(row, column);
    line("set ytics " + number_text(tic_step(y)));
    line("set yrange " + interval(y));
    const double dx = (x.high - x.low) / density_cells;
    const double dy = (y.high - y.low) / density_cells;
    const std::string size = std::to_string(density_cells);
    std::string plot = "plot '" + file + "' binary array=(" + size + "," + size +
                       ") format='%float64' origin=(" + number_text(x.low + dx / 2) + "," +
                       number_text(y.low + dy / 2) + ") dx=" + number_text(dx) +
                       " dy=" + number_text(dy) + " with image";
    if (look_.rows.shape()[0] > 0) plot += ", " + points("rows.bin", column, row, "d1495b");
    line(plot);
    line("unset label 9");
  }

  // Samples as points, as many as rows are shown.
  void add_sampled_pair(Index row, Index column) {
    place_cell(row, column);
    line("set format ''; unset xlabel; unset ylabel");
    for (const auto& [axis, k] : {std::pair("x", column), std::pair("y", row)}) {
      const Range& range = ranges_[static_cast<std::size_t>(k)];
      line("set " + std::string(axis) + "range " + interval(range));
      line("set " + std::string(axis) + "tics " + number_text(tic_step(range)));
    }
    line("plot " + points("samples.bin", column, row, "1b4f8a"));
  }

  void add_histogram(Index column) {
    const Range& x = ranges_[static_cast<std::size_t>(column)];
    const std::string file = "column_" + std::to_string(column) + ".txt";
    const Histogram histogram = histogram_in(look_, column, x);
    picture_.add_text(file, histogram.text);
    place_cell(column, column);
    label_axes(column, column);
    line("unset ytics; set yrange " + interval({0, 1.06 * histogram.peak}));
    std::string plot = "plot ";
    if (look_.rows.shape()[0] > 0)
      plot += "'" + file + "' using 1:2 with boxes fs solid 0.35 noborder lc rgb '#d1495b', ";
    line(plot + "'" + file + "' using 1:3 with histeps lw 1.6 lc rgb '#1b4f8a'");
  }

  void add_training() {
    std::vector<double> all;
    std::string numbers;
    std::size_t longest = 0;
    for (const auto& [flow, curve] : metrics_->curves) {
      longest = std::max(longest, curve.training.size());
      for (std::size_t i = 0; i < curve.training.size(); ++i) {
        all.insert(all.end(), {curve.training[i], curve.validation[i]});
        numbers += std::to_string(i + 1) + " " + number_text(curve.training[i]) + " " +
                   number_text(curve.validation[i]) + "\n";
      }
      numbers += "\n";  // another line of the plot
    }
    picture_.add_text("training.txt", numbers);
    std::ranges::sort(all);
    // The first epochs may be far above all others.
    const Range y{all.front(), all[(all.size() * 19) / 20]};
    const double margin = std::max(0.05 * (y.high - y.low), 1e-3);
    place(left_margin + total() + panel_margin, top_margin, 1.3 * side_, side_);
    line(
        "set title 'training (grey) and validation rows' offset 0,-0.5; set xlabel 'epoch' offset "
        "0,0.4");
    line("set ylabel 'loss, nats' offset 1,0; set format '%g'");
    line("set xtics auto; set ytics auto; set logscale x");
    line("set xrange [1:" + std::to_string(longest) + "]");
    line("set yrange " + interval({y.low - margin, y.high + margin}));
    line(
        "plot 'training.txt' using 1:2 with lines lw 1 lc rgb '#aaaaaa', "
        "'training.txt' using 1:3 with lines lw 1.4 lc rgb '#1b4f8a'");
    line("unset logscale x");
  }

  // Pairs of a share of the model's mass and the share of the rows in it.
  std::string coverage_text() const {
    std::vector<double> levels = look_.levels;
    std::ranges::sort(levels);
    constexpr std::size_t most = 400;
    const std::size_t count = std::min(levels.size(), most);
    std::string text = "0 0\n";
    for (std::size_t i = 1; i <= count; ++i) {
      const std::size_t rows = i * levels.size() / count;
      text += number_text(levels[rows - 1]) + " " +
              number_text(static_cast<double>(rows) / static_cast<double>(levels.size())) + "\n";
    }
    return text + "1 1\n";
  }

  void add_coverage() {
    picture_.add_text("coverage.txt", coverage_text());
    const double inverse = 1 / static_cast<double>(look_.levels.size());
    const double y = has_training_ ? top_margin + total() - side_ : top_margin;
    place(left_margin + total() + panel_margin, y, 1.3 * side_, side_);
    line("set title 'coverage' offset 0,-0.5; set xlabel 'share of the mass' offset 0,0.4");
    line("set ylabel 'share of the rows' offset 1,0; set format '%g'");
    line("set xtics 0.2; set ytics 0.2; set xrange [0:1]; set yrange [0:1]");
    line("band(x) = 2 * sqrt(x * (1 - x) * " + number_text(inverse) + ")");
    line(
        "plot sample [x=0:1] '+' using (x):(x - band(x)):(x + band(x)) with filledcurves "
        "lc rgb '#bbbbbb', [x=0:1] x with lines lw 1 lc rgb '#777777', "
        "'coverage.txt' using 1:2 with lines lw 1.8 lc rgb '#d1495b'");
  }

  GnuplotPicture& picture_;
  const Look& look_;
  const std::optional<RunMetrics>& metrics_;
  Index columns_;
  double cell_;
  std::size_t points_;
  std::vector<Range> ranges_;
  bool has_training_ = false;
  bool has_coverage_ = false;
  double side_ = 0;
  double width_ = 0;
  double height_ = 0;
  std::string text_;
};

}  // namespace

Drawn draw_look(const std::filesystem::path& file, const Look& look,
                const std::optional<RunMetrics>& metrics) {
  GnuplotPicture picture(file);
  const Look shown = near_zero(look);
  const std::string script = LookScript(picture, shown, metrics).text();
  return picture.draw_bytes(script, "look.png");
}

}  // namespace fjord::apps::density
