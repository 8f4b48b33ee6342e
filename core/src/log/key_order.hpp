// Lines of one program mostly have the same keys in the same order. What stood between the values
// of a line that was walked over is kept: `{"ts":"`, `","level":"`, `","status":` ... A line that
// has the same bytes there needs no look at its keys: it is a walk from value to value.
//
// Why that is right: it is the walk of JsonParser::scan() with the comparison of names done for all
// bytes of a key at once. Any other byte than expected, and any other kind of value where it
// matters, and the line is left to the other ways.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "log/json_scan.hpp"
#include "log/key_tree.hpp"
#include "log/key_values.hpp"
#include "log/scan.hpp"

namespace nines::log {

// A value and what stands before it.
struct KeyMember {
  static constexpr size_t kMostLead = 48;
  static constexpr uint8_t kText = 1;  // a string: its quote belongs to the lead
  static constexpr uint8_t kLast = 2;  // no value follows: the object's end
  // Its values have had one length. Where the next one ends is then guessed and tested, so that the
  // processor goes on before it has found the end.
  static constexpr uint8_t kFixed = 4;

  // REQUIRES p <= end.
  bool leads(const char* p, const char* end) const noexcept {
    return static_cast<size_t>(end - p) >= size && std::memcmp(p, lead, size) == 0;
  }
  bool is(uint8_t flag) const noexcept { return (flags & flag) != 0; }
  void expect(size_t value_size) noexcept {
    if (value_size > 0xFF) return;
    length = static_cast<uint8_t>(value_size);
    flags |= kFixed;
  }
  void see(size_t value_size) noexcept {
    if (value_size != length) flags = static_cast<uint8_t>(flags & ~kFixed);
  }

  char lead[kMostLead] = {};          // from the end of the value before to this one
  const KeyTree::Key* key = nullptr;  // of the tree; nullptr: nobody wants it
  uint8_t size = 0;                   // of the lead
  uint8_t flags = 0;
  uint8_t length = 0;  // of the value, where it is kFixed
};

// The walk over plain members by vectors of bytes. `stopped`: it goes no further than to `member`,
// which begins at `from` (an escape, an array, the end of the line is too near).
enum class KeyWalk : uint8_t { complete, different, stopped };
using KeyWalker = KeyWalk (*)(const KeyMember*& member, const KeyMember* behind, const char*& from,
                              const char* end, Collector& out);
// nullptr: the machine, or this build, has no such instructions.
KeyWalker vector16_key_walker() noexcept;
KeyWalker vector32_key_walker() noexcept;

class KeyOrder {
 public:
  explicit KeyOrder(const KeyTree& tree) : KeyOrder(tree, vector32_key_walker()) {
    if (walk_ == nullptr) walk_ = vector16_key_walker();
  }
  // nullptr: byte by byte.
  KeyOrder(const KeyTree& tree, KeyWalker walk) : tree_(tree), walk_(walk) {}

  // Worth a try: it was right for most lines before this one.
  bool promising() noexcept { return credit_ > 0 || (++passed_ & (kTryAgain - 1)) == 0; }

  // All wanted values of `line` into `out`, to which nothing was offered yet; it is as if the line
  // had been walked over. False: the line is to be read another way, and `out` holds garbage.
  // REQUIRES `line` to begin and end with a brace, and to be longer than one byte.
  bool read(std::string_view line, Collector& out) noexcept {
    if (count_ != 0 && follow(line, out)) {
      credit_ += credit_ < kMostCredit ? 1 : 0;
      missed_ = 0;
      return true;
    }
    credit_ = credit_ > 2 ? credit_ - 2 : 0;
    if (count_ != 0 && ++missed_ < kMissesToLearn) return false;
    missed_ = 0;
    out.reset();
    count_ = 0;
    const bool learnt = learn(line, out);
    if (!learnt) count_ = 0;
    if (learnt) credit_ = kFirstCredit;
    return learnt;
  }

 private:
  static constexpr size_t kMostMembers = 24;
  static constexpr int kMostCredit = 64, kFirstCredit = 8;
  static constexpr unsigned kTryAgain = 64;
  static constexpr int kMissesToLearn = 4;  // in a row
  static constexpr int kLinesToSettle = 16;

  bool follow(std::string_view line, Collector& out) noexcept {
    const char* p = line.data();
    const char* const end = p + line.size();
    const KeyMember* member = members_.data();
    if (walk_ != nullptr && settling_ == 0) {
      const KeyWalk done = walk_(member, member + count_, p, end, out);
      if (done != KeyWalk::stopped) return done == KeyWalk::complete;
    }
    return follow_by_bytes(static_cast<size_t>(member - members_.data()), p, end, out);
  }
  // From a member on.
  bool follow_by_bytes(size_t from, const char* p, const char* end, Collector& out) noexcept;

  // `p` is behind the opening quote. Stays at the closing one, with which the next lead begins.
  static const char* text_value(const char* p, const char* end, RawValue& out) noexcept {
    const char* const close = string_end(p, end, out.escaped);
    if (close == nullptr) return nullptr;
    out.kind = RawValue::Kind::string;
    out.text = between(p, close);
    return close;
  }

  static const char* bare_value(const char* p, const char* end, const KeyTree::Key* key,
                                RawValue& out) noexcept {
    if (p == end || *p == '"') return nullptr;
    const bool object = *p == '{';
    if (object && key != nullptr && key->child >= 0) return nullptr;
    return scan_bare_value(p, end, out);
  }
  // Walks over the line and keeps what stands between its values. False: not all of it is plain.
  bool learn(std::string_view line, Collector& out) noexcept;
  bool keep(const char* from, const char* to) noexcept;

  const KeyTree& tree_;
  KeyWalker walk_;
  std::array<KeyMember, kMostMembers> members_;
  size_t count_ = 0;
  int credit_ = kFirstCredit;
  int missed_ = 0;    // lines in a row that were different
  int settling_ = 0;  // lines that still tell which lengths are fixed
  unsigned passed_ = 0;
};

}  // namespace nines::log
