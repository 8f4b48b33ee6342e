// nines-oracle-driver: plays histories told on stdin against SloEngine and prints every number of
// it as JSON lines. The oracle (oracle.py) computes the same numbers by itself and compares.
//
//   case                        forget everything
//   slo KEY=VALUE...            one more SLO for the next start
//   rule KEY=VALUE...           one more alert rule of that SLO
//   exclude drop|reserve FROM_S TO_S   one more exclusion of that SLO
//   start                       an engine of those SLOs: replays the journal of this case by names
//   of
//                               SLOs, restores the alerts of the engine before. Prints
//                               {"start":[names that were refused]}
//   batch MAX_NS SLO:SLOT:GOOD:BAD:COVERED...   applied and put into the journal
//   sketch SLO HOUR VALUE...    likewise
//   eval WATERMARK_NS NOW_NS    prints all there is to know
//   window SLO END_NS LENGTH_S  prints one window
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "nines/slo/engine.hpp"
#include "nines/slo/sketch.hpp"

using namespace nines;
using namespace nines::slo;

namespace {

[[noreturn]] void refuse(const std::string& line) {
  std::cerr << "oracle driver: cannot read: " << line << "\n";
  std::exit(2);
}

using Fields = std::map<std::string, std::string>;

Fields fields_of(std::istringstream& in) {
  Fields fields;
  for (std::string word; in >> word;) {
    const size_t at = word.find('=');
    if (at == std::string::npos) refuse(word);
    fields[word.substr(0, at)] = word.substr(at + 1);
  }
  return fields;
}

// Takes fields out one by one; what is left over in the end is an error of the caller.
class Reader {
 public:
  explicit Reader(Fields fields) : fields_(std::move(fields)) {}
  void text(const char* key, std::string& to) {
    if (const auto value = take(key)) to = *value;
  }
  template <class Int>
  void integer(const char* key, Int& to) {
    if (const auto value = take(key)) to = static_cast<Int>(std::stoll(*value));
  }
  void decimal(const char* key, Decimal& to) {
    const auto value = take(key);
    if (!value) return;
    const auto parsed = Decimal::parse(*value);
    if (!parsed) refuse(*value);
    to = *parsed;
  }
  void finish() const {
    if (!fields_.empty()) refuse(fields_.begin()->first);
  }

 private:
  std::optional<std::string> take(const char* key) {
    const auto it = fields_.find(key);
    if (it == fields_.end()) return std::nullopt;
    std::string value = it->second;
    fields_.erase(it);
    return value;
  }
  Fields fields_;
};

// "1 month Europe/Berlin 1735689600": a count, a unit, a zone, the civil time of one start.
std::shared_ptr<const Calendar> read_calendar(const std::string& text) {
  if (text.empty()) return nullptr;
  std::string spaced = text;
  std::replace(spaced.begin(), spaced.end(), ',', ' ');
  std::istringstream in(spaced);
  int count = 0;
  std::string unit, name;
  int64_t anchor_s = 0;
  in >> count >> unit >> name >> anchor_s;
  TimeZone zone;
  if (name != "UTC") {
    std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    auto read = TimeZone::from_tzif(name, bytes);
    if (!read.ok()) refuse(text);
    zone = *std::move(read);
  }
  const auto kind = unit == "day"    ? Calendar::Unit::day
                    : unit == "week" ? Calendar::Unit::week
                                     : Calendar::Unit::month;
  return std::make_shared<const Calendar>(std::move(zone), kind, count, anchor_s);
}

template <class Enum, size_t N>
Enum choice(const std::string& word, const char* const (&words)[N]) {
  for (size_t i = 0; i < N; ++i) {
    if (word == words[i]) return static_cast<Enum>(i);
  }
  refuse(word);
}

void read_slices(Reader& r, SloSpec& spec) {
  std::string budgeting = "occurrences", on_empty = "good", calendar;
  r.text("budgeting", budgeting);
  r.text("onempty", on_empty);
  r.text("calendar", calendar);
  spec.budgeting = choice<Budgeting>(budgeting, {"occurrences", "timeslices", "ratio_timeslices"});
  spec.slices.on_empty = choice<OnEmpty>(on_empty, {"good", "bad", "skip"});
  r.integer("slice", spec.slices.slice_s);
  r.decimal("slicetarget", spec.slices.target);
  r.integer("floor", spec.slices.floor);
  r.decimal("reserve", spec.reserve);
  spec.calendar = read_calendar(calendar);
}

ExclusionSpec read_exclusion(std::istringstream& in) {
  ExclusionSpec spec;
  std::string effect;
  in >> effect >> spec.once.from_s >> spec.once.to_s;
  spec.effect = choice<ExclusionEffect>(effect, {"drop", "reserve"});
  spec.name = effect;
  return spec;
}

SloSpec read_slo(std::istringstream& in) {
  SloSpec spec;
  Reader r(fields_of(in));
  r.text("name", spec.name);
  r.text("service", spec.service);
  r.integer("tier", spec.tier);
  r.decimal("target", spec.target);
  r.integer("window", spec.window_s);
  r.integer("late", spec.data.late_horizon_s);
  r.integer("stale", spec.data.stale_after_s);
  r.decimal("mincov", spec.data.min_coverage);
  r.integer("minbad", spec.alerts.min_bad);
  r.decimal("sig", spec.alerts.significance);
  r.decimal("resratio", spec.alerts.resolve_ratio);
  r.integer("resevals", spec.alerts.resolve_evaluations);
  r.integer("cooldown", spec.alerts.cooldown_s);
  r.integer("highvalue", spec.alerts.high_value);
  r.decimal("reduce", spec.gate.reduce_below);
  r.decimal("freeze", spec.gate.freeze_below);
  r.decimal("spent", spec.gate.require_spent);
  read_slices(r, spec);
  r.finish();
  return spec;
}

AlertRule read_rule(std::istringstream& in) {
  AlertRule rule;
  Reader r(fields_of(in));
  std::string kind = "burn";
  r.text("kind", kind);
  rule.kind = kind == "budget"      ? RuleKind::budget
              : kind == "threshold" ? RuleKind::threshold
                                    : RuleKind::burn;
  r.text("name", rule.name);
  r.text("severity", rule.severity);
  r.integer("long", rule.long_s);
  r.integer("short", rule.short_s);
  r.integer("for", rule.for_s);
  r.decimal("factor", rule.factor);
  r.finish();
  return rule;
}

class Json {
 public:
  Json& raw(const std::string& text) {
    out_ += text;
    return *this;
  }
  Json& key(const char* name) { return separate().raw("\"").raw(name).raw("\":"), fresh(); }
  Json& open(char bracket) {
    separate();
    out_ += bracket;
    return fresh();
  }
  Json& close(char bracket) {
    out_ += bracket;
    first_ = false;
    return *this;
  }
  Json& value(int64_t v) { return separate().raw(std::to_string(v)); }
  Json& value(uint64_t v) { return separate().raw(std::to_string(v)); }
  Json& value(bool v) { return separate().raw(v ? "true" : "false"); }
  Json& value(double v) {
    char text[64];
    std::snprintf(text, sizeof text, "%.17g", v);
    return separate().raw(text);
  }
  Json& value(std::optional<double> v) { return v ? value(*v) : separate().raw("null"); }
  // Names and sentences of ours: nothing in them needs escaping.
  Json& value(std::string_view v) { return separate().raw("\"").raw(std::string(v)).raw("\""); }
  Json& value(const std::string& v) { return value(std::string_view(v)); }
  void print() {
    out_ += '\n';
    std::fputs(out_.c_str(), stdout);
  }

