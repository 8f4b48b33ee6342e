#include "pipeline/groups.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <utility>

#include "nines/base/decimal.hpp"
#include "nines/base/time.hpp"
#include "nines/base/utf.hpp"
#include "nines/slo/join.hpp"

namespace nines::collector {
namespace {

constexpr size_t kMaxName = 64;
constexpr uint8_t kVersion = 1;
constexpr int64_t kSlotsPerHour = 3600 / slo::kSlotS;
// A row goes a little after its windows are empty: rules with `for` look back by up to two hours,
// and the watermark may lie before the newest event.
constexpr int64_t kIdleHours = 3;

int64_t hour_of(int64_t slot) {
  return slot >= 0 ? slot / kSlotsPerHour : -((-slot + kSlotsPerHour - 1) / kSlotsPerHour);
}

void put_varint(std::string& out, uint64_t v) {
  for (; v >= 0x80; v >>= 7U) out += static_cast<char>(v | 0x80U);
  out += static_cast<char>(v);
}

bool take_varint(std::string_view& in, uint64_t& v) {
  v = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto b = static_cast<uint8_t>(in.front());
    in.remove_prefix(1);
    v |= static_cast<uint64_t>(b & 0x7fU) << shift;
    if (b < 0x80) return true;
  }
  return false;
}

// Bytes of a well-formed character at the start of `text`, 0: there is none.
size_t utf8_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t n = first < 0x80   ? 1
                   : first < 0xc2 ? 0
                   : first < 0xe0 ? 2
                   : first < 0xf0 ? 3
                   : first < 0xf5 ? 4
                                  : 0;
  if (n > text.size()) return 0;
  for (size_t i = 1; i < n; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80) return 0;
  }
  return n;
}

std::string text_of(const Value& value) {
  switch (value.kind) {
    case ValueKind::null: return {};
    case ValueKind::text:
    case ValueKind::level: return std::string(cut_utf8(value.text, kMaxName));
    case ValueKind::boolean: return value.mantissa != 0 ? "true" : "false";
    case ValueKind::number: return Decimal{value.mantissa, value.exponent}.to_string();
    case ValueKind::time: return format_rfc3339({value.time_ns});
    case ValueKind::real: {
      char text[32];
      return {text, std::to_chars(text, text + sizeof text, value.real).ptr};
    }
  }
  return {};
}

int64_t longest_window_s(const slo::SloSpec& spec) {
  int64_t longest = spec.window_s;
  if (spec.calendar != nullptr) longest = std::max(longest, spec.calendar->longest_s());
  for (const slo::AlertRule& rule : spec.alerts.rules) longest = std::max(longest, rule.long_s);
  return longest;
}

}  // namespace

std::string group_name(const Value& value) {
  std::string name = text_of(value);
  if (name.size() > kMaxName) name.resize(kMaxName);
  for (size_t i = 0; i < name.size();) {
    const size_t n = utf8_length(std::string_view(name).substr(i));
    const auto byte = static_cast<unsigned char>(name[i]);
    if (n == 0 || byte < 0x20 || byte == 0x7f) name[i] = '?';
    i += std::max<size_t>(1, n);
  }
  return name;
}

GroupTable::GroupTable(uint32_t slo, const slo::SloSpec& spec, uint32_t first_row)
    : slo_(slo),
      first_row_(first_row),
      max_(static_cast<size_t>(spec.indicator.group->max)),
      window_s_(longest_window_s(spec)),
      key_(std::string(kGroupPrefix) + spec.name + ":" + slo::row_of(spec, {}).generation()),
      table_(std::bit_ceil(4 * max_ + 4)) {}

uint32_t GroupTable::row(const Value& value, int64_t slot) {
  const uint64_t hash = slo::join_key(value);
  const bool empty = value.kind == ValueKind::text && value.text.empty();
  if (hash == 0 || empty) return other(counts_.missing);
  const size_t mask = table_.size() - 1;
  size_t at = static_cast<size_t>(hash) & mask;
  while (table_[at].hash != 0 && table_[at].hash != hash) at = (at + 1) & mask;
  const uint32_t group = table_[at].hash != 0 ? table_[at].group : learn(hash, value);
  return group < max_ ? seen(group, slot) : other(counts_.overflow);
}

uint32_t GroupTable::other(uint64_t& counter) {
  ++counter;
  dirty_ = dirty_ || !other_used_;
  other_used_ = true;
  return first_row_;
}

uint32_t GroupTable::seen(uint32_t group, int64_t slot) {
  Group& known = groups_[group];
  known.counted = true;
  if (const int64_t hour = hour_of(slot); hour > known.hour) {
    known.hour = hour;
    dirty_ = true;
  }
  return first_row_ + 1 + group;
}

// Two values may have one name; they share a row. Values without a row (group == max) are
// remembered too, as long as the table has room, so that they are not looked at again.
uint32_t GroupTable::learn(uint64_t hash, const Value& value) {
  auto group = static_cast<uint32_t>(max_);
  if ((known_ + 1) * 2 > table_.size()) return group;
  std::string name = group_name(value);
  const auto same =
      std::find_if(groups_.begin(), groups_.end(), [&](const Group& g) { return g.name == name; });
  if (same != groups_.end()) {
    group = static_cast<uint32_t>(same - groups_.begin());
    same->resting = false;
  } else if (used_ < max_ && name != slo::kOtherGroup) {
    group = take_place(std::move(name));
  }
  remember(hash, group);
  return group;
}

