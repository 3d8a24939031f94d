#include "fjord/nn/time_layer.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::nn {
// What an affine map of a layer takes and gives.
enum class TimeMapFrom { x, time, time_and_x, code };
enum class TimeMapTo { result, code, weights };

struct TimeLayerMap {
  const char* name;
  TimeMapFrom from;
  TimeMapTo to;
  bool is_factor;  // whether the result is 0 if this map, the other such ones and H are
};

namespace {

using From = TimeMapFrom;
using To = TimeMapTo;
using Map = TimeLayerMap;

// Width of what the hypernetwork's hidden layer gives, as in FFJORD's code.
constexpr Index code_width = 8;

constexpr std::array layer{Map{"layer", From::x, To::result, true}};
constexpr std::array of_both{Map{"layer", From::time_and_x, To::result, true}};
constexpr std::array gated_by_time{Map{"layer", From::x, To::result, true},
                                   Map{"gate", From::time, To::result, false}};
constexpr std::array hyper_maps{Map{"code", From::time, To::code, false},
                                Map{"weights", From::code, To::weights, true}};
constexpr std::array two{Map{"layer0", From::x, To::result, true},
                         Map{"layer1", From::x, To::result, true}};
constexpr std::array gated_by_x{Map{"layer", From::x, To::result, true},
                                Map{"gate", From::x, To::result, false}};

std::array<Index, 2> sizes_of(const Map& map, Index time_width, Index in, Index out) {
  const Index from = map.from == From::x      ? in
                     : map.from == From::time ? time_width
                     : map.from == From::code ? code_width
                                              : time_width + in;
  const Index to = map.to == To::result ? out : map.to == To::code ? code_width : (in + 1) * out;
  return {from, to};
}

template <class T>
Var<T> activated(const Var<T>& y, const Activation<T>* activation) {
  return activation == nullptr ? y : activation->function(y);
}

template <class T>
Var<T> activated(const Linear<T>& map, const Var<T>& x, const Activation<T>* activation) {
  return activation == nullptr ? map.forward(x) : map.forward(x, *activation);
}

}  // namespace

template <class T>
struct TimeLayer<T>::Call {
  const TimeLayer& self;
  const Var<T>& time;
  const Var<T>& x;
  const Activation<T>* activation;

  const Linear<T>& map(std::size_t i) const { return *self.maps_[i]; }

  Var<T> shift() const { return matmul(time, time.tape().bind(*self.shift_)); }

  Var<T> gate(const Var<T>& of) const { return sigmoid(map(1).forward(of)); }
};

template <class T>
struct TimeLayer<T>::Type {
  std::string_view name;
  std::span<const TimeLayerMap> maps;
  bool has_shift;
  Var<T> (*apply)(const Call& call);

  static Var<T> ignore(const Call& c) { return activated(c.map(0), c.x, c.activation); }

  static Var<T> concat(const Call& c) {
    const Var<T> times = broadcast_to(c.time, {c.x.shape()[0], c.time.shape()[1]});
    return activated(c.map(0), concatenate<T>({times, c.x}, 1), c.activation);
  }

  static Var<T> concat_v2(const Call& c) {
    return activated(c.map(0).forward(c.x) + c.shift(), c.activation);
  }

  static Var<T> squash(const Call& c) {
    return activated(c.map(0).forward(c.x) * c.gate(c.time), c.activation);
  }

  static Var<T> concatsquash(const Call& c) {
    return activated(c.map(0).forward(c.x) * c.gate(c.time) + c.shift(), c.activation);
  }

  static Var<T> hyper(const Call& c) {
    const Index in = c.self.in_;
    const Index out = c.self.out_;
    const Var<T> numbers = c.map(1).forward(tanh(c.map(0).forward(c.time)));
    const Index times = c.time.shape()[0];
    const Var<T> bias = slice(numbers, 1, 0, out);
    const Var<T> weight = reshape(slice(numbers, 1, out, out * (in + 1)), {times, out, in});
    if (times == 1) {
      const Var<T> y = affine(c.x, reshape(weight, {out, in}), reshape(bias, {out}));
      return activated(y, c.activation);
    }
    const Var<T> product = matmul(weight, reshape(c.x, {times, in, 1}));
    return activated(reshape(product, {times, out}) + bias, c.activation);
  }

  static Var<T> blend(const Call& c) {
    const Var<T> first = c.map(0).forward(c.x);
    return activated(first + (c.map(1).forward(c.x) - first) * c.time, c.activation);
  }

  static Var<T> gated(const Call& c) {
    return activated(c.map(0).forward(c.x) * c.gate(c.x), c.activation);
  }
};

