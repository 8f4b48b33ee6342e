#include "nines/query/search.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "nines/base/contract.hpp"
#include "query/byte_rank.hpp"
#include "query/search_buckets.hpp"
#include "query/search_impl.hpp"

namespace nines::query {
namespace {

constexpr size_t kWideFrom = 9;  // literals: fingerprints of four bytes instead of three

constexpr bool is_letter(unsigned char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr unsigned char to_lower(unsigned char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<unsigned char>(c | 0x20) : c;
}

bool equals(const unsigned char* text, const std::string& literal, bool ignore_case) noexcept {
  if (!ignore_case) return std::memcmp(text, literal.data(), literal.size()) == 0;
  for (size_t i = 0; i < literal.size(); ++i) {
    if (to_lower(text[i]) != static_cast<unsigned char>(literal[i])) return false;
  }
  return true;
}

}  // namespace

LiteralSearch::Impl::Impl(std::span<const std::string> wanted, bool fold)
    : literals(wanted.begin(), wanted.end()), ignore_case(fold) {
  NINES_ASSERT(!literals.empty() && literals.size() <= kMaxLiterals);
  size_t longest = 1;
  for (std::string& literal : literals) {
    NINES_ASSERT(!literal.empty());
    longest = std::max(longest, literal.size());
    if (!ignore_case) continue;
    for (char& c : literal) c = static_cast<char>(to_lower(static_cast<unsigned char>(c)));
  }
  width = std::min<size_t>(longest, literals.size() >= kWideFrom ? 4 : 3);
  min_offset = kNowhere;
  for (size_t i = 0; i < literals.size(); ++i) place_fingerprint(i);
  if (has_pairs()) {
    for (size_t i = 0; i < literals.size(); ++i) place_pair(i);
  }
  fill_buckets();
}

void LiteralSearch::Impl::place_fingerprint(size_t i) {
  const std::string& literal = literals[i];
  const size_t bytes = std::min(width, literal.size());
  size_t best = 0;
  int lowest = INT32_MAX;
  for (size_t at = 0; at + bytes <= literal.size() && at <= kMaxOffset; ++at) {
    int sum = 0;
    for (size_t j = 0; j < bytes; ++j) sum += rank_of(literal[at + j], ignore_case);
    if (sum < lowest) {
      lowest = sum;
      best = at;
    }
  }
  offsets[i] = static_cast<uint32_t>(best);
  min_offset = std::min(min_offset, best);
  max_offset = std::max(max_offset, best);
  const uint64_t bit = uint64_t{1} << i;
  for (size_t j = 0; j < width; ++j) {
    if (j >= bytes) {
      shorter[j] |= bit;
      for (uint64_t& set : members[j]) set |= bit;
      continue;
    }
    const auto c = static_cast<unsigned char>(literal[best + j]);
    members[j][c] |= bit;
    if (ignore_case && is_letter(c)) members[j][c ^ 0x20] |= bit;
  }
}

// The two rarest bytes, in different places where there are two.
void LiteralSearch::Impl::place_pair(size_t i) {
  const std::string& literal = literals[i];
  const size_t size = std::min(literal.size(), kMaxOffset + kMaxWidth);
  std::vector<uint32_t> order(size);
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return rank_of(literal[a], ignore_case) < rank_of(literal[b], ignore_case);
  });
  set_pair(i, order.front(), order[order.size() > 1 ? 1 : 0]);
}

void LiteralSearch::Impl::set_pair(size_t i, uint32_t first_at, uint32_t second_at) {
  BytePair pair;
  pair.first_at = first_at;
  pair.second_at = second_at;
  pair.first = static_cast<uint8_t>(literals[i][first_at]);
  pair.second = static_cast<uint8_t>(literals[i][second_at]);
  if (ignore_case && is_letter(pair.first)) pair.first_fold = 0x20;
  if (ignore_case && is_letter(pair.second)) pair.second_fold = 0x20;
  pairs[i] = pair;
  reach = std::max<size_t>({reach, pair.first_at, pair.second_at});
}

// Literals whose fingerprints let little through together share a bucket.
void LiteralSearch::Impl::fill_buckets() {
  std::vector<Bucket> buckets(literals.size());
  for (size_t i = 0; i < literals.size(); ++i) {
    for (size_t j = 0; j < width; ++j) {
      for (unsigned byte = 0; byte < 256; ++byte) {
        if ((members[j][byte] >> i & 1) != 0) buckets[i].add(j, byte);
      }
    }
  }
  share_buckets(buckets, width);
  for (size_t k = 0; k < buckets.size(); ++k) {
    const auto bucket = static_cast<uint8_t>(1u << k);
    for (size_t j = 0; j < width; ++j) {
      for (unsigned nibble = 0; nibble < 16; ++nibble) {
        if ((buckets[k].low[j] >> nibble & 1) != 0) low[j][nibble] |= bucket;
        if ((buckets[k].high[j] >> nibble & 1) != 0) high[j][nibble] |= bucket;
      }
    }
  }
}

