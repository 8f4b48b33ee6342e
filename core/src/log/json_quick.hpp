// Wanted keys of a JSON object found by searching for their names instead of walking over the
// object: in a line of 200 bytes of which two short keys are wanted, most bytes are never looked at
// one by one.
//
// Why that is right: inside a string a quote is written \", so `"name"` followed by a colon and not
// led by a backslash is a key. Whose object it belongs to is certain as long as no '{' stands
// between the line's first byte and it. Lines where that does not hold, or where a wanted key is
// missing under its exact name, are walked over.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "log/json_scan.hpp"
#include "log/key_tree.hpp"
#include "log/scan.hpp"

namespace nines::log {

// The first `"name"` in [p, end), quotes included in `quoted`; end when there is none.
inline const char* find_quoted(const char* p, const char* end, std::string_view quoted) noexcept {
  const auto length = static_cast<ptrdiff_t>(quoted.size());
  const auto is_here = [&](const char* at) {
    return std::memcmp(at, quoted.data(), quoted.size()) == 0;
  };
#ifdef NINES_BYTES16
  const char letter = quoted[quoted.size() - 2];  // rarer than the quote behind it
  while (end - p >= 16 + length - 2) {
    const Bytes16 quotes = Bytes16::load(p).eq('"');
    const Bytes16 letters = Bytes16::load(p + length - 2).eq(letter);
    const unsigned at = (quotes & letters).first();
    if (at == 16) {
      p += 16;
      continue;
    }
    if (end - p - at >= length && is_here(p + at)) return p + at;
    p += at + 1;
  }
#endif
  while (end - p >= length) {
    p = find_byte(p, end - length + 1, '"');
    if (end - p < length) break;
    if (is_here(p)) return p;
    ++p;
  }
  return end;
}

class QuickKeys {
 public:
  explicit QuickKeys(const KeyTree& tree) {
    for (size_t group = 0; group < tree.groups().size(); ++group) {
      if (tree.groups()[group] == GroupKind::raw) continue;
      const std::string& name = tree.name(group);
      const KeyTree::Key* key = tree.root().find(name);
      const bool plain = name.find_first_of("\".\\") == std::string::npos && !name.empty();
      usable_ = usable_ && plain && key != nullptr;
      keys_.push_back(key);
      quoted_.push_back("\"" + name + "\"");
    }
    usable_ = usable_ && !quoted_.empty() && quoted_.size() <= kMostKeys;
  }

  // Worth a try: it was right for most lines before this one.
  bool promising() noexcept {
    return usable_ && (credit_ > 0 || (++passed_ & (kTryAgain - 1)) == 0);
  }
  bool usable() const noexcept { return usable_; }

  // All wanted values into `out`. False: some are not certain, and `out` holds garbage. REQUIRES
  // `line` to begin and end with a brace.
  bool find(std::string_view line, Collector& out) noexcept {
    const bool found = search(line, out);
    credit_ = found ? credit_ + (credit_ < kMostCredit) : credit_ > 2 ? credit_ - 2 : 0;
    return found;
  }

 private:
  static constexpr size_t kMostKeys = 6;
  static constexpr int kMostCredit = 64;
  static constexpr unsigned kTryAgain = 64;

  bool search(std::string_view line, Collector& out) noexcept {
    const char* const begin = line.data() + 1;
    const char* const end = line.data() + line.size();
    const char* last = begin;
    for (size_t i = 0; i < quoted_.size(); ++i) {
      const std::string& quoted = quoted_[i];
      const char* const at = find_key(begin, end, quoted);
      if (at == end) return false;
      RawValue value;
      const char* p = skip_blanks(at + quoted.size(), end);
      p = skip_blanks(p + 1, end);
      if (scan_value(p, end, value) == nullptr) return false;
      if (value.kind == RawValue::Kind::container && keys_[i]->child >= 0) return false;
      out.offer(*keys_[i], value);
      if (at > last) last = at;
    }
    return out.complete() && find_byte(begin, last, '{') == last;
  }

  static const char* find_key(const char* p, const char* end, const std::string& quoted) noexcept {
    for (;; ++p) {
      p = find_quoted(p, end, quoted);
      if (p == end) return end;
      const char* const behind = skip_blanks(p + quoted.size(), end);
      if (behind != end && *behind == ':' && p[-1] != '\\') return p;
    }
  }

  std::vector<std::string> quoted_;        // "name" of each group
  std::vector<const KeyTree::Key*> keys_;  // of the tree
  bool usable_ = true;
  int credit_ = kMostCredit;
  unsigned passed_ = 0;
};

}  // namespace nines::log
