#include "fjord/apps/density/run_metrics.hpp"

#include <cmath>
#include <sstream>

#include <nlohmann/json.hpp>

#include "fjord/autodiff/files.hpp"

namespace fjord::apps::density {
namespace {

using MetricsLine = nlohmann::ordered_json;

std::optional<double> finite_number(const MetricsLine& line, const std::string& name) {
  const auto found = line.find(name);
  if (found == line.end() || !found->is_number()) return std::nullopt;
  const double number = found->get<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

// "_nll" if the likelihood was trained, "_loss" if another loss was.
void take_epoch(RunMetrics& metrics, const MetricsLine& line, const std::string& unit) {
  const std::optional<double> training = finite_number(line, "train" + unit);
  const std::optional<double> validation = finite_number(line, "validation" + unit);
  if (!training || !validation) return;
  TrainingCurve& curve = metrics.curves[static_cast<int>(finite_number(line, "flow").value_or(1))];
  curve.training.push_back(*training);
  curve.validation.push_back(*validation);
}

// [mean, standard error] or, of a mixture, [mean, standard error, components].
void take_reached(RunMetrics& metrics, const std::string& name, const MetricsLine& value) {
  if (!value.is_array() || value.size() < 2 || !value[0].is_number()) return;
  ReachedLine line{name == "kernel" ? "kernel density" : name, value[0].get<double>()};
  if (value.size() > 2 && value[2].is_number())
    line.model += " (" + std::to_string(value[2].get<int>()) + ")";
  if (value[1].is_number()) line.standard_error = value[1].get<double>();
  metrics.reached.push_back(line);
}

}  // namespace

std::optional<RunMetrics> metrics_beside(const std::filesystem::path& model) {
  const std::filesystem::path file = model.parent_path() / "metrics.jsonl";
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return std::nullopt;
  RunMetrics metrics;
  std::istringstream text(read_file(file));
  for (std::string row; std::getline(text, row);) {
    const MetricsLine line = MetricsLine::parse(row, nullptr, false);
    if (!line.is_object()) continue;
    for (const char* unit : {"_nll", "_loss"}) take_epoch(metrics, line, unit);
    const auto reached = line.find("log_density");
    if (reached == line.end() || !reached->is_object()) continue;
    for (const auto& [name, value] : reached->items()) take_reached(metrics, name, value);
  }
  return metrics;
}

}  // namespace fjord::apps::density
