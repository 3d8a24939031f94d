#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/flows/ffjord.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

/// f = c^2, with c what is given of each row: its flow adds c^2.
class SquaredContext final : public VectorField<double> {
 public:
  Var<double> slope(const Var<double>&, const Var<double>& x,
                    const Var<double>& given) const override {
    return broadcast_to(square(given), x.shape());
  }

  nn::Description<double> describe() override { return nn::Description<double>(""); }
};

TEST_CASE("context_field: f = c^2 with c = 2 adds 4, with log-determinant 0 and slope 4 in c") {
  for (const Trace trace : {Trace::exact, Trace::hutchinson, Trace::automatic}) {
    const Ffjord<double> flow(std::make_unique<SquaredContext>(),
                              {.solver = test::numerics(1e-8, trace)});
    for (const ode::GradientMode* mode :
         std::initializer_list<const ode::GradientMode*>{&ode::direct, &ode::backsolve}) {
      Tape<double> tape;
      const Var<double> c = tape.input({{2}, {0.5}});
      Context<double> context{.gradient = mode, .given = c};
      const WithLogDet<double> y = flow.forward_with_log_det(tape.input({{1}, {-3}}), context);
      CHECK(test::worst_difference(Tensor<double>(y.value.value()), {{5}, {-2.75}}) < 1e-12);
      CHECK(Tensor<double>(y.log_det.value()) == Tensor<double>::zeros({2}));
      const Tensor<double> slopes(gradient_values<double>(sum(y.value), {c})[0]);
      CHECK(test::worst_difference(slopes, {{4}, {1}}) < 1e-10);
      const WithLogDet<double> back = flow.inverse_with_log_det(y.value, context);
      CHECK(test::worst_difference(Tensor<double>(back.value.value()), {{1}, {-3}}) < 1e-12);
    }
  }
}

}  // namespace
}  // namespace fjord::flows
