// Graylog: search/universal/absolute, pages by offset and, where offsets end, by time
// (docs.graylog.org "Graylog REST API", resource search/universal/absolute).
#include <algorithm>
#include <utility>

#include "http/message.hpp"
#include "nines/log/format.hpp"
#include "nines/log/timestamp.hpp"
#include "query/remote_pagers.hpp"
#include "query/remote_record.hpp"

namespace nines::agent::query {
namespace {

constexpr uint64_t kMaxOffset = 10'000;  // of the search engine below it
constexpr int64_t kNsPerMs = 1'000'000;

// "2026-11-21T10:00:00.000Z", the only shape it takes.
std::string milliseconds(WallTime time) {
  const int64_t rest = (time.ns % kNsPerSecond + kNsPerSecond) % kNsPerSecond;
  std::string out = format_rfc3339({time.ns - rest});
  out.pop_back();
  const std::string ms = std::to_string(rest / kNsPerMs);
  return out + "." + std::string(3 - ms.size(), '0') + ms + "Z";
}

// Of GELF and syslog.
const char* level_of(int64_t severity) {
  static constexpr const char* kNames[] = {"emerg",   "alert",  "crit", "err",
                                           "warning", "notice", "info", "debug"};
  return severity >= 0 && severity < 8 ? kNames[severity] : nullptr;
}

class GraylogPager final : public RemotePager {
 public:
  GraylogPager(const RemoteConfig& remote, RemoteWish wish)
      : url_(remote.url),
        stream_(remote.index),
        wish_(std::move(wish)),
        start_(wish_.range.since),
        overlap_(WallTime{INT64_MIN}) {
    while (url_.ends_with('/')) url_.pop_back();
    if (!url_.ends_with("/api")) url_ += "/api";
    if (wish_.query.empty()) wish_.query = "*";
    page_ = std::min(wish_.page_rows, kMaxOffset);
  }

  std::optional<http::ClientRequest> next() override {
    if (done_) return std::nullopt;
    // `to` belongs to the range, and is rounded up.
    const WallTime to{std::min(wish_.range.until.ns, INT64_MAX - kNsPerMs) + kNsPerMs - 1};
    http::ClientRequest request;
    request.url = url_ + "/search/universal/absolute?query=" + http::percent_encode(wish_.query) +
                  "&from=" + http::percent_encode(milliseconds(start_)) +
                  "&to=" + http::percent_encode(milliseconds(to)) +
                  "&limit=" + std::to_string(page_) + "&offset=" + std::to_string(offset_) +
                  "&sort=timestamp%3Aasc&decorate=false";
    if (!stream_.empty()) request.url += "&filter=" + http::percent_encode("streams:" + stream_);
    request.headers.emplace_back("Accept", "application/json");
    request.headers.emplace_back("X-Requested-By", "nines");
    return request;
  }

  Status take(const http::ClientResponse& answer, std::string& lines) override {
    NINES_TRY(Json json, parse_ok_answer(answer));
    const Json* messages = child(json, "messages");
    if (messages == nullptr || !messages->is_array()) {
      return Error{Errc::unavailable, "its answer has no messages"};
    }
    for (const Json& entry : *messages) {
      const Json* message = child(entry, "message");
      if (message == nullptr || !message->is_object()) {
        return Error{Errc::unavailable, "an entry of its answer has no message"};
      }
      NINES_CHECK(append(*message, lines));
    }
    return turn(messages->size());
  }

 private:
  Status append(const Json& message, std::string& lines) {
    const std::string_view stamp = text_of(message, "timestamp");
    const auto time = log::parse_iso_time(stamp, {});
    if (!time) return Error{Errc::unavailable, "a message of its answer has no timestamp"};
    if (!overlap_.is_new(time->ts, std::string(text_of(message, "_id")))) return Ok{};
    Json record = message;
    record["ts"] = format_rfc3339(time->ts);
    if (const Json* level = child(message, "level"); level && level->is_number_integer()) {
      if (const char* name = level_of(level->get<int64_t>())) record["level"] = name;
    }
    append_record(lines, std::move(record));
    ++rows_;
    return Ok{};
  }

  Status turn(size_t count) {
    done_ = count < page_;
    if (done_) return Ok{};
    offset_ += page_;
    if (offset_ + page_ <= kMaxOffset) return Ok{};
    if (overlap_.from() <= start_) {
      return Error{Errc::exhausted, "it has more than 10000 messages of one millisecond"};
    }
    start_ = overlap_.from();
    offset_ = 0;
    return Ok{};
  }

  std::string url_, stream_;
  RemoteWish wish_;
  uint64_t page_, offset_ = 0;
  WallTime start_;
  Overlap overlap_;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<RemotePager> make_graylog_pager(const RemoteConfig& remote, RemoteWish wish) {
  return std::make_unique<GraylogPager>(remote, std::move(wish));
}

}  // namespace nines::agent::query
