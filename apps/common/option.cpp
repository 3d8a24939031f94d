#include "fjord/apps/common/option.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <type_traits>

#include <toml++/toml.h>

#include "fjord/apps/common/message.hpp"
#include "fjord/apps/common/option_checks.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"

namespace fjord::apps {
namespace {

void read_value(const Option& option, const toml::node& value, const std::string& file) {
  // In the order of OptionTarget.
  constexpr std::array kinds{"a whole number", "a whole number", "a number", "a text in quotes",
                             "true or false"};
  const std::string kind = kinds[option.target.index()];
  const auto put = [&](auto* target, const auto& read) {
    require(read.has_value(), "--config",
            [&] { return file + ": the key " + option.name + ": " + kind + " is needed"; });
    *target = static_cast<std::remove_pointer_t<decltype(target)>>(*read);
  };
  std::visit(
      [&](auto* target) {
        using V = std::remove_pointer_t<decltype(target)>;
        if constexpr (std::is_same_v<V, std::string>) {
          put(target, value.value<std::string>());
        } else if constexpr (std::is_same_v<V, double>) {
          put(target, value.value<double>());
        } else if constexpr (std::is_same_v<V, bool>) {
          put(target, value.is_boolean() ? value.value<bool>() : std::optional<bool>());
        } else {
          put(target,
              value.is_integer() ? value.value<std::int64_t>() : std::optional<std::int64_t>());
        }
      },
      option.target);
}

}  // namespace

Option header_option(std::string& header) {
  return {"header", &header,
          "yes or no: whether the first line of CSV names the columns; detected if not given"};
}

Option threads_option(Index& threads) {
  return {"threads", &threads, "number of threads; 0: one for each core that it may use"};
}

std::string text_of(const OptionTarget& target) {
  return std::visit(
      [](const auto* value) -> std::string {
        using V = std::remove_cvref_t<decltype(*value)>;
        if constexpr (std::is_same_v<V, std::string>) {
          return *value;
        } else if constexpr (std::is_same_v<V, double>) {
          return number_text(*value);
        } else if constexpr (std::is_same_v<V, bool>) {
          return *value ? "true" : "false";
        } else {
          return std::to_string(*value);
        }
      },
      target);
}

std::map<std::string, std::string> settings_of(std::span<const Option> options) {
  std::map<std::string, std::string> result;
  for (const Option& option : options) result[option.name] = text_of(option.target);
  return result;
}

std::string config_text(std::span<const Option> options) {
  std::ostringstream text;
  for (const Option& option : options) {
    text << option.name << " = ";
    std::visit(
        [&](const auto* target) {
          using V = std::remove_cvref_t<decltype(*target)>;
          if constexpr (std::is_same_v<V, std::string>) {
            // With escapes in double quotes: text in several lines loses a line end at its
            // beginning.
            constexpr auto plain = toml::toml_formatter::default_flags &
                                   ~(toml::format_flags::allow_multi_line_strings |
                                     toml::format_flags::allow_literal_strings);
            const toml::value<std::string> value(*target);
            text << toml::toml_formatter(value, plain);
          } else if constexpr (std::is_same_v<V, double>) {
            // With a point: TOML's whole numbers end at 2^63, and have no -0.
            const std::string number = number_text(*target);
            text << number << (number.find_first_not_of("-0123456789") == number.npos ? ".0" : "");
          } else if constexpr (std::is_same_v<V, bool>) {
            text << (*target ? "true" : "false");
          } else {
            text << static_cast<std::int64_t>(*target);
          }
        },
        option.target);
    text << "\n";
  }
  return text.str();
}

void check_config_texts(std::span<const Option> options) {
  const toml::table read = toml::parse(config_text(options));
  for (const Option& option : options) {
    const auto* text = std::get_if<std::string*>(&option.target);
    if (text == nullptr) continue;
    check_option(read[option.name].value<std::string>() == **text, option.name, "a name in UTF-8",
                 printable(**text));
  }
}

void read_config(const std::string& file, std::span<const Option> options,
                 const std::string& help) {
  parse_config(read_file(file), file, options, help);
}

void parse_config(std::string_view text, const std::string& file, std::span<const Option> options,
                  const std::string& help) {
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    fail("--config", file + ":" + std::to_string(error.source().begin.line) + ": " +
                         std::string(error.description()));
  }
  for (const auto& [key, value] : table) {
    const auto found = std::ranges::find_if(
        options, [&, &name = key](const Option& option) { return name.str() == option.name; });
    require(found != options.end(), "--config", [&, &name = key] {
      return file + ": unknown key " + std::string(name.str()) + "; see " + help + " --help";
    });
    read_value(*found, value, file);
  }
}

}  // namespace fjord::apps
