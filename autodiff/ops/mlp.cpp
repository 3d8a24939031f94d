#include "fjord/autodiff/ops/mlp.hpp"

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/lane_sums.hpp"
#include "fjord/autodiff/kernels/narrow_mlp.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/composed.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

static_assert(widest_narrow_mlp == narrow::limit);

template <class T>
using Layer = narrow::MlpLayer<T>;

// What the forward pass keeps for the backward pass.
template <class T>
struct Recording {
  std::span<const Layer<T>> layers;
  const T* shifts;        // of the first layer: see narrow::Mlp
  simd::Batch<T>* saved;  // [strips, saved_size]
};

template <class T>
struct Rows {
  Index all;    // distance of the columns
  Index first;  // of the strip
  Index count;  // of the strip, up to a register's lanes

  Index number() const { return first / simd::width<T>; }

  // One column of the strip, the lanes beyond the last row zero.
  simd::Batch<T> load(const T* column) const {
    column += first;
    if (count == simd::width<T>) return simd::Batch<T>::load_unaligned(column);
    std::array<T, simd::Batch<T>::size> lanes{};
    std::copy_n(column, count, lanes.begin());
    return simd::Batch<T>::load_unaligned(lanes.data());
  }

  void store(const simd::Batch<T>& numbers, T* column) const {
    if (count == simd::width<T>) {
      numbers.store_unaligned(column + first);
    } else {
      simd::store_part(numbers, column + first, count);
    }
  }
};

// Runs body.operator()<count>(strips) for all strips in their order, `Most` at a time while so many
// are left.
template <class T, int Most, class Body>
void for_each_strip(Index rows, Body body) {
  std::array<Rows<T>, Most> strips;
  const auto some = [&]<int count>(Index first) {
    for (int s = 0; s < count; ++s, first += simd::width<T>)
      strips[static_cast<std::size_t>(s)] = {rows, first, std::min(simd::width<T>, rows - first)};
    body.template operator()<count>(strips.data());
  };
  constexpr Index many = Most * simd::width<T>;
  Index first = 0;
  for (; Most > 1 && first + many <= rows; first += many) some.template operator()<Most>(first);
  for (; first < rows; first += simd::width<T>) some.template operator()<1>(first);
}

// What strips add up, in blocks, so that the sums over many rows keep their digits.
template <class T>
class StripSums final {
 public:
  StripSums(ReverseKernel<T>& kernel, Index count)
      : kernel_(kernel), count_(count), part_(kernel.take(count)) {
    std::fill_n(part_, count, T(0));
  }

  ~StripSums() {
    for (T* const memory : {part_, sum_, error_}) {
      if (memory != nullptr) kernel_.give_back(memory, count_);
    }
  }

  StripSums(const StripSums&) = delete;
  StripSums& operator=(const StripSums&) = delete;

  /// Where the next strip is to be added.
  T* part() { return part_; }

  void next() {
    if (++in_block_ == BlockSums<T>::block) close_block();
  }

  /// The totals of all rows, one for each register of a strip.
  const T* finish() {
    if (sum_ != nullptr) close_block();
    T* const totals = sum_ != nullptr ? sum_ : part_;
    // In place: what is written lies before what is still to be read.
    const auto* registers = reinterpret_cast<const simd::Batch<T>*>(totals);
    const Index count = count_ / simd::width<T>;
    Index i = 0;
    for (; i + simd::width<T> <= count; i += simd::width<T>)
      simd::sums<T>(registers + i).store_unaligned(totals + i);
    for (; i < count; ++i) totals[i] = xsimd::hadd(registers[i]);
    return totals;
  }

 private:
  void close_block() {
    in_block_ = 0;
    if (sum_ == nullptr) {
      sum_ = kernel_.take(count_);
      error_ = kernel_.take(count_);
      std::fill_n(sum_, count_, T(0));
      std::fill_n(error_, count_, T(0));
    }
    add_with_error<T>(count_, sum_, error_, part_);
    std::fill_n(part_, count_, T(0));
  }

  ReverseKernel<T>& kernel_;
  Index count_;
  Index in_block_ = 0;
  T* part_;
  T* sum_ = nullptr;
  T* error_ = nullptr;
};

template <class T, bool has_divergence>
struct TanhMlp {
  using Batch = simd::Batch<T>;
  static constexpr const char* name = has_divergence ? "tanh_mlp_with_divergence" : "tanh_mlp";

