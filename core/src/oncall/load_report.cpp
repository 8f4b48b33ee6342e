#include "nines/oncall/load_report.hpp"

#include <algorithm>
#include <map>

namespace nines::oncall {
namespace {

constexpr int64_t kBriefS = 300, kWithinS = 86400;
constexpr int64_t kFewest = 4;  // pages of a rule that is worth a word

std::optional<int64_t> median_of(std::vector<int64_t> values) {
  if (values.empty()) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Pages within any 24 h that end with one of them.
int64_t most_in_a_day(const std::vector<int64_t>& times) {
  int64_t most = 0;
  size_t first = 0;
  for (size_t i = 0; i < times.size(); ++i) {
    while (times[i] - times[first] >= kWithinS) ++first;
    most = std::max(most, static_cast<int64_t>(i - first + 1));
  }
  return most;
}

using Rules = std::map<uint32_t, NoisyRule>;

void count_rule(const PageLedger::Entry& page, const PageLedger& ledger, Rules& rules) {
  if (page.signature == 0) return;
  NoisyRule& rule = rules[page.signature];
  if (rule.pages == 0) rule.signature = ledger.name(page.signature);
  ++rule.pages;
  rule.night_pages += page.night ? 1 : 0;
  rule.unanswered += page.acknowledged_s == 0 ? 1 : 0;
  if (!page.by_itself || page.over_s == 0) return;
  ++rule.by_itself;
  rule.brief += page.over_s - page.at_s <= kBriefS ? 1 : 0;
}

PersonLoad load_of(uint32_t person, const PageLedger& ledger, const Span& span, Rules& rules,
                   std::vector<int64_t>& all_acks) {
  PersonLoad out;
  out.person = person;
  std::vector<int64_t> acks, times;
  for (const PageLedger::Entry& page : ledger.pages_of(person)) {
    if (!span.holds(page.at_s)) continue;
    ++out.pages;
    out.night_pages += page.night ? 1 : 0;
    out.resolved += page.resolved ? 1 : 0;
    times.push_back(page.at_s);
    if (page.acknowledged_s != 0) {
      acks.push_back(std::max<int64_t>(0, page.acknowledged_s - page.at_s));
    }
    count_rule(page, ledger, rules);
  }
  out.acknowledged = static_cast<int64_t>(acks.size());
  out.median_ack_s = median_of(acks);
  if (!acks.empty()) out.slowest_ack_s = *std::max_element(acks.begin(), acks.end());
  out.fatigue_milli = ledger.fatigue_milli(person, span.to_s);
  out.most_in_a_day = most_in_a_day(times);
  all_acks.insert(all_acks.end(), acks.begin(), acks.end());
  return out;
}

std::string hint_of(const NoisyRule& rule) {
  const auto share = [&](int64_t part) {
    return std::to_string(part) + " of " + std::to_string(rule.pages);
  };
  if (2 * rule.brief >= rule.pages) {
    return share(rule.brief) +
           " were over by themselves within 5 minutes: let the condition hold for longer before it "
           "pages";
  }
  if (2 * rule.by_itself >= rule.pages) {
    return share(rule.by_itself) +
           " were over without anybody's doing: make it a ticket, or raise its threshold";
  }
  if (2 * rule.unanswered >= rule.pages) {
    return share(rule.unanswered) + " were acknowledged by nobody: does it need a person?";
  }
  if (2 * rule.night_pages >= rule.pages) {
    return share(rule.night_pages) + " came at night: can it wait for the morning (P2)?";
  }
  return {};
}

std::vector<NoisyRule> noisy_of(const Rules& rules) {
  std::vector<NoisyRule> out;
  for (const auto& [id, counted] : rules) {
    if (counted.pages < kFewest) continue;
    NoisyRule rule = counted;
    rule.hint = hint_of(rule);
    if (!rule.hint.empty()) out.push_back(std::move(rule));
  }
  std::sort(out.begin(), out.end(), [](const NoisyRule& a, const NoisyRule& b) {
    const int64_t a_needless = a.by_itself + a.unanswered, b_needless = b.by_itself + b.unanswered;
    if (a_needless != b_needless) return a_needless > b_needless;
    return a.pages != b.pages ? a.pages > b.pages : a.signature < b.signature;
  });
  if (out.size() > LoadReport::kMaxRules) out.resize(LoadReport::kMaxRules);
  return out;
}

void write_person(JsonWriter& out, const Plan& plan, const PersonLoad& one) {
  out.begin_object().member("person", plan.roster->people[one.person].id);
  out.member("on_call_s", one.on_call_s).member("pages", one.pages);
  out.member("night_pages", one.night_pages).member("acknowledged", one.acknowledged);
  out.member("resolved", one.resolved);
  out.key("median_ack_s");
  one.median_ack_s ? out.value(*one.median_ack_s) : out.null();
  out.key("slowest_ack_s");
  one.slowest_ack_s ? out.value(*one.slowest_ack_s) : out.null();
  out.member("fatigue", Decimal{one.fatigue_milli, -3});
  out.member("most_in_a_day", one.most_in_a_day).end_object();
}

}  // namespace

// G = (2 * sum(i * x_i) / (n * sum(x))) - (n + 1) / n, with x ascending and i from 1.
int64_t gini_milli(std::vector<int64_t> values) {
  std::sort(values.begin(), values.end());
  const auto count = static_cast<int64_t>(values.size());
  // Seconds on call by 64 schedules in 400 days, of 500 people, times 1000: below 2^60.
  int64_t weighted = 0, sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    weighted += (i + 1) * values[static_cast<size_t>(i)];
    sum += values[static_cast<size_t>(i)];
  }
  if (sum == 0) return 0;
  return (weighted * 2 - sum * (count + 1)) * 1000 / (sum * count);
}

Result<LoadReport> load_report(const Plan& plan, const PageLedger& ledger, const Span& span) {
  LoadReport out;
  out.span = span;
  Rules rules;
  std::vector<int64_t> acks, pages, nights, hours;
  for (uint32_t i = 0; i < plan.roster->people.size(); ++i) {
    out.people.push_back(load_of(i, ledger, span, rules, acks));
  }
  for (const Schedule& schedule : plan.schedules) {
    NINES_TRY(const auto shifts, schedule.shifts(span.from_s, span.to_s));
    for (const Shift& shift : shifts) {
      if (shift.duty.person == kNobody) continue;
      out.people[shift.duty.person].on_call_s += shift.span.to_s - shift.span.from_s;
    }
  }
  for (const PersonLoad& one : out.people) {
    out.pages += one.pages;
    out.night_pages += one.night_pages;
    pages.push_back(one.pages);
    nights.push_back(one.night_pages);
    hours.push_back(one.on_call_s);
  }
  out.gini_pages_milli = gini_milli(pages);
  out.gini_nights_milli = gini_milli(nights);
  out.gini_hours_milli = gini_milli(hours);
  out.median_ack_s = median_of(acks);
  out.rules = noisy_of(rules);
  std::stable_sort(out.people.begin(), out.people.end(),
                   [](const PersonLoad& a, const PersonLoad& b) { return a.pages > b.pages; });
  return out;
}

void write_json(JsonWriter& out, const Plan& plan, const LoadReport& report) {
  out.begin_object().member("from", WallTime::from_s(report.span.from_s));
  out.member("to", WallTime::from_s(report.span.to_s));
  out.member("pages", report.pages).member("night_pages", report.night_pages);
  out.member("gini_pages", Decimal{report.gini_pages_milli, -3});
  out.member("gini_night_pages", Decimal{report.gini_nights_milli, -3});
  out.member("gini_on_call", Decimal{report.gini_hours_milli, -3});
  out.key("median_ack_s");
  report.median_ack_s ? out.value(*report.median_ack_s) : out.null();
  out.key("people").begin_array();
  for (const PersonLoad& one : report.people) write_person(out, plan, one);
  out.end_array().key("noisy_rules").begin_array();
  for (const NoisyRule& rule : report.rules) {
    out.begin_object().member("signature", rule.signature).member("pages", rule.pages);
    out.member("night_pages", rule.night_pages).member("unanswered", rule.unanswered);
    out.member("by_itself", rule.by_itself).member("brief", rule.brief);
    out.member("hint", rule.hint).end_object();
  }
  out.end_array().end_object();
}

}  // namespace nines::oncall
