/// Counts what the program takes from the heap.
///
/// Note:    Linked into executables of their own, as it replaces the global operators new and
///          delete.
#pragma once

#include <cstddef>

namespace fjord::test {

/// Calls of operator new so far, in all threads.
std::size_t allocations();

}  // namespace fjord::test
