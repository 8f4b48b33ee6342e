// How small states are written beside a position: little-endian numbers, texts with their length,
// and FNV-1a over all of it at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nines::log {

inline void put_le(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

inline void put_text(std::string& out, std::string_view text) {
  put_le(out, text.size(), 4);
  out += text;
}

inline uint32_t fnv1a(std::string_view bytes) noexcept {
  uint32_t hash = 2166136261u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

// Reads what the functions above wrote. Garbage makes good() false and everything after it 0.
class SavedReader {
 public:
  explicit SavedReader(std::string_view all) {
    if (all.size() >= kChecksum) rest_ = all.substr(0, all.size() - kChecksum);
    checked_ = all.size() >= kChecksum && little_endian(all.substr(rest_.size())) == fnv1a(rest_);
  }
  bool checked() const noexcept { return checked_; }
  bool good() const noexcept { return checked_ && good_; }
  bool at_end() const noexcept { return rest_.empty() || !good_; }
  std::string_view bytes(size_t n) {
    if (n > rest_.size()) {
      good_ = false;
      return {};
    }
    const std::string_view out = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return out;
  }
  uint64_t number(size_t n) { return little_endian(bytes(n)); }
  std::string_view text() { return bytes(static_cast<size_t>(number(4))); }

 private:
  static constexpr size_t kChecksum = 4;
  static uint64_t little_endian(std::string_view in) noexcept {
    uint64_t value = 0;
    for (size_t i = in.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(in[i]);
    return value;
  }
  std::string_view rest_;
  bool checked_ = false, good_ = true;
};

}  // namespace nines::log
