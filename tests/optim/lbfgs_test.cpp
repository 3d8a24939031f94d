#include "fjord/optim/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/autodiff/tape.hpp"

namespace fjord::optim {
namespace {

using Vector = std::vector<double>;

struct Loss {
  double value;
  Vector gradient;
};

const Vector curvature{0.01, 0.1, 0.5, 1};
const Vector center{0.5, -0.25, 1, 0.75};

// Condition number 100.
Loss bowl(const Vector& x) {
  Loss loss{0, Vector(x.size())};
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double d = x[i] - center[i];
    loss.value += curvature[i] * d * d / 2;
    loss.gradient[i] = curvature[i] * d;
  }
  return loss;
}

// A chain of Rosenbrock's function in any number of dimensions.
Loss rosenbrock(const Vector& x) {
  Loss loss{0, Vector(x.size())};
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const double rest = x[i + 1] - x[i] * x[i];
    loss.value += 100 * rest * rest + (1 - x[i]) * (1 - x[i]);
    loss.gradient[i] += -400 * x[i] * rest - 2 * (1 - x[i]);
    loss.gradient[i + 1] += 200 * rest;
  }
  return loss;
}

// Not finite outside x > 0.
Loss barrier(const Vector& x) {
  return {x[0] - std::log(x[0]), {1 - 1 / x[0]}};
}

struct Problem {
  std::string_view name;
  Loss (*loss)(const Vector& x);
  Vector start;
  Vector minimiser;
  int steps;
};

const std::vector<Problem> problems{
    {"bowl", bowl, {1, 1, -1, -1}, center, 25},
    {"Rosenbrock", rosenbrock, {-1.2, 1}, {1, 1}, 50},
    {"a chain of ten", rosenbrock, Vector(10, 0.5), Vector(10, 1), 80},
    {"barrier", barrier, {20}, {1}, 20},
    {"barrier from the left", barrier, {1e-3}, {1}, 20},
};

template <class T>
Tensor<T> tensor_of(const Vector& x) {
  Tensor<T> result = Tensor<T>::zeros({static_cast<Index>(x.size())});
  for (std::size_t i = 0; i < x.size(); ++i) result.storage()[i] = static_cast<T>(x[i]);
  return result;
}

/// A parameter with a loss, for Lbfgs.
template <class T>
struct Target {
  explicit Target(const Problem& p) : loss(p.loss), x(tensor_of<T>(p.start)) {}

  LossAndGradient<T> operator()() {
    points.push_back(x.value().template as<double>().to_vector());
    const auto [value, g] = loss(points.back());
    gradient = tensor_of<T>(g);
    return {value, gradient.storage()};
  }

  typename Lbfgs<T>::Function function() {
    return [this] { return (*this)(); };
  }

  Loss (*loss)(const Vector& x);
  Parameter<T> x;
  Tensor<T> gradient;
  std::vector<Vector> points;  // of all evaluations
};

TEST_CASE_TEMPLATE("lbfgs: it finds every minimiser, and each step lowers the loss", T, float,
                   double) {
  for (const Problem& problem : problems) {
    CAPTURE(problem.name);
    Target<T> target(problem);
    Lbfgs<T> lbfgs({&target.x});
    double last = std::numeric_limits<double>::infinity();
    for (int step = 0; step < problem.steps; ++step) {
      const LbfgsReport report = lbfgs.step(target.function());
      if (report.status != LbfgsStatus::decreased) break;
      CHECK(report.loss < last);
      CHECK(report.loss == problem.loss(target.x.value().template as<double>().to_vector()).value);
      last = report.loss;
    }
    for (std::size_t i = 0; i < problem.minimiser.size(); ++i) {
      CAPTURE(i);
      CHECK(std::abs(static_cast<double>(target.x.value().storage()[i]) - problem.minimiser[i]) <
            (std::is_same_v<T, double> ? 1e-7 : 3e-3));
    }
  }
}

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

using Matrix = std::vector<Vector>;

// (I - rho s y^T) h (I - rho y s^T) + rho s s^T: equation 7.16 of the book.
Matrix updated(const Matrix& h, const Vector& s, const Vector& y) {
  const double rho = 1 / dot(s, y);
  const std::size_t n = s.size();
  Matrix left(n, Vector(n));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t k = 0; k < n; ++k) {
        left[i][j] += ((i == k ? 1 : 0) - rho * s[i] * y[k]) * h[k][j];
      }
    }
  }
  Matrix result(n, Vector(n));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t k = 0; k < n; ++k) {
        result[i][j] += left[i][k] * ((k == j ? 1 : 0) - rho * y[k] * s[j]);
      }
      result[i][j] += rho * s[i] * s[j];
    }
  }
  return result;
}

