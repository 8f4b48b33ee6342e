// Joining: which lines make one record. JoinRule says where records begin; OpenRecord gathers the
// lines of one.
//
// Formats of one line a record (JSON, access logs, logfmt, syslog, CSV) are not joined at all and
// pay nothing. A stack trace between their lines is attached to none of them: it is recognised
// where a line does not parse, and its lines are counted as `continuations` instead of malformed.
// CSV waits for the next line only within a quoted value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "nines/base/time.hpp"
#include "nines/log/format.hpp"
#include "nines/log/multiline.hpp"
#include "nines/log/saved.hpp"

namespace nines::collector {

inline bool is_blank(std::string_view line) noexcept {
  for (const char c : line) {
    if (c != ' ' && c != '\t' && c != '\r') return false;
  }
  return true;
}

struct JoinRule {
  enum class By : uint8_t {
    none,     // every line is a record
    format,   // LineParser::leads(): most often a time stamp
    pattern,  // the user's
    traces,   // log::TraceMachine
    quotes,   // every line, but for those within a quoted value: LineParser::open()
  };
  By by = By::none;
  const log::LineParser* parser = nullptr;
  const log::StartPattern* pattern = nullptr;
  // A record is cut before the line that goes beyond; what goes on with it is passed over. A single
  // line may be longer.
  size_t max_lines = 1000;
  size_t max_bytes = 64 * 1024;

  // Whether `line` goes on with those before it. A blank line may: the next one decides.
  bool goes_on(std::string_view line, log::TraceMachine& trace) const {
    switch (by) {
      case By::none:
      case By::quotes: return false;
      case By::format: return is_blank(line) || !parser->leads(line.substr(0, log::kTellingBytes));
      case By::pattern: return is_blank(line) || !pattern->matches(line);
      case By::traces: return trace.follows(line);
    }
    return false;
  }
  // Nothing can go on with what was gathered: it need not wait for the next line.
  bool complete(std::string_view record) const { return by == By::quotes && !parser->open(record); }
};

// The lines gathered for one record. Stays a view of the block as long as they stand in it one
// right behind the other, which in plain files they do.
class OpenRecord {
 public:
  bool active() const noexcept { return active_; }
  WallTime ts{};  // of the first line, as the container runtime has it
  int64_t at = 0;
  uint32_t nuls = 0, replaced = 0;
  bool truncated = false;

  // `stable`: the text stays where it is while the block is worked on.
  void begin(std::string_view text, bool stable) {
    active_ = true;
    copied_ = false;
    truncated = false;
    lines_ = text_lines_ = 1;
    nuls = replaced = 0;
    start_ = text.data();
    length_ = end_ = first_line_ = text.size();
    if (!stable) copy();
  }
  bool fits(std::string_view text, const JoinRule& rule) const noexcept {
    return lines_ < rule.max_lines && length_ + 1 + text.size() <= rule.max_bytes;
  }
  void add(std::string_view text) {
    ++lines_;
    if (!copied_ && text.data() != start_ + length_ + 1) copy();
    if (copied_) {
      own_ += '\n';
      own_ += text;
    }
    length_ += 1 + text.size();
    if (is_blank(text)) return;
    end_ = length_;
    ++text_lines_;
  }
  // Without the blank lines at its end.
  std::string_view content() const noexcept {
    return copied_ ? std::string_view(own_).substr(0, end_) : std::string_view(start_, end_);
  }
  size_t first_line() const noexcept { return first_line_; }
  uint32_t text_lines() const noexcept { return text_lines_; }  // those that are not blank
  // Handed over, or left unread.
  void close() {
    active_ = false;
    if (own_.capacity() > kMostKept) own_ = {};
  }
  // Before the block goes away.
  void keep() {
    if (active_ && !copied_) copy();
  }

  void save(std::string& out) const;
  void restore(log::SavedReader& in);

 private:
  static constexpr size_t kMostKept = 16 * 1024;
  void copy() {
    own_.assign(start_, length_);
    copied_ = true;
  }

  const char* start_ = nullptr;
  size_t length_ = 0, end_ = 0, first_line_ = 0;
  uint32_t lines_ = 0, text_lines_ = 0;
  std::string own_;
  bool active_ = false, copied_ = false;
};

}  // namespace nines::collector
