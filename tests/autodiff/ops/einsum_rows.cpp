#include <map>

#include "fjord/autodiff/ops/einsum.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

struct Operand {
  std::string letters;
  Tensor<double> tensor;
};

// The definition: every letter runs through its axis, whether the result names it or not.
Tensor<double> by_loops(const std::vector<Operand>& operands, const std::string& result) {
  std::map<char, Index> sizes;
  for (const auto& [letters, tensor] : operands) {
    for (std::size_t k = 0; k < letters.size(); ++k) sizes[letters[k]] = tensor.shape()[k];
  }
  std::map<char, Index> at;
  Index steps = 1;
  for (const auto& [letter, size] : sizes) steps *= size;
  std::vector<Index> shape;
  for (const char letter : result) shape.push_back(sizes[letter]);
  Tensor<double> total = Tensor<double>::zeros(Shape(shape));
  // Places in column-major memory.
  const auto place = [&](const std::string& letters) {
    Index offset = 0;
    Index stride = 1;
    for (const char letter : letters) {
      offset += at[letter] * stride;
      stride *= sizes[letter];
    }
    return static_cast<std::size_t>(offset);
  };
  for (Index step = 0; step < steps; ++step) {
    Index rest = step;
    for (const auto& [letter, size] : sizes) {
      at[letter] = rest % size;
      rest /= size;
    }
    double product = 1;
    for (const auto& [letters, tensor] : operands) product *= tensor.storage()[place(letters)];
    total.storage()[place(result)] += product;
  }
  return total;
}

Row& add_einsum(Rows& rows, const std::string& a_letters, const Shape& a,
                const std::string& b_letters, const Shape& b, const std::string& result) {
  const std::string subscripts = a_letters + "," + b_letters + "->" + result;
  const Tensor<double> left = sample(a, 1);
  const Tensor<double> right = sample(b, 2);
  return rows.add("einsum", subscripts,
                  [subscripts](const auto& v) { return einsum(subscripts, v[0], v[1]); },
                  {left, right}, {by_loops({{a_letters, left}, {b_letters, right}}, result)});
}

// Of any number of operands, and with "...", whose meaning is given in letters.
Row& add_einsum(Rows& rows, const std::string& subscripts, const Tensors& operands,
                const Tensor<double>& expected) {
  return rows.add("einsum", subscripts,
                  [subscripts](const auto& v) { return einsum(subscripts, std::span(v)); },
                  operands, {expected});
}

void add_einsum_rows_of_many(Rows& rows) {
  const Tensor<double> a = sample({2, 3}, 5);
  const Tensor<double> b = sample({3, 4}, 6);
  const Tensor<double> c = sample({4, 2}, 7);
  add_einsum(rows, "ij,jk,kl->il", {a, b, c}, by_loops({{"ij", a}, {"jk", b}, {"kl", c}}, "il"))
      .reject({a, b, b})
      .reject({a, b});
  add_einsum(rows, "ij,jk,ki->", {a, b, c}, by_loops({{"ij", a}, {"jk", b}, {"ki", c}}, ""));
  add_einsum(rows, "ij,ij,ij->ji", {a, a, a}, by_loops({{"ij", a}, {"ij", a}, {"ij", a}}, "ji"));
  add_einsum(rows, "i,j,k,i->kij", {Tensor<double>{1, 2}, {3, 4}, {5, 6, 7}, {8, 9}},
             by_loops({{"i", {1, 2}}, {"j", {3, 4}}, {"k", {5, 6, 7}}, {"i", {8, 9}}}, "kij"));
  add_einsum(rows, "ij->ji", {a}, by_loops({{"ij", a}}, "ji"));
  add_einsum(rows, "ij->i", {a}, by_loops({{"ij", a}}, "i"));
  const Tensor<double> batch = sample({2, 2, 3}, 8);
  add_einsum(rows, "...ij,jk->...ik", {batch, b}, by_loops({{"nij", batch}, {"jk", b}}, "nik"))
      .reject({Tensor<double>{1, 2, 3}, b});
  const Tensor<double> other = sample({2, 3, 2}, 9);
  add_einsum(rows, "i...,...j->ij...", {batch, other},
             by_loops({{"imn", batch}, {"mnj", other}}, "ijmn"));
  const Tensor<double> one = sample({1, 3}, 10);
  add_einsum(rows, "...i,...i->...", {batch, one},
             by_loops({{"mni", batch}, {"i", Tensor<double>::from({3}, one.to_vector())}}, "mn"))
      .reject({batch, sample({3, 3}, 1)});
  add_einsum(rows, "...,...->...", {one, Tensor<double>(2.0)},
             by_loops({{"ni", one}, {"", Tensor<double>(2.0)}}, "ni"));
}

}  // namespace

void add_einsum_rows(Rows& rows) {
  add_einsum(rows, "ij", {2, 3}, "jk", {3, 4}, "ik")
      .reject({sample({2, 3}, 1), sample({4, 3}, 1)})
      .reject({sample({2, 3}, 1), sample({3}, 1)});
  add_einsum(rows, "ij", {2, 3}, "jk", {3, 4}, "ki");
  add_einsum(rows, "nij", {3, 2, 4}, "njk", {3, 4, 2}, "nik");
  add_einsum(rows, "inj", {2, 3, 4}, "jkn", {4, 2, 3}, "kni");
  add_einsum(rows, "nd", {3, 2}, "kde", {2, 2, 3}, "nke");
  add_einsum(rows, "i", {3}, "i", {3}, "");
  add_einsum(rows, "i", {3}, "j", {2}, "ji");
  add_einsum(rows, "ij", {2, 3}, "ij", {2, 3}, "ij");
  add_einsum(rows, "ijk", {2, 3, 2}, "kl", {2, 3}, "l");
  add_einsum(rows, "ab", {2, 3}, "cd", {3, 2}, "da");
  add_einsum(rows, "abcd", {2, 2, 3, 2}, "dbea", {2, 2, 3, 2}, "bec");
  add_einsum(rows, "", {}, "ij", {2, 3}, "ij");
  add_einsum(rows, "ij", {2, 0}, "jk", {0, 3}, "ik");
  add_einsum_rows_of_many(rows);
  const auto f = [](const auto& v) { return dot(v[0], v[1]); };
  rows.add("dot", "vectors", f, {Tensor<double>{1, 2, 3}, Tensor<double>{4, -5, 6}},
           {Tensor<double>(12.0)})
      .reject({Tensor<double>{1, 2}, Tensor<double>{1, 2, 3}})
      .edge({Tensor<double>::zeros({0}), Tensor<double>::zeros({0})}, Tensor<double>(0.0), {});
  rows.add("dot", "matrices", f, {Tensor<double>{{1, 2}, {3, 4}}, Tensor<double>{{5, 6}, {7, 8}}},
           {Tensor<double>{{19, 22}, {43, 50}}});
  rows.add("dot", "scalar", f, {Tensor<double>(3.0), Tensor<double>{5, 6}},
           {Tensor<double>{15, 18}});
  const Tensor<double> a = sample({2, 2, 3}, 3);
  const Tensor<double> b = sample({2, 3, 2}, 4);
  rows.add("dot", "more axes", f, {a, b}, {by_loops({{"abc", a}, {"dce", b}}, "abde")});
  rows.add("dot", "matrix, vector", f, {a, Tensor<double>{1, -2, 0.5}},
           {by_loops({{"abc", a}, {"c", {1, -2, 0.5}}}, "ab")});
}

}  // namespace fjord::test
