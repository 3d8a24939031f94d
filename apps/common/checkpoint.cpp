#include "fjord/apps/common/checkpoint.hpp"

#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "fjord/apps/common/message.hpp"
#include "fjord/autodiff/errors.hpp"

namespace fjord::apps {
namespace {

const std::string remedy = "; name another --out, or remove the file to start a new run";

constexpr const char* format_name = "fjord-checkpoint";

// nlohmann writes the shortest text that reads back to the same double.
nlohmann::json to_json(const RunRecord& r) {
  return {{"seconds", r.seconds}, {"metrics", r.metrics}, {"finished", r.finished}};
}

RunRecord record_of(const nlohmann::json& json) {
  return {json.at("seconds").get<double>(), json.at("metrics").get<std::string>(),
          json.at("finished").get<bool>()};
}

struct Metadata {
  RunRecord record;
  Settings settings;
};

Metadata metadata_of(const nn::State& state, const std::string& file) {
  const auto format = state.metadata.find("format");
  require(format != state.metadata.end() && format->second == format_name, "checkpoint",
          [&] { return file + " is not a checkpoint of Fjord; name another --out"; });
  try {
    const nlohmann::json json = nlohmann::json::parse(state.metadata.at("run"));
    return {record_of(json.at("record")), json.at("settings").get<Settings>()};
  } catch (const std::exception&) {
    fail("checkpoint", file + " is damaged" + remedy);
  }
}

nn::State read_state(const std::filesystem::path& file) {
  try {
    return nn::load_safetensors(file);
  } catch (const std::invalid_argument& error) {
    fail("checkpoint", plain_message(error.what()) + remedy);
  }
}

// A setting that the checkpoint does not know came later, when its default was all that there was.
void check_settings(const Settings& saved, const Settings& asked, const Settings& defaults) {
  static const std::set<std::string> free{"epochs", "minutes", "threads", "out"};
  for (const auto& [name, value] : asked) {
    if (free.contains(name)) continue;
    const auto found = saved.find(name);
    const std::string before = found == saved.end() ? defaults.at(name) : found->second;
    require(before == value, "--resume", [&, &setting = name, &now = value] {
      return "the checkpoint was made with --" + setting + " " + before + ", not " + now +
             "; give --" + setting + " " + before + ", or another --out";
    });
  }
  for (const auto& [name, value] : saved) {
    require(asked.contains(name), "--resume", [&, &setting = name, &before = value] {
      return "the checkpoint was made with --" + setting + " " + before +
             ", which this version does not have; name another --out";
    });
  }
}

}  // namespace

std::string format_checkpoint(nn::State state, const RunRecord& record, const Settings& settings) {
  state.metadata["format"] = format_name;
  state.metadata["run"] =
      nlohmann::json{{"record", to_json(record)}, {"settings", settings}}.dump();
  return nn::format_safetensors(state);
}

bool is_unfinished(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return false;
  return !metadata_of(read_state(file), file.string()).record.finished;
}

Checkpoint load_checkpoint(const std::filesystem::path& file, const Settings& settings,
                           const Settings& defaults) {
  nn::State state = read_state(file);
  Metadata metadata = metadata_of(state, file.string());
  check_settings(metadata.settings, settings, defaults);
  return {std::move(state), std::move(metadata.record)};
}

void refuse_checkpoint(const std::filesystem::path& file, const std::string& message) {
  fail("checkpoint", file.string() + ": " + plain_message(message) + remedy);
}

}  // namespace fjord::apps
