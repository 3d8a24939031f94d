/// Factors of long products, brought to one size so that no partial product leaves the range.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "fjord/autodiff/kernels/broadcast.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::rules {

using namespace kernels;

/// The exponents of the factors of one product; 0, infinity and NaN do not count.
struct FactorExponents {
  int above = 0;  // the sum of those above 0
  int below = 0;
  int count = 0;

  void add(int exponent) {
    (exponent > 0 ? above : below) += exponent;
    ++count;
  }

  int share() const {
    const int total = above + below;
    return total >= 0 ? total / count : -((count - 1 - total) / count);
  }

  /// How many factors take one more than their share.
  int rest() const { return above + below - share() * count; }
};

/// x itself if no product over the axes that have size 1 in `kept` can leave the range in between;
/// else x times powers of two whose product is 1 in each of them, and all factors of one size.
template <class T>
Var<T> of_one_size(const Var<T>& x, const NodeShape& kept, const char* op) {
  constexpr int limit = std::numeric_limits<T>::max_exponent - 2;
  Tape<T>& tape = x.tape();
  const Node<T> in = tape.node(x, op);
  const BroadcastLoops<1> loops(in.shape, {kept});
  // Calls body(number of the product, place of the factor, its exponent).
  const auto for_each_factor = [&](auto body) {
    loops.for_each_run([&](const std::array<Index, 1>& at, Index from) {
      for (Index i = 0; i < loops.run(); ++i) {
        const T factor = in.value[from + i];
        if (factor == 0 || !std::isfinite(factor)) continue;
        int exponent = 0;
        std::frexp(factor, &exponent);
        body(static_cast<std::size_t>(at[0] + (loops.is_stretched(0) ? 0 : i)), from + i, exponent);
      }
    });
  };
  std::vector<FactorExponents> sums(static_cast<std::size_t>(kept.size));
  for_each_factor([&](std::size_t k, Index, int exponent) { sums[k].add(exponent); });
  const auto is_safe = [](const FactorExponents& s) { return s.above < limit && s.below > -limit; };
  if (std::all_of(sums.begin(), sums.end(), is_safe)) return x;
  // Two for each factor, because one might not be a number.
  Tensor<T> powers = Tensor<T>::ones(in.shape.shape());
  Tensor<T> more_powers = powers;
  std::vector<int> taken(sums.size(), 0);
  for_each_factor([&](std::size_t k, Index place, int exponent) {
    const int size = sums[k].share() + (taken[k]++ < sums[k].rest() ? 1 : 0);
    const int half = (size - exponent) / 2;
    powers.data()[place] = std::ldexp(T(1), half);
    more_powers.data()[place] = std::ldexp(T(1), size - exponent - half);
  });
  return x * tape.input(powers) * tape.input(more_powers);
}

}  // namespace fjord::rules
