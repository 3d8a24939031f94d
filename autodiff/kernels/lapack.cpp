#include "fjord/autodiff/kernels/lapack.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include <cblas.h>

// The Fortran interface: Debian's OpenBLAS brings no header for it.
#define FJORD_LAPACK(T, p)                                                                       \
  void p##getrf_(const int* m, const int* n, T* a, const int* lda, int* pivots, int* info);      \
  void p##getrs_(const char* trans, const int* n, const int* nrhs, const T* a, const int* lda,   \
                 const int* pivots, T* b, const int* ldb, int* info);                            \
  void p##gecon_(const char* norm, const int* n, const T* a, const int* lda, const T* anorm,     \
                 T* rcond, T* work, int* iwork, int* info);                                      \
  void p##potrf_(const char* uplo, const int* n, T* a, const int* lda, int* info);               \
  void p##geqrf_(const int* m, const int* n, T* a, const int* lda, T* tau, T* work,              \
                 const int* lwork, int* info);                                                   \
  void p##orgqr_(const int* m, const int* n, const int* k, T* a, const int* lda, const T* tau,   \
                 T* work, const int* lwork, int* info);                                          \
  void p##syevd_(const char* jobz, const char* uplo, const int* n, T* a, const int* lda, T* w,   \
                 T* work, const int* lwork, int* iwork, const int* liwork, int* info);           \
  void p##gesdd_(const char* jobz, const int* m, const int* n, T* a, const int* lda, T* s, T* u, \
                 const int* ldu, T* vt, const int* ldvt, T* work, const int* lwork, int* iwork,  \
                 int* info);
extern "C" {
FJORD_LAPACK(float, s)
FJORD_LAPACK(double, d)
}
#undef FJORD_LAPACK

