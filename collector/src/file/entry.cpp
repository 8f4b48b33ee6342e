#include "file/entry.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace nines::collector {
namespace {

using HeadBuffer = std::array<char, kHeadBytes>;

std::optional<uint64_t> hash_of_range(const Source& source, int64_t offset, int64_t size) {
  HeadBuffer buffer;
  const auto want = static_cast<size_t>(size);
  if (source.read(buffer.data(), want, offset) != size) return std::nullopt;
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

enum Flag : uint32_t { kSkipLine = 1, kRotated = 2, kDone = 4, kHole = 8, kOld = 16 };
constexpr std::string_view kVersion = "1 ";
constexpr std::string_view kPackedVersion = "2 ";  // a compressed file: one number more

}  // namespace

int64_t Source::read(char* buffer, size_t size, int64_t offset) const {
  return decoder != nullptr ? decoder->read_at(fd, buffer, size, offset)
                            : read_at(fd, buffer, size, offset);
}

std::string encode_state(const Entry& e) {
  std::string out(e.packed ? kPackedVersion : kVersion);
  put_number(out, (e.skip_line ? kSkipLine : 0U) | (e.rotated ? kRotated : 0U) |
                      (e.phase == Phase::done ? kDone : 0U) | (e.hole ? kHole : 0U) |
                      (e.packed && e.packed->old ? kOld : 0U));
  put_number(out, e.offset);
  put_number(out, e.id.dev);
  put_number(out, e.id.ino);
  put_number(out, e.id.head_bytes);
  put_number(out, e.id.head_hash);
  put_number(out, e.id.tail_hash);
  put_number(out, e.path_time_ns);
  if (e.packed) put_number(out, e.packed->stored);
  put_text(out, e.path);
  put_text(out, e.where);
  put_text(out, e.extra);
  if (!e.real.empty()) put_text(out, e.real);
  return out;
}

bool decode_state(std::string_view in, Entry& e) {
  const bool packed = in.starts_with(kPackedVersion);
  if (!packed && !in.starts_with(kVersion)) return false;
  in.remove_prefix(kVersion.size());
  if (packed) e.packed = std::make_unique<Packed>();
  uint32_t flags = 0;
  const bool read = take_number(in, flags) && take_number(in, e.offset) &&
                    take_number(in, e.id.dev) && take_number(in, e.id.ino) &&
                    take_number(in, e.id.head_bytes) && take_number(in, e.id.head_hash) &&
                    take_number(in, e.id.tail_hash) && take_number(in, e.path_time_ns) &&
                    (!packed || take_number(in, e.packed->stored)) && take_text(in, e.path) &&
                    take_text(in, e.where) && take_text(in, e.extra) &&
                    (in.empty() || take_text(in, e.real));
  e.skip_line = (flags & kSkipLine) != 0;
  e.rotated = (flags & kRotated) != 0;
  e.hole = (flags & kHole) != 0;
  if (packed) e.packed->old = (flags & kOld) != 0;
  e.phase = (flags & kDone) != 0 ? Phase::done : Phase::lost;
  return read && in.empty() && e.offset >= 0 && e.id.head_bytes <= kHeadBytes && !e.path.empty();
}

bool same_head(const Source& source, const FileIdentity& id) {
  return id.head_bytes == 0 || hash_of_range(source, 0, id.head_bytes) == id.head_hash;
}

bool same_tail(const Source& source, const Entry& e) {
  const int64_t tail = e.tail_bytes();
  return tail == 0 || hash_of_range(source, e.offset - tail, tail) == e.id.tail_hash;
}

bool same_content(const Source& source, const Entry& e) {
  return same_head(source, e.id) && (source.decoder != nullptr || same_tail(source, e));
}

bool refresh_head(const Source& source, Entry& e) {
  HeadBuffer buffer;
  const int64_t got = source.read(buffer.data(), buffer.size(), 0);
  return got >= 0 && refresh_head({buffer.data(), static_cast<size_t>(got)}, e);
}

bool refresh_head(std::string_view start, Entry& e) {
  start = start.substr(0, kHeadBytes);
  const size_t known = e.id.head_bytes;
  if (start.size() < known) return false;
  if (known > 0 && hash64(start.substr(0, known)) != e.id.head_hash) return false;
  if (start.size() == known) return true;
  e.id.head_bytes = static_cast<uint16_t>(start.size());
  e.id.head_hash = hash64(start);
  return true;
}

bool refresh_tail(const Source& source, Entry& e) {
  const int64_t tail = e.tail_bytes();
  const auto hash = hash_of_range(source, e.offset - tail, tail);
  if (hash) e.id.tail_hash = *hash;
  return hash.has_value();
}

std::optional<uint64_t> hash_of_end(const Source& source, int64_t size) {
  const int64_t tail = std::min(size, kTailBytes);
  return hash_of_range(source, size - tail, tail);
}

bool ends_within(int64_t copy_size, uint64_t end_hash, const Source& original) {
  return hash_of_end(original, copy_size) == end_hash;
}

bool is_prefix(const Source& copy, int64_t copy_size, const Source& original) {
  const int64_t head = std::min(copy_size, kHeadBytes);
  const auto start = hash_of_range(copy, 0, head);
  if (!start || start != hash_of_range(original, 0, head)) return false;
  const auto end = hash_of_end(copy, copy_size);
  return end && ends_within(copy_size, *end, original);
}

}  // namespace nines::collector
