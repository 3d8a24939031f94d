#include "fjord/apps/common/row_levels.hpp"

#include <algorithm>
#include <numeric>

#include "fjord/apps/common/levels.hpp"

namespace fjord::apps {
namespace {

// What is given of some rows, each so many times.
template <class T>
Tensor<T> repeated_given(const flows::RowSource<T>& rows, Index first, Index end, Index times) {
  std::vector<std::uint32_t> places(static_cast<std::size_t>(end - first));
  std::iota(places.begin(), places.end(), static_cast<std::uint32_t>(first));
  Tensor<T> values = Tensor<T>::zeros({end - first, rows.dim()});
  Tensor<T> given = Tensor<T>::zeros({end - first, rows.given_width()});
  rows.read(places, values.data(), given.data());
  Tensor<T> result = Tensor<T>::zeros({(end - first) * times, rows.given_width()});
  for (Index k = 0; k < rows.given_width(); ++k)
    for (Index i = 0; i < result.shape()[0]; ++i) result(i, k) = given(i / times, k);
  return result;
}

}  // namespace

template <class T>
std::vector<double> RowLevels<T>::of(const std::vector<double>& log_densities,
                                     const flows::RowSource<T>& rows, Index first_row) {
  if (rows.given_width() > 0) return own(log_densities, rows, first_row);
  constexpr Index samples = 9'999;
  if (!shared_) shared_ = sampled(samples, Tensor<T>::zeros({0}), 0);
  return levels_among(log_densities, *shared_);
}

template <class T>
std::vector<double> RowLevels<T>::own(const std::vector<double>& log_densities,
                                      const flows::RowSource<T>& rows, Index first_row) {
  constexpr Index samples = 999;
  constexpr Index rows_at_once = 64;
  std::vector<double> levels;
  for (Index first = 0; first < rows.rows(); first += rows_at_once) {
    const Index end = std::min(rows.rows(), first + rows_at_once);
    const std::vector<double> some(log_densities.begin() + first, log_densities.begin() + end);
    const std::vector<double> drawn = sampled(
        (end - first) * samples, repeated_given(rows, first, end, samples), first_row + first);
    for (const double level : levels_among_own(some, drawn, samples)) levels.push_back(level);
  }
  return levels;
}

// The log-densities of samples.
template <class T>
std::vector<double> RowLevels<T>::sampled(Index count, const Tensor<T>& given, Index use) {
  const TensorView<T> view = given.size() == 0 ? TensorView<T>() : TensorView<T>(given);
  const RandomKey key = random_.fold(static_cast<std::uint64_t>(use));
  const Tensor<T> samples = model_.sample(count, key, view).values;
  const flows::TableRows<T> rows(samples, view);
  return model_.log_prob(rows, key).values.template as<double>().to_vector();
}

template class RowLevels<float>;
template class RowLevels<double>;

}  // namespace fjord::apps