 private:
  Json& fresh() {
    first_ = true;
    return *this;
  }
  Json& separate() {
    if (!first_ && !out_.empty()) out_ += ',';
    first_ = false;
    return *this;
  }
  std::string out_;
  bool first_ = true;
};

void print_counts(Json& j, const WindowCounts& c) {
  j.open('[').value(c.good).value(c.bad).value(c.covered_s);
  j.value(c.start.seconds()).value(c.end.seconds());
  j.value(c.scale).value(c.dropped_good).value(c.dropped_bad).value(c.forgiven);
  j.value(c.excluded_s).value(c.reserve).value(c.reserved_bad).close(']');
}

void print_window(Json& j, const BurnWindow& w) {
  j.open('[').value(w.window_s);
  print_counts(j, w.counts);
  j.value(w.burn).close(']');
}

void print_rule(Json& j, const RuleState& r) {
  j.open('[').value(r.rule.name);
  print_window(j, r.long_window);
  print_window(j, r.short_window);
  j.value(r.firing).value(r.frozen).value(r.guarded).value(r.probability).value(r.inhibited);
  j.value(r.since.ns).close(']');
}

void print_status(Json& j, const SloStatus& s) {
  j.open('{').key("slo").value(s.slo).key("service").value(s.service);
  j.key("tier").value(int64_t{s.tier}).key("target").value(s.target.to_string());
  j.key("window_s").value(s.window_s).key("window");
  print_counts(j, s.window);
  j.key("events");
  print_counts(j, s.events);
  j.key("period_end").value(s.period_end.seconds()).key("excluded_by").value(s.excluded_by);
  j.key("sli").value(s.sli).key("burns").open('[');
  for (const BurnWindow* w : {&s.burn_5m, &s.burn_1h, &s.burn_24h}) print_window(j, *w);
  j.close(']').key("composite").value(s.composite_burn_rate);
  j.key("consumed").value(s.error_budget_consumed);
  j.key("remaining").value(s.error_budget_remaining);
  j.key("risk").value(risk_name(s.risk)).key("state").value(state_name(s.state));
  j.key("gate").open('[').value(release_name(s.release.decision));
  j.value(release_name(s.release.by_risk)).value(release_name(s.release.by_budget));
  j.value(s.release.risk_waived).value(s.release.no_data).close(']');
  j.key("coverage").value(s.coverage);
  j.key("quantiles").open('[').value(s.p50).value(s.p95).value(s.p99).close(']');
  j.key("timestamp").value(s.timestamp.ns).key("rules").open('[');
  for (const RuleState& r : s.rules) print_rule(j, r);
  j.close(']').close('}');
}

void print_event(Json& j, const AlertEvent& e) {
  j.open('[').value(e.kind == AlertEvent::Kind::fired ? std::string_view("fired") : "resolved");
  j.value(e.slo).value(e.service).value(e.rule).value(e.severity);
  j.value(e.at.ns).value(e.since.ns).value(e.summary);
  j.value(int64_t{e.priority}).close(']');
}

class Driver {
 public:
  void line(const std::string& text) {
    std::istringstream in(text);
    std::string verb;
    in >> verb;
    if (verb == "case")
      *this = Driver();
    else if (verb == "slo")
      specs_.push_back(read_slo(in));
    else if (verb == "rule" && !specs_.empty())
      specs_.back().alerts.rules.push_back(read_rule(in));
    else if (verb == "exclude" && !specs_.empty())
      specs_.back().exclusions.push_back(read_exclusion(in));
    else if (verb == "start")
      start();
    else if (verb == "batch")
      batch(in);
    else if (verb == "sketch")
      sketch(in);
    else if (verb == "eval")
      evaluate(in);
    else if (verb == "window")
      window(in);
    else
      refuse(text);
  }

