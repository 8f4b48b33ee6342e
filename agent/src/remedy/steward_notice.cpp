// What the Steward concludes by itself, told to people.
#include <utility>

#include "nines/base/json_writer.hpp"
#include "remedy/steward.hpp"

namespace nines::agent::remedy {

using core::GuardEvent;
using core::GuardKind;

void Steward::note_down(std::string body, std::function<void(Status)> done) {
  parts_.keep(audit_.append(std::move(body)),
              [this, head = audit_.head(), done = std::move(done),
               alive = std::weak_ptr(alive_)](const Status& written) {
                if (!alive.lock()) return;
                if (written.ok() && parts_.written) parts_.written(head);
                if (done) done(written);
              });
}

// What the Guard concludes from results.
void Steward::follow_up() {
  for (const GuardEvent& event : guard_.tick(now_)) {
    keep(event);
    const bool demoted = event.kind == GuardKind::rule_demoted;
    if (demoted) ++counters_.demoted;
    notify(event.rule, demoted ? "goes back to shadow: " + event.text
                               : "nothing is begun any more: " + event.text);
  }
}

void Steward::demote(const std::string& rule, const std::string& why) {
  auto demoted = guard_.demote(rule, {}, why, now_);
  if (!demoted.ok()) return;
  keep(*demoted);
  ++counters_.demoted;
  notify(rule, "goes back to shadow: " + why);
}

// Once for each time that it opens.
void Steward::watch_breaker() {
  const bool open = guard_.breaker_open(now_);
  if (open == std::exchange(breaker_, open) || !open) return;
  const std::string text = "too many of the last acts failed: no rule acts by itself";
  std::string body;
  JsonWriter json(body);
  json.begin_object().member("at", format_rfc3339(now_)).member("what", "breaker_open");
  json.member("who", "nines").member("text", text).end_object();
  note_down(std::move(body));
  notify({}, text);
}

void Steward::notify(const std::string& rule, const std::string& text) {
  if (parts_.notify) parts_.notify(rule, text);
}

}  // namespace nines::agent::remedy
