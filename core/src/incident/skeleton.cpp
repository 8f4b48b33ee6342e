#include "incident/skeleton.hpp"

#include <algorithm>
#include <cstring>

namespace nines::incident {
namespace {

using std::string_view;

enum Class : uint8_t {
  kDelimiter = 1,
  kDigit = 2,
  kHexLetter = 4,
  kLetter = 8,  // beyond f, and every byte of UTF-8 beyond ASCII
  kDot = 16,
  kSlash = 32,
  kEdge = 64,  // no part of a word at its ends
};

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> classes{};
  for (int c = 0; c <= ' '; ++c) classes[static_cast<size_t>(c)] = kDelimiter;
  for (const char c : string_view("=:,;()[]{}\"'|<>#@"))
    classes[static_cast<uint8_t>(c)] = kDelimiter;
  for (int c = '0'; c <= '9'; ++c) classes[static_cast<size_t>(c)] = kDigit;
  for (int c = 'a'; c <= 'z'; ++c) {
    const uint8_t kind = c <= 'f' ? kHexLetter : kLetter;
    classes[static_cast<size_t>(c)] = kind;
    classes[static_cast<size_t>(c - 'a' + 'A')] = kind;
  }
  for (size_t c = 0x80; c < 0x100; ++c) classes[c] = kLetter;
  classes['/'] = kSlash;
  for (const char c : string_view(".!?-*")) classes[static_cast<uint8_t>(c)] = kEdge;
  classes['.'] |= kDot;
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = make_classes();
uint8_t class_of(char c) noexcept { return kClasses[static_cast<uint8_t>(c)]; }

constexpr size_t kMaxWordBytes = 64;  // longer ones are data
constexpr size_t kHexWord = 8;        // letters a-f only, from here on: a hash or an address

// A word of at most eight bytes as a number. There are no bytes of value 0 in words.
constexpr uint64_t packed(string_view word) noexcept {
  uint64_t bytes = 0;
  for (size_t i = 0; i < word.size(); ++i) {
    bytes |= uint64_t{static_cast<uint8_t>(word[i])} << (8 * i);
  }
  return bytes;
}
template <size_t N>
constexpr std::array<uint64_t, N> packed(const std::array<string_view, N>& list) noexcept {
  std::array<uint64_t, N> out{};
  for (size_t i = 0; i < N; ++i) out[i] = packed(list[i]);
  return out;
}
template <size_t N>
bool is_one_of(string_view word, const std::array<uint64_t, N>& list) noexcept {
  return word.size() <= 8 && std::find(list.begin(), list.end(), packed(word)) != list.end();
}
constexpr auto kDates = packed(
    std::array<string_view, 27>{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Jan", "Feb",
                                "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
                                "Dec", "AM",  "PM",  "UTC", "GMT", "CET", "EST", "PST", "PDT"});
constexpr auto kSizes = packed(std::array<string_view, 14>{
    "B", "KB", "MB", "GB", "TB", "PB", "kB", "KiB", "MiB", "GiB", "TiB", "Kb", "Mb", "Gb"});
constexpr auto kTimes =
    packed(std::array<string_view, 16>{"ns", "us", "ms", "s", "sec", "secs", "second", "seconds",
                                       "m", "min", "mins", "minutes", "h", "hr", "hours", "days"});
constexpr auto kDomains =
    packed(std::array<string_view, 15>{"com", "net", "org", "edu", "gov", "mil", "int", "info",
                                       "biz", "io", "arpa", "local", "internal", "lan", "cluster"});
constexpr string_view kAnySize = "B";

// The same on every machine: ids come of it. Not against those who choose words to collide: that
// merges templates. `room`: how many bytes before the word's end may be read.
uint64_t hash_word(string_view word, size_t room) noexcept {
  constexpr uint64_t kFirst = 0x9e3779b97f4a7c15ULL, kSecond = 0xd6e8feb86659fd93ULL;
  uint64_t hash = kFirst ^ (word.size() * kSecond);
  const char* at = word.data();
  size_t left = word.size();
  const auto mix_in = [&](uint64_t part) {
    hash = (hash ^ part) * kSecond;
    hash ^= hash >> 32;
  };
  uint64_t part = 0;
  for (; left >= 8; left -= 8, at += 8) {
    std::memcpy(&part, at, 8);  // little-endian on all that we run on
    mix_in(part);
  }
  if (left > 0 && room >= 8) {
    std::memcpy(&part, at + left - 8, 8);
    part >>= 8 * (8 - left);
  } else {
    part = packed({at, left});
  }
  mix_in(part);
  return hash;
}

// Labels of letters and hyphens, the last of them a domain. (With digits it is a parameter anyway.)
bool is_host(string_view word) noexcept {
  const size_t dot = word.rfind('.');
  const string_view top = word.substr(dot + 1);
  std::array<char, 16> lower{};
  if (top.size() < 2 || top.size() > lower.size()) return false;
  for (size_t i = 0; i < top.size(); ++i) lower[i] = static_cast<char>(top[i] | 0x20);
  const bool deep = word.find('.') != dot;
  if (!(top.size() == 2 && deep) && !is_one_of(string_view(lower.data(), top.size()), kDomains)) {
    return false;
  }
  return std::all_of(word.begin(), word.end(), [](char c) {
    return c == '.' || c == '-' || ((class_of(c) & (kHexLetter | kLetter)) != 0 && (c & 0x80) == 0);
  });
}

bool is_path(string_view word) noexcept {
  return word[0] == '/' || word[0] == '\\' || word.starts_with("./") || word.starts_with("../") ||
         word.starts_with("~/") || std::count(word.begin(), word.end(), '/') >= 2;
}

// Octets of a hardware address, of which some are letters only: "ff:fe:dc:".
size_t address_length(string_view text) noexcept {
  size_t at = 0;
  int groups = 0;
  const auto hex = [&](size_t i) {
    return i < text.size() && (class_of(text[i]) & (kDigit | kHexLetter)) != 0;
  };
  while (hex(at) && hex(at + 1) && !hex(at + 2)) {
    ++groups;
    at += 2;
    if (at >= text.size() || text[at] != ':') break;
    ++at;
  }
  return groups >= 4 ? at : 0;
}

class Reader {
 public:
  Reader(string_view message, Skeleton& out) noexcept : text_(message), out_(out) {}

