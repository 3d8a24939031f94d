#include "fjord/autodiff/ops/einsum.hpp"

#include <cctype>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/matrix.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

// The same entries in another shape, in storage order: no entry moves.
template <class T>
struct Regroup {
  static Var<T> apply(const Var<T>& x, const Shape& shape) {
    const Node<T> in = x.tape().node(x, "einsum");
    return append_alias(x.tape(), row, x, x.tape().keep_shape(shape), in.value);
  }

  static void pullback(Reverse<T>& rule) {
    rule.add(0, apply(rule.cotangent(), rule.input_node(0).shape.shape()));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(apply(rule.tangent(0), rule.node().shape.shape()));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) { k.pass(0); }

  static constexpr Operation<T> row{"einsum", pullback, pushforward, pullback_values};
};

bool has(std::string_view letters, char letter) {
  return letters.find(letter) != std::string_view::npos;
}

// A tensor whose axes have names, one letter each.
template <class T>
struct Named {
  std::string letters;
  Var<T> var;

  Index size(char letter) const { return var.shape()[letters.find(letter)]; }

  // Sums over the axes that neither of the others names.
  void sum_all_but(std::string_view other, std::string_view result) {
    for (std::size_t k = letters.size(); k-- > 0;) {
      if (has(other, letters[k]) || has(result, letters[k])) continue;
      var = sum(var, {static_cast<Index>(k)});
      letters.erase(k, 1);
    }
  }

  void arrange(std::string_view order) {
    for (std::size_t k = 0; k < order.size(); ++k) {
      const std::size_t at = letters.find(order[k]);
      if (at == k) continue;
      var = swap_axes(var, static_cast<Index>(k), static_cast<Index>(at));
      std::swap(letters[k], letters[at]);
    }
  }

  Index size_of(std::string_view group) const {
    Index size = 1;
    for (const char letter : group) size *= this->size(letter);
    return size;
  }
};

// The axes of both operands by what becomes of them, each in the order in which a (or b) has them.
struct Groups {
  std::string shared;
  std::string left;
  std::string right;
  std::string summed;

  Groups(std::string_view a, std::string_view b, std::string_view result) {
    for (const char letter : a) {
      std::string& group = !has(b, letter) ? left : has(result, letter) ? shared : summed;
      group += letter;
    }
    for (const char letter : b) {
      if (!has(a, letter)) right += letter;
    }
  }
};

Shape with_last(const Shape& shape, Index size) {
  return shape.with_axis(shape.rank(), size);
}

template <class T>
Var<T> contract(Named<T> a, Named<T> b, const std::string& result) {
  a.sum_all_but(b.letters, result);
  b.sum_all_but(a.letters, result);
  const Groups groups(a.letters, b.letters, result);
  a.arrange(groups.shared + groups.left + groups.summed);
  b.arrange(groups.shared + groups.summed + groups.right);
  Shape batch;
  for (const char letter : groups.shared) batch = with_last(batch, a.size(letter));
  const auto matrices = [&](const Var<T>& x, Index rows, Index columns) {
    return Regroup<T>::apply(x, with_last(with_last(batch, rows), columns));
  };
  const Index inner = a.size_of(groups.summed);
  const Var<T> left = matrices(a.var, a.size_of(groups.left), inner);
  const Var<T> product = matrix_product(left, matrices(b.var, inner, b.size_of(groups.right)));
  Shape shape = batch;
  for (const char letter : groups.left) shape = with_last(shape, a.size(letter));
  for (const char letter : groups.right) shape = with_last(shape, b.size(letter));
  Named<T> named{groups.shared + groups.left + groups.right, Regroup<T>::apply(product, shape)};
  named.arrange(result);
  return named.var;
}

bool is_list_of_letters(std::string_view text) {
  for (std::size_t k = 0; k < text.size(); ++k) {
    if (std::isalpha(static_cast<unsigned char>(text[k])) == 0 || has(text.substr(0, k), text[k]))
      return false;
  }
  return true;
}

// The letters of both operands and of the result.
std::array<std::string, 3> parse(std::string_view subscripts) {
  std::string text;
  for (const char c : subscripts) {
    if (c != ' ') text += c;
  }
  const std::size_t comma = text.find(',');
  const std::size_t arrow = text.find("->");
  const bool cut = comma != text.npos && arrow != text.npos && comma < arrow;
  std::array<std::string, 3> parts;
  if (cut)
    parts = {text.substr(0, comma), text.substr(comma + 1, arrow - comma - 1),
             text.substr(arrow + 2)};
  bool good = cut;
  for (const std::string& part : parts) good = good && is_list_of_letters(part);
  for (const char letter : parts[2])
    good = good && (has(parts[0], letter) || has(parts[1], letter));
  require(good, "einsum", [&] {
    return "subscripts such as \"ij,jk->ik\" are needed, each letter at most once in one place, "
           "got \"" +
           std::string(subscripts) + "\"";
  });
  return parts;
}

}  // namespace

template <class T>
Var<T> einsum(std::string_view subscripts, const Var<T>& a, const Var<T>& b) {
  const Shape shape_a = a.tape().node(a, "einsum").shape.shape();
  const Shape shape_b = a.tape().node(b, "einsum").shape.shape();
  const auto [letters_a, letters_b, result] = parse(subscripts);
  bool fits = letters_a.size() == shape_a.rank() && letters_b.size() == shape_b.rank();
  for (std::size_t k = 0; fits && k < letters_a.size(); ++k) {
    const std::size_t other = letters_b.find(letters_a[k]);
    fits = other == std::string::npos || shape_a[k] == shape_b[other];
  }
  require(fits, "einsum", [&] {
    return "\"" + std::string(subscripts) + "\" does not fit shapes " + to_string(shape_a) +
           " and " + to_string(shape_b);
  });
  return contract<T>({letters_a, a}, {letters_b, b}, result);
}

template <class T>
Var<T> dot(const Var<T>& a, const Var<T>& b) {
  const Shape left = a.tape().node(a, "dot").shape.shape();
  const Shape right = a.tape().node(b, "dot").shape.shape();
  if (left.rank() == 0 || right.rank() == 0) return a * b;
  const std::size_t summed = right.rank() - std::min<std::size_t>(right.rank(), 2);
  require(left[left.rank() - 1] == right[summed], "dot", [&] {
    return "shapes [..., k] and [..., k, n] are needed, got " + to_string(left) + " and " +
           to_string(right);
  });
  const std::string letters_a = std::string("ABCDEFGHIJKLMNOP").substr(0, left.rank());
  std::string letters_b = std::string("abcdefghijklmnop").substr(0, right.rank());
  std::string result = letters_a.substr(0, left.rank() - 1) + letters_b;
  result.erase(left.rank() - 1 + summed, 1);
  letters_b[summed] = letters_a.back();
  return contract<T>({letters_a, a}, {letters_b, b}, result);
}

#define FJORD_INSTANTIATE(T)                                              \
  template Var<T> einsum(std::string_view, const Var<T>&, const Var<T>&); \
  template Var<T> dot(const Var<T>&, const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
