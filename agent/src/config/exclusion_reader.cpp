#include "config/exclusion_reader.hpp"

#include <set>

#include "config/zones.hpp"
#include "nines/base/time.hpp"

namespace nines::agent::config {
namespace {

constexpr int64_t kDay = 86400;
constexpr int64_t kLongest = 31 * kDay;
constexpr size_t kMost = 64;

class ExclusionReader {
 public:
  ExclusionReader(const YamlNode& node, const std::string& title, Reporter& report)
      : reader_(node, "an exclusion of " + title, report), report_(report) {}

  std::optional<slo::ExclusionSpec> read() {
    if (!reader_.is_map()) return std::nullopt;
    const size_t errors = report_.errors();
    slo::ExclusionSpec out;
    if (const YamlNode* name = reader_.require("name", "name: db-migration")) {
      out.name = read_text(*name, what("name"), report_).value_or("");
    }
    if (const YamlNode* reason = reader_.find("reason")) {
      out.reason = read_text(*reason, what("reason"), report_).value_or("");
    }
    if (const YamlNode* effect = reader_.find("effect")) {
      const auto word = read_choice(*effect, what("effect"), {"drop", "reserve"}, report_);
      if (word == "reserve") out.effect = slo::ExclusionEffect::reserve;
    }
    if (const YamlNode* rule = reader_.find("rrule")) {
      read_recurring(*rule, out);
    } else {
      read_once(out);
    }
    reader_.finish();
    if (report_.errors() != errors) return std::nullopt;
    return out;
  }

 private:
  std::string what(const char* key) const {
    return "'" + std::string(key) + "' of " + reader_.what();
  }

  void read_once(slo::ExclusionSpec& out) {
    const char* const shape = "from: \"2026-03-01T22:00:00Z\", to: ..., or rrule: ...";
    const YamlNode* from = reader_.require("from", shape);
    const YamlNode* to = reader_.require("to", shape);
    if (from == nullptr || to == nullptr) return;
    const auto begin = read_instant(*from, what("from"), report_);
    const auto end = read_instant(*to, what("to"), report_);
    if (!begin || !end) return;
    if (*end <= *begin || *end - *begin > kLongest) {
      report_.error(*to,
                    what("to") + " must lie behind 'from', by 31d at most, found " + describe(*to));
      return;
    }
    out.once = {*begin, *end};
    out.text = from->text + "/" + to->text;
  }

  void read_recurring(const YamlNode& rule, slo::ExclusionSpec& out) {
    slo::Recurrence::Start start;
    const YamlNode* at = reader_.require("start", "start: \"03:00\"");
    const YamlNode* duration = reader_.require("duration", "duration: 30m");
    if (const YamlNode* zone = reader_.find("timeZone")) {
      start.zone = read_time_zone(*zone, what("timeZone"), report_).value_or(TimeZone());
    }
    if (const YamlNode* from = reader_.find("from")) {
      if (const auto s = read_civil_time(*from, what("from"), report_)) {
        start.first = civil_from_days(*s / kDay);
      }
    }
    const auto text = read_text(rule, what("rrule"), report_);
    if (at == nullptr || duration == nullptr || !text) return;
    const auto second = read_time_of_day(*at, what("start"), report_);
    const auto seconds = read_duration_s(*duration, what("duration"), 60, kLongest, report_);
    if (!second || !seconds) return;
    start.second_of_day = *second;
    start.duration_s = *seconds;
    const std::string zone = start.zone.name();
    auto parsed = slo::Recurrence::parse(*text, std::move(start));
    if (!parsed.ok()) {
      report_.error(rule, what("rrule") + ": " + parsed.error().message,
                    "like FREQ=WEEKLY;BYDAY=SU (RFC 5545)");
      return;
    }
    out.rule = std::make_shared<slo::Recurrence>(std::move(*parsed));
    out.text = *text + " " + at->text + " " + zone + " for " + duration->text;
    if (const YamlNode* from = reader_.find("from")) out.text += " from " + from->text;
  }

  MapReader reader_;
  Reporter& report_;
};

}  // namespace

std::optional<std::vector<slo::ExclusionSpec>> read_exclusions(const YamlNode& node,
                                                               const std::string& title,
                                                               Reporter& report) {
  const size_t errors = report.errors();
  const auto items = read_list(node, "exclusions of " + title, report);
  std::vector<slo::ExclusionSpec> out;
  std::set<std::string> names;
  if (items.size() > kMost) {
    report.error(node, "exclusions of " + title + " are more than " + std::to_string(kMost),
                 "take those away that are over for longer than the window");
  }
  for (const YamlNode* item : items) {
    auto one = ExclusionReader(*item, title, report).read();
    if (!one) continue;
    if (!names.insert(one->name).second) {
      report.error(*item, "exclusions of " + title + " has two named '" + one->name + "'");
    }
    out.push_back(std::move(*one));
  }
  if (report.errors() != errors) return std::nullopt;
  return out;
}

}  // namespace nines::agent::config
