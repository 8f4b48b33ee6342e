#include "index/tokens.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "index/token_engines.hpp"
#include "index/token_prints.hpp"
#include "nines/base/contract.hpp"

namespace nines::collector {
namespace {

// Keys of the recent table have two bits more.
constexpr uint32_t kMostSerials = uint32_t{1} << 30;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool is_of_token(std::string_view text, size_t i) noexcept {
  const char c = text[i];
  if (c == '.') {
    return i > 0 && i + 1 < text.size() && is_digit(text[i - 1]) && is_digit(text[i + 1]);
  }
  const char lower = static_cast<char>(c | 0x20);
  return is_digit(c) || (lower >= 'a' && lower <= 'z') || c == '-' || c == '_';
}

// `visit(begin, end)` for each token of kMinIdBytes or more.
template <class Visit>
void each_token(std::string_view text, Visit&& visit) {
  for (size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    for (end = begin; end < text.size() && is_of_token(text, end);) ++end;
    if (end - begin >= kMinIdBytes) visit(begin, end);
  }
}

// Of less than kLongTokenBytes; nothing: it is not indexed.
std::optional<uint32_t> print_of(std::string_view token) noexcept {
  if (prints::is_fraction(token.data(), token.size())) return std::nullopt;
  if (token.size() >= kMinTokenBytes) return prints::print_of_short(token.data(), token.size());
  if (std::none_of(token.begin(), token.end(), is_digit)) return std::nullopt;
  std::array<char, prints::kAround> copy{};
  std::memcpy(copy.data(), token.data(), token.size());
  return prints::print_of_small(copy.data(), token.size());
}

}  // namespace

void TokenSet::clear() noexcept {
  std::fill(slots_.begin(), slots_.end(), 0);
  size_ = 0;
  serial_ = 0;
  overflowed_ = false;
}

void TokenSet::release() noexcept {
  std::vector<uint32_t>().swap(slots_);
  mask_ = size_ = 0;
  serial_ = 0;
  overflowed_ = false;
}

void TokenSet::add(uint32_t print, size_t at) {
  if (size_ >= max_) {
    overflowed_ = true;
    return;
  }
  if (4 * (size_ + 1) > 3 * slots_.size()) {
    grow();
    at = print & mask_;
    while (slots_[at] != 0) at = (at + 1) & mask_;
  }
  slots_[at] = print;
  ++size_;
}

void TokenSet::grow() {
  std::vector<uint32_t> old(slots_.empty() ? 256 : 2 * slots_.size());
  old.swap(slots_);
  mask_ = slots_.size() - 1;
  for (const uint32_t print : old) {
    if (print == 0) continue;
    size_t at = print & mask_;
    while (slots_[at] != 0) at = (at + 1) & mask_;
    slots_[at] = print;
  }
}

TokenCollector::Engine TokenCollector::best_engine() noexcept {
  return collector_for_avx2() != nullptr ? Engine::avx2 : Engine::plain;
}

void TokenCollector::collect(std::string_view text, TokenSet& out, Oddities& odd) {
  NINES_ASSERT(text.size() < UINT32_MAX);
  if (out.serial_ == 0) {
    // After as many sets the numbers begin again: what is remembered is forgotten.
    if (++serials_ == kMostSerials) {
      work_.recent.fill(0);
      serials_ = 1;
    }
    out.serial_ = serials_;
  }
  const CollectTokens wide = engine_ == Engine::avx2 ? collector_for_avx2() : nullptr;
  const CollectTokens engine = wide != nullptr ? wide : collect_plain;
  engine(text, uint64_t{out.serial_} << 32, work_, out, odd);
}

Required tokens_required_by(std::string_view literal, bool whole) {
  Required out;
  // A dot at the end of the literal may belong to the token.
  const size_t first = literal.starts_with('.') ? 1 : 0;
  const size_t last = literal.size() - (literal.ends_with('.') ? 1 : 0);
  each_token(literal, [&](size_t begin, size_t end) {
    const std::string_view token = literal.substr(begin, end - begin);
    const bool bounded = whole || (begin > first && end < last);
    if (token.size() >= kLongTokenBytes) {
      // One of more is only in blobs.
      prints::each_minimizer(token.data(), std::min(token.size(), kBlobBytes - 1),
                             [&](uint32_t print) { out.long_prints.push_back(print); });
    } else if (const auto print = bounded ? print_of(token) : std::nullopt) {
      out.prints.push_back(*print);
    }
  });
  for (auto* prints : {&out.prints, &out.long_prints}) {
    std::sort(prints->begin(), prints->end());
    prints->erase(std::unique(prints->begin(), prints->end()), prints->end());
  }
  return out;
}

}  // namespace nines::collector