  static Var<T> apply(const Var<T>& t, const Var<T>& x, std::span<const Var<T>> layers) {
    Tape<T>& tape = x.tape();
    const Node<T> state = tape.node(x, name);
    const auto list = read_layers(tape, state.shape, layers);
    const T time = read_time(tape, t);
    const Index rows = state.shape[0];
    const Index dim = state.shape[1];
    const T* shifts = keep_shifts(tape, list.front(), dim, time);
    const Index columns = list.back().out + (has_divergence ? 1 : 0);
    const NodeShape shape = columns == dim ? state.shape : tape.keep_shape({rows, columns});
    auto* inputs = tape.template new_records<Var<T>>(layers.size() + 2);
    inputs[0] = t;
    inputs[1] = x;
    std::copy(layers.begin(), layers.end(), inputs + 2);
    auto* recording =
        new (tape.template new_records<Recording<T>>(1)) Recording<T>{list, shifts, nullptr};
    const auto [var, value] = append_operation(
        tape, row, std::span<const Var<T>>(inputs, layers.size() + 2), shape, recording);
    with_kernel(*recording, dim, [&, value = value]<class Kernel>(const Kernel& kernel) {
      const Index strip_count = (rows + simd::width<T> - 1) / simd::width<T>;
      const Index saved_size = kernel.saved_size();
      auto* saved =
          tape.template new_records<Batch>(static_cast<std::size_t>(strip_count * saved_size));
      recording->saved = saved;
      for_each_strip<T, Kernel::most_strips>(rows, [&]<int count>(const Rows<T>* strips) {
        Batch in[count * narrow::limit];
        Batch out[count * (narrow::limit + 1)];
        for (int s = 0; s < count; ++s) {
          for (Index d = 0; d < dim; ++d) in[s * dim + d] = strips[s].load(state.value + d * rows);
        }
        kernel.template forward<count>(in, out, saved + strips[0].number() * saved_size);
        for (int s = 0; s < count; ++s) {
          for (Index d = 0; d < columns; ++d)
            strips[s].store(out[s * columns + d], value + d * rows);
        }
      });
    });
    return var;
  }

  static void pullback(Reverse<T>& rule) { pull_composed(rule, composed); }

  static bool pushforward(Forward<T>& rule) { return push_composed(rule, composed); }

  static void pullback_values(ReverseKernel<T>& k) {
    const auto& recording = k.template attributes<Recording<T>>();
    const Index dim = k.input_node(1).shape[1];
    if (is_masked(k.cotangent(), k.size())) return mask_all(k);
    with_kernel(recording, dim, [&](const auto& kernel) {
      StripSums<T> sums(k, kernel.sums_size() * simd::width<T>);
      pull_strips(k, kernel, recording.saved, sums);
      add_parameters(k, recording.layers, dim, sums.finish());
    });
  }

  static constexpr Operation<T> row{name, pullback, pushforward, pullback_values};

 private:
  static Vars<T> composed(const Vars<T>& inputs) {
    const Var<T>& x = inputs[1];
    const Index rows = x.shape()[0];
    const Index times = inputs[2].shape()[1] - x.shape()[1];
    Var<T> h = times == 0 ? x : concatenate<T>({broadcast_to(inputs[0], {rows, times}), x}, 1);
    for (std::size_t i = 2; i + 2 < inputs.size(); i += 2) {
      h = tanh_affine(h, inputs[i], inputs[i + 1]);
    }
    h = affine(h, inputs[inputs.size() - 2], inputs.back());
    if (!has_divergence) return {h};
    const Var<T> divergence = exact_divergence(x, h, unit_tangents(x));
    return {concatenate<T>({h, reshape(divergence, {rows, 1})}, 1)};
  }

  // Runs body with the kernel that was compiled for these sizes, or the one for any.
  template <class Body>
  static void with_kernel(const Recording<T>& recording, Index dim, Body body) {
    const std::span<const Layer<T>> layers = recording.layers;
    const auto run = [&](auto sizes) {
      body(narrow::Mlp<T, Tanh, decltype(sizes), has_divergence>(layers, sizes, recording.shifts));
    };
    bool is_width_8 = dim == 2;
    for (const Layer<T>& layer : layers.first(layers.size() - 1)) is_width_8 &= layer.out == 8;
    if (is_width_8) {
      run(narrow::FixedSizes<8, 2>());
    } else {
      run(narrow::AnySizes<T>{layers, dim});
    }
  }

