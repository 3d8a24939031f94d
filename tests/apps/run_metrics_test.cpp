#include "fjord/apps/density/run_metrics.hpp"

#include <doctest/doctest.h>

#include "fjord/autodiff/files.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::apps::density {
namespace {

TEST_CASE("run_metrics: epochs and the final line of a fit") {
  const test::TemporaryFolder folder;
  const std::filesystem::path model = folder.path / "model.safetensors";
  CHECK_FALSE(metrics_beside(model).has_value());
  write_file((folder.path / "metrics.jsonl").string(),
             R"({"epoch": 1, "train_nll": 1.5, "validation_nll": 1.25}
{"epoch": 2, "train_nll": 1.0, "validation_nll": null}
broken
{"epoch": 3, "train_nll": 0.5, "validation_nll": 0.75}
{"flow": 2, "epoch": 1, "train_loss": 4, "validation_loss": 3}
{"final": true, "log_density": {"gaussian": [-10, 0.5], "mixture": [-6.5, 0.25, 7],
{"log_density": {"gaussian": [-10, 0.5], "mixture": [-6.5, 0.25, 7], "kernel": [-12, null], "k": 3}}
)");
  const RunMetrics metrics = metrics_beside(model).value();
  REQUIRE(metrics.curves.size() == 2);
  CHECK(metrics.curves.at(1).training == std::vector<double>{1.5, 0.5});
  CHECK(metrics.curves.at(1).validation == std::vector<double>{1.25, 0.75});
  CHECK(metrics.curves.at(2).validation == std::vector<double>{3});
  REQUIRE(metrics.reached.size() == 3);
  CHECK(metrics.reached[0].model == "gaussian");
  CHECK(metrics.reached[0].mean == -10);
  CHECK(metrics.reached[1].model == "mixture (7)");
  CHECK(metrics.reached[1].standard_error == 0.25);
  CHECK(metrics.reached[2].model == "kernel density");
  CHECK_FALSE(metrics.reached[2].standard_error.has_value());
}

}  // namespace
}  // namespace fjord::apps::density
