#include "fjord/apps/density/columns.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "fjord/apps/common/message.hpp"
#include "fjord/apps/common/option_checks.hpp"
#include "fjord/autodiff/errors.hpp"

namespace fjord::apps::density {
namespace {

// By commas outside quotes.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words(1);
  bool is_quoted = false;
  for (const char c : text) {
    if (c == '"') {
      is_quoted = !is_quoted;
    } else if (c == ',' && !is_quoted) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

// The place that the word is as a number from 1.
std::optional<Index> place_of(const std::string& word, Index columns) {
  Index number = 0;
  const char* end = word.data() + word.size();
  const auto [next, error] = std::from_chars(word.data(), end, number);
  if (error != std::errc() || next != end || number < 1 || number > columns) return {};
  return number - 1;
}

std::string list_of(std::span<const std::string> names, Index columns) {
  if (names.empty()) return "a number from 1 to " + std::to_string(columns);
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + shown(name);
  return "one of " + shown(list, 200);
}

Index column_of(const char* option, const std::string& word, std::span<const std::string> names,
                Index columns) {
  const auto found = std::ranges::find(names, word);
  const std::optional<Index> place = place_of(word, columns);
  if (found == names.end()) {
    check_option(place.has_value(), option, list_of(names, columns), '"' + shown(word) + '"');
    return *place;
  }
  const auto named = static_cast<Index>(found - names.begin());
  const std::string op = std::string("--") + option;
  require(std::ranges::count(names, word) == 1, op,
          [&] { return "two columns have the name " + shown(word) + "; give their numbers"; });
  require(!place || *place == named, op, [&] {
    return word + " is the name of column " + std::to_string(named + 1) +
           " and the number of another; rename that column, or give the numbers of others";
  });
  return named;
}

}  // namespace

std::vector<Index> chosen_columns(const char* option, const std::string& words,
                                  std::span<const std::string> names, Index columns) {
  std::vector<Index> chosen;
  for (const std::string& word : words_of(words)) {
    const Index column = column_of(option, word, names, columns);
    require(std::ranges::find(chosen, column) == chosen.end(), std::string("--") + option,
            [&] { return "the column " + shown(word) + " is given twice"; });
    chosen.push_back(column);
  }
  return chosen;
}

}  // namespace fjord::apps::density