  static bool is_masked(const T* numbers, Index count) {
    return std::all_of(numbers, numbers + count, [](T x) { return simd::is_masked(x); });
  }

  // What a cotangent that is masked in all entries gives.
  static void mask_all(ReverseKernel<T>& k) {
    for (std::uint32_t i = 0; i < k.input_count(); ++i) {
      const Target<T> target = k.target(i);
      if (target.fresh) std::fill_n(target.data, k.input_shape(i).size, simd::masked_zero<T>);
    }
  }

  static Batch* registers(T* numbers) { return reinterpret_cast<Batch*>(numbers); }

  template <class Kernel>
  static void pull_strips(ReverseKernel<T>& k, const Kernel& kernel, const Batch* saved,
                          StripSums<T>& sums) {
    const Node<T> state = k.input_node(1);
    const Index rows = state.shape[0];
    const Index dim = state.shape[1];
    const Index columns = k.node().shape[1];
    const Index saved_size = kernel.saved_size();
    const Target<T> target = k.target(1);
    for_each_strip<T, 1>(rows, [&]<int>(const Rows<T>* strips) {
      const Rows<T>& strip = *strips;
      Batch x[narrow::limit];
      Batch g[narrow::limit + 1];
      Batch gx[narrow::limit];
      for (Index d = 0; d < dim; ++d) x[d] = strip.load(state.value + d * rows);
      auto is_masked = xsimd::batch_bool<T>(true);
      for (Index d = 0; d < columns; ++d) {
        g[d] = strip.load(k.cotangent() + d * rows);
        is_masked = is_masked & simd::is_masked(g[d]);
      }
      kernel.backward(x, g, saved + strip.number() * saved_size, gx, registers(sums.part()));
      sums.next();
      for (Index d = 0; target && d < dim; ++d) {
        T* column = target.data + d * rows;
        const Batch part =
            xsimd::select(is_masked, Batch(simd::masked_zero<T>), simd::computed<T>(gx[d]));
        strip.store(target.fresh ? part : part + strip.load(column), column);
      }
    });
  }

  static T read_time(Tape<T>& tape, const Var<T>& t) {
    const Node<T>& node = tape.node(t, name);
    require(node.shape.rank == 0, name,
            [&] { return "t must be a scalar, got shape " + to_string(node.shape.shape()); });
    return *node.value;
  }

  static std::span<const Layer<T>> read_layers(Tape<T>& tape, const NodeShape& x,
                                               std::span<const Var<T>> vars) {
    require(x.rank == 2, name, [&] { return "x [B, D] is needed, got " + to_string(x.shape()); });
    require(vars.size() >= 4 && vars.size() % 2 == 0, name,
            "weight and bias of two layers at least are needed");
    const std::size_t count = vars.size() / 2;
    auto* layers = tape.template new_records<Layer<T>>(count);
    for (std::size_t l = 0; l < count; ++l) {
      const Node<T>& weight = tape.node(vars[2 * l], name);
      const Node<T>& bias = tape.node(vars[2 * l + 1], name);
      const bool are_layer =
          weight.shape.rank == 2 && bias.shape.rank == 1 && weight.shape[0] == bias.shape[0];
      const Index in = are_layer ? weight.shape[1] : 0;
      require(are_layer && (l == 0 ? in >= x[1] : in == layers[l - 1].out), name, [&] {
        return "layer " + std::to_string(l) + " does not fit what comes before: weight " +
               to_string(weight.shape.shape()) + " and bias " + to_string(bias.shape.shape());
      });
      require(std::max(weight.shape[0], l == 0 ? x[1] : in) <= widest_narrow_mlp, name, [&] {
        return "layers of up to " + std::to_string(widest_narrow_mlp) +
               " columns are needed, got " + to_string(weight.shape.shape());
      });
      layers[l] = {weight.shape[0], in, weight.value, bias.value};
    }
    require(!has_divergence || layers[count - 1].out == x[1], name,
            "a divergence needs as many outputs as inputs");
    return {layers, count};
  }