uint32_t GroupTable::take_place(std::string name) {
  ++used_;
  const auto free =
      std::find_if(groups_.begin(), groups_.end(), [](const Group& g) { return g.name.empty(); });
  const auto group = static_cast<uint32_t>(free - groups_.begin());
  if (free == groups_.end()) groups_.emplace_back();
  groups_[group].name = std::move(name);
  return group;
}

void GroupTable::remember(uint64_t hash, uint32_t group) {
  const size_t mask = table_.size() - 1;
  size_t at = static_cast<size_t>(hash) & mask;
  while (table_[at].hash != 0) at = (at + 1) & mask;
  table_[at] = {hash, group};
  ++known_;
}

void GroupTable::take_new(std::vector<slo::GroupRow>& out) {
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (groups_[i].told || !groups_[i].in_use()) continue;
    groups_[i].told = true;
    const auto row = first_row_ + 1 + static_cast<uint32_t>(i);
    out.push_back({slo::GroupRow::kFirst + row, slo_, groups_[i].name});
  }
  if (!other_used_ || other_told_) return;
  other_told_ = true;
  out.push_back({slo::GroupRow::kFirst + first_row_, slo_, std::string(slo::kOtherGroup)});
}

int64_t GroupTable::oldest_hour(WallTime newest) const {
  return hour_of(slo::slot_of({newest.ns - window_s_ * kNsPerSecond}));
}

void GroupTable::let_go(WallTime newest, std::vector<slo::GroupRow>& out) {
  const int64_t hour = hour_of(slo::slot_of(newest));
  if (newest == WallTime{} || hour <= looked_hour_) return;
  looked_hour_ = hour;
  bool changed = false;
  for (size_t i = 0; i < groups_.size(); ++i) {
    Group& group = groups_[i];
    if (group.resting) {
      group = {};
      --used_;
      changed = true;
    }
    const bool counted = std::exchange(group.counted, false);
    const bool idle = group.told && !counted && group.hour < oldest_hour(newest) - kIdleHours;
    if (!idle) continue;
    const auto row = first_row_ + 1 + static_cast<uint32_t>(i);
    out.push_back({slo::GroupRow::kFirst + row, slo_, group.name, true});
    group.told = false;
    group.resting = changed = true;
  }
  if (changed) forget_idle();
}

// Also the values that found no place: they may have one now.
void GroupTable::forget_idle() {
  std::vector<Known> known(table_.size());
  known.swap(table_);
  known_ = 0;
  for (const Known& k : known) {
    if (k.hash != 0 && k.group < max_ && groups_[k.group].in_use()) remember(k.hash, k.group);
  }
  dirty_ = true;
}

bool GroupTable::restore(const slo::Position& position, WallTime newest) {
  if (position.key != key_) return false;
  std::string_view in = position.state;
  if (in.empty() || static_cast<uint8_t>(in.front()) != kVersion) return true;
  in.remove_prefix(1);
  const int64_t oldest = oldest_hour(newest);
  while (!in.empty() && used_ < max_) {
    uint64_t hour = 0, length = 0;
    if (!take_varint(in, hour) || !take_varint(in, length)) break;
    if (length > kMaxName || length > in.size()) break;
    const Value value = Value::of_text(in.substr(0, static_cast<size_t>(length)));
    in.remove_prefix(static_cast<size_t>(length));
    const auto last = static_cast<int64_t>(hour >> 1U) ^ -static_cast<int64_t>(hour & 1U);
    const std::string name = group_name(value);
    if (name == slo::kOtherGroup) {
      other_used_ = true;
    } else if (last >= oldest) {
      const size_t before = used_;
      (void)learn(slo::join_key(value), value);
      if (used_ > before) groups_.back().hour = last;
      // A number that reads so.
      if (const auto number = Decimal::parse(name); number && used_ > before) {
        (void)learn(slo::join_key(Value::of_decimal(number->mantissa, number->exponent)), value);
      }
    }
  }
  return true;
}

size_t GroupTable::groups() const noexcept {
  return static_cast<size_t>(
      std::count_if(groups_.begin(), groups_.end(), [](const Group& g) { return g.in_use(); }));
}

void GroupTable::take_position(std::vector<slo::Position>& out) {
  if (!dirty_) return;
  dirty_ = false;
  std::string state{static_cast<char>(kVersion)};
  const auto add = [&](std::string_view name, int64_t hour) {
    put_varint(state, (static_cast<uint64_t>(hour) << 1U) ^ static_cast<uint64_t>(hour >> 63));
    put_varint(state, name.size());
    state += name;
  };
  if (other_used_) add(slo::kOtherGroup, 0);
  for (const Group& group : groups_) {
    if (group.in_use()) add(group.name, group.hour);
  }
  out.push_back({key_, std::move(state)});
}

}  // namespace nines::collector
