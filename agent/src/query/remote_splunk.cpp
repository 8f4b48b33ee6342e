// Splunk: search/v2/jobs/export, one stream of results, a JSON object a line
// (help.splunk.com "Search endpoint descriptions", search/v2/jobs/export; "Export data using the
// Splunk REST API"). Lines of previews are passed over; the last line says `lastrow`.
#include <algorithm>
#include <iterator>
#include <utility>

#include "http/message.hpp"
#include "query/remote_pagers.hpp"
#include "query/remote_record.hpp"

namespace nines::agent::query {
namespace {

constexpr size_t kMaxLine = size_t{16} << 20;

bool is_search(std::string_view query) {
  return query.starts_with('|') || query.starts_with("search ");
}

class SplunkPager final : public RemotePager {
 public:
  SplunkPager(const RemoteConfig& remote, RemoteWish wish)
      : url_(remote.url), index_(remote.index), wish_(std::move(wish)) {
    while (url_.ends_with('/')) url_.pop_back();
  }

  std::optional<http::ClientRequest> next() override {
    if (std::exchange(asked_, true)) return std::nullopt;
    http::ClientRequest request;
    request.method = "POST";
    request.url = url_ + "/services/search/v2/jobs/export";
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request.body =
        "search=" + http::percent_encode(search()) +
        "&output_mode=json&preview=false&earliest_time=" + epoch_seconds(wish_.range.since) +
        "&latest_time=" + epoch_seconds(wish_.range.until);
    return request;
  }

  // Of an answer that is not 2xx only.
  Status take(const http::ClientResponse& answer, std::string&) override { return refusal(answer); }

  bool streams() const override { return true; }

  Status take_piece(std::string_view bytes, std::string& lines) override {
    while (!bytes.empty()) {
      const size_t end = bytes.find('\n');
      rest_.append(bytes.substr(0, end));
      if (rest_.size() > kMaxLine)
        return Error{Errc::exhausted, "a line of its answer is too long"};
      if (end == std::string_view::npos) break;
      bytes.remove_prefix(end + 1);
      NINES_CHECK(take_line(lines));
    }
    return Ok{};
  }

  Status take_end(std::string& lines) override {
    NINES_CHECK(take_line(lines));
    if (!last_) return Error{Errc::unavailable, "its answer is cut short: the last row is missing"};
    return Ok{};
  }

 private:
  std::string search() const {
    if (is_search(wish_.query)) return wish_.query + " | sort 0 _time";
    std::string out = "search index=" + (index_.empty() ? std::string("*") : index_);
    if (!wish_.query.empty()) out += " " + wish_.query;
    return out + " | sort 0 _time";
  }

  Status take_line(std::string& lines) {
    const std::string line = std::exchange(rest_, std::string());
    if (line.find_first_not_of(" \t\r") == std::string::npos) return Ok{};
    NINES_TRY(Json json, parse_answer(line));
    NINES_CHECK(check_messages(json));
    const auto is_true = [&](std::string_view key) {
      const Json* value = child(json, key);
      return value != nullptr && value->is_boolean() && value->get<bool>();
    };
    if (is_true("preview")) return Ok{};
    last_ = last_ || is_true("lastrow");
    const Json* result = child(json, "result");
    if (result != nullptr && result->is_object()) append(*result, lines);
    return Ok{};
  }

  static Status check_messages(const Json& json) {
    const Json* messages = child(json, "messages");
    if (messages == nullptr || !messages->is_array()) return Ok{};
    for (const Json& message : *messages) {
      const std::string_view type = text_of(message, "type");
      if (type != "FATAL" && type != "ERROR") continue;
      return Error{Errc::unavailable, "it says: " + std::string(text_of(message, "text"))};
    }
    return Ok{};
  }

  void append(const Json& result, std::string& lines) {
    Json record = result;
    std::string time(text_of(result, "_time"));
    if (time.ends_with(" GMT") || time.ends_with(" UTC")) time.replace(time.size() - 4, 4, "Z");
    if (!time.empty()) record["ts"] = time;
    if (!record.contains("message") && record.contains("_raw")) {
      record["message"] = Json(record["_raw"]);
    }
    append_record(lines, std::move(record));
    ++rows_;
  }

  std::string url_, index_;
  RemoteWish wish_;
  bool asked_ = false, last_ = false;
  std::string rest_;
};

// help.splunk.com "Safeguards for risky commands", and those that keep or send results.
constexpr std::string_view kRisky[] = {
    "collect",      "crawl",          "createrss",     "delete",    "dump",         "input",
    "map",          "mcollect",       "meventcollect", "outputcsv", "outputlookup", "outputtext",
    "run",          "runshellscript", "script",        "sendalert", "sendemail",    "stash",
    "summaryindex", "sumindex",       "tscollect",     "dbxquery",  "dbxoutput",    "savedsearch"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The command that begins at `at`, in small letters.
std::string command_at(std::string_view search, size_t at) {
  while (at < search.size() && !is_letter(search[at]) && search[at] != '|') ++at;
  std::string out;
  for (; at < search.size() && is_letter(search[at]); ++at)
    out += static_cast<char>(search[at] | 32);
  return out;
}

}  // namespace

Status check_splunk_search(std::string_view search) {
  bool quoted = false;
  for (size_t i = 0; i < search.size(); ++i) {
    const char c = search[i];
    if (c == '\\' && quoted) ++i;
    if (c == '"') quoted = !quoted;
    if (quoted || (c != '|' && c != '[')) continue;
    const std::string command = command_at(search, i + 1);
    if (std::find(std::begin(kRisky), std::end(kRisky), command) == std::end(kRisky)) continue;
    return Error{Errc::invalid_argument,
                 "a query only reads: the command '" + command + "' of the search is refused"};
  }
  return Ok{};
}

std::unique_ptr<RemotePager> make_splunk_pager(const RemoteConfig& remote, RemoteWish wish) {
  return std::make_unique<SplunkPager>(remote, std::move(wish));
}

}  // namespace nines::agent::query
