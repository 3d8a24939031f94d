/// Matrix products on raw column-major memory.
#pragma once

#include "fjord/autodiff/shape.hpp"

namespace fjord::kernels {

/// A matrix operand as it is in memory, column-major with `rows` entries a column, or its
/// transpose.
template <class T>
struct MatrixOperand {
  const T* data;
  Index rows;               ///< rows of the matrix in memory, which is also its leading dimension
  bool transposed = false;  ///< whether the product takes the transpose of the matrix in memory
};

/// What a product is added to.
enum class Start {
  zero,     ///< c = a b
  present,  ///< c += a b
};

/// The sizes of a product of a [m, k] and b [k, n], after any transposes.
struct ProductSizes {
  Index m;
  Index n;
  Index k;
};

/// The product of a and b, after any transposes, into c [m, n] with leading dimension m.
///
/// Note:    c overlaps neither operand. Runs on the calling thread alone. Narrow matrices, such as
///          the layers of small networks over a long batch, run through kernels of Fjord's own,
///          others through the BLAS. With Start::zero no entry of c is -0, not even one that
///          underflowed: -0 is the mark of simd::masked_zero.
template <class T>
void multiply(const ProductSizes& sizes, const MatrixOperand<T>& a, const MatrixOperand<T>& b, T* c,
              Start start);

/// As above, every column j of c starting from the number columns[j].
template <class T>
void multiply(const ProductSizes& sizes, const MatrixOperand<T>& a, const MatrixOperand<T>& b, T* c,
              const T* columns);

}  // namespace fjord::kernels