  void run() noexcept {
    const char* const first = text_.data();
    const char* const last = first + text_.size();
    const char* at = first;
    out_.count = 0;
    while (at != last && out_.count < Skeleton::kMaxWords) {
      if ((class_of(*at) & kDelimiter) != 0) {
        ++at;
        continue;
      }
      const char* const begin = at;
      uint8_t kinds = 0;
      for (; at != last; ++at) {
        const uint8_t kind = class_of(*at);
        if ((kind & (kDelimiter | kDot)) != 0) {
          // Dots that lead to a value: "fraction rounded......0".
          if ((kind & kDelimiter) != 0 || (last - at > 1 && at[1] == '.')) break;
        }
        kinds |= kind;
      }
      take(static_cast<size_t>(begin - first), static_cast<size_t>(at - first), kinds);
      while (at != last && *at == '.') ++at;
      if (at == begin + 2 && at != last && *at == ':') {
        const auto from = static_cast<size_t>(begin - first);
        at = begin + std::max<size_t>(address_length(text_.substr(from)), 2);
      }
    }
  }

 private:
  void take(size_t begin, size_t end, uint8_t kinds) noexcept {
    const bool behind_number = number_;
    number_ = (kinds & kDigit) != 0;
    if (number_ || (kinds & (kLetter | kHexLetter)) == 0 || end - begin > kMaxWordBytes) return;
    if ((kinds & kEdge) != 0) {
      while (end > begin && (class_of(text_[end - 1]) & kEdge) != 0) --end;
      while (begin < end && (class_of(text_[begin]) & kEdge) != 0) ++begin;
      if (begin == end) return;
    }
    string_view word = text_.substr(begin, end - begin);
    if (behind_number && is_one_of(word, kSizes)) {
      word = kAnySize;
    } else if (behind_number && is_one_of(word, kTimes)) {
      return;
    } else if (is_parameter(word, begin, kinds)) {
      return;
    }
    const uint64_t hash = hash_word(word, word.data() == kAnySize.data() ? 0 : end);
    if (out_.count > 0 && out_.words[out_.count - 1].hash == hash) return;
    out_.words[out_.count++] = {hash, static_cast<uint32_t>(begin),
                                static_cast<uint32_t>(end - begin)};
  }

  bool is_parameter(string_view word, size_t begin, uint8_t kinds) const noexcept {
    if ((kinds & kLetter) == 0 && word.size() >= kHexWord) return true;
    if (word.size() == 2 && (kinds & kLetter) == 0 && address_length(text_.substr(begin)) > 0) {
      return true;
    }
    if (word.size() <= 3 && word[0] < 'a' && is_one_of(word, kDates)) return true;
    if ((kinds & kSlash) != 0 || word[0] == '\\') {
      if (is_path(word)) return true;
    }
    return (kinds & kDot) != 0 && word.find('.') != string_view::npos && is_host(word);
  }

  string_view text_;
  Skeleton& out_;
  bool number_ = false;  // the word before held a digit
};

}  // namespace

void read_skeleton(string_view message, Skeleton& out) noexcept { Reader(message, out).run(); }

}  // namespace nines::incident
