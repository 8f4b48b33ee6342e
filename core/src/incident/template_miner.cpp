#include "nines/incident/template_miner.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include "incident/shape.hpp"
#include "incident/skeleton.hpp"
#include "nines/base/crc32c.hpp"
#include "nines/base/utf.hpp"
#include "nines/query/bytes.hpp"

namespace nines::incident {
namespace {

using query::get_fixed64;
using query::get_text;
using query::get_varint;
using query::put_fixed64;
using query::put_text;
using query::put_varint;
using std::string_view;

constexpr string_view kHole = "<*>";
constexpr size_t kMaxWords = Skeleton::kMaxWords;
constexpr size_t kLeastRest = 2;      // words that must be left beside a parameter
constexpr size_t kMostRemoved = 3;    // parameters of one message that are words
constexpr size_t kMostForThree = 24;  // words; beyond it two are removed
constexpr size_t kMaxAliases = 8192;
constexpr size_t kCacheSlots = 16384;              // power of two
constexpr uint64_t kBase = 0x9ddfea08eb382d69ULL;  // odd

uint64_t finish(uint64_t hash, size_t words) noexcept {
  hash ^= (hash >> 31) + (words + 1) * 0x9e3779b97f4a7c15ULL;  // of no words: not 0
  hash *= 0xd6e8feb86659fd93ULL;
  return hash ^ (hash >> 32);
}

// Hashes of a sequence without some of its words, each in one step.
class Hashes {
 public:
  explicit Hashes(const std::vector<uint64_t>& words) : count_(words.size()) {
    powers_[0] = 1;
    before_[0] = 0;
    for (size_t i = 0; i < count_; ++i) {
      powers_[i + 1] = powers_[i] * kBase;
      before_[i + 1] = before_[i] * kBase + words[i];
    }
  }
  size_t count() const noexcept { return count_; }
  uint64_t all() const noexcept { return finish(before_[count_], count_); }
  // Without the words at the first `n` of `removed`, which rise.
  uint64_t without(const std::array<size_t, kMostRemoved>& removed, size_t n) const noexcept {
    uint64_t hash = 0;
    size_t from = 0;
    for (size_t i = 0; i <= n; ++i) {
      const size_t to = i < n ? removed[i] : count_;
      hash = hash * powers_[to - from] + part(from, to);
      from = to + 1;
    }
    return finish(hash, count_ - n);
  }
  uint64_t without(size_t place) const noexcept { return without({place, 0, 0}, 1); }

 private:
  uint64_t part(size_t from, size_t to) const noexcept {
    return before_[to] - before_[from] * powers_[to - from];
  }
  size_t count_;
  std::array<uint64_t, kMaxWords + 1> powers_, before_;
};

using Slots = uint64_t;  // bit i: a parameter may stand before word i

struct Entry {
  TemplateId id = 0;
  std::vector<uint64_t> words;
  Slots slots = 0;
  std::string text;
  bool live = false, used = false;
  uint32_t generation =
      0;  // of what lives here: whoever kept the place sees that it is another one
};

// One template as it is saved.
struct Learned {
  std::vector<uint64_t> words;
  Slots slots = 0;
  std::string text;
};
constexpr uint8_t kSavedVersion = 1;

bool get_learned(string_view& in, Learned& out) {
  uint64_t count = 0;
  string_view text;
  if (!get_varint(in, count) || count > kMaxWords) return false;
  out.words.resize(count);
  for (uint64_t& word : out.words) {
    if (!get_fixed64(in, word)) return false;
  }
  if (!get_varint(in, out.slots) || !get_text(in, text)) return false;
  out.text = text;
  return (out.slots >> count) <= 1;
}

void put_learned(std::string& out, const Entry& entry) {
  put_varint(out, entry.words.size());
  for (const uint64_t word : entry.words) put_fixed64(out, word);
  put_varint(out, entry.slots);
  put_text(out, entry.text);
}

// Of a group of templates that differ in the word at one place: hash of the others, and the place.
uint64_t group_key(uint64_t rest, size_t place) noexcept { return finish(rest, place + 1024); }

// The words as they stand, signs between them, and a hole for what is left out.
std::string text_of(string_view message, const Skeleton& skeleton, size_t most) {
  std::string text;
  const auto leave_out = [&](string_view part) {
    bool hole = false;
    for (const char c : part) {
      const bool data = (static_cast<unsigned char>(c) >= '0' && c <= '9') ||
                        (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c & 0x80) != 0;
      if (data) {
        if (!hole) text += kHole;
        hole = true;
      } else if (c == ' ' || c == '\t' || !hole) {
        text += c == '\t' ? ' ' : c;
        hole = hole && c != ' ' && c != '\t';
      } else if (string_view("()[]{}\"'=,;|").find(c) != string_view::npos) {
        text += c;
        hole = false;
      }
    }
  };
  size_t at = 0;
  for (size_t i = 0; i < skeleton.count && text.size() < most; ++i) {
    const SkeletonWord& word = skeleton.words[i];
    leave_out(message.substr(at, word.begin - at));
    text += message.substr(word.begin, word.size);
    at = word.begin + word.size;
  }
  if (text.size() < most) leave_out(message.substr(at, most));
  if (skeleton.count == 0) text = kHole;
  return std::string(cut_utf8(text, most));
}

// The text with a hole in place of its word at `place`. What was cut off it needs none.
std::string with_hole(const std::string& text, size_t place) {
  Skeleton skeleton;
  read_skeleton(text, skeleton);
  if (place >= skeleton.count) return text;
  const SkeletonWord& word = skeleton.words[place];
  return text.substr(0, word.begin) + std::string(kHole) + text.substr(word.begin + word.size);
}

}  // namespace

struct TemplateMiner::Impl {
  explicit Impl(MinerLimits given) : limits(given), cache(kCacheSlots) {}

