#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

void add_linalg_rows(Rows& rows) {
  static_cast<void>(rows);
}

}  // namespace fjord::test
