#include "fjord/flows/fit_lbfgs.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include "fjord/autodiff/errors.hpp"

namespace fjord::flows {
namespace {

template <class T>
void check_lbfgs(const LbfgsFitOptions<T>& o, const Distribution<T>& model,
                 const RowSource<T>& rows, const RowSource<T>* held_out) {
  const auto need = [](bool holds, const char* what) { require(holds, "fit_lbfgs", what); };
  need(rows.rows() > 0, "at least one row is needed to train on");
  need(held_out == nullptr || held_out->rows() > 0, "at least one held-out row is needed, or null");
  need(o.steps >= 0 && o.patience >= 0, "steps and patience must not be negative");
  need(o.loss != nullptr, "a loss is needed, got null");
  need(o.gradient != nullptr && o.gradient->has_derivatives(),
       "gradient must be a mode that has derivatives");
  need(model.adapting_steps() <= 1, "the model must not adapt to the rows of every step");
}

// A run under way.
template <class T>
class LbfgsRun final {
 public:
  LbfgsRun(Distribution<T>& model, const RowSource<T>& rows, Workers& workers,
           const LbfgsFitOptions<T>& options)
      : rows_(rows),
        options_(options),
        sharded_(model, workers),
        named_(nn::parameters_of(model)),
        trained_(nn::parameter_pointers(named_)),
        optimizer_(trained_, options.optimizer),
        order_(static_cast<std::size_t>(rows.rows())),
        gradient_(optim::values_of(trained_).size()) {
    std::iota(order_.begin(), order_.end(), 0U);
    if (model.adapting_steps() > 0) adapt_to<T>(model, rows, order_, 0);
  }

  FitReport run(const RowSource<T>* held_out) {
    while (report_.end == FitEnd::running) {
      if (static_cast<Index>(report_.curve.size()) == options_.steps) {
        report_.end = FitEnd::epochs;
      } else {
        step(held_out);
      }
    }
    if (!best_.empty()) optim::set_values(trained_, best_);
    return report_;
  }

 private:
  // The loss; not a number where a solve fails, so that the search takes a shorter step.
  optim::LossAndGradient<T> evaluate() {
    try {
      const LossAndGradient<T> result = sharded_.loss_and_gradient(
          *options_.loss, rows_, order_, options_.gradient, options_.probes);
      evaluations_ = result.evaluations;
      gradient_.assign(result.gradient.begin(), result.gradient.end());
      return {result.loss, gradient_};
    } catch (const ode::SolveFailure& failure) {
      report_.failure = failure.what();
      ++report_.failures;
      return {std::numeric_limits<double>::quiet_NaN(), gradient_};
    }
  }

  void step(const RowSource<T>* held_out) {
    using Status = optim::LbfgsStatus;
    optim::LbfgsReport result = optimizer_.step([this] { return evaluate(); });
    if (result.status == Status::no_decrease)
      result = optimizer_.step([this] { return evaluate(); });
    if (result.status == Status::not_finite) {
      report_.end = FitEnd::failure;
      if (report_.failure.empty()) report_.failure = "the loss or its gradient is not a number";
      return;
    }
    if (result.status != Status::decreased) {
      report_.end = FitEnd::converged;
      return;
    }
    const auto number = static_cast<Index>(report_.curve.size()) + 1;
    report_.curve.push_back(
        {.epoch = number, .steps = number, .loss = result.loss, .evaluations = evaluations_});
    if (held_out != nullptr) score(*held_out);
  }

  void score(const RowSource<T>& held_out) {
    FitEpoch& epoch = report_.curve.back();
    average_held_out(sharded_.losses(*options_.loss, held_out, options_.probes).values, held_out,
                     epoch);
    if (std::isfinite(*epoch.held_out) && !(*epoch.held_out >= best_loss_)) {
      best_loss_ = *epoch.held_out;
      report_.best_epoch = epoch.epoch;
      best_ = optim::values_of(trained_);
    } else if (options_.patience > 0 && epoch.epoch - report_.best_epoch >= options_.patience) {
      report_.end = FitEnd::patience;
    }
  }

  const RowSource<T>& rows_;
  const LbfgsFitOptions<T>& options_;
  ShardedModel<T> sharded_;
  nn::NamedParameters<T> named_;
  std::vector<Parameter<T>*> trained_;
  optim::Lbfgs<T> optimizer_;
  std::vector<std::uint32_t> order_;
  std::vector<T> gradient_;
  double evaluations_ = 0;  // calls of fields in the last call of evaluate()
  double best_loss_ = std::numeric_limits<double>::infinity();
  std::vector<T> best_;  // empty: none yet
  FitReport report_;
};

}  // namespace

template <class T>
FitReport fit_lbfgs(Distribution<T>& model, const RowSource<T>& rows, const RowSource<T>* held_out,
                    Workers& workers, const LbfgsFitOptions<T>& options) {
  check_lbfgs(options, model, rows, held_out);
  return LbfgsRun<T>(model, rows, workers, options).run(held_out);
}

#define FJORD_INSTANTIATE(T)                                                               \
  template FitReport fit_lbfgs(Distribution<T>&, const RowSource<T>&, const RowSource<T>*, \
                               Workers&, const LbfgsFitOptions<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::flows
