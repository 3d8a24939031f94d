#include "fjord/flows/types.hpp"

#include <array>

#include "fjord/flows/affine.hpp"
#include "fjord/flows/affine_transformer.hpp"
#include "fjord/flows/autoregressive.hpp"
#include "fjord/flows/conditional_affine.hpp"
#include "fjord/flows/coupling.hpp"
#include "fjord/flows/distribution.hpp"
#include "fjord/flows/distributions/beta.hpp"
#include "fjord/flows/distributions/categorical.hpp"
#include "fjord/flows/distributions/cauchy.hpp"
#include "fjord/flows/distributions/dirichlet.hpp"
#include "fjord/flows/distributions/exponential.hpp"
#include "fjord/flows/distributions/full_normal.hpp"
#include "fjord/flows/distributions/gamma.hpp"
#include "fjord/flows/distributions/half_normal.hpp"
#include "fjord/flows/distributions/laplace.hpp"
#include "fjord/flows/distributions/log_normal.hpp"
#include "fjord/flows/distributions/logistic.hpp"
#include "fjord/flows/distributions/low_rank_normal.hpp"
#include "fjord/flows/distributions/mixture.hpp"
#include "fjord/flows/distributions/product.hpp"
#include "fjord/flows/distributions/student_t.hpp"
#include "fjord/flows/distributions/truncated.hpp"
#include "fjord/flows/distributions/uniform.hpp"
#include "fjord/flows/distributions/von_mises.hpp"
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
#include "fjord/flows/residual_flow.hpp"
#include "fjord/flows/skew_maps.hpp"
#include "fjord/flows/stack.hpp"
#include "fjord/flows/standardise.hpp"
#include "fjord/flows/standardise_given.hpp"
#include "fjord/flows/sum_of_squares.hpp"
#include "fjord/flows/sylvester.hpp"
#include "fjord/flows/time_mlp_field.hpp"
#include "fjord/flows/unconstrained_monotonic.hpp"
#include "fjord/nn/modules.hpp"

