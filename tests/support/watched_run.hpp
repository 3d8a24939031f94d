/// Training runs whose checkpoints are watched.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <regex>
#include <string>
#include <thread>

#include "fjord/nn/safetensors.hpp"

namespace fjord::test {

/// Whether a run leaves a checkpoint in the folder `out` that is of a step within an epoch.
inline bool sees_step_within_epoch(const std::string& out, const std::function<void()>& run) {
  const std::string checkpoint = out + "/checkpoint.safetensors";
  std::atomic<bool> is_over = false;
  bool is_seen = false;
  std::thread watcher([&] {
    while (!is_over) {
      if (!std::filesystem::exists(checkpoint)) continue;
      const nn::State state = nn::load_safetensors(checkpoint);
      // The setting of this name is a text, in quotes.
      static const std::regex within("\"batch\":[1-9]");
      for (const auto& [key, text] : state.metadata)
        is_seen = is_seen || std::regex_search(text, within);
      std::this_thread::yield();
    }
  });
  run();
  is_over = true;
  watcher.join();
  return is_seen;
}

}  // namespace fjord::test
