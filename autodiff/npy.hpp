/// numpy's .npy files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "fjord/autodiff/tensor.hpp"

namespace fjord {

/// Reads a .npy file of little-endian float32 or float64, in C or Fortran order, and converts it to
/// T.
///
/// Shapes:  any, scalars and empty arrays included.
/// Errors:  std::invalid_argument "[load_npy] path: ..." if it is anything else or not whole;
///          "[read] path: ..." if it cannot be read.
/// Source:  numpy.lib.format, format versions 1.0 to 3.0.
template <class T>
Tensor<T> load_npy(const std::string& path);

/// Writes a .npy file in C order and the precision of T, format version 1.0; see write_file().
///
/// Errors:  std::system_error if writing fails.
template <class T>
void save_npy(const std::string& path, const TensorView<T>& tensor);

template <class T>
void save_npy(const std::string& path, const Tensor<T>& tensor) {
  save_npy<T>(path, TensorView<T>(tensor));
}

/// What the header of a .npy file says of its data.
struct NpyLayout {
  Shape shape;
  Order order = Order::c;
  bool is_double = false;  ///< float64, or else float32
  std::size_t begin = 0;   ///< of the data, in bytes from that of the file
};

/// Reads the header of a file whose bytes are all there; errors as load_npy().
NpyLayout npy_layout(std::string_view bytes, const std::string& name);

/// As load_npy(), from the bytes of the file; `name` names it in errors.
template <class T>
Tensor<T> parse_npy(std::string_view bytes, const std::string& name);

/// The header of a file in C order and little-endian float64 or float32, as save_npy() writes it; a
/// multiple of 64 bytes, the same for all sizes of one rank up to 2.
std::string npy_header(const Shape& shape, bool is_double);

/// Why an array of this shape is not a table [rows, columns], and how to make one of it.
std::string table_shape_message(const Shape& shape);

/// The bytes that save_npy() writes.
template <class T>
std::string format_npy(const TensorView<T>& tensor);

}  // namespace fjord
