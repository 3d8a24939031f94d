#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/flows/distribution.hpp"
#include "fjord/flows/flows.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

using Columns = IndependentColumns<double>;
using Numbers = std::vector<double>;

/// One column of every family that has a distribution function; no settings are special.
std::unique_ptr<Columns> family(const std::string& name) {
  using Make = std::unique_ptr<Columns> (*)();
  static const std::map<std::string, Make> families{
      {"normal",
       []() -> std::unique_ptr<Columns> {
         return std::make_unique<DiagonalNormal<double>>(Numbers{0.3}, Numbers{0.7});
       }},
      {"student_t",
       []() -> std::unique_ptr<Columns> {
         return std::make_unique<StudentT<double>>(Numbers{3.5}, Numbers{0.3}, Numbers{0.7});
       }},
      {"logistic",
       []() -> std::unique_ptr<Columns> {
         return std::make_unique<Logistic<double>>(Numbers{0.3}, Numbers{0.7});
       }},
      {"laplace",
       []() -> std::unique_ptr<Columns> {
         return std::make_unique<Laplace<double>>(Numbers{0.3}, Numbers{0.7});
       }},
      {"cauchy",
       []() -> std::unique_ptr<Columns> {
         return std::make_unique<Cauchy<double>>(Numbers{0.3}, Numbers{0.7});
       }},
      {"uniform",
       []() -> std::unique_ptr<Columns> {
         return std::make_unique<Uniform<double>>(Numbers{-0.5}, Numbers{2});
       }},
      {"log_normal",
       []() -> std::unique_ptr<Columns> {
         return std::make_unique<LogNormal<double>>(Numbers{0.3}, Numbers{0.7});
       }},
      {"gamma",
       []() -> std::unique_ptr<Columns> {
         return std::make_unique<Gamma<double>>(Numbers{2.5}, Numbers{1.5});
       }},
      {"small gamma",
       []() -> std::unique_ptr<Columns> {
         return std::make_unique<Gamma<double>>(Numbers{0.3}, Numbers{1.5});
       }},
      {"beta",
       []() -> std::unique_ptr<Columns> {
         return std::make_unique<Beta<double>>(Numbers{2.5}, Numbers{0.7});
       }},
      {"exponential",
       []() -> std::unique_ptr<Columns> {
         return std::make_unique<Exponential<double>>(Numbers{1.5});
       }},
      {"half_normal",
       []() -> std::unique_ptr<Columns> {
         return std::make_unique<HalfNormal<double>>(Numbers{0.7});
       }},
  };
  return families.at(name)();
}

const Numbers far_ones{1e-300, 1e-100, 1e-15, 0.01, 0.3, 0.5, 0.9, 0.999};

double log_density(const Distribution<double>& distribution, double x) {
  return test::log_prob<double>(distribution, Tensor<double>{{x}})(0);
}

