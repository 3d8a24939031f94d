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
                       const std::string& what) const;

 private:
  template <class>
  friend class RuleScope;

  static constexpr std::uint32_t none = 0xffffffff;

  Times& times_of(const char* op);
  void settle_time(const Tape<T>& tape);
  std::string rule_text(const Tape<T>& tape) const;

  std::size_t next_ = 0;  // the first node that is not settled
  double since_ = 0;      // when it was appended
  std::uint32_t rule_ = none;
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

}  // namespace fjord::record
