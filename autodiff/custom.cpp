#include "fjord/autodiff/custom.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/rules/inner_sweep.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord {
namespace {

template <class T>
Vars<T> inputs_of(const RecordedRule<T>& rule) {
  Vars<T> vars;
  for (std::uint32_t i = 0; i < rule.input_count(); ++i) vars.push_back(rule.input(i));
  return vars;
}

template <class T>
Vars<T> outputs_of(const RecordedRule<T>& rule) {
  Vars<T> vars;
  for (std::uint32_t k = 0; k < rule.node().outputs; ++k) vars.push_back(rule.output(k));
  return vars;
}

template <class T>
Var<T> or_zeros(const Var<T>& derivative, const Var<T>& of) {
  if (!derivative.is_empty()) return derivative;
  const NodeShape shape = of.tape().node(of.index()).shape;
  return of.tape().filled(shape, T(0));
}

// Where the rule that is there is evaluated to find its transpose: at numbers that no error of it
// is orthogonal to.
template <class T>
Vars<T> probes_like(const Vars<T>& vars) {
  Vars<T> probes;
  for (const Var<T>& var : vars) {
    const NodeShape shape = var.tape().node(var.index()).shape;
    T* numbers = var.tape().new_values(shape.size);
    RandomKey(probes.size()).normal(std::span<T>(numbers, static_cast<std::size_t>(shape.size)));
    probes.push_back(var.tape().borrow(shape, numbers));
  }
  return probes;
}

template <class T>
void add_product(double& sum, double& size, double sign, const Var<T>& a, const Var<T>& b) {
  const TensorView<T> left = a.value();
  const TensorView<T> right = b.value();
  for (Index i = 0; i < left.shape().size(); ++i) {
    const double product =
        static_cast<double>(left.data()[i]) * static_cast<double>(right.data()[i]);
    sum += sign * product;
    size += std::abs(product);
  }
}

template <class T>
double length(const Vars<T>& vars) {
  double sum = 0;
  double size = 0;
  for (const Var<T>& var : vars) add_product(sum, size, 1, var, var);
  return std::sqrt(sum);
}

// The derivatives of <rule(probes), weights> in the probes: of a rule that is linear, the product
// of its transpose with the weights. Only parts of the rule that have a weight count.
template <class T, class Rule>
Vars<T> transposed_rule(const CustomRules<T>& rules, const char* missing, const Vars<T>& probes,
                        const Vars<T>& weights, const Rule& rule) {
  const Vars<T> images = rule(probes);
  require(images.size() == weights.size(), rules.name, [&] {
    return "its rule must give " + std::to_string(weights.size()) + " variables, got " +
           std::to_string(images.size());
  });
  Vars<T> outputs;
  Vars<T> given;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (weights[i].is_empty()) continue;
    outputs.push_back(images[i]);
    given.push_back(weights[i]);
  }
  Vars<T> results = rules::inner_pullback(outputs, given, probes);
  // A linear function is its own derivative, except for the rounding of terms that cancel.
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    add_product(difference, size, 1, outputs[i], given[i]);
  for (std::size_t k = 0; k < probes.size(); ++k)
    add_product(difference, size, -1, results[k], probes[k]);
  const double rounding = 100 * std::numeric_limits<T>::epsilon() * length(probes) * length(given);
  require(!(std::abs(difference) > 1e-3 * size + rounding), rules.name, [&] {
    return std::string(missing) +
           " was left out, and the other rule cannot give it: that must be linear in its last "
           "argument and written in operations on it";
  });
  return results;
}

// Makes constants of what a rule uses besides its arguments: the nodes that are appended while this
// object lives read copies of it, to which no derivative flows.
template <class T>
class Constants final {
 public:
  Constants(Tape<T>& tape, std::initializer_list<const Vars<T>*> arguments)
      : tape_(tape), first_(static_cast<std::uint32_t>(tape.size())) {
    for (const Vars<T>* const vars : arguments) {
      for (const Var<T>& var : *vars) {
        if (!var.is_empty()) arguments_.push_back(var.index());
      }
    }
    std::sort(arguments_.begin(), arguments_.end());
  }

  /// Replaces all else from before, also among the results of the rule.
  void replace(Vars<T>& results, const std::string& op) const {
    const std::vector<std::uint32_t> used = others(results, op);
    if (used.empty()) return;
    Vars<T> copies;
    for (const std::uint32_t index : used) copies.push_back(stop_gradient(tape_.var(index)));
    const auto copy_of = [&](std::uint32_t index) {
      const auto at = std::lower_bound(used.begin(), used.end(), index);
      return at != used.end() && *at == index ? &copies[static_cast<std::size_t>(at - used.begin())]
                                              : nullptr;
    };
    tape_.redirect(first_, first_, used, copies);
    for (Var<T>& result : results) {
      if (result.is_empty()) continue;
      if (const Var<T>* const copy = copy_of(result.index())) result = *copy;
    }
  }

