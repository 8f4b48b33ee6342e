#include "incident/page_history.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "nines/base/json_writer.hpp"
#include "nines/log/format.hpp"
#include "nines/log/timestamp.hpp"

namespace nines::agent::incident {
namespace {

using nines::oncall::Page;
using nines::oncall::Roster;
using nlohmann::json;

constexpr size_t kMaxLines = 100'000;

// 0: absent or null. nullopt: no time.
std::optional<int64_t> time_of(const json& from, const char* key) {
  const auto found = from.find(key);
  if (found == from.end() || found->is_null()) return 0;
  if (!found->is_string()) return std::nullopt;
  const auto& text = found->get_ref<const std::string&>();
  const auto parsed = log::parse_iso_time(text, {});
  if (!parsed || parsed->length != text.size()) return std::nullopt;
  return parsed->ts.seconds();
}

std::string text_of(const json& from, const char* key) {
  const auto found = from.find(key);
  return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool flag_of(const json& from, const char* key) {
  const auto found = from.find(key);
  return found != from.end() && found->is_boolean() && found->get<bool>();
}

std::optional<int> severity_of(const json& from) {
  if (!from.contains("severity")) return 1;
  const std::string text = text_of(from, "severity");
  const bool known = text.size() == 2 && text[0] == 'P' && text[1] >= '0' && text[1] <= '3';
  return known ? std::optional<int>(text[1] - '0') : std::nullopt;
}

struct Line {
  Page page;
  std::string incident, person;
};

// What is wrong with it, else empty.
std::string read_line(std::string_view text, Line& out) {
  const auto from = json::parse(text, nullptr, false);
  if (!from.is_object()) return "this is no JSON object";
  const auto at = time_of(from, "at"), acknowledged = time_of(from, "acknowledged"),
             over = time_of(from, "over");
  if (!at || *at == 0) return "'at' must be a time like 2026-03-03T12:00:00Z";
  if (!acknowledged || !over) return "'acknowledged' and 'over' must be times";
  const auto severity = severity_of(from);
  if (!severity) return "'severity' must be P0 to P3";
  out.person = text_of(from, "person");
  if (out.person.empty()) return "there is no 'person'";
  out.incident = text_of(from, "incident");
  out.page.at_s = *at;
  out.page.acknowledged_s = *acknowledged;
  out.page.over_s = *over;
  out.page.severity = *severity;
  out.page.service = text_of(from, "service");
  out.page.signature = text_of(from, "signature");
  out.page.resolved = flag_of(from, "resolved");
  out.page.by_itself = flag_of(from, "by_itself");
  return {};
}

}  // namespace

Result<PageHistory> read_page_history(std::string_view text, const Roster& roster) {
  PageHistory out;
  std::map<std::tuple<int64_t, uint32_t, std::string>, Page> kept;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string where = "line " + std::to_string(number) + ": ";
    if (number > kMaxLines) {
      return Error{Errc::exhausted, where + "more than 100000 pages: drop the oldest", 0};
    }
    Line read;
    const std::string wrong = read_line(line, read);
    // A line that was cut off by a crash while it was written is no reason to know nothing.
    if (!wrong.empty() && end == std::string_view::npos) break;
    if (!wrong.empty()) return Error{Errc::invalid_argument, where + wrong, 0};
    const auto person = roster.find(read.person);
    if (!person) {
      ++out.strangers;
      continue;
    }
    read.page.person = *person;
    kept[{read.page.at_s, *person, read.incident}] = std::move(read.page);
  }
  for (auto& [key, page] : kept) out.pages.push_back(std::move(page));
  return out;
}

std::string page_line(const Page& page, const std::string& incident, const Roster& roster) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("at", WallTime::from_s(page.at_s));
  json.member("person", roster.people[page.person].id).member("incident", incident);
  json.member("severity", "P" + std::to_string(page.severity));
  json.member("service", page.service).member("signature", page.signature);
  if (page.acknowledged_s != 0) {
    json.member("acknowledged", WallTime::from_s(page.acknowledged_s));
  }
  if (page.over_s != 0) json.member("over", WallTime::from_s(page.over_s));
  json.member("resolved", page.resolved).member("by_itself", page.by_itself).end_object();
  return out + "\n";
}

}  // namespace nines::agent::incident
