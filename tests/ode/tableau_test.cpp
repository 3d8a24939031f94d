#include <algorithm>
#include <cmath>
#include <complex>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/ode/methods.hpp"

namespace fjord::ode {
namespace {

using Numbers = std::vector<double>;

Numbers numbers(std::span<const double> span) {
  return {span.begin(), span.end()};
}

Numbers operator*(const Numbers& u, const Numbers& v) {
  Numbers product(u.size());
  for (std::size_t i = 0; i < u.size(); ++i) product[i] = u[i] * v[i];
  return product;
}

Numbers operator-(const Numbers& u, const Numbers& v) {
  Numbers difference(u.size());
  for (std::size_t i = 0; i < u.size(); ++i) difference[i] = u[i] - v[i];
  return difference;
}

double dot(std::span<const double> u, const Numbers& v) {
  return std::inner_product(u.begin(), u.end(), v.begin(), 0.0);
}

std::vector<const Tableau*> all_tableaus() {
  std::vector<const Tableau*> tableaus;
  for (const Method* method : methods()) {
    if (const auto* explicit_method = dynamic_cast<const ExplicitRungeKutta*>(method))
      tableaus.push_back(&explicit_method->tableau());
  }
  return tableaus;
}

std::size_t all_stages(const Tableau& method) {
  return method.stages() + method.extra_stages();
}

/// The weights of stage i, the extra ones of the dense output included.
std::span<const double> row(const Tableau& method, std::size_t i) {
  return i < method.stages() ? method.row(i) : method.dense_row(i - method.stages());
}

/// The times of all stages.
Numbers times(const Tableau& method) {
  Numbers result = numbers(method.c);
  result.insert(result.end(), method.dense_c.begin(), method.dense_c.end());
  return result;
}

/// A v, with A the matrix of all stages.
Numbers apply(const Tableau& method, const Numbers& v) {
  Numbers result(v.size(), 0.0);
  for (std::size_t i = 1; i < v.size(); ++i) result[i] = dot(row(method, i), v);
  return result;
}

/// Whether stage i is evaluated at the solution.
bool is_at_solution(const Tableau& method, std::size_t i) {
  Numbers weights = numbers(row(method, i));
  Numbers b = numbers(method.b);
  weights.resize(all_stages(method), 0.0);
  b.resize(all_stages(method), 0.0);
  return weights == b;
}

/// The weights of all stages at the fraction t of the step.
Numbers dense_weights(const Tableau& method, double t) {
  Numbers weights(all_stages(method), 0.0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::span<const double> polynomial = method.dense_weight(i);
    for (std::size_t k = polynomial.size(); k-- > 0;) weights[i] = (weights[i] + polynomial[k]) * t;
  }
  return weights;
}

/// The coefficients of those weights by size, added up: what rounding them is relative to.
Numbers dense_sizes(const Tableau& method, double t) {
  Numbers sizes(all_stages(method), 0.0);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::span<const double> polynomial = method.dense_weight(i);
    for (std::size_t k = polynomial.size(); k-- > 0;)
      sizes[i] = (sizes[i] + std::abs(polynomial[k])) * t;
  }
  return sizes;
}

/// The most that rounding the method's coefficients, and weights of the given sizes, changes in an
/// order condition.
double rounding(const Tableau& method, std::span<const double> sizes) {
  double sum = 1;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    double stage = 1;
    for (const double weight : row(method, i)) stage += std::abs(weight);
    sum += std::abs(sizes[i]) * stage;
  }
  return 1e-16 * sum;
}

Numbers embedded(const Tableau& method) {
  return numbers(method.b) - numbers(method.error);
}

/// One rooted tree: weights . phi must be 1 / gamma, and t^order / gamma at the fraction t.
struct OrderCondition {
  int order;
  double gamma;
  Numbers phi;
  Numbers a_phi;  ///< A phi: what the tree contributes as a branch of another
};

/// All rooted trees up to an order: a tree is a root whose branches are smaller trees.
///
/// Source:  Hairer, Norsett & Wanner, Solving ODEs I, 2nd ed., sec. II.2.
class RootedTrees final {
 public:
  RootedTrees(const Tableau& method, int max_order) : method_(method) {
    const Numbers ones(all_stages(method), 1.0);
    for (int order = 1; order <= max_order; ++order) {
      smaller_ = conditions_.size();
      graft(order, order - 1, smaller_, ones, 1);
    }
  }

