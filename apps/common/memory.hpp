/// The memory that a process may use.
#pragma once

namespace fjord::apps {

/// The machine's memory, or the limit of the process if that is lower.
///
/// Units:   bytes.
double usable_memory();

/// Refuses the value of an option before work that would need more than usable_memory().
///
/// Units:   bytes.
/// Errors:  std::invalid_argument "[--option] ..." that says how much is needed and how
///          much there is.
void check_memory(const char* option, double bytes);

}  // namespace fjord::apps
