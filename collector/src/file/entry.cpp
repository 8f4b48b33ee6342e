#include "file/entry.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace nines::collector {
namespace {

using HeadBuffer = std::array<char, kHeadBytes>;

std::optional<uint64_t> hash_of_range(int fd, int64_t offset, int64_t size) {
  HeadBuffer buffer;
  const auto want = static_cast<size_t>(size);
  if (read_at(fd, buffer.data(), want, offset) != size) return std::nullopt;
  return hash64({buffer.data(), want});
}

// Space-separated numbers, then two strings with their lengths in front.
template <class T>
bool take_number(std::string_view& in, T& out) {
  const auto [end, error] = std::from_chars(in.data(), in.data() + in.size(), out, 16);
  const auto used = static_cast<size_t>(end - in.data());
  if (error != std::errc() || used >= in.size() || in[used] != ' ') return false;
  in.remove_prefix(used + 1);
  return true;
}

bool take_text(std::string_view& in, std::string& out) {
  size_t size = 0;
  if (!take_number(in, size) || size > in.size()) return false;
  out.assign(in.substr(0, size));
  in.remove_prefix(size);
  return true;
}

template <class T>
void put_number(std::string& out, T value) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, 16).ptr;
  out.append(buffer.data(), end).push_back(' ');
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out.append(text);
}

enum Flag : uint32_t { kSkipLine = 1, kRotated = 2, kDone = 4, kHole = 8 };
constexpr std::string_view kVersion = "1 ";

}  // namespace

std::string encode_state(const Entry& e) {
  std::string out(kVersion);
  put_number(out, (e.skip_line ? kSkipLine : 0U) | (e.rotated ? kRotated : 0U) |
                      (e.phase == Phase::done ? kDone : 0U) | (e.hole ? kHole : 0U));
  put_number(out, e.offset);
  put_number(out, e.id.dev);
  put_number(out, e.id.ino);
  put_number(out, e.id.head_bytes);
  put_number(out, e.id.head_hash);
  put_number(out, e.id.tail_hash);
  put_number(out, e.path_time_ns);
  put_text(out, e.path);
  put_text(out, e.where);
  put_text(out, e.extra);
  if (!e.real.empty()) put_text(out, e.real);
  return out;
}

bool decode_state(std::string_view in, Entry& e) {
  if (!in.starts_with(kVersion)) return false;
  in.remove_prefix(kVersion.size());
  uint32_t flags = 0;
  const bool read = take_number(in, flags) && take_number(in, e.offset) &&
                    take_number(in, e.id.dev) && take_number(in, e.id.ino) &&
                    take_number(in, e.id.head_bytes) && take_number(in, e.id.head_hash) &&
                    take_number(in, e.id.tail_hash) && take_number(in, e.path_time_ns) &&
                    take_text(in, e.path) && take_text(in, e.where) && take_text(in, e.extra) &&
                    (in.empty() || take_text(in, e.real));
  e.skip_line = (flags & kSkipLine) != 0;
  e.rotated = (flags & kRotated) != 0;
  e.hole = (flags & kHole) != 0;
  e.phase = (flags & kDone) != 0 ? Phase::done : Phase::lost;
  return read && in.empty() && e.offset >= 0 && e.id.head_bytes <= kHeadBytes && !e.path.empty();
}

bool same_content(int fd, const Entry& e) {
  const int64_t tail = e.tail_bytes();
  if (e.id.head_bytes > 0 && hash_of_range(fd, 0, e.id.head_bytes) != e.id.head_hash) return false;
  return tail == 0 || hash_of_range(fd, e.offset - tail, tail) == e.id.tail_hash;
}

bool refresh_head(int fd, int64_t size, Entry& e) {
  HeadBuffer buffer;
  const int64_t got = read_at(fd, buffer.data(), buffer.size(), 0);
  if (got < e.id.head_bytes) return false;
  if (hash64({buffer.data(), e.id.head_bytes}) != e.id.head_hash && e.id.head_bytes > 0)
    return false;
  const auto now = static_cast<uint16_t>(std::min(got, size));
  if (now <= e.id.head_bytes) return true;
  e.id.head_bytes = now;
  e.id.head_hash = hash64({buffer.data(), now});
  return true;
}

bool refresh_tail(int fd, Entry& e) {
  const int64_t tail = e.tail_bytes();
  const auto hash = hash_of_range(fd, e.offset - tail, tail);
  if (hash) e.id.tail_hash = *hash;
  return hash.has_value();
}

bool is_prefix(int copy, int64_t copy_size, int original, int64_t original_size) {
  if (copy_size > original_size) return false;
  const int64_t head = std::min(copy_size, kHeadBytes);
  const int64_t tail = std::min(copy_size, kTailBytes);
  const auto equal = [&](int64_t offset, int64_t size) {
    const auto hash = hash_of_range(copy, offset, size);
    return hash && hash == hash_of_range(original, offset, size);
  };
  return equal(0, head) && equal(copy_size - tail, tail);
}

}  // namespace nines::collector