namespace fjord::kernels::lapack {
namespace {

template <class T>
constexpr bool is_float = std::is_same_v<T, float>;

// Calls the single or the double form of a routine.
#define FJORD_CALL(routine, ...) \
  if constexpr (is_float<T>) {   \
    s##routine##_(__VA_ARGS__);  \
  } else {                       \
    d##routine##_(__VA_ARGS__);  \
  }

int as_int(Index n) {
  return static_cast<int>(n);
}

// LAPACK wants leading dimensions of at least 1, also for empty matrices.
int leading(Index rows) {
  return std::max(1, as_int(rows));
}

// Calls a routine twice: for the size of its workspace, and with it.
template <class T, class Call>
void with_workspace(Call call) {
  T size = 0;
  call(&size, -1);
  // A large size may have been rounded down to the scalar's digits.
  size = std::nextafter(size, std::numeric_limits<T>::infinity());
  std::vector<T> work(static_cast<std::size_t>(size) + 1);
  call(work.data(), static_cast<int>(work.size()));
}

}  // namespace

template <class T>
int factor_lu(Index n, T* a, int* pivots) {
  const int order = as_int(n);
  const int lda = leading(n);
  int info = 0;
  FJORD_CALL(getrf, &order, &order, a, &lda, pivots, &info)
  return info;
}

template <class T>
void solve_lu(bool transposed, Index n, Index columns, const T* lu, const int* pivots, T* b) {
  const int order = as_int(n);
  const int width = as_int(columns);
  const int lda = leading(n);
  int info = 0;
  FJORD_CALL(getrs, transposed ? "T" : "N", &order, &width, lu, &lda, pivots, b, &lda, &info)
}

template <class T>
T reciprocal_condition(Index n, const T* lu, T norm) {
  const int order = as_int(n);
  const int lda = leading(n);
  std::vector<T> work(4 * static_cast<std::size_t>(n) + 1);
  std::vector<int> integers(static_cast<std::size_t>(n) + 1);
  T result = 0;
  int info = 0;
  FJORD_CALL(gecon, "1", &order, lu, &lda, &norm, &result, work.data(), integers.data(), &info)
  return result;
}

template <class T>
int factor_cholesky(Index n, T* a) {
  const int order = as_int(n);
  const int lda = leading(n);
  int info = 0;
  FJORD_CALL(potrf, "L", &order, a, &lda, &info)
  return info;
}

template <class T>
void solve_triangular(const TriangleFlags& flags, Index rows, Index columns, const T* a, T* b) {
  const CBLAS_SIDE side = flags.right ? CblasRight : CblasLeft;
  const CBLAS_UPLO part = flags.lower ? CblasLower : CblasUpper;
  const CBLAS_TRANSPOSE form = flags.transposed ? CblasTrans : CblasNoTrans;
  const CBLAS_DIAG diagonal = flags.unit ? CblasUnit : CblasNonUnit;
  const int lda = leading(flags.right ? columns : rows);
  if constexpr (is_float<T>) {
    cblas_strsm(CblasColMajor, side, part, form, diagonal, as_int(rows), as_int(columns), 1.0F, a,
                lda, b, leading(rows));
  } else {
    cblas_dtrsm(CblasColMajor, side, part, form, diagonal, as_int(rows), as_int(columns), 1.0, a,
                lda, b, leading(rows));
  }
}

template <class T>
void factor_qr(Index m, Index n, T* a, T* r) {
  const int rows = as_int(m);
  const int columns = as_int(n);
  const int lda = leading(m);
  int info = 0;
  std::vector<T> tau(static_cast<std::size_t>(n) + 1);
  with_workspace<T>([&](T* work, int size) {
    FJORD_CALL(geqrf, &rows, &columns, a, &lda, tau.data(), work, &size, &info)
  });
  for (Index j = 0; j < n; ++j) {
    std::copy_n(a + j * m, j + 1, r + j * n);
    std::fill(r + j * n + j + 1, r + (j + 1) * n, T(0));
  }
  with_workspace<T>([&](T* work, int size) {
    FJORD_CALL(orgqr, &rows, &columns, &columns, a, &lda, tau.data(), work, &size, &info)
  });
  for (Index i = 0; i < n; ++i) {
    if (!(r[i * n + i] < 0)) continue;
    for (Index j = i; j < n; ++j) r[j * n + i] = -r[j * n + i];
    for (Index k = 0; k < m; ++k) a[i * m + k] = -a[i * m + k];
  }
}

template <class T>
int eigen_symmetric(Index n, T* a, T* values) {
  const int order = as_int(n);
  const int lda = leading(n);
  int info = 0;
  std::vector<int> integers(3 + 5 * static_cast<std::size_t>(n));
  const int count = as_int(static_cast<Index>(integers.size()));
  with_workspace<T>([&](T* work, int size) {
    FJORD_CALL(syevd, "V", "L", &order, a, &lda, values, work, &size, integers.data(), &count,
               &info)
  });
  return info;
}

template <class T>
int singular_values(Index m, Index n, T* a, T* u, T* s, T* vt) {
  const int rows = as_int(m);
  const int columns = as_int(n);
  const int lda = leading(m);
  const int ldvt = leading(std::min(m, n));
  int info = 0;
  std::vector<int> integers(8 * static_cast<std::size_t>(std::min(m, n)) + 1);
  with_workspace<T>([&](T* work, int size) {
    FJORD_CALL(gesdd, "S", &rows, &columns, a, &lda, s, u, &lda, vt, &ldvt, work, &size,
               integers.data(), &info)
  });
  return info;
}

#undef FJORD_CALL

#define FJORD_INSTANTIATE(T)                                                        \
  template int factor_lu(Index, T*, int*);                                          \
  template void solve_lu(bool, Index, Index, const T*, const int*, T*);             \
  template T reciprocal_condition(Index, const T*, T);                              \
  template int factor_cholesky(Index, T*);                                          \
  template void solve_triangular(const TriangleFlags&, Index, Index, const T*, T*); \
  template void factor_qr(Index, Index, T*, T*);                                    \
  template int eigen_symmetric(Index, T*, T*);                                      \
  template int singular_values(Index, Index, T*, T*, T*, T*);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::kernels::lapack
