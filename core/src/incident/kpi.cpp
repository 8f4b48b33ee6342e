#include "nines/incident/kpi.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "incident/text.hpp"
#include "nines/incident/change_suspects.hpp"
#include "nines/incident/current_evidence.hpp"

namespace nines::incident {
namespace {

TimeTo time_to(std::vector<int64_t>& seconds) {
  TimeTo out;
  out.count = static_cast<int64_t>(seconds.size());
  if (seconds.empty()) return out;
  std::sort(seconds.begin(), seconds.end());
  double sum = 0;
  for (const int64_t s : seconds) sum += static_cast<double>(s);
  out.mean = sum / static_cast<double>(seconds.size());
  const size_t half = seconds.size() / 2;
  out.median = static_cast<double>(seconds[half]);
  if (seconds.size() % 2 == 0) {
    out.median = (*out.median + static_cast<double>(seconds[half - 1])) / 2;
  }
  return out;
}

WallTime recovered_at(const Incident& i) {
  if (!i.over()) return {};
  return i.recovered != WallTime{} ? i.recovered : i.resolved;
}

SeverityKpis of_severity(const std::vector<const Incident*>& incidents, int severity) {
  SeverityKpis out;
  std::vector<int64_t> detect, acknowledge, mitigate, recover;
  const auto add = [](std::vector<int64_t>& to, WallTime from, WallTime until) {
    if (until != WallTime{} && until >= from) to.push_back(seconds_between(from, until));
  };
  for (const Incident* i : incidents) {
    if (severity >= 0 && i->severity != severity) continue;
    ++out.incidents;
    out.open += i->over() ? 0 : 1;
    out.reopened += i->reopens > 0 ? 1 : 0;
    add(detect, i->began, i->opened);
    add(acknowledge, i->opened, i->first_acknowledged);
    add(mitigate, i->began, i->mitigated);
    add(recover, i->began, recovered_at(*i));
  }
  out.detect = time_to(detect);
  out.acknowledge = time_to(acknowledge);
  out.mitigate = time_to(mitigate);
  out.recover = time_to(recover);
  return out;
}

// The first suspect is a deploy of that service: what a deploy breaks is often noticed by others.
bool suspects_deploy(const Incident& incident, const std::string& service) {
  const auto suspects = current_evidence(incident).suspects;
  if (suspects.empty()) return false;
  const std::string* const kind = suspects[0]->entry.detail("kind");
  const std::string* const of = suspects[0]->entry.detail("service");
  return kind != nullptr && *kind == "deploy" && of != nullptr && *of == service;
}

bool broke(const slo::Change& change, const std::vector<Incident>& incidents) {
  return std::any_of(incidents.begin(), incidents.end(), [&](const Incident& i) {
    const int64_t after = seconds_between(change.at, i.began);
    if (i.severity > 2 || after > kChangeWatch_s) return false;
    return after >= 0 ? i.concerns(change.service) || suspects_deploy(i, change.service)
                      : after >= -kOnsetErrorS && suspects_deploy(i, change.service);
  });
}

void count_changes(Kpis& out, const std::vector<Incident>& incidents,
                   const std::vector<slo::Change>& changes) {
  for (const slo::Change& c : changes) {
    if (c.kind != slo::ChangeKind::deploy || c.at < out.from || c.at >= out.to) continue;
    ++out.changes;
    out.changes_failed += broke(c, incidents) ? 1 : 0;
  }
  if (out.changes > 0) {
    out.change_success =
        static_cast<double>(out.changes - out.changes_failed) / static_cast<double>(out.changes);
  }
}

void count_repeats(Kpis& out, const std::vector<const Incident*>& incidents) {
  std::map<std::string, Repeat> seen;
  for (const Incident* i : incidents) {
    Repeat& r = seen[i->signature()];
    r.signature = i->signature();
    ++r.times;
    r.ids.push_back(i->id);
  }
  for (auto& [signature, repeat] : seen) {
    if (repeat.times > 1) out.repeats.push_back(std::move(repeat));
  }
  std::stable_sort(out.repeats.begin(), out.repeats.end(),
                   [](const Repeat& a, const Repeat& b) { return a.times > b.times; });
}

void count_urgent(Kpis& out, const std::vector<const Incident*>& incidents) {
  for (const Incident* i : incidents) {
    const WallTime end = recovered_at(*i);
    if (i->severity > 1 || end == WallTime{}) continue;
    ++out.urgent;
    out.urgent_in_time += seconds_between(i->began, end) < kUrgentTarget_s ? 1 : 0;
  }
  if (out.urgent > 0) {
    out.urgent_share = static_cast<double>(out.urgent_in_time) / static_cast<double>(out.urgent);
  }
}

void write_time(JsonWriter& out, std::string_view name, const TimeTo& time) {
  out.key(name).begin_object().member("count", time.count);
  out.member("mean_seconds", time.mean).member("median_seconds", time.median).end_object();
}

void write_severity(JsonWriter& out, const SeverityKpis& k) {
  out.begin_object().member("incidents", k.incidents).member("open", k.open);
  out.member("reopened", k.reopened);
  write_time(out, "mttd", k.detect);
  write_time(out, "mtta", k.acknowledge);
  write_time(out, "mttm", k.mitigate);
  write_time(out, "mttr", k.recover);
  out.end_object();
}

}  // namespace

Kpis kpis_of(const std::vector<Incident>& incidents, const std::vector<slo::Change>& changes,
             WallTime from, WallTime to, WallTime now) {
  Kpis out;
  out.from = from;
  out.to = to;
  std::vector<const Incident*> within;
  for (const Incident& i : incidents) {
    if (i.opened >= from && i.opened < to) within.push_back(&i);
  }
  std::sort(within.begin(), within.end(), [](const Incident* a, const Incident* b) {
    return std::tie(a->opened, a->key) < std::tie(b->opened, b->key);
  });
  out.all = of_severity(within, -1);
  for (int p = 0; p < 4; ++p) out.by_severity[p] = of_severity(within, p);
  count_urgent(out, within);
  count_changes(out, incidents, changes);
  count_repeats(out, within);
  for (const Incident* i : within) {
    for (const ActionItem& item : i->items) {
      ++out.items;
      out.items_done += item.done != WallTime{} ? 1 : 0;
      out.items_overdue += item.overdue(now) ? 1 : 0;
    }
  }
  return out;
}

void write_json(JsonWriter& out, const Kpis& k) {
  out.begin_object().member("from", k.from).member("to", k.to).key("all");
  write_severity(out, k.all);
  out.key("by_severity").begin_object();
  for (int p = 0; p < 4; ++p) {
    out.key(priority_text(p));
    write_severity(out, k.by_severity[p]);
  }
  out.end_object().key("urgent").begin_object();
  out.member("recovered", k.urgent).member("within_target", k.urgent_in_time);
  out.member("target_seconds", kUrgentTarget_s).member("share", k.urgent_share).end_object();
  out.key("changes").begin_object().member("deploys", k.changes);
  out.member("followed_by_incident", k.changes_failed).member("success", k.change_success);
  out.end_object().key("repeats").begin_array();
  for (const Repeat& r : k.repeats) {
    out.begin_object().member("signature", r.signature).member("times", r.times);
    out.key("incidents").begin_array();
    for (const std::string& id : r.ids) out.value(id);
    out.end_array().end_object();
  }
  out.end_array().key("action_items").begin_object().member("all", k.items);
  out.member("done", k.items_done).member("overdue", k.items_overdue).end_object();
  out.end_object();
}

}  // namespace nines::incident
