#include "fjord/ode/tableau.hpp"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

namespace fjord::ode {
namespace {

using Numbers = std::vector<double>;

Numbers operator*(const Numbers& u, const Numbers& v) {
  Numbers product(u.size());
  for (std::size_t i = 0; i < u.size(); ++i) product[i] = u[i] * v[i];
  return product;
}

double dot(const Numbers& u, const Numbers& v) {
  double sum = 0;
  for (const double x : u* v) sum += x;
  return sum;
}

/// A v, with A the matrix of the stages.
Numbers apply(const Tableau& method, const Numbers& v) {
  Numbers result(v.size(), 0.0);
  for (std::size_t i = 1; i < method.stages(); ++i) {
    for (std::size_t j = 0; j < i; ++j) result[i] += method.row(i)[j] * v[j];
  }
  return result;
}

/// One rooted tree: weights . phi must be 1 / gamma.
struct OrderCondition {
  int order;
  Numbers phi;
  double gamma;
};

/// All trees up to order 5: Hairer, Norsett & Wanner, Solving ODEs I, table II.2.2.
std::vector<OrderCondition> order_conditions(const Tableau& method) {
  const auto a = [&](const Numbers& v) { return apply(method, v); };
  const Numbers c(method.c.begin(), method.c.end());
  const Numbers e(c.size(), 1.0);
  return {{1, e, 1},
          {2, c, 2},
          {3, c * c, 3},
          {3, a(c), 6},
          {4, c * c * c, 4},
          {4, c * a(c), 8},
          {4, a(c * c), 12},
          {4, a(a(c)), 24},
          {5, c * c * c * c, 5},
          {5, c * c * a(c), 10},
          {5, c * a(c * c), 15},
          {5, c * a(a(c)), 30},
          {5, a(c) * a(c), 20},
          {5, a(c * c * c), 20},
          {5, a(c * a(c)), 40},
          {5, a(a(c * c)), 60},
          {5, a(a(a(c))), 120}};
}

/// The worst violation of the conditions of one order.
double violation(const Tableau& method, const Numbers& weights, int order) {
  double worst = 0;
  for (const OrderCondition& condition : order_conditions(method)) {
    if (condition.order != order) continue;
    worst = std::max(worst, std::abs(dot(weights, condition.phi) - 1 / condition.gamma));
  }
  return worst;
}

TEST_CASE("tableau: the tables have the sizes of their stages") {
  for (const Tableau* method : all_tableaus()) {
    CAPTURE(method->name);
    const std::size_t stages = method->stages();
    CHECK(method->a.size() == stages * (stages - 1) / 2);
    CHECK(method->b.size() == stages);
    CHECK(method->error.size() == stages);
  }
}

TEST_CASE("tableau: every stage is evaluated at the sum of its weights") {
  for (const Tableau* method : all_tableaus()) {
    CAPTURE(method->name);
    const Numbers sums = apply(*method, Numbers(method->stages(), 1.0));
    for (std::size_t i = 0; i < method->stages(); ++i) {
      CAPTURE(i);
      CHECK(std::abs(sums[i] - method->c[i]) < 1e-14);
    }
  }
}

TEST_CASE("tableau: the solution meets every order condition up to its order") {
  for (const Tableau* method : all_tableaus()) {
    CAPTURE(method->name);
    const Numbers b(method->b.begin(), method->b.end());
    for (int order = 1; order <= std::min(method->order, 5); ++order) {
      CAPTURE(order);
      CHECK(violation(*method, b, order) < 1e-14);
    }
  }
}

TEST_CASE("tableau: the embedded solution has one order less") {
  for (const Tableau* method : all_tableaus()) {
    CAPTURE(method->name);
    Numbers embedded(method->b.begin(), method->b.end());
    for (std::size_t i = 0; i < embedded.size(); ++i) embedded[i] -= method->error[i];
    for (int order = 1; order < std::min(method->order, 6); ++order) {
      CAPTURE(order);
      CHECK(violation(*method, embedded, order) < 1e-14);
    }
    if (method->order <= 5) CHECK(violation(*method, embedded, method->order) > 1e-5);
  }
}

TEST_CASE("tableau: Dormand-Prince is first same as last, and no other table passes for it") {
  CHECK(dormand_prince.is_first_same_as_last());
  CHECK(dormand_prince.order == 5);
  CHECK(dormand_prince.stages() == 7);
  Tableau changed = dormand_prince;
  const Numbers c{0, 0.2, 0.3, 0.8, 8.0 / 9, 1, 0.9};
  changed.c = c;
  CHECK_FALSE(changed.is_first_same_as_last());
  changed = dormand_prince;
  changed.b = dormand_prince.error;
  CHECK_FALSE(changed.is_first_same_as_last());
}

}  // namespace
}  // namespace fjord::ode
