#include "remedy/history_file.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "http/json_body.hpp"
#include "nines/base/json_writer.hpp"
#include "remedy/csv.hpp"

namespace nines::agent::remedy {
namespace {

namespace core = nines::remedy;
using Json = nlohmann::json;

enum Field : size_t {
  kId,
  kSignature,
  kAction,
  kAt,
  kSeverity,
  kOutcome,
  kRecover,
  kHandsOn,
  kIncident,
  kWho
};
constexpr std::array<std::string_view, kHistoryFields> kNames{
    "id",      "signature", "action",     "at",       "severity",
    "outcome", "recover_s", "hands_on_s", "incident", "who"};
constexpr size_t kNeeded = 6;  // the first ones
constexpr int64_t kMostS = 366 * 86'400;

// What is wrong with a row, and with which field of it.
struct Fault {
  size_t field = 0;
  std::string text;
};

std::string quoted(size_t field) { return "'" + std::string(kNames[field]) + "'"; }

bool seconds_of(const HistoryRow& row, size_t field, int64_t& out, std::optional<Fault>& fault) {
  const std::string& text = row[field];
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (whole && out >= 0 && out <= kMostS) return true;
  fault = Fault{field, quoted(field) + " must be a whole number of seconds, a year at most" +
                           (text.empty() ? std::string() : ", found '" + text + "'")};
  return false;
}

std::optional<Fault> read_row(const HistoryRow& row, core::Record& out) {
  for (size_t i = 0; i < kNeeded; ++i) {
    if (row[i].empty()) return Fault{i, quoted(i) + " is needed"};
  }
  out.id = row[kId];
  out.signature = row[kSignature];
  out.incident = row[kIncident].empty() ? row[kId] : row[kIncident];
  out.who = row[kWho];
  out.actor = core::Actor::import;
  const auto key = core::Action::of_key(row[kAction]);
  out.action = key ? *key : core::action_of_text(row[kAction]);
  const auto at = http::zoned_time(row[kAt]);
  if (!at) {
    return Fault{kAt, "'at' must be an RFC 3339 time with its zone, found '" + row[kAt] + "'"};
  }
  out.at = *at;
  const std::string& severity = row[kSeverity];
  if (severity.size() != 2 || severity[0] != 'P' || severity[1] < '0' || severity[1] > '3') {
    return Fault{kSeverity, "'severity' must be P0 to P3, found '" + severity + "'"};
  }
  out.severity = severity[1] - '0';
  const bool resolved = row[kOutcome] == "resolved";
  if (!resolved && row[kOutcome] != "failed") {
    return Fault{kOutcome, "'outcome' must be resolved or failed, found '" + row[kOutcome] + "'"};
  }
  out.outcome = resolved ? core::Outcome::resolved : core::Outcome::failed;
  out.censored = !resolved;
  std::optional<Fault> fault;
  const bool timed = resolved || !row[kRecover].empty();
  if (timed && !seconds_of(row, kRecover, out.recover_s, fault)) return fault;
  if (!row[kHandsOn].empty() && !seconds_of(row, kHandsOn, out.hands_on_s, fault)) return fault;
  out.judged = {out.at.ns + out.recover_s * kNsPerSecond};
  if (!core::decode_record(core::encode_record(out))) {
    return Fault{kId, "it is out of range: a name that is too long, or a time before 1970"};
  }
  return std::nullopt;
}

// Takes rows, and refuses an id that was there already.
class Collector {
 public:
  std::optional<Fault> take(HistoryRow row) {
    if (file_.rows.size() >= kMostHistoryRows) {
      return Fault{kId, "more than " + std::to_string(kMostHistoryRows) + " records"};
    }
    core::Record record;
    if (auto fault = read_row(row, record)) return fault;
    const auto [known, news] = ids_.emplace(record.id, file_.rows.size() + 1);
    if (!news) {
      return Fault{kId,
                   "'id' " + record.id + " is that of record " + std::to_string(known->second)};
    }
    file_.rows.push_back(std::move(row));
    file_.records.push_back(std::move(record));
    return std::nullopt;
  }
  HistoryFile take_file() { return std::move(file_); }

