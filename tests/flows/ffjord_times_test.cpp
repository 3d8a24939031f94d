#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/flows/affine.hpp"
#include "fjord/flows/mlp_field.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

using test::normals;
using test::numerics;

/// f = 1 from 0.5 to 2, whose shift shows how long a solve was.
Ffjord<double> clock(double steer) {
  FfjordOptions o{.t0 = 0.5, .t1 = 2, .solver = numerics(1e-6)};
  o.solver.steer = steer;
  return Ffjord<double>([](const Var<double>&, const Var<double>& z) { return z * 0.0 + 1.0; }, {},
                        o);
}

/// The length of the n-th solve of a context from a key.
double length(const Ffjord<double>& flow, ode::ErrorNorm norm, std::uint64_t key, std::size_t solve,
              std::uint64_t first_row = 0) {
  Tape<double> tape;
  Context<double> context{.norm = norm, .random = RandomKey(key), .first_row = first_row};
  context.solves = solve;
  return -flow.inverse(tape.input({{0}, {0}}), context).value()(1, 0);
}

/// dz/dt = rate sin z between these times.
std::unique_ptr<Ffjord<double>> block(double rate, double t0, double t1, double tolerance) {
  return std::make_unique<Ffjord<double>>(
      [rate](const Var<double>&, const Var<double>& z) { return sin(z) * rate; },
      nn::NamedParameters<double>(),
      FfjordOptions{.t0 = t0, .t1 = t1, .solver = numerics(tolerance)});
}

template <class... Parts>
std::unique_ptr<Bijector<double>> chain_of(std::unique_ptr<Parts>... parts) {
  std::vector<std::unique_ptr<Bijector<double>>> list;
  (list.push_back(std::move(parts)), ...);
  return std::make_unique<Chain<double>>(std::move(list));
}

std::unique_ptr<Bijector<double>> identity_map() {
  return std::make_unique<Affine<double>>(2);
}

TEST_CASE("ffjord_times: the blocks of a chain go on with each other's steps") {
  constexpr double tolerance = 1e-10;
  const std::unique_ptr<Bijector<double>> chain =
      chain_of(identity_map(), block(2, 0, 1.5, tolerance), block(2, 1.5, 4, tolerance),
               identity_map(), chain_of(block(2, 4, 5, tolerance)), identity_map());
  Tape<double> tape;
  const Var<double> x = tape.input({{0.3, -1}, {2, 0.1}});
  ode::SolveOptions options = numerics(tolerance).solve;
  options.norm = ode::ErrorNorm::largest_row;
  options.gradient = &ode::values_only;
  options.step_on = {1.5, 4};
  const ode::Solution<double> whole = ode::solve<double>(
      [](const Var<double>&, const Var<double>& z) { return sin(z) * 2.0; }, x, {0, 5}, options);
  Context<double> context;
  context.gradient = &ode::values_only;
  // However often the context is used, and whatever is between the solves.
  for (std::size_t time = 1; time <= 2; ++time) {
    CAPTURE(time);
    CHECK(Tensor<double>(chain->forward(x, context).value()) == Tensor<double>(whole.y.value()));
    CHECK(context.accepted == time * whole.report.accepted);
    // At each of the two seams, the field is asked once more.
    CHECK(context.evaluations == time * (whole.report.evaluations + 2));
  }
  CHECK_FALSE(context.first_step.has_value());
}

TEST_CASE("ffjord_times: a block begins with a quarter of its span at most, and with no sliver") {
  Tape<double> tape;
  const Var<double> x = tape.input({{0.3, -1}, {2, 0.1}});
  const auto run = [&](const Bijector<double>& flow) {
    Context<double> context;
    context.gradient = &ode::values_only;
    flow.forward(x, context);
    return context;
  };
  // With h = 10 of the first one, a single step would do.
  const auto slow = [] { return block(1e-6, 0, 1, 1e-3); };
  CHECK(run(*chain_of(slow(), slow())).accepted == run(*slow()).accepted + 2);
  // A block of next to no length, and one of none, which has no step to go on with.
  const auto fast = [] { return block(3, 0, 1, 1e-5); };
  const std::size_t alone = run(*fast()).evaluations;
  for (const double length : {1e-6, 0.0}) {
    const auto sliver = [&] { return block(3, 0, length, 1e-5); };
    CAPTURE(length);
    CHECK(run(*chain_of(sliver(), fast())).evaluations == run(*sliver()).evaluations + alone);
  }
}

TEST_CASE("ffjord_times: what a chain did not solve for does not begin another's solves") {
  Tape<double> tape;
  const Var<double> x = tape.input({{0.3, -1}, {2, 0.1}});
  const std::unique_ptr<Bijector<double>> failing =
      chain_of(block(2, 0, 1, 1e-6), std::make_unique<Affine<double>>(3));
  Context<double> context;
  context.gradient = &ode::values_only;
  CHECK_THROWS_AS(failing->forward(x, context), std::invalid_argument);
  CHECK_FALSE(context.first_step.has_value());
  // A step that the caller gives stays until a solve takes it.
  context.first_step = 0.02;
  chain_of(identity_map())->forward(x, context);
  CHECK(context.first_step == 0.02);
  const std::size_t before = context.accepted;
  block(1e-6, 0, 1, 1e-3)->forward(x, context);
  CHECK(context.accepted - before == 3);  // 0.02, ten times that, and the rest
  CHECK_FALSE(context.first_step.has_value());
}

