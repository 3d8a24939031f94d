#include "fjord/optim/adam.hpp"

#include <cmath>

#include <doctest/doctest.h>

namespace fjord::optim {
namespace {

/// Algorithm 1 of the paper for one number, word by word.
struct Reference {
  AdamOptions o;
  double theta = 0;
  double m = 0;
  double v = 0;
  int t = 0;

  void step(double g) {
    ++t;
    m = o.beta1 * m + (1 - o.beta1) * g;
    v = o.beta2 * v + (1 - o.beta2) * g * g;
    const double m_hat = m / (1 - std::pow(o.beta1, t));
    const double v_hat = v / (1 - std::pow(o.beta2, t));
    theta -= o.rate * m_hat / (std::sqrt(v_hat) + o.epsilon);
  }
};

/// Gradients of every size and sign.
double gradient_at(int step, int entry) {
  return std::sin(1.7 * step + entry) * std::pow(10.0, entry - 4);
}

template <class T>
std::vector<T> gradients_at(int step, int count) {
  std::vector<T> g;
  g.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) g.push_back(static_cast<T>(gradient_at(step, i)));
  return g;
}

TEST_CASE_TEMPLATE("adam: the steps are those of the paper", T, float, double) {
  for (const AdamOptions& options :
       {AdamOptions{}, AdamOptions{0.05, 0.7, 0.95, 1e-3}, AdamOptions{0.1, 0, 0, 1e-8}}) {
    Parameter<T> a(Tensor<T>{{1, 2}, {3, 4}});
    Parameter<T> b(Tensor<T>{-1, 0.5F, 7});
    std::vector<Reference> reference;
    for (const Parameter<T>* p : {&a, &b}) {
      for (const T x : p->value().storage()) reference.push_back({options, static_cast<double>(x)});
    }
    Adam<T> adam({&a, &b}, options);
    for (int step = 0; step < 50; ++step) {
      adam.step(gradients_at<T>(step, 7));
      for (int i = 0; i < 7; ++i) {
        Reference& r = reference[static_cast<std::size_t>(i)];
        r.step(static_cast<double>(static_cast<T>(gradient_at(step, i))));
        const double x =
            static_cast<double>(i < 4 ? a.value().storage()[static_cast<std::size_t>(i)]
                                      : b.value().storage()[static_cast<std::size_t>(i - 4)]);
        CAPTURE(step);
        CAPTURE(i);
        CHECK(std::abs(x - r.theta) <
              (std::is_same_v<T, double> ? 1e-13 : 2e-6) * std::max(1.0, std::abs(r.theta)));
      }
    }
  }
}

TEST_CASE("adam: single precision keeps the moments to its last digits") {
  Parameter<float> x(Tensor<float>{1, 2, 3});
  Adam<float> adam({&x});
  std::vector<Reference> reference(3);
  for (int step = 0; step < 200; ++step) {
    const std::vector<float> g = gradients_at<float>(step, 3);
    adam.step(g);
    for (std::size_t i = 0; i < 3; ++i) reference[i].step(static_cast<double>(g[i]));
  }
  // 1 - 0.999f is wrong by 5e-5; each of 200 roundings costs at most 6e-8.
  const OptimizerState<float> state = adam.state();
  for (std::size_t i = 0; i < 3; ++i) {
    const auto second = static_cast<double>(state.tensors.at("second_moment")(i));
    CHECK(second == doctest::Approx(reference[i].v).epsilon(5e-6));
  }
}

TEST_CASE("adam: checkpoints find its memory by the same names as ever") {
  Parameter<double> x(Tensor<double>{1.0});
  const OptimizerState<double> state = Adam<double>({&x}).state();
  CHECK(state.tensors.size() == 2);
  CHECK(state.tensors.contains("first_moment"));
  CHECK(state.tensors.contains("second_moment"));
}

}  // namespace
}  // namespace fjord::optim
