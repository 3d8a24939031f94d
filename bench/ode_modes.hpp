/// Times and memory of solves in their gradient modes and kinds of steps, each beside a reference.
#pragma once

namespace fjord::bench {

/// The demo's training step in each gradient mode, and the adjoint with and without its seminorm.
void compare_training_steps();

/// Oscillators of mixed stiffness in one batch, with their own steps and with shared ones.
void compare_separate_rows();

/// Peak memory of a solve with its gradient in each mode, for two numbers of steps.
void compare_memory();

}  // namespace fjord::bench
