#include "fjord/apps/common/run_files.hpp"

#include <system_error>
#include <utility>

#include "fjord/apps/common/program.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"

namespace fjord::apps {
namespace {

constexpr const char* checkpoint_name = "checkpoint.safetensors";
constexpr const char* metrics_name = "metrics.jsonl";

}  // namespace

RunFiles::RunFiles(RunSetup setup) : setup_(std::move(setup)), folder_(setup_.out) {
  setup_.names.insert(setup_.names.begin(), {checkpoint_name, metrics_name});
  folder_.check_files(setup_.names);
  open();
}

std::filesystem::path RunFiles::checkpoint(const std::string& out) {
  return std::filesystem::path(out) / checkpoint_name;
}

void RunFiles::open() {
  const std::filesystem::path path = file(checkpoint_name);
  if (!setup_.resume) {
    require(!is_unfinished(path), "--out", [&] {
      return setup_.out + " holds an unfinished run; go on with --resume, or name another --out";
    });
    return;
  }
  if (!std::filesystem::exists(path)) {
    print_note(setup_.program,
               "no checkpoint in " + setup_.out + ", so the run starts from the beginning");
    return;
  }
  Checkpoint checkpoint = load_checkpoint(path, setup_.settings, setup_.defaults);
  record_ = std::move(checkpoint.record);
  record_.finished = false;
  state_ = std::move(checkpoint.state);
}

// The checkpoint comes first: it shows that the other files belong to a run.
void RunFiles::begin(nn::State state) {
  save(std::move(state));
  for (const char* name : setup_.names) {
    std::error_code ignored;
    if (name != checkpoint_name) std::filesystem::remove(file(name), ignored);
  }
}

double RunFiles::seconds() const {
  if (began_ == Clock::time_point()) return record_.seconds;
  return record_.seconds + std::chrono::duration<double>(Clock::now() - began_).count();
}

void RunFiles::stop_clock() {
  record_.seconds = seconds();
  began_ = Clock::time_point();
}

void RunFiles::save(nn::State state) {
  RunRecord now = record_;
  now.seconds = seconds();
  const std::string bytes = format_checkpoint(std::move(state), now, setup_.settings);
  // The folder is looked at only then: in the meantime another one could come into its place.
  write_file(file(checkpoint_name), bytes);
  saved_ = Clock::now();
}

void RunFiles::close(nn::State state) {
  record_.finished = true;
  save(std::move(state));
}

void RunFiles::write_metrics(const std::string& last) const {
  write_file(file(metrics_name), record_.metrics + (last.empty() ? "" : last + "\n"));
}

}  // namespace fjord::apps
