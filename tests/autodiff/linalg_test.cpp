#include <doctest/doctest.h>

#include "fjord/autodiff/ops/einsum.hpp"
#include "fjord/autodiff/tape.hpp"

using namespace fjord;

TEST_CASE("einsum: subscripts of another form are refused") {
  Tape<double> tape;
  const Var<double> x = tape.input(Tensor<double>{{1, 2}, {3, 4}});
  for (const char* subscripts : {"", "ij,jk", "ij->ij", "ij,jj->i", "ij,jk->il", "ij,jk->ii",
                                 "...j,jk->k", "ij,jk,kl->il", "i,jk->ik", "ij,jk->i-k"}) {
    CAPTURE(subscripts);
    CHECK_THROWS_WITH_AS(einsum(subscripts, x, x), doctest::Contains("[einsum]"),
                         std::invalid_argument);
  }
  CHECK(einsum(" ij, jk -> ik ", x, x).value()(1, 0) == 15);
}
