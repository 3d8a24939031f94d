#include "fjord/optim/average.hpp"

#include <cmath>
#include <functional>
#include <memory>

#include <doctest/doctest.h>

#include "fjord/autodiff/tape.hpp"

namespace fjord::optim {
namespace {

constexpr double decay = 0.8;

template <class T>
struct Kind {
  std::string_view name;
  std::function<std::unique_ptr<Average<T>>(std::vector<Parameter<T>*>)> make;
  // Of x_0 .. x_{n-1}, in its closed form.
  double (*weight)(int k, int n);
};

template <class T>
std::vector<Kind<T>> kinds() {
  return {{"exponential",
           [](std::vector<Parameter<T>*> parameters) {
             return std::make_unique<ExponentialAverage<T>>(
                 parameters, ExponentialAverageOptions{.decay = decay});
           },
           [](int k, int n) { return std::pow(decay, n - 1 - k) * (k == 0 ? 1 : 1 - decay); }},
          {"stochastic",
           [](std::vector<Parameter<T>*> parameters) {
             return std::make_unique<StochasticAverage<T>>(parameters);
           },
           [](int /*k*/, int n) { return 1.0 / n; }}};
}

double number_at(int step, std::size_t entry) {
  return std::sin(1.3 * step + static_cast<double>(entry)) + 2;
}

template <class T>
void set(Parameter<T>& a, Parameter<T>& b, int step) {
  std::size_t entry = 0;
  for (Parameter<T>* x : {&a, &b}) {
    for (T& value : x->mutable_values()) value = static_cast<T>(number_at(step, entry++));
  }
}

TEST_CASE_TEMPLATE("average: the averages are those of the closed forms", T, float, double) {
  for (const Kind<T>& kind : kinds<T>()) {
    CAPTURE(kind.name);
    Parameter<T> a(Tensor<T>::zeros({2, 2}));
    Parameter<T> b(Tensor<T>::zeros({3}));
    const auto average = kind.make({&a, &b});
    constexpr int count = 12;
    for (int step = 0; step < count; ++step) {
      set(a, b, step);
      average->update();
    }
    const AverageState state = average->state();
    CHECK(state.count == count);
    for (std::size_t i = 0; i < 7; ++i) {
      double expected = 0;
      for (int k = 0; k < count; ++k) {
        expected += kind.weight(k, count) * static_cast<double>(static_cast<T>(number_at(k, i)));
      }
      CHECK(state.values(i) == doctest::Approx(expected).epsilon(1e-14));
    }
  }
}

TEST_CASE("average: single precision loses no small change") {
  Parameter<float> x(Tensor<float>{1});
  ExponentialAverage<float> average({&x}, {.decay = 0.99999});
  average.update();
  x.mutable_values()[0] = 1.001F;
  for (int step = 0; step < 100; ++step) average.update();
  const double change = static_cast<double>(1.001F) - 1;
  CHECK(average.state().values.item() - 1 ==
        doctest::Approx(change * (1 - std::pow(0.99999, 100))).epsilon(1e-8));
}

TEST_CASE_TEMPLATE("average: swapped in and out, the parameters are the same bits", T, float,
                   double) {
  for (const Kind<T>& kind : kinds<T>()) {
    CAPTURE(kind.name);
    Parameter<T> a(Tensor<T>::zeros({2, 2}));
    Parameter<T> b(Tensor<T>::zeros({3}));
    const auto average = kind.make({&a, &b});
    for (int step = 0; step < 5; ++step) {
      set(a, b, step);
      average->update();
    }
    const Tensor<T> own_a = a.value();
    const Tensor<T> own_b = b.value();
    const AverageState state = average->state();
    average->swap_in();
    CHECK(average->is_swapped_in());
    for (std::size_t i = 0; i < 7; ++i) {
      const T value = i < 4 ? a.value().storage()[i] : b.value().storage()[i - 4];
      CHECK(value == static_cast<T>(state.values(i)));
    }
    average->swap_out();
    CHECK_FALSE(average->is_swapped_in());
    CHECK(a.value() == own_a);
    CHECK(b.value() == own_b);
    CHECK(average->state().values == state.values);
  }
}

TEST_CASE_TEMPLATE("average: a restored state goes on, bit for bit", T, float, double) {
  for (const Kind<T>& kind : kinds<T>()) {
    CAPTURE(kind.name);
    Parameter<T> a(Tensor<T>::zeros({2, 2}));
    Parameter<T> b(Tensor<T>::zeros({3}));
    const auto whole = kind.make({&a, &b});
    for (int step = 0; step < 5; ++step) {
      set(a, b, step);
      whole->update();
    }
    const auto resumed = kind.make({&a, &b});
    resumed->restore(whole->state());
    for (int step = 5; step < 9; ++step) {
      set(a, b, step);
      whole->update();
      resumed->update();
    }
    CHECK(resumed->state().count == 9);
    CHECK(resumed->state().values == whole->state().values);
  }
}

TEST_CASE("average: calls out of turn are refused, and change nothing") {
  for (const Kind<double>& kind : kinds<double>()) {
    CAPTURE(kind.name);
    Parameter<double> x(Tensor<double>{1.0});
    const auto average = kind.make({&x});
    const auto refuses = [](const std::function<void()>& call, const char* text) {
      CHECK_THROWS_WITH_AS(call(), doctest::Contains(text), std::invalid_argument);
    };
    refuses([&] { average->swap_in(); }, "before the first update");
    refuses([&] { average->swap_out(); }, "not swapped in");
    refuses([&] { average->restore({1, Tensor<double>::zeros({2})}); }, "shape");
    average->update();
    x.mutable_values()[0] = 5;
    Tape<double> tape;
    tape.bind(x);
    CHECK_THROWS_AS(average->swap_in(), std::invalid_argument);
    CHECK(x.value().item() == 5);
    tape.clear();
    average->swap_in();
    CHECK(x.value().item() == 1);
    refuses([&] { average->swap_in(); }, "already");
    refuses([&] { average->update(); }, "swap_out");
    refuses([&] { average->restore(average->state()); }, "swap_out");
    tape.bind(x);
    CHECK_THROWS_AS(average->swap_out(), std::invalid_argument);
    tape.clear();
    average->swap_out();
    CHECK(x.value().item() == 5);
    refuses([&] { kind.make({&x, &x}); }, "twice");
    refuses([&] { kind.make({nullptr}); }, "null");
  }
  for (const double value : {-0.1, 1.0, std::nan("")}) {
    CHECK_THROWS_WITH_AS(ExponentialAverage<double>({}, {.decay = value}),
                         doctest::Contains("decay"), std::invalid_argument);
  }
}

}  // namespace
}  // namespace fjord::optim
