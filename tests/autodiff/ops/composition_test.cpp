// Compositions in which a slope is infinite or NaN: every route to a derivative gives the same
// number, the right one, or none.
#include <cmath>
#include <optional>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"
#include "fjord/tests/support/routes.hpp"

namespace fjord::test {
namespace {

using F = Function<double>;

struct Named {
  std::string name;
  F f;
};

// The functions of the table that take one number to one.
std::vector<Named> functions() {
  std::vector<Named> result;
  const Rows table = all_rows();
  for (const Row& row : table.rows()) {
    if (row.at.size() != 1) continue;
    const auto apply = [f = row.f](const Var<double>& x) { return f({x}).front(); };
    try {
      Tape<double> tape;
      if (apply(tape.scalar(0.5)).shape().rank() == 0) result.push_back({row.name, apply});
    } catch (const std::exception&) {
      // One of tensors.
    }
  }
  return result;
}

double slope(const F& f, double x) {
  return derivative_by("r", f, Tensor<double>(x), {0});
}

double value(const F& f, double x) {
  Tape<double> tape;
  return f(tape.scalar(x)).item();
}

// The derivative from one side by differences, if they settle.
std::optional<double> one_sided(const F& f, double x, double side) {
  const double at_x = value(f, x);
  const auto quotient = [&](double h) { return (value(f, x + side * h) - at_x) / (side * h); };
  const double coarse = quotient(1e-5);
  const double fine = quotient(1e-6);
  const bool settles = std::abs(coarse - fine) <= 1e-3 * std::max(1.0, std::abs(fine));
  return settles ? std::optional(fine) : std::nullopt;
}

// Whether a finite derivative is one that differences do not contradict.
bool is_right(const F& f, double x, double found) {
  bool known = false;
  for (const double side : {1.0, -1.0}) {
    const std::optional<double> expected = one_sided(f, x, side);
    if (!expected) continue;
    known = true;
    if (std::abs(found - *expected) <= 5e-3 * std::max(1.0, std::abs(found))) return true;
  }
  return !known;
}

bool agree(double a, double b) {
  if (!std::isfinite(a) || !std::isfinite(b)) return !std::isfinite(a) && !std::isfinite(b);
  return std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
}

// What differs or is wrong, in the first and the second derivative.
std::string check(const F& f, double x) {
  const Tensor<double> at(x);
  for (int order = 1; order <= 2; ++order) {
    const std::vector<Index> entries(static_cast<std::size_t>(order), 0);
    std::optional<double> first;
    for (const std::string& route : routes(order)) {
      const double found = derivative_by(route, f, at, entries);
      if (!first) first = found;
      if (agree(*first, found)) continue;
      return "by " + route + " " + std::to_string(found) + ", not " + std::to_string(*first);
    }
    if (order == 1 && std::isfinite(*first) && !is_right(f, x, *first))
      return "first derivative " + std::to_string(*first);
  }
  return {};
}

const std::vector<double> points{0, 1, -1, 0.5, -2, 1000, inf, -inf};

TEST_CASE("compositions: of two functions where a slope is infinite or NaN") {
  const std::vector<Named> all = functions();
  CHECK(all.size() > 40);
  for (const Named& inner : all) {
    for (const double x : points) {
      const double y = value(inner.f, x);
      const double inner_slope = slope(inner.f, x);
      for (const Named& outer : all) {
        if (std::isfinite(inner_slope) && std::isfinite(slope(outer.f, y))) continue;
        CAPTURE(outer.name);
        CAPTURE(inner.name);
        CAPTURE(x);
        CHECK(check([&](const Var<double>& v) { return outer.f(inner.f(v)); }, x) == "");
      }
    }
  }
}

// A function of two with some of its arguments from `inner`; nothing if it is one of tensors.
std::optional<F> composed(const Row& row, const F& inner, int form) {
  const F f = [&row, inner, form](const Var<double>& v) {
    const Var<double> y = inner(v);
    const Var<double> c = v.tape().scalar(form == 3 ? 0 : 1);
    return row
        .f(form == 0   ? Vars<double>{y, y}
           : form == 1 ? Vars<double>{c, y}
                       : Vars<double>{y, c})
        .front();
  };
  try {
    Tape<double> tape;
    if (f(tape.scalar(0.5)).shape().rank() == 0) return f;
  } catch (const std::exception&) {
    // One of tensors, too.
  }
  return std::nullopt;
}

void check_pairs(const Row& row, const F& inner, double x) {
  for (int form = 0; form < 4; ++form) {
    CAPTURE(form);
    if (const std::optional<F> f = composed(row, inner, form)) CHECK(check(*f, x) == "");
  }
}

TEST_CASE("compositions: of a function of two with one whose slope is infinite or NaN") {
  const Rows table = all_rows();
  for (const Named& inner : functions()) {
    for (const double x : points) {
      if (std::isfinite(slope(inner.f, x))) continue;
      for (const Row& row : table.rows()) {
        CAPTURE(row.name);
        CAPTURE(row.variant);
        CAPTURE(inner.name);
        CAPTURE(x);
        if (row.at.size() == 2) check_pairs(row, inner.f, x);
      }
    }
  }
}

}  // namespace
}  // namespace fjord::test
