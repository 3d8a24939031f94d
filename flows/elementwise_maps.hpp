/// Fixed maps of every number: between the line and a part of it.
///
/// A support is given to a flow as its last map: Softplus or Exp for positive numbers, Sigmoid for
/// an interval. Inverses, as the logit and the logarithm, are Inverse of them.
#pragma once

#include "fjord/flows/elementwise.hpp"
#include "fjord/flows/image.hpp"

namespace fjord::flows {

/// y = e^x > 0.
template <class T>
class Exp final : public Elementwise<T>, public WithImage {
 public:
  Exp() = default;

  explicit Exp(nn::PartReader<T>&) {}

  nn::Description<T> describe() override;

  OpenInterval image(Index) const override { return {.low = 0}; }

 private:
  Var<T> map(const Var<T>& x) const override;
  Var<T> map_back(const Var<T>& y) const override;
  Var<T> log_slope(const Var<T>& x) const override;
};

/// y = log(1 + e^x) > 0.
template <class T>
class Softplus final : public Elementwise<T>, public WithImage {
 public:
  Softplus() = default;

  explicit Softplus(nn::PartReader<T>&) {}

  nn::Description<T> describe() override;

  OpenInterval image(Index) const override { return {.low = 0}; }

 private:
  Var<T> map(const Var<T>& x) const override;
  Var<T> map_back(const Var<T>& y) const override;
  Var<T> log_slope(const Var<T>& x) const override;
};

/// y = tanh(x), in (-1, 1).
///
/// Note:    Where |x| is above some 19 (float: 9), y is rounded to -1 or 1, which has no inverse.
template <class T>
class Tanh final : public Elementwise<T>, public WithImage {
 public:
  Tanh() = default;

  explicit Tanh(nn::PartReader<T>&) {}

  nn::Description<T> describe() override;

  OpenInterval image(Index) const override { return {-1, 1}; }

 private:
  Var<T> map(const Var<T>& x) const override;
  Var<T> map_back(const Var<T>& y) const override;
  Var<T> log_slope(const Var<T>& x) const override;
};

/// y = low + (high - low) / (1 + e^-x), in (low, high).
///
/// Note:    As for Tanh, y is rounded to an end of the interval where |x| is large.
template <class T>
class Sigmoid final : public Elementwise<T>, public WithImage {
 public:
  /// Errors:  std::invalid_argument unless low < high, both finite, in T.
  explicit Sigmoid(double low = 0, double high = 1);

  explicit Sigmoid(nn::PartReader<T>& reader)
      : Sigmoid(reader.number("low"), reader.number("high")) {}

  nn::Description<T> describe() override;

  OpenInterval image(Index) const override { return {low_, high_}; }

 private:
  Var<T> map(const Var<T>& x) const override;
  Var<T> map_back(const Var<T>& y) const override;
  Var<T> log_slope(const Var<T>& x) const override;

  double low_;
  double high_;
};

/// y = x^exponent, of positive numbers.
template <class T>
class Power final : public Elementwise<T>, public WithImage {
 public:
  /// Errors:  std::invalid_argument if the exponent is 0 or not finite in T.
  explicit Power(double exponent);

  explicit Power(nn::PartReader<T>& reader) : Power(reader.number("exponent")) {}

  nn::Description<T> describe() override;

  OpenInterval image(Index) const override { return {.low = 0}; }

 private:
  Var<T> map(const Var<T>& x) const override;
  Var<T> map_back(const Var<T>& y) const override;
  Var<T> log_slope(const Var<T>& x) const override;

  double exponent_;
};

/// Nearly the identity inside (low, high), which is its range: with s(x) = hinge log(1 + e^(x /
/// hinge)) and w = high - low,
///
///     y = high - s(w - s(x - low)) w / s(w).
///
/// Source:  TensorFlow Probability, tfp.bijectors.SoftClip.
template <class T>
class SoftClip final : public Elementwise<T>, public WithImage {
 public:
  /// Errors:  std::invalid_argument unless low < high and hinge > 0, all finite, in T.
  SoftClip(double low, double high, double hinge);

  explicit SoftClip(nn::PartReader<T>& reader)
      : SoftClip(reader.number("low"), reader.number("high"), reader.number("hinge")) {}

  nn::Description<T> describe() override;

  OpenInterval image(Index) const override { return {low_, high_}; }

 private:
  Var<T> map(const Var<T>& x) const override;
  Var<T> map_back(const Var<T>& y) const override;
  Var<T> log_slope(const Var<T>& x) const override;
  // w / s(w).
  T stretch() const;

  double low_;
  double high_;
  double hinge_;
};

extern template class Exp<float>;
extern template class Exp<double>;
extern template class Softplus<float>;
extern template class Softplus<double>;
extern template class Tanh<float>;
extern template class Tanh<double>;
extern template class Sigmoid<float>;
extern template class Sigmoid<double>;
extern template class Power<float>;
extern template class Power<double>;
extern template class SoftClip<float>;
extern template class SoftClip<double>;

}  // namespace fjord::flows
