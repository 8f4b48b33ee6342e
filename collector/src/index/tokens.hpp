// Tokens: what the block index knows of a text. A token is a run of ASCII letters, digits, '_', '-'
// and dots between two digits; case does not matter. Indexed are
//
//   short   up to 31 bytes: with a digit from 6 bytes on (request ids, order numbers, pod names,
//   IPv4
//           addresses), without one from 8 on (words, of which the rare ones tell blocks apart);
//           but no decimals and fractions of seconds (12.345, 51.262484239Z, 262484Z)
//   long    32 to 256 bytes (trace ids, UUIDs, keys): not the token itself but minimizers of it,
//           the 24 bytes of least hash within every 32. A text of 32 bytes or more that stands
//           anywhere within the token has one of them in common, so that these are found without
//           knowing what surrounds them. Tokens beyond that (blobs) are only said to be there.
//
// Numbers below 100,000 and shorter words are everywhere and tell nothing.
//
// A fingerprint is 32 bits of a hash of the first and last eight bytes and the length. Bytes beyond
// ASCII part tokens like any other sign. Both sides of the index use these functions; what changes
// here changes kTokenRules.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace nines::collector {

inline constexpr uint32_t kTokenRules = 2;
inline constexpr size_t kMinIdBytes = 6, kMinTokenBytes = 8;
inline constexpr size_t kLongTokenBytes = 32, kBlobBytes = 257;

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
  friend class TokenCollector;
  void add(uint32_t print, size_t at);
  void grow();

  std::vector<uint32_t> slots_;  // 0: free; a power of two of them, at most 3/4 used
  size_t mask_ = 0, size_ = 0, max_;
  bool overflowed_ = false;
  uint32_t serial_ = 0;  // that a collector knows it by, until it is cleared
};

// Texts that may be there in another form than whoever looks for them thinks.
struct Oddities {
  bool unicode = false;  // \u: a character written in JSON as an escape
  bool slash = false;    // \/: likewise
  bool pieces = false;   // "stdout P": a container's line in pieces
  bool blobs = false;    // tokens of kBlobBytes or more
};

// Finds the tokens of texts. Most of them were there shortly before, in the same set: these are
// known by a small table and not looked up again. Used by one thread.
class TokenCollector {
 public:
  enum class Engine : uint8_t { plain, avx2 };
  static Engine best_engine() noexcept;

  explicit TokenCollector(Engine engine = best_engine()) noexcept : engine_(engine) {}
  // Adds all tokens of `text` (below 4 GiB), which begins and ends where lines do.
  void collect(std::string_view text, TokenSet& out, Oddities& odd);

  static constexpr size_t kBatchBytes = 4050, kRecent = 1024;
  struct Fresh {
    uint32_t begin, size, print;
  };
  struct Work {
    // Where runs of kMinTokenBytes or more are that many bytes old, and where they end, in turn;
    // with room for the one that was open before, and for four written in vain.
    std::array<uint32_t, kBatchBytes / 4> edges;
    std::array<uint32_t, kBatchBytes / 6> small_ends;  // of ids that are shorter
    std::array<uint8_t, kBatchBytes / 6> small_sizes;
    std::array<Fresh, kBatchBytes / 3> fresh;  // that are not among the recent, and long ones
    std::array<uint64_t, kRecent> recent{};    // serial and fingerprint
  };

 private:
  const Engine engine_;
  uint32_t serials_ = 0;
  Work work_;
};

// Fingerprints that every text has that holds `literal`.
struct Required {
  std::vector<uint32_t> prints;       // of tokens that begin and end within it
  std::vector<uint32_t> long_prints;  // minimizers; blobs have none
  bool empty() const noexcept { return prints.empty() && long_prints.empty(); }
};
// `whole`: in that text the literal's ends are ends of tokens too.
Required tokens_required_by(std::string_view literal, bool whole);

}  // namespace nines::collector
