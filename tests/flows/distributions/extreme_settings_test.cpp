#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/flows/flows.hpp"

namespace fjord::flows {
namespace {

using Numbers = std::vector<double>;

// Numbers without a source are those of mpmath 1.3 with 60 digits and more.

TEST_CASE("extreme settings: both tails of a beta distribution have all their digits") {
  // 1 - x^a for b = 1, and (1 - x)^b for a = 1.
  const Beta<double> low({1e-3, 1}, {1, 1e6});
  for (const double x : {1e-300, 1e-30, 1e-10, 0.3}) {
    CAPTURE(x);
    const double log_lower = 1e-3 * std::log(x);
    CHECK(*low.cdf(0, x) == doctest::Approx(std::exp(log_lower)).epsilon(1e-12).scale(0));
    CHECK(*low.cdf(0, x, Tail::upper) ==
          doctest::Approx(-std::expm1(log_lower)).epsilon(1e-12).scale(0));
  }
  for (const double x : {1e-30, 3e-8, 2e-5, 6e-4}) {
    CAPTURE(x);
    const double log_upper = 1e6 * std::log1p(-x);
    CHECK(*low.cdf(1, x, Tail::upper) ==
          doctest::Approx(std::exp(log_upper)).epsilon(1e-12).scale(0));
    CHECK(*low.cdf(1, x) == doctest::Approx(-std::expm1(log_upper)).epsilon(1e-12).scale(0));
  }
}

TEST_CASE("extreme settings: quantiles near an end of the support have all their digits") {
  // One less than 1, which is exact.
  constexpr double part = 0x1p-40;
  const auto near = [](double x) { return doctest::Approx(x).epsilon(1e-12).scale(0); };
  const Beta<double> beta({0.5, 1, 1e-3}, {0.5, 1e6, 1});
  CHECK(*beta.quantile(0, 1 - part, Tail::upper) ==
        near(std::pow(std::sin(part * std::numbers::pi / 2), 2)));
  CHECK(*beta.quantile(1, 1 - part, Tail::upper) == near(-std::expm1(1e-6 * std::log1p(-part))));
  CHECK(*beta.quantile(2, 0.5, Tail::upper) == near(std::pow(0.5, 1000)));
  const Gamma<double> gamma({1}, {1});
  CHECK(*gamma.quantile(0, 1 - part, Tail::upper) == near(-std::log1p(-part)));
  CHECK(*gamma.quantile(0, 1 - part) == near(40 * std::numbers::ln2));
  const HalfNormal<double> half({1});
  CHECK(*half.quantile(0, 1 - part, Tail::upper) == near(part * std::sqrt(std::numbers::pi / 2)));
  CHECK(*half.cdf(0, *half.quantile(0, 1 - part), Tail::upper) == near(part));
}

TEST_CASE("extreme settings: Student's distribution of many degrees has both its tails") {
  struct Row {
    double degrees, t, beyond;
  };

  for (const Row& row : {Row{1e8, 0.5, 0.30853753927608897}, Row{1e8, 2, 0.022750133297953376},
                         Row{1e8, 8, 6.2210262541147691e-16}, Row{1e8, 30, 4.9166821429416325e-198},
                         Row{1e15, 2, 0.022750131948179342}, Row{1e15, 8, 6.220960574278352e-16}}) {
    CAPTURE(row.degrees);
    CAPTURE(row.t);
    const StudentT<double> student({row.degrees}, {0}, {1});
    const auto beyond = doctest::Approx(row.beyond).epsilon(1e-12).scale(0);
    CHECK(*student.cdf(0, -row.t) == beyond);
    CHECK(*student.cdf(0, row.t, Tail::upper) == beyond);
    CHECK(*student.cdf(0, row.t) == doctest::Approx(1 - row.beyond).epsilon(1e-15));
  }
  const StudentT<double> student({1e15}, {0}, {1});
  CHECK(*student.quantile(0, 0.1) == doctest::Approx(-1.2815515655446013).epsilon(1e-14));
  CHECK(*student.quantile(0, 1e-20, Tail::upper) ==
        doctest::Approx(9.262340089798609).epsilon(1e-14));
}

TEST_CASE("extreme settings: entropies keep their digits where concentrations are large") {
  struct Row {
    Numbers concentration;
    double entropy;
  };

  for (const Row& row :
       {Row{{0.5}, 0.090609929913988347}, Row{{30}, 3.1083331192877876},
        Row{{1e3}, 4.8724827560179718}, Row{{1e6}, 8.3266934788533931},
        Row{{1e12}, 15.234449091168614}, Row{{30, 40}, -1.4164167964991529},
        Row{{1e3, 1e3}, -3.0749100021471314}, Row{{1e8, 1e8}, -8.831122612111428},
        Row{{1e12, 1e3}, -22.758538361410076}, Row{{1e12, 3}, -25.783442605569537},
        Row{{1e12, 0.5}, -27.54041118601481}, Row{{25, 0.01}, -98.145152660123021},
        Row{{1e8, 2e8, 3e8}, -19.166322619888019}, Row{{1e12, 1, 0.5}, -54.171432301945858},
        Row{{1e12, 1e12, 1e12, 0.01}, -151.21510490103450}}) {
    const Numbers& a = row.concentration;
    CAPTURE(a[0]);
    CAPTURE(a.size());
    const auto right = doctest::Approx(row.entropy).epsilon(3e-14).scale(0);
    if (a.size() == 1) CHECK(*Gamma<double>({a[0]}, {1}).entropy() == right);
    if (a.size() == 2) CHECK(*Beta<double>({a[0]}, {a[1]}).entropy() == right);
    if (a.size() > 1) CHECK(*Dirichlet<double>(a).entropy() == right);
  }
}

TEST_CASE("extreme settings: divergences keep their digits where concentrations are large") {
  const auto near = [](double x) { return doctest::Approx(x).epsilon(1e-11).scale(0); };
  const auto of_gammas = [](double p, double q) {
    return *kl_divergence<double>(Gamma<double>({p}, {3}), Gamma<double>({q}, {3}));
  };
  CHECK(of_gammas(1e8, 1e8 + 1e4) == near(0.49998333666645002));
  CHECK(of_gammas(1e12, 1e12 + 3e6) == near(4.4999955000089999));
  const auto of_betas = [](const Numbers& p, const Numbers& q) {
    return *kl_divergence<double>(Beta<double>({p[0]}, {p[1]}), Beta<double>({q[0]}, {q[1]}));
  };
  CHECK(of_betas({1e8, 1e8}, {1e8 + 1e4, 1e8}) == near(0.24998750260397398));
  CHECK(of_betas({1e12, 1e12}, {1e12, 1e12 + 3e6}) == near(2.2499966250075937));
  CHECK(of_betas({2, 1e8}, {2, 2e8}) == near(0.61370563388010944));
  CHECK(of_betas({30, 1e8}, {30, 2e8}) == near(9.2055824082021754));
  const auto of_dirichlets = [](const Numbers& p, const Numbers& q) {
    return *kl_divergence<double>(Dirichlet<double>(p), Dirichlet<double>(q));
  };
  CHECK(of_dirichlets({1e8, 1e8}, {1e8 + 1e4, 1e8}) == near(0.24998750260397398));
  CHECK(of_dirichlets({1e8, 1e8, 30}, {1e8 + 1e4, 1e8, 40}) == near(1.77982726930879));
  CHECK(of_dirichlets({1e12, 2e12, 1e12}, {1e12 + 3e6, 2e12, 1e12}) == near(3.3749957812587539));
  CHECK(of_dirichlets({2, 1e8, 3}, {2, 2e8, 3}) == near(1.5342640472002753));
  CHECK(of_dirichlets({0.5, 2, 3}, {1, 1, 0.1}) == near(3.5024739720405714));
}

TEST_CASE_TEMPLATE("extreme settings: a gamma density keeps its digits near its peak", T, float,
                   double) {
  struct Row {
    double a, rate, x;
    double log_density, slope;
  };

  for (const Row& row : {Row{1e4, 0.5, 20000, -6.2172642330860400, -0.00005},
                         Row{1e4, 0.5, 20200, -6.7239060322583796, -0.005},
                         Row{1e6, 1, 1e6, -7.8266938955201431, -1e-6},
                         Row{1e6, 1, 1001000, -8.3273603123200598, -0.001},
                         Row{1e12, 4, 2.5e11, -13.348154730049140, -4e-12},
                         Row{100, 2, 50, -2.5292097761944080, -0.02},
                         Row{100, 2, 0x1p-80, -5779.5451573483477, 1.1968365614184829e26}}) {
    CAPTURE(row.a);
    CAPTURE(row.x);
    const Gamma<T> gamma({row.a}, {row.rate});
    Tape<T> tape;
    Context<T> context;
    const Var<T> x = tape.input({{static_cast<T>(row.x)}});
    const Var<T> value = gamma.log_prob(x, context);
    // Within a deviation of the mean the terms are some sqrt(a).
    const double error = std::numeric_limits<T>::epsilon() * std::sqrt(row.a);
    CHECK(std::abs(value.item() - row.log_density) <
          4 * std::max(error, std::numeric_limits<T>::epsilon() * std::abs(row.log_density)));
    CHECK(std::abs(gradient_values<T>(value, {x})[0].item() - row.slope) <
          4 * std::numeric_limits<T>::epsilon() * std::max(row.rate, row.slope));
  }
}

TEST_CASE_TEMPLATE("extreme settings: a beta density keeps its digits near its peak", T, float,
                   double) {
  struct Row {
    double a, b, x;
    double log_density, slope;
  };

  for (const Row& row : {Row{1e4, 1e4, 0.5, 4.7259399236233418, 0},
                         Row{1e4, 1e4, 0.50390625, 4.1156307709328735, -312.48782274308735},
                         Row{1e6, 3e6, 0.25, 7.5189520528454676, -2.6666666666666667},
                         Row{1e6, 3e6, 0x1.004p-2, 6.8827943749048765, -5207.6086810524895},
                         Row{1e10, 1e10, 0.5, 11.633707702592974, 0},
                         Row{1e10, 1e10, 0x1.00004p-1, 11.488188550322798, -152587.89061196166},
                         Row{20, 1e6, 0x1p-16, 10.994883860527027, 245169.74099336233},
                         Row{1e6, 20, 1 - 0x1p-16, 10.994883860527027, -245169.74099336233},
                         Row{30, 50, 0x1p-70, -1353.6204617991821, 3.4237157000804928e22},
                         Row{50, 30, 0x1p-70, -2324.0265145831055, 5.7848989415153154e22},
                         Row{30, 50, 1 - 0x1p-24, -761.67277132952351, -822083554.99999827},
                         Row{2, 1e13, 0x1p-44, 28.800302284599655, 7592186044416.4316},
                         Row{1e13, 2, 1 - 0x1p-22, -2384141.4572580805, 9999998189881.3594}}) {
    CAPTURE(row.a);
    CAPTURE(row.b);
    CAPTURE(row.x);
    const Beta<T> beta({row.a}, {row.b});
    Tape<T> tape;
    Context<T> context;
    const Var<T> x = tape.input({{static_cast<T>(row.x)}});
    const Var<T> value = beta.log_prob(x, context);
    // As of a gamma density; the smaller number says how far a deviation is.
    const double terms =
        std::max(std::sqrt(std::min(row.a, row.b)), std::abs(row.log_density) + 30);
    const double epsilon = std::numeric_limits<T>::epsilon();
    CHECK(std::abs(value.item() - row.log_density) < 4 * epsilon * terms);
    CHECK(std::abs(gradient_values<T>(value, {x})[0].item() - row.slope) <
          4 * epsilon * (row.a / row.x + row.b / (1 - row.x)));
  }
}

TEST_CASE_TEMPLATE("extreme settings: a Dirichlet density keeps its digits near its peak", T, float,
                   double) {
  struct Row {
    Numbers a;
    std::vector<T> x;
    double log_density;
    double deviations;  // how far the terms are apart, as of normal numbers
  };

  for (const Row& row : {Row{{1e4, 1e4, 2e4}, {0.25, 0.25}, 10.491606868086597, 1e2},
                         Row{{1e4, 1e4, 2e4}, {0x1.04p-2, 0x1.f8p-3}, 8.0501467167796264, 1e2},
                         Row{{1e10, 2e10, 1e10}, {0.25, 0.5}, 24.307136176032115, 1e5},
                         Row{{1e10, 1e10}, {0.5}, 11.633707702592974, 1e5},
                         Row{{2e5, 30, 30}, {1 - 0x1.8p-12, 0x1p-12}, 14.072188471873738, 5e2},
                         Row{{2, 1e6, 2e6}, {0x1p-20, 0.25}, -52095.118907926277, 1e3},
                         Row{{1e6, 2, 3}, {0x1p-20, 1 - 0x1p-18}, -13862886.892506146, 1e3}}) {
    CAPTURE(row.a[0]);
    CAPTURE(row.a.size());
    const Dirichlet<T> dirichlet(row.a);
    Tape<T> tape;
    Context<T> context;
    const Tensor<T> x = Tensor<T>::from({1, static_cast<Index>(row.x.size())}, row.x);
    const double found = dirichlet.log_prob(tape.input(x), context).item();
    CHECK(std::abs(found - row.log_density) <
          4 * std::numeric_limits<T>::epsilon() *
              std::max(row.deviations, std::abs(row.log_density)));
  }
}

template <class T>
double log_density_at(const Distribution<T>& distribution, double x) {
  Tape<T> tape;
  Context<T> context;
  return distribution.log_prob(tape.input({{static_cast<T>(x)}}), context).item();
}

TEST_CASE_TEMPLATE("extreme settings: heavy tails are densities as far as numbers go", T, float,
                   double) {
  const auto near = [](double x) {
    return doctest::Approx(x).epsilon(8 * std::numeric_limits<T>::epsilon()).scale(0);
  };
  CHECK(log_density_at<T>(Cauchy<T>({0}, {0x1p-120}), 0x1p3) == near(-88.481274636402509));
  CHECK(log_density_at<T>(Cauchy<T>({3}, {1}), 0x1p100) == near(-139.77416599783846));
  // Of few degrees numbers are far from the scale, of many they are near it.
  CHECK(log_density_at<T>(StudentT<T>({0x1p-10}, {0}, {1}), 0x1p126) == near(-95.05051434855338));
  CHECK(log_density_at<T>(StudentT<T>({5}, {0}, {0x1p-100}), 0x1p30) == near(-467.48038863251523));
  CHECK(log_density_at<T>(StudentT<T>({0x1p100}, {0}, {0x1p100}), 0x1p100) ==
        near(-70.733656589199204));
  // The numbers that are drawn have a density, too.
  Tape<T> tape;
  Context<T> context;
  const auto drawn = StudentT<T>({1e-3}, {0}, {1}).sample_and_log_prob(tape, 1000, context);
  for (Index row = 0; row < 1000; ++row) CHECK(std::isfinite(drawn.log_prob.value()(row)));
}

TEST_CASE_TEMPLATE("extreme settings: a location of an angle may be any number of turns away", T,
                   float, double) {
  const VonMises<T> turned({1e10}, {3});
  const auto near = [](double x) {
    return doctest::Approx(x).epsilon(8 * std::numeric_limits<T>::epsilon());
  };
  CHECK(log_density_at<T>(turned, 0.5) == near(-1.8256495382573556));
  CHECK(log_density_at<T>(turned, -1.5) == near(-1.7790441238426152));
  CHECK(log_density_at<T>(turned, 3) == near(-6.2227208760456152));
}

}  // namespace
}  // namespace fjord::flows
