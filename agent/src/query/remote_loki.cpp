// Loki: query_range forward, page after page from the nanosecond of the last entry on
// (grafana.com/docs/loki "Loki HTTP API", "Query logs within a range of time").
#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "http/message.hpp"
#include "query/remote_pagers.hpp"
#include "query/remote_record.hpp"

namespace nines::agent::query {
namespace {

constexpr uint64_t kMaxPage = 5000;  // limits_config.max_entries_limit_per_query
constexpr int64_t kWindowNs = int64_t{30} * 86'400 * kNsPerSecond;  // below max_query_length

class LokiPager final : public RemotePager {
 public:
  LokiPager(const RemoteConfig& remote, RemoteWish wish)
      : url_(remote.url),
        tenant_(remote.index),
        wish_(std::move(wish)),
        overlap_(wish_.range.since) {
    while (url_.ends_with('/')) url_.pop_back();
    // A selector must name some label; nearly all streams have this one.
    if (wish_.query.empty()) wish_.query = "{service_name=~\".+\"}";
    page_ = std::min(wish_.page_rows, kMaxPage);
    window_ = wish_.range.since;
  }

  std::optional<http::ClientRequest> next() override {
    const WallTime start = std::max(window_, overlap_.from());
    if (done_ || start >= wish_.range.until) return std::nullopt;
    overlap_.begin_page();
    http::ClientRequest request;
    request.url = url_ +
                  "/loki/api/v1/query_range?direction=forward&limit=" + std::to_string(page_) +
                  "&start=" + std::to_string(start.ns) + "&end=" + std::to_string(window_end().ns) +
                  "&query=" + http::percent_encode(wish_.query);
    request.headers.emplace_back("Accept", "application/json");
    if (!tenant_.empty()) request.headers.emplace_back("X-Scope-OrgID", tenant_);
    return request;
  }

  Status take(const http::ClientResponse& answer, std::string& lines) override {
    NINES_TRY(Json json, parse_ok_answer(answer));
    const Json* data = child(json, "data");
    const Json* result = data == nullptr ? nullptr : child(*data, "result");
    if (text_of(json, "status") != "success" || result == nullptr || !result->is_array()) {
      return Error{Errc::unavailable, "its answer has no data.result"};
    }
    if (text_of(*data, "resultType") != "streams") {
      return Error{Errc::invalid_argument,
                   "it answers with numbers: ask for log lines, {app=\"web\"} |= \"text\", and "
                   "count them here"};
    }
    std::vector<Entry> entries;
    for (const Json& stream : *result) NINES_CHECK(collect(stream, entries));
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.time < b.time; });
    for (const Entry& entry : entries) append(entry, lines);
    return turn(entries.size());
  }

 private:
  struct Entry {
    WallTime time;
    const Json* labels = nullptr;
    const Json* value = nullptr;  // ["ns", "line"] or ["ns", "line", {structured metadata}]
  };

  WallTime window_end() const {
    const int64_t room = wish_.range.until.ns - window_.ns;
    return room > kWindowNs ? WallTime{window_.ns + kWindowNs} : wish_.range.until;
  }

  static Status collect(const Json& stream, std::vector<Entry>& out) {
    const Json* labels = child(stream, "stream");
    const Json* values = child(stream, "values");
    if (labels == nullptr || !labels->is_object() || values == nullptr || !values->is_array()) {
      return Error{Errc::unavailable, "a stream of its answer has no labels or no values"};
    }
    for (const Json& value : *values) {
      Entry entry{{}, labels, &value};
      const bool shaped =
          value.is_array() && value.size() >= 2 && value[0].is_string() && value[1].is_string();
      if (!shaped || !read_ns(value[0].get_ref<const std::string&>(), entry.time)) {
        return Error{Errc::unavailable, "an entry of its answer is no [\"ns\", \"line\"]"};
      }
      out.push_back(entry);
    }
    return Ok{};
  }

  static bool read_ns(const std::string& text, WallTime& out) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, out.ns);
    return error == std::errc() && stop == end && !text.empty();
  }

  static void merge(Json& record, const Json& more) {
    for (const auto& [key, value] : more.items()) record[key] = value;
  }

  void append(const Entry& entry, std::string& lines) {
    const Json& value = *entry.value;
    const auto& line = value[1].get_ref<const std::string&>();
    if (!overlap_.is_new(entry.time, entry.labels->dump(-1, ' ', false, kReplace) + '\n' + line)) {
      return;
    }
    Json record = *entry.labels;
    if (value.size() > 2 && value[2].is_object()) merge(record, value[2]);
    const bool object = line.starts_with('{');
    auto fields = object ? parse_answer(line) : Result<Json>(Json());
    if (fields.ok() && fields->is_object()) {
      merge(record, *fields);
    } else {
      record["message"] = line;
    }
    if (!record.contains("level") && record.contains("detected_level")) {
      record["level"] = Json(record["detected_level"]);
    }
    record["ts"] = format_rfc3339(entry.time);
    record["_raw"] = line;
    append_record(lines, std::move(record));
    ++rows_;
  }

  Status turn(size_t count) {
    if (count < page_) {
      window_ = window_end();
      done_ = window_ >= wish_.range.until;
    } else if (!overlap_.moves()) {
      return Error{Errc::exhausted,
                   "it has more than " + std::to_string(page_) + " entries of one nanosecond"};
    }
    return Ok{};
  }

  static constexpr auto kReplace = Json::error_handler_t::replace;
  std::string url_, tenant_;
  RemoteWish wish_;
  uint64_t page_;
  WallTime window_;
  Overlap overlap_;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<RemotePager> make_loki_pager(const RemoteConfig& remote, RemoteWish wish) {
  return std::make_unique<LokiPager>(remote, std::move(wish));
}

}  // namespace nines::agent::query
