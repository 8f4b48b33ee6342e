// Where lines end, in each encoding, and lines one after the other out of a block of bytes.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "nines/collector/stream.hpp"

namespace nines::collector {

// The position behind the first line end in `data`; npos: none. `offset` of data[0] within the
// stream tells which bytes of UTF-16 belong together.
inline size_t next_line(std::string_view data, Encoding encoding, int64_t offset) noexcept {
  size_t from = 0;
  while (from < data.size()) {
    const void* found = std::memchr(data.data() + from, '\n', data.size() - from);
    if (found == nullptr) break;
    const auto at = static_cast<size_t>(static_cast<const char*>(found) - data.data());
    if (encoding == Encoding::bytes) return at + 1;
    const bool second = ((offset + static_cast<int64_t>(at)) & 1) != 0;
    if (encoding == Encoding::utf16le && !second && at + 1 < data.size() && data[at + 1] == '\0') {
      return at + 2;
    }
    if (encoding == Encoding::utf16be && second && at > 0 && data[at - 1] == '\0') return at + 1;
    from = at + 1;
  }
  return std::string_view::npos;
}

// The encoding that the first bytes of a stream, or any of its lines, show.
Encoding guess_encoding(std::string_view data, int64_t offset) noexcept;

struct Line {
  std::string_view text;      // UTF-8 (or whatever bytes there were), without line end
  size_t begin = 0, end = 0;  // within the block; `end` is behind the line end
  uint32_t nuls = 0;          // removed from its start: a crash or a truncation left them
  uint32_t replaced = 0;      // characters that UTF-16 could not mean
  bool truncated = false;
  bool changed = false;  // one of the three above is set
};

// Removes '\r' before the line end, a byte order mark at the start of the stream and NULs at the
// start of a line. Embedded NULs, a lone '\r' and bytes that are no UTF-8 stay.
class LineReader {
 public:
  struct Options {
    Encoding encoding = Encoding::bytes;
    Reading how = Reading::more;
    size_t max_bytes = SIZE_MAX;  // of a line; cut there, not within a UTF-8 character
  };
  // `data` starts at `offset` of the stream; `scratch` holds a line that had to be changed.
  LineReader(std::string_view data, int64_t offset, const Options& options, std::string& scratch)
      : data_(data), offset_(offset), options_(options), scratch_(scratch) {}

  // The next whole line. One without line end is whole when it is the last one, and cut when the
  // block holds nothing else and the buffer no more.
  bool next(Line& line) {
    if (at_ == data_.size()) return false;
    if (options_.encoding != Encoding::bytes) return next_utf16(line);
    const char* const p = data_.data() + at_;
    const auto* nl = static_cast<const char*>(std::memchr(p, '\n', data_.size() - at_));
    if (nl == nullptr) return rest(line);
    if (line.changed) line = Line{};
    line.begin = at_;
    line.end = static_cast<size_t>(nl - data_.data()) + 1;
    line.text = {p, static_cast<size_t>(nl - p)};
    if (!line.text.empty() && line.text.back() == '\r') line.text.remove_suffix(1);
    const bool ordinary =
        line.text.size() <= options_.max_bytes && *p != '\0' && (offset_ != 0 || at_ != 0);
    at_ = line.end;
    if (!ordinary) clean(line);
    return true;
  }

  // The beginning of the line that is not whole yet, as far as it tells what it is.
  std::string_view peek();
  // Whether the last line that next() gave had its line end.
  bool terminated() const noexcept { return terminated_; }

 private:
  bool next_utf16(Line& line);
  bool rest(Line& line);
  bool takes_rest(Line& line) noexcept;
  void clean(Line& line) noexcept;
  void transcode(std::string_view units, Line& line);

  std::string_view data_;
  int64_t offset_;
  Options options_;
  std::string& scratch_;
  size_t at_ = 0;
  bool terminated_ = true;
};

}  // namespace nines::collector
