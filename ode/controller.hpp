/// How the length of the next step follows from the errors of the last ones.
#pragma once

#include <string_view>
#include <vector>

#include "fjord/autodiff/errors.hpp"

namespace fjord::ode {

/// What a controller sees after an attempted step.
struct Attempt {
  double error;     ///< norm of the step's error, in units of the tolerances; NaN or infinite
                    ///< if a number was
  double last = 1;  ///< that of the accepted step before it
  double second_last = 1;         ///< and of the one before that
  int order = 1;                  ///< the error is of the order of the step's length to this power
  bool was_rejected = false;      ///< whether the attempt before this one was
  double square = error * error;  ///< of the error; powers of it need not wait for the root
};

/// Chooses step lengths; a constant object without state, which solves share.
class Controller {
 public:
  constexpr virtual ~Controller() = default;

  virtual std::string_view name() const = 0;
  /// The factor by which the step changes, > 0. The step is accepted if error <= 1.
  virtual double factor(const Attempt& attempt) const = 0;

 protected:
  constexpr Controller() = default;
  Controller(const Controller&) = default;
  Controller& operator=(const Controller&) = default;
};

struct PidOptions {
  double integral = 1;      ///< weight of the step's own error
  double proportional = 0;  ///< of its change from the last step
  double derivative = 0;    ///< of the change of that change
  double safety = 0.9;      ///< aims below the tolerance, so that few steps are rejected; in (0, 1)
  double min_factor = 0.2;  ///< in (0, 1)
  double max_factor = 10;   ///< > 1
};

/// The factor safety * error^(-a) last^b second_last^(-c), within its limits, where a, b and c are
/// (integral + proportional + derivative), (proportional + 2 derivative) and (derivative), each
/// over the order. After a rejection it is at most 1. Of a step that is rejected it is the classic
/// one, safety * error^(-1 / order), whatever the weights: smaller errors before it must not keep
/// the step as long as it is.
///
/// Source:  Soderlind, Digital filters in adaptive time-stepping, ACM Trans. Math. Softw. 29
///          (2003); Hairer & Wanner, Solving ODEs II, 2nd ed., sec. IV.2.
class PidController final : public Controller {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range.
  constexpr explicit PidController(std::string_view name, const PidOptions& options = {})
      : name_(name), options_(options) {
    const auto [integral, proportional, derivative, safety, shrinks, grows] = options;
    const auto is_finite = [](double weight) { return weight - weight == 0; };
    if (!is_finite(integral) || !is_finite(proportional) || !is_finite(derivative))
      fail("controller", "integral, proportional and derivative must be finite");
    if (!(safety > 0 && safety < 1)) fail("controller", "safety must be in (0, 1)");
    if (!(shrinks > 0 && shrinks < 1)) fail("controller", "min_factor must be in (0, 1)");
    if (!(grows > 1)) fail("controller", "max_factor must be above 1");
  }

  std::string_view name() const override { return name_; }

  double factor(const Attempt& attempt) const override;

 private:
  std::string_view name_;
  PidOptions options_;
};

/// Looks at the last error only: the classic controller.
extern const PidController integral_control;
/// With 0.7 and 0.4 for a and b times the order, as Gustafsson recommends: fewer rejections where
/// stability limits the step.
extern const PidController pi_control;
/// Soderlind's filter H312: smooth sequences of steps.
extern const PidController pid_control;

/// Those above.
std::vector<const Controller*> controllers();

}  // namespace fjord::ode
