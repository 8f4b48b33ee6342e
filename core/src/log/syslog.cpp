// syslog lines as files hold them: RFC 3164 with or without <PRI>, with the traditional or an ISO
// time stamp, and RFC 5424, told apart per line.
//
// Fields: facility and severity (their names; null without <PRI>), level (from the severity), host,
// app = program = service, pid, msgid, message, and structured data as sd.<id>.<name>.
#include <deque>

#include "log/key_values.hpp"
#include "log/parsers.hpp"
#include "log/syslog_header.hpp"

namespace nines::log {
namespace {

enum Field : int {
  kTs,
  kLevel,
  kMessage,
  kService,
  kFacility,
  kSeverity,
  kHost,
  kApp,
  kPid,
  kMsgid,
  kRaw
};
constexpr FieldName kNames[] = {
    {"ts", kTs},           {"level", kLevel},       {"message", kMessage},
    {"service", kService}, {"facility", kFacility}, {"severity", kSeverity},
    {"host", kHost},       {"app", kApp},           {"pid", kPid},
    {"msgid", kMsgid},     {"raw", kRaw},           {"program", kApp},
    {"hostname", kHost},
};
constexpr std::span<const FieldName> kListed(kNames, kMsgid + 1);

constexpr std::string_view kFacilities[] = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};
constexpr std::string_view kSeverities[] = {"emerg",   "alert",  "crit", "err",
                                            "warning", "notice", "info", "debug"};
constexpr Level kLevels[] = {Level::fatal, Level::fatal, Level::fatal, Level::error,
                             Level::warn,  Level::info,  Level::info,  Level::debug};
static_assert(std::size(kFacilities) == 24);

constexpr std::string_view kSdPrefix = "sd.";
constexpr size_t kMaxListed = 256;

Value text_or_null(std::string_view text) noexcept {
  return text.empty() ? Value::null() : Value::of_text(text);
}

// Within values only ", \ and ] are escaped; other backslashes stand for themselves.
size_t unescape_sd(std::string_view text, char* out, size_t room) noexcept {
  size_t n = 0;
  for (size_t i = 0; i < text.size() && n < room; ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size() &&
                        (text[i + 1] == '"' || text[i + 1] == '\\' || text[i + 1] == ']');
    out[n++] = text[escape ? ++i : i];
  }
  return n;
}

class SyslogParser final : public LineParser {
 public:
  SyslogParser(Wanted wanted, const TimeContext& time)
      : map_(wanted, kNames), scratch_(kScratchBytes), time_(time), all_(&make_syslog, kListed) {
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i].starts_with(kSdPrefix)) sd_wanted_.push_back({wanted[i].substr(3), i});
    }
  }

  ParseOutcome parse(std::string_view line, ParsedRecord& out) noexcept override {
    map_.clear(out.fields);
    scratch_.reset();
    out.has_ts = false;
    map_.set(out.fields, kRaw, Value::of_text(line));
    const std::string_view body = trim_left(trim_right(line));
    ParseOutcome outcome = ParseOutcome::empty;
    if (!body.empty()) outcome = parse_line(body, out);
    map_.finish(out.fields);
    return outcome;
  }

  ParseOutcome parse_all(std::string_view line, WallTime& ts, bool& has_ts,
                         std::vector<NamedValue>& out) override {
    const ParseOutcome outcome = all_.parse(line, time_, ts, has_ts, out);
    texts_.clear();
    SyslogLine parts;
    if (outcome == ParseOutcome::empty || outcome == ParseOutcome::no_match) return outcome;
    split_syslog(trim_left(trim_right(line)), time_, parts);
    SdParam param;
    while (out.size() < kMaxListed && next_sd_param(parts.structured, param)) list(param, out);
    return outcome;
  }
  void set_reference(WallTime now) noexcept override { time_.reference = now; }

 private:
  struct SdWanted {
    std::string path;  // "<id>.<name>"
    size_t slot;
  };

  ParseOutcome parse_line(std::string_view body, ParsedRecord& out) noexcept {
    SyslogLine parts;
    if (!split_syslog(body, time_, parts)) return ParseOutcome::no_match;
    std::span<Value> fields = out.fields;
    if (parts.ts) {
      out.ts = *parts.ts;
      out.has_ts = true;
      map_.set(fields, kTs, Value::of_time(out.ts.ns));
    }
    if (parts.priority >= 0) {
      const auto severity = static_cast<size_t>(parts.priority % 8);
      map_.set(fields, kLevel, Value::of_level(kLevels[severity], kSeverities[severity]));
      map_.set(fields, kSeverity, Value::of_text(kSeverities[severity]));
      map_.set(fields, kFacility, Value::of_text(kFacilities[parts.priority / 8]));
    }
    map_.set(fields, kHost, text_or_null(parts.host));
    map_.set(fields, kApp, text_or_null(parts.app));
    map_.set(fields, kService, text_or_null(parts.app));
    map_.set(fields, kPid, text_or_null(parts.pid));
    map_.set(fields, kMsgid, text_or_null(parts.msgid));
    map_.set(fields, kMessage, Value::of_text(parts.message));
    if (!sd_wanted_.empty()) structured(parts.structured, fields);
    return out.has_ts ? ParseOutcome::ok : ParseOutcome::bad_time;
  }

  void structured(std::string_view rest, std::span<Value> fields) noexcept {
    SdParam param;
    while (next_sd_param(rest, param)) {
      for (const SdWanted& wanted : sd_wanted_) {
        const std::string_view path = wanted.path;
        if (!fields[wanted.slot].is_null() ||
            path.size() != param.id.size() + 1 + param.name.size() || !path.starts_with(param.id) ||
            path[param.id.size()] != '.' || !path.ends_with(param.name)) {
          continue;
        }
        std::string_view value = param.value;
        if (param.escaped) {
          value = scratch_.commit(unescape_sd(value, scratch_.begin(), scratch_.room()));
        }
        fields[wanted.slot] = Value::of_text(value);
      }
    }
  }

  void list(const SdParam& param, std::vector<NamedValue>& out) {
    std::string path(kSdPrefix);
    path.append(param.id).append(".").append(param.name);
    for (const NamedValue& entry : out) {
      if (entry.name == path) return;
    }
    std::string& text = texts_.emplace_back(param.value);
    if (param.escaped) text.resize(unescape_sd(param.value, text.data(), text.size()));
    out.push_back({texts_.emplace_back(std::move(path)), Value::of_text(text)});
  }

  FieldMap map_;
  std::vector<SdWanted> sd_wanted_;
  Scratch scratch_;
  TimeContext time_;
  AllFields all_;
  std::deque<std::string> texts_;
};

}  // namespace

std::unique_ptr<LineParser> make_syslog(Wanted wanted, const TimeContext& time) {
  return std::make_unique<SyslogParser>(wanted, time);
}

}  // namespace nines::log
