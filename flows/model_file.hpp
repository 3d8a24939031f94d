/// Models as files: a tree of parts next to the tensors of its parameters.
#pragma once

#include "fjord/flows/distribution.hpp"
#include "fjord/flows/ffjord.hpp"
#include "fjord/flows/types.hpp"
#include "fjord/nn/safetensors.hpp"

namespace fjord::flows {

/// The names of a table's columns that a model is about; either may be missing.
struct ColumnNames {
  std::vector<std::string> columns;  ///< of the rows, one for each number
  std::vector<std::string> given;    ///< of what is known of the rows
};

/// Writes a model with all its parts, settings and parameters.
///
/// Errors:  std::invalid_argument, and no file, if load_model() with the same types could not read
///          it: a part of a type that is not among them, a parameter that is not finite, names that
///          are not as many as the numbers of a row; std::system_error if writing fails.
template <class T>
void save(Distribution<T>& model, const std::string& path, const ColumnNames& names = {},
          const nn::PartTypes<T>& types = all_types<T>());

/// Reads a model, in the precision T whatever that of the file.
///
/// Errors:  std::invalid_argument if the file is not a model of Fjord or of a newer version, its
///          tree has an unknown type, an unknown or missing setting or one out of its range, or a
///          tensor is missing, unknown, of the wrong shape or not finite in T.
template <class T>
std::unique_ptr<Distribution<T>> load_model(const std::string& path,
                                            const SolverSettings& solver = {},
                                            const nn::PartTypes<T>& types = all_types<T>());

/// The contents of the file that save() writes.
///
/// Errors:  as save.
/// Source:  the schema "fjord-flow", version 2: docs/model-file.md.
template <class T>
nn::State state_of(Distribution<T>& model, const ColumnNames& names = {},
                   const nn::PartTypes<T>& types = all_types<T>());

/// The model of a file's contents.
///
/// Errors:  as load_model.
template <class T>
std::unique_ptr<Distribution<T>> model_of(const nn::State& state, const SolverSettings& solver = {},
                                          const nn::PartTypes<T>& types = all_types<T>());

/// The names of columns in a file's contents.
///
/// Errors:  std::invalid_argument as load_model, for what is outside the tree.
ColumnNames column_names_of(const nn::State& state);

/// Copies the parameters from a state's tensors, which have their paths as names.
///
/// Errors:  std::invalid_argument if one is missing, of another shape or not finite, if a tensor
///          belongs to no parameter, or while a tape holds one; none is changed then.
template <class T>
void load_parameters(nn::Part<T>& model, const nn::State& state);

/// G, the numbers that a part needs to know of each row; 0 if none.
///
/// Errors:  std::invalid_argument if parts of it need different numbers.
Index given_width(const nn::Config& config);

}  // namespace fjord::flows