// -h gradient, with the matrix h from the newest `memory` of the points.
Vector direction_at(const std::vector<Vector>& points, std::size_t memory,
                    Loss (*loss)(const Vector&)) {
  const std::size_t n = points[0].size();
  Matrix s;
  Matrix y;
  for (std::size_t k = points.size() - std::min(memory + 1, points.size()); k + 1 < points.size();
       ++k) {
    s.emplace_back(n);
    y.emplace_back(n);
    const Vector before = loss(points[k]).gradient;
    const Vector after = loss(points[k + 1]).gradient;
    for (std::size_t i = 0; i < n; ++i) {
      s.back()[i] = points[k + 1][i] - points[k][i];
      y.back()[i] = after[i] - before[i];
    }
  }
  Matrix h(n, Vector(n));
  const double scale = dot(s.back(), y.back()) / dot(y.back(), y.back());
  for (std::size_t i = 0; i < n; ++i) h[i][i] = scale;
  for (std::size_t k = 0; k < s.size(); ++k) h = updated(h, s[k], y[k]);
  Vector direction(n);
  const Vector g = loss(points.back()).gradient;
  for (std::size_t i = 0; i < n; ++i) direction[i] = -dot(h[i], g);
  return direction;
}

TEST_CASE("lbfgs: the steps are those of the formulas") {
  for (const int memory : {1, 3, 10}) {
    CAPTURE(memory);
    const Problem problem{"", rosenbrock, {-1.2, 1, 0.3, 0.7}, {}, 0};
    Target<double> target(problem);
    Lbfgs<double> lbfgs({&target.x}, {.memory = memory});
    std::vector<Vector> points{problem.start};
    for (int step = 0; step < 8; ++step) {
      CAPTURE(step);
      target.points.clear();
      CHECK(lbfgs.step(target.function()).status == LbfgsStatus::decreased);
      if (step > 0) {
        const Vector direction =
            direction_at(points, static_cast<std::size_t>(memory), problem.loss);
        // The first trial has the length 1: the end of the last step is not evaluated again.
        for (std::size_t i = 0; i < direction.size(); ++i) {
          CHECK(target.points[0][i] - points.back()[i] ==
                doctest::Approx(direction[i]).epsilon(1e-9));
        }
      }
      points.push_back(target.x.value().to_vector());
    }
  }
}

TEST_CASE_TEMPLATE("lbfgs: a restored state goes on, bit for bit", T, float, double) {
  for (const int before : {0, 1, 3, 7}) {
    CAPTURE(before);
    const Problem& problem = problems[2];
    Target<T> whole(problem);
    Lbfgs<T> uninterrupted({&whole.x}, {.memory = 4});
    for (int step = 0; step < before; ++step) uninterrupted.step(whole.function());
    Target<T> other(problem);
    std::ranges::copy(whole.x.value().storage(), other.x.mutable_values().begin());
    Lbfgs<T> resumed({&other.x}, {.memory = 4});
    resumed.restore(uninterrupted.state());
    for (int step = 0; step < 6; ++step) {
      uninterrupted.step(whole.function());
      resumed.step(other.function());
      CHECK(whole.x.value() == other.x.value());
    }
    CHECK(resumed.steps() == uninterrupted.steps());
    CHECK(resumed.state().tensors == uninterrupted.state().tensors);
  }
}

TEST_CASE("lbfgs: states of other kinds and sizes are refused, and change nothing") {
  Target<double> target(problems[1]);
  Lbfgs<double> lbfgs({&target.x}, {.memory = 2});
  lbfgs.step(target.function());
  const OptimizerState<double> before = lbfgs.state();
  for (const char* name : {"steps", "changes"}) {
    OptimizerState<double> missing = before;
    missing.steps = 9;
    missing.tensors.erase(name);
    CHECK_THROWS_WITH_AS(lbfgs.restore(missing), doctest::Contains(name), std::invalid_argument);
    missing.tensors[name] = Tensor<double>::zeros({2, 3});
    CHECK_THROWS_WITH_AS(lbfgs.restore(missing), doctest::Contains("[2, 2]"),
                         std::invalid_argument);
    CHECK(lbfgs.steps() == 1);
    CHECK(lbfgs.state().tensors == before.tensors);
  }
}

TEST_CASE("lbfgs: parameters that were changed between steps are evaluated again") {
  Target<double> target(problems[0]);
  Lbfgs<double> lbfgs({&target.x});
  lbfgs.step(target.function());
  target.points.clear();
  target.x.mutable_values()[0] = 3;
  lbfgs.step(target.function());
  CHECK(target.points[0][0] == 3);
}

TEST_CASE("lbfgs: it says why a step did nothing") {
  Target<double> target({"", bowl, center, {}, 0});
  Lbfgs<double> stationary({&target.x});
  LbfgsReport report = stationary.step(target.function());
  CHECK(report.status == LbfgsStatus::stationary);
  CHECK(report.loss == 0);
  CHECK(report.evaluations == 1);

  // The gradient points the wrong way.
  Parameter<double> x(Tensor<double>{2.0});
  Vector gradient(1);
  Lbfgs<double> misled({&x}, {.line_search = {.max_evaluations = 7}});
  report = misled.step([&]() -> LossAndGradient<double> {
    gradient[0] = -2 * x.value().item();
    return {x.value().item() * x.value().item(), gradient};
  });
  CHECK(report.status == LbfgsStatus::no_decrease);
  CHECK(report.loss == 4);
  CHECK(report.evaluations == 8);
  CHECK(x.value().item() == 2);
  CHECK(misled.steps() == 0);

  Lbfgs<double> lost({&x});
  report = lost.step([&]() -> LossAndGradient<double> { return {std::nan(""), gradient}; });
  CHECK(report.status == LbfgsStatus::not_finite);
  CHECK(x.value().item() == 2);
}

