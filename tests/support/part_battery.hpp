/// What every part of a model must satisfy: one row of a table proves a bijector or a distribution.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fjord/flows/distribution.hpp"

namespace fjord::test {

/// A bijector to be proved, with rows of its domain.
struct BijectorCase {
  std::string name;
  std::function<std::unique_ptr<flows::Bijector<double>>(const RandomKey&)> make;
  Tensor<double> x;           ///< [B, D], B > 1
  Tensor<double> given = {};  ///< [B, G], or a number for nothing
  double tolerance = 1e-9;    ///< of inverse, log-determinants and second derivatives
  /// Of the parameters' random changes: most parts begin as the identity, which hides mistakes.
  double disturbance = 0.3;
  /// Parameters with entries that log-densities do not depend on, such as masked weights.
  std::vector<std::string> idle = {};
};

/// Checks, with doctest: inverse and log-determinants (check_flow), a gradient in every parameter,
/// derivatives of the inverse's log-density by every route, rows that do not depend on their
/// company, float against double, and the round trip through the bytes of a model file.
void check_bijector(const BijectorCase& c);

/// A distribution to be proved, with rows of its support.
struct DistributionCase {
  std::string name;
  std::function<std::unique_ptr<flows::Distribution<double>>(const RandomKey&)> make;
  Tensor<double> x;           ///< [B, D], B > 1
  Tensor<double> given = {};  ///< [B, G], or a number for nothing
  double tolerance = 1e-9;    ///< of second derivatives
};

/// Checks, with doctest: derivatives of the log-density by every route (unless it has none: integer
/// rows), rows that do not depend on their company, samples that depend on their number only and
/// have the density that log_prob gives them, float against double, and the round trip through the
/// bytes of a model file.
void check_distribution(const DistributionCase& c);

/// What the rows so far have shown of a type of parts.
struct ProvedType {
  std::vector<std::string> settings;  ///< names
  std::vector<std::string> children;  ///< names
  std::vector<std::string> tensors;   ///< names of its own ones
  std::vector<std::string> rows;      ///< names of the rows that a part of it was in
};

/// By name of the type.
const std::map<std::string, ProvedType>& proved_types();

}  // namespace fjord::test