TEST_CASE("distribution: columns have the densities and distribution functions of scipy 1.17.1") {
  struct Row {
    const char* name;
    double x;
    double log_density;
    double lower;
    double upper;
  };

  const std::vector<Row> rows{
      {"normal", -1.2, -2.8581819566128788, 0.016062285603828316, 0.9839377143961717},
      {"normal", 0.4, -0.5724676708985933, 0.5567984968164682, 0.4432015031835318},
      {"normal", 8.0, -61.06226358926596, 1.0, 1.9106595744986353e-28},
      {"student_t", -40.0, -16.055075518543223, 1.2273863940047316e-06, 0.999998772613606},
      {"student_t", 0.4, -0.645880079517964, 0.5528793865684603, 0.4471206134315398},
      {"student_t", 3.0, -4.364124167843306, 0.988348639251363, 0.011651360748637036},
      {"logistic", -20.0, -28.64332505606178, 2.543665647376267e-13, 0.9999999999997455},
      {"logistic", 0.4, -1.034717125420956, 0.5356536708339716, 0.46434632916602836},
      {"logistic", 5.0, -6.360036203978612, 0.9987880182280601, 0.0012119817719400566},
      {"laplace", -9.0, -13.6221865223355, 8.492931121082924e-07, 0.9999991507068879},
      {"laplace", 0.4, -0.47932937947835574, 0.5665610501249092, 0.4334389498750908},
      {"laplace", 2.0, -2.7650436651926418, 0.9559186553188213, 0.044081344681178705},
      {"cauchy", -1000000.0, -29.13242654571708, 2.2281685348356102e-07, 0.9999997771831466},
      {"cauchy", 0.4, -0.8082576492281872, 0.5451672353008665, 0.4548327646991334},
      {"cauchy", 3.0, -3.5529611679784328, 0.9192530273303328, 0.08074697266966732},
      {"uniform", -0.25, -0.9162907318741551, 0.1, 0.9},
      {"uniform", 0.4, -0.9162907318741551, 0.36, 0.64},
      {"uniform", 1.75, -0.9162907318741551, 0.9, 0.09999999999999998},
      {"log_normal", 0.001, -46.66648398548265, 3.6424679733023325e-25, 1.0},
      {"log_normal", 0.4, -1.1555270864152214, 0.04114434630201657, 0.9588556536979834},
      {"log_normal", 30.0, -13.77716015463035, 0.9999952945023833, 4.7054976166178715e-06},
      {"gamma", 1e-06, -19.99428743714892, 8.291850703181904e-16, 0.9999999999999992},
      {"gamma", 0.4, -1.2454561980137406, 0.055122634997878096, 0.9448773650021219},
      {"gamma", 20.0, -24.777421689871524, 0.9999999999878454, 1.2154569777183007e-11},
      {"small gamma", 1e-12, 18.36755631876286, 0.0003160873391538475, 0.9996839126608461},
      {"small gamma", 0.4, -0.932754950073718, 0.8432114320173442, 0.15678856798265567},
      {"small gamma", 8.0, -14.429767541561512, 0.9999996578843728, 3.4211562717711804e-07},
      {"beta", 1e-06, -20.383410826795938, 5.618975127135476e-16, 0.9999999999999994},
      {"beta", 0.4, -0.8813337005311124, 0.06306575319746537, 0.9369342468025346},
      {"beta", 0.95, 1.161634450635194, 0.7610736381393803, 0.23892636186061952},
      {"exponential", 1e-06, 0.40546360810816445, 1.4999988750005625e-06, 0.999998500001125},
      {"exponential", 0.4, -0.19453489189183565, 0.4511883639059736, 0.5488116360940264},
      {"exponential", 20.0, -29.594534891891836, 0.9999999999999064, 9.357622968840175e-14},
      {"half_normal", 1e-06, 0.13088359129298463, 1.1398350868608484e-06, 0.9999988601649131},
      {"half_normal", 0.4, -0.032381714828443986, 0.43229083380264743, 0.5677091661973526},
      {"half_normal", 5.0, -25.37932049033865, 0.9999999999990858, 9.141061654386708e-13}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CAPTURE(row.x);
    const auto columns = family(row.name);
    CHECK(std::abs(log_density(*columns, row.x) - row.log_density) <
          1e-13 * (10 + std::abs(row.log_density)));
    CHECK(*columns->cdf(0, row.x) == doctest::Approx(row.lower).epsilon(1e-12).scale(0));
    CHECK(*columns->cdf(0, row.x, Tail::upper) ==
          doctest::Approx(row.upper).epsilon(1e-12).scale(0));
  }
}

