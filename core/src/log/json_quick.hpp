// Wanted keys of a JSON object found by searching for where they end instead of walking over the
// object: in a line of 200 bytes of which two short keys are wanted, most bytes are never looked at
// one by one.
//
// Why that is right: inside a string a quote is written \", so `"name"` behind a comma (or the
// object's brace) and before a colon is a key. It is one of the outermost object as long as no
// object or array has begun before it; those follow a colon. A key may also be written with
// escapes, of which only \u gives letters. Lines where any of that is in doubt, or where a wanted
// key is missing under its exact name, are walked over. Where both ways find all keys they find the
// same.
#pragma once

#include <bit>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "log/json_scan.hpp"
#include "log/key_tree.hpp"
#include "log/scan.hpp"

namespace nines::log {

class QuickKeys {
 public:
  explicit QuickKeys(const KeyTree& tree) {
    for (size_t group = 0; group < tree.groups().size(); ++group) {
      if (tree.groups()[group] == GroupKind::raw) continue;
      const std::string& name = tree.name(group);
      const KeyTree::Key* key = tree.root().find(name);
      usable_ = usable_ && is_plain(name) && key != nullptr;
      if (usable_) wanted_.emplace_back(name, key);
    }
    count_ = wanted_.size();
    usable_ = usable_ && count_ > 0 && count_ <= kMostKeys;
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
  struct Wanted {
    Wanted(const std::string& name, const KeyTree::Key* of_tree)
        : quoted("\"" + name + "\""), key(of_tree) {
      char bytes[8] = {};
      char kept[8] = {};
      for (size_t i = 0; i < 8 && i < quoted.size(); ++i) {
        bytes[7 - i] = quoted[quoted.size() - 1 - i];
        kept[7 - i] = static_cast<char>(0xff);
      }
      std::memcpy(&tail, bytes, sizeof tail);
      std::memcpy(&mask, kept, sizeof mask);
    }
    char last_letter() const noexcept { return quoted[quoted.size() - 2]; }

    std::string quoted;           // "name"
    uint64_t tail = 0, mask = 0;  // its last eight bytes
    const KeyTree::Key* key;      // of the tree
  };
  static constexpr size_t kMostKeys = 6;
  static constexpr int kMostCredit = 64;
  static constexpr unsigned kTryAgain = 64;

  // Nothing that stands behind a closing quote or comes of an escape other than \u.
  static bool is_plain(std::string_view name) noexcept {
    if (name.empty() || name.find_first_of("\".\\/") != std::string_view::npos) return false;
    for (const char c : name) {
      if (static_cast<unsigned char>(c) < 0x20) return false;
    }
    return !is_blank(name.front()) && name.front() != ',' && name.front() != ':' &&
           name.front() != '}';
  }

  // Stops at quotes behind the last letter of a wanted name, at brackets that open, and at escapes.
  bool search(std::string_view line, Collector& out) noexcept {
    const char* const begin = line.data();
    const char* const end = begin + line.size();
    const char* p = begin + 1;
#ifdef NINES_BYTES16
    const Bytes16 first = Bytes16::splat(wanted_[0].last_letter());
    const Bytes16 second = Bytes16::splat(wanted_[count_ > 1 ? 1 : 0].last_letter());
    while (end - p >= 16) {
      const Bytes16 bytes = Bytes16::load(p);
      const Bytes16 before = Bytes16::load(p - 1);
      Bytes16 letters = before.eq(first) | before.eq(second);
      for (size_t i = 2; i < count_; ++i) letters = letters | before.eq(wanted_[i].last_letter());
      const Bytes16 keys = bytes.eq('"') & letters;
      uint64_t bits = (keys | bytes.eq('\\') | bytes.with_bit5().eq('{')).mask();
      const char* next = p + 16;
      for (; bits != 0; bits &= bits - 1) {
        const char* const at = p + std::countr_zero(bits) / Bytes16::kBits;
        const char* const behind = look(begin, at, end, out);
        if (behind == at) continue;
        if (behind == nullptr) return false;
        if (out.complete()) return true;
        next = behind;
        break;
      }
      p = next;
    }
#endif
    while (p != end) {
      const bool mark = *p == '"' || *p == '{' || *p == '[' || *p == '\\';
      const char* const behind = mark ? look(begin, p, end, out) : p;
      if (behind == nullptr) return false;
      if (out.complete()) return true;
      p = behind == p ? p + 1 : behind;
    }
    return false;
  }

  // What stands at a mark. Returns `at`: nothing of note; nullptr: nothing is certain from here on;
  // else where to go on behind a wanted value.
  // Inline: called for every second key.
  __attribute__((always_inline)) const char* look(const char* begin, const char* at,
                                                  const char* end, Collector& out) noexcept {
    if (*at != '"') return goes_on(begin, at, end) ? at : nullptr;
    const auto room = static_cast<size_t>(at - begin) + 1;
    uint64_t tail = 0;
    char* const bytes = reinterpret_cast<char*>(&tail);
    if (room >= 8) {
      std::memcpy(bytes, at - 7, 8);
    } else {
      std::memcpy(bytes + 8 - room, begin, room);
    }
    for (size_t i = 0; i < count_; ++i) {
      if ((tail & wanted_[i].mask) == wanted_[i].tail) return take(begin, at, end, i, out);
    }
    return at;
  }

  // Wanted name `i`, or one of those behind it, seems to end at `at`.
  __attribute__((noinline)) const char* take(const char* begin, const char* at, const char* end,
                                             size_t i, Collector& out) const noexcept {
    const char* const colon = skip_blanks(at + 1, end);
    if (colon == end || *colon != ':') return at;
    while (i < count_ && !stands_before(begin, at + 1, wanted_[i].quoted)) ++i;
    if (i == count_) return at;
    const Wanted* const found = &wanted_[i];
    const char lead = before(begin, at + 1 - found->quoted.size());
    if (lead != ',' && lead != '{') return at;
    RawValue value;
    const char* const behind = scan_value(skip_blanks(colon + 1, end), end, value);
    if (behind == nullptr) return nullptr;
    if (value.kind == RawValue::Kind::container && found->key->child >= 0) return nullptr;
    out.offer(*found->key, value);
    return behind;
  }

  static bool stands_before(const char* begin, const char* behind,
                            const std::string& quoted) noexcept {
    const size_t size = quoted.size();
    return static_cast<size_t>(behind - begin) > size &&
           std::memcmp(behind - size, quoted.data(), size) == 0;
  }

  // At a bracket that opens or a backslash.
  static bool goes_on(const char* begin, const char* at, const char* end) noexcept {
    if (*at == '\\') return end - at > 1 && at[1] != 'u';
    return before(begin, at) != ':';
  }

  // The byte before `p` that is no blank. REQUIRES *begin to be none, and begin < p.
  static char before(const char* begin, const char* p) noexcept {
    do {
      --p;
    } while (p != begin && is_blank(*p));
    return *p;
  }

  std::vector<Wanted> wanted_;  // of each group
  size_t count_ = 0;
  bool usable_ = true;
  int credit_ = kMostCredit;
  unsigned passed_ = 0;
};

}  // namespace nines::log
