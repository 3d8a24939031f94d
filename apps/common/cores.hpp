/// The processor cores that a process may use.
#pragma once

#include <filesystem>
#include <optional>

#include "fjord/autodiff/shape.hpp"

namespace fjord::apps {

/// The number of cores that the process may run on and that the quotas of its control groups leave
/// it: at least 1.
int usable_cores();

/// The threads to use: as many as `asked`, or, if it is 0, the cores that the process may use.
int thread_count(Index asked);

/// The smallest quota of processor time, in cores and rounded up, among the control groups of
/// the process (version 1 or 2) and the groups above them; nothing if there is none.
///
/// `system` is the folder that holds proc and sys: only tests need another one than the root.
std::optional<int> quota_in_cores(const std::filesystem::path& system = "/");

}  // namespace fjord::apps
