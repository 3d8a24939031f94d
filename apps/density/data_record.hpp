/// What a run says and keeps of its rows.
#pragma once

#include <string>
#include <vector>

#include "fjord/apps/density/data.hpp"

namespace fjord::apps::density {

/// What was found about the rows and columns, in sentences without a full stop.
std::vector<std::string> notes_on(const Data& data);

/// A text that other names, rows, weights or given columns would change.
std::string digest_of(const Data& data);

/// Writes 0, 1 or 2 for every row that is kept: for training, validation or test.
///
/// Errors:  as save_table().
void save_split(const std::string& out, const Data& data);

}  // namespace fjord::apps::density