 private:
  HistoryFile file_;
  std::map<std::string, size_t> ids_;
};

Error bad_at(const std::string& name, const CsvPlace& place, const std::string& text) {
  return {Errc::invalid_argument, (name.empty() ? std::string("line ") : name + ":") +
                                      std::to_string(place.line) + ":" +
                                      std::to_string(place.column) + ": " + text};
}

std::string known_names() {
  std::string out;
  for (const std::string_view name : kNames) out.append(out.empty() ? "" : ", ").append(name);
  return out;
}

using Line = std::vector<CsvField>;

Result<Line> line_of(CsvReader& csv, const std::string& name) {
  Line out;
  do {
    if (out.size() > kHistoryFields) {
      return bad_at(name, csv.place(),
                    "there are more than " + std::to_string(kHistoryFields) + " columns");
    }
    auto field = csv.next();
    if (!field.ok()) return bad_at(name, csv.place(), field.error().message);
    out.push_back(std::move(*field));
  } while (!out.back().last);
  return out;
}

// Which field each column is.
Result<std::vector<size_t>> columns_of(const Line& header, const std::string& name) {
  std::vector<size_t> out;
  for (const CsvField& one : header) {
    const auto found = std::find(kNames.begin(), kNames.end(), one.text);
    if (found == kNames.end()) {
      return bad_at(name, one.place,
                    "there is no column '" + one.text + "': they are " + known_names());
    }
    const auto field = static_cast<size_t>(found - kNames.begin());
    if (std::find(out.begin(), out.end(), field) != out.end()) {
      return bad_at(name, one.place, "column " + quoted(field) + " is there twice");
    }
    out.push_back(field);
  }
  for (size_t i = 0; i < kNeeded; ++i) {
    if (std::find(out.begin(), out.end(), i) == out.end()) {
      return bad_at(name, header.front().place, "the header line lacks " + quoted(i));
    }
  }
  return out;
}

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? std::string() : value.dump();
}

}  // namespace

std::string_view history_field(size_t i) noexcept { return kNames[i]; }

Result<HistoryFile> read_history_csv(std::string_view text, const std::string& name) {
  CsvReader csv(text);
  if (csv.done()) return bad_at(name, {}, "there is no header line");
  NINES_TRY(const Line header, line_of(csv, name));
  NINES_TRY(const std::vector<size_t> columns, columns_of(header, name));
  Collector collector;
  while (!csv.done()) {
    NINES_TRY(Line line, line_of(csv, name));
    if (line.size() != columns.size()) {
      return bad_at(name, line.front().place,
                    std::to_string(line.size()) + " fields, the header line has " +
                        std::to_string(columns.size()));
    }
    HistoryRow row;
    std::array<CsvPlace, kHistoryFields> places;
    places.fill(line.front().place);
    for (size_t i = 0; i < line.size(); ++i) {
      places[columns[i]] = line[i].place;
      row[columns[i]] = std::move(line[i].text);
    }
    if (const auto fault = collector.take(std::move(row))) {
      return bad_at(name, places[fault->field], fault->text);
    }
  }
  return collector.take_file();
}

Result<HistoryFile> read_history_json(std::string_view text, const std::string& name) {
  const std::string where = name.empty() ? "" : name + ": ";
  const Json body = Json::parse(text, nullptr, false);
  const auto list = body.is_object() ? body.find("records") : body.end();
  if (!body.is_object() || list == body.end() || !list->is_array()) {
    return Error{Errc::invalid_argument, where + "it must be {\"records\": [...]}"};
  }
  Collector collector;
  size_t number = 0;
  for (const Json& one : *list) {
    const std::string record = where + "record " + std::to_string(++number) + ": ";
    if (!one.is_object()) return Error{Errc::invalid_argument, record + "it is no object"};
    HistoryRow row;
    for (const auto& [key, value] : one.items()) {
      const auto found = std::find(kNames.begin(), kNames.end(), key);
      if (found == kNames.end()) {
        return Error{Errc::invalid_argument,
                     record + "there is no member '" + key + "': they are " + known_names()};
      }
      row[static_cast<size_t>(found - kNames.begin())] = text_of(value);
    }
    if (const auto fault = collector.take(std::move(row))) {
      return Error{Errc::invalid_argument, record + fault->text};
    }
  }
  return collector.take_file();
}

std::string history_json(std::span<const HistoryRow> rows) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("records").begin_array();
  for (const HistoryRow& row : rows) {
    json.begin_object();
    for (size_t i = 0; i < kHistoryFields; ++i) {
      if (!row[i].empty()) json.member(kNames[i], row[i]);
    }
    json.end_object();
  }
  json.end_array().end_object();
  return out;
}

}  // namespace nines::agent::remedy
