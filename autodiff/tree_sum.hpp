/// Sums with the same bits whoever has the terms.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fjord {

/// A term, or the sum of the terms [first, last): the numbers of a gradient, and a few in double.
template <class T>
struct TreeTerm {
  std::size_t first = 0;
  std::size_t last = 0;
  std::span<T> values;
  std::span<double> numbers;
};

/// Sums numbered terms along one binary tree over the numbers of all terms: those of 2^k terms that
/// begin at a multiple of 2^k are added first, to those of the 2^k terms before them.
///
/// Every node of the tree is added as soon as both of its halves are there. The sums of some terms
/// therefore have the same bits whether all were pushed here, or came as nodes from elsewhere; and
/// a sum over many terms keeps its digits.
template <class T>
class TreeSum final {
 public:
  /// Begins anew, for a sum of so many terms.
  void reset(std::size_t terms);

  /// Adds the term that follows those that are here. Its numbers are overwritten, and must stay
  /// until the sum was read.
  ///
  /// Errors:  std::invalid_argument if it does not follow, or has other sizes.
  void push(const TreeTerm<T>& term);
  /// Adds the terms of another sum, which write() wrote, and which follow those that are here;
  /// errors as push().
  void push_written(std::string_view bytes);
  /// Appends what is here to bytes: nodes of the tree, at most two for every doubling of the terms.
  void write(std::string& bytes) const;

  /// The nodes that are left; one if all terms are here.
  std::span<const TreeTerm<T>> nodes() const { return nodes_; }

 private:
  struct Copy {
    std::vector<T> values;
    std::vector<double> numbers;
  };

  bool has_sibling_at_end() const;
  // Memory for a node that came as bytes.
  Copy& copy_of(std::size_t values, std::size_t numbers);

  std::size_t terms_ = 0;
  std::vector<TreeTerm<T>> nodes_;  // in the order of the terms
  std::vector<Copy> copies_;        // kept from sum to sum
  std::size_t used_copies_ = 0;
};

extern template class TreeSum<float>;
extern template class TreeSum<double>;

}  // namespace fjord
