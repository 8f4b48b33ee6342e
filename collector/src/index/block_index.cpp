#include "nines/collector/block_index.hpp"

#include <algorithm>
#include <limits>

#include "index/bloom.hpp"
#include "index/sidecar.hpp"
#include "index/tokens.hpp"

namespace nines::collector {
namespace {

// The year of a time stamp without one depends on when it is read. Within this of now it is the
// same for who noted it and for who asks.
constexpr int64_t kSameYearNs = int64_t{363} * 86'400 * kNsPerSecond;
constexpr size_t kMaxSets = 32;
constexpr size_t kSamples = 8;  // of the ends of blocks

// One literal of a set, as far as a block can tell of it.
struct Alternative {
  Required tokens;
  uint32_t flags = 0;  // of the block, all of them
};
using Alternatives = std::vector<Alternative>;

// Nothing: one of its literals may be anywhere.
std::optional<Alternatives> prepare(const query::LiteralSet& set) {
  Alternatives out;
  for (const std::string& literal : set.any_of) {
    Alternative one;
    if (literal == " stdout P" || literal == " stderr P") {
      one.flags = BlockEntry::kPieces;
    } else {
      one.tokens = tokens_required_by(literal, set.whole);
    }
    if (literal.find("\\u") != std::string::npos) one.flags |= BlockEntry::kUnicode;
    if (literal.find("\\/") != std::string::npos) one.flags |= BlockEntry::kSlash;
    if (one.tokens.empty() && one.flags == 0) return std::nullopt;
    out.push_back(std::move(one));
  }
  if (out.empty()) return std::nullopt;
  return out;
}

bool may_match(const Alternative& one, const BlockEntry& block, const char* filter) {
  if ((block.flags & one.flags) != one.flags) return false;
  if ((block.flags & BlockEntry::kSaturated) != 0) return true;
  const auto holds = [&](const std::vector<uint32_t>& prints) {
    return std::all_of(prints.begin(), prints.end(),
                       [&](uint32_t print) { return may_hold(filter, block.buckets, print); });
  };
  const bool blobs = (block.flags & BlockEntry::kBlobs) != 0;
  return holds(one.tokens.prints) && (blobs || holds(one.tokens.long_prints));
}

struct Judged {
  int64_t begin = 0, end = 0;
  uint64_t end_hash = 0;
  uint32_t sets = 0;    // bit i: one of the literals of set i may be there
  bool records = true;  // by times and levels
  bool any = false;     // to be read whatever is asked
  bool pieces = false;
};

class Judge {
 public:
  explicit Judge(const BlockIndex::Question& question) : q_(question) {
    for (const query::LiteralSet& set : q_.literals) {
      if (sets_.size() == kMaxSets) break;
      if (auto prepared = prepare(set)) sets_.push_back(std::move(*prepared));
    }
  }
  bool can_tell() const noexcept { return !sets_.empty() || asks_records(); }
  uint32_t all_sets() const noexcept {
    return sets_.size() == 32 ? UINT32_MAX : (uint32_t{1} << sets_.size()) - 1;
  }

  Judged judge(const BlockEntry& block, const char* filter) const {
    Judged out{block.begin, block.end, block.end_hash, 0, true, false, false};
    out.pieces = (block.flags & BlockEntry::kPieces) != 0;
    const bool known = (block.flags & BlockEntry::kKnownRecords) != 0;
    out.any = (block.flags & BlockEntry::kAny) != 0;
    for (size_t i = 0; i < sets_.size(); ++i) {
      const bool may = std::any_of(sets_[i].begin(), sets_[i].end(), [&](const Alternative& one) {
        return may_match(one, block, filter);
      });
      if (may) out.sets |= uint32_t{1} << i;
    }
    if (known && block.reading == q_.reading && q_.reading != 0) out.records = wants(block);
    return out;
  }

 private:
  bool asks_records() const noexcept {
    return q_.reading != 0 && (q_.levels != BlockIndex::kAllLevels || q_.since || q_.until);
  }

  bool wants(const BlockEntry& block) const {
    if (q_.levels != BlockIndex::kAllLevels && (block.levels & q_.levels) == 0) return false;
    if (!q_.since && !q_.until) return true;
    if (block.min_ts > block.max_ts) return false;  // no record has a time
    if (block.min_ts < q_.now.ns - kSameYearNs) return true;
    return !(q_.since && block.max_ts < q_.since->ns) &&
           !(q_.until && block.min_ts >= q_.until->ns);
  }

