/// Sums over the axes along which a tensor of another shape is stretched: those of reductions, and
/// of the derivatives of operands that were broadcast.
#pragma once

#include <algorithm>
#include <tuple>
#include <utility>

#include "fjord/autodiff/kernels/broadcast.hpp"
#include "fjord/autodiff/kernels/simd.hpp"

namespace fjord::kernels {

/// The loops over a column-major tensor that is summed to a smaller shape, its lanes, next to
/// operands broadcast to it: all runs that are added to one run of lanes come one after another.
template <std::size_t N>
class LaneLoops final : public BroadcastLoops<N + 1> {
  using Base = BroadcastLoops<N + 1>;

 public:
  using Offsets = typename Base::Offsets;

  LaneLoops(const NodeShape& whole, const NodeShape& lanes,
            const std::array<NodeShape, N>& operands)
      : Base(whole, with_lanes_first(lanes, operands)) {
    for (std::size_t axis = 1; axis < this->rank_; ++axis) {
      if (this->strides_[axis][0] != 0) continue;
      count_ *= this->sizes_[axis];
      std::rotate(this->sizes_.begin() + first_kept_, this->sizes_.begin() + axis,
                  this->sizes_.begin() + axis + 1);
      std::rotate(this->strides_.begin() + first_kept_, this->strides_.begin() + axis,
                  this->strides_.begin() + axis + 1);
      ++first_kept_;
    }
  }

  /// Whether every run is summed to a single number.
  bool are_runs_summed() const { return this->rank_ > 0 && this->strides_[0][0] == 0; }

  bool is_stretched(std::size_t operand) const {
    return this->rank_ > 0 && this->strides_[0][operand + 1] == 0;
  }

  /// How many runs are added to each run of lanes.
  Index count() const { return count_; }

  /// Whether there is nothing to add up.
  bool is_empty() const { return this->empty_; }

  /// Calls body(offsets) for every run of lanes: of the lanes, then of the operands where the first
  /// of the runs begins.
  template <class Body>
  void for_each_lane_run(Body body) const {
    if (!this->empty_) this->walk(std::max<std::size_t>(first_kept_, 1), this->rank_, {}, body);
  }

  /// Calls body(offsets) for every run that is added to one run of lanes.
  template <class Body>
  void for_each_term(const Offsets& first, Body body) const {
    this->walk(1, first_kept_, first, body);
  }

 private:
  static std::array<NodeShape, N + 1> with_lanes_first(const NodeShape& lanes,
                                                       const std::array<NodeShape, N>& operands) {
    std::array<NodeShape, N + 1> all{lanes};
    std::copy(operands.begin(), operands.end(), all.begin() + 1);
    return all;
  }

  Index count_ = 1;
  std::size_t first_kept_ = 1;  // after the run and the axes that are summed
};

/// sum + error += part, entry by entry; the errors are 0 at first, and stay within the last digit
/// of the sum.
///
/// Source:  Kahan, Further remarks on reducing truncation errors, CACM 8, 1965, with Knuth's error.
template <class T>
void add_with_error(Index n, T* sum, T* error, const T* part) {
  using Batch = simd::Batch<T>;
  const auto add = [](Batch& s, Batch& e, const Batch& x) {
    const Batch term = xsimd::select(e == Batch(T(0)), x, x + e);  // which keeps a -0
    const Batch total = s + term;
    e = simd::error_of_sum<Batch>(s, term, total);
    e = xsimd::select(e - e == Batch(T(0)), e, Batch(T(0)));  // of an infinite sum it is NaN
    s = total;
  };
  Index i = 0;
  for (; i + simd::width<T> <= n; i += simd::width<T>) {
    Batch s = simd::load<T>(sum, i);
    Batch e = simd::load<T>(error, i);
    add(s, e, simd::load(part, i));
    s.store_unaligned(sum + i);
    e.store_unaligned(error + i);
  }
  if (i == n) return;
  Batch s = simd::load_part<T>(sum, i, n - i);
  Batch e = simd::load_part<T>(error, i, n - i);
  add(s, e, simd::load_part(part, i, n - i));
  simd::store_part(s, sum + i, n - i);
  simd::store_part(e, error + i, n - i);
}

/// The same for one number.
template <class T>
void add_with_error(T& sum, T& error, T part) {
  const T term = error == 0 ? part : part + error;
  const T total = sum + term;
  const T lost = simd::error_of_sum(sum, term, total);
  error = std::isfinite(lost) ? lost : T(0);
  sum = total;
}

/// Up to `width` sums side by side of runs of numbers, added block by block so that they keep their
/// digits however many runs there are.
template <class T>
class BlockSums final {
 public:
  static constexpr Index width = 512;
  /// A sum of no more runs needs no blocks.
  static constexpr Index block = 64;

  explicit BlockSums(Index n) : n_(n) {}

  /// Where the next run is to be added, or assigned if is_fresh().
  T* part() { return part_.data(); }

  bool is_fresh() const { return in_block_ == 0; }

  /// Notes that a run was added.
  void next() {
    if (++in_block_ == block) close_block();
  }

