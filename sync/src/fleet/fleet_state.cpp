#include "nines/fleet/fleet_state.hpp"

#include <algorithm>
#include <bit>
#include <set>
#include <tuple>

#include "fleet/node_record.hpp"

namespace nines::fleet {
namespace {

constexpr int64_t kEvictAfterNs = 86400 * kNsPerSecond;

std::optional<Tier> tier_of(PartKind kind) {
  if (kind == PartKind::minutes) return Tier::minute;
  if (kind == PartKind::hours) return Tier::hour;
  return std::nullopt;
}

void cut(std::string& text, size_t limit) {
  if (text.size() > limit) text.resize(limit);
}

bool sane_index(int64_t index, Tier tier) {
  const int64_t limit = std::numeric_limits<int64_t>::max() / kNsPerSecond;  // of seconds
  const int64_t seconds = slot_seconds(tier) * cells_of_block(tier);
  return index > -limit / seconds && index < limit / seconds - 1;
}

}  // namespace

struct FleetState::Impl {
  using Records = std::map<std::string, NodeRecord, std::less<>>;
  using CellsKey = std::tuple<uint64_t, Tier, int64_t>;  // series, tier, index of the block

  std::string self;
  uint64_t boot = 1, incarnation = 0;
  uint64_t foreign_boot = 0;
  FleetLimits limits;
  Records records;
  uint64_t counter = 0;  // of own versions
  int64_t floor_day = std::numeric_limits<int64_t>::min();
  Counters counters;
  // Own parts to be told.
  std::map<CellsKey, uint64_t> changed_cells;
  std::set<uint64_t> changed_metas;
  std::map<PartKey, std::vector<std::string>> changed_events;
  bool changed_info = false;
  uint32_t merges = 0;
  OnEvent on_event;

  NodeRecord& own() { return records.find(self)->second; }
  Version next() { return {boot, ++counter}; }

