#include "fjord/flows/standardise.hpp"

#include <cmath>
#include <type_traits>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/columns.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {
namespace {

// Scores and samples of columns far from 0, whose numbers float rounds by more than a hundredth of
// their scale, would have nothing wrong about them but their digits.
void check_float_resolves(const std::vector<double>& means, const std::vector<double>& scales) {
  constexpr double most_scales = 0x1p17;  // beyond, a rounding error is above 2^-7 scales
  for (std::size_t d = 0; d < means.size(); ++d) {
    require(std::abs(means[d]) <= most_scales * scales[d], "standardise", [&] {
      return "column " + std::to_string(d + 1) + ": float does not tell numbers around " +
             ode::short_number(means[d]) + " with the scale " + ode::short_number(scales[d]) +
             " apart; compute in double";
    });
  }
}

}  // namespace

template <class T>
Standardise<T>::Standardise(std::vector<double> mean, std::vector<double> scale)
    : means_(std::move(mean)), scales_(std::move(scale)) {
  require(means_.size() == scales_.size(), "standardise", [&] {
    return "as many means as scales are needed, got " + std::to_string(means_.size()) + " and " +
           std::to_string(scales_.size());
  });
  mean_ = column_numbers<T>(means_, Needed::finite, "standardise");
  scale_ = column_numbers<T>(scales_, Needed::positive, "standardise");
  if constexpr (std::is_same_v<T, float>) check_float_resolves(means_, scales_);
  double sum = 0;
  for (const T s : scale_.storage()) sum += std::log(static_cast<double>(s));
  log_det_ = static_cast<T>(sum);
}

template <class T>
std::unique_ptr<Standardise<T>> Standardise<T>::of_rows(const Tensor<T>& rows) {
  const ColumnMoments moments = column_moments<T>(rows, "standardise");
  return std::make_unique<Standardise>(moments.mean, column_deviations(moments, "standardise"));
}

template <class T>
WithLogDet<T> Standardise<T>::forward_with_log_det(const Var<T>& x, Context<T>&) const {
  check_rows(x, mean_.size(), "standardise");
  Tape<T>& tape = x.tape();
  return {x * tape.input(scale_) + tape.input(mean_), log_det_of_rows(x, tape.scalar(log_det_))};
}

template <class T>
WithLogDet<T> Standardise<T>::inverse_with_log_det(const Var<T>& y, Context<T>&) const {
  check_rows(y, mean_.size(), "standardise");
  Tape<T>& tape = y.tape();
  return {(y - tape.input(mean_)) / tape.input(scale_), log_det_of_rows(y, tape.scalar(-log_det_))};
}

template <class T>
nn::Description<T> Standardise<T>::describe() {
  return nn::Description<T>("standardise").set("mean", means_).set("scale", scales_);
}

template class Standardise<float>;
template class Standardise<double>;

}  // namespace fjord::flows