  const std::vector<OrderCondition>& conditions() const { return conditions_; }

  std::vector<const OrderCondition*> of_order(int order) const {
    std::vector<const OrderCondition*> result;
    for (const OrderCondition& condition : conditions_) {
      if (condition.order == order) result.push_back(&condition);
    }
    return result;
  }

  /// The worst violation of the conditions of one order.
  double violation(std::span<const double> weights, int order, double t = 1) const {
    double worst = 0;
    for (const OrderCondition* condition : of_order(order)) {
      const double sum = dot(weights, condition->phi);
      worst = std::max(worst, std::abs(sum - std::pow(t, order) / condition->gamma));
    }
    return worst;
  }

 private:
  // Adds the trees with `left` more nodes in branches, which come in falling order of their index:
  // below `limit`.
  void graft(int order, int left, std::size_t limit, const Numbers& phi, double gamma) {
    if (left == 0) {
      conditions_.push_back({order, order * gamma, phi, apply(method_, phi)});
      // A times ones, without rounding.
      if (order == 1) conditions_.back().a_phi = times(method_);
      return;
    }
    for (std::size_t i = std::min(limit, smaller_); i-- > 0;) {
      if (conditions_[i].order > left) continue;
      const Numbers next = phi * conditions_[i].a_phi;
      graft(order, left - conditions_[i].order, i + 1, next, gamma * conditions_[i].gamma);
    }
  }

  const Tableau& method_;
  std::size_t smaller_ = 0;
  std::vector<OrderCondition> conditions_;
};

/// All trees up to order 5, by hand: Hairer, Norsett & Wanner, Solving ODEs I, table II.2.2.
std::vector<OrderCondition> conditions_by_hand(const Tableau& method) {
  const auto a = [&](const Numbers& v) { return apply(method, v); };
  const Numbers e(all_stages(method), 1.0);
  const Numbers c = times(method);
  return {{1, 1, e, {}},
          {2, 2, c, {}},
          {3, 3, c * c, {}},
          {3, 6, a(c), {}},
          {4, 4, c * c * c, {}},
          {4, 8, c * a(c), {}},
          {4, 12, a(c * c), {}},
          {4, 24, a(a(c)), {}},
          {5, 5, c * c * c * c, {}},
          {5, 10, c * c * a(c), {}},
          {5, 15, c * a(c * c), {}},
          {5, 30, c * a(a(c)), {}},
          {5, 20, a(c) * a(c), {}},
          {5, 20, a(c * c * c), {}},
          {5, 40, a(c * a(c)), {}},
          {5, 60, a(a(c * c)), {}},
          {5, 120, a(a(a(c))), {}}};
}

/// The solution of y' = z y after a step of length 1 from 1.
std::complex<double> stability_function(const Tableau& method, std::complex<double> z) {
  std::vector<std::complex<double>> k;
  const auto sum = [&](std::span<const double> weights) {
    std::complex<double> result = 1;
    for (std::size_t j = 0; j < weights.size(); ++j) result += z * weights[j] * k[j];
    return result;
  };
  for (std::size_t i = 0; i < method.stages(); ++i)
    k.push_back(sum(i > 0 ? method.row(i) : std::span<const double>()));
  return sum(method.b);
}

/// 1 + z + ... + z^order / order! and some terms more.
std::complex<double> truncated_exponential(int order, const Numbers& more, std::complex<double> z) {
  std::complex<double> sum = 1;
  std::complex<double> power = 1;
  for (int k = 1; k <= order; ++k) sum += power *= z / static_cast<double>(k);
  power = std::pow(z, order);
  for (const double coefficient : more) sum += coefficient * (power *= z);
  return sum;
}

TEST_CASE("tableau: every method has a name of its own") {
  const std::vector<const Tableau*> tableaus = all_tableaus();
  for (const Tableau* method : tableaus) {
    const auto same = [&](const Tableau* other) {
      return std::string(other->name) == method->name;
    };
    CHECK(std::ranges::count_if(tableaus, same) == 1);
  }
}

