#include "fjord/apps/density/check.hpp"

#include <array>
#include <cstdio>

#include "fjord/apps/common/cores.hpp"
#include "fjord/apps/common/message.hpp"
#include "fjord/apps/common/trained_model.hpp"

namespace fjord::apps::density {
namespace {

template <class... Numbers>
std::string check_line(const char* format, Numbers... numbers) {
  std::array<char, 400> line{};
  std::snprintf(line.data(), line.size(), format, numbers...);
  return line.data();
}

// Of so many tests, some have a small p-value by chance.
std::string columns_that_differ(const Judgement& judgement, double small) {
  const auto tests = static_cast<double>(judgement.columns.size());
  std::string names;
  for (const ColumnCalibration& column : judgement.columns)
    if (column.uniformity.p_value * tests < small) names += ", " + shown(column.name);
  if (names.empty()) return names;
  const bool is_one = names.find(',', 1) == std::string::npos;
  return (is_one ? "the column " : "the columns ") + names.substr(2);
}

}  // namespace

std::string verdict_of(const Judgement& judgement) {
  constexpr double small = 0.01;
  const bool levels_differ = judgement.uniformity.p_value < small;
  const bool rows_differ = judgement.two_sample.p_value < small;
  const std::string columns = columns_that_differ(judgement, small);
  if (!levels_differ && !rows_differ && columns.empty()) {
    constexpr Index few = 50;
    const char* caution = judgement.compared < few ? ", but so few rows tell little" : "";
    return std::string("nothing here speaks against the model") + caution;
  }
  std::string differ;
  if (levels_differ) differ += ", the levels of the rows";
  if (rows_differ) differ += ", the rows as a whole";
  if (!columns.empty()) differ += ", " + columns;
  std::string text = "not as the model says: " + differ.substr(2);
  double excess = 0;
  for (const Coverage& coverage : judgement.coverages) excess += coverage.share - coverage.nominal;
  if (!levels_differ) return text;
  return text + (excess < 0 ? "; it is too sure: its dense regions hold too few rows"
                            : "; it is too wide: its dense regions hold too many rows");
}

std::string text_of(const Judgement& judgement) {
  std::string text;
  for (const Coverage& coverage : judgement.coverages) {
    text += check_line("coverage %.0f %%  %.3f +- %.3f\n", 100 * coverage.nominal, coverage.share,
                       coverage.standard_error);
  }
  text += check_line("levels  Kolmogorov-Smirnov %.4f, p %.3g\n", judgement.uniformity.distance,
                     judgement.uniformity.p_value);
  for (const ColumnCalibration& column : judgement.columns) {
    text += "column " + shown(column.name) +
            check_line("  Kolmogorov-Smirnov %.4f, p %.3g\n", column.uniformity.distance,
                       column.uniformity.p_value);
  }
  text += check_line("two samples  energy distance %.4g, p %.3g\n", judgement.two_sample.energy,
                     judgement.two_sample.p_value);
  return text + verdict_of(judgement) + "\n";
}

void check(const CheckOptions& options) {
  const nn::State state = load_model_state(options.model);
  Workers workers(thread_count(options.threads));
  const std::unique_ptr<LookedAt> model = looked_at(state, options, workers);
  const LookRows rows = load_look_rows(options, state, *model);
  const Look look = look_at(*model, rows, look_key(options.seed));
  const Judgement judgement = judge(look, look_key(options.seed), workers);
  std::fputs(text_of(judgement).c_str(), stdout);
  std::printf("%zu of %lld rows, %lld samples; %lld of each in the test of two samples\n",
              look.levels.size(), static_cast<long long>(rows.values.shape()[0]),
              static_cast<long long>(look.samples.shape()[0]),
              static_cast<long long>(judgement.compared));
}

}  // namespace fjord::apps::density
