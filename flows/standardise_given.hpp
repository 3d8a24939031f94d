/// The units of what is given of a row.
#pragma once

#include <memory>
#include <vector>

#include "fjord/flows/distribution.hpp"
#include "fjord/flows/standardise.hpp"

namespace fjord::flows {

/// A distribution that is told what is given of a row in standard units: (g_k - mean_k) / scale_k
/// for Context::given [B, G].
template <class T>
class StandardiseGiven final : public Distribution<T> {
 public:
  /// Errors:  std::invalid_argument if the distribution is null, the sizes are 0, or as
  ///          Standardise.
  StandardiseGiven(std::unique_ptr<Distribution<T>> distribution, std::vector<double> mean,
                   std::vector<double> scale);

  explicit StandardiseGiven(nn::PartReader<T>& reader)
      : StandardiseGiven(reader.template child<Distribution<T>>("distribution"),
                         reader.numbers("mean"), reader.numbers("scale")) {}

  Index dim() const override { return distribution_->dim(); }

  Var<T> sample(Tape<T>& tape, Index rows, Context<T>& context) const override;
  Var<T> log_prob(const Var<T>& x, Context<T>& context) const override;
  SampleAndLogProb<T> sample_and_log_prob(Tape<T>& tape, Index rows,
                                          Context<T>& context) const override;
  void adapt(const Var<T>& x, Context<T>& context, std::uint64_t step) override;

  Index adapting_steps() const override { return distribution_->adapting_steps(); }

  nn::Description<T> describe() override;

 private:
  // Calls f while the context gives standard units.
  template <class F>
  auto with_standard(Context<T>& context, F f) const;

  std::unique_ptr<Distribution<T>> distribution_;
  Standardise<T> units_;
  Index width_;
};

extern template class StandardiseGiven<float>;
extern template class StandardiseGiven<double>;

}  // namespace fjord::flows
