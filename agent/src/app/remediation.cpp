#include "app/remediation.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "app/log.hpp"
#include "app/remedy_setup.hpp"
#include "config/remedy_targets.hpp"
#include "links/link_desk.hpp"
#include "nines/fleet/fleet_state.hpp"
#include "nines/remedy/rule_check.hpp"
#include "remedy/holds.hpp"
#include "remedy/target_name.hpp"

namespace nines::agent {
namespace {

namespace core = nines::remedy;
using remedy::Found;
using remedy::Incident;

}  // namespace

Remediation::Remediation(Parts parts, RemedyTargets targets, uint64_t boot)
    : parts_(std::move(parts)),
      boot_(boot),
      targets_(std::move(targets)),
      executor_(parts_.io, parts_.clock, executor_parts()) {
  if (parts_.kube) lease_.emplace(lease_parts());
  steward_.emplace(
      core::Guard({parts_.config.node, boot}, guard_limits(parts_.config.remediation, targets_)),
      steward_parts());
  const auto incidents = [this](WallTime from, size_t most, WallTime now) {
    nines::incident::BookQuery wish;
    wish.from = from;
    wish.limit = most;
    return parts_.desk().book().list(wish, now);
  };
  curator_.emplace(*steward_, incidents,
                   remedy::Curator::Settings{
                       .open_drafts = static_cast<size_t>(parts_.config.remediation.open_drafts)},
                   [this](const std::string& id) { imports_.let_go(id); });
}

Result<std::unique_ptr<Remediation>> Remediation::start(Parts parts, store::StateStore& store) {
  NINES_TRY(auto kept, store.documents(remedy::Steward::kDocuments));
  NINES_TRY(auto audit, store.documents(remedy::AuditLog::kDocuments));
  NINES_TRY(const auto history, store.documents(remedy::ImportShelf::kDocuments));
  NINES_TRY(const auto anchors, store.documents(remedy::AuditAnchors::kDocuments));
  NINES_TRY(auto targets, config::load_remedy_targets(parts.config.file));
  const uint64_t boot = fleet::life_number(store.restored().boot, to_ms(parts.clock.wall()));
  auto out =
      std::unique_ptr<Remediation>(new Remediation(std::move(parts), std::move(targets), boot));
  for (auto& document : audit) kept.push_back(std::move(document));
  out->steward_->restore(kept);
  if (const size_t broken = out->steward_->broken(); broken > 0) {
    log::error("remedy",
               std::to_string(broken) +
                   " event(s) are damaged, and one may have been a stop: nothing is begun "
                   "until nines remedy resume");
  }
  out->anchors_.restore(anchors);
  out->say_audit_fault();
  for (const core::RuleLife& rule : out->steward_->guard().rules()) out->warn_of(rule);
  for (core::Record& record : out->imports_.restore(history)) out->take(std::move(record));
  out->join_fleet();
  return out;
}

remedy::ExecutorSettings Remediation::executor_parts() {
  remedy::ExecutorSettings out = executor_settings(parts_.config, targets_, parts_.kube);
  out.stopped = [this] { return steward_ && steward_->stopped(parts_.clock.wall()); };
  return out;
}

remedy::SharedLease::Parts Remediation::lease_parts() {
  remedy::SharedLease::Parts out;
  out.node = parts_.config.node;
  out.ns = parts_.config.remediation.lease_namespace;
  out.call = [this](const remedy::ApiCall& call, auto done) {
    executor_.ask(call, std::move(done));
  };
  out.mono = [this] { return parts_.clock.mono(); };
  out.wall = [this] { return parts_.clock.wall(); };
  return out;
}

remedy::Steward::Parts Remediation::steward_parts() {
  remedy::Steward::Parts out;
  out.lease = lease_ ? &*lease_ : nullptr;
  out.node = parts_.config.node;
  out.carry_out = [this](remedy::Order order, auto done) {
    executor_.carry_out(std::move(order), std::move(done));
  };
  out.keep = [this](std::vector<store::Document> documents, auto done) {
    store::StateStore::Record record;
    record.documents = std::move(documents);
    parts_.keep(std::move(record), std::move(done));
  };
  out.open = [this](WallTime now) {
    nines::incident::BookQuery wish;
    wish.only_open = true;
    return parts_.desk().book().list(wish, now);
  };
  out.incident = [this](const std::string& id, WallTime now) {
    return parts_.desk().book().find(id, now);
  };
  out.find = [this](const Incident& incident, const core::Action& action) {
    return find(incident, action);
  };
  out.note = [this](const core::Act& act, const std::string& text, bool deed) {
    note(act, text, deed);
  };
  out.page = [this](const std::string& incident, const std::string& text) { page(incident, text); };
  out.notify = [this](const std::string& rule, const std::string& text) { tell(rule, text); };
  out.ask = [this](const core::Proposal& act, const std::string& text) {
    page(act.incident, text,
         {{links::kRule, act.rule},
          {links::kTarget, act.target.name},
          {links::kAction, act.action.key()}});
  };
  out.rank = [this] { return rank(); };
  out.proven_low = [this](const core::RuleLife& rule) { return proven_low(rule); };
  out.clock_set = parts_.clock_set;
  out.isolated = parts_.isolated;
  out.held = [this] { return is_held(); };
  out.tell = [this](const core::GuardEvent& event) { tell(event); };
  out.written = [this](const core::AuditHead& head) { tell_head(head); };
  out.said = [](const std::string& text) { log::info("remedy", text); };
  return out;
}

void Remediation::look(WallTime now) {
  steward_->tick(now);
  look_at_fleet(now);
  curator_->tick(now);
  forget_let_go();
}

// Of what was learned when the curator looked last: to learn anew for each proposal is too much.
double Remediation::proven_low(const core::RuleLife& rule) const {
  if (!curator_) return 0;
  const auto known = curator_->learned().about(rule.signature, rule.action);
  return known ? known->success.low : 0;
}

bool Remediation::is_held() {
  const std::string& path = parts_.config.remediation.stop_file;
  const bool there = ::access(path.c_str(), F_OK) == 0;
  if (there != stop_file_) {
    log::warn("remedy", path + (there ? " is there: nothing is begun" : " is gone"));
  }
  return stop_file_ = there;
}

std::optional<Found> Remediation::find(const Incident& incident, const core::Action& action) const {
  Found out;
  out.target.node = parts_.config.node;
  out.target.service = incident.service;
  bool found = false;
  switch (scope_of(action.verb)) {
    case core::Scope::unit:
      found = action.verb == core::Verb::program ? find_asked(incident, action, out)
                                                 : find_unit(incident, action, out);
      break;
    case core::Scope::pod: found = find_pod(incident, out); break;
    case core::Scope::workload: found = find_workload(incident, out); break;
    case core::Scope::node:
      out.object.name = parts_.kube_node;
      found = !parts_.kube_node.empty() && concerns_this_node(incident);
      break;
    case core::Scope::outside: found = find_asked(incident, action, out); break;
  }
  if (!found) return std::nullopt;
  const bool for_all = is_of_cluster(action, targets_);
  out.target.name =
      remedy::target_name(action.verb, for_all ? std::string() : parts_.config.node, out.object);
  return out;
}

bool Remediation::concerns_this_node(const Incident& incident) const {
  const auto& nodes = incident.nodes;
  return std::find(nodes.begin(), nodes.end(), parts_.config.node) != nodes.end();
}

// The rule itself names the unit.
bool Remediation::find_unit(const Incident& incident, const core::Action& action,
                            Found& out) const {
  out.object.name = action.parameter;
  out.target.local = true;
  return remedy::holds_on(incident, parts_.config.node) && !action.parameter.empty();
}

// Programs, webhooks and functions: what is asked stands in the configuration, what it is asked
// about is the service of the incident, or the node where there is none. What does not fit a plain
// name is not asked about.
bool Remediation::find_asked(const Incident& incident, const core::Action& action,
                             Found& out) const {
  const bool for_all = is_of_cluster(action, targets_);
  out.target.local = !for_all;
  out.object.name = incident.service.empty() ? parts_.config.node : incident.service;
  if (parts_.pods) {
    const auto pods = parts_.pods->current();
    if (const collector::PodInfo* const pod = pod_of(*pods, incident)) out.object.ns = pod->ns;
  }
  out.target.namespace_ = out.object.ns;
  return (for_all || remedy::holds_on(incident, parts_.config.node)) &&
         remedy::is_plain_name(out.object.name);
}

// Each node looks after its own pods: the one that a condition names, if there is one of that name.
const collector::PodInfo* Remediation::pod_of(const collector::PodDirectory& pods,
                                              const Incident& incident) {
  const collector::PodInfo* found = nullptr;
  for (const auto& condition : incident.conditions) {
    if (!condition.condition.holds || condition.condition.pod.empty()) continue;
    for (const auto& pod : pods.pods()) {
      if (pod->gone || pod->name != condition.condition.pod) continue;
      if (found != nullptr && found != pod.get())
        return nullptr;  // which one is meant is not clear
      found = pod.get();
    }
  }
  return found;
}

bool Remediation::find_pod(const Incident& incident, Found& out) const {
  if (!parts_.pods) return false;
  const auto pods = parts_.pods->current();
  const collector::PodInfo* const pod = pod_of(*pods, incident);
  if (pod == nullptr || pod->uid.empty()) return false;
  out.object = {pod->ns, pod->name, pod->uid};
  out.target.namespace_ = pod->ns;
  out.target.uid = pod->uid;
  return true;
}

// The Deployment of that pod, else the one that is called as the service is.
bool Remediation::find_workload(const Incident& incident, Found& out) const {
  if (!parts_.pods) return false;
  const auto pods = parts_.pods->current();
  const collector::PodInfo* pod = pod_of(*pods, incident);
  for (const auto& one : pods->pods()) {
    const bool named = one->owner && *one->owner == incident.service && !one->gone;
    if (pod == nullptr && named) pod = one.get();
  }
  const bool deployed =
      pod != nullptr && pod->owner && pod->owner_kind && *pod->owner_kind == "Deployment";
  if (!deployed) return false;
  out.object = {pod->ns, *pod->owner, {}};
  out.target.namespace_ = pod->ns;
  return true;
}

Status Remediation::check(const core::Action& action) const {
  return check_action(action, parts_.config.remediation, targets_);
}

// What may act must not meet a rule that may undo it; what cannot act yet is told of.
Status Remediation::check(const core::RuleLife& rule, core::RuleState becomes) const {
  NINES_CHECK(check(rule.action));
  if (becomes < core::RuleState::approved) return Ok{};
  const core::Guard& guard = steward_->guard();
  for (const core::RuleLife& other : core::opposing(rule, guard.rules(), guard.limits())) {
    if (other.state < core::RuleState::approved) continue;
    return Error{Errc::invalid_argument,
                 "rule " + rule.rule + " does '" + rule.action.key() + "', and rule " + other.rule +
                     ", which may act, '" + other.action.key() +
                     "' about the same incidents: one would undo the other; nines remedy revoke " +
                     other.rule + " first"};
  }
  return Ok{};
}

void Remediation::warn_of(const core::RuleLife& rule) const {
  if (rule.state == core::RuleState::none) return;
  if (const Status fits = check(rule.action); !fits.ok()) {
    log::warn("remedy", "rule " + rule.rule + " does nothing: " + fits.error().message);
  }
  const core::Guard& guard = steward_->guard();
  for (const core::RuleLife& other : core::opposing(rule, guard.rules(), guard.limits())) {
    log::warn("remedy", "rules " + rule.rule + " (" + rule.action.key() + ") and " + other.rule +
                            " (" + other.action.key() +
                            ") may meet on one incident, and would undo each other");
  }
}

// What is done is an action of the incident, from which is learned; the rest is said with it.
void Remediation::note(const core::Act& act, const std::string& text, bool deed) {
  log::info("remedy", act.incident + ": " + text);
  using nines::incident::EventKind;
  nines::incident::Details details{{"act", act.id}, {"target", act.target}};
  // What a person let it do is his own: the rule is not judged by it.
  if (!act.by_person) details.emplace_back("rule", act.rule);
  if (deed) details.emplace_back("verb", act.action.key());
  auto& desk = parts_.desk();
  const auto done =
      desk.did(desk.book().add(act.incident, deed ? EventKind::action : EventKind::note,
                               act.by_person ? act.who : "rule " + act.rule, text,
                               std::move(details), to_ms(parts_.clock.wall())));
  if (done.ok()) parts_.incidents_changed();
}

// A ticket: nothing burns because of it, but somebody has to look at the rule.
void Remediation::tell(const std::string& rule, const std::string& text) {
  const std::string what = rule.empty() ? text : "rule " + rule + " " + text;
  log::warn("remedy", what);
  const auto life = steward_->guard().rule(rule);
  slo::AlertEvent event;
  event.slo = rule.empty() ? "remediation" : rule;
  event.service = life ? life->service : std::string();
  event.rule = "remediation";
  event.severity = "ticket";
  event.priority = 2;
  event.at = event.since = to_ms(parts_.clock.wall());
  event.summary = what;
  event.details = {{"rule", rule}, {"transition", "remediation"}};
  if (parts_.address) parts_.address({}, event);
  parts_.show(event);
  store::StateStore::Record record;
  record.events.push_back(std::move(event));
  parts_.keep(std::move(record), [](const Status&) {});
}

void Remediation::page(const std::string& id, const std::string& text, slo::Details more) {
  const WallTime now = to_ms(parts_.clock.wall());
  const auto incident = parts_.desk().book().find(id, now);
  slo::AlertEvent event;
  event.slo = id;
  event.service = incident ? incident->service : std::string();
  event.rule = "remediation";
  event.severity = "page";
  event.priority = incident ? incident->severity : 1;
  event.at = event.since = now;
  event.summary = text;
  event.details = {{"incident", id}, {"transition", "remediation"}};
  event.details.insert(event.details.end(), more.begin(), more.end());
  if (parts_.address) parts_.address(id, event);
  parts_.show(event);
  store::StateStore::Record record;
  record.events.push_back(std::move(event));
  parts_.keep(std::move(record), [](const Status&) {});
}

Status Remediation::may_approve(const std::string& rule, const std::string& action,
                                WallTime now) const {
  const auto no = [](const std::string& why) { return Error{Errc::invalid_argument, why}; };
  const auto& guard = steward_->guard();
  const auto life = guard.rule(rule);
  if (!life || life->state < core::RuleState::approved) return no("the rule is not in force");
  if (life->action.key() != action) return no("the rule does something else now");
  if (guard.stopped(now)) return no("remediation is stopped");
  return Ok{};
}

std::vector<core::Lesson> Remediation::lessons(WallTime now) {
  return curator_->experience(now).lessons();
}

core::Effect Remediation::effect(const std::string& rule, WallTime now) {
  const auto life = steward_->guard().rule(rule);
  return core::effect_of(curator_->experience(now).history(), rule,
                         life ? life->signature : std::string(), now);
}

std::optional<remedy::RuleStory> Remediation::story(const std::string& rule, WallTime now) {
  return remedy::story_of(steward_->guard(), curator_->experience(now), rule, now);
}

std::vector<remedy::RuleStory> Remediation::stories(WallTime now) {
  const remedy::Experience& experience = curator_->experience(now);
  std::vector<remedy::RuleStory> out;
  for (const core::RuleLife& rule : steward_->guard().rules()) {
    auto story = remedy::story_of(steward_->guard(), experience, rule.rule, now);
    if (story) out.push_back(std::move(*story));
  }
  return out;
}

void Remediation::import(std::vector<core::Record> records,
                         std::function<void(Result<Imported>)> done) {
  auto begun = imports_.begin(std::move(records), curator_->history());
  if (!begun.ok()) return done(begun.error());
  store::StateStore::Record kept;
  kept.documents = std::move(begun->documents);
  const Imported counts{begun->records.size(), begun->known};
  if (kept.empty()) return done(counts);
  auto import = std::make_shared<remedy::ImportShelf::Import>(std::move(*begun));
  parts_.keep_asked(std::move(kept), [this, import, counts, done = std::move(done),
                                      alive = std::weak_ptr(alive_)](const Status& written) {
    if (alive.expired()) return;
    if (!written.ok()) {
      imports_.failed(*import);
      return done(written.error());
    }
    imports_.written(*import);
    for (core::Record& record : import->records) take(std::move(record));
    done(counts);
  });
}

void Remediation::take(core::Record record) {
  const std::string id = record.id;
  const auto merged = curator_->import(std::move(record));
  if (merged == core::History::Merge::refused) imports_.let_go(id);
}

void Remediation::forget_let_go() {
  store::StateStore::Record record;
  record.documents = imports_.deletions();
  if (!record.empty()) parts_.keep(std::move(record), [](const Status&) {});
}

}  // namespace nines::agent