  // The first layer's bias and the share of the time, which are the same for every row.
  static const T* keep_shifts(Tape<T>& tape, const Layer<T>& first, Index dim, T time) {
    T* shifts = tape.new_values(first.out);
    std::copy_n(first.bias, first.out, shifts);
    for (Index j = 0; j < first.in - dim; ++j) {
      for (Index i = 0; i < first.out; ++i) shifts[i] += first.weight[j * first.out + i] * time;
    }
    return shifts;
  }

  static void add_total(const Target<T>& target, Index at, T total) {
    const T part = simd::computed(total);
    target.data[at] = target.fresh ? part : target.data[at] + part;
  }

  // Which of the lines of a parameter, one for each output, get masked zeros only.
  struct MaskedLines {
    std::array<bool, narrow::limit> lines{};
    Index count;
  };

  // Of the last layer; false if there are none.
  static bool find_masked_outputs(const ReverseKernel<T>& k, MaskedLines& of_weight,
                                  MaskedLines& of_bias) {
    const Index rows = k.node().shape[0];
    bool any = false;
    for (Index i = 0; i < of_bias.count; ++i)
      any |= of_bias.lines[static_cast<std::size_t>(i)] = is_masked(k.cotangent() + i * rows, rows);
    const bool has_trace = has_divergence && !is_masked(k.cotangent() + of_bias.count * rows, rows);
    if (!has_trace) of_weight.lines = of_bias.lines;
    return any;
  }

  static void add_totals(const Target<T>& target, Index at, const T* totals, Index count,
                         const MaskedLines* masked = nullptr) {
    if (!target) return;
    for (Index i = 0; i < count; ++i) {
      const bool is_line =
          masked != nullptr && masked->lines[static_cast<std::size_t>(i % masked->count)];
      if (!is_line) {
        add_total(target, at + i, totals[i]);
      } else if (target.fresh) {
        target.data[at + i] = simd::masked_zero<T>;
      }
    }
  }

  // totals: of each layer the weight's and the bias's, in the first without time.
  static void add_parameters(ReverseKernel<T>& k, std::span<const Layer<T>> layers, Index dim,
                             const T* totals) {
    const Layer<T>& first = layers.front();
    const Index times = first.in - dim;
    const T* const shift_totals = totals + first.out * dim;
    if (const Target<T> target = k.target(0); target && times == 0) {
      if (target.fresh) *target.data = simd::masked_zero<T>;
    } else if (target) {
      T total(0);
      for (Index j = 0; j < times; ++j) {
        for (Index i = 0; i < first.out; ++i)
          total += first.weight[j * first.out + i] * shift_totals[i];
      }
      add_total(target, 0, total);
    }
    MaskedLines of_bias{{}, layers.back().out};
    MaskedLines of_weight = of_bias;
    const bool any = find_masked_outputs(k, of_weight, of_bias);
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const Layer<T>& layer = layers[l];
      const auto input = static_cast<std::uint32_t>(2 + 2 * l);
      const Index offset = l == 0 ? times * layer.out : 0;
      const Index size = layer.out * layer.in - offset;
      if (const Target<T> target = k.target(input)) {
        for (Index j = 0; j < offset; j += layer.out) {
          for (Index i = 0; i < layer.out; ++i)
            add_total(target, j + i, *k.input(0) * shift_totals[i]);
        }
        add_totals(target, offset, totals, size,
                   l + 1 == layers.size() && any ? &of_weight : nullptr);
      }
      add_totals(k.target(input + 1), 0, totals + size, layer.out,
                 l + 1 == layers.size() && any ? &of_bias : nullptr);
      totals += size + layer.out;
    }
  }
};

}  // namespace

template <class T>
Var<T> tanh_mlp(const Var<T>& t, const Var<T>& x, std::span<const Var<T>> layers) {
  return TanhMlp<T, false>::apply(t, x, layers);
}

template <class T>
Var<T> tanh_mlp_with_divergence(const Var<T>& t, const Var<T>& x, std::span<const Var<T>> layers) {
  return TanhMlp<T, true>::apply(t, x, layers);
}

#define FJORD_INSTANTIATE(T)                                                       \
  template Var<T> tanh_mlp(const Var<T>&, const Var<T>&, std::span<const Var<T>>); \
  template Var<T> tanh_mlp_with_divergence(const Var<T>&, const Var<T>&, std::span<const Var<T>>);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
