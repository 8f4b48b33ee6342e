#include "view/oncall_view.hpp"

#include <algorithm>

#include "incident/page_history.hpp"

namespace nines::agent::view {
namespace {

namespace oncall = nines::oncall;

constexpr int64_t kDayS = 86400, kLookAheadS = 90 * kDayS;
constexpr size_t kMostNext = 8;  // shifts after the present one

std::string instant_text(int64_t at_s) { return format_rfc3339(WallTime::from_s(at_s)); }

void write_whom(JsonWriter& json, const oncall::Schedule& schedule, const oncall::Duty& duty) {
  json.key("person");
  const bool gap = duty.person == oncall::kNobody;
  gap ? json.null() : json.value(schedule.roster().people[duty.person].id);
}

void write_schedule(JsonWriter& json, const oncall::Schedule& schedule, int64_t now_s) {
  const oncall::Duty duty = schedule.at(now_s);
  const auto shifts = schedule.shifts(now_s, now_s + kLookAheadS);
  json.begin_object().member("schedule", schedule.name());
  write_whom(json, schedule, duty);
  json.key("until");
  const bool ends = shifts.ok() && shifts->size() > 1;
  ends ? json.value(instant_text(shifts->front().span.to_s)) : json.null();
  json.member("why", why_on_duty(schedule, duty)).key("next").begin_array();
  // The last one found ends where the look ahead does, not where somebody hands over.
  const size_t known = shifts.ok() && !shifts->empty() ? shifts->size() - 1 : 0;
  for (size_t i = 1; i < std::min(known, kMostNext + 1); ++i) {
    const oncall::Shift& shift = (*shifts)[i];
    json.begin_object();
    write_whom(json, schedule, shift.duty);
    json.member("from", instant_text(shift.span.from_s));
    json.member("until", instant_text(shift.span.to_s));
    json.member("why", why_on_duty(schedule, shift.duty)).end_object();
  }
  json.end_array().end_object();
}

void write_person(JsonWriter& json, const incident::OnCall& on_call,
                  const oncall::PageLedger& ledger, uint32_t person, int64_t now_s) {
  const oncall::Person& who = on_call.plan().roster->people[person];
  json.begin_object().member("person", who.id).member("name", who.name);
  json.member("away", who.is_away(now_s)).member("quiet", who.is_quiet(now_s));
  json.member("pages_24h", ledger.pages_within(person, now_s, kDayS));
  json.key("fatigue").raw(oncall::milli_text(ledger.fatigue_milli(person, now_s)));
  json.key("notify").begin_array();
  for (const std::string& name : on_call.notifiers_of(person)) json.value(name);
  json.end_array().end_object();
}

}  // namespace

std::string why_on_duty(const oncall::Schedule& schedule, const oncall::Duty& duty) {
  if (duty.person == oncall::kNobody) return "nobody: a gap";
  const bool layer = duty.why == oncall::Duty::Why::layer;
  std::string out = layer ? "layer " + schedule.parts().layers[duty.source].name : "override";
  if (duty.instead_of != oncall::kNobody) {
    out += " instead of " + schedule.roster().people[duty.instead_of].id;
    if (layer) out += ", who is away";
  }
  return out;
}

std::string oncall_json(const incident::OnCall& on_call, const incident::core::IncidentBook& book,
                        WallTime now) {
  const oncall::PageLedger ledger = on_call.ledger(book, now);
  const int64_t now_s = now.seconds();
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().member("now", instant_text(now_s)).key("schedules").begin_array();
  for (const oncall::Schedule& schedule : on_call.plan().schedules) {
    write_schedule(json, schedule, now_s);
  }
  json.end_array().key("people").begin_array();
  for (uint32_t i = 0; i < on_call.plan().roster->people.size(); ++i) {
    write_person(json, on_call, ledger, i, now_s);
  }
  json.end_array().key("policies").begin_array();
  for (const oncall::Policy& policy : on_call.plan().policies) {
    json.begin_object().member("policy", policy.name).key("services").begin_array();
    for (const std::string& service : policy.services) json.value(service);
    json.end_array().member("next_digest", instant_text(oncall::next_digest(policy, now_s)));
    json.end_object();
  }
  json.end_array().member("pages", static_cast<uint64_t>(ledger.size()));
  json.member("imported_pages", static_cast<uint64_t>(on_call.imported())).end_object();
  return out + "\n";
}

std::string oncall_pages(const incident::OnCall& on_call, const incident::core::IncidentBook& book,
                         WallTime now) {
  std::string out;
  for (const auto& one : on_call.pages(book, now)) {
    out += incident::page_line(one.page, one.incident, *on_call.plan().roster);
  }
  return out;
}

}  // namespace nines::agent::view
