#include "fjord/apps/density/normal_maps.hpp"

#include <cmath>

#include "fjord/flows/conditional_affine.hpp"
#include "fjord/flows/linear_maps.hpp"

namespace fjord::apps::density {
namespace {

// A x + shift that makes of N(0, I) the normal distribution of the numbers after the first `given`,
// but for the shift that depends on these.
template <class T>
std::unique_ptr<flows::Bijector<T>> make_triangular(const Gaussian& normal, std::size_t given) {
  const std::size_t n = normal.mean().size();
  auto map = std::make_unique<flows::Triangular<T>>(static_cast<Index>(n - given));
  const nn::NamedParameters<T> parameters = nn::parameters_of(*map);
  const std::span<T> shift = parameters[0].parameter->mutable_values();
  const std::span<T> triangle = parameters[1].parameter->mutable_values();
  for (std::size_t i = given, at = 0; i < n; ++i) {
    shift[i - given] = static_cast<T>(normal.mean()[i]);
    for (std::size_t k = given; k < i; ++k) triangle[at++] = static_cast<T>(normal.factor(i, k));
    triangle[at++] = static_cast<T>(std::log(normal.factor(i, i)));
  }
  return map;
}

// The slopes of row i of the mean in the given numbers g: with the factor L of the covariance, in
// blocks, the mean is m + L_cg L_gg^-1 (g - m_g).
std::vector<double> slopes_of(const Gaussian& normal, std::size_t given, std::size_t i) {
  std::vector<double> slopes(given);
  for (std::size_t k = given; k-- > 0;) {
    double sum = normal.factor(i, k);
    for (std::size_t j = k + 1; j < given; ++j) sum -= slopes[j] * normal.factor(j, k);
    slopes[k] = sum / normal.factor(k, k);
  }
  return slopes;
}

// Its scale is that of the normal distribution at first, and then between a twentieth and twenty
// times as much: rows whose given numbers are far out go on as straight lines do, with a noise that
// does not grow as an exponential.
template <class T>
std::unique_ptr<flows::Bijector<T>> make_shift(const Gaussian& normal, std::size_t given) {
  const std::size_t dim = normal.mean().size() - given;
  auto map = std::make_unique<flows::ConditionalAffine<T>>(
      static_cast<Index>(dim), static_cast<Index>(given),
      flows::ConditionalAffineOptions{.hidden = {}, .bound = 3}, RandomKey(0));
  const nn::NamedParameters<T> parameters = nn::parameters_of(*map);
  const std::span<T> weight = parameters[0].parameter->mutable_values();  // [2 D, G]
  const std::span<T> bias = parameters[1].parameter->mutable_values();
  for (std::size_t d = 0; d < dim; ++d) {
    const std::vector<double> slopes = slopes_of(normal, given, given + d);
    double at_zero = 0;
    for (std::size_t k = 0; k < given; ++k) {
      weight[k * 2 * dim + d] = static_cast<T>(slopes[k]);
      at_zero -= slopes[k] * normal.mean()[k];
    }
    bias[d] = static_cast<T>(at_zero);
  }
  return map;
}

}  // namespace

template <class T>
std::vector<std::unique_ptr<flows::Bijector<T>>> normal_maps(const Gaussian& normal, Index given) {
  const auto known = static_cast<std::size_t>(given);
  std::vector<std::unique_ptr<flows::Bijector<T>>> maps;
  maps.push_back(make_triangular<T>(normal, known));
  if (given > 0) maps.push_back(make_shift<T>(normal, known));
  return maps;
}

template std::vector<std::unique_ptr<flows::Bijector<float>>> normal_maps(const Gaussian&, Index);
template std::vector<std::unique_ptr<flows::Bijector<double>>> normal_maps(const Gaussian&, Index);

}  // namespace fjord::apps::density
