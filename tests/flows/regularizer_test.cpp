#include "fjord/flows/regularizer.hpp"

#include <array>
#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/norm.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/flows/distributions/mixture.hpp"
#include "fjord/flows/distributions/product.hpp"
#include "fjord/flows/mlp_field.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

using test::normals;
using test::numerics;
using test::worst_difference;

using List = std::vector<const Regularizer<double>*>;

List named(std::initializer_list<const char*> names) {
  List list;
  for (const char* name : names) list.push_back(&regularizer_named<double>(name));
  return list;
}

const List four =
    named({"kinetic_energy", "jacobian_norm", "directional_derivative", "total_derivative"});

FfjordOptions options(Trace trace = Trace::exact) {
  return {.solver = numerics(1e-10, trace)};
}

/// The penalties [B, R] of a solve from x, to data or to the base.
Tensor<double> penalties(const Bijector<double>& flow, const Tensor<double>& x, const List& list,
                         bool to_data) {
  Tape<double> tape;
  Context<double> context{.gradient = &ode::values_only, .regularizers = list};
  const Var<double> in = tape.input(x);
  if (to_data) {
    flow.forward_with_log_det(in, context);
  } else {
    flow.inverse_with_log_det(in, context);
  }
  return Tensor<double>(context.penalties.value());
}

/// A turn with the angular speed w about the origin.
Ffjord<double> rotation(const Parameter<double>& w, Trace trace = Trace::exact) {
  const ode::Field<double> field = [&](const Var<double>& t, const Var<double>& z) {
    return matmul(z, t.tape().input(Tensor<double>{{0, 1}, {-1, 0}})) * t.tape().bind(w);
  };
  return Ffjord<double>(field, {}, options(trace));
}

TEST_CASE("regularizer: of a rotation they are constant along the path, in both directions") {
  const Parameter<double> w(Tensor<double>(0.7));
  const Tensor<double> x{{1, 2}, {-0.5, 0.3}};
  // |f|^2 = w^2 |x|^2, |J|^2 = 2 w^2, J f = -w^2 x; a probe of signs is as long as both units.
  Tensor<double> expected = Tensor<double>::zeros({2, 4});
  for (Index row = 0; row < 2; ++row) {
    const double square = x(row, 0) * x(row, 0) + x(row, 1) * x(row, 1);
    expected(row, 0) = 0.49 * square;
    expected(row, 1) = 0.98;
    expected(row, 2) = expected(row, 3) = 0.49 * 0.49 * square;
  }
  for (const Trace trace : {Trace::exact, Trace::hutchinson}) {
    for (const bool to_data : {true, false}) {
      CHECK(worst_difference(penalties(rotation(w, trace), x, four, to_data), expected) < 1e-8);
    }
  }
}

TEST_CASE("regularizer: a field that only time changes has an acceleration, but no Jacobian") {
  const ode::Field<double> field = [](const Var<double>& t, const Var<double>& z) {
    return broadcast_to(cos(t) * 1.5, z.shape());
  };
  const Ffjord<double> flow(field, {}, options());
  // Two components, each with the squares 1.5^2 cos^2 t and 1.5^2 sin^2 t from 0 to 1.
  const double quarter = std::sin(2.0) / 4;
  const Tensor<double> expected{{4.5 * (0.5 + quarter), 0, 0, 4.5 * (0.5 - quarter)}};
  for (const bool to_data : {true, false})
    CHECK(worst_difference(penalties(flow, {{0.3, -1}}, four, to_data), expected) < 1e-8);
}

/// f = v of the potential P = -v x + rate t.
class Potential final : public VectorField<double> {
 public:
  explicit Potential(double rate) : rate_(rate) {}

  Var<double> slope(const Var<double>&, const Var<double>& x, const Var<double>&) const override {
    return x * 0.0 + 0.6;
  }

  Var<double> potential_time_slope(const Var<double>&, const Var<double>& x,
                                   const Var<double>&) const override {
    return sum(x, {1}) * 0.0 + rate_;
  }

  nn::Description<double> describe() override { return nn::Description<double>(""); }

 private:
  double rate_;
};

TEST_CASE("regularizer: the residual of Hamilton, Jacobi and Bellman is 0 for their potential") {
  const List list = named({"hamilton_jacobi_bellman"});
  const auto residual = [&](double rate) {
    const Ffjord<double> flow(std::make_unique<Potential>(rate), options());
    return penalties(flow, {{0.3, -1}}, list, false)(0, 0);
  };
  // |v|^2 / 2 = 0.36 in two dimensions.
  CHECK(std::abs(residual(0.36)) < 1e-12);
  CHECK(residual(0) == doctest::Approx(0.36));
  CHECK(residual(1) == doctest::Approx(0.64));
  const Parameter<double> w(Tensor<double>(0.7));
  CHECK_THROWS_WITH_AS(penalties(rotation(w), {{1, 2}}, list, true),
                       doctest::Contains("not the gradient of a potential"), std::invalid_argument);
}

