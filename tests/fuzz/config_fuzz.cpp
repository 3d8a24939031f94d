// Configuration files in TOML, for options of every kind.
#include <stdexcept>
#include <vector>

#include "fjord/apps/common/option.hpp"
#include "fjord/tests/fuzz/fuzz.hpp"

namespace {

struct Settings {
  fjord::Index epochs = 1;
  std::uint64_t seed = 2;
  double rate = 0.5;
  std::string out = "runs/x";
  bool resume = false;

  std::vector<fjord::apps::Option> options() {
    return {{"epochs", &epochs, ""},
            {"seed", &seed, ""},
            {"rate", &rate, ""},
            {"out", &out, ""},
            {"resume", &resume, ""}};
  }
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  Settings settings;
  const std::vector<fjord::apps::Option> options = settings.options();
  try {
    fjord::apps::parse_config(fjord::test::text_of(bytes, count), "run.toml", options,
                              "moons train");
  } catch (const std::invalid_argument&) {
    return 0;
  }
  const std::string written = fjord::apps::config_text(options);
  Settings again;
  const std::vector<fjord::apps::Option> read = again.options();
  fjord::apps::parse_config(written, "again.toml", read, "moons train");
  fjord::test::check(fjord::apps::config_text(read) == written, "what is written reads back");
  return 0;
}
