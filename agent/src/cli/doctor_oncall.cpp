// What `nines doctor` finds about on-call: that somebody always is, and can be told.
#include "cli/doctor.hpp"
#include "config/oncall.hpp"
#include "nines/log/format.hpp"

namespace nines::agent {
namespace {

namespace oncall = nines::oncall;

constexpr int64_t kAheadS = 7 * 86400;
constexpr size_t kMostNamed = 5;

std::string instant_text(int64_t at_s) { return format_rfc3339(WallTime::from_s(at_s)); }

std::string listed(const std::vector<std::string>& all) {
  std::string out;
  for (size_t i = 0; i < all.size() && i < kMostNamed; ++i) out += (i == 0 ? "" : ", ") + all[i];
  return all.size() > kMostNamed ? out + " and " + std::to_string(all.size() - kMostNamed) + " more"
                                 : out;
}

void check_gaps(const oncall::Plan& plan, int64_t now_s, std::vector<Check>& checks) {
  std::vector<std::string> gaps;
  for (const oncall::Schedule& schedule : plan.schedules) {
    const auto found = schedule.check(now_s, now_s + kAheadS);
    if (!found.ok()) {
      gaps.push_back(schedule.name() + ": " + found.error().message);
      continue;
    }
    for (const oncall::ScheduleFinding& one : *found) {
      if (one.kind != oncall::ScheduleFinding::Kind::gap) continue;
      gaps.push_back(schedule.name() + " from " + instant_text(one.span.from_s) + " to " +
                     instant_text(one.span.to_s));
    }
  }
  if (gaps.empty()) return;
  checks.push_back({"on-call", Verdict::warning, "nobody is on call: " + listed(gaps),
                    "add a layer or an override; nines oncall shifts shows all"});
}

void check_people(const oncall::Plan& plan, std::vector<Check>& checks) {
  std::vector<std::string> unreachable;
  for (const oncall::Person& person : plan.roster->people) {
    if (person.notify.empty()) unreachable.push_back(person.id);
  }
  if (unreachable.empty()) return;
  checks.push_back({"on-call", Verdict::warning, "cannot be told: " + listed(unreachable),
                    "give them notify: [NOTIFIER]; until then pages go to the next person"});
}

}  // namespace

void check_oncall(const Loaded& loaded, WallTime now, std::vector<Check>& checks) {
  const NodeConfig& node = loaded.node;
  if (node.oncall.file.empty()) return;
  std::vector<Diagnostic> diagnostics;  // what is wrong there stands under "configuration", too
  const auto plan = config::load_oncall(node.oncall.file, diagnostics);
  if (!plan) {
    checks.push_back({"on-call", Verdict::problem,
                      diagnostics.empty() ? node.oncall.file : to_string(diagnostics.front()),
                      "mend it; nines oncall who tells whether it is right"});
    return;
  }
  const size_t before = checks.size();
  if (!node.incidents.enabled || node.incidents.notify == "none") {
    checks.push_back({"on-call", Verdict::warning, "nobody is told by it: incidents are not told",
                      "incidents: {enabled: true, notify: conditions}"});
  }
  check_gaps(*plan, now.seconds(), checks);
  check_people(*plan, checks);
  if (checks.size() > before) return;
  checks.push_back({"on-call", Verdict::ok,
                    std::to_string(plan->roster->people.size()) + " people, " +
                        std::to_string(plan->schedules.size()) + " schedule(s), no gap in 7 days",
                    ""});
}

}  // namespace nines::agent
