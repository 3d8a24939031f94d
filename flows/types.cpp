#include "fjord/flows/types.hpp"

#include <array>

#include "fjord/flows/affine.hpp"
#include "fjord/flows/affine_transformer.hpp"
#include "fjord/flows/autoregressive.hpp"
#include "fjord/flows/conditional_affine.hpp"
#include "fjord/flows/coupling.hpp"
#include "fjord/flows/distribution.hpp"
#include "fjord/flows/elementwise_maps.hpp"
#include "fjord/flows/ffjord.hpp"
#include "fjord/flows/linear_maps.hpp"
#include "fjord/flows/mlp_field.hpp"
#include "fjord/flows/normalization.hpp"
#include "fjord/flows/permutation.hpp"
#include "fjord/flows/planar.hpp"
#include "fjord/flows/polynomial_splines.hpp"
#include "fjord/flows/potential_field.hpp"
#include "fjord/flows/radial.hpp"
#include "fjord/flows/rational_quadratic.hpp"
#include "fjord/flows/residual_field.hpp"
#include "fjord/flows/skew_maps.hpp"
#include "fjord/flows/stack.hpp"
#include "fjord/flows/standardise.hpp"
#include "fjord/flows/sum_of_squares.hpp"
#include "fjord/flows/time_mlp_field.hpp"
#include "fjord/flows/unconstrained_monotonic.hpp"
#include "fjord/nn/modules.hpp"

namespace fjord::flows {

using nn::part_type;

template <class T>
std::span<const nn::PartType<T>> vector_fields() {
  static constexpr std::array types{part_type<T, MlpField<T>>("mlp_field"),
                                    part_type<T, PotentialField<T>>("potential_field"),
                                    part_type<T, ResidualField<T>>("residual_field"),
                                    part_type<T, TimeMlpField<T>>("time_mlp_field")};
  return types;
}

template <class T>
std::span<const nn::PartType<T>> bijectors() {
                                    part_type<T, Affine<T>>("affine"),
                                    part_type<T, Chain<T>>("chain"),
                                    part_type<T, ConditionalAffine<T>>("conditional_affine"),
                                    part_type<T, Coupling<T>>("coupling"),
                                    part_type<T, Exp<T>>("exp"),
                                    part_type<T, Ffjord<T>>("ffjord"),
                                    part_type<T, Householder<T>>("householder"),
                                    part_type<T, Identity<T>>("identity"),
                                    part_type<T, Inverse<T>>("inverse"),
                                    part_type<T, LuLinear<T>>("lu_linear"),
                                    part_type<T, MovingBatchNorm<T>>("moving_batch_norm"),
                                    part_type<T, Permutation<T>>("permutation"),
                                    part_type<T, Planar<T>>("planar"),
                                    part_type<T, Power<T>>("power"),
                                    part_type<T, Radial<T>>("radial")};
                                    part_type<T, Scale<T>>("scale"),
                                    part_type<T, Shift<T>>("shift"),
                                    part_type<T, Sigmoid<T>>("sigmoid"),
                                    part_type<T, SinhArcsinh<T>>("sinh_arcsinh"),
                                    part_type<T, SoftClip<T>>("soft_clip"),
                                    part_type<T, Softplus<T>>("softplus"),
                                    part_type<T, Stack<T>>("stack"),
                                    part_type<T, Standardise<T>>("standardise"),
                                    part_type<T, Tanh<T>>("tanh"),
                                    part_type<T, Triangular<T>>("triangular"),
                                    part_type<T, YeoJohnson<T>>("yeo_johnson")};
      part_type<T, Autoregressive<T>>("autoregressive"), part_type<T, Chain<T>>("chain"),
      part_type<T, Coupling<T>>("coupling"), part_type<T, Ffjord<T>>("ffjord"),
      part_type<T, Inverse<T>>("inverse")};
  static constexpr std::array types{part_type<T, ActNorm<T>>("act_norm"),
  static constexpr std::array types{part_type<T, Autoregressive<T>>("autoregressive"),
  static constexpr std::array types{
  return types;
}

template <class T>
std::span<const nn::PartType<T>> distributions() {
  static constexpr std::array types{part_type<T, DiagonalNormal<T>>("diagonal_normal"),
                                    part_type<T, TransformedDistribution<T>>("transformed")};
  return types;
}

template <class T>
std::span<const nn::PartType<T>> transformers() {
  static constexpr std::array types{
      part_type<T, AdditiveTransformer<T>>("additive"),
      part_type<T, AffineTransformer<T>>("affine"),
      part_type<T, CubicSpline<T>>("cubic_spline"),
      part_type<T, LinearSpline<T>>("linear_spline"),
      part_type<T, QuadraticSpline<T>>("quadratic_spline"),
      part_type<T, RationalQuadraticSpline<T>>("rational_quadratic"),
      part_type<T, SumOfSquares<T>>("sum_of_squares"),
      part_type<T, UnconstrainedMonotonic<T>>("unconstrained_monotonic")};
  return types;
}

template <class T>
const nn::PartTypes<T>& all_types() {
  static const nn::PartTypes<T> types = [] {
    nn::PartTypes<T> all;
    all.add(nn::modules<T>());
    all.add(vector_fields<T>());
    all.add(bijectors<T>());
    all.add(distributions<T>());
    all.add(transformers<T>());
    return all;
  }();
  return types;
}

#define FJORD_INSTANTIATE(T)                                 \
  template std::span<const nn::PartType<T>> vector_fields(); \
  template std::span<const nn::PartType<T>> bijectors();     \
  template std::span<const nn::PartType<T>> distributions(); \
  template std::span<const nn::PartType<T>> transformers();  \
  template const nn::PartTypes<T>& all_types();
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::flows