TEST_CASE("distribution: columns have the moments and entropies of scipy 1.17.1") {
  struct Row {
    const char* name;
    double mean;
    double variance;
    double entropy;
  };

  const std::vector<Row> rows{
      {"normal", 0.3, 0.48999999999999994, 1.0622635892659402},
      {"student_t", 0.3, 1.1433333333333333, 1.3642151767437345},
      {"logistic", 0.3, 1.612035385511262, 1.6433250560612676},
      {"laplace", 0.3, 0.9799999999999999, 1.336472236621213},
      {"uniform", 0.75, 0.5208333333333333, 0.9162907318741551},
      {"log_normal", 1.7246083823764355, 1.8806817386743677, 1.3622635892659403},
      {"gamma", 1.6666666666666665, 1.111111111111111, 1.3244828013968901},
      {"small gamma", 0.19999999999999998, 0.1333333333333333, -1.461434068830182},
      {"beta", 0.78125, 0.04069010416666666, -0.561990067683648},
      {"exponential", 0.6666666666666666, 0.4444444444444444, 0.5945348918918356},
      {"half_normal", 0.5585191925620058, 0.1780563115398851, 0.36911640870599494}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto columns = family(row.name);
    CHECK((*columns->mean())(0) == doctest::Approx(row.mean).epsilon(1e-13));
    CHECK((*columns->variance())(0) == doctest::Approx(row.variance).epsilon(1e-13));
    CHECK(*columns->entropy() == doctest::Approx(row.entropy).epsilon(1e-13));
  }
  CHECK(*family("cauchy")->entropy() == doctest::Approx(2.1743493030305583).epsilon(1e-13));
  CHECK(!family("cauchy")->mean());
  CHECK(!family("cauchy")->variance());
  CHECK(!StudentT<double>({3.0, 1.0}, {0, 0}, {1, 1}).mean());
  CHECK(std::isinf((*StudentT<double>({3.0, 1.5}, {0, 0}, {1, 1}).variance())(1)));
}

// By mpmath 1.3.0, with 50 digits.
TEST_CASE("distribution: densities are right where squares and exponentials leave the range") {
  struct Row {
    const char* name;
    double x;
    double log_density;
  };

  const std::vector<Row> rows{
      {"student_t", 1e6, -61.588915376773377},     {"student_t", 1e200, -2071.7457029105716},
      {"cauchy", 1e6, -29.132425345717081},        {"cauchy", 1e200, -922.53544202740641},
      {"logistic", 1e6, -1428570.6433250562},      {"laplace", 1e6, -1428571.3364722367},
      {"gamma", 1e-300, -1035.4343119475231},      {"gamma", 1e6, -1499978.5477542633},
      {"small gamma", 1e-300, 482.56871106636398}, {"beta", 1e-300, -1035.8234371371702},
      {"log_normal", 1e-300, -486641.81251099188}, {"log_normal", 1e6, -200.77473908849939},
      {"half_normal", 1e6, -1020408163265.1754},   {"exponential", 1e6, -1499999.5945348919}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(log_density(*family(row.name), row.x) ==
          doctest::Approx(row.log_density).epsilon(1e-14).scale(0));
  }
}

TEST_CASE("distribution: rows outside of the support are impossible") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const char* name : {"log_normal", "gamma", "small gamma", "beta", "exponential",
                           "half_normal", "uniform", "logistic", "cauchy", "student_t"}) {
    CAPTURE(name);
    const auto columns = family(name);
    CHECK(log_density(*columns, infinity) == -infinity);
    CHECK(log_density(*columns, -infinity) == -infinity);
    CHECK(std::isnan(log_density(*columns, std::nan(""))));
    CHECK(*columns->cdf(0, -infinity) == 0);
    CHECK(*columns->cdf(0, infinity) == 1);
    CHECK(*columns->cdf(0, infinity, Tail::upper) == 0);
    CHECK(std::isnan(*columns->cdf(0, std::nan(""))));
    CHECK(std::isnan(*columns->quantile(0, 1.5)));
    CHECK(*columns->cdf(0, *columns->quantile(0, 0)) == 0);
    CHECK(*columns->cdf(0, *columns->quantile(0, 1)) == 1);
    CHECK_THROWS_WITH_AS(columns->cdf(1, 0.0), doctest::Contains("below 1"), std::invalid_argument);
  }
  for (const char* name : {"log_normal", "gamma", "beta", "exponential", "half_normal", "uniform"})
    CHECK(log_density(*family(name), -0.51) == -infinity);
  CHECK(log_density(*family("log_normal"), 0) == -infinity);
  CHECK(log_density(*family("beta"), 1.1) == -infinity);
  CHECK(log_density(VonMises<double>({0.0}, {1.0}), 3.2) == -infinity);
}

