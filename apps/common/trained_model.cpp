#include "fjord/apps/common/trained_model.hpp"

#include <algorithm>
#include <stdexcept>

#include "fjord/apps/common/message.hpp"
#include "fjord/autodiff/errors.hpp"

namespace fjord::apps {
namespace {

// What a model file gives, its errors with the option and the file's name.
template <class Get>
auto from_model(const std::string& file, Get get) {
  try {
    return get();
  } catch (const std::invalid_argument& error) {
    fail("--model", file + ": " + plain_message(error.what()));
  }
}

}  // namespace

nn::State load_model_state(const std::string& file) {
  nn::State state = nn::load_safetensors(file);
  const auto format = state.metadata.find("format");
  require(format == state.metadata.end() || format->second != "fjord-checkpoint", "--model", [&] {
    return file + ": this is the checkpoint of a run; name the run's model.safetensors";
  });
  return state;
}

flows::ColumnNames model_columns(const std::string& file, const nn::State& state) {
  return from_model(file, [&] { return flows::column_names_of(state); });
}

template <class T>
std::unique_ptr<flows::Distribution<T>> model_in(const std::string& file, const nn::State& state,
                                                 const flows::SolverSettings& numerics) {
  return from_model(file, [&] { return flows::model_of<T>(state, numerics); });
}

std::vector<Index> places_of(std::span<const std::string> columns,
                             std::span<const std::string> names, const std::string& file) {
  std::vector<Index> places;
  for (const std::string& column : columns) {
    const auto found = std::ranges::find(names, column);
    require(found != names.end(), "--data", [&] {
      return file + " has no column " + shown(column) + ", which the model needs; add it";
    });
    require(std::ranges::count(names, column) == 1, "--data",
            [&] { return file + " has two columns " + shown(column) + "; rename one of them"; });
    places.push_back(found - names.begin());
  }
  return places;
}

template std::unique_ptr<flows::Distribution<float>> model_in(const std::string&, const nn::State&,
                                                              const flows::SolverSettings&);
template std::unique_ptr<flows::Distribution<double>> model_in(const std::string&, const nn::State&,
                                                               const flows::SolverSettings&);

}  // namespace fjord::apps
