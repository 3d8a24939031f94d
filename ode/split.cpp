#include "fjord/ode/split.hpp"

#include "fjord/ode/methods.hpp"
#include "fjord/ode/node_space.hpp"
#include "fjord/ode/plain_space.hpp"

namespace fjord::ode {

bool SplitMethod::leaves_step() const {
  double time = 0;
  for (std::size_t i = 1; i < moves_.size(); i += 2) {
    time += moves_[i];
    if (time < 0 || time > 1) return true;
  }
  return false;
}

template <class Space>
void SplitMethod::step(Step<Space>& step) const {
  Vector<Space> y = step.y;
  double time = 0;  // that of the positions
  for (std::size_t i = 0; i < moves_.size(); ++i) {
    if (moves_[i] == 0) continue;
    const bool is_kick = i % 2 == 0;
    // The last kick is at the end exactly, whatever the moves add up to in floating point.
    const double part = is_kick && i + 1 == moves_.size() ? 1 : time;
    y = step.space.move_half(y, moves_[i], step.space.slope(part, y), is_kick);
    if (!is_kick) time += moves_[i];
  }
  step.y_next = y;
}

template <class Space>
void SplitMethod::step_back(Step<Space>& step) const {
  std::array<double, max_stages> times;
  double time = 0;
  for (std::size_t i = 0; i < moves_.size(); ++i) {
    const bool is_kick = i % 2 == 0;
    times[i] = is_kick && i + 1 == moves_.size() ? 1 : time;
    if (!is_kick) time += moves_[i];
  }
  Vector<Space> y = step.y_next;
  for (std::size_t i = moves_.size(); i-- > 0;) {
    if (moves_[i] == 0) continue;
    y = step.space.move_half(y, -moves_[i], step.space.slope(times[i], y), i % 2 == 0);
  }
  step.y = y;
}

template void SplitMethod::step(Step<NodeSpace<float>>&) const;
template void SplitMethod::step(Step<NodeSpace<double>>&) const;
template void SplitMethod::step(Step<PlainSpace>&) const;
template void SplitMethod::step_back(Step<NodeSpace<float>>&) const;
template void SplitMethod::step_back(Step<NodeSpace<double>>&) const;

namespace {

// Yoshida's composition of leapfrogs of lengths w_1, ..., w_1, each kick joined with the next one.
template <std::size_t n>
constexpr std::array<double, 2 * n + 1> composed(const std::array<double, n>& lengths) {
  std::array<double, 2 * n + 1> moves{};
  for (std::size_t i = 0; i < n; ++i) {
    moves[2 * i] += lengths[i] / 2;
    moves[2 * i + 1] = lengths[i];
    moves[2 * i + 2] = lengths[i] / 2;
  }
  return moves;
}

constexpr double cube_root_of_2 = 1.2599210498948731648;
constexpr double outer = 1 / (2 - cube_root_of_2);
constexpr double inner = -cube_root_of_2 / (2 - cube_root_of_2);
// Solution A of table 1.
constexpr double w1 = -1.17767998417887100695;
constexpr double w2 = 0.23557321335935813369;
constexpr double w3 = 0.78451361047755726382;
constexpr double w0 = 1 - 2 * (w1 + w2 + w3);

constexpr std::array euler_moves{1.0, 1.0};
constexpr std::array leapfrog_moves = composed<1>({1.0});
constexpr std::array yoshida4_moves = composed<3>({outer, inner, outer});
constexpr std::array yoshida6_moves = composed<7>({w3, w2, w1, w0, w1, w2, w3});

}  // namespace

constinit const SplitMethod semi_implicit_euler("semi_implicit_euler", 1, euler_moves);
constinit const SplitMethod leapfrog("leapfrog", 2, leapfrog_moves);
constinit const SplitMethod yoshida4("yoshida4", 4, yoshida4_moves);
constinit const SplitMethod yoshida6("yoshida6", 6, yoshida6_moves);

}  // namespace fjord::ode
