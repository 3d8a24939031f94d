/// A fitted model beside rows of data: what check, plot and report show.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fjord/apps/density/calibration.hpp"
#include "fjord/apps/density/energy.hpp"
#include "fjord/apps/density/options.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/tensor.hpp"
#include "fjord/autodiff/workers.hpp"
#include "fjord/nn/safetensors.hpp"

namespace fjord::apps::density {

/// A model's log-densities and samples as numbers of double, whatever the precision it computes in.
class LookedAt {
 public:
  virtual ~LookedAt() = default;

  /// Shapes:  values [N, D], given [N, G] or without numbers -> [N].
  virtual std::vector<double> log_prob(const Tensor<double>& values,
                                       const Tensor<double>& given) = 0;
  /// Shapes:  given [count, G] or without numbers -> [count, D].
  virtual Tensor<double> sample(Index count, const RandomKey& random,
                                const Tensor<double>& given) = 0;
  virtual Index dim() const = 0;          ///< D
  virtual Index given_width() const = 0;  ///< G

 protected:
  LookedAt() = default;
  LookedAt(const LookedAt&) = delete;
  LookedAt& operator=(const LookedAt&) = delete;
};

/// The model in a file's contents, with the numerics of the options.
///
/// Errors:  std::invalid_argument "[--model] ..." if there is none.
/// Note:    It refers to the workers, which must outlive it.
std::unique_ptr<LookedAt> looked_at(const nn::State& state, const ApplyOptions& options,
                                    Workers& workers);

/// Rows of a table in a model's columns.
struct LookRows {
  std::vector<std::string> names;  ///< of the columns, and then of what is given; or none
  Tensor<double> values;           ///< [N, D]
  Tensor<double> given;            ///< [N, G], or without numbers
  std::vector<Index> numbers;      ///< of the rows in their table, from 1; none: 1, 2, ...
};

/// Reads the options' table.
///
/// Errors:  as load_model_rows().
LookRows load_look_rows(const ApplyOptions& options, const nn::State& state, const LookedAt& model);

/// What a model says of rows, and rows that it draws.
struct Look {
  std::vector<std::string> names;     ///< of the columns that follow, one for each
  Index dim = 0;                      ///< the first columns are the model's, others are given
  Tensor<double> rows;                ///< [N, D + G]; N = 0 without data
  std::vector<Index> numbers;         ///< of the rows in their table, from 1
  Tensor<double> samples;             ///< [S, D + G]
  Index samples_a_row = 0;            ///< S / N for a conditional model, row by row; 0 otherwise
  std::vector<double> log_densities;  ///< of the rows
  std::vector<double> levels;         ///< of the rows
};

/// Draws samples from the model and compares the rows' log-densities with theirs. A conditional
/// model draws samples for every row, of at most 1,000 rows, chosen at random.
///
/// Shapes:  rows without numbers for samples only.
/// Errors:  std::range_error if a row has no log-density, or a sample is not finite;
///          std::invalid_argument "[--data] ..." for a conditional model without rows.
Look look_at(LookedAt& model, const LookRows& rows, const RandomKey& random);

/// The probability integral transform of one column: the share of the model's mass above the value
/// of a row, given the row's known columns. If the model is right, it is uniform.
struct ColumnCalibration {
  std::string name;
  Uniformity uniformity;
};

/// Whether the rows are distributed as the model says.
struct Judgement {
  std::vector<Coverage> coverages;
  Uniformity uniformity;  ///< of the levels
  std::vector<ColumnCalibration> columns;
  TwoSample two_sample;
  Index compared = 0;  ///< rows of data in the test of two samples, and as many samples
};

/// Judges a look with data; the test of two samples is on at most 1,000 rows, chosen at random. A
/// number of a column with steps stands for all within half a step, and its transform is a random
/// one of theirs.
///
/// Errors:  as energy_test().
/// Source:  Czado, Gneiting & Held, Predictive model assessment for count data, Biometrics 65, 2009
///          (the randomised transform).
Judgement judge(const Look& look, const RandomKey& random, Workers& workers);

/// The key of all random numbers of a look.
RandomKey look_key(std::uint64_t seed);

}  // namespace fjord::apps::density