  Found add(string_view message);
  Found add_unseen(string_view message, uint64_t shape, Shapes::Known& kept);
  uint64_t skeleton_of(string_view message, Shapes::Known& kept, uint64_t shape, bool& read);
  const Entry* living(uint32_t entry, uint32_t generation) noexcept;
  size_t place(const Skeleton& skeleton, string_view message, bool& fresh);
  std::optional<size_t> find(const Hashes& hashes) const;
  size_t insert(std::vector<uint64_t> words, Slots slots, std::string text);
  size_t generalise(size_t entry);
  size_t merge_group(const std::vector<uint64_t>& words, size_t place);
  void settle(size_t entry);
  void index(size_t entry);
  void unindex(size_t entry);
  void remove(size_t entry);
  size_t free_entry();
  std::optional<size_t> crowded_place(size_t entry) const;
  TemplateId current(TemplateId id) const noexcept;
  void alias(TemplateId from, TemplateId to);
  void take(const Learned& learned);

  MinerLimits limits;
  std::vector<Entry> entries;
  std::vector<size_t> unused;
  size_t hand = 0, live = 0;
  size_t most_slots = 0;  // of any template so far: how many words need to be tried
  std::unordered_map<TemplateId, uint32_t> by_id;
  std::unordered_map<uint64_t, uint16_t> groups;  // how many templates are in each
  struct Cached {
    uint64_t skeleton = 0;
    uint32_t entry = 0, generation = 0;
  };
  std::vector<Cached> cache;
  Shapes shapes;
  std::unordered_map<TemplateId, TemplateId> aliases;
  std::deque<TemplateId> alias_order;
  std::vector<Merge> merged;
  Skeleton skeleton;
  Stats stats;
};

// The hash of the skeleton; `read`: into the member, because its shape was not among the last ones.
uint64_t TemplateMiner::Impl::skeleton_of(string_view message, Shapes::Known& kept, uint64_t shape,
                                          bool& read) {
  if (shape != 0 && kept.shape == shape) return kept.skeleton;
  read_skeleton(message, skeleton);
  read = true;
  uint64_t hash = 0;
  for (size_t i = 0; i < skeleton.count; ++i) hash = hash * kBase + skeleton.words[i].hash;
  hash = finish(hash, skeleton.count);
  if (shape != 0) kept = {shape, hash};
  return hash;
}

// What was found there is there still. It is seen once more.
inline const Entry* TemplateMiner::Impl::living(uint32_t at, uint32_t generation) noexcept {
  if (at >= entries.size()) return nullptr;
  Entry& entry = entries[at];
  if (entry.generation != generation || !entry.live) return nullptr;
  entry.used = true;
  return &entry;
}

TemplateMiner::Found TemplateMiner::Impl::add(string_view message) {
  ++stats.messages;
  const uint64_t shape = message.size() <= kMaxShapeBytes ? shape_of(message) : 0;
  Shapes::Known& kept = shapes.at(shape);
  if (shape != 0 && kept.shape == shape) {
    if (const Entry* const entry = living(kept.entry, kept.generation)) {
      return {entry->id, false, !merged.empty()};
    }
  }
  return add_unseen(message, shape, kept);
}

// Of a shape that was not seen lately, or whose template is another one by now.
TemplateMiner::Found TemplateMiner::Impl::add_unseen(string_view message, uint64_t shape,
                                                     Shapes::Known& kept) {
  bool read = false;
  const uint64_t hash = skeleton_of(message, kept, shape, read);
  const auto keep = [&](uint32_t entry, uint32_t generation) {
    if (shape == 0) return;
    kept.entry = entry;
    kept.generation = generation;
  };
  Cached& known = cache[hash & (kCacheSlots - 1)];
  if (known.skeleton == hash) {
    if (const Entry* const entry = living(known.entry, known.generation)) {
      keep(known.entry, known.generation);
      return {entry->id, false, !merged.empty()};
    }
  }
  ++stats.slow;
  if (!read) read_skeleton(message, skeleton);
  bool fresh = false;
  const size_t entry = place(skeleton, message, fresh);
  known = {hash, static_cast<uint32_t>(entry), entries[entry].generation};
  keep(known.entry, known.generation);
  entries[entry].used = !fresh;
  return {entries[entry].id, fresh, !merged.empty()};
}

size_t TemplateMiner::Impl::place(const Skeleton& read, string_view message, bool& fresh) {
  std::vector<uint64_t> words(read.count);
  for (size_t i = 0; i < read.count; ++i) words[i] = read.words[i].hash;
  if (const auto known = find(Hashes(words))) return *known;
  const size_t entry = insert(std::move(words), 0, text_of(message, read, limits.max_text_bytes));
  const TemplateId id = entries[entry].id;
  const size_t settled = generalise(entry);
  fresh = entries[settled].id == id;  // else it is one of a group that was known
  return settled;
}

// The template with these words, or with these and parameters that are words; fewest of these
// first.
std::optional<size_t> TemplateMiner::Impl::find(const Hashes& hashes) const {
  if (const auto it = by_id.find(hashes.all()); it != by_id.end()) return it->second;
  const size_t count = hashes.count();
  std::array<size_t, kMostRemoved> removed{};
  const auto matches = [&](size_t n) -> std::optional<size_t> {
    const auto it = by_id.find(hashes.without(removed, n));
    if (it == by_id.end()) return std::nullopt;
    Slots wanted = 0;
    for (size_t i = 0; i < n; ++i) {
      const Slots bit = Slots{1} << (removed[i] - i);
      if ((wanted & bit) != 0) return std::nullopt;  // a parameter is one word
      wanted |= bit;
    }
    if ((entries[it->second].slots & wanted) != wanted) return std::nullopt;
    return it->second;
  };
  const size_t most =
      std::min({most_slots, count, count > kMostForThree ? size_t{2} : kMostRemoved});
  for (removed[0] = 0; most >= 1 && removed[0] < count; ++removed[0]) {
    if (const auto found = matches(1)) return found;
  }
  for (removed[0] = 0; most >= 2 && removed[0] < count; ++removed[0]) {
    for (removed[1] = removed[0] + 1; removed[1] < count; ++removed[1]) {
      if (const auto found = matches(2)) return found;
    }
  }
  for (removed[0] = 0; most >= 3 && removed[0] < count; ++removed[0]) {
    for (removed[1] = removed[0] + 1; removed[1] < count; ++removed[1]) {
      for (removed[2] = removed[1] + 1; removed[2] < count; ++removed[2]) {
        if (const auto found = matches(3)) return found;
      }
    }
  }
  return std::nullopt;
}

size_t TemplateMiner::Impl::insert(std::vector<uint64_t> words, Slots slots, std::string text) {
  const size_t at = free_entry();
  Entry& entry = entries[at];
  entry.id = Hashes(words).all();
  entry.words = std::move(words);
  entry.slots = slots;
  entry.text = std::move(text);
  entry.live = true;
  ++live;
  most_slots = std::max(most_slots, static_cast<size_t>(__builtin_popcountll(slots)));
  by_id[entry.id] = static_cast<uint32_t>(at);
  aliases.erase(entry.id);  // it was forgotten what it had become part of
  index(at);
  return at;
}

// By second chance: who was not seen since the hand came by last.
size_t TemplateMiner::Impl::free_entry() {
  if (unused.empty() && entries.size() < limits.max_templates) {
    entries.emplace_back();
    return entries.size() - 1;
  }
  while (unused.empty()) {
    hand = hand + 1 < entries.size() ? hand + 1 : 0;
    if (!entries[hand].live) continue;
    if (entries[hand].used) {
      entries[hand].used = false;
      continue;
    }
    ++stats.forgotten;
    remove(hand);
  }
  const size_t at = unused.back();
  unused.pop_back();
  return at;
}

void TemplateMiner::Impl::remove(size_t at) {
  unindex(at);
  Entry& entry = entries[at];
  by_id.erase(entry.id);
  const uint32_t next = entry.generation + 1;
  entry = {};
  entry.generation = next;
  --live;
  unused.push_back(at);
}

void TemplateMiner::Impl::index(size_t at) {
  const Entry& entry = entries[at];
  if (entry.words.size() <= kLeastRest) return;
  const Hashes hashes(entry.words);
  for (size_t i = 0; i < entry.words.size(); ++i) ++groups[group_key(hashes.without(i), i)];
}

void TemplateMiner::Impl::unindex(size_t at) {
  const Entry& entry = entries[at];
  if (entry.words.size() <= kLeastRest) return;
  const Hashes hashes(entry.words);
  for (size_t i = 0; i < entry.words.size(); ++i) {
    const auto it = groups.find(group_key(hashes.without(i), i));
    if (it != groups.end() && --it->second == 0) groups.erase(it);
  }
}

std::optional<size_t> TemplateMiner::Impl::crowded_place(size_t at) const {
  const Entry& entry = entries[at];
  if (entry.words.size() <= kLeastRest) return std::nullopt;
  const Hashes hashes(entry.words);
  for (size_t i = 0; i < entry.words.size(); ++i) {
    const auto it = groups.find(group_key(hashes.without(i), i));
    const size_t enough = i == 0 ? limits.distinct_first : limits.distinct;
    if (it != groups.end() && it->second >= enough) return i;
  }
  return std::nullopt;
}

// Merges as long as some place of the template has too many words; what became of it.
size_t TemplateMiner::Impl::generalise(size_t at) {
  while (const auto place = crowded_place(at)) {
    const std::vector<uint64_t> words = entries[at].words;
    at = merge_group(words, *place);
  }
  return at;
}

// The slots of `words` in what is left of them without the word at `place`.
Slots slots_without(Slots slots, size_t place) noexcept {
  const Slots low = slots & ((Slots{2} << place) - 1);
  return low | ((slots & ~((Slots{2} << place) - 1)) >> 1);
}

size_t TemplateMiner::Impl::merge_group(const std::vector<uint64_t>& words, size_t place) {
  std::vector<uint64_t> rest = words;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(place));
  const uint64_t wanted = Hashes(rest).all();
  std::vector<size_t> members;
  Slots slots = Slots{1} << place;
  std::string text;
  for (size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    if (!entry.live || entry.words.size() != words.size()) continue;
    if (Hashes(entry.words).without(place) != wanted) continue;
    members.push_back(i);
    slots |= slots_without(entry.slots, place);
    std::string theirs = with_hole(entry.text, place);
    if (text.empty() || theirs < text) text = std::move(theirs);
  }
  // Whoever is asked for by an old id is sent on; the entries are free before the new one is made.
  std::vector<TemplateId> ids;
  for (const size_t member : members) {
    ids.push_back(entries[member].id);
    remove(member);
  }
  size_t root = 0;
  if (const auto it = by_id.find(wanted); it != by_id.end()) {
    root = it->second;
    entries[root].slots |= slots;
    most_slots =
        std::max(most_slots, static_cast<size_t>(__builtin_popcountll(entries[root].slots)));
  } else {
    root = insert(std::move(rest), slots, std::move(text));
  }
  for (const TemplateId id : ids) alias(id, entries[root].id);
  stats.merges += ids.size();
  settle(root);
  return root;
}

