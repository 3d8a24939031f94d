#include "fjord/ode/report.hpp"

#include <sstream>

namespace fjord::ode {

std::string short_number(double number) {
  std::ostringstream text;
  text.precision(9);
  text << number;
  return text.str();
}

std::string Report::outcome() const {
  const std::string where = " at t = " + short_number(t);
  const std::string after = " after " + std::to_string(accepted + rejected) + " steps";
  switch (status) {
    case Status::success: return "the solve reached t = " + short_number(t) + after;
    case Status::event: return "an event ended the solve" + where + after;
    case Status::stopped: return "the caller ended the solve" + where + after;
    case Status::max_steps: return "the limit of steps was reached" + where + after;
    case Status::stiff:
      return "the limit of steps was reached" + where + after +
             ": the field is stiff there, which keeps the steps short whatever the tolerances";
    case Status::step_too_small:
      return "the step vanished" + where + after + ": no step met the tolerances";
    case Status::tolerances_too_fine:
      return "the tolerances are too fine" + where + after +
             ": numbers of this precision round off more than they allow";
    case Status::non_finite: return "the state or the field became infinite or NaN" + where + after;
    case Status::not_solved:
      return "the iteration that solves an implicit step did not converge" + where + after;
    case Status::event_undefined: return "the function of an event was NaN" + where + after;
    case Status::irreversible:
      return "the solve backwards" + where + after +
             " did not come back to the state that the first solve had there";
  }
  return {};
}

std::string Report::remedy() const {
  switch (status) {
    case Status::success:
    case Status::event:
    case Status::stopped: return {};
    case Status::max_steps: return "loosen rtol and atol, or raise max_steps";
    case Status::stiff:
      return "take steps of implicit_midpoint, shorten the span, or raise max_steps";
    case Status::step_too_small:
      return "loosen rtol and atol, use double precision, or check the field for a pole, or for a "
             "jump to name in jumps";
    case Status::tolerances_too_fine: return "loosen rtol and atol, or use double precision";
    case Status::non_finite: return "check its inputs and parameters, or stop before this time";
    case Status::not_solved: return "take shorter steps, or name the field's jumps in jumps";
    case Status::event_undefined:
      return "give it a number at every state, on both sides of its zero, or stop before this time";
    case Status::irreversible:
      return "take the gradient through the recorded steps: direct, or checkpointed";
  }
  return {};
}

std::string Report::message() const {
  return remedy().empty() ? outcome() : outcome() + "; " + remedy();
}

}  // namespace fjord::ode