bool LiteralSearch::Impl::stands(size_t i, const Byte* start, const Text& text) const noexcept {
  const std::string& literal = literals[i];
  return static_cast<size_t>(text.end - start) >= literal.size() &&
         equals(start, literal, ignore_case);
}

LiteralSearch::Hit LiteralSearch::Impl::check(const Byte* place, const Text& text) const noexcept {
  uint64_t which = ~uint64_t{0} >> (kMaxLiterals - literals.size());
  const auto left = static_cast<size_t>(text.end - place);
  for (size_t j = 0; j < width; ++j) which &= j < left ? members[j][place[j]] : shorter[j];
  Hit hit;
  for (; which != 0; which &= which - 1) {
    const auto i = static_cast<size_t>(__builtin_ctzll(which));
    if (static_cast<size_t>(place - text.from) < offsets[i]) continue;
    const Byte* const start = place - offsets[i];
    const auto at = static_cast<size_t>(start - text.begin);
    if (at < hit.at && stands(i, start, text)) hit = {at, i};
  }
  return hit;
}

LiteralSearch::Hit LiteralSearch::Impl::scan(const Byte* place, const Byte* end,
                                             const Text& text) const noexcept {
  for (; place < end; ++place) {
    uint64_t which = members[0][*place];
    if (width > 1 && which != 0 && end - place > 1) which &= members[1][place[1]];
    if (which == 0) continue;
    const Hit hit = check(place, text);
    if (hit.at != kNowhere) return hit;
  }
  return {};
}

LiteralSearch::Hit LiteralSearch::Impl::find(const Text& text) const noexcept {
  const auto room = static_cast<size_t>(text.end - text.from);
  if (room <= min_offset) return {};
  const bool by_beginning = engine != nullptr && has_pairs();
  const Byte* place = by_beginning ? text.from : text.from + min_offset;
  Hit hit;
  if (engine != nullptr) hit = engine(*this, place, text);
  if (hit.at != kNowhere && by_beginning) return hit;
  Text rest = text;
  if (by_beginning) {
    rest.from = place;
    if (static_cast<size_t>(text.end - place) <= min_offset) return {};
    place += min_offset;
  }
  if (hit.at == kNowhere) {
    // The portable way ends with the place of the hit as the engines do.
    hit = scan(place, text.end, rest);
    if (hit.at == kNowhere) return {};
    place = text.begin + hit.at + offsets[hit.literal];
  }
  // Another literal may begin earlier, whose fingerprint stands farther behind.
  while (place + 1 < text.end && hit.at + max_offset > static_cast<size_t>(place - text.begin)) {
    const auto stop =
        std::min<size_t>(static_cast<size_t>(text.end - text.begin), hit.at + max_offset);
    const Hit other = scan(place + 1, text.begin + stop, rest);
    if (other.at == kNowhere) break;
    place = text.begin + other.at + offsets[other.literal];
    if (other.at < hit.at) hit = other;
  }
  return hit;
}

bool LiteralSearch::Impl::choose(LiteralSearch::Engine wanted) noexcept {
  using Way = LiteralSearch::Engine;
  Engine chosen = nullptr;
  if (wanted == Way::best || wanted == Way::vector32) chosen = vector32_engine(*this);
  if (wanted == Way::vector16 || (wanted == Way::best && chosen == nullptr)) {
    chosen = vector16_engine(*this);
  }
  engine = chosen;
  return chosen != nullptr || wanted == Way::best || wanted == Way::portable;
}

LiteralSearch::LiteralSearch(std::span<const std::string> literals, bool ignore_case) {
  auto impl = std::make_shared<Impl>(literals, ignore_case);
  impl->choose(Engine::best);
  impl_ = std::move(impl);
}

LiteralSearch::Hit LiteralSearch::find(std::string_view text, size_t from) const noexcept {
  if (from >= text.size()) return {};
  const auto* const begin = reinterpret_cast<const unsigned char*>(text.data());
  return impl_->find({begin, begin + text.size(), begin + from});
}

void LiteralSearch::learn(std::string_view sample) {
  if (!impl_->has_pairs()) return;
  auto impl = std::make_shared<Impl>(*impl_);
  impl->learn_pairs(sample);
  impl_ = std::move(impl);
}

const std::vector<std::string>& LiteralSearch::literals() const noexcept { return impl_->literals; }

bool LiteralSearch::use(Engine engine) {
  auto impl = std::make_shared<Impl>(*impl_);
  const bool able = impl->choose(engine);
  if (able) impl_ = std::move(impl);
  return able;
}

}  // namespace nines::query