// Takes in the templates that would now be found as this one.
void TemplateMiner::Impl::settle(size_t at) {
  const Entry& root = entries[at];
  const size_t most = root.words.size() + static_cast<size_t>(__builtin_popcountll(root.slots));
  for (size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    if (i == at || !entry.live || entry.words.size() <= root.words.size() ||
        entry.words.size() > most) {
      continue;
    }
    // As if it came now: would it be found as this one?
    const TemplateId id = entry.id;
    by_id.erase(id);
    const auto found = find(Hashes(entry.words));
    by_id[id] = static_cast<uint32_t>(i);
    if (found != at) continue;
    remove(i);
    alias(id, entries[at].id);
    ++stats.merges;
  }
}

TemplateId TemplateMiner::Impl::current(TemplateId id) const noexcept {
  for (auto it = aliases.find(id); it != aliases.end(); it = aliases.find(id)) id = it->second;
  return id;
}

void TemplateMiner::Impl::alias(TemplateId from, TemplateId to) {
  if (from == to || current(to) == from) return;
  if (aliases.emplace(from, to).second) alias_order.push_back(from);
  merged.push_back({from, to});
  if (alias_order.size() <= kMaxAliases) return;
  aliases.erase(alias_order.front());
  alias_order.pop_front();
}

void TemplateMiner::Impl::take(const Learned& learned) {
  const TemplateId id = Hashes(learned.words).all();
  size_t at = 0;
  if (const auto it = by_id.find(id); it != by_id.end()) {
    at = it->second;
    Entry& entry = entries[at];
    entry.slots |= learned.slots;
    if (learned.text < entry.text) entry.text = learned.text;
    most_slots = std::max(most_slots, static_cast<size_t>(__builtin_popcountll(entry.slots)));
  } else if (learned.slots == 0 && find(Hashes(learned.words))) {
    return;  // has become part of another one here
  } else {
    at = insert(learned.words, learned.slots, learned.text);
  }
  if (entries[at].slots != 0) settle(at);
  generalise(at);
}

