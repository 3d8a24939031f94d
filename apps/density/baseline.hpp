/// Simple densities of rows, next to which a flow shows what it is worth.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/tensor.hpp"
#include "fjord/autodiff/workers.hpp"

namespace fjord::apps::density {

/// Rows [N, D] and the weight of each, > 0.
///
/// Densities are those of the columns after the first `given`, given these.
struct WeightedRows {
  Tensor<double> values;
  std::vector<double> weights;
  Index given = 0;
};

/// Whether a search is to end with what it has found so far; threads of workers ask it, too.
using Stop = std::function<bool()>;

/// A fitted density.
class Baseline {
 public:
  Baseline() = default;
  Baseline(const Baseline&) = delete;
  Baseline& operator=(const Baseline&) = delete;
  virtual ~Baseline() = default;

  /// The log-density of rows [N, D], in nats: [N]; as WeightedRows says of the rows that the model
  /// was fitted to.
  virtual Tensor<double> log_density(const Tensor<double>& rows, Workers& workers) const = 0;
};

/// The mean over the rows, with their weights, of a log-density.
double mean_log_density(const Baseline& model, const WeightedRows& rows, Workers& workers);

/// The normal distribution with the rows' mean and covariance, to whose diagonal 1e-6 is added.
///
/// Errors:  std::invalid_argument if there is no row.
std::unique_ptr<Baseline> fit_gaussian(const WeightedRows& rows);

/// Normal distributions N(mean, L L^T) and their shares.
struct NormalMixture {
  std::vector<std::vector<double>> means;    ///< D numbers each
  std::vector<std::vector<double>> factors;  ///< the lower triangles L, row by row
  std::vector<double> shares;                ///< their sum is 1
};

/// A mixture of normal distributions with full covariances.
struct MixtureFit {
  std::unique_ptr<Baseline> model;
  NormalMixture parts;
  Index components = 0;       ///< those that still have rows
  std::vector<double> curve;  ///< mean log-density of the rows that it is fitted to, each round
  std::vector<std::vector<double>> memberships;  ///< of each part, its part of each row's weight
};

/// A mixture of so many by expectation maximisation: from k_means(), until the mean log-density
/// grows by less than 1e-3, at most 100 rounds, with 1e-6 added to the diagonals of covariances. Of
/// several starts, 5 for up to 10,000 rows, fewer for more and one above 25,000, the one that
/// ends best. A stop ends the round and leaves out other starts.
///
/// Errors:  std::invalid_argument unless there are between 1 component and one for each row.
/// Source:  Dempster, Laird & Rubin, Maximum likelihood from incomplete data via the EM algorithm,
///          J. R. Stat. Soc. B 39, 1977.
MixtureFit fit_mixture(const WeightedRows& rows, Index components, const RandomKey& random,
                       Workers& workers, const Stop& stop);

/// The mixture with the number of components, 1 to 25, that is best on other rows; the search ends
/// after six numbers in a row that are not better, or by a stop.
MixtureFit choose_mixture(const WeightedRows& rows, const WeightedRows& validation,
                          const RandomKey& random, Workers& workers, const Stop& stop);

/// The better on other rows of choose_mixture() and of the mixture whose parts begin with such
/// memberships: those of a mixture of the same rows in other units, in which it may be easier to
/// find.
MixtureFit choose_mixture_from(std::vector<std::vector<double>> memberships,
                               const WeightedRows& rows, const WeightedRows& validation,
                               const RandomKey& random, Workers& workers, const Stop& stop);

/// The mean, with the rows' weights, of normal kernels N(row, width^2 I).
///
/// Source:  Silverman, Density estimation for statistics and data analysis, 1986, sec. 4.2.
std::unique_ptr<Baseline> kernel_density(const WeightedRows& rows, double width);

/// The rows, or as many of them, evenly spaced, as can have kernels where finding their width and
/// scoring so many other rows is to take so many seconds, as a few of the validation rows show.
///
/// Units:   seconds: infinite for all rows.
WeightedRows rows_for_kernels(const WeightedRows& rows, const WeightedRows& validation,
                              Index scored, double seconds, Workers& workers);

/// The width of kernels, between 0.02 and 2, that is best on a thousand rows: the first of the
/// others and, where these are fewer, those with kernels, each without its own. Few rows alone
/// would leave much to chance. Of 20 widths evenly spaced in the logarithm first, and then by the
/// golden section.
double choose_kernel_width(const WeightedRows& rows, const WeightedRows& validation,
                           Workers& workers);

}  // namespace fjord::apps::density
