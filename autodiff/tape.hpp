/// The tape: a list of operations in the order in which they were computed.
#pragma once

#include <algorithm>
#include <bit>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "fjord/autodiff/parameter.hpp"
#include "fjord/autodiff/record/arena.hpp"
#include "fjord/autodiff/record/node.hpp"
#include "fjord/autodiff/var.hpp"

namespace fjord {

template <class T>
struct Operation;
struct TapeSummary;

namespace record {

template <class T>
class SweepMemory;
template <class T>
class Watch;

/// Seconds since any fixed moment; a program gives it to a library, which sees no clock itself.
using Clock = double (*)();

}  // namespace record

using record::Node;

/// A growing list of nodes and the memory of their values; recording order is evaluation order.
///
/// A node is appended once and never changes. `rewind` ends the nodes after a mark; memory is kept
/// for the next recording, so a recording no longer than an earlier one allocates nothing.
/// Note:    A tape belongs to one thread at a time. There is no global tape.
template <class T>
class Tape final {
 public:
  /// A point of the recording to return to.
  struct Mark {
    std::size_t nodes = 0;
    std::uint32_t generation = 0;  ///< of the last node before the mark
    record::Arena::Mark values;
    record::Arena::Mark records;
  };

  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Appends a leaf with a copy of the numbers.
  Var<T> input(const Tensor<T>& numbers);
  /// Appends a leaf that reads the numbers in place if they are column-major, and copies them
  /// otherwise.
  ///
  /// Note:    Numbers read in place must stay as they are until the tape is rewound past the leaf.
  Var<T> borrow(const TensorView<T>& numbers);
  /// Appends a scalar leaf.
  Var<T> scalar(T number);
  /// Appends a leaf whose entries are all `number`.
  Var<T> filled(const NodeShape& shape, T number);
  /// The leaf that reads the parameter in place; one for each parameter, however often it is asked
  /// for.
  ///
  /// Note:    The parameter must live as long as the leaf is read.
  Var<T> bind(const Parameter<T>& parameter);

  std::size_t size() const { return nodes_.size(); }

  Mark mark() const;

  /// Whether the nodes before the mark are still those from when it was taken.
  bool is_valid(const Mark& mark) const {
    return mark.nodes == 0 ||
           (mark.nodes <= nodes_.size() && nodes_[mark.nodes - 1].generation == mark.generation);
  }

  /// Ends all nodes recorded after the mark; older handles stay valid.
  ///
  /// Errors:  std::invalid_argument unless is_valid(mark).
  void rewind(const Mark& mark);

  /// Ends all nodes.
  void clear() { rewind({}); }

  /// Bytes that the tape has taken from the system; it keeps them until it is destroyed.
  std::size_t capacity() const;

  /// Bytes that nodes with their values take now, with the ends of blocks of memory that they left.
  std::size_t used_bytes() const;

  /// The most bytes that nodes with their values have taken at once, and the buffers of sweeps.
  std::size_t peak_bytes() const;

  /// While on, stops at the first value or cotangent that is NaN or infinite.
  ///
  /// Errors:  std::range_error with operation, node, entry, shapes and labels: for a value as soon
  ///          as another node is recorded, a value is read or a sweep starts; for a derivative
  ///          at the end of a sweep, and only if a result of it is not finite.
  /// Note:    Of what a rule computes and a selection leaves out nothing is said. Off at first.
  void check_finite(bool on);
  /// While there is a clock, adds up the time by operation, from zero on; null ends it.
  void profile(record::Clock clock);
  /// Names a node until it ends.
  void label(const Var<T>& var, std::string text);
  /// The node's name; empty if it has none.
  std::string_view label_at(std::uint32_t index) const;
  /// Count, bytes and time by operation; to_string makes a table of it (diagnostics.hpp).
  TapeSummary summary() const;

  // For authors of operations (operation.hpp) and sweeps.

  /// As rewind, but parameters bound since the mark are bound anew; returns their leaves.
  std::vector<Var<T>> rewind_but_bound(const Mark& mark);

  /// How many parameters have leaves now.
  std::size_t bound_count() const { return bound_.size(); }

  /// Has the nodes from `first` on read `to` in place of `from`, sorted, of the same values.
  ///
  /// Returns false if they read other nodes from before `oldest`, which must not be.
  bool redirect(std::uint32_t first, std::uint32_t oldest, std::span<const std::uint32_t> from,
                std::span<const Var<T>> to);

  const Node<T>& node(std::uint32_t index) const { return nodes_[index]; }

