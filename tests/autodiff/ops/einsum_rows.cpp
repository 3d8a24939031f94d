#include <map>

#include "fjord/autodiff/ops/einsum.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

// The definition: every letter runs through its axis, whether the result names it or not.
Tensor<double> by_loops(const std::string& a_letters, const Tensor<double>& a,
                        const std::string& b_letters, const Tensor<double>& b,
                        const std::string& result) {
  std::map<char, Index> sizes;
  for (std::size_t k = 0; k < a_letters.size(); ++k) sizes[a_letters[k]] = a.shape()[k];
  for (std::size_t k = 0; k < b_letters.size(); ++k) sizes[b_letters[k]] = b.shape()[k];
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
    total.storage()[place(result)] += a.storage()[place(a_letters)] * b.storage()[place(b_letters)];
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
                  {left, right}, {by_loops(a_letters, left, b_letters, right, result)});
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
  rows.add("dot", "more axes", f, {a, b}, {by_loops("abc", a, "dce", b, "abde")});
  rows.add("dot", "matrix, vector", f, {a, Tensor<double>{1, -2, 0.5}},
           {by_loops("abc", a, "c", Tensor<double>{1, -2, 0.5}, "ab")});
}

}  // namespace fjord::test
