#include "nines/remedy/effect.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "nines/remedy/signature.hpp"

namespace nines::remedy {
namespace {

// One incident as the rule, or the others, had it.
struct Course {
  const Record* last = nullptr;  // what decided
  bool with_rule = false;
};

struct Side {
  uint64_t good = 0, n = 0, censored = 0;
  std::vector<const Record*> records;  // in their order

  void add(const Record& r) {
    ++n;
    if (r.outcome == Outcome::resolved) ++good;
    if (r.censored) ++censored;
    records.push_back(&r);
  }
  std::vector<double> times(size_t most, double worst) const {
    std::vector<double> out;
    const size_t from = records.size() > most ? records.size() - most : 0;
    for (size_t i = from; i < records.size(); ++i) {
      out.push_back(records[i]->censored ? worst : static_cast<double>(records[i]->recover_s));
    }
    return out;
  }
};

// What people were busy with such an incident, in the middle.
void measure_hands_on(const Side& without, const EffectRules& rules, Effect& e) {
  std::vector<int64_t> busy;
  for (const Record* r : without.records) {
    if (r->hands_on_s >= 0) busy.push_back(r->hands_on_s);
  }
  e.hands_on_s = rules.hands_on_s;
  if (busy.empty() || busy.size() < rules.hands_on_n) return;
  const auto middle = busy.begin() + static_cast<std::ptrdiff_t>(busy.size() / 2);
  std::nth_element(busy.begin(), middle, busy.end());
  e.hands_on_s = *middle;
  e.hands_on_n = busy.size();
}

double median(std::vector<double> times) {
  if (times.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(times.begin(), times.end());
  return (times[(times.size() - 1) / 2] + times[times.size() / 2]) / 2;
}

std::string percent(double share) {
  const auto tenths = static_cast<int64_t>(std::llround(share * 1000));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

std::string seconds(double s) {
  return std::isfinite(s) ? std::to_string(static_cast<int64_t>(std::llround(s))) + " s"
                          : "unknown";
}

std::string p_text(double p) {
  if (p < 0.001) return "< 0.001";
  const auto thousandths = std::to_string(1000 + std::llround(p * 1000));
  return p >= 0.9995 ? "1" : "0." + thousandths.substr(1);
}

std::string shares(uint64_t good, uint64_t n, const Interval& interval) {
  return std::to_string(good) + " of " + std::to_string(n) + " (95 %: " + percent(interval.low) +
         " to " + percent(interval.high) + ")";
}

std::string verdict_of(const Effect& e, const EffectRules& rules) {
  if (e.failures >= rules.failures_in_a_row) {
    return "it failed " + std::to_string(e.failures) + " times in a row";
  }
  if (e.base_n < rules.base_n || e.n == 0) return {};
  const double base = static_cast<double>(e.base_good) / static_cast<double>(e.base_n);
  if (e.success.high < base) {
    return "at best " + percent(e.success.high) + " go well with it, " + percent(base) +
           " did without";
  }
  if (std::isfinite(e.change.interval.low) && e.change.interval.low > 0) {
    return "it takes at least " + seconds(e.change.interval.low) + " longer than without";
  }
  return {};
}

}  // namespace

Effect effect_of(const History& history, std::string_view rule, std::string_view signature,
                 WallTime now, const EffectRules& rules) {
  Effect e;
  e.rule = rule;
  e.signature = signature;
  std::map<std::string, Course> courses;
  std::vector<std::string> order;
  WallTime first{};
  history.each([&](const Record& r) {
    const bool by_rule = r.actor == Actor::rule && r.rule == rule;
    if (r.outcome == Outcome::unknown || (!by_rule && !covers(signature, r.signature))) return;
    const std::string& id = r.incident.empty() ? r.id : r.incident;
    const auto [at, news] = courses.try_emplace(id);
    if (news) order.push_back(id);
    Course& course = at->second;
    // An incident in which the rule acted is the rule's: what people did after it had failed does
    // not mend its record.
    if (by_rule || !course.with_rule) course.last = &r;
    course.with_rule = course.with_rule || by_rule;
    if (by_rule && first == WallTime{}) first = r.at;
  });
  Side with, without;
  for (const std::string& id : order) {
    const Course& course = courses[id];
    (course.with_rule ? with : without).add(*course.last);
    if (!course.with_rule) continue;
    e.judged = std::max(e.judged, course.last->judged);
    e.failures = course.last->outcome == Outcome::failed ? e.failures + 1 : 0;
  }
  double worst = 0;
  for (const Side* side : {&with, &without}) {
    for (const Record* r : side->records)
      worst = std::max(worst, static_cast<double>(r->recover_s));
  }
  const auto ours = with.times(rules.most_times, worst);
  const auto others = without.times(rules.most_times, worst);
  e.good = with.good, e.n = with.n, e.censored = with.censored;
  e.base_good = without.good, e.base_n = without.n, e.base_censored = without.censored;
  e.success = wilson(e.good, e.n);
  e.base = wilson(e.base_good, e.base_n);
  e.median_s = median(ours);
  e.base_median_s = median(others);
  e.change = hodges_lehmann(ours, others);
  e.p_change = mann_whitney(ours, others).p();
  measure_hands_on(without, rules, e);
  e.toil_saved_s = static_cast<int64_t>(e.good) * e.hands_on_s;
  const double days = std::max(1.0, static_cast<double>(now.ns - first.ns) / 86'400e9);
  e.toil_saved_s_month =
      e.n > 0 ? static_cast<double>(e.toil_saved_s) * 30 / std::max(days, 30.0) : 0;
  e.demote = verdict_of(e, rules);
  return e;
}

void write_json(JsonWriter& out, const Effect& e) {
  const auto interval = [&](std::string_view name, const Interval& i) {
    out.key(name).begin_array().value(i.low).value(i.high).end_array();
  };
  out.begin_object().member("rule", e.rule).member("signature", e.signature);
  out.member("good", e.good).member("n", e.n);
  interval("success_95", e.success);
  out.member("base_good", e.base_good).member("base_n", e.base_n);
  interval("base_95", e.base);
  out.member("median_recover_s", e.median_s).member("base_median_recover_s", e.base_median_s);
  out.member("not_recovered", e.censored).member("base_not_recovered", e.base_censored);
  out.member("change_s", e.change.median);
  interval("change_95_s", e.change.interval);
  out.member("p_change", e.p_change);
  out.member("hands_on_s", e.hands_on_s).member("hands_on_n", e.hands_on_n);
  out.member("toil_saved_s", e.toil_saved_s);
  out.member("toil_saved_s_month", e.toil_saved_s_month).member("failures_in_a_row", e.failures);
  out.key("demote");
  e.demote.empty() ? out.null() : out.value(e.demote);
  out.end_object();
}

std::string to_text(const Effect& e) {
  std::string out = e.rule + " on " + e.signature + "\n  went well     " +
                    shares(e.good, e.n, e.success) + "\n  without it    " +
                    shares(e.base_good, e.base_n, e.base) + "\n  recovered in  " +
                    seconds(e.median_s) + ", without it " + seconds(e.base_median_s);
  if (std::isfinite(e.change.median)) {
    out += "; change " + seconds(e.change.median) + " (95 %: " + seconds(e.change.interval.low) +
           " to " + seconds(e.change.interval.high) + "), p " + p_text(e.p_change);
  }
  out += "\n  toil saved    " + std::to_string(e.toil_saved_s / 60) + " min (" +
         std::to_string(e.good) + " times " + seconds(static_cast<double>(e.hands_on_s)) +
         (e.hands_on_n > 0 ? ", the median of " + std::to_string(e.hands_on_n) + " by people)"
                           : ", assumed)") +
         "\n";
  if (!e.demote.empty()) out += "  back to shadow: " + e.demote + "\n";
  return out;
}

}  // namespace nines::remedy
