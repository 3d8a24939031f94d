#include "fjord/autodiff/ops/einsum.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
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

// The product of both, summed over the axes that nobody needs, in the order of the groups.
template <class T>
Named<T> contract(Named<T> a, Named<T> b, std::string_view needed) {
  a.sum_all_but(b.letters, needed);
  b.sum_all_but(a.letters, needed);
  const Groups groups(a.letters, b.letters, needed);
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
  return {groups.shared + groups.left + groups.right, Regroup<T>::apply(product, shape)};
}

bool is_list_of_letters(std::string_view text) {
  for (std::size_t k = 0; k < text.size(); ++k) {
    if (std::isalpha(static_cast<unsigned char>(text[k])) == 0 || has(text.substr(0, k), text[k]))
      return false;
  }
  return true;
}

// What stands for one operand, or the result, before and after "...".
struct Term {
  std::string before;
  std::string after;
  bool has_dots = false;

  explicit Term(const std::string& text) : before(text) {
    const std::size_t dots = text.find("...");
    if (dots == text.npos) return;
    before = text.substr(0, dots);
    after = text.substr(dots + 3);
    has_dots = true;
  }

  std::string letters() const { return before + after; }
};

struct Subscripts {
  std::vector<Term> operands;
  Term result{""};

  explicit Subscripts(std::string_view subscripts) {
    std::string text;
    for (const char c : subscripts) {
      if (c != ' ') text += c;
    }
    const std::size_t arrow = text.find("->");
    bool good = arrow != text.npos;
    if (good) {
      for (std::size_t at = 0; at <= arrow;) {
        const std::size_t end = std::min(text.find(',', at), arrow);
        operands.emplace_back(text.substr(at, end - at));
        at = end + 1;
      }
      result = Term(text.substr(arrow + 2));
      good = is_well_formed();
    }
    require(good, "einsum", [&] {
      return "subscripts such as \"ij,jk->ik\" or \"...i,...i->...\" are needed, each letter at "
             "most "
             "once in one place, got \"" +
             std::string(subscripts) + "\"";
    });
  }

 private:
  bool is_well_formed() const {
    std::string named;
    bool has_dots = false;
    for (const Term& term : operands) {
      if (!is_list_of_letters(term.letters())) return false;
      named += term.letters();
      has_dots = has_dots || term.has_dots;
    }
    for (const char letter : result.letters()) {
      if (!has(named, letter)) return false;
    }
    return is_list_of_letters(result.letters()) && has_dots == result.has_dots;
  }
};

// Names for axes that "..." stands for, the last one first, which no letter of a user can be.
std::string dotted_axes(std::size_t count) {
  std::string names;
  for (std::size_t k = count; k > 0; --k) names += static_cast<char>(k);
  return names;
}

// The operands with a name for each axis, axes of "..." that are only stretched left out; and the
// names of the result.
template <class T>
struct NamedOperands {
  std::vector<Named<T>> list;
  std::string result;

  NamedOperands(std::string_view text, std::span<const Var<T>> operands) {
    const Subscripts subscripts(text);
    bool fits = subscripts.operands.size() == operands.size();
    std::size_t most = 0;
    for (std::size_t i = 0; fits && i < operands.size(); ++i) {
      const Term& term = subscripts.operands[i];
      const std::size_t rank = operands[i].tape().node(operands[i], "einsum").shape.rank;
      const std::size_t named = term.letters().size();
      fits = term.has_dots ? rank >= named : rank == named;
      if (!fits) break;
      most = std::max(most, rank - named);
      list.push_back({term.before + dotted_axes(rank - named) + term.after, operands[i]});
    }
    fits = fits && drop_stretched_axes();
    require(fits, "einsum", [&] {
      std::string shapes;
      for (const Var<T>& operand : operands)
        shapes += (shapes.empty() ? "" : ", ") + to_string(operand.shape());
      return "\"" + std::string(text) + "\" does not fit shapes " + shapes;
    });
    result = subscripts.result.before + dotted_axes(most) + subscripts.result.after;
  }

 private:
  // The size of an axis is that of all operands that name it.
  Index size_of(char name) const {
    Index size = 1;
    for (const Named<T>& operand : list) {
      if (has(operand.letters, name) && size == 1) size = operand.size(name);
    }
    return size;
  }

  // False if sizes do not fit.
  bool drop_stretched_axes() {
    for (std::size_t i = 0; i < list.size(); ++i) {
      std::string kept;
      Shape shape;
      for (const char name : list[i].letters) {
        const Index whole = size_of(name);
        const Index size = list[i].size(name);
        const bool is_dotted = std::isalpha(static_cast<unsigned char>(name)) == 0;
        if (size != whole && !(is_dotted && size == 1)) return false;
        if (size != whole) continue;
        kept += name;
        shape = with_last(shape, size);
      }
      if (kept.size() < list[i].letters.size()) list[i] = {kept, reshape(list[i].var, shape)};
    }
    return true;
  }
};

}  // namespace

template <class T>
Var<T> einsum(std::string_view subscripts, std::span<const Var<T>> operands) {
  const NamedOperands<T> named(subscripts, operands);
  Named<T> product = named.list.front();
  for (std::size_t i = 1; i < named.list.size(); ++i) {
    const Named<T>& next = named.list[i];
    std::string needed = named.result;
    for (std::size_t j = i + 1; j < named.list.size(); ++j) needed += named.list[j].letters;
    product = contract(product, next, needed);
  }
  product.sum_all_but("", named.result);
  product.arrange(named.result);
  return product.var;
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
  Named<T> product = contract<T>({letters_a, a}, {letters_b, b}, result);
  product.arrange(result);
  return product.var;
}

#define FJORD_INSTANTIATE(T)                                         \
  template Var<T> einsum(std::string_view, std::span<const Var<T>>); \
  template Var<T> dot(const Var<T>&, const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
