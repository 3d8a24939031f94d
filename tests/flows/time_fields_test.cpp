#include <doctest/doctest.h>

#include "fjord/flows/ffjord.hpp"
#include "fjord/flows/residual_field.hpp"
#include "fjord/flows/time_mlp_field.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"
#include "fjord/tests/support/sine_weights.hpp"

namespace fjord::flows {
namespace {

using test::normals;

/// f at t = 0.4 and two rows, with sines as weights.
template <class F, class Options>
Tensor<double> slope(const Options& options) {
  F field(options, RandomKey(1));
  test::set_sine_weights(field);
  Tape<double> tape;
  const Var<double> x = tape.input({{0.3, -0.7}, {1.1, 0.2}});
  const Var<double> given = tape.input({{0.5}, {-0.2}});
  return Tensor<double>(field.slope(tape.scalar(0.4), x, given).value());
}

TEST_CASE("time_mlp_field: slopes are those of its formula") {
  // In torch 2.15.0.
  const Tensor<double> expected{{2.8542540758972916, 1.0771560763411843},
                                {3.1986294909562405, 1.5807955643222185}};
  const TimeMlpOptions options{.hidden = {3}, .activation = "elu", .frequencies = 2, .given = 1};
  CHECK(test::worst_difference(slope<TimeMlpField<double>>(options), expected) < 1e-13);
}

TEST_CASE("residual_field: slopes are those of its formula") {
  // In torch 2.15.0.
  const Tensor<double> expected{{0.22977482162682145, 0.3151811339665221},
                                {0.5445959749812271, -0.11708076553927776}};
  const ResidualOptions options{.width = 3, .blocks = 1, .layer = "squash"};
  CHECK(test::worst_difference(slope<ResidualField<double>>(options), expected) < 1e-13);
}

/// The row of the battery for a field.
template <class F, class Options>
void check(const Options& options, const std::string& name) {
  const auto make = [&](const RandomKey& key) {
    return std::make_unique<Ffjord<double>>(std::make_unique<F>(options, key),
                                            FfjordOptions{.solver = test::numerics(1e-11)});
  };
  test::check_bijector(
      {.name = name,
       .make = make,
       .x = normals({3, options.dim}, 8),
       .given = options.given > 0 ? normals({3, options.given}, 9) : Tensor<double>(),
       .tolerance = 1e-7,
       .disturbance = 0.1});
}

TEST_CASE("time_mlp_field: every route, company, precision and the file agree, for every layer") {
  for (const std::string_view layer : nn::TimeLayer<double>::types()) {
    check<TimeMlpField<double>>(
        TimeMlpOptions{.dim = 3, .hidden = {4}, .layer = std::string(layer)}, std::string(layer));
  }
  check<TimeMlpField<double>>(TimeMlpOptions{.dim = 3,
                                             .hidden = {4, 5},
                                             .layer = "concatsquash",
                                             .activation = "softplus",
                                             .frequencies = 2,
                                             .given = 2,
                                             .zero_last = true},
                              "conditional, with features of the time");
}

TEST_CASE("residual_field: every route, company, precision and the file agree") {
  check<ResidualField<double>>(ResidualOptions{.dim = 3, .width = 4, .blocks = 2}, "residual");
  check<ResidualField<double>>(ResidualOptions{.dim = 3,
                                               .width = 4,
                                               .blocks = 1,
                                               .layer = "squash",
                                               .activation = "silu",
                                               .frequencies = 1,
                                               .given = 2,
                                               .zero_last = true},
                               "conditional, with features of the time");
}

/// Whether the flow of a field moves rows when it is made.
bool moves(std::unique_ptr<VectorField<double>> field) {
  const Ffjord<double> flow(std::move(field));
  Tape<double> tape;
  Context<double> context;
  const Tensor<double> x = normals({4, 2}, 1);
  return !(Tensor<double>(flow.forward(tape.input(x), context).value()) == x);
}

TEST_CASE("time_fields: with the last layer at zero the flow begins as the identity") {
  for (const bool zero : {true, false}) {
    CHECK(moves(std::make_unique<TimeMlpField<double>>(TimeMlpOptions{.zero_last = zero},
                                                       RandomKey(1))) == !zero);
    CHECK(moves(std::make_unique<ResidualField<double>>(ResidualOptions{.zero_last = zero},
                                                        RandomKey(1))) == !zero);
  }
}

TEST_CASE("time_fields: options out of their range and other shapes are refused") {
  const auto refuses = [](auto f, const char* message) {
    CHECK_THROWS_WITH_AS(f(), doctest::Contains(message), std::invalid_argument);
  };
  refuses([] { TimeMlpField<double>({.dim = 0}, RandomKey(1)); }, "dim must be positive");
  refuses([] { TimeMlpField<double>({.hidden = {0}}, RandomKey(1)); }, "sizes must be positive");
  refuses([] { TimeMlpField<double>({.layer = "?"}, RandomKey(1)); }, "one of ignore, ");
  refuses([] { TimeMlpField<double>({.frequencies = -1}, RandomKey(1)); }, "not be negative");
  refuses([] { ResidualField<double>({.blocks = 0}, RandomKey(1)); }, "blocks must be positive");
  refuses([] { ResidualField<double>({.given = -1}, RandomKey(1)); }, "given not negative");
  const TimeMlpField<double> field({.given = 1}, RandomKey(1));
  Tape<double> tape;
  refuses(
      [&] {
        field.slope(tape.scalar(0), tape.input(normals({5, 2}, 2)), {});
      },
      "Context::given");
}

}  // namespace
}  // namespace fjord::flows
