#include "fjord/apps/density/report.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>

#include "fjord/apps/common/cores.hpp"
#include "fjord/apps/common/message.hpp"
#include "fjord/apps/common/program.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/apps/common/table_output.hpp"
#include "fjord/apps/common/trained_model.hpp"
#include "fjord/apps/density/check.hpp"
#include "fjord/apps/density/html.hpp"
#include "fjord/apps/density/info.hpp"
#include "fjord/apps/density/picture.hpp"
#include "fjord/apps/density/unusual.hpp"
#include "fjord/autodiff/files.hpp"

namespace fjord::apps::density {
namespace {

constexpr std::size_t unusual_count = 10;

constexpr const char* head = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>density report</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #222;
  max-width: 60em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2em; }
table { border-collapse: collapse; } th { text-align: left; font-weight: 600; }
td, th { padding: 0.2em 1.2em 0.2em 0; border-bottom: 1px solid #ddd; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
pre { background: #f5f7f9; padding: 0.8em; overflow-x: auto; font-size: 0.85em; }
img { width: 100%; } .verdict { border-left: 4px solid #1b4f8a; padding-left: 0.8em; }
</style>
</head>
<body>
)";

std::string fixed(const char* format, double number) {
  // The largest number has 309 digits before the point.
  std::array<char, 340> text{};
  std::snprintf(text.data(), text.size(), format, number);
  return text.data();
}

// Cells that begin with a digit or a sign are set as numbers; all are HTML already.
std::string table_row(std::initializer_list<std::string> cells, const char* cell = "td") {
  std::string text = "<tr>";
  for (const std::string& content : cells) {
    const bool is_number = !content.empty() && content.find_first_of("-0123456789") == 0;
    text +=
        std::string("<") + cell + (is_number ? " class=\"n\">" : ">") + content + "</" + cell + ">";
  }
  return text + "</tr>\n";
}

std::string heading(const char* text) {
  return std::string("<h2>") + text + "</h2>\n";
}

std::string paragraph(const std::string& text) {
  return "<p>" + text + "</p>\n";
}

std::string reached_section(const std::optional<RunMetrics>& metrics) {
  if (!metrics || metrics->reached.empty()) return {};
  std::string text = heading("Log-densities of the fit");
  text += paragraph(
      "Mean log-density of the test rows of the fit, in nats, in columns standardised on its "
      "training rows. More is better; the simple models say what the flow is worth.");
  text += "<table>\n" + table_row({"model", "mean", "standard error"}, "th");
  for (const ReachedLine& line : metrics->reached) {
    text += table_row({html_text(line.model), fixed("%.2f", line.mean),
                       line.standard_error ? fixed("%.2f", *line.standard_error) : ""});
  }
  return text + "</table>\n";
}

std::string column_calibration(const Judgement& judgement) {
  std::string text = paragraph(
      "Column by column: the share of the model's mass above the value of a row is uniform if the "
      "model is right.");
  text += "<table>\n" + table_row({"column", "distance of Kolmogorov and Smirnov", "p"}, "th");
  for (const ColumnCalibration& column : judgement.columns) {
    text += table_row({html_text(shown(column.name)), fixed("%.4f", column.uniformity.distance),
                       fixed("%.3g", column.uniformity.p_value)});
  }
  return text + "</table>\n";
}

std::string calibration_section(const Judgement& judgement, const Look& look) {
  std::string text = heading("Can it be trusted?");
  text += "<p class=\"verdict\">At a significance of 0.01: " + html_text(verdict_of(judgement)) +
          ".</p>\n";
  text += "<table>\n" + table_row({"densest share of the model", "share of the rows",
                                   "standard error, if the model is right"},
                                  "th");
  for (const Coverage& coverage : judgement.coverages) {
    text +=
        table_row({fixed("%.0f %%", 100 * coverage.nominal), fixed("%.1f %%", 100 * coverage.share),
                   fixed("%.1f %%", 100 * coverage.standard_error)});
  }
  text += "</table>\n";
  text += paragraph(
      "The level of a row is the share of the model's mass that is denser than it. "
      "If the model is right, levels are uniform: the distance of Kolmogorov and "
      "Smirnov is " +
      fixed("%.4f", judgement.uniformity.distance) +
      ", p = " + fixed("%.3g", judgement.uniformity.p_value) + ".");
  text += column_calibration(judgement);
  return text + paragraph("Energy distance between " + std::to_string(judgement.compared) +
                          " rows and as many samples, in standardised columns: " +
                          fixed("%.4g", judgement.two_sample.energy) +
                          ", p = " + fixed("%.3g", judgement.two_sample.p_value) +
                          " by permutations. In all, " + std::to_string(look.numbers.size()) +
                          " rows were held against " + std::to_string(look.samples.shape()[0]) +
                          " samples" +
                          (look.samples_a_row > 0
                               ? ", " + std::to_string(look.samples_a_row) + " for each row."
                               : "."));
}

std::string picture_section(const Drawn& drawn, const Look& look) {
  std::string text = heading("Columns and pairs");
  if (!drawn.trouble.empty()) return text + paragraph(html_text(drawn.trouble) + ".");
  std::string words =
      "Blue is the model, red are the rows. Below the diagonal rows lie over the "
      "density of the samples; above it are samples alone.";
  if (static_cast<Index>(look.names.size()) > most_columns_in_picture) {
    words += " It shows the first " + std::to_string(most_columns_in_picture) + " of " +
             std::to_string(look.names.size()) + " columns.";
  }
  return text + paragraph(words) +
         "<p><img alt=\"histograms of columns, pairs of columns, training and coverage\" "
         "src=\"data:image/png;base64," +
         base64(drawn.bytes) + "\"></p>\n";
}

std::string unusual_section(LookedAt& model, const Look& look) {
  std::string text = heading("The most unusual rows");
  text += paragraph(
      "Those with the lowest log-density. The column named is the one whose value, changed alone, "
      "would raise it most; the gain is by how much that column is less dense than it could be, "
      "given all others. A level near 1 is that of an outlier.");
  text += "<table>\n" + table_row({"row", "log-density", "level", "column", "value",
                                   "likelier value", "gain, nats"},
                                  "th");
  for (const UnusualRow& row : unusual_rows(model, look, unusual_count)) {
    const std::string name = look.names[static_cast<std::size_t>(row.column)];
    const double value = look.rows(static_cast<Index>(row.place), row.column);
    text += table_row({std::to_string(look.numbers[row.place]),
                       fixed("%.2f", look.log_densities[row.place]),
                       fixed("%.4f", look.levels[row.place]), html_text(shown(name)),
                       fixed("%.5g", value), fixed("%.5g", row.likelier), fixed("%.2f", row.gain)});
  }
  return text + "</table>\n";
}

}  // namespace

void write_report(const ApplyOptions& options, const nn::State& state, const LookRows& rows,
                  const std::string& title, Workers& workers) {
  const std::unique_ptr<LookedAt> model = looked_at(state, options, workers);
  const RandomKey random = look_key(options.seed);
  const Look look = look_at(*model, rows, random);
  const Judgement judgement = judge(look, random, workers);
  const std::optional<RunMetrics> metrics = metrics_beside(options.model);
  const Drawn drawn = draw_look(options.out, look, metrics);
  std::string text = head;
  text += "<h1>A density, and " + html_text(shown(title, 200)) + "</h1>\n";
  text += calibration_section(judgement, look) + picture_section(drawn, look) +
          unusual_section(*model, look) + reached_section(metrics) + heading("The model") +
          "<pre>" + html_text(info_text(state)) + "</pre>\n</body>\n</html>\n";
  write_file(options.out, text);
  if (!drawn.trouble.empty()) print_note("density", drawn.trouble);
}

void report_fit(const std::filesystem::path& file, const Data& data, const nn::State& state,
                std::uint64_t seed, Workers& workers) {
  ApplyOptions options;
  options.model = (file.parent_path() / "model.safetensors").string();
  options.out = file.string();
  options.seed = seed;
  const Index given = data.rows.given;
  const Tensor<double> chosen = chosen_rows(data.rows.values, data.split.test);
  LookRows rows{
      data.names, Tensor<double>(columns_view(chosen, given, chosen.shape()[1])),
      given == 0 ? Tensor<double>::zeros({0}) : Tensor<double>(columns_view(chosen, 0, given)),
      table_numbers(data, data.split.test)};
  // What is given comes last.
  std::rotate(rows.names.begin(), rows.names.begin() + (rows.names.empty() ? 0 : given),
              rows.names.end());
  try {
    write_report(options, state, rows, "its test rows", workers);
  } catch (const std::exception& error) {
    print_note("density", "no " + file.filename().string() + ": " + plain_message(error.what()));
  }
}

void report(const ReportOptions& options) {
  check_is_not_input(options.out, {{"--model", options.model}, {"--data", options.data}});
  const nn::State state = load_model_state(options.model);
  Workers workers(thread_count(options.threads));
  const LookRows rows = load_look_rows(options, state, *looked_at(state, options, workers));
  check_writable(options.out);
  write_report(options, state, rows, "the rows of " + options.data, workers);
  std::printf("wrote %s\n", options.out.c_str());
}

}  // namespace fjord::apps::density
