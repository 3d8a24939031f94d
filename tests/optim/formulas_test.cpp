#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>

#include <doctest/doctest.h>

#include "fjord/optim/optimizers.hpp"

namespace fjord::optim {
namespace {

constexpr double rate = 0.05;
constexpr double beta1 = 0.8;
constexpr double beta2 = 0.95;
constexpr double epsilon = 1e-3;
constexpr double decay = 0.1;

// The loss sum c/2 (x - target)^2 and its start.
constexpr std::array<double, 3> curvature{1, 10, 0.1};
constexpr std::array<double, 3> target{0.5, -1, 2};
constexpr std::array<double, 3> start{1, 2, -3};

/// One parameter with what an optimiser keeps of it, as the papers name it.
struct Reference {
  double theta = 0;
  double m = 0;
  double v = 0;
  double v_max = 0;

  double m_hat(int t) const { return m / (1 - std::pow(beta1, t)); }

  double v_hat(int t) const { return v / (1 - std::pow(beta2, t)); }

  void update_moments(double g) {
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
  }
};

using Formula = void (*)(Reference& r, double g, int t);

void sgd(Reference& r, double g, int) {
  r.theta -= rate * (g + decay * r.theta);
}

void momentum(Reference& r, double g, int) {
  r.m = beta1 * r.m + g + decay * r.theta;
  r.theta -= rate * r.m;
}

void nesterov(Reference& r, double g, int) {
  g += decay * r.theta;
  r.m = beta1 * r.m + g;
  r.theta -= rate * (g + beta1 * r.m);
}

void adagrad(Reference& r, double g, int) {
  g += decay * r.theta;
  r.v += g * g;
  r.theta -= rate * g / (std::sqrt(r.v) + epsilon);
}

void rmsprop(Reference& r, double g, int) {
  g += decay * r.theta;
  r.v = beta2 * r.v + (1 - beta2) * g * g;
  r.theta -= rate * g / (std::sqrt(r.v) + epsilon);
}

void adam(Reference& r, double g, int t) {
  r.update_moments(g + decay * r.theta);
  r.theta -= rate * r.m_hat(t) / (std::sqrt(r.v_hat(t)) + epsilon);
}

void adamw(Reference& r, double g, int t) {
  r.update_moments(g);
  r.theta -= rate * (r.m_hat(t) / (std::sqrt(r.v_hat(t)) + epsilon) + decay * r.theta);
}

void amsgrad(Reference& r, double g, int t) {
  r.update_moments(g + decay * r.theta);
  r.v_max = std::max(r.v_max, r.v);
  r.theta -= rate * r.m_hat(t) / (std::sqrt(r.v_max / (1 - std::pow(beta2, t))) + epsilon);
}

void radam(Reference& r, double g, int t) {
  r.update_moments(g + decay * r.theta);
  const double rho_inf = 2 / (1 - beta2) - 1;
  const double power = std::pow(beta2, t);
  const double rho = rho_inf - 2 * t * power / (1 - power);
  if (rho > 4) {
    const double numerator = (rho - 4) * (rho - 2) * rho_inf;
    const double denominator = (rho_inf - 4) * (rho_inf - 2) * rho;
    r.theta -=
        rate * std::sqrt(numerator / denominator) * r.m_hat(t) / (std::sqrt(r.v_hat(t)) + epsilon);
  } else {
    r.theta -= rate * r.m_hat(t);
  }
}

void nadam(Reference& r, double g, int t) {
  g += decay * r.theta;
  r.update_moments(g);
  const double m_bar =
      beta1 * r.m / (1 - std::pow(beta1, t + 1)) + (1 - beta1) * g / (1 - std::pow(beta1, t));
  r.theta -= rate * m_bar / (std::sqrt(r.v_hat(t)) + epsilon);
}

void lion(Reference& r, double g, int) {
  const double c = beta1 * r.m + (1 - beta1) * g;
  r.theta -= rate * ((c > 0 ? 1 : -1) + decay * r.theta);
  r.m = beta2 * r.m + (1 - beta2) * g;
}

template <class T>
using Made = std::unique_ptr<Optimizer<T>>;

template <class T>
struct Row {
  std::string_view name;
  std::function<Made<T>(Parameter<T>&)> make;
  Formula formula;
  // After five steps, from Optax 0.2.8 (JAX 0.10.2) in double precision; zeros where it has another
  // form: epsilon inside the root, or the largest corrected moment.
  std::array<double, 3> of_optax;
};

template <class T, template <class> class Kind, class Options>
std::function<Made<T>(Parameter<T>&)> with(const Options& options) {
  return
      [=](Parameter<T>& x) { return std::make_unique<Kind<T>>(ParameterGroups<T>{&x}, options); };
}

template <class T>
std::vector<Row<T>> rows() {
  return {
      {"sgd",
       with<T, Sgd>(SgdOptions{rate, 0, false, decay}),
       sgd,
       {0.86561718173125002, -0.90123793469375002, -2.8039601996000001}},
      {"momentum",
       with<T, Sgd>(SgdOptions{rate, beta1, false, decay}),
       momentum,
       {0.69652867373124994, -2.0759810906937504, -2.5487257675999997}},
      {"nesterov",
       with<T, Sgd>(SgdOptions{rate, beta1, true, decay}),
       nesterov,
       {0.655777195514746, -1.0345493278995981, -2.4519708504385282}},
      {"adagrad", with<T, Adagrad>(AdagradOptions{rate, epsilon, decay}), adagrad, {}},
      {"rmsprop",
       with<T, RmsProp>(RmsPropOptions{rate, beta2, epsilon, decay}),
       rmsprop,
       {0.51196206379699127, 1.297037617848916, -2.2905992260361976}},
      {"adam",
       with<T, Adam>(AdamOptions{rate, beta1, beta2, epsilon, decay}),
       adam,
       {0.7553620241205985, 1.7506416741614357, -2.750779323361447}},
      {"adamw",
       with<T, AdamW>(AdamWOptions{rate, beta1, beta2, epsilon, decay}),
       adamw,
       {0.73463373165142765, 1.7037546868419697, -2.6792120568066151}},
      {"amsgrad",
       with<T, AmsGrad>(AmsGradOptions{rate, beta1, beta2, epsilon, decay}),
       amsgrad,
       {}},
      {"radam",
       with<T, RAdam>(RAdamOptions{rate, beta1, beta2, epsilon, decay}),
       radam,
       {0.87989265758673851, -1.7419975664336187, -2.8355085595737224}},
      {"nadam",
       with<T, NAdam>(NAdamOptions{rate, beta1, beta2, epsilon, decay}),
       nadam,
       {0.72994727683453653, 1.7158954419377601, -2.7156350179347588}},
      {"lion",
       with<T, Lion>(LionOptions{rate, beta1, beta2, decay}),
       lion,
       {0.72773628434062498, 1.7029850374624997, -2.6782337905843754}},
  };
}

TEST_CASE_TEMPLATE("optimizers: five steps are those of the formulas", T, float, double) {
  const double bound = std::is_same_v<T, double> ? 1e-14 : 1e-6;
  for (const Row<T>& row : rows<T>()) {
    CAPTURE(row.name);
    Parameter<T> x(
        Tensor<T>{static_cast<T>(start[0]), static_cast<T>(start[1]), static_cast<T>(start[2])});
    const Made<T> optimizer = row.make(x);
    std::array<Reference, 3> references;
    for (std::size_t i = 0; i < 3; ++i) references[i].theta = start[i];
    for (int t = 1; t <= 5; ++t) {
      CAPTURE(t);
      std::vector<T> gradient;
      for (std::size_t i = 0; i < 3; ++i) {
        gradient.push_back(static_cast<T>(
            curvature[i] * (static_cast<double>(x.value().storage()[i]) - target[i])));
        Reference& r = references[i];
        row.formula(r, curvature[i] * (r.theta - target[i]), t);
      }
      optimizer->step(gradient);
      for (std::size_t i = 0; i < 3; ++i) {
        CHECK(std::abs(static_cast<double>(x.value().storage()[i]) - references[i].theta) <
              5 * bound);
      }
    }
    if (row.of_optax == std::array<double, 3>{}) continue;
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(std::abs(references[i].theta - row.of_optax[i]) < 5e-14);
    }
  }
}

TEST_CASE("optimizers: every one has a formula") {
  const std::vector<Row<double>> all = rows<double>();
  for (const NamedOptimizer<double>& kind : optimizers<double>()) {
    CAPTURE(kind.name);
    CHECK(std::ranges::count(all, kind.name, &Row<double>::name) == 1);
  }
}

}  // namespace
}  // namespace fjord::optim
