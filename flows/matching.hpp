/// Flow matching: training the field of a continuous flow without solving it.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "fjord/flows/ffjord.hpp"
#include "fjord/flows/loss.hpp"

namespace fjord::flows {

/// A path from base points x0 to data points x1 in the time s in [0, 1]:
/// x = a x0 + b x1 + c e, e a draw of N(0, I), with the velocity da x0 + db x1 + dc e.
struct MatchingPath {
  /// At one time; the last three are the derivatives of the first three.
  struct Point {
    double a, b, c, da, db, dc;
  };

  std::string_view name;
  /// Whether base and data points of a shard are paired first so that the sum of their squared
  /// distances is smallest.
  bool is_coupled;
  /// `scale` is the noise, >= 0.
  Point (*at)(double s, double scale);
};

/// All paths; s the time, k the scale:
///
/// independent:  x = (1 - s) x0 + s x1 + k e; Tong et al., TMLR 2024.
/// target:  x = (1 - (1 - k) s) x0 + s x1; Lipman et al., ICLR 2023.
/// optimal_transport:  as independent, the points coupled; Tong et al.
/// schrodinger_bridge:  x = (1 - s) x0 + s x1 + k sqrt(s (1 - s)) e, the points coupled; Tong et
/// al., AISTATS 2024.
/// variance_preserving:  x = cos(pi s / 2) x0 + sin(pi s / 2) x1; Albergo & Vanden-Eijnden, ICLR
/// 2023.
std::span<const MatchingPath> matching_paths();

/// The path of that name.
///
/// Errors:  std::invalid_argument, which lists all names, if there is none.
const MatchingPath& matching_path_named(std::string_view name);

struct FlowMatchingOptions {
  const MatchingPath* path = &matching_path_named("independent");  ///< never null
  double scale = 0;                                                ///< of the path's noise, >= 0
};

/// The mean over the columns of (f - velocity)^2 at a random time of a random path that ends in the
/// row: smallest where the field f carries the base to the data.
///
/// The model is a TransformedDistribution of an Ffjord, alone or in a chain with other bijectors,
/// and its base may be one as well; the path is in the space of the only Ffjord. The base and the
/// other bijectors are not trained.
/// Errors:  std::invalid_argument, from of_rows, if the model has not exactly one Ffjord there.
template <class T>
class FlowMatching final : public Loss<T> {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range.
  explicit FlowMatching(const FlowMatchingOptions& options = {});

  Var<T> of_rows(const Distribution<T>& model, const Var<T>& x, Context<T>& context) const override;

 private:
  FlowMatchingOptions options_;
};

extern template class FlowMatching<float>;
extern template class FlowMatching<double>;

}  // namespace fjord::flows
