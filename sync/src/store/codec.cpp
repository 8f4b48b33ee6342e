#include "codec.hpp"

#include <algorithm>
#include <limits>

namespace nines::store {
namespace {

constexpr uint64_t kVersion = 1;

void write_slots(ByteWriter& out, const std::vector<slo::SlotDelta>& slots,
                 const std::vector<uint32_t>& ids) {
  // Length of the run of one SLO that begins at `from`.
  const auto run = [&slots](size_t from) {
    size_t to = from;
    while (to < slots.size() && slots[to].slo == slots[from].slo) ++to;
    return to - from;
  };
  size_t runs = 0;
  for (size_t i = 0; i < slots.size(); i += run(i)) ++runs;
  out.varint(runs);
  int64_t previous = 0;  // across runs: all SLOs of a minute share its slots
  for (size_t i = 0; i < slots.size();) {
    const size_t end = i + run(i);
    out.varint(ids[slots[i].slo]);
    out.varint(end - i);
    for (; i < end; ++i) {
      out.zigzag(slots[i].slot - previous);
      out.zigzag(slots[i].good);
      out.zigzag(slots[i].bad);
      out.varint(slots[i].covered_s);
      previous = slots[i].slot;
    }
  }
}

void read_slots(ByteReader& in, std::vector<slo::SlotDelta>& slots) {
  int64_t previous = 0;
  for (size_t runs = in.count(); runs > 0 && in.ok(); --runs) {
    const auto id = static_cast<uint32_t>(in.varint());
    for (size_t n = in.count(); n > 0 && in.ok(); --n) {
      slo::SlotDelta d;
      d.slo = id;
      d.slot = previous += in.zigzag();
      d.good = in.zigzag();
      d.bad = in.zigzag();
      d.covered_s = static_cast<uint32_t>(in.varint());
      slots.push_back(d);
    }
  }
}

template <class Count>
void write_bins(ByteWriter& out, const std::vector<std::pair<uint16_t, Count>>& bins) {
  out.varint(bins.size());
  int64_t previous = 0;
  for (const auto& [bin, count] : bins) {
    out.zigzag(bin - previous);
    out.varint(count);
    previous = bin;
  }
}

template <class Count>
void read_bins(ByteReader& in, std::vector<std::pair<uint16_t, Count>>& bins) {
  int64_t previous = 0;
  for (size_t n = in.count(); n > 0 && in.ok(); --n) {
    previous += in.zigzag();
    if (previous < 0 || previous > std::numeric_limits<uint16_t>::max()) return in.fail();
    bins.emplace_back(static_cast<uint16_t>(previous), static_cast<Count>(in.varint()));
  }
}

void write_sketches(ByteWriter& out, const std::vector<slo::SketchDelta>& sketches,
                    const std::vector<uint32_t>& ids) {
  out.varint(sketches.size());
  for (const auto& sketch : sketches) {
    out.varint(ids[sketch.slo]);
    out.zigzag(sketch.hour);
    write_bins(out, sketch.bins);
  }
}

void read_sketches(ByteReader& in, std::vector<slo::SketchDelta>& sketches) {
  for (size_t n = in.count(); n > 0 && in.ok(); --n) {
    slo::SketchDelta sketch;
    sketch.slo = static_cast<uint32_t>(in.varint());
    sketch.hour = in.zigzag();
    read_bins(in, sketch.bins);
    sketches.push_back(std::move(sketch));
  }
}

void write_totals(ByteWriter& out, const slo::Batch& batch) {
  out.zigzag(batch.late);
  out.zigzag(batch.dropped_late);
  out.zigzag(batch.skewed);
  out.zigzag(batch.max_event_time.ns);
}

void read_totals(ByteReader& in, slo::Batch& batch) {
  batch.late = in.zigzag();
  batch.dropped_late = in.zigzag();
  batch.skewed = in.zigzag();
  batch.max_event_time.ns = in.zigzag();
}

}  // namespace

void ByteWriter::varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>((value & 0x7f) | 0x80));
  out_.push_back(static_cast<char>(value));
}

