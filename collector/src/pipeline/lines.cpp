#include "nines/collector/lines.hpp"

#include <algorithm>

#include "nines/base/utf.hpp"
#include "nines/log/multiline.hpp"

namespace nines::collector {
namespace {

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
constexpr std::string_view kLittleMark = "\xFF\xFE", kBigMark = "\xFE\xFF";

}  // namespace

// Without a mark: Latin text in UTF-16 is NUL at every other byte, and nothing else is.
Encoding guess_encoding(std::string_view data, int64_t offset) noexcept {
  constexpr size_t kSample = 512, kLeast = 8;
  if (offset == 0 && data.starts_with(kLittleMark)) return Encoding::utf16le;
  if (offset == 0 && data.starts_with(kBigMark)) return Encoding::utf16be;
  data = data.substr(0, kSample);
  if (data.size() < kLeast) return Encoding::bytes;
  size_t nuls[2] = {0, 0};
  for (size_t i = 0; i < data.size(); ++i) {
    if (data[i] == '\0') ++nuls[(static_cast<size_t>(offset) + i) & 1];
  }
  const size_t many = data.size() / 2 * 7 / 10, few = data.size() / 40;
  if (nuls[1] >= many && nuls[0] <= few) return Encoding::utf16le;
  if (nuls[0] >= many && nuls[1] <= few) return Encoding::utf16be;
  return Encoding::bytes;
}

void LineReader::clean(Line& line) noexcept {
  if (offset_ == 0 && line.begin == 0 && line.text.starts_with(kUtf8Mark)) {
    line.text.remove_prefix(kUtf8Mark.size());
  }
  const size_t nuls = std::min(line.text.find_first_not_of('\0'), line.text.size());
  line.text.remove_prefix(nuls);
  line.nuls = static_cast<uint32_t>(nuls);
  line.changed = true;
  if (line.text.size() > options_.max_bytes) {
    line.text = cut_utf8(line.text, options_.max_bytes);
    line.truncated = true;
  }
}

bool LineReader::takes_rest(Line& line) noexcept {
  const bool cut = options_.how == Reading::full && at_ == 0;
  if (options_.how != Reading::last && !cut) return false;
  line = Line{};
  line.begin = at_;
  line.end = at_ = data_.size();
  line.truncated = cut;
  terminated_ = false;
  return true;
}

bool LineReader::rest(Line& line) {
  if (!takes_rest(line)) return false;
  line.text = data_.substr(line.begin);
  if (line.truncated) line.text = whole_utf8(line.text);
  if (!line.text.empty() && line.text.back() == '\r') line.text.remove_suffix(1);
  const bool truncated = line.truncated;
  clean(line);
  line.truncated = line.truncated || truncated;
  return true;
}

bool LineReader::next_utf16(Line& line) {
  const size_t length =
      next_line(data_.substr(at_), options_.encoding, offset_ + static_cast<int64_t>(at_));
  if (length != std::string_view::npos) {
    line = Line{};
    line.begin = at_;
    line.end = at_ += length;
    transcode(data_.substr(line.begin, length - 2), line);
    return true;
  }
  if (!takes_rest(line)) return false;
  std::string_view units = data_.substr(line.begin);
  if (line.truncated) units.remove_suffix(units.size() & 1);
  transcode(units, line);
  return true;
}

void LineReader::transcode(std::string_view units, Line& line) {
  line.changed = true;
  const int64_t at = offset_ + static_cast<int64_t>(line.begin);
  const bool big = options_.encoding == Encoding::utf16be;
  if (at == 0 && units.starts_with(big ? kBigMark : kLittleMark)) units.remove_prefix(2);
  scratch_.clear();
  if ((at & 1) != 0 && !units.empty()) {  // half a character: its other byte was passed over
    if (big) scratch_ += units.front();
    units.remove_prefix(1);
  }
  const Transcoded done = append_utf16(scratch_, units, big, options_.max_bytes);
  line.replaced = static_cast<uint32_t>(done.replaced);
  line.truncated = line.truncated || done.cut;
  line.text = scratch_;
  if (!line.text.empty() && line.text.back() == '\r') line.text.remove_suffix(1);
  const size_t nuls = std::min(line.text.find_first_not_of('\0'), line.text.size());
  line.text.remove_prefix(nuls);
  line.nuls = static_cast<uint32_t>(nuls);
}

std::string_view LineReader::peek() {
  std::string_view left = data_.substr(at_);
  if (options_.encoding == Encoding::bytes) {
    left = left.substr(0, log::kTellingBytes);
    return left.substr(std::min(left.find_first_not_of('\0'), left.size()));
  }
  Line line;
  line.begin = at_;
  left = left.substr(0, 2 * log::kTellingBytes);
  transcode(left.substr(0, left.size() & ~size_t{1}), line);
  return line.text;
}

}  // namespace nines::collector
