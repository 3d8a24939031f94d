#include "fjord/apps/common/option_checks.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include "fjord/apps/common/message.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/nn/activation.hpp"

namespace fjord::apps {

void check_option(bool holds, const char* option, const std::string& expected,
                  const std::string& got) {
  require(holds, std::string("--") + option,
          [&] { return expected + " is needed, got " + (got.empty() ? "nothing" : got); });
}

void check_count(const char* option, Index value, Index most) {
  check_option(value > 0 && value <= most, option,
               "a whole number from 1 to " + std::to_string(most), std::to_string(value));
}

void check_positive(const char* option, double value) {
  check_option(value > 0 && std::isfinite(value), option, "a positive number", number_text(value));
}

void check_not_negative(const char* option, double value) {
  check_option(value >= 0 && std::isfinite(value), option, "a number of at least 0",
               number_text(value));
}

void check_choice(const char* option, const std::string& value,
                  const std::set<std::string>& choices) {
  std::string list;
  for (const std::string& choice : choices) {
    if (!list.empty()) list += choice == *choices.rbegin() ? " or " : ", ";
    list += choice;
  }
  check_option(choices.contains(value), option, list, value);
}

void check_name(const char* option, const std::string& name, const char* expected) {
  check_option(!name.empty(), option, expected, name);
}

void check_solver(double rtol, double atol, const std::string& trace) {
  check_positive("rtol", rtol);
  check_positive("atol", atol);
  check_choice("trace", trace, {"exact", "hutchinson"});
}

void check_header(const std::string& header) {
  if (!header.empty()) check_choice("header", header, {"no", "yes"});
}

void check_threads(Index threads) {
  check_option(threads >= 0 && threads <= 1024, "threads", "a whole number from 0 to 1024",
               std::to_string(threads));
}

void check_seed(std::uint64_t seed) {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  check_option(seed <= largest, "seed", "a whole number from 0 to " + std::to_string(largest),
               std::to_string(static_cast<std::int64_t>(seed)));
}

void check_activation(const std::string& name) {
  std::set<std::string> names;
  for (const nn::Activation<float>& activation : nn::all_activations<float>()) {
    names.emplace(activation.name);
  }
  check_choice("activation", name, names);
}

std::vector<Index> widths_of(const std::string& text) {
  std::vector<Index> result;
  const char* at = text.data();
  const char* end = at + text.size();
  while (true) {
    Index width = 0;
    const auto [next, error] = std::from_chars(at, end, width);
    const bool ok =
        error == std::errc() && width > 0 && width <= 65536 && (next == end || *next == ',');
    check_option(ok, "hidden", "a list of widths such as 8,8", text);
    result.push_back(width);
    if (next == end) return result;
    at = next + 1;
  }
}

}  // namespace fjord::apps