void ByteWriter::zigzag(int64_t value) {
  varint((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}

void ByteWriter::bytes(std::string_view value) {
  varint(value.size());
  out_.append(value);
}

uint64_t ByteReader::varint() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && ok_ && at_ < in_.size(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in_[at_++]);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  ok_ = false;
  return 0;
}

int64_t ByteReader::zigzag() {
  const uint64_t value = varint();
  return static_cast<int64_t>((value >> 1) ^ (0 - (value & 1)));
}

std::string_view ByteReader::bytes() {
  const size_t size = count();
  if (!ok_) return {};
  at_ += size;
  return in_.substr(at_ - size, size);
}

size_t ByteReader::count() {
  const uint64_t n = varint();
  if (ok_ && n <= in_.size() - at_) return static_cast<size_t>(n);
  ok_ = false;
  return 0;
}

std::string encode_journal(const slo::Batch& batch, const std::vector<uint32_t>& ids,
                           const std::string* alerts) {
  ByteWriter out;
  out.varint(kVersion);
  write_slots(out, batch.slots, ids);
  write_sketches(out, batch.sketches, ids);
  out.varint(batch.positions.size());
  for (const auto& position : batch.positions) {
    out.bytes(position.key);
    out.bytes(position.state);
  }
  write_totals(out, batch);
  if (alerts != nullptr) out.bytes(*alerts);
  return out.take();
}

std::optional<JournalRow> decode_journal(std::string_view body) {
  ByteReader in(body);
  if (in.varint() != kVersion) return std::nullopt;
  JournalRow row;
  read_slots(in, row.batch.slots);
  read_sketches(in, row.batch.sketches);
  for (size_t n = in.count(); n > 0 && in.ok(); --n) {
    const std::string_view key = in.bytes();
    row.batch.positions.push_back({std::string(key), std::string(in.bytes())});
  }
  read_totals(in, row.batch);
  if (in.ok() && !in.complete()) row.alerts = std::string(in.bytes());
  if (!in.complete()) return std::nullopt;
  return row;
}

void Chunk::add(const slo::SlotDelta& delta) {
  const int64_t in_hour = delta.slot - hour_of_slot(delta.slot) * kSlotsPerHour;
  auto m = static_cast<size_t>(in_hour / kSlotsPerMinute);
  minutes_[m].good += delta.good;
  minutes_[m].bad += delta.bad;
  // Coverage reaches from its slot on, in steps that end with the hour at the latest.
  constexpr auto kMinuteS = static_cast<uint64_t>(kSlotsPerMinute * slo::kSlotS);
  uint64_t room = kMinuteS - static_cast<uint64_t>(in_hour % kSlotsPerMinute * slo::kSlotS);
  for (uint64_t left = delta.covered_s; left > 0 && m < minutes_.size(); ++m) {
    const uint64_t here = std::min(left, room);
    minutes_[m].covered_s += here;
    left -= here;
    room = kMinuteS;
  }
}

void Chunk::add(const slo::SketchDelta& delta) {
  for (const auto& [bin, count] : delta.bins) add_bin(bin, count);
}

void Chunk::add(const Chunk& other) {
  for (size_t m = 0; m < minutes_.size(); ++m) {
    minutes_[m].good += other.minutes_[m].good;
    minutes_[m].bad += other.minutes_[m].bad;
    minutes_[m].covered_s += other.minutes_[m].covered_s;
  }
  for (const auto& [bin, count] : other.bins_) add_bin(bin, count);
}

void Chunk::add_bin(uint16_t bin, uint64_t count) {
  const auto at = std::lower_bound(bins_.begin(), bins_.end(), bin,
                                   [](const auto& b, uint16_t wanted) { return b.first < wanted; });
  if (at != bins_.end() && at->first == bin) {
    at->second += count;
  } else {
    bins_.insert(at, {bin, count});
  }
}

std::string Chunk::encode() const {
  ByteWriter out;
  out.varint(kVersion);
  uint64_t mask = 0;
  for (size_t m = 0; m < minutes_.size(); ++m) {
    if (!minutes_[m].empty()) mask |= uint64_t{1} << m;
  }
  out.varint(mask);
  for (const Minute& minute : minutes_) {
    if (minute.empty()) continue;
    out.zigzag(minute.good);
    out.zigzag(minute.bad);
    out.varint(minute.covered_s);
  }
  write_bins(out, bins_);
  return out.take();
}

std::optional<Chunk> Chunk::decode(std::string_view body) {
  ByteReader in(body);
  if (in.varint() != kVersion) return std::nullopt;
  Chunk chunk;
  const uint64_t mask = in.varint();
  for (size_t m = 0; m < chunk.minutes_.size(); ++m) {
    if ((mask >> m & 1) == 0) continue;
    Minute& minute = chunk.minutes_[m];
    minute.good = in.zigzag();
    minute.bad = in.zigzag();
    minute.covered_s = in.varint();
  }
  read_bins(in, chunk.bins_);
  if (!in.complete()) return std::nullopt;
  return chunk;
}

void Chunk::replay(int64_t hour, uint32_t slo_index, slo::Batch& out) const {
  constexpr auto kParts = static_cast<uint64_t>(kSlotsPerMinute);
  for (size_t m = 0; m < minutes_.size(); ++m) {
    const Minute& minute = minutes_[m];
    if (minute.empty()) continue;
    const int64_t first = hour * kSlotsPerHour + static_cast<int64_t>(m) * kSlotsPerMinute;
    for (uint64_t k = 0; k < kParts; ++k) {
      const uint64_t covered = minute.covered_s / kParts + (k < minute.covered_s % kParts ? 1 : 0);
      if (k > 0 && covered == 0) break;
      out.slots.push_back({slo_index, first + static_cast<int64_t>(k), k == 0 ? minute.good : 0,
                           k == 0 ? minute.bad : 0, static_cast<uint32_t>(covered)});
    }
  }
  replay_sketch(hour, slo_index, out);
}

void Chunk::replay_sketch(int64_t hour, uint32_t slo_index, slo::Batch& out) const {
  // The sum of an hour may exceed what one delta can say.
  constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
  for (auto rest = bins_; !rest.empty();) {
    slo::SketchDelta sketch{slo_index, hour, {}};
    std::vector<std::pair<uint16_t, uint64_t>> next;
    for (const auto& [bin, count] : rest) {
      sketch.bins.emplace_back(bin, static_cast<uint32_t>(std::min(count, kMost)));
      if (count > kMost) next.emplace_back(bin, count - kMost);
    }
    out.sketches.push_back(std::move(sketch));
    rest = std::move(next);
  }
}

std::string encode_alerts(const std::vector<slo::AlertMemory>& alerts) {
  ByteWriter out;
  out.varint(kVersion);
  out.varint(alerts.size());
  for (const auto& alert : alerts) {
    out.bytes(alert.slo);
    out.bytes(alert.rule);
    out.varint(alert.firing ? 1 : 0);
    out.zigzag(alert.calm_evaluations);
    out.zigzag(alert.since.ns);
    out.zigzag(alert.last_resolved.ns);
    out.zigzag(alert.calm_at.ns);
  }
  for (const auto& alert : alerts) {
    out.bytes(alert.service);
    out.bytes(alert.severity);
    out.varint(static_cast<uint64_t>(alert.priority));
  }
  return out.take();
}

std::optional<std::vector<slo::AlertMemory>> decode_alerts(std::string_view body) {
  ByteReader in(body);
  if (in.varint() != kVersion) return std::nullopt;
  std::vector<slo::AlertMemory> alerts;
  for (size_t n = in.count(); n > 0 && in.ok(); --n) {
    slo::AlertMemory alert;
    alert.slo = in.bytes();
    alert.rule = in.bytes();
    alert.firing = in.varint() != 0;
    alert.calm_evaluations = static_cast<int>(in.zigzag());
    alert.since.ns = in.zigzag();
    alert.last_resolved.ns = in.zigzag();
    alert.calm_at.ns = in.zigzag();
    alerts.push_back(std::move(alert));
  }
  if (in.complete()) return alerts;  // of before these were kept
  for (slo::AlertMemory& alert : alerts) {
    alert.service = in.bytes();
    alert.severity = in.bytes();
    const uint64_t priority = in.varint();
    if (priority > 3) return std::nullopt;
    alert.priority = static_cast<int>(priority);
  }
  if (!in.complete()) return std::nullopt;
  return alerts;
}

namespace {

void write_details(ByteWriter& out, const slo::AlertEvent& event) {
  out.varint(event.details.size());
  for (const auto& [name, value] : event.details) {
    out.bytes(name);
    out.bytes(value);
  }
}

void read_details(ByteReader& in, slo::AlertEvent& event) {
  for (size_t n = in.count(); n > 0 && in.ok(); --n) {
    std::string name(in.bytes());
    event.details.emplace_back(std::move(name), std::string(in.bytes()));
  }
}

}  // namespace

std::string encode_event(const slo::AlertEvent& event) {
  ByteWriter out;
  out.varint(kVersion);
  out.varint(static_cast<uint64_t>(event.kind));
  for (const std::string* text : {&event.slo, &event.service, &event.rule, &event.severity}) {
    out.bytes(*text);
  }
  out.zigzag(event.at.ns);
  out.zigzag(event.since.ns);
  out.bytes(event.summary);
  out.varint(event.boot);
  out.varint(static_cast<uint64_t>(event.priority));
  if (event.kind == slo::AlertEvent::Kind::rows) {
    out.varint(event.notify.size());
    for (const std::string& name : event.notify) out.bytes(name);
    out.bytes(event.rows);
    out.varint(event.omitted);
    if (!event.details.empty()) write_details(out, event);
  } else if (!event.notify.empty() || !event.details.empty()) {
    out.varint(event.notify.size());
    for (const std::string& name : event.notify) out.bytes(name);
    write_details(out, event);
  }
  return out.take();
}

std::optional<slo::AlertEvent> decode_event(std::string_view body, uint64_t sequence) {
  ByteReader in(body);
  if (in.varint() != kVersion) return std::nullopt;
  slo::AlertEvent event;
  const uint64_t kind = in.varint();
  if (kind > static_cast<uint64_t>(slo::AlertEvent::Kind::rows)) return std::nullopt;
  event.kind = static_cast<slo::AlertEvent::Kind>(kind);
  for (std::string* text : {&event.slo, &event.service, &event.rule, &event.severity}) {
    *text = in.bytes();
  }
  event.at.ns = in.zigzag();
  event.since.ns = in.zigzag();
  event.summary = in.bytes();
  if (in.ok() && !in.complete()) event.boot = in.varint();
  // Rows of before do not tell the tier of the service.
  event.priority = slo::priority_of(event.severity, slo::SloSpec().tier);
  if (in.ok() && !in.complete()) {
    const uint64_t priority = in.varint();
    if (priority > 3) return std::nullopt;
    event.priority = static_cast<int>(priority);
  }
  if (event.kind == slo::AlertEvent::Kind::rows) {
    for (size_t n = in.count(); n > 0 && in.ok(); --n) event.notify.emplace_back(in.bytes());
    event.rows = in.bytes();
    event.omitted = in.varint();
    if (in.ok() && !in.complete()) read_details(in, event);
  } else if (in.ok() && !in.complete()) {  // those of before have neither
    for (size_t n = in.count(); n > 0 && in.ok(); --n) event.notify.emplace_back(in.bytes());
    read_details(in, event);
  }
  event.sequence = sequence;
  if (!in.complete()) return std::nullopt;
  return event;
}

std::string encode_totals(const slo::Batch& totals) {
  ByteWriter out;
  out.varint(kVersion);
  write_totals(out, totals);
  return out.take();
}

bool decode_totals(std::string_view body, slo::Batch& totals) {
  ByteReader in(body);
  if (in.varint() != kVersion) return false;
  read_totals(in, totals);
  return in.complete();
}

void add_totals(const slo::Batch& from, slo::Batch& totals) {
  totals.late += from.late;
  totals.dropped_late += from.dropped_late;
  totals.skewed += from.skewed;
  totals.max_event_time = std::max(totals.max_event_time, from.max_event_time);
}

}  // namespace nines::store