  const BlockIndex::Question& q_;
  std::vector<Alternatives> sets_;
};

// What was indexed is still there: the last block and some others end as they did.
bool is_intact(int file, const std::vector<Judged>& blocks) {
  const size_t step = std::max<size_t>(1, blocks.size() / kSamples);
  for (size_t back = 0; back < blocks.size(); back += step) {
    const Judged& block = blocks[blocks.size() - 1 - back];
    if (hash_before(file, block.end) != block.end_hash) return false;
  }
  return true;
}

// A record in pieces may end anywhere, also behind what is read.
bool is_in_one_piece(const std::vector<Judged>& blocks) {
  int64_t at = 0;
  for (const Judged& block : blocks) {
    if (block.begin != at || block.pieces || block.any) return false;
    at = block.end;
  }
  return true;
}

// A record that begins in a block may find what it needs as far as it reaches.
bool is_worth(const std::vector<Judged>& blocks, size_t i, int64_t reach, uint32_t all) {
  const Judged& block = blocks[i];
  if (block.any) return true;
  if (!block.records) return false;
  uint32_t sets = block.sets;
  if (reach > 0) {
    const int64_t last =
        block.end > std::numeric_limits<int64_t>::max() - reach ? block.end : block.end + reach;
    int64_t at = block.end;
    for (size_t k = i + 1; at < last; ++k) {
      if (k == blocks.size() || blocks[k].begin != at || blocks[k].any) return true;
      sets |= blocks[k].sets;
      at = blocks[k].end;
    }
  }
  return sets == all;
}

void add(std::vector<BlockIndex::Range>& ranges, int64_t begin, int64_t end) {
  if (begin >= end) return;
  if (!ranges.empty() && ranges.back().end == begin) {
    ranges.back().end = end;
  } else {
    ranges.push_back({begin, end});
  }
}

}  // namespace

BlockIndex::BlockIndex(const std::string& state_directory)
    : directory_(index_directory(state_directory)) {}

std::string index_directory(const std::string& state_directory) {
  return join(state_directory, "index");
}

uint64_t reading_of(const log::FormatSpec& format, Wrapping wrapping, JoinRule::By joined_by,
                    std::string_view start_pattern, int32_t utc_offset_s) {
  std::string text = std::to_string(static_cast<int>(format.kind));
  for (const int64_t number : {static_cast<int64_t>(wrapping), static_cast<int64_t>(joined_by),
                               static_cast<int64_t>(utc_offset_s)}) {
    text.append(1, ' ').append(std::to_string(number));
  }
  for (const std::string_view part :
       {std::string_view(format.pattern), std::string_view(format.time_format), start_pattern}) {
    text.append(1, '\0').append(part);
  }
  const uint64_t hash = hash64(text);
  return hash == 0 ? 1 : hash;
}

std::optional<BlockIndex::Answer> BlockIndex::ask(int file, const Question& question) const {
  const Judge judge(question);
  if (!judge.can_tell()) return std::nullopt;
  const auto id = sidecar_id_of(file);
  const auto st = stat_fd(file);
  if (!id || !st) return std::nullopt;
  auto reader = SidecarReader::open(join(directory_, sidecar_name(*id)));
  if (!reader || reader->id() != *id) return std::nullopt;
  std::vector<Judged> blocks;
  BlockEntry block;
  int64_t end = 0;
  while (reader->next(block)) {
    if (block.begin < end || block.end > st->size) break;
    blocks.push_back(judge.judge(block, reader->filter()));
    end = block.end;
  }
  if (blocks.empty() || !is_intact(file, blocks)) return std::nullopt;
  if (question.wrapped && !is_in_one_piece(blocks)) return std::nullopt;
  Answer out;
  out.indexed_end = end;
  out.blocks = blocks.size();
  int64_t at = 0;
  for (size_t i = 0; i < blocks.size(); ++i) {
    add(out.worth, at, blocks[i].begin);  // not indexed
    at = blocks[i].end;
    if (!is_worth(blocks, i, question.reach, judge.all_sets())) {
      out.bytes_skipped += blocks[i].end - blocks[i].begin;
      continue;
    }
    ++out.blocks_worth;
    add(out.worth, blocks[i].begin, blocks[i].end);
  }
  if (out.bytes_skipped == 0) return std::nullopt;
  return out;
}

}  // namespace nines::collector