TEST_CASE("tableau: the tables have the sizes of their stages") {
  for (const Tableau* method : all_tableaus()) {
    CAPTURE(method->name);
    const std::size_t stages = method->stages();
    const std::size_t extra = method->extra_stages();
    CHECK(method->a.size() == stages * (stages - 1) / 2);
    CHECK(method->b.size() == stages);
    CHECK(method->error.size() == (method->embedded_order > 0 ? stages : 0));
    CHECK((method->second_error.empty() || method->second_error.size() == stages));
    CHECK(method->dense_a.size() == extra * stages + (extra > 0 ? extra * (extra - 1) / 2 : 0));
    CHECK(method->dense.empty() == (method->dense_order == 0));
    CHECK(method->dense.size() % (stages + extra) == 0);
    for (std::size_t i = 0; i < extra; ++i) {
      CHECK(method->dense_row(i).size() == stages + i);
    }
  }
}

TEST_CASE("tableau: every stage is evaluated at the sum of its weights") {
  for (const Tableau* method : all_tableaus()) {
    CAPTURE(method->name);
    for (std::size_t i = 1; i < all_stages(*method); ++i) {
      CAPTURE(i);
      const std::span<const double> weights = row(*method, i);
      double size = 1;
      for (const double weight : weights) size = std::max(size, std::abs(weight));
      const double sum = std::reduce(weights.begin(), weights.end());
      CHECK(std::abs(sum - times(*method)[i]) < 1e-15 * size);
    }
  }
}

TEST_CASE("tableau: the rooted trees are as many as there are, and those of the book") {
  const RootedTrees trees(dormand_prince.tableau(), 9);
  const std::vector<std::size_t> counts{1, 1, 2, 4, 9, 20, 48, 115, 286};
  for (int order = 1; order <= 9; ++order)
    CHECK(trees.of_order(order).size() == counts[static_cast<std::size_t>(order - 1)]);
  const std::vector<OrderCondition> by_hand = conditions_by_hand(dormand_prince.tableau());
  CHECK(by_hand.size() == 17);
  for (const OrderCondition& expected : by_hand) {
    const auto same = [&](const OrderCondition& c) {
      const Numbers difference = c.phi - expected.phi;
      return c.order == expected.order && c.gamma == expected.gamma &&
             std::ranges::all_of(difference, [](double x) { return std::abs(x) < 1e-15; });
    };
    CHECK(std::ranges::count_if(trees.conditions(), same) == 1);
  }
}

TEST_CASE("tableau: the solution has its order and no more") {
  for (const Tableau* method : all_tableaus()) {
    CAPTURE(method->name);
    const RootedTrees trees(*method, std::min(method->order + 1, 9));
    for (int order = 1; order <= method->order; ++order) {
      CAPTURE(order);
      CHECK(trees.violation(method->b, order) < rounding(*method, method->b));
    }
    if (method->order < 9) CHECK(trees.violation(method->b, method->order + 1) > 1e-7);
  }
}

TEST_CASE("tableau: the embedded solution has its order and no more") {
  for (const Tableau* method : all_tableaus()) {
    if (method->error.empty()) continue;
    CAPTURE(method->name);
    const RootedTrees trees(*method, method->embedded_order + 1);
    const Numbers weights = embedded(*method);
    for (int order = 1; order <= method->embedded_order; ++order) {
      CAPTURE(order);
      CHECK(trees.violation(weights, order) < rounding(*method, weights));
    }
    CHECK(trees.violation(weights, method->embedded_order + 1) > 1e-7);
    if (method != &dop853.tableau()) CHECK(std::abs(method->embedded_order - method->order) == 1);
  }
}

TEST_CASE("tableau: the second estimate of dop853 is of order 3") {
  const RootedTrees trees(dop853.tableau(), 4);
  const Numbers weights = numbers(dop853.tableau().b) - numbers(dop853.tableau().second_error);
  for (int order = 1; order <= 3; ++order) CHECK(trees.violation(weights, order) < 1e-14);
  CHECK(trees.violation(weights, 4) > 1e-7);
}

TEST_CASE("tableau: the dense output has its order everywhere in the step and no more") {
  for (const Tableau* method : all_tableaus()) {
    if (method->dense.empty()) continue;
    CAPTURE(method->name);
    const RootedTrees trees(*method, std::min(method->dense_order + 1, 9));
    for (const double t : {0.1, 0.37, 0.5, 0.83, 1.0}) {
      CAPTURE(t);
      const Numbers weights = dense_weights(*method, t);
      const double tolerance = rounding(*method, dense_sizes(*method, t));
      for (int order = 1; order <= method->dense_order; ++order) {
        CAPTURE(order);
        CHECK(trees.violation(weights, order, t) < tolerance);
      }
    }
    const int next = method->dense_order + 1;
    if (next <= 9) CHECK(trees.violation(dense_weights(*method, 0.37), next, 0.37) > 1e-9);
  }
}

