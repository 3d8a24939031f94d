#include "fjord/apps/density/unusual.hpp"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

namespace fjord::apps::density {
namespace {

// Two normal columns with correlation 0.8 and, if something is given, that much in the means; no
// density beyond 50.
class Correlated final : public LookedAt {
 public:
  explicit Correlated(Index given) : given_(given) {}

  std::vector<double> log_prob(const Tensor<double>& values, const Tensor<double>& given) override {
    std::vector<double> result;
    for (Index i = 0; i < values.shape()[0]; ++i) {
      const double mean = given_ > 0 ? given(i, 0) : 0;
      const double x = values(i, 0) - mean;
      const double y = values(i, 1) - mean;
      const double square = (x * x - 1.6 * x * y + y * y) / 0.36;
      result.push_back(x > 50 ? -std::numeric_limits<double>::infinity() : -square / 2);
    }
    return result;
  }

  Tensor<double> sample(Index, const RandomKey&, const Tensor<double>&) override { return {}; }

  Index dim() const override { return 2; }

  Index given_width() const override { return given_; }

 private:
  Index given_;
};

// Samples whose quantiles are an even grid from -4 to 4 in both columns.
Look look_with(const Tensor<double>& rows, Correlated& model, double middle = 0) {
  Look look;
  look.dim = 2;
  look.rows = rows;
  look.samples = Tensor<double>::zeros({801, rows.shape()[1]});
  for (Index i = 0; i < 801; ++i) {
    for (Index k = 0; k < 2; ++k) look.samples(i, k) = middle + static_cast<double>(i - 400) / 100;
  }
  Tensor<double> values = Tensor<double>::zeros({rows.shape()[0], 2});
  Tensor<double> given = Tensor<double>::zeros({rows.shape()[0], 1});
  for (Index i = 0; i < rows.shape()[0]; ++i) {
    for (Index k = 0; k < 2; ++k) values(i, k) = rows(i, k);
    if (model.given_width() > 0) given(i, 0) = rows(i, 2);
  }
  look.log_densities = model.log_prob(values, given);
  return look;
}

TEST_CASE("unusual: the column that is out of place, and by how much, as in closed form") {
  Correlated model(0);
  // Given y, x is normal with mean 0.8 y and variance 0.36: the gain is (x - 0.8 y)^2 / 0.72.
  const Look look = look_with({{0, 0.1}, {3.5, 0.5}, {1, 1}, {-0.25, 2.75}}, model);
  const std::vector<UnusualRow> rows = unusual_rows(model, look, 2);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].place == 1);
  CHECK(rows[0].column == 0);
  // 41 quantiles are 0.2 apart.
  CHECK(std::abs(rows[0].likelier - 0.4) < 0.11);
  CHECK(rows[0].gain == doctest::Approx(3.1 * 3.1 / 0.72).epsilon(0.002));
  CHECK(rows[1].place == 3);
  CHECK(rows[1].column == 1);
  CHECK(std::abs(rows[1].likelier + 0.2) < 0.11);
  CHECK(rows[1].gain == doctest::Approx(2.95 * 2.95 / 0.72).epsilon(0.002));
  CHECK(unusual_rows(model, look, 10).size() == 4);
}

TEST_CASE("unusual: what is given stays as it is") {
  Correlated model(1);
  const Look look = look_with({{100, 103, 100}, {0, 0, 0}}, model, 100);
  const UnusualRow row = unusual_rows(model, look, 1).front();
  CHECK(row.place == 0);
  CHECK(row.column == 1);
  CHECK(row.gain == doctest::Approx(12.5).epsilon(0.002));
}

TEST_CASE("unusual: a row outside of the support gains without bound, the mode nothing") {
  Correlated model(0);
  const Look look = look_with({{0, 0}, {60, 1}}, model);
  const std::vector<UnusualRow> rows = unusual_rows(model, look, 2);
  CHECK(rows[0].place == 1);
  CHECK(rows[0].column == 0);
  CHECK(std::isinf(rows[0].gain));
  CHECK(rows[1].gain == 0);
}

}  // namespace
}  // namespace fjord::apps::density
