#include "fjord/optim/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fjord/autodiff/errors.hpp"

namespace fjord::optim {
namespace {

constexpr const char* steps_name = "steps";
constexpr const char* changes_name = "changes";

template <class A, class B>
double dot(const std::vector<A>& a, const std::vector<B>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return sum;
}

template <class T>
void add(std::vector<double>& to, double factor, const std::vector<T>& x) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * static_cast<double>(x[i]);
}

template <class T>
std::vector<T> difference(const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> result(a.size());
  std::ranges::transform(a, b, result.begin(), std::minus<T>());
  return result;
}

template <class T>
double sum_of_sizes(const std::vector<T>& x) {
  double sum = 0;
  for (const T value : x) sum += std::abs(static_cast<double>(value));
  return sum;
}

}  // namespace

template <class T>
Lbfgs<T>::Lbfgs(std::vector<Parameter<T>*> parameters, const LbfgsOptions& options)
    : parameters_(std::move(parameters)), options_(options), size_(size_of(parameters_, "lbfgs")) {
  require(options.memory > 0, "lbfgs",
          [&] { return "memory must be positive, got " + std::to_string(options.memory); });
  check_line_search("lbfgs", options.line_search);
}

template <class T>
LbfgsReport Lbfgs<T>::step(const Function& function) {
  evaluations_ = 0;
  check_free(parameters_);
  std::vector<T> values = values_of(parameters_);
  // The last step has evaluated where it ended.
  const bool is_known = last_ && last_->values == values;
  const Point start = is_known ? *last_ : evaluated(function, std::move(values));
  const double size = sum_of_sizes(start.gradient);
  if (!std::isfinite(start.loss) || !std::isfinite(size)) {
    return {LbfgsStatus::not_finite, start.loss, evaluations_};
  }
  if (size == 0) return {LbfgsStatus::stationary, start.loss, evaluations_};
  last_ = search(function, start);
  if (!last_) {
    set_values(parameters_, start.values);
    pairs_.clear();
    last_ = start;
    return {LbfgsStatus::no_decrease, start.loss, evaluations_};
  }
  remember(start, *last_);
  ++steps_;
  return {LbfgsStatus::decreased, last_->loss, evaluations_};
}

template <class T>
typename Lbfgs<T>::Point Lbfgs<T>::evaluated(const Function& function, std::vector<T> values) {
  const LossAndGradient<T> result = function();
  ++evaluations_;
  require(static_cast<Index>(result.gradient.size()) == size_, "lbfgs", [&] {
    return "a gradient of " + std::to_string(size_) + " numbers is needed, got " +
           std::to_string(result.gradient.size());
  });
  return {std::move(values), {result.gradient.begin(), result.gradient.end()}, result.loss};
}

template <class T>
typename Lbfgs<T>::Point Lbfgs<T>::evaluated_on_line(const Function& function, const Point& start,
                                                     double length,
                                                     const std::vector<double>& direction) {
  std::vector<T> values(start.values.size());
  std::ranges::transform(start.values, direction, values.begin(), [&](T x, double d) {
    return static_cast<T>(static_cast<double>(x) + length * d);
  });
  set_values(parameters_, values);
  return evaluated(function, std::move(values));
}

template <class T>
std::optional<typename Lbfgs<T>::Point> Lbfgs<T>::search(const Function& function,
                                                         const Point& start) {
  std::vector<double> direction = direction_from(start.gradient);
  if (!(dot(start.gradient, direction) < 0)) {  // rounding errors in the pairs
    pairs_.clear();
    direction = direction_from(start.gradient);
  }
  Point point;
  const auto on_line = [&](double length) {
    point = evaluated_on_line(function, start, length, direction);
    return LinePoint{length, point.loss, dot(point.gradient, direction)};
  };
  double last_length = 0;
  const auto tried = [&](double length) { return on_line(last_length = length); };
  const LinePoint origin{0, start.loss, dot(start.gradient, direction)};
  // Without pairs, the length of the direction has no meaning.
  const double first = pairs_.empty() ? std::min(1.0, 1 / sum_of_sizes(start.gradient)) : 1;
  const LinePoint found = strong_wolfe(tried, origin, first, options_.line_search);
  if (found.step == 0 || !(found.value < start.loss)) return std::nullopt;
  if (found.step != last_length) on_line(found.step);
  return point;
}

template <class T>
std::vector<double> Lbfgs<T>::direction_from(const std::vector<T>& gradient) const {
  std::vector<double> direction(gradient.size());
  std::ranges::transform(gradient, direction.begin(), [](T g) { return -static_cast<double>(g); });
  std::vector<double> weights;
  weights.reserve(pairs_.size());
  for (std::size_t k = pairs_.size(); k-- > 0;) {
    const auto& [step, change] = pairs_[k];
    weights.push_back(dot(step, direction) / dot(step, change));
    add(direction, -weights.back(), change);
  }
  if (!pairs_.empty()) {
    const auto& [step, change] = pairs_.back();
    const double scale = dot(step, change) / dot(change, change);
    for (double& d : direction) d *= scale;
  }
  for (const auto& [step, change] : pairs_) {
    add(direction, weights.back() - dot(change, direction) / dot(step, change), step);
    weights.pop_back();
  }
  return direction;
}

template <class T>
void Lbfgs<T>::remember(const Point& before, const Point& after) {
  Pair pair{difference(after.values, before.values), difference(after.gradient, before.gradient)};
  const double lengths =
      std::sqrt(dot(pair.step, pair.step)) * std::sqrt(dot(pair.change, pair.change));
  // Otherwise the next direction might not lead down.
  if (!(dot(pair.step, pair.change) > std::numeric_limits<double>::epsilon() * lengths)) return;
  pairs_.push_back(std::move(pair));
  if (pairs_.size() > static_cast<std::size_t>(options_.memory)) pairs_.pop_front();
}

template <class T>
OptimizerState<T> Lbfgs<T>::state() const {
  Tensor<T> steps = Tensor<T>::zeros({size_, options_.memory});
  Tensor<T> changes = steps;
  T* to_steps = steps.data();
  T* to_changes = changes.data();
  for (const auto& [step, change] : pairs_) {
    to_steps = std::ranges::copy(step, to_steps).out;
    to_changes = std::ranges::copy(change, to_changes).out;
  }
  return {steps_, {{steps_name, steps}, {changes_name, changes}}};
}

template <class T>
void Lbfgs<T>::restore(const OptimizerState<T>& state) {
  const Shape shape{size_, options_.memory};
  for (const char* name : {steps_name, changes_name}) {
    const auto found = state.tensors.find(name);
    require(found != state.tensors.end() && found->second.shape() == shape, "lbfgs", [&] {
      return "the state needs a tensor " + std::string(name) + " of shape " + to_string(shape);
    });
  }
  const auto size = static_cast<std::size_t>(size_);
  std::deque<Pair> pairs;
  for (std::size_t first = 0; first < state.tensors.at(steps_name).storage().size();
       first += size) {
    const auto column = [&](const char* name) {
      const std::span<const T> numbers = state.tensors.at(name).storage().subspan(first, size);
      return std::vector<T>(numbers.begin(), numbers.end());
    };
    Pair pair{column(steps_name), column(changes_name)};
    if (!(dot(pair.step, pair.change) > 0)) break;
    pairs.push_back(std::move(pair));
  }
  pairs_ = std::move(pairs);
  last_.reset();
  steps_ = state.steps;
}

template class Lbfgs<float>;
template class Lbfgs<double>;

}  // namespace fjord::optim