  /// The node of a handle.
  ///
  /// Errors:  std::invalid_argument in the name of `op` if the handle is empty, of another tape, or
  ///          ended.
  const Node<T>& node(const Var<T>& var, const char* op) const {
    if (var.tape_ != this || var.index() >= nodes_.size() ||
        nodes_[var.index()].generation != var.generation()) [[unlikely]]
      reject(var, op);
    return nodes_[var.index()];
  }

  Var<T> var(std::uint32_t index) { return Var<T>(this, index, nodes_[index].generation); }

  /// Appends a leaf that reads column-major numbers in place, of a shape that the tape keeps.
  ///
  /// Note:    As for the other borrow.
  Var<T> borrow(const NodeShape& shape, const T* numbers) {
    return append({.value = numbers, .shape = shape});
  }

  /// Keeps a shape for nodes to come.
  NodeShape keep_shape(const Shape& shape);

  /// Uninitialised memory for a value, or for indices and attributes.
  ///
  /// Note:    Small values pack, aligned to 16 bytes at most: long sweeps take their time from
  ///          memory. Others begin a cache line.
  T* new_values(Index count) {
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
    const std::size_t align =
        bytes < 512 ? std::min(std::bit_ceil(bytes), std::size_t{16}) : record::Arena::alignment;
    return static_cast<T*>(values_.allocate(bytes, align));
  }

  template <class A>
  A* new_records(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<A>, "the tape runs no destructors: see own()");
    return static_cast<A*>(records_.allocate(count * sizeof(A), alignof(A)));
  }

  template <class A>
  const A* keep(const A& attributes) {
    return new (new_records<A>(1)) A(attributes);
  }

  /// Keeps an object that needs its destructor until the tape is rewound past the next node.
  void own(std::shared_ptr<const void> object) {
    owned_.push_back({nodes_.size(), std::move(object)});
  }

  /// Appends a node; its value is written by the caller, or is at `node.value` already.
  Var<T> append(const Node<T>& node) {
    return append(node.output, [&](Node<T>& kept) { kept = node; });
  }

  /// Appends a node that fill(Node&) assigns, all of it but its generation: faster than a copy.
  template <class Fill>
  Var<T> append(std::uint16_t output, Fill fill) {
    if (watch_ != nullptr && output == 0) [[unlikely]]
      settle();
    Node<T>& node = nodes_.extend();
    fill(node);
    node.generation = generation_;
    return Var<T>(this, static_cast<std::uint32_t>(nodes_.size() - 1), generation_);
  }

  /// What watches the tape; null if nothing does.
  record::Watch<T>* watch() const { return watch_; }

  /// Checks and times the nodes so far, if the tape is watched.
  void settle();

  /// Memory of the sweeps over this tape.
  record::SweepMemory<T>& sweep_memory() { return *sweep_memory_; }

 private:
  struct Bound {
    std::shared_ptr<const void> token;
    std::uint32_t index;
  };

  struct Owned {
    std::size_t index;
    std::shared_ptr<const void> object;
  };

  [[noreturn]] void reject(const Var<T>& var, const char* op) const;

  struct Label {
    std::uint32_t index;
    std::string text;
  };

  record::Watch<T>& kept_watch();
  void set_watch();

  record::NodeList<T> nodes_;
  record::Watch<T>* watch_ = nullptr;
  record::Arena values_;
  record::Arena records_;
  std::uint32_t generation_ = 1;  // grows with every rewind, so that ended handles are recognised
  std::vector<Bound> bound_;
  // Modules bind one parameter after another, and the same ones again: look first behind the last
  // one, then where the last such run began.
  std::size_t next_bound_ = 0;
  std::size_t run_of_bound_ = 0;
  std::vector<Owned> owned_;
  std::vector<Label> labels_;  // in the order of their nodes
  std::size_t peak_bytes_ = 0;
  std::unique_ptr<record::Watch<T>> kept_watch_;
  std::unique_ptr<record::SweepMemory<T>> sweep_memory_;
};

/// Rewinds a tape at the end of a scope to where it was at the beginning, also after an exception.
///
/// Note:    A scope within which the tape was rewound further, or cleared, leaves it as it is.
template <class T>
class RewindScope final {
 public:
  explicit RewindScope(Tape<T>& tape) : tape_(tape), mark_(tape.mark()) {}

  ~RewindScope() {
    if (tape_.is_valid(mark_)) tape_.rewind(mark_);
  }

  RewindScope(const RewindScope&) = delete;
  RewindScope& operator=(const RewindScope&) = delete;

 private:
  Tape<T>& tape_;
  typename Tape<T>::Mark mark_;
};

extern template class Tape<float>;
extern template class Tape<double>;

}  // namespace fjord
