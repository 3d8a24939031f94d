#include "fjord/apps/common/command_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <type_traits>
#include <vector>

#include <CLI/CLI.hpp>

#include "fjord/apps/common/option_checks.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"

namespace fjord::apps {
namespace {

// CLI11 would take blanks, nothing at all and what does not fit for numbers.
template <class V>
V number_of(const char* option, const std::string& text) {
  constexpr bool is_whole = std::is_integral_v<V>;
  V value{};
  const char* end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, value);
  const std::string got = '"' + printable(text) + '"';
  check_option(next == end && error != std::errc::invalid_argument, option,
               is_whole ? "a whole number" : "a number", got);
  check_option(
      error == std::errc(), option,
      is_whole ? "a whole number between -2^63 and 2^63" : "a number within the range of double",
      got);
  return value;
}

void add_option(CLI::App& command, const Option& option) {
  if (auto* const* flag = std::get_if<bool*>(&option.target)) {
    command.add_flag(std::string("--") + option.name, **flag, option.help);
    return;
  }
  const auto take = [option](const std::string& text) {
    std::visit(
        [&](auto* target) {
          using V = std::remove_pointer_t<decltype(target)>;
          // Whole numbers with their sign, so that check_seed() can refuse one.
          using Read = std::conditional_t<std::is_integral_v<V>, std::int64_t, V>;
          if constexpr (std::is_same_v<V, std::string>) {
            *target = text;
          } else if constexpr (!std::is_same_v<V, bool>) {
            *target = static_cast<V>(number_of<Read>(option.name, text));
          }
        },
        option.target);
  };
  constexpr std::array types{"INT", "INT", "FLOAT", "TEXT"};  // in the order of OptionTarget
  command.add_option_function<std::string>(std::string("--") + option.name, take, option.help)
      ->type_name(types[option.target.index()])
      ->default_str(text_of(option.target));
}

// The program, and the command if one was given, as a user writes them.
std::string name_of(const CLI::App& program) {
  const std::vector<CLI::App*> commands = program.get_subcommands();
  return program.get_name() + (commands.empty() ? "" : " " + commands.front()->get_name());
}

// CLI11's message in the words of the others.
std::string message_of(const CLI::ParseError& error, const CLI::App& program) {
  const std::string see = "; see " + name_of(program) + " --help";
  // An unknown word is likely to be the reason why something else is missing.
  const std::vector<std::string> unknown = program.remaining(true);
  if (!unknown.empty()) {
    const bool is_option = unknown.front().starts_with('-');
    return (is_option ? "unknown option " : "unknown argument ") + printable(unknown.front()) + see;
  }
  std::string text = error.what();
  std::ranges::replace(text, '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  const std::string option = text.substr(0, text.find(':'));
  constexpr std::string_view conversion = "Could not convert: ";
  if (text.starts_with(conversion)) {
    return text.substr(conversion.size()) + " has a value of the wrong kind" + see;
  }
  if (text.ends_with(" missing")) return option + ": a value is needed, got nothing" + see;
  constexpr std::string_view received = "but received ";
  if (const std::size_t at = text.find(received); at != std::string::npos) {
    const std::string count = text.substr(at + received.size());
    return option + ": it may be given once only, got it " + count + " times" + see;
  }
  return text + see;
}

}  // namespace

CLI::App* add_command(CLI::App& program, const char* name, const char* help,
                      std::span<const Option> options) {
  CLI::App* command = program.add_subcommand(name, help);
  for (const Option& option : options) add_option(*command, option);
  return command;
}

void require_options(CLI::App& command, std::span<const char* const> names) {
  for (const char* name : names) {
    if (CLI::Option* option = command.get_option_no_throw(name))
      option->required()->default_str("");
  }
}

std::string early_value(const std::string& option, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == option && i + 1 < argc) return argv[i + 1];
    if (word.starts_with(option + "=")) return word.substr(option.size() + 1);
  }
  return {};
}

bool parse(CLI::App& program, int argc, char** argv) {
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    require(error.get_exit_code() == 0, "arguments", [&] { return message_of(error, program); });
    program.exit(error);  // prints the help that was asked for
    return false;
  }
  return true;
}

}  // namespace fjord::apps
