#include "fjord/autodiff/ops/symmetric_function.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/blas.hpp"
#include "fjord/autodiff/kernels/divided_differences.hpp"
#include "fjord/autodiff/kernels/lapack.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/matrix.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

constexpr double lost = std::numeric_limits<double>::quiet_NaN();
constexpr const char* name = "symmetric_function";

// The decomposition of a batch of matrices, one after another, and the function of them.
struct Spectrum {
  MatrixBatch batch;
  const double* values;
  const double* vectors;
  const Derivatives* f;

  std::span<const double> values_of(Index k) const {
    return {values + k * batch.rows, static_cast<std::size_t>(batch.rows)};
  }

  const double* vectors_of(Index k) const { return vectors + k * batch.size(); }

  bool is_finite(Index k) const { return batch.rows == 0 || !std::isnan(values[k * batch.rows]); }
};

using Matrix = std::vector<double>;

// V^T X V, or V X V^T.
Matrix rotated(Index n, const double* v, const Matrix& x, bool back) {
  Matrix half(x.size());
  Matrix result(x.size());
  multiply<double>({n, n, n}, {v, n, !back}, {x.data(), n, false}, half.data(), Start::zero);
  multiply<double>({n, n, n}, {half.data(), n, false}, {v, n, back}, result.data(), Start::zero);
  return result;
}

// The sum over all orders of the directions E_1, ..., E_k of their product along a path of indices.
double product_along(const std::vector<Index>& path, Index n, const std::vector<Matrix>& directions,
                     std::vector<std::size_t>& order) {
  double total = 0;
  std::iota(order.begin(), order.end(), 0U);
  do {
    double product = 1;
    for (std::size_t j = 0; j < order.size(); ++j) {
      product *= directions[order[j]][static_cast<std::size_t>(path[j] + n * path[j + 1])];
    }
    total += product;
  } while (std::next_permutation(order.begin(), order.end()));
  return total;
}

// The derivative of order k in the directions E_1, ..., E_k, all in the basis of the vectors: entry
// (a, c) is the sum over i, ... of f[w_a, w_i, ..., w_c] E_1(a, i) ... E_k(..., c), over all orders
// of the directions.
Matrix derivative_in_basis(std::span<const double> values, const Derivatives& f,
                           const std::vector<Matrix>& directions) {
  const auto n = static_cast<Index>(values.size());
  const DividedDifferences differences(values, static_cast<int>(directions.size()), f);
  Matrix result(static_cast<std::size_t>(n * n), 0);
  std::vector<Index> path(directions.size() + 1, 0);
  std::vector<std::size_t> order(directions.size());
  while (n > 0) {
    result[static_cast<std::size_t>(path.front() + n * path.back())] +=
        differences(path) * product_along(path, n, directions, order);
    std::size_t at = 0;
    while (at < path.size() && ++path[at] == n) path[at++] = 0;
    if (at == path.size()) break;
  }
  return result;
}

bool is_masked(const Matrix& x) {
  return std::all_of(x.begin(), x.end(), [](double entry) { return simd::is_masked(entry); });
}

// Inputs A and the directions of a derivative; its order is their number, and the function itself
// has none. It is symmetric in the directions and, as the derivative of a trace, in its cotangent,
// too: so both rules are derivatives of the same kind. Matrices and directions are symmetric.
template <class T>
struct SymmetricFunction {
  static Var<T> of(const Var<T>& a, const char* op, const Derivatives& f) {
    const Var<T> whole = mirror_lower(a);
    return apply({whole}, keep_spectrum(whole, op, f));
  }

