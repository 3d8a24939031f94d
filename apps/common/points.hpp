/// Tables of numbers in .npy and .csv files.
#pragma once

#include <string>

#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/tensor.hpp"

namespace fjord::apps {

/// Reads a .npy file of float32 or float64, or else text with one row a line: fields parted by
/// commas, # comments, empty lines skipped, and a header if no field of the first line is a number.
///
/// Shapes:  [rows, columns], at least one of each.
/// Errors:  std::invalid_argument for any other shape and for what is no finite number, with its
/// line (.csv) or row (.npy) and column, all counted from 1.
Tensor<double> load_points(const std::string& file);

/// The points in the precision T.
///
/// Errors:  std::invalid_argument through `check` for a number beyond those of T, with row and
///          column, counted from 1.
template <class T>
Tensor<T> points_as(const Tensor<double>& points, const FileCheck& check);

/// Writes a .csv file if the name ends so, with as many digits as read back to the same numbers, or
/// else a .npy file in the precision of T.
///
/// Shapes:  [rows, columns] or [rows].
/// Errors:  std::system_error if writing fails; see write_file().
template <class T>
void save_points(const std::string& file, const Tensor<T>& points);

}  // namespace fjord::apps
