#include "fjord/apps/common/memory.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

#include "fjord/autodiff/errors.hpp"

namespace fjord::apps {
namespace {

std::string gigabytes(double bytes) {
  std::array<char, 400> text{};  // the largest number has 309 digits before the point
  std::snprintf(text.data(), text.size(), "%.1f GB", bytes / 1e9);
  return text.data();
}

}  // namespace

double usable_memory() {
  const double pages = static_cast<double>(::sysconf(_SC_PHYS_PAGES));
  const double memory = pages * static_cast<double>(::sysconf(_SC_PAGESIZE));

  struct rlimit limit {};

  const bool has_limit = ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return has_limit ? std::min(memory, static_cast<double>(limit.rlim_cur)) : memory;
}

void check_memory(const char* option, double bytes) {
  const double usable = usable_memory();
  require(bytes <= usable, std::string("--") + option, [&] {
    return "at least " + gigabytes(bytes) + " of memory would be needed, and there are " +
           gigabytes(usable) + "; give a smaller value";
  });
}

}  // namespace fjord::apps