TEST_CASE("distribution: quantiles invert distribution functions, in both far tails") {
  struct Case {
    std::string name;
    std::unique_ptr<Columns> columns;
    double least_lower = 1e-300;
    double least_upper = 1e-300;
  };

  std::vector<Case> cases;
  for (const char* name : {"normal", "student_t", "logistic", "laplace", "cauchy", "log_normal",
                           "gamma", "exponential", "half_normal"})
    cases.push_back({name, family(name)});
  // Quantiles below 1e-308, and quantiles within 1e-16 of 1, are no numbers.
  cases.push_back({"small gamma", family("small gamma"), 1e-80, 1e-300});
  cases.push_back(
      {"beta", std::make_unique<Beta<double>>(Numbers{0.7}, Numbers{2.5}), 1e-200, 0.01});
  cases.push_back(
      {"uniform", std::make_unique<Uniform<double>>(Numbers{0}, Numbers{2}), 1e-300, 0.01});
  for (const Case& c : cases) {
    CAPTURE(c.name);
    for (const Tail tail : {Tail::lower, Tail::upper}) {
      for (const double p : far_ones) {
        if (p < (tail == Tail::lower ? c.least_lower : c.least_upper)) continue;
        CAPTURE(p);
        const double x = *c.columns->quantile(0, p, tail);
        CHECK(*c.columns->cdf(0, x, tail) == doctest::Approx(p).epsilon(1e-12).scale(0));
      }
    }
  }
  // Beyond the range of numbers.
  CHECK(*Gamma<double>({1e-3}, {1}).quantile(0, 1e-300) == 0);
  CHECK(*StudentT<double>({0.1}, {0}, {1}).quantile(0, 1e-300) ==
        -std::numeric_limits<double>::infinity());
  // By mpmath 1.3.0, with 50 digits.
  CHECK(*DiagonalNormal<double>({0}, {1}).quantile(0, 1e-300) ==
        doctest::Approx(-37.047096299361199).epsilon(1e-15).scale(0));
  CHECK(*Gamma<double>({2.5}, {1}).quantile(0, 1e-300) ==
        doctest::Approx(1.6167038902915642e-120).epsilon(1e-13).scale(0));
  CHECK(*Gamma<double>({2.5}, {1}).quantile(0, 1e-300, Tail::upper) ==
        doctest::Approx(700.32029282651343).epsilon(1e-14).scale(0));
  CHECK(std::log(-*StudentT<double>({3.5}, {0}, {1}).quantile(0, 1e-300)) ==
        doctest::Approx(197.52914514787812).epsilon(1e-15).scale(0));
}

TEST_CASE("distribution: between quantiles the density integrates to their probability") {
  for (const char* name : {"normal", "student_t", "logistic", "laplace", "cauchy", "uniform",
                           "log_normal", "gamma", "beta", "exponential", "half_normal"}) {
    CAPTURE(name);
    const auto columns = family(name);
    // Laplace's density has a kink at its median, and that of beta a pole at 1.
    for (const auto& [from, to] : {std::pair(0.05, 0.5), std::pair(0.5, 0.8)}) {
      const double low = *columns->quantile(0, from);
      constexpr Index cells = 400;
      const double h = (*columns->quantile(0, to) - low) / cells;
      Tensor<double> grid = Tensor<double>::zeros({cells + 1, 1});
      for (Index i = 0; i <= cells; ++i) grid(i, 0) = low + h * static_cast<double>(i);
      const Tensor<double> log_prob = test::log_prob<double>(*columns, grid);
      double simpson = 0;
      for (Index i = 1; i < cells; ++i) simpson += (i % 2 == 1 ? 4 : 2) * std::exp(log_prob(i));
      simpson += std::exp(log_prob(0)) + std::exp(log_prob(cells));
      CHECK(simpson * h / 3 == doctest::Approx(to - from).epsilon(1e-6));
    }
  }
}

