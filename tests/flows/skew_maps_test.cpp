#include "fjord/flows/skew_maps.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

template <class C>
std::unique_ptr<Bijector<double>> of_dim_3(const RandomKey&) {
  return std::make_unique<C>(3);
}

TEST_CASE("skew_maps: every route, company, precision and the file agree") {
  test::check_bijector({.name = "sinh arcsinh",
                        .make = of_dim_3<SinhArcsinh<double>>,
                        .x = test::normals({4, 3}, 1)});
  test::check_bijector({.name = "Yeo and Johnson",
                        .make = of_dim_3<YeoJohnson<double>>,
                        .x = test::normals({4, 3}, 2)});
}

TEST_CASE("skew_maps: fresh maps are the identity") {
  const Tensor<double> x = test::normals({4, 3}, 3, 5);
  for (const auto& map : {of_dim_3<SinhArcsinh<double>>, of_dim_3<YeoJohnson<double>>}) {
    Tape<double> tape;
    Context<double> context;
    const WithLogDet<double> y = map(RandomKey(0))->forward_with_log_det(tape.input(x), context);
    CHECK(test::worst_difference(Tensor<double>(y.value.value()), x) < 1e-13);
    CHECK(test::worst_difference(Tensor<double>(y.log_det.value()), {0, 0, 0, 0}) < 1e-14);
  }
}

TEST_CASE("skew_maps: sinh arcsinh has the values and slopes of mpmath") {
  SinhArcsinh<double> map(1);
  const nn::NamedParameters<double> parameters = nn::parameters_of(map);
  parameters[0].parameter->mutable_values()[0] = 0.4;
  parameters[1].parameter->mutable_values()[0] = std::log(1.5);
  Tape<double> tape;
  Context<double> context;
  const WithLogDet<double> y =
      map.forward_with_log_det(tape.input(Tensor<double>{{-2}, {0.7}, {3}}), context);
  // mpmath 1.3.0 with 30 digits.
  CHECK(test::worst_difference(Tensor<double>(y.value.value()),
                               {{-2.287924861607694}, {2.3219606714479451}, {13.918717930599266}}) <
        1e-14);
  CHECK(test::worst_difference(Tensor<double>(y.log_det.value()),
                               {0.51580337726644038, 1.1335616458142602, 1.8899813735015095}) <
        1e-14);
}

TEST_CASE("skew_maps: sinh arcsinh keeps its slope where squares overflow") {
  const SinhArcsinh<double> identity(1);
  Tape<double> tape;
  Context<double> context;
  const Var<double> far = tape.input(Tensor<double>{{-1e300}, {1e300}});
  const WithLogDet<double> y = identity.forward_with_log_det(far, context);
  CHECK(Tensor<double>(y.value.value())(1, 0) == doctest::Approx(1e300).epsilon(1e-12));
  CHECK(test::worst_difference(Tensor<double>(y.log_det.value()), {0, 0}) < 1e-12);
}

TEST_CASE("skew_maps: data go to the base as scipy's yeojohnson transforms them") {
  const Tensor<double> y{{-2.5, -2.5}, {-0.3, -0.3}, {0, 0}, {0.4, 0.4}, {3, 3}};
  YeoJohnson<double> map(2);
  const std::span<double> logits = nn::parameters_of(map)[0].parameter->mutable_values();
  logits[0] = std::log(0.3 / 0.7);    // lambda = 0.6
  logits[1] = std::log(0.75 / 0.25);  // lambda = 1.5
  Tape<double> tape;
  Context<double> context;
  const WithLogDet<double> z = map.inverse_with_log_det(tape.input(y), context);
  // scipy 1.17.1.
  CHECK(test::worst_difference(Tensor<double>(z.value.value()),
                               {{-3.4120753455867563, -1.7416573867739416},
                                {-0.31703242777472773, -0.280350850198276},
                                {0, 0},
                                {0.3728420745740984, 0.4376682261785951},
                                {2.162327849990117, 4.666666666666665}}) < 1e-14);
  // (lambda - 1) sign(y) log(1 + |y|) for both columns: 0.1 sign(y) log(1 + |y|).
  CHECK(test::worst_difference(Tensor<double>(z.log_det.value()),
                               {-0.1 * std::log(3.5), -0.1 * std::log(1.3), 0, 0.1 * std::log(1.4),
                                0.1 * std::log(4.0)}) < 1e-14);
}

}  // namespace
}  // namespace fjord::flows
