// The Steward and its disk: events and the audit records of its own, in one transaction, and what
// to make of what did not come back.
#include <nlohmann/json.hpp>
#include <utility>

#include "nines/base/json_writer.hpp"
#include "remedy/steward.hpp"

namespace nines::agent::remedy {
namespace {

using core::GuardEvent;
using core::GuardKind;

std::string audit_text(const GuardEvent& event) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("at", format_rfc3339(event.at));
  json.member("what", guard_kind_name(event.kind));
  json.member("id", event.uid());
  if (!event.rule.empty()) json.member("rule", event.rule);
  json.member("who", event.who.empty() ? std::string_view("nines") : std::string_view(event.who));
  if (!event.text.empty()) json.member("text", event.text);
  for (const auto& [key, value] : event.details) json.member(key, value);
  json.end_object();
  return out;
}

}  // namespace

void Steward::restore(const std::vector<store::Document>& documents) {
  std::vector<store::Document> audit;
  for (const store::Document& document : documents) {
    if (document.kind == AuditLog::kDocuments) audit.push_back(document);
    if (document.kind != kDocuments) continue;
    const auto event = core::decode_guard(document.body);
    const bool whole = event && guard_.merge(*event) != core::Guard::Merge::refused;
    (whole ? kept_ : broken_).insert(document.key);
    if (whole && stream_of(event->kind) == Stream::switches) switches_.insert(document.key);
  }
  audit_.restore(audit);
  miss_what_was_logged();
  forget_lifted();
  forget_pruned();
}

void Steward::keep(const GuardEvent& event, std::function<void(Status)> done) {
  std::vector<store::Document> documents = audit_.append(audit_text(event));
  documents.push_back({kDocuments, event.uid(), encode_guard(event)});
  kept_.insert(event.uid());
  // Others may know it before it is on the disk here: should it be lost, it is heard back from
  // them.
  if (parts_.tell) parts_.tell(event);
  parts_.keep(std::move(documents), [this, head = audit_.head(), done = std::move(done),
                                     alive = std::weak_ptr(alive_)](const Status& written) {
    if (!alive.lock()) return;
    if (written.ok() && parts_.written) parts_.written(head);
    if (done) done(written);
  });
}

void Steward::did(core::Guard::Done done, std::function<void(Status)> written) {
  if (!done.ok()) return written(done.error());
  keep(*done, std::move(written));
  if (done->kind == GuardKind::resume) forget_lifted();
}

core::Guard::Done Steward::resume(std::string_view who, std::string_view why, WallTime now) {
  return guard_.resume(who, why, now, broken_);
}

// A row that was damaged is passed over by the store; what forbids is never let go, and the log has
// its name.
void Steward::miss_what_was_logged() {
  for (const auto& record : audit_.records()) {
    const auto body = nlohmann::json::parse(record.body, nullptr, false);
    if (!body.is_object() || !body.contains("what") || !body.contains("id")) continue;
    const auto& what = body["what"];
    const bool forbids = what == guard_kind_name(GuardKind::stop) ||
                         what == guard_kind_name(GuardKind::rule_demoted) ||
                         what == guard_kind_name(GuardKind::rule_removed);
    if (!forbids || !body["id"].is_string()) continue;
    const auto id = body["id"].get<std::string>();
    if (!kept_.contains(id)) broken_.insert(id);
  }
}

void Steward::forget_lifted() {
  std::vector<store::Document> gone;
  for (const std::string& key : broken_) {
    if (guard_.is_lifted(key)) gone.push_back({kDocuments, key, {}});
  }
  for (const store::Document& document : gone) broken_.erase(document.key);
  if (!gone.empty()) parts_.keep(std::move(gone), [](const Status&) {});
}

void Steward::forget_pruned() {
  const uint64_t pruned = guard_.counters().pruned + guard_.counters().refused;
  if (pruned == pruned_) return;
  pruned_ = pruned;
  std::set<std::string> there;
  for (const GuardEvent& event : guard_.events()) there.insert(event.uid());
  std::erase_if(taken_back_, [&](const std::string& act) { return !there.contains(act); });
  std::vector<store::Document> gone;
  for (const std::string& key : kept_) {
    if (!there.contains(key)) gone.push_back({kDocuments, key, {}});
  }
  kept_ = std::move(there);
  std::erase_if(switches_, [&](const std::string& key) { return !kept_.contains(key); });
  if (!gone.empty()) parts_.keep(std::move(gone), [](const Status&) {});
}

}  // namespace nines::agent::remedy
