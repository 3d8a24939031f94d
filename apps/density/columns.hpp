/// Columns of a table, chosen by words.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "fjord/autodiff/shape.hpp"

namespace fjord::apps::density {

/// The columns that a list of words with commas between them names, counted from 0: each word is a
/// name or a number from 1; a name wins. A name in double quotes may hold commas.
///
/// Errors:  std::invalid_argument "[--option] ..." if a word fits no column, fits a name and
///          another column's number, or a column comes twice.
std::vector<Index> chosen_columns(const char* option, const std::string& words,
                                  std::span<const std::string> names, Index columns);

}  // namespace fjord::apps::density
