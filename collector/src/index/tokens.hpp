// Tokens: what the block index knows of a text. A token is a run of ASCII letters, digits, '_', '-'
// and dots between two digits; case does not matter. Indexed are
//
//   ids     6 to 31 bytes with a digit among them (request ids, order numbers, pod names, IPv4
//           addresses), but no decimals and fractions of seconds (12.345, 51.262484239Z, 262484Z)
//   words   4 to 31 bytes without one: the rare ones tell blocks apart
//   long    32 to 256 bytes (trace ids, UUIDs, keys): not the token itself but minimizers of it,
//   the
//           24 bytes of least hash within every 32. A text of 32 bytes or more that stands anywhere
//           within the token has one of them in common, so that these are found without knowing
//           what surrounds them. Tokens beyond that (blobs) are only said to be there.
//
// Numbers below 100,000 and short words are everywhere and tell nothing.
//
// A fingerprint is 32 bits of a hash. Bytes beyond ASCII part tokens like any other sign. Both
// sides of the index use these functions; what changes here changes kTokenRules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace nines::collector {

inline constexpr uint32_t kTokenRules = 1;
inline constexpr size_t kMinWordBytes = 4, kMinIdBytes = 6, kLongTokenBytes = 32, kBlobBytes = 257;

// Distinct fingerprints. Grows by doubling up to `max` of them; then it only says so.
class TokenSet {
 public:
  explicit TokenSet(size_t max) : max_(max) {}

  void insert(uint32_t print) {
    size_t at = print & mask_;
    for (;; at = (at + 1) & mask_) {
      const uint32_t there = slots_.empty() ? 0 : slots_[at];
      if (there == print) return;
      if (there == 0) break;
    }
    add(print, at);
  }
  size_t size() const noexcept { return size_; }
  bool overflowed() const noexcept { return overflowed_; }
  size_t bytes() const noexcept { return slots_.capacity() * sizeof(uint32_t); }
  template <class Visit>
  void each(Visit&& visit) const {
    for (const uint32_t print : slots_) {
      if (print != 0) visit(print);
    }
  }
  void clear() noexcept;    // keeps its memory
  void release() noexcept;  // and gives it back

 private:
  void add(uint32_t print, size_t at);
  void grow();

  std::vector<uint32_t> slots_;  // 0: free; a power of two of them, at most 3/4 used
  size_t mask_ = 0, size_ = 0, max_;
  bool overflowed_ = false;
};

// Texts that may be there in another form than whoever looks for them thinks.
struct Oddities {
  bool unicode = false;  // \u: a character written in JSON as an escape
  bool slash = false;    // \/: likewise
  bool pieces = false;   // "stdout P": a container's line in pieces
  bool blobs = false;    // tokens of kBlobBytes or more
};

// Adds all tokens of `text`, which begins and ends where lines do.
void collect_tokens(std::string_view text, TokenSet& out, Oddities& odd);

// Fingerprints that every text has that holds `literal`.
struct Required {
  std::vector<uint32_t> prints;       // of tokens that begin and end within it
  std::vector<uint32_t> long_prints;  // minimizers; blobs have none
  bool empty() const noexcept { return prints.empty() && long_prints.empty(); }
};
// `whole`: in that text the literal's ends are ends of tokens too.
Required tokens_required_by(std::string_view literal, bool whole);

}  // namespace nines::collector