 private:
  struct Entry {
    std::vector<std::string> names;  // of the SLOs by the indices in `batch`
    Batch batch;
  };

  void start() {
    const std::vector<AlertMemory> memory =
        engine_ ? engine_->save_alerts() : std::vector<AlertMemory>{};
    engine_ = std::make_unique<SloEngine>();
    names_.clear();
    Json j;
    j.open('{').key("start").open('[');
    for (SloSpec& spec : specs_) {
      std::string name = spec.name;
      if (engine_->add(std::move(spec)).ok())
        names_.push_back(name);
      else
        j.value(name);
    }
    j.close(']').close('}').print();
    specs_.clear();
    for (const Entry& entry : journal_) replay(entry);
    engine_->restore_alerts(memory);
  }

  // As a store does it: counts of SLOs that are no more are left out.
  void replay(const Entry& entry) {
    Batch batch;
    batch.max_event_time = entry.batch.max_event_time;
    const auto index_now = [&](uint32_t index) {
      const std::string name = index < entry.names.size() ? entry.names[index] : std::string();
      return static_cast<uint32_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
    };
    for (SlotDelta d : entry.batch.slots) {
      if ((d.slo = index_now(d.slo)) < names_.size()) batch.slots.push_back(d);
    }
    for (SketchDelta d : entry.batch.sketches) {
      if ((d.slo = index_now(d.slo)) < names_.size()) batch.sketches.push_back(d);
    }
    batch.normalize();
    engine_->apply(batch);
  }

  void apply(Batch&& batch) {
    if (!engine_) refuse("batch before start");
    batch.normalize();
    engine_->apply(batch);
    journal_.push_back({names_, std::move(batch)});
  }

  void batch(std::istringstream& in) {
    Batch batch;
    in >> batch.max_event_time.ns;
    for (SlotDelta d; in >> d.slo;) {
      char colon = 0;
      in >> colon >> d.slot >> colon >> d.good >> colon >> d.bad >> colon >> d.covered_s;
      batch.slots.push_back(d);
    }
    apply(std::move(batch));
  }

  void sketch(std::istringstream& in) {
    SketchDelta d;
    in >> d.slo >> d.hour;
    for (double v; in >> v;) d.bins.emplace_back(sketch_index(v), 1U);
    Batch batch;
    batch.sketches.push_back(std::move(d));
    apply(std::move(batch));
  }

  void evaluate(std::istringstream& in) {
    WallTime watermark, now;
    in >> watermark.ns >> now.ns;
    if (!engine_) refuse("eval before start");
    std::vector<AlertEvent> events;
    engine_->evaluate(watermark, now, events);
    Json j;
    j.open('{').key("slos").open('[');
    for (uint32_t i = 0; i < names_.size(); ++i) print_status(j, engine_->status(i));
    j.close(']').key("events").open('[');
    for (const AlertEvent& e : events) print_event(j, e);
    const SloEngine::Counters c = engine_->counters();
    j.close(']').key("counters").open('[').value(c.late).value(c.dropped_late).value(c.skewed);
    j.value(c.unknown).value(c.saturated).close(']').close('}').print();
  }

  void window(std::istringstream& in) {
    uint32_t slo = 0;
    WallTime end;
    int64_t length_s = 0;
    in >> slo >> end.ns >> length_s;
    if (!engine_ || slo >= names_.size()) refuse("window of no SLO");
    Json j;
    j.open('{').key("counts");
    print_counts(j, engine_->window(slo, end, length_s));
    j.close('}').print();
  }

  std::vector<SloSpec> specs_;  // for the next start
  std::vector<std::string> names_;
  std::unique_ptr<SloEngine> engine_;
  std::vector<Entry> journal_;
};

}  // namespace

int main() {
  Driver driver;
  for (std::string line; std::getline(std::cin, line);) driver.line(line);
  return 0;
}