TEST_CASE("distribution: samples of columns have their distribution function") {
  constexpr Index rows = 100'000;
  for (const char* name : {"student_t", "logistic", "laplace", "cauchy", "uniform", "log_normal",
                           "gamma", "small gamma", "beta", "exponential", "half_normal"}) {
    CAPTURE(name);
    const auto columns = family(name);
    Tape<double> tape;
    Context<double> context;
    context.random = RandomKey(31);
    Numbers x = Tensor<double>(columns->sample(tape, rows, context).value()).to_vector();
    std::sort(x.begin(), x.end());
    double distance = 0;
    for (std::size_t i = 0; i < x.size(); i += 10) {
      const double cdf = *columns->cdf(0, x[i]);
      distance = std::max(distance, std::abs(cdf - (static_cast<double>(i) + 0.5) / rows));
    }
    CHECK(distance < 2.2 / std::sqrt(rows));
  }
}

TEST_CASE("distribution: settings that do not fit are refused") {
  CHECK_THROWS_WITH_AS(Gamma<double>({1.0}, {0.0}),
                       doctest::Contains("every rate must be positive"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(Gamma<double>({}, {}), doctest::Contains("1 or more"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Laplace<double>({1.0, 2.0}, {1.0}), doctest::Contains("2 and 1"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Cauchy<double>({std::numeric_limits<double>::infinity()}, {1.0}),
                       doctest::Contains("every location must be finite"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(Uniform<double>({1.0}, {1.0}), doctest::Contains("less than its high"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Uniform<double>({-1e308}, {1.1e308}),
                       doctest::Contains("less than its high"), std::invalid_argument);
  // Positive in double, 0 in float.
  CHECK_THROWS_AS(Exponential<float>({1e-60}), std::invalid_argument);
  CHECK_NOTHROW(Exponential<double>({1e-60}));
}

// By scipy 1.17.1; the mean of the cosine by mpmath 1.3.0.
TEST_CASE("distribution: von Mises angles have the density, entropy and samples of their circle") {
  const VonMises<double> angles({0.3}, {1.7});
  CHECK(log_density(angles, -3.0) == doctest::Approx(-4.139298594170459).epsilon(1e-13));
  CHECK(log_density(angles, 0.4) == doctest::Approx(-0.7690759043527449).epsilon(1e-13));
  CHECK(log_density(angles, 2.5) == doctest::Approx(-3.461034884659477).epsilon(1e-13));
  CHECK(log_density(VonMises<double>({0.3}, {170.0}), 0.4) ==
        doctest::Approx(0.7989313124629254).epsilon(1e-12));
  CHECK(*angles.entropy() == doctest::Approx(1.3694738695639883).epsilon(1e-13));
  CHECK(*VonMises<double>({0.3}, {170.0}).entropy() ==
        doctest::Approx(-1.1474835555732454).epsilon(1e-12));
  CHECK(!angles.cdf(0, 0.0));
  CHECK(!angles.mean());
  constexpr Index rows = 100'000;
  Tape<double> tape;
  Context<double> context;
  const Tensor<double> x(angles.sample(tape, rows, context).value());
  double cosine = 0;
  double sine = 0;
  for (const double angle : x.storage()) {
    CHECK_FALSE(std::abs(angle) > std::numbers::pi);
    cosine += std::cos(angle - 0.3) / rows;
    sine += std::sin(angle - 0.3) / rows;
  }
  CHECK(std::abs(cosine - 0.6418288916243533) < 4 * 0.5 / std::sqrt(rows));
  CHECK(std::abs(sine) < 4 * 0.7 / std::sqrt(rows));
}

}  // namespace
}  // namespace fjord::flows
