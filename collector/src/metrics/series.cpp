#include "metrics/series.hpp"

#include <bit>

#include "nines/base/contract.hpp"
#include "nines/base/crc32c.hpp"

namespace nines::collector {
namespace {

constexpr char kVersion = 1;
enum Flag : uint8_t { kHasStart = 1, kIsMicro = 2 };

void put_varint(std::string& out, uint64_t v) {
  for (; v >= 0x80; v >>= 7) out += static_cast<char>(v | 0x80);
  out += static_cast<char>(v);
}

void put_fixed(std::string& out, uint64_t v, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(v >> (8 * i));
}

uint64_t zigzag(int64_t v) {
  return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
}
int64_t unzigzag(uint64_t v) { return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1); }

// Reads what the functions above wrote; `ok` turns false at the first that is not there.
struct Source {
  std::string_view rest;
  bool ok = true;

  uint64_t varint() {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint64_t byte = fixed(1);
      v |= (byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return v;
    }
    ok = false;
    return 0;
  }
  uint64_t fixed(int bytes) {
    uint64_t v = 0;
    ok = ok && rest.size() >= static_cast<size_t>(bytes);
    if (!ok) return 0;
    for (int i = 0; i < bytes; ++i) {
      v |= static_cast<uint64_t>(static_cast<unsigned char>(rest[static_cast<size_t>(i)])) << 8 * i;
    }
    rest.remove_prefix(static_cast<size_t>(bytes));
    return v;
  }
};

// The text without its checksum; ok false: damaged or of another version.
Source checked(std::string_view text) {
  if (text.size() < 5 || text.front() != kVersion) return {{}, false};
  const std::string_view body = text.substr(0, text.size() - 4);
  return {body.substr(1), crc32c(body) == SeriesTable::check_of(text)};
}

}  // namespace

SeriesHash& SeriesHash::add(std::string_view bytes) noexcept {
  for (const char c : bytes) {
    state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return add(static_cast<uint64_t>(bytes.size()));
}

SeriesHash& SeriesHash::add(uint64_t number) noexcept {
  state_ ^= number;
  state_ = (state_ ^ (state_ >> 32)) * 0x9e3779b97f4a7c15;
  return *this;
}

// Finisher of MurmurHash3.
uint64_t SeriesHash::value() const noexcept {
  uint64_t h = state_;
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
  return h ^ (h >> 33);
}

uint32_t SeriesTable::check_of(std::string_view layout) noexcept {
  Source tail{layout.substr(layout.size() - 4)};
  return static_cast<uint32_t>(tail.fixed(4));
}

SeriesTable::SeriesTable(size_t max_series) : max_series_(max_series) { clear(); }

void SeriesTable::clear() {
  series_.clear();
  index_.assign(64, kNone);
}

uint32_t SeriesTable::find(uint64_t key) const noexcept {
  const size_t mask = index_.size() - 1;
  for (size_t i = static_cast<size_t>(key) & mask;; i = (i + 1) & mask) {
    if (index_[i] == kNone || series_[index_[i]].key == key) return index_[i];
  }
}

uint32_t SeriesTable::insert(uint64_t key) {
  if (series_.size() >= max_series_) return kNone;
  const auto index = static_cast<uint32_t>(series_.size());
  series_.emplace_back().key = key;
  if (series_.size() * 2 > index_.size()) {
    reindex();
    return index;
  }
  const size_t mask = index_.size() - 1;
  size_t i = static_cast<size_t>(key) & mask;
  while (index_[i] != kNone) i = (i + 1) & mask;
  index_[i] = index;
  return index;
}

void SeriesTable::reindex() {
  index_.assign(std::bit_ceil(series_.size() * 2 + 64), kNone);
  const size_t mask = index_.size() - 1;
  for (size_t n = 0; n < series_.size(); ++n) {
    size_t i = static_cast<size_t>(series_[n].key) & mask;
    while (index_[i] != kNone) i = (i + 1) & mask;
    index_[i] = static_cast<uint32_t>(n);
  }
}

size_t SeriesTable::forget_before(uint32_t oldest) {
  const size_t gone = std::erase_if(series_, [&](const Series& s) { return s.scrape < oldest; });
  if (gone > 0) reindex();
  return gone;
}

// Start times are told as the difference from the one before: those of one process lie close.
std::string SeriesTable::encode_layout(const Target& target) const {
  std::string out(1, kVersion);
  put_varint(out, target.extra.size());
  out += target.extra;
  put_varint(out, zigzag(target.watching_since_s));
  int64_t before_ms = target.watching_since_s * 1000;
  for (const Series& s : series_) {
    if (!s.known) continue;
    put_fixed(out, s.key, 8);
    const bool has_start = s.start_ms != kNoStart;
    out += static_cast<char>((has_start ? kHasStart : 0) | (s.micro ? kIsMicro : 0));
    if (!has_start) continue;
    put_varint(out, zigzag(s.start_ms - before_ms));
    before_ms = s.start_ms;
  }
  put_fixed(out, crc32c(out), 4);
  return out;
}

std::string SeriesTable::encode_values(const Target& target, uint32_t layout_check) const {
  std::string out(1, kVersion);
  put_fixed(out, layout_check, 4);
  out += static_cast<char>(target.complete);
  for (const Series& s : series_) {
    if (s.known) put_varint(out, s.last);
  }
  put_fixed(out, crc32c(out), 4);
  return out;
}

bool SeriesTable::decode_layout(std::string_view layout, Target& target) {
  Source in = checked(layout);
  const uint64_t extra = in.varint();
  if (!in.ok || extra > in.rest.size()) return false;
  target.extra = in.rest.substr(0, static_cast<size_t>(extra));
  in.rest.remove_prefix(static_cast<size_t>(extra));
  target.watching_since_s = unzigzag(in.varint());
  int64_t before_ms = target.watching_since_s * 1000;
  while (in.ok && !in.rest.empty() && series_.size() < max_series_) {
    const uint64_t key = in.fixed(8);
    const uint64_t flags = in.fixed(1);
    if (!in.ok || find(key) != kNone) return false;
    Series& s = series_[insert(key)];
    s.known = true;
    s.micro = (flags & kIsMicro) != 0;
    if ((flags & kHasStart) == 0) continue;
    before_ms += unzigzag(in.varint());
    s.start_ms = before_ms;
  }
  return in.ok;
}

bool SeriesTable::decode_values(std::string_view layout, std::string_view values, Target& target) {
  Source in = checked(values);
  if (in.fixed(4) != check_of(layout)) return false;
  target.complete = in.fixed(1) != 0;
  for (Series& s : series_) s.last = in.varint();
  // With a smaller max_series than before the rest is unknown, but not new.
  target.complete = target.complete && in.rest.empty();
  return in.ok;
}

bool SeriesTable::decode(std::string_view layout, std::string_view values, Target& target) {
  clear();
  target = {};
  if (decode_layout(layout, target) && decode_values(layout, values, target)) return true;
  clear();
  target = {};
  return false;
}

}  // namespace nines::collector
