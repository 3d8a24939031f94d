/// What a tape sees of itself while it is watched: numbers that are not finite, and time.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "fjord/autodiff/tape.hpp"

namespace fjord::record {

/// The open ends of a watch over a tape; a tape that is not watched has none.
///
/// A node's value is complete when the next one is appended, or when somebody reads it: then the
/// nodes since the last such point are settled.
template <class T>
class Watch final {
 public:
  struct Times {
    double record = 0;  ///< seconds from recording to settling
    double sweep = 0;   ///< seconds in sweeps of values
  };

  bool checks = false;
  Clock clock = nullptr;
  std::map<std::string, Times, std::less<>> times;  ///< by the names of operations

  /// Takes all nodes so far as settled.
  void skip(const Tape<T>& tape);
  /// Settles the nodes so far.
  ///
  /// Errors:  std::range_error if one of them is not finite, once for each.
  void settle(const Tape<T>& tape);
  /// Settles the time of the nodes so far, and forgets those that a rewind will end.
  void rewind(const Tape<T>& tape, std::size_t nodes);

  /// Adds the time of a rule, from `start` until now.
  void add_sweep(const char* op, double start) { times_of(op).sweep += clock() - start; }

  /// Errors:  std::range_error if the cotangent of a node is not finite; `what` says whose it is.
  void check_cotangent(const Tape<T>& tape, std::uint32_t node, const T* cotangent,
                       const std::string& what);

 private:
  template <class>
  friend class RuleScope;
  template <class>
  friend class SweepScope;

  static constexpr std::uint32_t none = 0xffffffff;

  Times& times_of(const char* op);
  void settle_time(const Tape<T>& tape);
  std::string rule_text(const Tape<T>& tape) const;
  void report(const std::string& text);

  std::size_t next_ = 0;  // the first node that is not settled
  double since_ = 0;      // when it was appended
  std::uint32_t rule_ = none;
  int sweeps_ = 0;    // that are under way, one within another
  std::string held_;  // what the outermost has found first
};

/// Holds back, while it lives, what is found not to be finite: rules compute such numbers, too,
/// that a selection then leaves out, so only the results of a sweep tell. Does nothing without a
/// watch.
template <class T>
class SweepScope final {
 public:
  explicit SweepScope(Watch<T>* watch) : watch_(watch) {
    if (watch_ != nullptr) [[unlikely]]
      ++watch_->sweeps_;
  }

  ~SweepScope() {
    if (watch_ != nullptr && --watch_->sweeps_ == 0) [[unlikely]]
      watch_->held_.clear();
  }

  SweepScope(const SweepScope&) = delete;
  SweepScope& operator=(const SweepScope&) = delete;

  /// Ends the sweep.
  ///
  /// Errors:  std::range_error if it is the outermost and has a result that is not finite.
  void finish(const Tape<T>& tape, std::span<const TensorView<T>> results);

 private:
  Watch<T>* watch_;
};

/// Names, while it lives, the node whose recorded rule is running; does nothing without a watch.
template <class T>
class RuleScope final {
 public:
  RuleScope(Watch<T>* watch, std::uint32_t head) : watch_(watch) {
    if (watch_ != nullptr) [[unlikely]]
      outer_ = std::exchange(watch_->rule_, head);
  }

  ~RuleScope() {
    if (watch_ != nullptr) [[unlikely]]
      watch_->rule_ = outer_;
  }

  RuleScope(const RuleScope&) = delete;
  RuleScope& operator=(const RuleScope&) = delete;

 private:
  Watch<T>* watch_;
  std::uint32_t outer_ = 0;
};

/// The name of a node's operation; "leaf" if it has none.
template <class T>
const char* operation_name(const Tape<T>& tape, std::uint32_t index);

extern template class Watch<float>;
extern template class Watch<double>;
extern template class SweepScope<float>;
extern template class SweepScope<double>;

}  // namespace fjord::record
