#include "nines/log/pieces.hpp"

#include "nines/base/utf.hpp"
#include "nines/log/saved.hpp"

namespace nines::log {
namespace {

// Saved form: a magic, then for each open stream: stream (1 byte), truncated (1), time (8, little
// endian), since CR2 where it began (8), length (4), content; then FNV-1a of all before (4).
constexpr std::string_view kMagic = "CR2", kOldMagic = "CR1";
constexpr size_t kMostKept = 4096;  // of a buffer that is not in use

}  // namespace

PieceJoiner::Line PieceJoiner::line_of(const Open& open, OutputStream stream) const {
  Line line;
  line.ts = open.ts;
  line.at = open.at;
  line.stream = stream;
  line.truncated = open.truncated;
  line.copied = true;
  line.content = open.content;
  return line;
}

bool PieceJoiner::push(const Piece& piece, int64_t at, Line& out) {
  Open& line = open(piece.stream);
  if (!line.active && !piece.partial) {  // the common case: nothing is copied
    out.content = cut_utf8(piece.content, max_bytes_);
    out.ts = piece.ts;
    out.at = at;
    out.stream = piece.stream;
    out.truncated = out.content.size() < piece.content.size();
    out.copied = false;
    return true;
  }
  if (!line.active) {
    line.content.clear();
    if (line.content.capacity() > kMostKept) line.content.shrink_to_fit();
    line.ts = piece.ts;
    line.at = at;
    line.truncated = false;
  }
  if (!line.truncated) {
    // Behind a cut nothing may follow, or the line would have a hole in the middle.
    const std::string_view added = cut_utf8(piece.content, max_bytes_ - line.content.size());
    line.content.append(added);
    line.truncated = added.size() < piece.content.size();
  }
  line.active = piece.partial;
  if (piece.partial) return false;
  out = line_of(line, piece.stream);
  return true;
}

bool PieceJoiner::flush(OutputStream stream, Line& out) {
  Open& line = open(stream);
  if (!line.active) return false;
  line.active = false;
  out = line_of(line, stream);
  return true;
}

std::string PieceJoiner::save() const {
  if (!has_pending()) return {};
  std::string out(kMagic);
  for (size_t stream = 0; stream < kOutputStreams; ++stream) {
    const Open& line = open_[stream];
    if (!line.active) continue;
    put_le(out, stream, 1);
    put_le(out, line.truncated ? 1 : 0, 1);
    put_le(out, static_cast<uint64_t>(line.ts.ns), 8);
    put_le(out, static_cast<uint64_t>(line.at), 8);
    put_text(out, line.content);
  }
  put_le(out, fnv1a(out), 4);
  return out;
}

bool PieceJoiner::restore(std::string_view saved) {
  Open restored[kOutputStreams];
  if (!saved.empty()) {
    SavedReader in(saved);
    const std::string_view magic = in.bytes(kMagic.size());
    if (!in.checked() || (magic != kMagic && magic != kOldMagic)) return false;
    if (in.at_end()) return false;  // never saved like this
    while (!in.at_end()) {
      const uint64_t stream = in.number(1);
      const uint64_t truncated = in.number(1);
      const auto ts = static_cast<int64_t>(in.number(8));
      const auto at = magic == kMagic ? static_cast<int64_t>(in.number(8)) : int64_t{-1};
      const std::string_view whole = in.text();
      if (!in.good() || stream > 1 || truncated > 1 || restored[stream].active) return false;
      const std::string_view content = cut_utf8(whole, max_bytes_);  // the bound may be lower now
      Open& line = restored[stream];
      line.content = content;
      line.ts.ns = ts;
      line.at = at;
      line.truncated = truncated == 1 || content.size() < whole.size();
      line.active = true;
    }
  }
  for (size_t i = 0; i < kOutputStreams; ++i) open_[i] = std::move(restored[i]);
  return true;
}

}  // namespace nines::log
