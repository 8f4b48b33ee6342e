// The loops over vectors, for any width of them. Included by one file for each instruction set,
// which defines `V` first and compiles this for its target.
//
//   V::kBytes, V::T, load(p), splat(b), any(v), equal(a, b), both(a, b), either(a, b),
//   table(16 bytes), look_up(table, nibbles), low(v), high(v): nibbles,
//   mask(v): a bit for each byte whose highest bit is set, V::kShift bits apart
#pragma once

#include "query/search_impl.hpp"

namespace nines::query {
namespace {

using Search = LiteralSearch::Impl;

template <size_t kPairs>
struct PairVectors {
  V::T first[kPairs], second[kPairs], first_fold[kPairs], second_fold[kPairs];
};

template <size_t kPairs, bool kFold>
inline V::T pair_hits(const PairVectors<kPairs>& v, const Search& s, size_t i,
                      const Search::Byte* p) {
  V::T a = V::load(p + s.pairs[i].first_at);
  V::T b = V::load(p + s.pairs[i].second_at);
  if constexpr (kFold) {
    a = V::either(a, v.first_fold[i]);
    b = V::either(b, v.second_fold[i]);
  }
  return V::both(V::equal(a, v.first[i]), V::equal(b, v.second[i]));
}

// The first literal that begins within the vector at `p`, where `hits` says.
template <size_t kPairs>
inline LiteralSearch::Hit check_pairs(const Search& s, const V::T (&hits)[kPairs],
                                      const Search::Byte* p, const Search::Text& text) {
  V::Mask masks[kPairs];
  V::Mask all = 0;
  for (size_t i = 0; i < kPairs; ++i) all |= masks[i] = V::mask(hits[i]);
  for (; all != 0; all &= all - 1) {
    const auto bit = static_cast<unsigned>(V::trailing_zeros(all));
    const Search::Byte* const start = p + (bit >> V::kShift);
    for (size_t i = 0; i < kPairs; ++i) {
      if ((masks[i] >> bit & 1) != 0 && s.stands(i, start, text)) {
        return {static_cast<size_t>(start - text.begin), i};
      }
    }
  }
  return {};
}

template <size_t kPairs, bool kFold>
LiteralSearch::Hit pair_engine(const Search& s, const Search::Byte*& place,
                               const Search::Text& text) {
  if (static_cast<size_t>(text.end - place) < s.reach + 2 * V::kBytes) return {};
  PairVectors<kPairs> v;
  for (size_t i = 0; i < kPairs; ++i) {
    v.first[i] = V::splat(s.pairs[i].first);
    v.second[i] = V::splat(s.pairs[i].second);
    v.first_fold[i] = V::splat(s.pairs[i].first_fold);
    v.second_fold[i] = V::splat(s.pairs[i].second_fold);
  }
  const Search::Byte* const last = text.end - s.reach - 2 * V::kBytes;
  const Search::Byte* p = place;
  for (; p <= last; p += 2 * V::kBytes) {
    V::T near[kPairs], far[kPairs];
    V::T any = V::splat(0);
    for (size_t i = 0; i < kPairs; ++i) {
      near[i] = pair_hits<kPairs, kFold>(v, s, i, p);
      far[i] = pair_hits<kPairs, kFold>(v, s, i, p + V::kBytes);
      any = V::either(any, V::either(near[i], far[i]));
    }
    if (!V::any(any)) continue;
    LiteralSearch::Hit hit = check_pairs<kPairs>(s, near, p, text);
    if (hit.at == kNowhere) hit = check_pairs<kPairs>(s, far, p + V::kBytes, text);
    if (hit.at != kNowhere) return hit;
  }
  place = p;
  return {};
}

template <size_t kWidth>
struct TeddyTables {
  V::T low[kWidth], high[kWidth];
};

// The buckets of all places of the vector at `p`. Written out for each byte of the fingerprint, so
// that the tables stay in registers.
template <size_t kWidth, size_t... kBytes>
inline V::T teddy_buckets(const TeddyTables<kWidth>& v, const Search::Byte* p,
                          std::index_sequence<kBytes...>) {
  V::T buckets = V::splat(0xFF);
  const auto look = [&](size_t j) __attribute__((always_inline)) {
    const V::T bytes = V::load(p + j);
    return V::both(V::look_up(v.low[j], V::low(bytes)), V::look_up(v.high[j], V::high(bytes)));
  };
  ((buckets = V::both(buckets, look(kBytes))), ...);
  return buckets;
}

template <size_t kWidth>
LiteralSearch::Hit teddy_engine(const Search& s, const Search::Byte*& place,
                                const Search::Text& text) {
  if (static_cast<size_t>(text.end - place) < V::kBytes + kWidth - 1) return {};
  TeddyTables<kWidth> v;
  for (size_t j = 0; j < kWidth; ++j) {
    v.low[j] = V::table(s.low[j]);
    v.high[j] = V::table(s.high[j]);
  }
  const V::T none = V::splat(0);
  const Search::Byte* const last = text.end - (V::kBytes + kWidth - 1);
  const Search::Byte* p = place;
  for (; p <= last; p += V::kBytes) {
    const V::T buckets = teddy_buckets(v, p, std::make_index_sequence<kWidth>());
    const V::T misses = V::equal(buckets, none);
    for (V::Mask hits = V::mask(misses) ^ V::kAll; hits != 0; hits &= hits - 1) {
      const auto bit = static_cast<unsigned>(V::trailing_zeros(hits));
      const Search::Byte* const at = p + (bit >> V::kShift);
      const LiteralSearch::Hit hit = s.check(at, text);
      if (hit.at == kNowhere) continue;
      place = at;
      return hit;
    }
  }
  place = p;
  return {};
}

template <bool kFold>
Search::Engine choose_pairs(size_t count) {
  switch (count) {
    case 1: return &pair_engine<1, kFold>;
    case 2: return &pair_engine<2, kFold>;
    case 3: return &pair_engine<3, kFold>;
    default: return &pair_engine<4, kFold>;
  }
}

Search::Engine choose_kernel(const Search& s) {
  if (s.has_pairs()) {
    return s.ignore_case ? choose_pairs<true>(s.literals.size())
                         : choose_pairs<false>(s.literals.size());
  }
  switch (s.width) {
    case 1: return &teddy_engine<1>;
    case 2: return &teddy_engine<2>;
    case 3: return &teddy_engine<3>;
    default: return &teddy_engine<4>;
  }
}

}  // namespace
}  // namespace nines::query