  static Var<T> apply(const Vars<T>& inputs, const Spectrum* spectrum) {
    Tape<T>& tape = inputs[0].tape();
    const NodeShape shape = tape.node(inputs[0].index()).shape;
    const auto [var, value] =
        append_operation<T>(tape, row, std::span<const Var<T>>(inputs), shape, spectrum);
    const MatrixBatch& batch = spectrum->batch;
    for (Index k = 0; k < batch.count; ++k) {
      std::vector<Matrix> directions;
      for (std::size_t i = 1; i < inputs.size(); ++i) {
        directions.push_back(load(tape.node(inputs[i].index()).value, batch, k));
      }
      store(derivative_of_one(*spectrum, k, directions), batch, k, value);
    }
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const auto* spectrum = &rule.template attributes<Spectrum>();
    const Vars<T> inputs = inputs_of(rule);
    const Var<T> g = scaled(rule.cotangent() + transposed(rule.cotangent()), T(0.5));
    for (std::uint32_t i = 0; i < inputs.size(); ++i) {
      if (!rule.wants(i)) continue;
      Vars<T> moved = inputs;
      if (i == 0) {
        moved.push_back(g);
      } else {
        moved[i] = g;
      }
      rule.add(i, apply(moved, spectrum));
    }
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const auto* spectrum = &rule.template attributes<Spectrum>();
    const Vars<T> inputs = inputs_of(rule);
    Var<T> tangent;
    for (std::uint32_t i = 0; i < inputs.size(); ++i) {
      if (rule.tangent(i).is_empty()) continue;
      Vars<T> moved = inputs;
      if (i == 0) {
        moved.push_back(rule.tangent(i));
      } else {
        moved[i] = rule.tangent(i);
      }
      const Var<T> part = apply(moved, spectrum);
      tangent = sum_of(tangent, part);
    }
    rule.set(tangent);
    return true;
  }

  static constexpr Operation<T> row{name, pullback, pushforward};

  // The decomposition of every matrix, in double precision.
  static const Spectrum* keep_spectrum(const Var<T>& a, const char* op, const Derivatives& f) {
    Tape<T>& tape = a.tape();
    const Node<T> in = tape.node(a.index());
    const MatrixBatch batch = matrices_of(in.shape);
    const Index n = batch.rows;
    auto* values = tape.template new_records<double>(static_cast<std::size_t>(batch.count * n));
    auto* vectors =
        tape.template new_records<double>(static_cast<std::size_t>(batch.count * batch.size()));
    for (Index k = 0; k < batch.count; ++k) {
      const Matrix matrix = load(in.value, batch, k);
      double* w = values + k * n;
      double* v = std::copy(matrix.begin(), matrix.end(), vectors + k * n * n) - n * n;
      if (!has_only_finite(v, n * n)) {
        std::fill_n(w, n, lost);
      } else if (n > 0 && lapack::eigen_symmetric(n, v, w) != 0) {
        fail_for_matrix(op, k, batch.count, "one whose decomposition does not converge");
      }
      const auto share =
          4 * static_cast<double>(n) * static_cast<double>(std::numeric_limits<T>::epsilon());
      double largest = 0;
      for (Index i = 0; i < n; ++i) largest = std::max(largest, std::abs(w[i]));
      std::replace_if(
          w, w + n, [=](double x) { return std::abs(x) <= share * largest; }, 0.0);
    }
    return tape.keep(Spectrum{batch, values, vectors, &f});
  }

 private:
  static Vars<T> inputs_of(const RecordedRule<T>& rule) {
    Vars<T> inputs;
    for (std::uint32_t i = 0; i < rule.input_count(); ++i) inputs.push_back(rule.input(i));
    return inputs;
  }

  // A masked direction gives masked zeros, also where the function has no derivative.
  static Matrix derivative_of_one(const Spectrum& spectrum, Index k,
                                  const std::vector<Matrix>& directions) {
    const auto size = static_cast<std::size_t>(spectrum.batch.size());
    if (std::any_of(directions.begin(), directions.end(), is_masked))
      return Matrix(size, simd::masked_zero<double>);
    if (!spectrum.is_finite(k)) return Matrix(size, lost);
    const Index n = spectrum.batch.rows;
    const double* v = spectrum.vectors_of(k);
    std::vector<Matrix> in_basis;
    in_basis.reserve(directions.size());
    for (const Matrix& direction : directions) in_basis.push_back(rotated(n, v, direction, false));
    Matrix result =
        rotated(n, v, derivative_in_basis(spectrum.values_of(k), *spectrum.f, in_basis), true);
    for (double& entry : result) entry = simd::computed(entry);
    return result;
  }

