// What JSON and logfmt share: collecting the values of wanted keys and giving them their meaning.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "log/key_tree.hpp"
#include "log/scan.hpp"
#include "log/time_scan.hpp"
#include "nines/log/format.hpp"

namespace nines::log {

// Whole-field time stamps, with the last minute kept: lines of one file mostly share it.
class TimeCache {
 public:
  std::optional<WallTime> parse(std::string_view text, const TimeContext& context) noexcept {
    if (text.size() >= 19 && std::memcmp(text.data(), minute_, sizeof minute_) == 0) {
      return whole(finish_iso(text, minute_s_, context), text);
    }
    if (text.size() >= 19 && iso_minute(text.data(), minute_s_)) {
      std::memcpy(minute_, text.data(), sizeof minute_);
      return whole(finish_iso(text, minute_s_, context), text);
    }
    if (const auto epoch = parse_epoch(text)) return epoch;
    return whole(parse_any_time(text, context), text);
  }

 private:
  // "2026-11-21T01:35:51Zoo" is damaged; "... UTC m=+0.1" (Go) is not.
  static std::optional<WallTime> whole(const std::optional<ParsedTime>& t,
                                       std::string_view text) noexcept {
    if (!t || (t->length < text.size() && !is_blank(text[t->length]))) return std::nullopt;
    return t->ts;
  }

  char minute_[16] = {};  // "2026-11-21T01:35"
  int64_t minute_s_ = 0;
};

// A value as it stands in the line.
struct RawValue {
  enum class Kind : uint8_t { string, literal, container } kind = Kind::literal;
  bool escaped = false;   // string with backslashes
  std::string_view text;  // without quotes
};

// The groups' values of one line. Allocates at construction only.
class Collector {
 public:
  explicit Collector(const KeyTree& tree)
      : ranks_(std::max(tree.groups().size(), kFewGroups)),
        values_(tree.groups().size()),
        kinds_(tree.groups()) {
    for (const GroupKind kind : kinds_) searched_ += kind != GroupKind::raw;
  }

  void reset() noexcept {
    std::memset(ranks_.data(), kNone, kFewGroups);  // a store
    if (ranks_.size() > kFewGroups) std::memset(ranks_.data(), kNone, ranks_.size());
    open_ = searched_;
  }
  // Keeps `value` where it is better than what is there. The first of equals wins.
  void offer(const KeyTree::Key& key, const RawValue& value) noexcept {
    for (const Target target : key.targets) {
      uint8_t& rank = ranks_[target.group];
      if (target.rank >= rank) continue;
      // {"service": {"name": "x"}}: a known field is never an object.
      if (value.kind == RawValue::Kind::container && kinds_[target.group] != GroupKind::plain) {
        continue;
      }
      rank = target.rank;
      RawValue& kept = values_[target.group];  // member by member: it is read again at once
      kept.kind = value.kind;
      kept.escaped = value.escaped;
      kept.text = value.text;
      open_ -= rank == 0;
    }
  }
  // Nothing better can come: every group has its exact name.
  bool complete() const noexcept { return open_ == 0; }
  const RawValue* get(size_t group) const noexcept {
    return ranks_[group] == kNone ? nullptr : &values_[group];
  }

 private:
  static constexpr uint8_t kNone = 0xff;
  static constexpr size_t kFewGroups = 8;
  std::vector<uint8_t> ranks_;
  std::vector<RawValue> values_;
  std::span<const GroupKind> kinds_;
  size_t searched_ = 0;
  size_t open_ = 0;
};

// Room for texts that had escapes, reused for each line; what does not fit is cut.
class Scratch {
 public:
  explicit Scratch(size_t bytes) : buffer_(bytes) {}
  void reset() noexcept { used_ = 0; }
  char* begin() noexcept { return buffer_.data() + used_; }
  size_t room() const noexcept { return buffer_.size() - used_; }
  std::string_view commit(size_t n) noexcept {
    const std::string_view text(buffer_.data() + used_, n);
    used_ += n;
    return text;
  }

 private:
  std::vector<char> buffer_;
  size_t used_ = 0;
};
inline constexpr size_t kScratchBytes = 16 * 1024;

}  // namespace nines::log