  /// Writes the sums or adds them.
  void finish(T* out, bool fresh) {
    if (in_block_ > 0) close_block();
    simd::accumulate(n_, out, fresh, simd::same, static_cast<const T*>(sum_.data()));
  }

 private:
  void close_block() {
    in_block_ = 0;
    if (!std::exchange(is_first_block_, false))
      return add_with_error<T>(n_, sum_.data(), error_.data(), part_.data());
    std::copy_n(part_.begin(), n_, sum_.begin());
    std::fill_n(error_.begin(), n_, T(0));
  }

  Index n_;
  Index in_block_ = 0;
  bool is_first_block_ = true;
  std::array<T, width> part_;
  std::array<T, width> sum_;
  std::array<T, width> error_;
};

template <class T>
const T* moved(const T* run, Index offset) {
  return run + offset;
}

template <class T>
simd::Repeated<T> moved(simd::Repeated<T> run, Index offset) {
  return {run.number + offset};
}

/// out (fresh: =, else +=) the sums along the runs of f of the operands, which `in` are: pointers,
/// or simd::Repeated where one is stretched along the runs. For loops whose runs are summed.
template <class T, std::size_t N, class F, class... In>
void sum_along_runs(const LaneLoops<N>& loops, T* out, bool fresh, F f, In... in) {
  loops.for_each_lane_run([&](const auto& lane) {
    simd::LongSum total;
    loops.for_each_term(lane, [&](const auto& at) {
      const auto sum = [&]<std::size_t... k>(std::index_sequence<k...>) {
        return simd::sum<T>(loops.run(), f, moved(in, at[k + 1])...);
      };
      total.add(sum(std::index_sequence_for<In...>()));
    });
    T& to = out[lane[0]];
    const T sum = static_cast<T>(total.value());
    to = fresh ? sum : to + sum;
  });
}

/// out (fresh: =, else +=) the sums, entry by entry, of `count` > 0 runs of n numbers, in blocks if
/// there are many: for_each(body) calls body(run) for every run, of which add(run, skip, m, to,
/// assigns) assigns or adds the m numbers from number `skip` on.
template <class T, class ForEach, class Add>
void sum_runs(Index count, Index n, T* out, bool fresh, ForEach for_each, Add add) {
  if (count <= BlockSums<T>::block) {
    bool assigns = fresh;
    for_each([&](const auto& run) { add(run, 0, n, out, std::exchange(assigns, false)); });
    return;
  }
  for (Index skip = 0; skip < n; skip += BlockSums<T>::width) {
    const Index m = std::min(BlockSums<T>::width, n - skip);
    BlockSums<T> sums(m);
    for_each([&](const auto& run) {
      add(run, skip, m, sums.part(), sums.is_fresh());
      sums.next();
    });
    sums.finish(out + skip, fresh);
  }
}

/// The same as sum_along_runs for loops whose runs are added to each other, entry by entry.
template <class T, std::size_t N, class F, class... In>
void sum_across_runs(const LaneLoops<N>& loops, T* out, bool fresh, F f, In... in) {
  const auto add = [&](const auto& at, Index skip, Index n, T* to, bool assigns) {
    const auto accumulate = [&]<std::size_t... k>(std::index_sequence<k...>) {
      simd::accumulate(n, to, assigns, f,
                       moved(in, at[k + 1] + (std::is_pointer_v<In> ? skip : 0))...);
    };
    accumulate(std::index_sequence_for<In...>());
  };
  loops.for_each_lane_run([&](const auto& lane) {
    sum_runs(
        loops.count(), loops.run(), out + lane[0], fresh,
        [&](auto body) { loops.for_each_term(lane, body); }, add);
  });
}

/// Where sums go: `fresh` memory is assigned, other memory added to.
template <class T>
struct Lanes {
  T* sums;
  NodeShape shape;
  bool fresh;
};

/// The sums of f(x..., y...) over the axes that have size 1 in the lanes; all x have the shape of
/// the whole, all y that of the lanes.
template <class T, std::size_t count, class F, class... Y>
void sum_to_lanes(const T* const (&x)[count], const NodeShape& whole, const Lanes<T>& lanes, F f,
                  const Y*... y) {
  std::array<NodeShape, count + sizeof...(Y)> operands;
  operands.fill(lanes.shape);
  std::fill_n(operands.begin(), count, whole);
  const LaneLoops<count + sizeof...(Y)> loops(whole, lanes.shape, operands);
  const auto with_whole = [&](auto body) { std::apply(body, std::to_array(x)); };
  if (loops.is_empty()) {
    if (lanes.fresh) std::fill_n(lanes.sums, lanes.shape.size, simd::masked_zero<T>);
  } else if (loops.are_runs_summed()) {
    with_whole([&](auto... run) {
      sum_along_runs(loops, lanes.sums, lanes.fresh, f, run..., simd::Repeated<T>{y}...);
    });
  } else {
    with_whole(
        [&](auto... run) { sum_across_runs(loops, lanes.sums, lanes.fresh, f, run..., y...); });
  }
}

}  // namespace fjord::kernels
