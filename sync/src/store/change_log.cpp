// The change log: rows that are written once, with what must be kept at the same instant.
#include <algorithm>

#include "sqlite_store.hpp"

namespace nines::store {
namespace {

constexpr uint64_t kChangeVersion = 1;

}  // namespace

std::string encode_change(const slo::Change& c) {
  ByteWriter out;
  out.varint(kChangeVersion);
  out.bytes(slo::change_kind_name(c.kind));
  out.zigzag(c.at.ns);
  out.zigzag(c.from.ns);
  out.zigzag(c.to.ns);
  for (const std::string* text : {&c.service, &c.slo, &c.who, &c.text}) out.bytes(*text);
  out.varint(c.details.size());
  for (const auto& [key, value] : c.details) {
    out.bytes(key);
    out.bytes(value);
  }
  return out.take();
}

std::optional<slo::Change> decode_change(std::string_view body, uint64_t id) {
  ByteReader in(body);
  if (in.varint() != kChangeVersion) return std::nullopt;
  const auto kind = slo::change_kind_of(in.bytes());
  if (!kind) return std::nullopt;
  slo::Change out;
  out.id = id;
  out.kind = *kind;
  out.at.ns = in.zigzag();
  out.from.ns = in.zigzag();
  out.to.ns = in.zigzag();
  for (std::string* text : {&out.service, &out.slo, &out.who, &out.text}) *text = in.bytes();
  for (size_t n = in.count(); n > 0 && in.ok(); --n) {
    std::string key(in.bytes());
    out.details.emplace_back(std::move(key), in.bytes());
  }
  if (!in.complete()) return std::nullopt;
  return out;
}

Status SqliteStore::load_change_bounds() {
  Statement& bounds = connection_->change_bounds.with();
  NINES_TRY(const bool any, bounds.row());
  if (any) next_change_ = bounds.integer(1) + 1;
  bounds.reset();
  return Ok{};
}

Status SqliteStore::write_record(const Record& record,
                                 const std::vector<const Document*>& documents) {
  Connection& c = *connection_;
  Transaction transaction(c);
  NINES_CHECK(transaction.begin());
  int64_t id = next_change_;
  for (const slo::Change& change : record.changes) {
    const std::string body = encode_change(change);
    const int64_t t = change.at.seconds();
    NINES_CHECK(
        c.change_put.with(id, t, static_cast<int64_t>(row_crc(id, t, body)), Blob{body}).run());
    ++id;
  }
  NINES_CHECK(put_each(documents));
  NINES_CHECK(write_events(record.events));
  const int64_t last_dropped = id - 1 - std::max<int64_t>(options_.keep_changes, 1);
  if (last_dropped > 0 && !record.changes.empty()) {
    NINES_CHECK(c.change_drop.with(last_dropped).run());
  }
  return transaction.commit();
}

Status SqliteStore::record(Record& record) {
  if (record.empty()) return Ok{};
  for (slo::AlertEvent& event : record.events) {
    if (event.boot == 0) event.boot = restored_.boot;
  }
  Status status = ready();
  std::vector<const Document*> documents;
  if (status.ok()) {
    NINES_TRY(documents, documents_to_write(record.documents));
    status = note(with_ballast([&] { return write_record(record, documents); }));
  }
  if (!status.ok()) {
    hold_events(record.events);
    return status;
  }
  number_events(record.events);
  const auto most = std::max<int64_t>(options_.keep_changes, 1);
  for (slo::Change& change : record.changes) {
    change.id = static_cast<uint64_t>(next_change_++);
    if (next_change_ - 1 > most) ++stats_.dropped_changes;
  }
  stats_.changes_written += record.changes.size();
  stats_.documents_written += documents.size();
  return Ok{};
}

Result<std::vector<slo::Change>> SqliteStore::changes() {
  NINES_CHECK(ready());
  std::vector<slo::Change> out;
  Statement& scan = connection_->change_scan.with();
  for (;;) {
    const auto more = scan.row();
    if (!more.ok()) return note(more.error()).error();
    if (!*more) return out;
    const int64_t id = scan.integer(0);
    const std::string_view body = scan.bytes(3);
    auto change = row_crc(id, scan.integer(1), body) == static_cast<uint32_t>(scan.integer(2))
                      ? decode_change(body, static_cast<uint64_t>(id))
                      : std::nullopt;
    if (change) {
      out.push_back(std::move(*change));
    } else {
      ++restored_.skipped_rows;
    }
  }
}

}  // namespace nines::store