TEST_CASE("lbfgs: a gradient of another size, and a parameter that a tape holds, are refused") {
  Target<double> target(problems[1]);
  Lbfgs<double> lbfgs({&target.x});
  const Vector longer(3);
  CHECK_THROWS_WITH_AS(lbfgs.step([&]() -> LossAndGradient<double> {
    return {0, longer};
  }),
                       doctest::Contains("2 numbers"), std::invalid_argument);
  Tape<double> tape;
  tape.bind(target.x);
  CHECK_THROWS_AS(lbfgs.step(target.function()), std::invalid_argument);
  CHECK(target.points.empty());
}

TEST_CASE("lbfgs: every option out of range is refused by name") {
  const auto refuses = [](const LbfgsOptions& options, const char* field) {
    CHECK_THROWS_WITH_AS(Lbfgs<double>({}, options), doctest::Contains(field),
                         std::invalid_argument);
  };
  refuses({.memory = 0}, "memory");
  refuses({.line_search = {.decrease = 0}}, "decrease");
  refuses({.line_search = {.decrease = 1}}, "decrease");
  refuses({.line_search = {.decrease = std::nan("")}}, "decrease");
  refuses({.line_search = {.curvature = 1}}, "curvature");
  refuses({.line_search = {.decrease = 0.5, .curvature = 0.4}}, "curvature");
  refuses({.line_search = {.max_evaluations = 0}}, "max_evaluations");
  Parameter<double> x(Tensor<double>{1.0});
  CHECK_THROWS_WITH_AS(Lbfgs<double>({&x, &x}), doctest::Contains("twice"), std::invalid_argument);
}

struct Line {
  std::string_view name;
  LinePoint (*at)(double step);
};

// The first three are functions 1 to 3 of More & Thuente, Line search algorithms with guaranteed
// sufficient decrease, ACM Trans. Math. Softw. 20 (1994), the second with the parameter 0.1, the
// third with 39 and 0.01.
const std::vector<Line> lines{
    {"rational",
     [](double a) {
       const double q = a * a + 2;
       return LinePoint{a, -a / q, (a * a - 2) / (q * q)};
     }},
    {"power",
     [](double a) {
       const double b = a + 0.1;
       return LinePoint{a, std::pow(b, 5) - 2 * std::pow(b, 4),
                        5 * std::pow(b, 4) - 8 * std::pow(b, 3)};
     }},
    {"wavy",
     [](double a) {
       constexpr double beta = 0.01;
       constexpr double l = 39;
       const double wave = std::numbers::pi * l / 2;
       const double smooth = a <= 1 - beta   ? 1 - a
                             : a >= 1 + beta ? a - 1
                                             : (a - 1) * (a - 1) / (2 * beta) + beta / 2;
       const double slope = a <= 1 - beta ? -1 : a >= 1 + beta ? 1 : (a - 1) / beta;
       return LinePoint{a, smooth + 2 * (1 - beta) / (l * std::numbers::pi) * std::sin(wave * a),
                        slope + (1 - beta) * std::cos(wave * a)};
     }},
    {"barrier",
     [](double a) {
       return LinePoint{a, -std::log(1 - a) - 3 * a, 1 / (1 - a) - 3};
     }},
};

TEST_CASE("line search: the step has the strong Wolfe conditions") {
  const LineSearchOptions options{.decrease = 1e-3, .curvature = 0.1, .max_evaluations = 60};
  for (const Line& line : lines) {
    CAPTURE(line.name);
    for (const double first : {1e-3, 1e-1, 1.0, 10.0, 1000.0}) {
      CAPTURE(first);
      const LinePoint start = line.at(0);
      const LinePoint found = strong_wolfe(line.at, start, first, options);
      CHECK(found.step > 0);
      CHECK(found.value <= start.value + options.decrease * found.step * start.slope);
      CHECK(std::abs(found.slope) <= options.curvature * -start.slope);
      CHECK(found.value == line.at(found.step).value);
    }
  }
}

TEST_CASE("line search: it ends after the evaluations that it may take") {
  int calls = 0;
  const auto falling = [&](double a) {
    ++calls;
    return LinePoint{a, -a, -1};
  };
  const LinePoint found = strong_wolfe(falling, {0, 0, -1}, 1, {.max_evaluations = 5});
  CHECK(calls == 5);
  CHECK(found.step == 16);
}

}  // namespace
}  // namespace fjord::optim
