#include "fjord/flows/rank_parts.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <utility>

namespace fjord::flows {
namespace {

constexpr int no_rank = -1;

template <class V>
bool all_finite(std::span<V> numbers) {
  return std::ranges::all_of(numbers, [](V x) { return std::isfinite(x); });
}

template <class T>
std::size_t bytes_of_column(const RowBlock& block) {
  return static_cast<std::size_t>(block.rows) * sizeof(T);
}

}  // namespace

template <class T>
GradientParts<T>::GradientParts(int rank, TreeSum<T>& sum, std::size_t shards,
                                std::function<void()> compute)
    : SolveCombination(rank),
      rank_(rank),
      sum_(sum),
      shards_(shards),
      compute_(std::move(compute)) {}

template <class T>
std::optional<int> GradientParts<T>::take(std::string_view all) {
  sum_.reset(shards_);
  bad_rank_ = no_rank;
  add_part(all);
  return bad_rank_ == no_rank ? std::nullopt : std::optional(bad_rank_);
}

template <class T>
void GradientParts<T>::begin_part() {
  compute_();
  for (const TreeTerm<T>& node : sum_.nodes()) {
    if (!all_finite(node.values) || !all_finite(node.numbers)) bad_rank_ = rank_;
  }
}

template <class T>
void GradientParts<T>::add_part(std::string_view following) {
  int bad = no_rank;
  std::memcpy(&bad, following.data(), sizeof(bad));
  if (bad_rank_ == no_rank) bad_rank_ = bad;
  sum_.push_written(following.substr(sizeof(bad)));
}

template <class T>
void GradientParts<T>::append_part(std::string& message) const {
  message.append(reinterpret_cast<const char*>(&bad_rank_), sizeof(bad_rank_));
  sum_.write(message);
}

template <class T>
RowParts<T>::RowParts(int rank, const RowBlock& own, Tensor<T>& values,
                      std::function<double()> compute)
    : SolveCombination(rank), own_(own), values_(values), compute_(std::move(compute)) {}

template <class T>
double RowParts<T>::take(std::string_view all) const {
  double evaluations = 0;
  while (!all.empty()) {
    RowBlock block;
    std::memcpy(static_cast<void*>(&block), all.data(), sizeof(block));
    all.remove_prefix(sizeof(block));
    evaluations += block.evaluations;
    const std::size_t bytes = bytes_of_column<T>(block);
    for (Index d = 0; d < columns(); ++d) {
      if (bytes > 0) std::memcpy(column(block, d), all.data(), bytes);
      all.remove_prefix(bytes);
    }
  }
  return evaluations;
}

template <class T>
void RowParts<T>::begin_part() {
  own_.evaluations = compute_();
}

template <class T>
void RowParts<T>::add_part(std::string_view following) {
  following_ += following;
}

template <class T>
void RowParts<T>::append_part(std::string& message) const {
  message.append(reinterpret_cast<const char*>(&own_), sizeof(own_));
  for (Index d = 0; d < columns(); ++d)
    message.append(reinterpret_cast<const char*>(column(own_, d)), bytes_of_column<T>(own_));
  message += following_;
}

template <class T>
Index RowParts<T>::columns() const {
  return values_.shape().rank() == 1 ? 1 : values_.shape()[1];
}

template <class T>
T* RowParts<T>::column(const RowBlock& block, Index d) const {
  return values_.data() + d * values_.shape()[0] + block.first;
}

template class GradientParts<float>;
template class GradientParts<double>;
template class RowParts<float>;
template class RowParts<double>;

}  // namespace fjord::flows
