// Which two bytes of a literal stand together at their places in the fewest places of a sample:
// each of those has to be looked at when it turns up.
#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "query/byte_rank.hpp"
#include "query/search_impl.hpp"

namespace nines::query {
namespace {

constexpr size_t kMostPlaces = 5;  // of a literal that are considered, the rarest

bool same(char a, char b, bool fold) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return a == b || (fold && lower(a) == lower(b));
}

using Counts = std::array<uint32_t, 256>;

uint32_t count_of(const Counts& counts, char c, bool fold) noexcept {
  const auto byte = static_cast<uint8_t>(c);
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return counts[byte] + (fold && letter ? counts[byte ^ 0x20] : 0);
}

// Places of the literal, the rarest byte first, each byte once.
std::vector<uint32_t> rare_places(const std::string& literal, const Counts& counts, bool fold) {
  std::vector<uint32_t> order(std::min(literal.size(), kMaxOffset + kMaxWidth));
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const uint32_t left = count_of(counts, literal[a], fold);
    const uint32_t right = count_of(counts, literal[b], fold);
    return left != right ? left < right : rank_of(literal[a], fold) < rank_of(literal[b], fold);
  });
  if (order.size() > kMostPlaces) order.resize(kMostPlaces);
  return order;
}

// How often the bytes of the two places of the literal stand as far apart.
size_t count_pairs(std::string_view sample, const std::string& literal, uint32_t a, uint32_t b,
                   bool fold) {
  const uint32_t low = std::min(a, b);
  const uint32_t apart = std::max(a, b) - low;
  size_t found = 0;
  for (size_t at = 0; at + apart < sample.size(); ++at) {
    found +=
        same(sample[at], literal[low], fold) && same(sample[at + apart], literal[low + apart], fold)
            ? 1
            : 0;
  }
  return found;
}

}  // namespace

void LiteralSearch::Impl::learn_pairs(std::string_view sample) {
  Counts counts{};
  for (const char c : sample) ++counts[static_cast<uint8_t>(c)];
  reach = 0;
  for (size_t i = 0; i < literals.size(); ++i) {
    const auto places = rare_places(literals[i], counts, ignore_case);
    uint32_t first = places.front();
    uint32_t second = places[places.size() > 1 ? 1 : 0];
    size_t least = SIZE_MAX;
    for (size_t a = 0; a < places.size(); ++a) {
      for (size_t b = a + 1; b < places.size(); ++b) {
        const size_t found = count_pairs(sample, literals[i], places[a], places[b], ignore_case);
        if (found >= least) continue;
        least = found;
        first = places[a];
        second = places[b];
      }
    }
    set_pair(i, first, second);
  }
}

}  // namespace nines::query