TEST_CASE("ffjord_times: steered solves end at a uniform time, in training only") {
  const Ffjord<double> flow = clock(1.2);
  CHECK(length(flow, ode::ErrorNorm::largest_row, 1, 0) == doctest::Approx(1.5));
  CHECK(length(clock(0), ode::ErrorNorm::rms, 1, 0) == doctest::Approx(1.5));
  constexpr int draws = 2000;
  double mean = 0;
  double variance = 0;
  double least = 10;
  double most = 0;
  for (int key = 0; key < draws; ++key) {
    const double found = length(flow, ode::ErrorNorm::rms, static_cast<std::uint64_t>(key), 0);
    mean += found / draws;
    variance += (found - 1.5) * (found - 1.5) / draws;
    least = std::min(least, found);
    most = std::max(most, found);
  }
  // A uniform number between -b and b has the variance b^2 / 3 and the fourth moment b^4 / 5.
  CHECK(std::abs(mean - 1.5) < 4 * std::sqrt(0.48 / draws));
  CHECK(std::abs(variance - 0.48) < 4 * std::sqrt((1.2 * 1.2 * 1.2 * 1.2 / 5 - 0.2304) / draws));
  CHECK((least > 0.3 && least < 0.32 && most > 2.68 && most < 2.7));
}

TEST_CASE("ffjord_times: all rows of a batch have one time, each solve another") {
  const Ffjord<double> flow = clock(1.2);
  const double first = length(flow, ode::ErrorNorm::rms, 3, 0);
  CHECK(length(flow, ode::ErrorNorm::rms, 3, 0, 128) == first);
  CHECK(std::abs(length(flow, ode::ErrorNorm::rms, 3, 1) - first) > 1e-3);
}

TEST_CASE("ffjord_times: a steer out of its range is refused") {
  for (const double steer : {-0.1, 1.5, std::nan("")}) {
    CHECK_THROWS_WITH_AS(clock(steer), doctest::Contains("steer must be 0, or between 0 and"),
                         std::invalid_argument);
  }
}

TEST_CASE("ffjord_times: derivatives in a trained end time are those of the closed form") {
  // z(t1) = z(t0) exp(a (t1 - t0)), with the log-determinant D a (t1 - t0).
  constexpr double a = 0.8;
  const ode::Field<double> field = [](const Var<double>&, const Var<double>& z) { return z * a; };
  Ffjord<double> flow(field, {},
                      {.t0 = 0.5, .t1 = 1.25, .trained_t1 = true, .solver = numerics(1e-10)});
  const nn::NamedParameters<double> parameters = nn::parameters_of(flow);
  REQUIRE(parameters.size() == 1);
  CHECK(parameters[0].name == "t1");
  CHECK(parameters[0].parameter->value()() == 1.25);
  for (const ode::GradientMode* mode :
       std::initializer_list<const ode::GradientMode*>{&ode::direct, &ode::backsolve}) {
    for (const double sign : {1.0, -1.0}) {
      Tape<double> tape;
      Context<double> context{.gradient = mode};
      const Var<double> x = tape.input({{3, -1}});
      const WithLogDet<double> end =
          sign > 0 ? flow.forward_with_log_det(x, context) : flow.inverse_with_log_det(x, context);
      const double factor = std::exp(sign * a * 0.75);
      CHECK(end.value.value()(0, 0) == doctest::Approx(3 * factor));
      CHECK(end.log_det.item() == doctest::Approx(sign * 2 * a * 0.75));
      const Var<double> t1 = tape.bind(*parameters[0].parameter);
      CHECK(gradient_values<double>(sum(end.value), {t1})[0].item() ==
            doctest::Approx(sign * a * 2 * factor).epsilon(1e-7));
      CHECK(gradient_values<double>(sum(end.log_det), {t1})[0].item() ==
            doctest::Approx(sign * 2 * a).epsilon(1e-7));
    }
  }
}

TEST_CASE("ffjord_times: every route, company, precision and the file agree for a trained time") {
  const auto make = [](const RandomKey& key) {
    auto network = std::make_unique<nn::Mlp<double>>(std::vector<Index>{4, 5, 3},
                                                     nn::activation_named<double>("tanh"), key);
    return std::make_unique<Ffjord<double>>(
        std::make_unique<MlpField<double>>(std::move(network), nn::TimeInput::concat),
        FfjordOptions{.trained_t1 = true, .solver = numerics(1e-11)});
  };
  test::check_bijector(
      {.name = "a trained end time", .make = make, .x = normals({3, 3}, 8), .tolerance = 1e-7});
}

TEST_CASE("ffjord_times: a context counts the steps of its solves") {
  FfjordOptions o;
  o.solver.solve.fixed_step = 0.25;
  const Ffjord<double> flow([](const Var<double>&, const Var<double>& z) { return z; }, {}, o);
  Tape<double> tape;
  Context<double> context;
  const Var<double> x = tape.input({{3, -1}});
  flow.forward(x, context);
  flow.inverse_with_log_det(x, context);
  CHECK(context.accepted == 8);
  CHECK(context.rejected == 0);
  // A pulse within the span that the steps before it do not see.
  const ode::Field<double> pulse = [](const Var<double>& t, const Var<double>& z) {
    return z * (std::abs(t.item() - 0.8) < 0.1 ? 20.0 : 0.0);
  };
  Ffjord<double>(pulse, {}, {.solver = numerics(1e-8)}).forward(x, context);
  CHECK(context.rejected > 0);
}

}  // namespace
}  // namespace fjord::flows
