#include "fjord/autodiff/checkpoint.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/rules/composed.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

constexpr const char* operation_name = "checkpoint";

// The object that a node of a checkpoint owns. Its inputs are f's, then all else that f reads.
template <class T>
struct Checkpoint {
  ListFunction<T> f;
  std::size_t inputs = 0;  // how many are f's
  std::vector<Shape> outputs;
  std::vector<std::uint32_t> captured;  // what f reads besides, in order, as its handles have it

  // Evaluates f at nodes that stand in for all inputs, the last of the tape.
  Vars<T> evaluate(const Vars<T>& stand_ins) const {
    Tape<T>& tape = stand_ins.front().tape();
    const auto first = static_cast<std::uint32_t>(tape.size());
    const auto split = stand_ins.begin() + static_cast<std::ptrdiff_t>(inputs);
    Vars<T> found = f(Vars<T>(stand_ins.begin(), split));
    check_outputs(tape, found);
    for (Var<T>& output : found) output = identity(output);
    const bool is_same =
        tape.redirect(first, stand_ins.front().index(), captured, Vars<T>(split, stand_ins.end()));
    require(is_same, operation_name,
            "the function must compute the same again, but it reads other variables");
    return found;
  }

  void check_outputs(Tape<T>& tape, const Vars<T>& found) const {
    require(found.size() == outputs.size(), operation_name, [&] {
      return "the function must compute the same again, but it gave " +
             std::to_string(outputs.size()) + " variables and now gives " +
             std::to_string(found.size());
    });
    for (std::size_t k = 0; k < found.size(); ++k) {
      const Shape shape = tape.node(found[k], operation_name).shape.shape();
      require(shape == outputs[k], operation_name, [&] {
        return "the function must compute the same again, but its result of shape " +
               to_string(outputs[k]) + " now has shape " + to_string(shape);
      });
    }
  }

  static void pullback(Reverse<T>& rule) {
    pull_composed(rule, [&](const Vars<T>& leaves) { return of(rule).evaluate(leaves); });
  }

  static bool pushforward(Forward<T>& rule) {
    return push_composed(rule, [&](const Vars<T>& leaves) { return of(rule).evaluate(leaves); });
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const RewindScope<T> scope(k.tape());
    Vars<T> leaves;
    Vars<T> wanted;
    for (std::uint32_t i = 0; i < k.input_count(); ++i) {
      leaves.push_back(k.tape().borrow(k.input_shape(i), k.input(i)));
      if (k.wants(i)) wanted.push_back(leaves.back());
    }
    const Vars<T> all = of(k).evaluate(leaves);
    Vars<T> outputs;
    std::vector<TensorView<T>> cotangents;
    for (std::uint32_t o = 0; o < all.size(); ++o) {
      if (k.cotangent(o) == nullptr) continue;
      outputs.push_back(all[o]);
      cotangents.emplace_back(k.cotangent(o), all[o].shape(), Order::column_major);
    }
    const auto found = inner_pullback_values<T>(outputs, cotangents, wanted);
    std::size_t next = 0;
    for (std::uint32_t i = 0; i < k.input_count(); ++i) {
      if (!k.wants(i)) continue;
      const Target<T> target = k.target(i);
      simd::accumulate(k.input_shape(i).size, target.data, target.fresh, simd::same,
                       found[next++].data());
    }
  }

  static const Checkpoint& of(const RuleNode<T>& rule) {
    return rule.template attributes<Checkpoint>();
  }

  static constexpr Operation<T> row{operation_name, pullback, pushforward, pullback_values};
};

}  // namespace

template <class T>
Vars<T> leaves_of(const Vars<T>& inputs) {
  Vars<T> leaves;
  for (const Var<T>& input : inputs) leaves.push_back(stop_gradient(input));
  return leaves;
}

template <class T>
Vars<T> append_checkpoint(record::Evaluation<T>& evaluation, ListFunction<T> f,
                          const Vars<T>& inputs, const Vars<T>& outputs) {
  // A result that is not a node of the evaluation is read by it this way, too.
  Vars<T> results;
  for (const Var<T>& output : outputs) results.push_back(identity(output));
  auto checkpoint = std::make_shared<Checkpoint<T>>();
  checkpoint->f = std::move(f);
  checkpoint->inputs = inputs.size();
  for (const Var<T>& output : outputs) checkpoint->outputs.push_back(output.shape());
  checkpoint->captured = evaluation.captured();
  for (const Var<T>& parameter : evaluation.close(results))
    checkpoint->captured.push_back(parameter.index());
  Vars<T> all = inputs;
  for (const std::uint32_t index : checkpoint->captured)
    all.push_back(evaluation.tape().var(index));
  return evaluation.append(Checkpoint<T>::row, all, checkpoint);
}

#define FJORD_INSTANTIATE(T)                                                                  \
  template Vars<T> leaves_of(const Vars<T>&);                                                 \
  template Vars<T> append_checkpoint(record::Evaluation<T>&, ListFunction<T>, const Vars<T>&, \
                                     const Vars<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