  static Matrix load(const T* numbers, const MatrixBatch& batch, Index k) {
    Matrix matrix(static_cast<std::size_t>(batch.size()));
    for (Index i = 0; i < batch.size(); ++i) {
      matrix[static_cast<std::size_t>(i)] = static_cast<double>(numbers[k + batch.count * i]);
    }
    return matrix;
  }

  static void store(const Matrix& matrix, const MatrixBatch& batch, Index k, T* numbers) {
    for (Index i = 0; i < batch.size(); ++i) {
      numbers[k + batch.count * i] = static_cast<T>(matrix[static_cast<std::size_t>(i)]);
    }
  }
};

// Derivatives of any order.
double root_derivative(int order, double x) {
  double factor = 1;
  for (int k = 0; k < order; ++k) factor *= 0.5 - k;
  return factor * std::pow(x, 0.5 - order);
}

double log_derivative(int order, double x) {
  if (order == 0) return std::log(x);
  return x < 0 ? lost : (order % 2 == 1 ? 1 : -1) * std::tgamma(order) * std::pow(x, -order);
}

double exp_derivative(int, double x) {
  return std::exp(x);
}

Derivatives derivatives_of(double (*derivative)(int order, double x)) {
  return [=](int order, std::span<const double> points, std::span<double> values) {
    std::transform(points.begin(), points.end(), values.begin(),
                   [=](double x) { return derivative(order, x); });
  };
}

// By sweeps over a tape of its own, on which no other variable is known.
template <class T>
Derivatives derivatives_of(const ElementwiseFunction<T>& f) {
  return [f](int order, std::span<const double> points, std::span<double> values) {
    Tape<T> tape;
    Tensor<T> numbers = Tensor<T>::zeros({static_cast<Index>(points.size())});
    std::transform(points.begin(), points.end(), numbers.data(),
                   [](double x) { return static_cast<T>(x); });
    const Var<T> y = derivative(
        [&](const Var<T>& x) {
          const Var<T> result = f(x);
          require(tape.node(result, name).shape == tape.node(x.index()).shape, name,
                  "f must give a number for each that it takes");
          return result;
        },
        tape.input(numbers), order);
    const T* found = tape.node(y.index()).value;
    std::transform(found, found + points.size(), values.begin(),
                   [](T x) { return static_cast<double>(x); });
  };
}

template <class T>
Var<T> of_symmetric(const Var<T>& a, const char* op, const Derivatives& f) {
  square_matrices(a, op);
  const auto kept = std::make_shared<const Derivatives>(f);
  a.tape().own(kept);
  return SymmetricFunction<T>::of(a, op, *kept);
}

}  // namespace

template <class T>
Var<T> symmetric_sqrt(const Var<T>& a) {
  return of_symmetric(a, "symmetric_sqrt", derivatives_of(root_derivative));
}

template <class T>
Var<T> symmetric_log(const Var<T>& a) {
  return of_symmetric(a, "symmetric_log", derivatives_of(log_derivative));
}

template <class T>
Var<T> symmetric_exp(const Var<T>& a) {
  return of_symmetric(a, "symmetric_exp", derivatives_of(exp_derivative));
}

template <class T>
Var<T> symmetric_function(const Var<T>& a, const std::type_identity_t<ElementwiseFunction<T>>& f) {
  return of_symmetric(a, name, derivatives_of<T>(f));
}

#define FJORD_INSTANTIATE(T)                        \
  template Var<T> symmetric_sqrt(const Var<T>&);    \
  template Var<T> symmetric_log(const Var<T>&);     \
  template Var<T> symmetric_exp(const Var<T>&);     \
  template Var<T> symmetric_function(const Var<T>&, \
                                     const std::type_identity_t<ElementwiseFunction<T>>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
