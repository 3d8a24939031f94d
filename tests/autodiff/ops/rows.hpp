/// The rows of all families of operations.
///
/// Each family has a source `<family>_rows.cpp` here, which defines
///     void add_<family>_rows(Rows& rows);
/// `all_rows` is made from the list of families, autodiff/ops/ops.hpp, and calls all of them.
#pragma once

#include "fjord/tests/support/battery.hpp"

namespace fjord::test {

Rows all_rows();

}  // namespace fjord::test