TemplateMiner::TemplateMiner(MinerLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
TemplateMiner::~TemplateMiner() = default;
TemplateMiner::TemplateMiner(TemplateMiner&&) noexcept = default;
TemplateMiner& TemplateMiner::operator=(TemplateMiner&&) noexcept = default;

TemplateMiner::Found TemplateMiner::add(std::string_view message) { return impl_->add(message); }
TemplateId TemplateMiner::current(TemplateId id) const noexcept { return impl_->current(id); }

std::string_view TemplateMiner::text(TemplateId id) const noexcept {
  const auto it = impl_->by_id.find(impl_->current(id));
  return it == impl_->by_id.end() ? std::string_view() : impl_->entries[it->second].text;
}

std::vector<TemplateMiner::Merge> TemplateMiner::take_merges() {
  return std::exchange(impl_->merged, {});
}

std::string TemplateMiner::save() const {
  std::string out(1, static_cast<char>(kSavedVersion));
  put_varint(out, impl_->live);
  for (const Entry& entry : impl_->entries) {
    if (entry.live) put_learned(out, entry);
  }
  return out;
}

Status TemplateMiner::merge_saved(std::string_view saved) {
  const Error corrupt{Errc::corrupt, "what was saved of the log templates is damaged"};
  uint64_t count = 0;
  if (saved.empty() || saved[0] != static_cast<char>(kSavedVersion)) return corrupt;
  saved.remove_prefix(1);
  if (!get_varint(saved, count) || count > impl_->limits.max_templates) return corrupt;
  std::vector<Learned> all(count);
  for (Learned& learned : all) {
    if (!get_learned(saved, learned)) return corrupt;
  }
  if (!saved.empty()) return corrupt;
  for (const Learned& learned : all) impl_->take(learned);
  return Ok{};
}

TemplateMiner::Stats TemplateMiner::stats() const noexcept {
  Stats stats = impl_->stats;
  stats.templates = impl_->live;
  // Nodes of the tables have some 16 bytes beside what they hold.
  stats.memory_bytes = sizeof(Impl) + impl_->shapes.memory_bytes() +
                       impl_->cache.size() * sizeof(Impl::Cached) +
                       impl_->entries.capacity() * sizeof(Entry) + impl_->groups.size() * 40 +
                       impl_->by_id.size() * 40 + impl_->aliases.size() * 56;
  for (const Entry& entry : impl_->entries) {
    stats.memory_bytes += entry.words.capacity() * 8 + entry.text.capacity();
  }
  return stats;
}

}  // namespace nines::incident
