#include "session_parts.hpp"

#include <tuple>

#include "key_table.hpp"
#include "nines/base/decimal.hpp"
#include "nines/base/json_writer.hpp"
#include "nines/base/utf.hpp"

namespace nines::query {

uint32_t ServiceNames::number_of(std::string_view name) {
  if (last_ < names_.size() && names_[last_] == name) return last_;
  const size_t mask = cells_.size() - 1;
  size_t at = static_cast<size_t>(hash_bytes(name)) & mask;
  for (; cells_[at] != 0; at = (at + 1) & mask) {
    if (names_[cells_[at] - 1] == name) return last_ = cells_[at] - 1;
  }
  if (names_.size() >= kMost) return kMost;
  names_.emplace_back(name);
  cells_[at] = static_cast<uint32_t>(names_.size());
  last_ = cells_[at] - 1;
  if (names_.size() * 2 > cells_.size()) grow();
  return last_;
}

void ServiceNames::grow() {
  std::vector<uint32_t> wider(cells_.size() * 2);
  const size_t mask = wider.size() - 1;
  for (uint32_t number = 0; number < names_.size(); ++number) {
    size_t at = static_cast<size_t>(hash_bytes(names_[number])) & mask;
    while (wider[at] != 0) at = (at + 1) & mask;
    wider[at] = number + 1;
  }
  cells_.swap(wider);
}

std::string_view ServiceNames::json_of(const ServiceSet& set) {
  const uint64_t mixed = (set.bits_ ^ set.more_.size()) * 0x9e3779b97f4a7c15;
  Text& text = texts_[static_cast<size_t>(mixed >> 58)];
  if (!(text.set == set)) {
    text.set = set;
    write(text);
  }
  return text.json;
}

void ServiceNames::write(Text& text) const {
  std::vector<std::string_view> found;
  for (uint32_t number = 0; number < 64; ++number) {
    if ((text.set.bits_ >> number & 1) != 0) found.emplace_back(names_[number]);
  }
  for (const uint32_t number : text.set.more_) found.emplace_back(names_[number]);
  std::sort(found.begin(), found.end());
  text.json.clear();
  JsonWriter json(text.json);
  json.begin_array();
  for (const std::string_view name : found) json.value(name);
  json.end_array();
}

bool Timeline::wanted(WallTime ts, Place place) const noexcept {
  if (entries_.size() < kMost) return true;
  const Entry& last = entries_.back();
  return std::tie(ts, place) < std::tie(last.ts, last.place);
}

size_t Timeline::insert(Entry entry) {
  const auto before = [](const Entry& a, const Entry& b) {
    return std::tie(a.ts, a.place) < std::tie(b.ts, b.place);
  };
  const size_t bytes = sizeof(Entry) + entry.service.size() + entry.message.size();
  entries_.insert(std::upper_bound(entries_.begin(), entries_.end(), entry, before),
                  std::move(entry));
  if (entries_.size() <= kMost) return bytes;
  entries_.pop_back();
  return 0;  // about as much as came in; kMost of them are counted already
}

size_t Timeline::add(const Row& row, std::string_view service, std::string_view message) {
  if (!wanted(row.ts, row.place)) return 0;
  return insert({row.ts, row.place, std::string(cut_utf8(service, kMessageBytes)),
                 std::string(cut_utf8(message, kMessageBytes))});
}

size_t Timeline::add(Timeline&& other) {
  size_t grown = 0;
  for (Entry& entry : other.entries_) {
    if (wanted(entry.ts, entry.place)) grown += insert(std::move(entry));
  }
  return grown;
}

void Timeline::write(WallTime start, std::string& out) const {
  JsonWriter json(out);
  json.begin_array();
  for (const Entry& entry : entries_) {
    const Value ms = milliseconds(minus_ns(entry.ts.ns, start.ns));
    json.begin_array();
    json.value(Decimal{ms.mantissa, ms.exponent});
    json.value(std::string_view(entry.service));
    json.value(std::string_view(entry.message));
    json.end_array();
  }
  json.end_array();
}

Value milliseconds(int64_t ns) noexcept {
  if (ns % kNsPerMs == 0) return Value::of_int(ns / kNsPerMs);
  if (ns % kNsPerUs == 0) return Value::of_decimal(ns / kNsPerUs, -3);
  return Value::of_decimal(ns, -6);
}

}  // namespace nines::query
