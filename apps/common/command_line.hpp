/// Command lines of programs that have commands with options.
#pragma once

#include <span>
#include <string>

#include "fjord/apps/common/option.hpp"

namespace CLI {
class App;
}  // namespace CLI

namespace fjord::apps {

/// Adds a command with these options; the value that an option has now is its default.
///
/// Numbers are read strictly: nothing before or after one, and none that does not fit.
CLI::App* add_command(CLI::App& program, const char* name, const char* help,
                      std::span<const Option> options);

/// Makes options of a command necessary, so that they have no default. Names of options that the
/// command does not have are ignored.
void require_options(CLI::App& command, std::span<const char* const> names);

/// The value of an option such as "--config" before the rest of the command line is read, which
/// wins over what the value sets; an empty text without it.
std::string early_value(const std::string& option, int argc, char** argv);

/// Reads a command line; false if help was asked for, and has been printed.
///
/// Errors:  std::invalid_argument, one line, for anything unknown or missing, and for numbers that
///          are not numbers.
bool parse(CLI::App& program, int argc, char** argv);

}  // namespace fjord::apps
