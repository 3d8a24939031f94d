#include "fjord/ode/plain_space.hpp"

#include <algorithm>

namespace fjord::ode {

PlainSpace::PlainSpace(const PlainField& f, Index size)
    : f_(f), size_(static_cast<std::size_t>(size)), padded_((size_ + block - 1) / block * block) {
  while (vectors_.size() < 2 * (max_kept + max_stages)) grow();
}

void PlainSpace::grow() {
  memory_.push_back(std::make_unique<double[]>(std::max<std::size_t>(padded_, 1)));
  vectors_.push_back(memory_.back().get());
}

double* PlainSpace::combine(const double* y, std::span<const double> weights,
                            std::span<double* const> slopes) {
  const double h = times_.t_next - times_.t;
  double* const out = new_vector();
  if (size_ <= few) {
    // Number by number: a field has just written some of them so, and reading those as one register
    // would wait until they are in the cache.
    for (std::size_t i = 0; i < size_; ++i) {
      double sum = y[i];
      for (std::size_t j = 0; j < weights.size(); ++j) {
        if (weights[j] != 0) sum += h * weights[j] * slopes[j][i];
      }
      out[i] = sum;
    }
    return out;
  }
  for (std::size_t i = 0; i < padded_; i += block) {
    std::array<double, block> sums;
    for (std::size_t k = 0; k < block; ++k) sums[k] = y[i + k];
    for (std::size_t j = 0; j < weights.size(); ++j) {
      if (weights[j] == 0) continue;
      const double factor = h * weights[j];
      for (std::size_t k = 0; k < block; ++k) sums[k] += factor * slopes[j][i + k];
    }
    for (std::size_t k = 0; k < block; ++k) out[i + k] = sums[k];
  }
  return out;
}

double* PlainSpace::move_half(const double* y, double weight, const double* slope, bool second) {
  check_halves(static_cast<Index>(size_));
  const double step = weight * (times_.t_next - times_.t);
  double* const out = new_vector();
  std::copy_n(y, padded_, out);
  const std::size_t begin = second ? size_ / 2 : 0;
  for (std::size_t i = begin; i < begin + size_ / 2; ++i) out[i] += step * slope[i];
  return out;
}

bool PlainSpace::linearize(double c, double weight, const double* y, const double* there) {
  const auto slope_numbers = [&](std::span<const double> at, std::span<double> out) {
    ++evaluations_;
    f_(times_.stage(c), at, out);
  };
  return newton_matrix_.assign(weight * (times_.t_next - times_.t), {y, size_}, {there, size_},
                               std::cref(slope_numbers));
}

double* PlainSpace::correct(const double* y, const double* image) {
  double* const out = new_vector();
  for (std::size_t i = 0; i < size_; ++i) out[i] = image[i] - y[i];
  newton_matrix_.divide({out, size_});
  for (std::size_t i = 0; i < size_; ++i) out[i] += y[i];
  return out;
}

double* PlainSpace::settle(Mark mark, const double* vector) {
  rewind(mark);
  double* const out = new_vector();
  std::copy_n(vector, padded_, out);
  return out;
}

void PlainSpace::keep(std::span<double** const> vectors) {
  bank_ = max_kept - bank_;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (*vectors[i] == nullptr) continue;
    double* const to = vectors_[bank_ + i];
    const double* const from = *vectors[i];
    for (std::size_t k = 0; k < size_; ++k) to[k] = from[k];
    *vectors[i] = to;
  }
  used_ = 2 * max_kept;
}

}  // namespace fjord::ode
