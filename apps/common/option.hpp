/// The options of a program's command: one table for the command line, the config file and the
/// settings that a checkpoint keeps.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "fjord/autodiff/shape.hpp"

namespace fjord::apps {

/// The variable that holds an option's value; a bool is a flag on the command line.
using OptionTarget = std::variant<Index*, std::uint64_t*, double*, std::string*, bool*>;

struct Option {
  const char* name;     ///< on the command line after "--", and the key in a config file
  OptionTarget target;  ///< must outlive the option
  const char* help;
};

/// Options of several commands: --header (yes, no, or empty where it is not given) and --threads.
Option header_option(std::string& header);
Option threads_option(Index& threads);

/// The value as text, which reads back to the same value.
std::string text_of(const OptionTarget& target);

/// The values by name, as text: what a checkpoint keeps.
std::map<std::string, std::string> settings_of(std::span<const Option> options);

/// The values as a config file in TOML; read_config() of it gives the same values.
std::string config_text(std::span<const Option> options);

/// Refuses texts that a config file cannot hold: TOML is UTF-8, but the name of a folder may be any
/// bytes.
///
/// Errors:  std::invalid_argument "[--option] ...".
void check_config_texts(std::span<const Option> options);

/// Sets the options that a config file names.
///
/// `help` is the command whose --help lists the options, for the message about an unknown key.
/// Errors:  std::invalid_argument "[--config] ..." if the file is not TOML, which the message says
///          with the line, if a key is not an option, or a value has another kind than the option;
///          "[read] path: reason" if it cannot be read.
void read_config(const std::string& file, std::span<const Option> options, const std::string& help);

/// As read_config(), from the text of the file; errors name it `file`.
void parse_config(std::string_view text, const std::string& file, std::span<const Option> options,
                  const std::string& help);

}  // namespace fjord::apps
