#include <cmath>
#include <cstdio>
#include <vector>

#include "fjord/fjord.hpp"

using namespace fjord;
using Number = Scalar<double>;
using Numbers = std::vector<Number>;

// The price of an option, as a program that needs no derivatives would write it.
template <class Real>
Real call_price(const Real& spot, const Real& strike, const Real& rate, const Real& sigma,
                const Real& time) {
  using std::erfc, std::exp, std::log, std::max, std::sqrt;
  if (time <= 0) return max<Real>(spot - strike, 0);
  const auto cdf = [](const Real& x) { return 0.5 * erfc(-x / std::sqrt(2.0)); };
  const Real deviation = sigma * sqrt(time);
  const Real d = (log(spot / strike) + rate * time) / deviation + deviation / 2;
  return spot * cdf(d) - strike * exp(-rate * time) * cdf(d - deviation);
}

int main() {
  std::printf("price %.6f\n", call_price(100.0, 100.0, 0.05, 0.2, 1.0));

  // The same template with numbers on a tape: spot, rate and sigma. The strike is a plain number.
  Tape<double> tape;
  const auto price = [](const Numbers& p) { return call_price<Number>(p[0], 100, p[1], p[2], 1); };
  const Numbers at{Number(tape.scalar(100)), Number(tape.scalar(0.05)), Number(tape.scalar(0.2))};
  const Numbers slopes = gradient(price, at);
  std::printf("delta %.6f, rho %.6f, vega %.6f\n", slopes[0].value(), slopes[1].value(),
              slopes[2].value());

  // Second derivatives in the direction of the spot: gamma and vanna.
  const Numbers along = hvp(price, at, Numbers{1, 0, 0});
  std::printf("gamma %.6f, vanna %.6f\n", along[0].value(), along[2].value());
}
