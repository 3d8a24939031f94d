/// Ranges of options that programs share.
///
/// Errors:  every check is a std::invalid_argument "[--option] what is needed, got ...".
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "fjord/autodiff/shape.hpp"

namespace fjord::apps {

/// Refuses the value `got` of an option unless `holds`; `expected` is what it must be, as "a file".
void check_option(bool holds, const char* option, const std::string& expected,
                  const std::string& got);

/// A whole number from 1 to `most`.
void check_count(const char* option, Index value, Index most = 1'000'000'000);

/// A number > 0, and finite.
void check_positive(const char* option, double value);

/// A number >= 0, and finite.
void check_not_negative(const char* option, double value);

/// One of a few words.
void check_choice(const char* option, const std::string& value,
                  const std::set<std::string>& choices);

/// A name that is not empty, of a file or a folder, as `expected` says.
void check_name(const char* option, const std::string& name, const char* expected);

/// --rtol, --atol and --trace.
void check_solver(double rtol, double atol, const std::string& trace);

/// --header: yes, no, or empty where it is not given.
void check_header(const std::string& header);

/// --threads, from 0 to 1024.
void check_threads(Index threads);

/// --seed, from 0 to 2^63 - 1: TOML has no larger whole numbers, and reads negative ones, which
/// wrap around to larger ones here.
void check_seed(std::uint64_t seed);

/// --activation, the name of one that networks have.
void check_activation(const std::string& name);

/// The widths in the text of --hidden, from 1 to 65536 with commas between them.
std::vector<Index> widths_of(const std::string& text);

}  // namespace fjord::apps
