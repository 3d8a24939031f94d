/// What metrics.jsonl keeps of a fit.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fjord::apps::density {

/// The mean log-density that a model reaches on the test rows, nats.
struct ReachedLine {
  std::string model;
  double mean = 0;
  std::optional<double> standard_error = {};
};

/// The losses of the epochs of one flow, nats.
struct TrainingCurve {
  std::vector<double> training;    ///< mean over each epoch
  std::vector<double> validation;  ///< after each epoch
};

struct RunMetrics {
  std::map<int, TrainingCurve> curves;  ///< by the number of the flow, from 1
  std::vector<ReachedLine> reached;     ///< simple models first, the flow last
};

/// Reads metrics.jsonl beside a model; nothing if there is none.
///
/// Note:    Lines of another form are passed over: a run that was stopped has no final line, and
///          the folder may be that of another program.
std::optional<RunMetrics> metrics_beside(const std::filesystem::path& model);

}  // namespace fjord::apps::density
