/// Averages of parameters over the steps of training.
#pragma once

#include <cstdint>
#include <vector>

#include "fjord/autodiff/parameter.hpp"

namespace fjord::optim {

/// What an average has taken in so far: all that a checkpoint needs.
struct AverageState {
  std::uint64_t count = 0;  ///< updates
  Tensor<double> values;    ///< of all parameters together
};

/// A running average of parameters: call `update` after a step, and `swap_in` to score with the
/// average.
///
/// Note:    Kept in double: in single precision, small changes would be lost. A checkpoint of the
///          parameters that is made between `swap_in` and `swap_out` would have the average.
template <class T>
class Average {
 public:
  Average(const Average&) = delete;
  Average& operator=(const Average&) = delete;
  virtual ~Average() = default;

  /// Takes in the parameters as they are now; the first time, they are the average.
  ///
  /// Errors:  std::invalid_argument while the average is swapped in.
  void update();
  /// Keeps the parameters' numbers aside and gives them the average.
  ///
  /// Errors:  std::invalid_argument, and no change, if it is swapped in already, if there was no
  ///          update, or while a tape holds a parameter.
  void swap_in();
  /// Gives the parameters their own numbers back, bit for bit.
  ///
  /// Errors:  std::invalid_argument, and no change, if the average is not swapped in, or while a
  ///          tape holds a parameter.
  void swap_out();

  bool is_swapped_in() const { return is_swapped_in_; }

  AverageState state() const { return {count_, average_}; }

  /// Goes on from a state of an average of the same kind for parameters of the same sizes.
  ///
  /// Errors:  std::invalid_argument, and no change, if the size differs, or while the average is
  ///          swapped in.
  void restore(const AverageState& state);

 protected:
  /// Errors:  std::invalid_argument if a parameter is null or given twice.
  explicit Average(std::vector<Parameter<T>*> parameters);

 private:
  /// The weight of the next parameters after `count` updates, of which there was one; in [0, 1].
  virtual double weight_after(std::uint64_t count) const = 0;

  std::vector<Parameter<T>*> parameters_;
  Tensor<double> average_;
  std::uint64_t count_ = 0;
  std::vector<T> own_;  // while the average is swapped in
  bool is_swapped_in_ = false;
};

struct ExponentialAverageOptions {
  double decay = 0.999;  ///< weight of the average so far, in [0, 1)
};

/// a = decay a + (1 - decay) x, from the first x on.
///
/// Source:  Polyak & Juditsky, Acceleration of stochastic approximation by averaging, SIAM J.
///          Control Optim. 30 (1992), in the exponential form of Adam's paper, sec. 7.2.
template <class T>
class ExponentialAverage final : public Average<T> {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range, or a parameter is null or
  ///          given twice.
  explicit ExponentialAverage(std::vector<Parameter<T>*> parameters,
                              const ExponentialAverageOptions& options = {});

 private:
  double weight_after(std::uint64_t count) const override;

  ExponentialAverageOptions options_;
};

/// The mean of all x.
///
/// Source:  Izmailov, Podoprikhin, Garipov, Vetrov & Wilson, Averaging weights leads to wider
///          optima and better generalization, UAI 2018.
template <class T>
class StochasticAverage final : public Average<T> {
 public:
  /// Errors:  std::invalid_argument if a parameter is null or given twice.
  explicit StochasticAverage(std::vector<Parameter<T>*> parameters);

 private:
  double weight_after(std::uint64_t count) const override;
};

extern template class Average<float>;
extern template class Average<double>;
extern template class ExponentialAverage<float>;
extern template class ExponentialAverage<double>;
extern template class StochasticAverage<float>;
extern template class StochasticAverage<double>;

}  // namespace fjord::optim
