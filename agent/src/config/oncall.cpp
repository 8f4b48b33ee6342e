#include "config/oncall.hpp"

#include <algorithm>

#include "config/files.hpp"
#include "config/oncall_reader.hpp"
#include "config/zones.hpp"

namespace nines::agent::config {

namespace oncall = nines::oncall;

namespace {

constexpr const char* kPriorities[] = {"P0", "P1", "P2", "P3"};
constexpr int64_t kLongestS = 30 * 86400;

}  // namespace

std::optional<oncall::Plan> OncallReader::read(const YamlNode& root) {
  const size_t errors = report_.errors();
  MapReader reader(root, "the on-call document", report_);
  const YamlNode* people = reader.require("people", "people: [{id: anna}]");
  const YamlNode* holidays = reader.find("holidays");
  const YamlNode* schedules = reader.require("schedules", "schedules: [{name: primary, ...}]");
  const YamlNode* policies = reader.require("policies", "policies: [{name: all, levels: [...]}]");
  const YamlNode* weights = reader.find("weights");
  reader.finish();
  plan_.roster = roster_;
  if (people != nullptr) read_people(*people);
  if (holidays != nullptr) holidays_ = holidays_of(*holidays, "'holidays'");
  const auto each = [&](const YamlNode* node, const char* key, size_t most, auto read_one) {
    if (node == nullptr) return;
    const std::string what = "'" + std::string(key) + "' of the on-call document";
    const auto items = read_list(*node, what, report_);
    if (items.size() > most) {
      report_.error(*node, what + " has more than " + std::to_string(most) + " entries");
      return;
    }
    for (const YamlNode* item : items) read_one(*item);
  };
  each(schedules, "schedules", oncall::Plan::kMaxSchedules,
       [&](const YamlNode& item) { read_schedule(item); });
  // Of a schedule that has errors nothing more is to be said where policies name it.
  if (report_.errors() == errors) {
    each(policies, "policies", oncall::Plan::kMaxPolicies,
         [&](const YamlNode& item) { read_policy(item); });
  }
  if (weights != nullptr) read_weights(*weights);
  if (report_.errors() != errors) return std::nullopt;
  return std::move(plan_);
}

void OncallReader::read_policy(const YamlNode& node) {
  MapReader reader(node, "a policy", report_);
  const YamlNode* name = reader.require("name", "name: all");
  const YamlNode* services = reader.find("services");
  const YamlNode* levels = reader.require("levels", "levels: [{schedule: primary}]");
  const YamlNode* ack = reader.find("acknowledge_within");
  const YamlNode* digest = reader.find("digest");
  reader.finish();
  if (name == nullptr || levels == nullptr) return;
  oncall::Policy policy;
  policy.holidays = holidays_;
  policy.name = read_text(*name, "'name' of a policy", report_).value_or("");
  const std::string who = "policy '" + policy.name + "'";
  if (plan_.policy_named(policy.name) != nullptr) {
    report_.error(*name, "there are two policies called '" + policy.name + "'");
  }
  if (services != nullptr) {
    policy.services =
        read_texts(*services, "'services' of " + who, report_).value_or(policy.services);
  }
  const auto items = read_list(*levels, "'levels' of " + who, report_);
  if (items.empty() || items.size() > oncall::Plan::kMaxLevels) {
    report_.error(*levels, "'levels' of " + who + " must be 1 to 8");
  }
  for (const YamlNode* item : items) read_level(*item, "a level of " + who, policy);
  if (ack != nullptr) read_ack(*ack, "'acknowledge_within' of " + who, policy);
  if (digest != nullptr) read_digest(*digest, "'digest' of " + who, policy);
  plan_.policies.push_back(std::move(policy));
}

void OncallReader::read_level(const YamlNode& node, const std::string& what,
                              oncall::Policy& policy) {
  MapReader reader(node, what, report_);
  const YamlNode* schedule = reader.find("schedule");
  const YamlNode* people = reader.find("people");
  reader.finish();
  oncall::Level level;
  if (people != nullptr) level.people = people_of(*people, "'people' of " + what);
  if (schedule != nullptr) {
    std::vector<std::string_view> known;
    for (const oncall::Schedule& one : plan_.schedules) known.push_back(one.name());
    const auto found = std::find(known.begin(), known.end(), schedule->text);
    if (found == known.end()) {
      const auto near = nearest(schedule->text, known);
      report_.error(*schedule,
                    "'schedule' of " + what + " names " + describe(*schedule) +
                        ", and there is no such schedule",
                    near.empty() ? std::string("write it under schedules:")
                                 : "did you mean '" + std::string(near) + "'?");
    } else {
      level.schedule = static_cast<uint32_t>(found - known.begin());
    }
  } else if (people == nullptr) {
    report_.error(node, what + " has neither a schedule nor people", "{schedule: primary}");
  }
  policy.levels.push_back(std::move(level));
}

void OncallReader::read_ack(const YamlNode& node, const std::string& what, oncall::Policy& policy) {
  MapReader reader(node, what, report_);
  for (size_t i = 0; i < policy.ack_s.size(); ++i) {
    const YamlNode* one = reader.find(kPriorities[i]);
    if (one == nullptr) continue;
    const auto seconds = read_duration_s(*one, what, 0, kLongestS, report_);
    if (seconds) policy.ack_s[i] = *seconds;
  }
  reader.finish();
}

void OncallReader::read_digest(const YamlNode& node, const std::string& what,
                               oncall::Policy& policy) {
  MapReader reader(node, what, report_);
  policy.zone = zone_of(reader.find("time_zone"), "'time_zone' of " + what, policy.zone);
  if (const YamlNode* at = reader.find("at")) {
    policy.digest_at_s = read_time_of_day(*at, "'at' of " + what, report_).value_or(0);
  }
  if (const YamlNode* days = reader.find("days")) {
    policy.business_days = days_of(*days, "'days' of " + what).value_or(oncall::kWorkingDays);
  }
  reader.finish();
}

void OncallReader::read_weights(const YamlNode& node) {
  MapReader reader(node, "'weights'", report_);
  oncall::Weights& weights = plan_.weights;
  const std::pair<const char*, int64_t*> all[] = {{"not_first", &weights.not_first},
                                                  {"further_level", &weights.further_level},
                                                  {"fatigue", &weights.fatigue},
                                                  {"skill", &weights.skill},
                                                  {"share", &weights.share}};
  for (const auto& [key, to] : all) {
    const YamlNode* one = reader.find(key);
    if (one == nullptr) continue;
    const std::string what = "'" + std::string(key) + "' of the weights";
    const auto value = read_decimal(*one, what, report_);
    if (!value) continue;
    const auto milli = multiply(*value, Decimal{1000, 0});
    const bool fits = milli && *milli >= Decimal{0, 0} && *milli <= Decimal{1'000'000, 0};
    if (!fits || compare(Decimal{static_cast<int64_t>(milli->to_double()), 0}, *milli) != 0) {
      report_.error(*one,
                    what + " must be within 0..1000 with three places, found " + describe(*one));
      continue;
    }
    *to = static_cast<int64_t>(milli->to_double());
  }
  reader.finish();
}

std::optional<oncall::Plan> load_oncall(const std::string& path,
                                        std::vector<Diagnostic>& diagnostics,
                                        const std::vector<std::string>* notifiers) {
  Reporter report(diagnostics);
  auto text = read_file(path, kMaxFileBytes);
  if (!text.ok()) {
    report.add(Diagnostic::Severity::error, path, {}, text.error().message,
               "oncall.file of nines.yaml, or --file, names it");
    return std::nullopt;
  }
  const auto file = parse_yaml(path, std::move(*text), report);
  if (report.errors() == 0 && file->documents.size() != 1) {
    report.add(Diagnostic::Severity::error, path, {},
               "the on-call document must be one YAML document",
               "a right one is packaging/examples/oncall.yaml");
  }
  if (report.errors() != 0) return std::nullopt;
  return OncallReader(notifiers, report).read(file->documents.front());
}

}  // namespace nines::agent::config
