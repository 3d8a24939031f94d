/// The command report: one HTML file with all that is known of a model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "fjord/apps/density/data.hpp"
#include "fjord/apps/density/look.hpp"
#include "fjord/apps/density/options.hpp"

namespace fjord::apps::density {

/// Writes a report on a model and the rows of a table: what the model is, what it and simpler ones
/// reach, coverage and the other tests, the picture, and the rows that are the most unusual. It
/// needs no other file. Where gnuplot is missing there is no picture, and a line says so.
///
/// Errors:  std::invalid_argument for the caller's mistakes; ode::SolveFailure,
///          std::range_error and std::system_error otherwise.
void report(const ReportOptions& options);

/// Writes options.out about some rows, which the report calls `title`, by a model's contents.
///
/// Errors:  as report(), without those of reading.
void write_report(const ApplyOptions& options, const nn::State& state, const LookRows& rows,
                  const std::string& title, Workers& workers);

/// Writes `file`, beside the model, about the test rows of a fit. A report that fails must not cost
/// a run: a line on standard error says why there is none.
void report_fit(const std::filesystem::path& file, const Data& data, const nn::State& state,
                std::uint64_t seed, Workers& workers);

}  // namespace fjord::apps::density
