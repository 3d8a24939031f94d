#pragma once
/// A training step of the two-moons FFJORD demo, fused by hand for exactly that model.

#include <cstddef>
#include <memory>
#include <span>

namespace fjord::bench {

/// Computes loss and gradient of four ODE blocks with nothing between the model and the registers.
///
/// The practical limit the tape is compared with: 4 blocks of 4-8-8-2 tanh networks over (t, t, z),
/// exact trace by two tangents, Dormand-Prince 5(4) in equal steps from t = 1 to 0, base N(0,
/// 0.64), float32.
///
/// Shapes:  rows is a multiple of 16. Weights of a block: W1 [8, 4] row-major as [out, in], b1 [8],
///          W2 [8, 8], b2 [8], W3 [2, 8], b3 [2]; block 0 first. x [rows, 2], one column after the
///          other.
/// Errors:  std::invalid_argument if rows or steps, or a size in a call, do not fit.
class FusedStep final {
 public:
  static constexpr std::size_t weights_per_block = 130;
  static constexpr std::size_t weight_count = 4 * weights_per_block;

  /// Allocates everything once.
  FusedStep(std::size_t rows, int steps_per_block);
  ~FusedStep();

  /// Returns the mean negative log-density in nats and writes its gradient. No allocation.
  float operator()(std::span<const float> weights, std::span<const float> x,
                   std::span<float> gradient);

  /// Field evaluations of a call, those of the backward pass not counted: 4 (6 S + 1).
  std::size_t evaluations() const;

 private:
  struct Workspace;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace fjord::bench