namespace fjord::flows {

using nn::part_type;

namespace {

// How inverses are found, for docs/flows.md.
constexpr const char* closed = "closed";
constexpr const char* by_solve = "solve";
constexpr const char* of_parts = "that of its parts";
constexpr const char* of_transformer = "that of its transformer";

}  // namespace

template <class T>
std::span<const nn::PartType<T>> vector_fields() {
  static constexpr std::array types{
      part_type<T, MlpField<T>>("mlp_field", "a network of the time, the row and what is given"),
      part_type<T, PotentialField<T>>(
          "potential_field",
          "minus the gradient of OT-Flow's potential, with its trace in closed form"),
      part_type<T, ResidualField<T>>("residual_field",
                                     "a residual network of the time and the row"),
      part_type<T, TimeMlpField<T>>("time_mlp_field",
                                    "a network whose layers take the time: FFJORD's eight kinds")};
  return types;
}

template <class T>
std::span<const nn::PartType<T>> bijectors() {
  static constexpr std::array types{
      part_type<T, ActNorm<T>>("act_norm",
                               "an affine map that gives the first rows of training mean 0 and "
                               "variance 1, then trained",
                               closed),
      part_type<T, Affine<T>>("affine", "a trained scale and shift of each column", closed),
      part_type<T, Autoregressive<T>>("autoregressive",
                                      "each column moved by a transformer of the columns before "
                                      "it; base to data column by column",
                                      of_transformer),
      part_type<T, Chain<T>>("chain", "parts one after another, the first next to the base",
                             of_parts),
      part_type<T, ConditionalAffine<T>>(
          "conditional_affine", "a scale and shift of each column by a network of what is given",
          closed),
      part_type<T, Coupling<T>>("coupling", "some columns moved by a transformer of the others",
                                of_transformer),
      part_type<T, Exp<T>>("exp", "e^x, to positive numbers", closed),
      part_type<T, Ffjord<T>>("ffjord", "the flow of a vector field; both directions by a solve",
                              by_solve),
      part_type<T, Householder<T>>("householder", "a rotation, the product of reflections", closed),
      part_type<T, Identity<T>>("identity", "no change", closed),
      part_type<T, Inverse<T>>("inverse", "a part with its directions exchanged", of_parts),
      part_type<T, LuLinear<T>>(
          "lu_linear", "an invertible matrix by its LU factors, Glow's 1x1 convolution", closed),
      part_type<T, MovingBatchNorm<T>>(
          "moving_batch_norm", "a normalisation by moving moments of the training rows", closed),
      part_type<T, Permutation<T>>("permutation", "columns in another order", closed),
      part_type<T, Planar<T>>("planar", "a planar flow; data to base by a root search", by_solve),
      part_type<T, Power<T>>("power", "x^p of positive numbers", closed),
      part_type<T, Radial<T>>("radial", "a radial flow", closed),
      part_type<T, ResidualFlow<T>>(
          "residual_flow",
          "the row plus a network with a Lipschitz bound; base to data by a fixed point", by_solve),
      part_type<T, Scale<T>>("scale", "a trained scale of each column", closed),
      part_type<T, Shift<T>>("shift", "a trained shift of each column", closed),
      part_type<T, Sigmoid<T>>("sigmoid", "to numbers between two bounds", closed),
      part_type<T, SinhArcsinh<T>>(
          "sinh_arcsinh", "trained skewness and weight of the tails of each column", closed),
      part_type<T, SoftClip<T>>("soft_clip", "a smooth clipping between two bounds", closed),
      part_type<T, Softplus<T>>("softplus", "log(1 + e^x), to positive numbers", closed),
      part_type<T, Stack<T>>("stack", "parts side by side, each of its own columns", of_parts),
      part_type<T, Standardise<T>>("standardise", "fixed means and scales: the units of a table",
                                   closed),
      part_type<T, Sylvester<T>>("sylvester", "a Sylvester flow", by_solve),
      part_type<T, Tanh<T>>("tanh", "to numbers between -1 and 1", closed),
      part_type<T, Triangular<T>>("triangular", "a lower triangular matrix with a shift", closed),
      part_type<T, YeoJohnson<T>>("yeo_johnson", "Yeo and Johnson's power of each column, trained",
                                  closed)};
  return types;
}

template <class T>
std::span<const nn::PartType<T>> distributions() {
  static constexpr std::array types{
      part_type<T, Bernoulli<T>>("bernoulli", "0 or 1"),
      part_type<T, Beta<T>>("beta", "beta"),
      part_type<T, Categorical<T>>("categorical", "a whole number"),
      part_type<T, Cauchy<T>>("cauchy", "Cauchy"),
      part_type<T, DiagonalNormal<T>>("diagonal_normal", "independent normal columns"),
      part_type<T, Dirichlet<T>>("dirichlet", "Dirichlet"),
      part_type<T, Exponential<T>>("exponential", "exponential"),
      part_type<T, FullNormal<T>>("full_normal", "a normal with a full covariance"),
      part_type<T, Gamma<T>>("gamma", "gamma"),
      part_type<T, HalfNormal<T>>("half_normal", "half-normal"),
      part_type<T, Laplace<T>>("laplace", "Laplace"),
      part_type<T, LogNormal<T>>("log_normal", "log-normal"),
      part_type<T, Logistic<T>>("logistic", "logistic"),
      part_type<T, LowRankNormal<T>>("low_rank_normal",
                                     "a normal whose covariance is diagonal plus one of low rank"),
      part_type<T, Mixture<T>>("mixture", "a mixture, its logits trained"),
      part_type<T, Product<T>>("product", "independent distributions of column ranges"),
      part_type<T, StandardiseGiven<T>>("standardise_given",
                                        "a distribution in the units of what is given"),
      part_type<T, StudentT<T>>("student_t", "Student's t"),
      part_type<T, TransformedDistribution<T>>("transformed", "a base carried along by a bijector"),
      part_type<T, Truncated<T>>("truncated", "a distribution between bounds"),
      part_type<T, Uniform<T>>("uniform", "uniform"),
      part_type<T, VonMises<T>>("von_mises", "von Mises")};
  return types;
}

template <class T>
std::span<const nn::PartType<T>> transformers() {
  static constexpr std::array types{
      part_type<T, AdditiveTransformer<T>>("additive_transformer", "x + b", closed),
      part_type<T, AffineTransformer<T>>("affine_transformer", "x e^s + b with a bounded s",
                                         closed),
      part_type<T, CubicSpline<T>>("cubic_spline", "a monotone cubic spline", by_solve),
      part_type<T, LinearSpline<T>>("linear_spline", "a monotone linear spline", closed),
      part_type<T, QuadraticSpline<T>>("quadratic_spline", "a monotone quadratic spline", closed),
      part_type<T, RationalQuadraticSpline<T>>("rational_quadratic",
                                               "a monotone rational-quadratic spline", closed),
      part_type<T, SumOfSquares<T>>("sum_of_squares",
                                    "the integral of a sum of squares of polynomials", by_solve),
      part_type<T, UnconstrainedMonotonic<T>>("unconstrained_monotonic",
                                              "the integral of a positive network", by_solve)};
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
