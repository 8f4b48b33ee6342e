// Log formats: from one line (framing and container wrapping already removed) to the fields that
// someone asked for. A LineParser is made for a fixed list of wanted fields and extracts only
// those, lazily, without allocating; the same parser lists all fields for `nines tail`.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/log/value.hpp"

namespace nines::log {

enum class FormatKind : uint8_t {
  combined,  // nginx/Apache common or combined, optionally followed by a request time in seconds
  json,      // one object a line
  logfmt,    // key=value key="quoted value"
  syslog,    // RFC 3164 and RFC 5424 (told apart per line)
  plain,     // a time stamp, optionally a level, then the message
  regex,     // RE2 with named groups, given by the user
  layout,    // fields between literals, compiled from a log_format, a log4j pattern, ...
  csv,       // values in columns that a header line names
  journal,   // one entry of the journal export format (several lines)
};

struct FormatSpec {
  FormatKind kind = FormatKind::plain;
  // regex: RE2 with (?P<field>...) groups; `ts` and `level` are special.
  // layout: NAME of a built-in layout ("redis"), or DIALECT:TEXT ("nginx:$remote_addr ...").
  // csv: the delimiter, then the header line (",ts,status,path").
  std::string pattern;
  std::string time_format;  // regex, optional: strptime-like; empty = try the known shapes
  friend bool operator==(const FormatSpec&, const FormatSpec&) = default;
};
// From the words of a configuration: `name` is "json", "nginx", "redis"...; `pattern` belongs to
// regex and to the names that take one (nginx, apache, envoy, log4j, python, csv, tsv). "auto" is
// not a FormatSpec. Errors name the valid words, or where in the pattern the trouble is.
Result<FormatSpec> format_from_name(std::string_view name, std::string_view pattern = {});
// The columns of a table (csv, tsv) that was named without a pattern are in its first line.
inline bool wants_header(const FormatSpec& format) noexcept {
  return format.kind == FormatKind::csv && format.pattern.size() <= 1;
}
// What people call it: "json", "redis", "nginx".
std::string format_name(const FormatSpec& format);
std::string_view format_name(FormatKind kind) noexcept;
// The CSV format whose header is `line` (three or more distinct names and no values); nothing when
// it is none. For a file of which only "csv" is known: its first line.
std::optional<FormatSpec> csv_header(std::string_view line);

enum class ParseOutcome : uint8_t {
  ok,
  no_match,  // the line is not of this format (counted per source; never stops a file)
  bad_time,  // fields are fine, but the time stamp is missing, corrupt or out of 1970..2200
  empty,     // blank line: skipped, not malformed
};

// What the time stamps of a source leave out. Immutable per parser except `reference`.
struct TimeContext {
  int32_t utc_offset_s = 0;  // for time stamps without a zone
  WallTime reference{};      // for those without a year: the year that puts them nearest below
                             // reference + 1 day
  // False: nobody looks at the time. Formats in which it is a field like others leave it out then,
  // and a line that has none is ok.
  bool wanted = true;
};

struct ParsedRecord {
  WallTime ts{};  // valid when has_ts
  bool has_ts = false;
  std::span<Value> fields;  // one per wanted field, in that order; null where missing
};

// Not thread-safe (keeps the last time stamp to save parsing); one per file group and thread.
class LineParser {
 public:
  virtual ~LineParser() = default;
  // `out.fields` must have room for every wanted field; the parser sets each of them. Never
  // throws or allocates. Texts point into `line` or into scratch that the next call overwrites.
  virtual ParseOutcome parse(std::string_view line, ParsedRecord& out) noexcept = 0;

  struct NamedValue {
    std::string_view name;
    Value value;
  };
  // All fields of the line in their order (ts, level, message first where known). May allocate.
  virtual ParseOutcome parse_all(std::string_view line, WallTime& ts, bool& has_ts,
                                 std::vector<NamedValue>& out) = 0;
  virtual void set_reference(WallTime now) noexcept = 0;
  // Whether a record may begin with this line. False: it goes on with the record before it (a line
  // without time stamp where every record has one). Cheap; formats of one line a record say true.
  virtual bool leads(std::string_view) const noexcept { return true; }
  // Whether `record` (the lines so far, joined by newlines) ends within a quoted value, so that the
  // next line belongs to it whatever it is. Who joins lines asks before leads(), and gives up at
  // its own bound of lines and bytes; the first line is a record of its own then. Reads all of
  // `record` when it holds quotes.
  virtual bool open(std::string_view) const noexcept { return false; }
};

// Fields known everywhere (DESIGN 4.5): ts, level, message, request_id, service and raw are looked
// up under their usual aliases (message: message, msg, ...). Unknown names are simply null on every
// line. Fails on a bad regex, naming it.
Result<std::unique_ptr<LineParser>> make_parser(const FormatSpec& format,
                                                std::span<const std::string> wanted,
                                                const TimeContext& time);

struct Detection {
  FormatSpec format;
  bool cri = false;     // lines are wrapped by a CRI runtime,
  bool docker = false;  // or by docker's json-file driver; `format` is what is inside
  int matched = 0, sampled = 0;
  std::string explanation;  // one line for people: why this format
};
// Decides from sample lines (whole lines, at most a few hundred). Stable: depends on the multiset
// of lines only. matched == 0 means unknown: kind is plain.
Detection detect_format(std::span<const std::string_view> lines);

}  // namespace nines::log