template <class T>
std::span<const typename TimeLayer<T>::Type> TimeLayer<T>::all_types() {
  static constexpr std::array<Type, 9> all{
      {{"ignore", layer, false, Type::ignore},
       {"concat", of_both, false, Type::concat},
       {"concatcoord", of_both, false, Type::concat},
       {"concat_v2", layer, true, Type::concat_v2},
       {"squash", gated_by_time, false, Type::squash},
       {"concatsquash", gated_by_time, true, Type::concatsquash},
       {"hyper", hyper_maps, false, Type::hyper},
       {"blend", two, false, Type::blend},
       {"gated", gated_by_x, false, Type::gated}}};
  return all;
}

template <class T>
std::vector<std::string_view> TimeLayer<T>::types() {
  std::vector<std::string_view> names;
  for (const Type& type : all_types()) names.push_back(type.name);
  return names;
}

template <class T>
const typename TimeLayer<T>::Type& TimeLayer<T>::type_named(std::string_view name) {
  std::string names;
  for (const Type& type : all_types()) {
    if (type.name == name) return type;
    names += (names.empty() ? "" : ", ") + std::string(type.name);
  }
  fail("time_layer", "one of " + names + " is needed, got " + std::string(name));
}

template <class T>
TimeLayer<T>::TimeLayer(std::string_view type, Index time_width, Index in, Index out,
                        const RandomKey& random)
    : type_(&type_named(type)), in_(in), out_(out) {
  require(time_width > 0 && in > 0 && out > 0, "time_layer", "sizes must be positive");
  require(type != "blend" || time_width == 1, "time_layer",
          "blend needs the time itself, not features of it");
  for (const Map& map : type_->maps) {
    const auto [from, to] = sizes_of(map, time_width, in, out);
    maps_.push_back(std::make_unique<Linear<T>>(from, to, random.fold(maps_.size())));
    if (map.to != To::weights) continue;
    // The weights that it gives begin like those of Linear, and so does what the time adds to them.
    const NamedParameters<T> parameters = parameters_of(*maps_.back());
    const T scale = static_cast<T>(1 / std::sqrt(static_cast<double>(in)));
    for (T& w : parameters[0].parameter->mutable_values()) w *= scale;
    const std::span<T> weights =
        parameters[1].parameter->mutable_values().subspan(static_cast<std::size_t>(out));
    random.fold(maps_.size()).truncated_normal(weights);
    for (T& w : weights) w *= scale;
  }
  if (type_->has_shift)
    shift_ = std::make_unique<Parameter<T>>(Tensor<T>::zeros({time_width, out}));
}

template <class T>
Var<T> TimeLayer<T>::forward(const Var<T>& time, const Var<T>& x,
                             const Activation<T>* activation) const {
  const Shape times = time.shape();
  const Shape rows = x.shape();
  const bool fit = rows.rank() == 2 && rows[1] == in_ && times.rank() == 2 &&
                   (times[0] == 1 || times[0] == rows[0]);
  require(fit, "time_layer", [&] {
    return "time [1, K] or [B, K] and x [B, " + std::to_string(in_) + "] are needed, got " +
           to_string(times) + " and " + to_string(rows);
  });
  return type_->apply(Call{*this, time, x, activation});
}

template <class T>
void TimeLayer<T>::set_zero() {
  const auto clear = [](Parameter<T>& p) { std::ranges::fill(p.mutable_values(), T(0)); };
  for (std::size_t i = 0; i < maps_.size(); ++i) {
    if (!type_->maps[i].is_factor) continue;
    for (const NamedParameter<T>& p : parameters_of(*maps_[i])) clear(*p.parameter);
  }
  if (shift_ != nullptr) clear(*shift_);
}

template <class T>
Description<T> TimeLayer<T>::describe() {
  Description<T> description("time_layer");
  for (std::size_t i = 0; i < maps_.size(); ++i) description.inner(type_->maps[i].name, *maps_[i]);
  if (shift_ != nullptr) description.parameter("shift", *shift_);
  return description;
}

template <class T>
double TimeLayer<T>::weights(std::string_view type, Index time_width, Index in, Index out) {
  const Type& found = type_named(type);
  double count = found.has_shift ? static_cast<double>(time_width) * static_cast<double>(out) : 0;
  for (const Map& map : found.maps) {
    const auto [from, to] = sizes_of(map, time_width, in, out);
    count += (static_cast<double>(from) + 1) * static_cast<double>(to);
  }
  return count;
}

template class TimeLayer<float>;
template class TimeLayer<double>;

}  // namespace fjord::nn