TEST_CASE("tableau: the dense output meets the solution and its slope at both ends of the step") {
  for (const Tableau* method : all_tableaus()) {
    if (method->dense.empty()) continue;
    CAPTURE(method->name);
    const Numbers end = dense_weights(*method, 1);
    for (std::size_t i = 0; i < end.size(); ++i) {
      CAPTURE(i);
      const std::span<const double> polynomial = method->dense_weight(i);
      double size = 0;
      double slope = 0;
      for (std::size_t k = 0; k < polynomial.size(); ++k) {
        size += std::abs(polynomial[k]);
        slope += static_cast<double>(k + 1) * polynomial[k];
      }
      const double tolerance = 1e-15 * (1 + size);
      CHECK(std::abs(end[i] - (i < method->stages() ? method->b[i] : 0)) < tolerance);
      CHECK(polynomial[0] == (i == 0 ? 1 : 0));
      CHECK(std::abs(slope - (is_at_solution(*method, i) ? 1 : 0)) < 10 * tolerance);
    }
  }
}

TEST_CASE("tableau: the stability functions are those of the literature") {
  struct Case {
    const Tableau* method;
    Numbers more;  ///< coefficients of z^(order + 1), ...
  };

  // Hairer & Wanner, Solving ODEs II, 2nd ed., sec. IV.2, has those of Dormand-Prince and
  // dop853.tableau().
  const std::vector<Case> cases{
      {&euler.tableau(), {}},
      {&midpoint.tableau(), {}},
      {&heun2.tableau(), {}},
      {&heun3.tableau(), {}},
      {&ralston.tableau(), {}},
      {&rk4.tableau(), {}},
      {&rk4_38.tableau(), {}},
      {&heun_euler.tableau(), {}},
      {&bogacki_shampine.tableau(), {}},
      {&owren_zennaro3.tableau(), {}},
      {&fehlberg2.tableau(), {255.0 / 262144}},
      {&fehlberg45.tableau(), {1.0 / 104}},
      {&cash_karp.tableau(), {1.0 / 800}},
      {&owren_zennaro4.tableau(), {55.0 / 5032}},
      {&owren_zennaro5.tableau(), {3.0 / 4480, 1.0 / 4480}},
      {&dormand_prince.tableau(), {1.0 / 600}},
      {&dop853.tableau(),
       {2.6916922001691e-6, 2.3413451082098e-7, 1.4947364854592e-8, 3.6133245781282e-10}}};
  for (const Case& known : cases) {
    CAPTURE(known.method->name);
    for (const std::complex<double> z : {std::complex{-1.0, 0.0}, {-2.0, 1.0}, {0.0, 1.5}}) {
      const std::complex<double> expected =
          truncated_exponential(known.method->order, known.more, z);
      CHECK(std::abs(stability_function(*known.method, z) - expected) < 1e-13);
    }
  }
}

TEST_CASE("tableau: the methods that are first same as last, and no others, pass for it") {
  const std::vector<const Tableau*> expected{&bogacki_shampine.tableau(), &owren_zennaro3.tableau(),
                                             &owren_zennaro4.tableau(),   &owren_zennaro5.tableau(),
                                             &dormand_prince.tableau(),   &tsitouras.tableau(),
                                             &verner6.tableau(),          &dop853.tableau()};
  for (const Tableau* method : all_tableaus()) {
    CAPTURE(method->name);
    CHECK(method->is_first_same_as_last() == (std::ranges::count(expected, method) == 1));
  }
  Tableau changed = dormand_prince.tableau();
  const Numbers c{0, 0.2, 0.3, 0.8, 8.0 / 9, 1, 0.9};
  changed.c = c;
  CHECK_FALSE(changed.is_first_same_as_last());
  changed = dormand_prince.tableau();
  changed.b = dormand_prince.tableau().error;
  CHECK_FALSE(changed.is_first_same_as_last());
}

}  // namespace
}  // namespace fjord::ode
