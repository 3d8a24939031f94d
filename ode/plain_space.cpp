#include "fjord/ode/plain_space.hpp"

#include <algorithm>

#include "fjord/ode/few.hpp"

namespace fjord::ode {
namespace {

// Sums of many numbers run over whole blocks of so many: those behind a state's end stay zeros.
constexpr std::size_t block = 8;

template <std::size_t n>
void combine_few(const double* y, double h, std::span<const double> weights, double* const* slopes,
                 double* out, std::size_t) {
  const std::array<double, n> sums =
      sum_of_few<n, double>(y, h, weights.data(), slopes, weights.size());
  for_few<n>([&](std::size_t i) { out[i] = sums[i]; });
}

void combine_many(const double* y, double h, std::span<const double> weights, double* const* slopes,
                  double* out, std::size_t size) {
  for (std::size_t at = 0; at < size; at += block) {
    std::array<double, block> sums;
    for (std::size_t i = 0; i < block; ++i) sums[i] = y[at + i];
    for (std::size_t j = 0; j < weights.size(); ++j) {
      if (weights[j] == 0) continue;
      const double factor = h * weights[j];
      const double* const slope = slopes[j] + at;
      for (std::size_t i = 0; i < block; ++i) sums[i] += factor * slope[i];
    }
    for (std::size_t i = 0; i < block; ++i) out[at + i] = sums[i];
  }
}

constexpr std::array combine_by_size{&combine_many,   &combine_few<1>, &combine_few<2>,
                                     &combine_few<3>, &combine_few<4>, &combine_few<5>,
                                     &combine_few<6>, &combine_few<7>, &combine_few<8>};

}  // namespace

PlainSpace::PlainSpace(const PlainField& f, Index size)
    : f_(f),
      size_(static_cast<std::size_t>(size)),
      combine_(combine_by_size[size_ <= few ? size_ : 0]) {
  while (vectors_.size() < 2 * (max_kept + max_stages)) grow();
}

void PlainSpace::grow() {
  memory_.push_back(std::make_unique<double[]>((size_ / block + 1) * block));
  vectors_.push_back(memory_.back().get());
}

double* PlainSpace::move_half(const double* y, double weight, const double* slope, bool second) {
  check_halves(static_cast<Index>(size_));
  const double step = weight * h_;
  double* const out = new_vector();
  std::copy_n(y, size_, out);
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
  std::copy_n(vector, size_, out);
  return out;
}

void PlainSpace::keep(std::span<double** const> vectors) {
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (*vectors[i] == nullptr) continue;
    // Mostly it is one of a step's last ones.
    std::size_t at = used_ - 1;
    while (vectors_[at] != *vectors[i]) --at;
    if (at < i) {
      // It is in the list twice: the second one is a copy.
      at = used_;
      std::copy_n(*vectors[i], size_, new_vector());
      *vectors[i] = vectors_[at];
    }
    std::swap(vectors_[at], vectors_[i]);
  }
  used_ = max_kept;
}

}  // namespace fjord::ode
