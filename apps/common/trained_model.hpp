/// Files of trained models, and the columns of tables that they need.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fjord/flows/model_file.hpp"

namespace fjord::apps {

/// The contents of a model file.
///
/// Errors:  std::invalid_argument if the file cannot be read, or is the checkpoint of a run, which
///          is in the same format and the likely mistake.
nn::State load_model_state(const std::string& file);

/// The names of columns in a model file's contents.
///
/// Errors:  std::invalid_argument "[--model] file: ..." as flows::column_names_of().
flows::ColumnNames model_columns(const std::string& file, const nn::State& state);

/// The model in a file's contents.
///
/// Errors:  std::invalid_argument "[--model] file: ..." as flows::model_of().
template <class T>
std::unique_ptr<flows::Distribution<T>> model_in(const std::string& file, const nn::State& state,
                                                 const flows::SolverSettings& numerics);

/// The places of a model's columns among the names of a table's, counted from 0.
///
/// Errors:  std::invalid_argument "[--data] file ..." if one is missing, or is there twice.
std::vector<Index> places_of(std::span<const std::string> columns,
                             std::span<const std::string> names, const std::string& file);

}  // namespace fjord::apps