TEST_CASE("regularizer: penalties of a chain add up, and change no log-determinant") {
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-10));
  const Tensor<double> x = normals({5, 2}, 3);
  const Tensor<double> expected = test::log_prob<double>(*model, x);
  const List kinetic = named({"kinetic_energy"});
  Tensor<double> of_kinetic;
  // The first is computed by the field's own divergence, the second by tangents.
  for (const List& list : {kinetic, four}) {
    Tape<double> tape;
    Context<double> context{.gradient = &ode::values_only, .regularizers = list};
    const Var<double> log_prob = model->log_prob(tape.input(x), context);
    CHECK(worst_difference(Tensor<double>(log_prob.value()), expected) < 1e-8);
    const Tensor<double> found(context.penalties.value());
    CHECK(found.shape() == Shape{5, static_cast<Index>(list.size())});
    if (of_kinetic.shape().rank() == 0) of_kinetic = found;
    for (Index row = 0; row < 5; ++row)
      CHECK(found(row, 0) == doctest::Approx(of_kinetic(row, 0)).epsilon(1e-8));
  }
  // A rotation by w, then one by w / 2: the sum of both energies.
  const Parameter<double> w(Tensor<double>(0.8));
  const Parameter<double> half(Tensor<double>(0.4));
  Tape<double> tape;
  Context<double> context{.gradient = &ode::values_only, .regularizers = kinetic};
  const Var<double> z = tape.input({{3, 4}});
  rotation(half).inverse_with_log_det(rotation(w).inverse_with_log_det(z, context).value, context);
  CHECK(context.penalties.item() == doctest::Approx((0.64 + 0.16) * 25));
}

TEST_CASE("regularizer: penalties and counts of flows inside of products and mixtures are kept") {
  const Parameter<double> w(Tensor<double>(0.7));
  const List list = named({"kinetic_energy"});
  const auto flow = [&] {
    const ode::Field<double> field = [&](const Var<double>& t, const Var<double>& z) {
      return matmul(z, t.tape().input(Tensor<double>{{0, 1}, {-1, 0}})) * t.tape().bind(w);
    };
    return std::make_unique<TransformedDistribution<double>>(
        std::make_unique<DiagonalNormal<double>>(std::vector<double>{0, 0},
                                                 std::vector<double>{1, 1}),
        std::make_unique<Ffjord<double>>(field, nn::NamedParameters<double>{}, options()));
  };
  const auto check = [&](const Distribution<double>& model, const Tensor<double>& x,
                         double square) {
    Tape<double> tape;
    Context<double> context{
        .gradient = &ode::backsolve, .random = RandomKey(5), .regularizers = list};
    const Var<double> log_prob = model.log_prob(tape.input(x), context);
    REQUIRE(!context.penalties.is_empty());
    // As above, w^2 |x|^2.
    CHECK(context.penalties.value()(0, 0) == doctest::Approx(0.49 * square).epsilon(1e-8));
    CHECK(context.solves == 2);
    CHECK(context.accepted > 0);
    CHECK(context.random.key() == RandomKey(5).key());
    gradient_values(sum(log_prob), {tape.bind(w)});
    CHECK(context.sweep_evaluations() > 0);
  };
  std::vector<std::unique_ptr<Distribution<double>>> parts;
  std::vector<std::unique_ptr<Distribution<double>>> components;
  for (int k = 0; k < 2; ++k) {
    parts.push_back(flow());
    components.push_back(flow());
  }
  check(Product<double>(std::move(parts)), {{1, 2, -0.5, 0.3}}, 5.34);
  check(Mixture<double>(std::move(components)), {{1, 2}}, 10);
}

TEST_CASE("regularizer: penalties have derivatives in every gradient mode that flows use") {
  const Parameter<double> w(Tensor<double>(0.7));
  for (const Trace trace : {Trace::exact, Trace::hutchinson}) {
    const Ffjord<double> flow = rotation(w, trace);
    for (const ode::GradientMode* mode :
         std::initializer_list<const ode::GradientMode*>{&ode::direct, &ode::backsolve}) {
      Tape<double> tape;
      Context<double> context{.gradient = mode, .regularizers = four};
      const Var<double> x = tape.input({{3, 4}});
      flow.inverse_with_log_det(x, context);
      CHECK(context.sweep_evaluations() == 0);
      const Var<double> weights = tape.input({{1, 1, 1, 1}});
      const auto slopes =
          gradient_values<double>(sum(context.penalties * weights), {tape.bind(w), x});
      // Of 25 w^2 + 2 w^2 + 2 * 25 w^4, where 25 is |x|^2.
      CHECK(slopes[0].item() == doctest::Approx(54 * 0.7 + 200 * std::pow(0.7, 3)).epsilon(1e-7));
      CHECK(slopes[1](0, 0) ==
            doctest::Approx(2 * 3 * (0.49 + 2 * std::pow(0.7, 4))).epsilon(1e-7));
      CHECK((context.sweep_evaluations() > 0) == (mode == &ode::backsolve));
    }
  }
}

TEST_CASE("regularizer: they have names, and null is refused") {
  for (const Regularizer<double>& r : regularizers<double>())
    CHECK(&regularizer_named<double>(r.name) == &r);
  CHECK_THROWS_WITH_AS(regularizer_named<float>("kinetic"),
                       doctest::Contains("one of kinetic_energy, jacobian_norm, "),
                       std::invalid_argument);
  const Parameter<double> w(Tensor<double>(0.7));
  CHECK_THROWS_WITH_AS(penalties(rotation(w), {{1, 2}}, {nullptr}, true),
                       "[ffjord] a regulariser is null", std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
