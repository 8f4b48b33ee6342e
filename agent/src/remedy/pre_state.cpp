#include "remedy/pre_state.hpp"

namespace nines::agent::remedy {

using nines::remedy::Verb;

std::string told_before(const nines::remedy::Act& act) {
  if (act.before.empty()) return {};
  switch (act.action.verb) {
    case Verb::scale_up:
    case Verb::scale_down: return act.before + (act.before == "1" ? " pod" : " pods");
    case Verb::rollout_undo: return "revision " + act.before;
    default: return act.before;
  }
}

}  // namespace nines::agent::remedy
