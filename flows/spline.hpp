/// Monotone splines with linear tails.
#pragma once

#include "fjord/flows/transformer.hpp"

namespace fjord::flows {

struct SplineSettings {
  Index bins = 8;    ///< K, from 2 to 512
  double bound = 5;  ///< of the interval, > 0
};

/// A spline from [-bound, bound] to itself; beyond, the identity.
///
/// Source:  Durkan et al., Neural Spline Flows, NeurIPS 2019, sec. 3.1 (linear tails). The defaults
///          are zuko's.
template <class T>
class Spline : public Transformer<T> {
 public:
  WithLogSlope<T> apply(const Var<T>& x, const Var<T>& parameters) const final;
  WithLogSlope<T> invert(const Var<T>& y, const Var<T>& parameters) const final;
  nn::Description<T> describe() final;

 protected:
  /// Errors:  std::invalid_argument if a setting is out of its range.
  explicit Spline(const SplineSettings& settings);

  Index bins() const { return settings_.bins; }

 private:
  /// The map of the unit interval and its inverse.
  ///
  /// Shapes:  as of `apply`.
  virtual WithLogSlope<T> apply_unit(const Var<T>& u, const Var<T>& parameters) const = 0;
  virtual WithLogSlope<T> invert_unit(const Var<T>& v, const Var<T>& parameters) const = 0;
  /// Its type in model files.
  virtual const char* type() const = 0;

  using Map = WithLogSlope<T> (Spline::*)(const Var<T>&, const Var<T>&) const;
  WithLogSlope<T> within_bound(const Var<T>& x, const Var<T>& parameters, Map map) const;

  SplineSettings settings_;
};

/// The settings that a spline has in a model file.
template <class T>
SplineSettings read_spline(nn::PartReader<T>& reader) {
  return {reader.size("bins"), reader.number("bound")};
}

extern template class Spline<float>;
extern template class Spline<double>;

}  // namespace fjord::flows
