#include <algorithm>

#include "config/oncall_reader.hpp"

namespace nines::agent::config {

namespace oncall = nines::oncall;

void OncallReader::read_people(const YamlNode& node) {
  const auto items = read_list(node, "'people' of the on-call document", report_);
  if (items.size() > oncall::kMaxPeople) {
    report_.error(node, "there are more than " + std::to_string(oncall::kMaxPeople) + " people");
    return;
  }
  for (const YamlNode* item : items) read_person(*item);
}

void OncallReader::read_person(const YamlNode& node) {
  MapReader reader(node, "a person", report_);
  const YamlNode* id = reader.require("id", "id: anna");
  const YamlNode* name = reader.find("name");
  const YamlNode* zone = reader.find("time_zone");
  const YamlNode* quiet = reader.find("quiet");
  const YamlNode* skills = reader.find("skills");
  const YamlNode* away = reader.find("away");
  const YamlNode* notify = reader.find("notify");
  const YamlNode* caps = reader.find("caps");
  reader.finish();
  if (id == nullptr) return;
  oncall::Person person;
  person.id = read_text(*id, "'id' of a person", report_).value_or("");
  if (person.id.empty()) return;
  const std::string who = "'" + person.id + "'";
  if (roster_->find(person.id)) {
    report_.error(*id, "there are two people called " + who, "ids must differ");
    return;
  }
  person.name = name == nullptr ? person.id
                                : read_text(*name, "'name' of " + who, report_).value_or(person.id);
  person.zone = zone_of(zone, "'time_zone' of " + who, oncall::utc_zone());
  if (quiet != nullptr) person.quiet = windows_of(*quiet, "'quiet' of " + who);
  if (skills != nullptr) {
    person.skills = read_texts(*skills, "'skills' of " + who, report_).value_or(person.skills);
  }
  if (notify != nullptr) {
    person.notify = read_texts(*notify, "'notify' of " + who, report_).value_or(person.notify);
    check_notify(*notify, person.notify, "'notify' of " + who);
  }
  if (away != nullptr) read_away(*away, "'away' of " + who, person);
  if (caps != nullptr) read_caps(*caps, "'caps' of " + who, person.caps);
  roster_->people.push_back(std::move(person));
}

// A name that nobody has would be a page that goes nowhere.
void OncallReader::check_notify(const YamlNode& node, const std::vector<std::string>& names,
                                const std::string& what) {
  if (notifiers_ == nullptr) return;
  const std::vector<std::string_view> known(notifiers_->begin(), notifiers_->end());
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto near = nearest(name, known);
    report_.error(node, what + " names '" + name + "', which is no notifier, webhook or chain",
                  near.empty() ? std::string("write it under notifiers: of nines.yaml")
                               : "did you mean '" + std::string(near) + "'?");
  }
}

void OncallReader::read_away(const YamlNode& node, const std::string& what,
                             oncall::Person& person) {
  constexpr size_t kMost = 200;
  const auto items = read_list(node, what, report_);
  if (items.size() > kMost) report_.error(node, what + " has more than 200 entries");
  for (const YamlNode* item : items) {
    MapReader reader(*item, "an entry of " + what, report_);
    const YamlNode* from = reader.require("from", "from: \"2026-07-01\", to: \"2026-07-15\"");
    const YamlNode* to = reader.require("to", "the moment at which it ends");
    reader.finish();
    const auto span = span_of(from, to, reader.what(), person.zone);
    if (span && person.away.size() < kMost) person.away.push_back(*span);
  }
}

void OncallReader::read_caps(const YamlNode& node, const std::string& what,
                             std::vector<oncall::Cap>& to) {
  constexpr int64_t kMostPages = 1000, kLongestS = 7 * 86400;
  constexpr size_t kMost = 8;
  const auto items = read_list(node, what, report_);
  to.clear();
  if (items.size() > kMost) report_.error(node, what + " has more than 8 entries");
  for (const YamlNode* item : items) {
    MapReader reader(*item, "an entry of " + what, report_);
    const YamlNode* pages = reader.require("pages", "{pages: 3, within: 15m}");
    const YamlNode* within = reader.require("within", "{pages: 3, within: 15m}");
    reader.finish();
    if (pages == nullptr || within == nullptr) continue;
    const auto count = read_integer(*pages, "'pages' of " + what, 1, kMostPages, report_);
    const auto seconds = read_duration_s(*within, "'within' of " + what, 60, kLongestS, report_);
    if (count && seconds && to.size() < kMost) to.push_back({*count, *seconds});
  }
}

std::optional<uint32_t> OncallReader::person_of(const YamlNode& node, const std::string& what) {
  const auto id = read_text(node, what, report_);
  if (!id) return std::nullopt;
  if (const auto found = roster_->find(*id)) return found;
  std::vector<std::string_view> known;
  for (const oncall::Person& one : roster_->people) known.push_back(one.id);
  const auto near = nearest(*id, known);
  report_.error(node, what + " names '" + *id + "', who is not among the people",
                near.empty() ? std::string("write the person under people:")
                             : "did you mean '" + std::string(near) + "'?");
  return std::nullopt;
}

std::vector<uint32_t> OncallReader::people_of(const YamlNode& node, const std::string& what) {
  std::vector<uint32_t> out;
  if (node.kind != YamlNode::Kind::sequence) {
    if (const auto one = person_of(node, what)) out.push_back(*one);
    return out;
  }
  if (node.items.size() > oncall::kMaxPeople) {
    report_.error(node, what + " has more than " + std::to_string(oncall::kMaxPeople) + " people");
    return out;
  }
  for (const YamlNode& item : node.items) {
    if (const auto one = person_of(item, what)) out.push_back(*one);
  }
  return out;
}

}  // namespace nines::agent::config