  void tell_info(NodeInfo info) {
    info.version = next();
    info.incarnation = incarnation;
    own().set_info(info);
    changed_info = true;
  }
  // Puts an own cell with a new version.
  void put_own(uint64_t id, Tier tier, int64_t slot, const Counts& counts);
  std::optional<Cell> held(const NodeRecord& record, const CellsKey& key, int64_t i) const;
  Merge take_own_back(const PartKey& key, Tier tier, const CellBlock& block);
  Merge merge_cells(NodeRecord& record, const Piece& piece, Tier tier, WallTime ceiling);
  Merge merge_info(const Piece& piece);
  Merge merge_meta(NodeRecord& record, const Piece& piece);
  Merge merge_events(NodeRecord& record, const Piece& piece);
  // With what was dropped for it.
  Merge put(NodeRecord& record, const FleetEvent& event);
  Merge invalid() {
    ++counters.invalid;
    return Merge::refused;
  }
  bool admissible(WallTime at) const { return records.size() < limits.max_origins || oldest(at); }
  // A record that a new one of that time may replace.
  const std::string* oldest(WallTime at) const;
  size_t bytes() const;
  void keep_within_bytes();
  bool wanted(const NodeRecord* record, const PartDigest& theirs) const;
};

FleetState::FleetState(std::string self, uint64_t boot, FleetLimits limits, uint64_t incarnation)
    : impl_(std::make_unique<Impl>()) {
  NINES_ASSERT(boot > 0 && !self.empty() && self.size() <= kMaxName);
  impl_->self = std::move(self);
  impl_->boot = boot;
  impl_->incarnation = incarnation;
  impl_->limits = limits;
  impl_->records.try_emplace(impl_->self);
  impl_->tell_info({});
}

FleetState::~FleetState() = default;
FleetState::FleetState(FleetState&&) noexcept = default;
FleetState& FleetState::operator=(FleetState&&) noexcept = default;

const std::string& FleetState::self() const noexcept { return impl_->self; }
uint64_t FleetState::boot() const noexcept { return impl_->boot; }
uint64_t FleetState::foreign_boot() const noexcept { return impl_->foreign_boot; }
const FleetLimits& FleetState::limits() const noexcept { return impl_->limits; }
const FleetState::Counters& FleetState::counters() const noexcept { return impl_->counters; }
size_t FleetState::bytes() const noexcept { return impl_->bytes(); }

uint64_t life_number(uint64_t boot, WallTime began) noexcept {
  constexpr unsigned kBootBits = 20;  // 43 bits of milliseconds are left: until 2248
  const auto ms = static_cast<uint64_t>(std::max<int64_t>(1, began.ns / kNsPerMs));
  return ms << kBootBits | (boot & ((uint64_t{1} << kBootBits) - 1));
}

// --- own state

Result<std::vector<uint64_t>> FleetState::set_series(const std::vector<SeriesMeta>& metas,
                                                     WallTime now) {
  Impl& impl = *impl_;
  if (metas.size() > impl.limits.max_series) {
    return Error{Errc::exhausted, std::to_string(metas.size()) +
                                      " SLOs to tell peers of; at most " +
                                      std::to_string(impl.limits.max_series)};
  }
  std::vector<uint64_t> ids;
  NodeInfo info = impl.own().info;
  info.at = now;
  info.series.clear();
  for (SeriesMeta meta : metas) {
    for (auto* text : {&meta.slo, &meta.generation, &meta.service, &meta.target}) {
      cut(*text, kMaxName);
    }
    ids.push_back(series_id(meta));
    info.series.push_back(ids.back());
  }
  std::sort(info.series.begin(), info.series.end());
  info.series.erase(std::unique(info.series.begin(), info.series.end()), info.series.end());
  impl.tell_info(info);
  for (size_t i = 0; i < metas.size(); ++i) {
    Series& series = impl.own().series.try_emplace(ids[i], ids[i]).first->second;
    SeriesMeta meta = metas[i];
    for (auto* text : {&meta.slo, &meta.generation, &meta.service, &meta.target}) {
      cut(*text, kMaxName);
    }
    if (series.meta() != nullptr && series.meta()->service == meta.service) continue;
    meta.version = impl.next();
    series.set_meta(meta, impl.limits);
    impl.changed_metas.insert(ids[i]);
  }
  return ids;
}

void FleetState::describe(WallTime now, uint64_t capabilities, WallTime isolated_since) {
  NodeInfo info = impl_->own().info;
  info.at = now;
  info.capabilities = capabilities;
  info.isolated_since = isolated_since;
  impl_->tell_info(std::move(info));
}

std::optional<Cell> FleetState::Impl::held(const NodeRecord& record, const CellsKey& key,
                                           int64_t i) const {
  const auto& [id, tier, index] = key;
  const auto series = record.series.find(id);
  if (series == record.series.end()) return std::nullopt;
  const Block* block = series->second.block(tier, index);
  if (block == nullptr) return std::nullopt;
  const auto cells = unpack(block->packed, tier);
  if (!cells || !cells->has(i)) return std::nullopt;
  return cells->cells[static_cast<size_t>(i)];
}

void FleetState::Impl::put_own(uint64_t id, Tier tier, int64_t slot, const Counts& counts) {
  const int64_t width = cells_of_block(tier);
  const int64_t index = slot >= 0 ? slot / width : -((-slot + width - 1) / width);
  CellBlock block;
  block.set(slot - index * width, {next(), counts});
  Series& series = own().series.try_emplace(id, id).first->second;
  const auto merged = series.merge(tier, index, block, limits);
  if (merged.taken > 0) changed_cells[{id, tier, index}] |= merged.mask;
  counters.cells_old += merged.old;
}

bool FleetState::publish(uint64_t series, Tier tier, int64_t slot, const Counts& counts) {
  Impl& impl = *impl_;
  const int64_t width = cells_of_block(tier);
  const int64_t index = slot >= 0 ? slot / width : -((-slot + width - 1) / width);
  if (!impl.own().names(series) || !sane_index(index, tier) ||
      (tier == Tier::hour && index < impl.floor_day)) {
    return false;
  }
  Counts bounded = counts;
  bounded.good = std::clamp<int64_t>(counts.good, 0, kMaxCellCount);
  bounded.bad = std::clamp<int64_t>(counts.bad, 0, kMaxCellCount);
  bounded.covered_s = std::clamp<int64_t>(counts.covered_s, 0, slot_seconds(tier));
  const auto held = impl.held(impl.own(), {series, tier, index}, slot - index * width);
  if (held && held->counts == bounded) return false;
  if (held && bounded.covered_s < held->counts.covered_s) {
    ++impl.counters.shrinking;
    return false;
  }
  impl.put_own(series, tier, slot, bounded);
  impl.keep_within_bytes();
  return true;
}

bool FleetState::publish(FleetEvent event) {
  Impl& impl = *impl_;
  NodeRecord& own = impl.own();
  const bool carries = has_body(event.stream);
  if (carries ? event.body.empty() || event.body.size() > kMaxEventBody : !event.body.empty()) {
    ++impl.counters.invalid;
    return false;
  }
  if (event.boot == 0) event.boot = impl.boot;
  if (event.sequence == 0) {
    event.sequence = own.events.last_sequence(event.stream, event.boot) + 1;
  }
  event.priority = std::clamp(event.priority, 0, 3);
  cut(event.summary, kMaxSummary);
  for (auto* text : {&event.slo, &event.service, &event.rule, &event.severity, &event.subject}) {
    cut(*text, kMaxName);
    if (carries) text->clear();
  }
  if (carries) event.summary.clear();
  if (impl.put(own, event) != Merge::news) return false;
  auto& told = impl.changed_events[bucket_of(event)];
  if (told.size() < kEventsOfBucket) told.push_back(encode_event(event));
  return true;
}

bool FleetState::recall(std::string_view origin, const FleetEvent& event) {
  Impl& impl = *impl_;
  const auto record = impl.records.find(origin);
  if (record == impl.records.end() || !has_body(event.stream)) return false;
  return decode_event(encode_event(event)) && impl.put(record->second, event) == Merge::news;
}

void FleetState::on_event(OnEvent told) { impl_->on_event = std::move(told); }

void FleetState::raise_boot(uint64_t known) {
  Impl& impl = *impl_;
  if (known <= impl.boot) return;
  const uint64_t before = std::exchange(impl.boot, known);
  NodeRecord& own = impl.own();
  impl.tell_info(own.info);
  own.events.move_boot(before, known, impl.limits);
  for (auto& [id, series] : own.series) {
    if (series.meta() != nullptr) {
      SeriesMeta meta = *series.meta();
      meta.version = impl.next();
      series.set_meta(meta, impl.limits);
    }
    for (const Tier tier : {Tier::minute, Tier::hour}) {
      std::vector<std::pair<int64_t, CellBlock>> blocks;
      for (const Block& block : series.blocks(tier)) {
        blocks.emplace_back(block.index, *unpack(block.packed, tier));
      }
      for (auto& [index, block] : blocks) {
        for (Cell& cell : block.cells) cell.version = impl.next();
        series.merge(tier, index, block, impl.limits);
      }
    }
  }
}

std::vector<Piece> FleetState::take_changes() {
  Impl& impl = *impl_;
  const NodeRecord& own = impl.own();
  std::vector<Piece> pieces;
  if (std::exchange(impl.changed_info, false)) {
    pieces.push_back({impl.self, {PartKind::info}, encode_info(own.info)});
  }
  for (const uint64_t id : std::exchange(impl.changed_metas, {})) {
    if (auto meta = piece(impl.self, {PartKind::meta, id})) pieces.push_back(std::move(*meta));
  }
  for (const auto& [key, mask] : std::exchange(impl.changed_cells, {})) {
    const auto& [id, tier, index] = key;
    const auto series = own.series.find(id);
    if (series == own.series.end()) continue;
    const Block* block = series->second.block(tier, index);
    if (block == nullptr) continue;
    CellBlock cells = *unpack(block->packed, tier);
    cells.mask &= mask;
    pieces.push_back({impl.self, {kind_of(tier), id, 0, index}, pack(cells, tier)});
  }
  for (const auto& [key, bodies] : std::exchange(impl.changed_events, {})) {
    pieces.push_back({impl.self, key, encode_events(bodies)});
  }
  return pieces;
}

// --- merging

const std::string* FleetState::Impl::oldest(WallTime at) const {
  const Records::value_type* found = nullptr;
  for (const auto& entry : records) {
    if (entry.first == self) continue;
    if (found == nullptr || entry.second.info.at < found->second.info.at) found = &entry;
  }
  if (found == nullptr || at.ns - kEvictAfterNs < found->second.info.at.ns) return nullptr;
  return &found->first;
}

Merge FleetState::Impl::merge_info(const Piece& piece) {
  const auto info = decode_info(piece.body, limits);
  if (!info || piece.origin.empty() || piece.origin.size() > kMaxName) return invalid();
  auto found = records.find(piece.origin);
  if (piece.origin == self) {
    const bool mine = info->version.boot == boot && info->incarnation == incarnation;
    if (info->version.boot < boot || mine) return Merge::known;
    ++counters.foreign_own;
    foreign_boot = std::max(foreign_boot, info->version.boot);
    return Merge::refused;
  }
  if (found == records.end()) {
    if (!admissible(info->at)) {
      ++counters.origins_refused;
      return Merge::refused;
    }
    if (records.size() >= limits.max_origins) {
      records.erase(*oldest(info->at));
      ++counters.origins_evicted;
    }
    found = records.try_emplace(piece.origin).first;
  } else {
    const NodeInfo& held = found->second.info;
    if (info->version < held.version ||
        (info->version == held.version && piece.body <= encode_info(held))) {
      return Merge::known;
    }
  }
  found->second.set_info(*info);
  return Merge::news;
}

Merge FleetState::Impl::merge_meta(NodeRecord& record, const Piece& piece) {
  const auto meta = decode_meta(piece.body);
  if (!meta || series_id(*meta) != piece.key.id) return invalid();
  if (!record.names(piece.key.id)) {
    ++counters.unknown_series;
    return Merge::refused;
  }
  if (piece.origin == self) return Merge::known;
  Series& series = record.series.try_emplace(piece.key.id, piece.key.id).first->second;
  return series.set_meta(*meta, limits) ? Merge::news : Merge::known;
}

// Own cells from peers: of an earlier life, and fuller than what is here, they are adopted.
Merge FleetState::Impl::take_own_back(const PartKey& key, Tier tier, const CellBlock& block) {
  Merge result = Merge::known;
  const auto series = own().series.find(key.id);
  // What this life has told of that block would still be here.
  const bool whole = counters.days_dropped == 0 && series != own().series.end() &&
                     series->second.keeps(tier, key.index, limits);
  for (uint64_t rest = block.mask; rest != 0; rest &= rest - 1) {
    const int64_t i = std::countr_zero(rest);
    const Cell& cell = block.cells[static_cast<size_t>(i)];
    const auto mine = held(own(), {key.id, tier, key.index}, i);
    if (cell.version.boot >= boot) {
      // Another life had this boot, and its info was replaced by ours before we met who knew it.
      if (mine ? mine->version < cell.version : whole) {
        ++counters.foreign_own;
        foreign_boot = std::max(foreign_boot, cell.version.boot);
      }
      continue;
    }
    if (mine && mine->counts.covered_s >= cell.counts.covered_s) continue;
    put_own(key.id, tier, key.index * cells_of_block(tier) + i, cell.counts);
    ++counters.adopted;
    result = Merge::news;
  }
  return result;
}

Merge FleetState::Impl::merge_cells(NodeRecord& record, const Piece& piece, Tier tier,
                                    WallTime ceiling) {
  const PartKey& key = piece.key;
  auto block = unpack(piece.body, tier);
  if (!block || !sane_index(key.index, tier)) return invalid();
  if (!record.names(key.id)) {
    ++counters.unknown_series;
    return Merge::refused;
  }
  if (tier == Tier::hour && key.index < floor_day) {
    ++counters.cells_old;
    return Merge::known;
  }
  const int64_t first = key.index * cells_of_block(tier);
  const int64_t past = ceiling.seconds() / slot_seconds(tier) + 1 - first;  // slots that may be
  const uint64_t mask = past >= 64  ? block->mask
                        : past <= 0 ? 0
                                    : block->mask & ((uint64_t{1} << past) - 1);
  counters.cells_future += static_cast<uint64_t>(std::popcount(block->mask ^ mask));
  block->mask = mask;
  if (mask == 0) return Merge::refused;
  if (piece.origin == self) return take_own_back(key, tier, *block);
  Series& series = record.series.try_emplace(key.id, key.id).first->second;
  const auto merged = series.merge(tier, key.index, *block, limits);
  counters.cells_taken += merged.taken;
  counters.cells_known += merged.known;
  counters.cells_old += merged.old;
  return merged.taken > 0 ? Merge::news : Merge::known;
}

Merge FleetState::Impl::put(NodeRecord& record, const FleetEvent& event) {
  const auto stream = static_cast<size_t>(event.stream);
  const uint64_t before = record.events.dropped()[stream];
  const Merge put = record.events.put(event, limits);
  counters.events_dropped[stream] += record.events.dropped()[stream] - before;
  return put;
}

Merge FleetState::Impl::merge_events(NodeRecord& record, const Piece& piece) {
  const auto bodies = decode_events(piece.body);
  if (!bodies) return invalid();
  Merge result = Merge::known;
  for (const auto& body : *bodies) {
    const auto event = decode_event(body);
    if (!event || bucket_of(*event) != piece.key) return invalid();
    // The lives of a body are its owner's: what peers have of it is always its own.
    if (piece.origin == self && event->boot >= boot && !has_body(event->stream)) {
      const auto mine = encode_events({encode_event(*event)});
      counters.foreign_own += record.events.bucket(piece.key).find(mine) == std::string::npos;
      continue;
    }
    if (put(record, *event) != Merge::news) continue;
    result = Merge::news;
    if (on_event && has_body(event->stream)) on_event(piece.origin, *event);
  }
  return result;
}

Merge FleetState::merge(const Piece& piece, WallTime ceiling) {
  Impl& impl = *impl_;
  if (piece.key.kind == PartKind::info) return impl.merge_info(piece);
  const auto record = impl.records.find(piece.origin);
  if (record == impl.records.end()) {
    ++impl.counters.unknown_series;
    return Merge::refused;
  }
  Merge result = Merge::refused;
  if (const auto tier = tier_of(piece.key.kind)) {
    result = impl.merge_cells(record->second, piece, *tier, ceiling);
  } else if (piece.key.kind == PartKind::meta) {
    result = impl.merge_meta(record->second, piece);
  } else if (piece.key.kind == PartKind::events) {
    result = impl.merge_events(record->second, piece);
  } else {
    return impl.invalid();
  }
  if (result == Merge::news) impl.keep_within_bytes();
  return result;
}

size_t FleetState::Impl::bytes() const {
  size_t bytes = 0;
  for (const auto& [origin, record] : records) bytes += origin.size() + record.bytes();
  return bytes;
}

// Adding up costs microseconds for a thousand series: not at every piece.
void FleetState::Impl::keep_within_bytes() {
  if (++merges % 16 != 0) return;
  while (bytes() > limits.max_bytes) {
    int64_t day = std::numeric_limits<int64_t>::max();
    for (const auto& [origin, record] : records) {
      for (const auto& [id, series] : record.series) {
        if (!series.blocks(Tier::hour).empty()) {
          day = std::min(day, series.blocks(Tier::hour).front().index);
        }
      }
    }
    if (day == std::numeric_limits<int64_t>::max()) return;
    floor_day = day + 1;
    for (auto& [origin, record] : records) {
      for (auto& [id, series] : record.series) {
        counters.days_dropped += series.drop_hours_before(floor_day);
      }
    }
  }
}

// --- comparing

uint64_t FleetState::hash() const noexcept {
  uint64_t hash = 0;
  for (const auto& [origin, record] : impl_->records) hash ^= mix64(hash64(origin) + record.hash());
  return hash;
}

std::vector<OriginDigest> FleetState::digest() const {
  std::vector<OriginDigest> digests;
  for (const auto& [origin, record] : impl_->records) {
    digests.push_back({origin, record.info.at, record.hash()});
  }
  return digests;
}

std::vector<PartDigest> FleetState::parts(std::string_view origin) const {
  const auto record = impl_->records.find(origin);
  if (record == impl_->records.end()) return {};
  std::vector<PartDigest> digests{{{PartKind::info}, record->second.info_hash}};
  for (const auto& [id, series] : record->second.series) {
    digests.push_back({{PartKind::series, id}, series.hash()});
  }
  const auto buckets = record->second.events.buckets();
  digests.insert(digests.end(), buckets.begin(), buckets.end());
  return digests;
}

std::vector<PartDigest> FleetState::parts(std::string_view origin, uint64_t id) const {
  const auto record = impl_->records.find(origin);
  if (record == impl_->records.end()) return {};
  const auto series = record->second.series.find(id);
  if (series == record->second.series.end()) return {};
  std::vector<PartDigest> digests;
  if (series->second.meta() != nullptr) {
    digests.push_back({{PartKind::meta, id}, series->second.meta_hash()});
  }
  for (const Tier tier : {Tier::minute, Tier::hour}) {
    for (const Block& block : series->second.blocks(tier)) {
      digests.push_back({{kind_of(tier), id, 0, block.index}, block.hash});
    }
  }
  return digests;
}

std::vector<std::string> FleetState::missing(const std::vector<OriginDigest>& theirs) const {
  std::vector<std::string> origins;
  for (const auto& digest : theirs) {
    const auto record = impl_->records.find(digest.origin);
    const bool differs = record == impl_->records.end() ? impl_->admissible(digest.at)
                                                        : record->second.hash() != digest.hash;
    if (differs) origins.push_back(digest.origin);
  }
  return origins;
}

bool FleetState::Impl::wanted(const NodeRecord* record, const PartDigest& theirs) const {
  const PartKey& key = theirs.key;
  if (key.kind == PartKind::info) return record == nullptr || record->info_hash != theirs.hash;
  // Which series there are is known once the info is.
  if (key.kind == PartKind::series && record == nullptr) return true;
  if (record == nullptr) return key.kind == PartKind::events;
  if (key.kind == PartKind::events) {
    return record->events.bucket_hash(key) != theirs.hash && record->events.keeps(key, limits);
  }
  const auto found = record->series.find(key.id);
  const Series* series = found == record->series.end() ? nullptr : &found->second;
  if (key.kind == PartKind::series) return series == nullptr || series->hash() != theirs.hash;
  if (!record->names(key.id)) return false;
  if (key.kind == PartKind::meta) {
    return series == nullptr || series->meta_hash() != theirs.hash;
  }
  const auto tier = tier_of(key.kind);
  if (!tier || (*tier == Tier::hour && key.index < floor_day)) return false;
  if (series == nullptr) return true;
  const Block* block = series->block(*tier, key.index);
  if (block != nullptr && block->hash == theirs.hash) return false;
  return series->keeps(*tier, key.index, limits);
}

std::vector<PartKey> FleetState::missing(std::string_view origin,
                                         const std::vector<PartDigest>& theirs) const {
  const auto record = impl_->records.find(origin);
  std::vector<PartKey> keys;
  for (const auto& part : theirs) {
    if (impl_->wanted(record == impl_->records.end() ? nullptr : &record->second, part)) {
      keys.push_back(part.key);
    }
  }
  return keys;
}

std::optional<Piece> FleetState::piece(std::string_view origin, const PartKey& key) const {
  const auto record = impl_->records.find(origin);
  if (record == impl_->records.end()) return std::nullopt;
  Piece piece{std::string(origin), key, {}};
  if (key.kind == PartKind::info) {
    piece.body = encode_info(record->second.info);
  } else if (key.kind == PartKind::events) {
    piece.body = record->second.events.bucket(key);
  } else {
    const auto series = record->second.series.find(key.id);
    if (series == record->second.series.end()) return std::nullopt;
    if (key.kind == PartKind::meta && series->second.meta() != nullptr) {
      piece.body = encode_meta(*series->second.meta());
    } else if (const auto tier = tier_of(key.kind)) {
      const Block* block = series->second.block(*tier, key.index);
      if (block != nullptr) piece.body = block->packed;
    }
  }
  if (piece.body.empty()) return std::nullopt;
  return piece;
}

// --- reading

std::vector<std::string> FleetState::origins() const {
  std::vector<std::string> names;
  for (const auto& [origin, record] : impl_->records) names.push_back(origin);
  return names;
}

std::optional<NodeInfo> FleetState::info(std::string_view origin) const {
  const auto record = impl_->records.find(origin);
  if (record == impl_->records.end()) return std::nullopt;
  return record->second.info;
}

std::vector<std::pair<uint64_t, SeriesMeta>> FleetState::series(std::string_view origin) const {
  std::vector<std::pair<uint64_t, SeriesMeta>> all;
  const auto record = impl_->records.find(origin);
  if (record == impl_->records.end()) return all;
  for (const auto& [id, series] : record->second.series) {
    if (series.meta() != nullptr) all.emplace_back(id, *series.meta());
  }
  return all;
}

void FleetState::each_cell(std::string_view origin, uint64_t id, Tier tier, int64_t from,
                           int64_t to,
                           const std::function<void(int64_t, const Counts&)>& take) const {
  const auto record = impl_->records.find(origin);
  if (record == impl_->records.end()) return;
  const auto series = record->second.series.find(id);
  if (series == record->second.series.end()) return;
  const int64_t width = cells_of_block(tier);
  for (const Block& block : series->second.blocks(tier)) {
    const int64_t first = block.index * width;
    if (first + width <= from || first >= to) continue;
    const auto cells = unpack(block.packed, tier);
    for (uint64_t rest = cells->mask; rest != 0; rest &= rest - 1) {
      const int64_t i = std::countr_zero(rest);
      if (first + i < from || first + i >= to) continue;
      take(first + i, cells->cells[static_cast<size_t>(i)].counts);
    }
  }
}

std::pair<int64_t, int64_t> FleetState::extent(std::string_view origin, uint64_t id,
                                               Tier tier) const {
  const auto record = impl_->records.find(origin);
  if (record == impl_->records.end()) return {0, 0};
  const auto series = record->second.series.find(id);
  if (series == record->second.series.end()) return {0, 0};
  const auto& blocks = series->second.blocks(tier);
  if (blocks.empty()) return {0, 0};
  const int64_t width = cells_of_block(tier);
  const auto first = unpack(blocks.front().packed, tier), last = unpack(blocks.back().packed, tier);
  return {blocks.front().index * width + std::countr_zero(first->mask),
          blocks.back().index * width + std::bit_width(last->mask)};
}

std::vector<FleetEvent> FleetState::events(std::string_view origin) const {
  const auto record = impl_->records.find(origin);
  if (record == impl_->records.end()) return {};
  return record->second.events.all();
}

std::vector<FleetEvent> FleetState::events(std::string_view origin,
                                           FleetEvent::Stream stream) const {
  const auto record = impl_->records.find(origin);
  if (record == impl_->records.end()) return {};
  return record->second.events.of(stream);
}

bool FleetState::has_event(std::string_view origin, const FleetEvent& like) const {
  const auto record = impl_->records.find(origin);
  return record != impl_->records.end() &&
         record->second.events.has(like.stream, like.boot, like.sequence);
}

void FleetState::forget(std::string_view origin) {
  const auto record = impl_->records.find(origin);
  if (record != impl_->records.end() && origin != impl_->self) impl_->records.erase(record);
}

}  // namespace nines::fleet
