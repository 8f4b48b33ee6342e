// What people do about incidents. An error says what stands against it, and the way out.
#include <algorithm>

#include "incident/incident_book_impl.hpp"
#include "incident/text.hpp"

namespace nines::incident {
namespace {

constexpr size_t kMaxText = 2000;  // given; what does not fit into an event is cut

Error wrong(std::string what) { return {Errc::invalid_argument, std::move(what), 0}; }

Status check_person(std::string_view who, std::string_view what) {
  if (!who.empty() && who.size() <= kMaxEventWho) return Ok{};
  return wrong(std::string(what) +
               (who.empty() ? " is not given: somebody has to be named"
                            : " is longer than " + std::to_string(kMaxEventWho) + " bytes"));
}

Status check_text(std::string_view text, bool needed) {
  if (needed && text.empty()) return wrong("the text is empty");
  if (text.size() <= kMaxText) return Ok{};
  return wrong("the text has " + std::to_string(text.size()) + " bytes; at most " +
               std::to_string(kMaxText) + " are taken");
}

Status check_severity(int severity) {
  if (severity >= 0 && severity <= 3) return Ok{};
  return wrong("severity " + std::to_string(severity) + " is none of P0 to P3");
}

std::string by(const std::string& who) { return who.empty() ? "" : " by " + who; }

}  // namespace

Result<size_t> IncidentBook::Impl::named(std::string_view ref) const {
  refold();
  const auto found = fold.by_id(ref);
  if (!found.empty()) return found.front();
  return Error{Errc::not_found,
               "there is no incident " + std::string(ref.substr(0, 64)) +
                   " here; ids look like INC-2026-0301-042 and are listed by: nines incident list",
               0};
}

IncidentBook::Done IncidentBook::Impl::tell(size_t at, EventKind kind, std::string_view who,
                                            std::string_view text, Details details, WallTime now,
                                            size_t other) {
  IncidentEvent event;
  event.kind = kind;
  event.who = who;
  event.text = text;
  event.details = std::move(details);
  auto written = write(std::move(event), at, now, other);
  if (written) return std::move(*written);
  return Error{Errc::exhausted,
               "the book holds " + std::to_string(events.size()) +
                   " events of incidents and none of a resolved one that could go; resolve some",
               0};
}

IncidentBook::Done IncidentBook::declare(std::string_view service, int severity,
                                         std::string_view text, std::string_view who,
                                         WallTime now) {
  NINES_CHECK(check_person(who, "who declares it"));
  NINES_CHECK(check_severity(severity));
  NINES_CHECK(check_text(text, true));
  Impl& m = *impl_;
  IncidentEvent event;
  event.kind = EventKind::declared;
  event.key = "declared/" + m.identity.node + "/" + std::to_string(m.identity.boot) + "/" +
              std::to_string(m.sequence + 1);
  event.who = who;
  event.text = text;
  event.details = {{"priority", std::to_string(severity)}};
  if (!service.empty()) event.details.emplace_back("service", short_name(service, 96));
  auto written = m.write(std::move(event), Impl::kNone, now);
  if (written) return std::move(*written);
  return Error{Errc::exhausted, "there is no room for another incident; resolve some", 0};
}

IncidentBook::Done IncidentBook::acknowledge(std::string_view ref, std::string_view who,
                                             std::string_view text, WallTime now) {
  NINES_CHECK(check_person(who, "who acknowledges"));
  NINES_CHECK(check_text(text, false));
  NINES_TRY(const size_t at, impl_->named(ref));
  const Incident i = impl_->fold.view(at, now);
  if (i.over()) {
    return wrong(i.id + " is resolved since " + moment_text(i.resolved) +
                 "; reopen it if it goes on");
  }
  if (i.acknowledged != WallTime{}) {
    return wrong(i.id + " was acknowledged at " + moment_text(i.acknowledged) +
                 by(i.acknowledged_by));
  }
  return impl_->tell(at, EventKind::acknowledged, who, text, {}, now);
}

IncidentBook::Done IncidentBook::mitigate(std::string_view ref, std::string_view who,
                                          std::string_view text, WallTime now) {
  NINES_CHECK(check_person(who, "who mitigated it"));
  NINES_CHECK(check_text(text, false));
  NINES_TRY(const size_t at, impl_->named(ref));
  const Incident i = impl_->fold.view(at, now);
  if (i.over()) return wrong(i.id + " is resolved since " + moment_text(i.resolved));
  if (i.mitigated != WallTime{}) {
    return wrong(i.id + " is mitigated since " + moment_text(i.mitigated) + by(i.mitigated_by));
  }
  return impl_->tell(at, EventKind::mitigated, who, text, {}, now);
}

IncidentBook::Done IncidentBook::resolve(std::string_view ref, std::string_view who,
                                         std::string_view text, bool force, WallTime now) {
  NINES_CHECK(check_person(who, "who resolves it"));
  NINES_CHECK(check_text(text, false));
  NINES_TRY(const size_t at, impl_->named(ref));
  const Incident i = impl_->fold.view(at, now);
  if (i.over()) {
    return wrong(i.id + " is resolved since " + moment_text(i.resolved) + by(i.resolved_by));
  }
  const auto holding = std::find_if(i.conditions.begin(), i.conditions.end(),
                                    [](const auto& c) { return c.condition.holds; });
  if (!force && holding != i.conditions.end()) {
    return wrong("in " + i.id + " a condition holds (" + holding->condition.text +
                 "): mend it, or resolve with force");
  }
  return impl_->tell(at, EventKind::resolved, who, text, {}, now);
}

IncidentBook::Done IncidentBook::reopen(std::string_view ref, std::string_view who,
                                        std::string_view text, WallTime now) {
  NINES_CHECK(check_person(who, "who reopens it"));
  NINES_CHECK(check_text(text, false));
  NINES_TRY(const size_t at, impl_->named(ref));
  const State state = impl_->fold.brief(at, now).state;
  if (state != State::resolved) {
    return wrong(impl_->fold.id(at) + " is " + std::string(state_name(state)) +
                 ", not resolved: there is nothing to reopen");
  }
  return impl_->tell(at, EventKind::reopened, who, text, {}, now);
}

IncidentBook::Done IncidentBook::set_severity(std::string_view ref, int severity,
                                              std::string_view who, std::string_view text,
                                              WallTime now) {
  NINES_CHECK(check_person(who, "who sets the severity"));
  NINES_CHECK(check_severity(severity));
  NINES_CHECK(check_text(text, false));
  NINES_TRY(const size_t at, impl_->named(ref));
  return impl_->tell(at, EventKind::severity_set, who, text,
                     {{"priority", std::to_string(severity)}}, now);
}

IncidentBook::Done IncidentBook::assign(std::string_view ref, Role role, std::string_view person,
                                        std::string_view who, WallTime now) {
  NINES_CHECK(check_person(who, "who assigns the role"));
  NINES_CHECK(check_person(person, "who takes the role"));
  NINES_TRY(const size_t at, impl_->named(ref));
  return impl_->tell(at, EventKind::role_assigned, who, {},
                     {{"role", std::string(role_name(role))}, {"person", std::string(person)}},
                     now);
}

IncidentBook::Done IncidentBook::add_item(std::string_view ref, std::string_view text,
                                          std::string_view owner, WallTime due,
                                          std::string_view priority, std::string_view who,
                                          WallTime now) {
  NINES_CHECK(check_person(who, "who adds the action item"));
  NINES_CHECK(check_text(text, true));
  if (owner.size() > kMaxEventWho || priority.size() > kMaxEventWho) {
    return wrong("owner and priority have at most " + std::to_string(kMaxEventWho) + " bytes");
  }
  NINES_TRY(const size_t at, impl_->named(ref));
  Details details;
  if (!owner.empty()) details.emplace_back("owner", owner);
  if (due > WallTime{}) details.emplace_back("due", std::to_string(due.ns));
  if (!priority.empty()) details.emplace_back("priority", priority);
  return impl_->tell(at, EventKind::item_added, who, text, std::move(details), now);
}

IncidentBook::Done IncidentBook::finish_item(std::string_view ref, std::string_view item,
                                             std::string_view who, WallTime now) {
  NINES_CHECK(check_person(who, "who finished the action item"));
  NINES_TRY(const size_t at, impl_->named(ref));
  const Incident i = impl_->fold.view(at, now);
  const auto found = std::find_if(i.items.begin(), i.items.end(),
                                  [&](const ActionItem& a) { return a.item == item; });
  if (found == i.items.end()) {
    return Error{Errc::not_found,
                 i.id + " has no action item " + std::string(item.substr(0, 64)) + "; it has " +
                     (i.items.empty() ? "none" : "A1 to A" + std::to_string(i.items.size())),
                 0};
  }
  if (found->done != WallTime{}) {
    return wrong(found->item + " of " + i.id + " was finished at " + moment_text(found->done));
  }
  return impl_->tell(at, EventKind::item_done, who, found->text, {{"item", found->uid}}, now);
}

IncidentBook::Done IncidentBook::link(std::string_view ref, std::string_view other,
                                      std::string_view who, WallTime now) {
  NINES_CHECK(check_person(who, "who links them"));
  NINES_TRY(const size_t a, impl_->named(ref));
  NINES_TRY(const size_t b, impl_->named(other));
  if (a == b) return wrong(std::string(ref) + " and " + std::string(other) + " are one already");
  const Incident& with = impl_->fold.tracks()[b].incident;
  return impl_->tell(a, EventKind::linked, who, "One with " + impl_->fold.id(b),
                     {{"with", with.key}, {"with_opened", std::to_string(with.opened.ns)}}, now, b);
}

IncidentBook::Done IncidentBook::add(std::string_view ref, EventKind kind, std::string_view who,
                                     std::string_view text, Details details, WallTime now) {
  using K = EventKind;
  static constexpr K kFree[] = {K::note,     K::action, K::communication_sent, K::page_sent,
                                K::suspects, K::impact, K::diagnostics,        K::cause_stated};
  if (std::find(std::begin(kFree), std::end(kFree), kind) == std::end(kFree)) {
    return wrong("an event of kind " + std::string(event_kind_name(kind)) +
                 " is not added as it is: it has a command of its own");
  }
  if (who.size() > kMaxEventWho) return check_person(who, "who").error();
  NINES_CHECK(check_text(text, true));
  NINES_TRY(const size_t at, impl_->named(ref));
  return impl_->tell(at, kind, who, text, std::move(details), now);
}

}  // namespace nines::incident
