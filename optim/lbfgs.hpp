/// L-BFGS.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "fjord/optim/line_search.hpp"
#include "fjord/optim/optimizer.hpp"

namespace fjord::optim {

struct LbfgsOptions {
  int memory = 10;                  ///< pairs of steps and changes of the gradient, > 0
  LineSearchOptions line_search{};  ///< ranges: there
};

/// A loss with its gradient at the parameters as they are.
template <class T>
struct LossAndGradient {
  double loss = 0;
  std::span<const T> gradient;  ///< of all parameters, one after another; read at once
};

/// How a step of L-BFGS went.
enum class LbfgsStatus {
  decreased,    ///< the loss is smaller than before
  stationary,   ///< the gradient is zero; nothing was changed
  no_decrease,  ///< no step along the line lowered the loss; nothing was changed, and the next step
                ///< goes along the gradient: twice in a row means that the precision is exhausted
  not_finite    ///< the loss or gradient at the start is not finite; nothing was changed
};

struct LbfgsReport {
  LbfgsStatus status = LbfgsStatus::decreased;
  double loss = 0;      ///< at the parameters as they are now
  int evaluations = 0;  ///< calls of the function
};

/// Quasi-Newton steps from the last steps and changes of the gradient, with lengths from a search
/// for the strong Wolfe conditions.
///
/// Not an Optimizer: a step must evaluate the loss at several points.
///
/// Source:  Nocedal & Wright, Numerical Optimization, 2nd ed., algorithms 7.4 and 7.5.
/// Note:    For losses without noise: the function must be the same in all steps.
template <class T>
class Lbfgs final {
 public:
  using Function = std::function<LossAndGradient<T>()>;

  /// Errors:  std::invalid_argument if an option is out of its range, or a parameter is null or
  ///          given twice.
  explicit Lbfgs(std::vector<Parameter<T>*> parameters, const LbfgsOptions& options = {});

  /// Takes one step, for which the parameters are set to trial points and the function is called at
  /// each; no tape may hold a parameter after a call.
  ///
  /// Errors:  std::invalid_argument if a gradient has another size than the parameters, or while a
  ///          tape holds one. After an error, the parameters may be at a trial point.
  LbfgsReport step(const Function& function);

  std::uint64_t steps() const { return steps_; }

  /// A copy of the memory: `steps` and `changes`, [size, memory], the oldest pair first; zero where
  /// there is none yet.
  OptimizerState<T> state() const;
  /// Goes on from a state with as many pairs for parameters of the same sizes; gives the bits that
  /// the other would give, if the function always gives the same bits at the same point.
  ///
  /// Errors:  std::invalid_argument, and no change, if names or sizes differ.
  void restore(const OptimizerState<T>& state);

 private:
  struct Pair {
    std::vector<T> step;
    std::vector<T> change;
  };

  struct Point {
    std::vector<T> values;
    std::vector<T> gradient;
    double loss = 0;
  };

  Point evaluated(const Function& function, std::vector<T> values);
  Point evaluated_on_line(const Function& function, const Point& start, double length,
                          const std::vector<double>& direction);
  std::vector<double> direction_from(const std::vector<T>& gradient) const;
  // A point with a lower loss, or none.
  std::optional<Point> search(const Function& function, const Point& start);
  void remember(const Point& before, const Point& after);

  std::vector<Parameter<T>*> parameters_;
  LbfgsOptions options_;
  Index size_;
  std::deque<Pair> pairs_;
  std::optional<Point> last_;  // where the last step ended
  std::uint64_t steps_ = 0;
  int evaluations_ = 0;  // of the step under way
};

extern template class Lbfgs<float>;
extern template class Lbfgs<double>;

}  // namespace fjord::optim