 private:
  bool is_other(std::uint32_t index) const {
    return index < first_ && !std::binary_search(arguments_.begin(), arguments_.end(), index);
  }

  std::vector<std::uint32_t> others(const Vars<T>& results, const std::string& op) const {
    std::vector<std::uint32_t> found;
    for (std::size_t i = first_; i < tape_.size(); ++i) {
      const Node<T>& node = tape_.node(static_cast<std::uint32_t>(i));
      std::copy_if(node.inputs, node.inputs + node.input_count, std::back_inserter(found),
                   [this](std::uint32_t index) { return is_other(index); });
    }
    for (const Var<T>& result : results) {
      if (result.is_empty()) continue;
      static_cast<void>(tape_.node(result, op.c_str()));
      if (is_other(result.index())) found.push_back(result.index());
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

  Tape<T>& tape_;
  std::uint32_t first_;
  std::vector<std::uint32_t> arguments_;
};

// The object that nodes of a custom operation share: its row has the user's name.
template <class T>
struct CustomOperation {
  explicit CustomOperation(CustomRules<T> given)
      : rules(std::move(given)), row{rules.name.c_str(), pullback, pushforward} {}

  CustomOperation(const CustomOperation&) = delete;
  CustomOperation& operator=(const CustomOperation&) = delete;

  static void pullback(Reverse<T>& rule) {
    const auto& rules = rule.template attributes<CustomOperation>().rules;
    const Vars<T> inputs = inputs_of<T>(rule);
    const Vars<T> outputs = outputs_of<T>(rule);
    Vars<T> cotangents;
    for (std::uint32_t k = 0; k < outputs.size(); ++k) {
      cotangents.push_back(rules.vjp ? or_zeros(rule.cotangent(k), outputs[k]) : rule.cotangent(k));
    }
    const Constants<T> constants(rule.tape(), {&inputs, &outputs, &cotangents});
    Vars<T> found =
        rules.vjp
            ? rules.vjp(inputs, outputs, cotangents)
            : transposed_rule(rules, "vjp", probes_like(inputs), cotangents,
                              [&](const Vars<T>& v) { return rules.jvp(inputs, outputs, v); });
    check_count(rules, inputs.size(), found.size());
    constants.replace(found, rules.name);
    for (std::uint32_t i = 0; i < inputs.size(); ++i) rule.add(i, derivative(rule, found[i]));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const auto& rules = rule.template attributes<CustomOperation>().rules;
    const Vars<T> inputs = inputs_of<T>(rule);
    const Vars<T> outputs = outputs_of<T>(rule);
    Vars<T> tangents;
    for (std::uint32_t i = 0; i < inputs.size(); ++i) {
      tangents.push_back(rules.jvp ? or_zeros(rule.tangent(i), inputs[i]) : rule.tangent(i));
    }
    const Constants<T> constants(rule.tape(), {&inputs, &outputs, &tangents});
    Vars<T> found =
        rules.jvp
            ? rules.jvp(inputs, outputs, tangents)
            : transposed_rule(rules, "jvp", probes_like(outputs), tangents,
                              [&](const Vars<T>& g) { return rules.vjp(inputs, outputs, g); });
    check_count(rules, outputs.size(), found.size());
    constants.replace(found, rules.name);
    for (std::uint32_t k = 0; k < outputs.size(); ++k) {
      if (rule.wants(k)) rule.set(k, derivative(rule, found[k]));
    }
    return true;
  }

  // Operators of users do not keep to the signs of zeros, so none counts as masked.
  static Var<T> derivative(const RuleNode<T>& rule, const Var<T>& found) {
    if (found.is_empty()) return found;
    static_cast<void>(rule.tape().node(found, rule.node().op->name));
    return rules::unmasked(found);
  }

  static void check_count(const CustomRules<T>& rules, std::size_t expected, std::size_t got) {
    require(got == expected, rules.name, [&] {
      return "its rule must give " + std::to_string(expected) + " variables, got " +
             std::to_string(got);
    });
  }

  CustomRules<T> rules;
  Operation<T> row;
};

}  // namespace

template <class T>
Vars<T> append_custom(record::Evaluation<T>& evaluation, CustomRules<T> rules,
                      const Vars<T>& inputs, const Vars<T>& outputs) {
  const auto operation = std::make_shared<const CustomOperation<T>>(std::move(rules));
  evaluation.close(outputs);
  return evaluation.append(operation->row, inputs, operation);
}

#define FJORD_INSTANTIATE(T)                                                             \
  template Vars<T> append_custom(record::Evaluation<T>&, CustomRules<T>, const Vars<T>&, \
                                 const Vars<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
