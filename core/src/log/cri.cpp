#include "nines/log/cri.hpp"

#include <cstring>

#include "nines/log/format.hpp"
#include "nines/log/timestamp.hpp"

namespace nines::log {
namespace {

// Saved form: "CR1", then for each open stream: stream (1 byte), truncated (1), time (8, little
// endian), length (4), content; then FNV-1a of all before (4).
constexpr std::string_view kMagic = "CR1";
constexpr size_t kPieceHeader = 14;
constexpr size_t kChecksum = 4;

void put_le(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

uint64_t get_le(std::string_view in, size_t pos, int bytes) noexcept {
  uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) {
    value = value << 8 | static_cast<unsigned char>(in[pos + static_cast<size_t>(i)]);
  }
  return value;
}

uint32_t fnv1a(std::string_view bytes) noexcept {
  uint32_t hash = 2166136261u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

// At most `limit` bytes of `text`, not cut within a UTF-8 character.
std::string_view cut(std::string_view text, size_t limit) noexcept {
  if (text.size() <= limit) return text;
  size_t n = limit;
  for (int back = 0; back < 3 && n > 0; ++back) {
    if ((static_cast<unsigned char>(text[n]) & 0xC0) != 0x80) return text.substr(0, n);
    --n;
  }
  const bool boundary = (static_cast<unsigned char>(text[n]) & 0xC0) != 0x80;
  return text.substr(0, boundary ? n : limit);  // not UTF-8 at all
}

}  // namespace

bool parse_cri(std::string_view line, CriLine& out) noexcept {
  static const TimeContext kUtc{};
  if (line.size() < 27 || line[10] != 'T') return false;
  const auto time = parse_iso_time(line, kUtc);
  if (!time || line.size() < time->length + 7) return false;
  const char last = line[time->length - 1];
  if (last != 'Z' && line.find_last_of("+-", time->length) <= 10) return false;
  const std::string_view stream = line.substr(time->length, 7);
  if (stream == " stdout") {
    out.stream = CriStream::out;
  } else if (stream == " stderr") {
    out.stream = CriStream::err;
  } else {
    return false;
  }
  std::string_view rest = line.substr(time->length + 7);
  if (!rest.empty() && rest.front() != ' ') return false;
  if (!rest.empty()) rest.remove_prefix(1);
  out.ts = time->ts;
  out.partial = false;
  // Tags are "F" or "P", more may follow behind colons: "P:x".
  const bool tagged = !rest.empty() && (rest[0] == 'F' || rest[0] == 'P') &&
                      (rest.size() == 1 || rest[1] == ' ' || rest[1] == ':');
  if (tagged) {
    out.partial = rest[0] == 'P';
    const size_t space = rest.find(' ');
    rest = space == std::string_view::npos ? std::string_view() : rest.substr(space + 1);
  }
  out.content = rest;
  return true;
}

CriJoiner::Outcome CriJoiner::push(std::string_view line, Record& out) {
  CriLine piece;
  if (!parse_cri(line, piece)) return Outcome::not_cri;
  Open& open = open_[static_cast<size_t>(piece.stream)];
  if (open.drained) open = Open{std::move(open.content), {}, false, false, false};
  if (!open.active) {
    open.content.clear();
    open.ts = piece.ts;
    open.truncated = false;
  }
  if (!open.active && !piece.partial) {  // the common case: nothing is copied
    const std::string_view content = cut(piece.content, max_bytes_);
    out = {piece.ts, piece.stream, content, content.size() < piece.content.size()};
    return Outcome::record;
  }
  if (!open.truncated) {
    // Behind a cut nothing may follow, or the record would have a hole in the middle.
    const std::string_view added = cut(piece.content, max_bytes_ - open.content.size());
    open.content.append(added);
    open.truncated = added.size() < piece.content.size();
  }
  open.active = piece.partial;
  if (piece.partial) return Outcome::pending;
  open.drained = true;
  out = {open.ts, piece.stream, open.content, open.truncated};
  return Outcome::record;
}

bool CriJoiner::has_pending() const noexcept { return open_[0].active || open_[1].active; }

std::string CriJoiner::save() const {
  if (!has_pending()) return {};
  std::string out(kMagic);
  for (size_t stream = 0; stream < 2; ++stream) {
    const Open& open = open_[stream];
    if (!open.active) continue;
    put_le(out, stream, 1);
    put_le(out, open.truncated ? 1 : 0, 1);
    put_le(out, static_cast<uint64_t>(open.ts.ns), 8);
    put_le(out, open.content.size(), 4);
    out += open.content;
  }
  put_le(out, fnv1a(out), kChecksum);
  return out;
}

bool CriJoiner::restore(std::string_view saved) {
  Open restored[2];
  if (!saved.empty()) {
    if (saved.size() < kMagic.size() + kPieceHeader + kChecksum ||
        saved.substr(0, kMagic.size()) != kMagic) {
      return false;
    }
    const std::string_view body = saved.substr(0, saved.size() - kChecksum);
    if (get_le(saved, body.size(), kChecksum) != fnv1a(body)) return false;
    for (size_t pos = kMagic.size(); pos < body.size();) {
      if (body.size() - pos < kPieceHeader) return false;
      const uint64_t stream = get_le(body, pos, 1);
      const uint64_t truncated = get_le(body, pos + 1, 1);
      const auto length = static_cast<size_t>(get_le(body, pos + 10, 4));
      if (stream > 1 || truncated > 1 || restored[stream].active) return false;
      if (body.size() - pos - kPieceHeader < length) return false;
      const std::string_view whole = body.substr(pos + kPieceHeader, length);
      const std::string_view content = cut(whole, max_bytes_);  // the bound may be lower now
      Open& open = restored[stream];
      open.content = content;
      open.ts.ns = static_cast<int64_t>(get_le(body, pos + 2, 8));
      open.truncated = truncated == 1 || content.size() < whole.size();
      open.active = true;
      pos += kPieceHeader + length;
    }
  }
  open_[0] = std::move(restored[0]);
  open_[1] = std::move(restored[1]);
  return true;
}

}  // namespace nines::log
