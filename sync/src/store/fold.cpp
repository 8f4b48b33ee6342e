// Folding: old journal rows become hourly chunks by the minute, in transactions of bounded size,
// each complete in itself: the rows go exactly when their counts and positions stand elsewhere.
#include <algorithm>

#include "sqlite_store.hpp"

namespace nines::store {
namespace {

constexpr size_t kRoundRows = 200;    // of one transaction
constexpr size_t kRoundChunks = 512;  // about 1 MiB while it is put together
constexpr int kRounds = 8;            // of one fold()
constexpr int64_t kRoundHours = 24;   // deleted in one transaction
constexpr int64_t kLargeEventBytes = 4096;

}  // namespace

void SqliteStore::Folded::add(JournalRow&& row) {
  for (const auto& slot : row.batch.slots) {
    chunks[{hour_of_slot(slot.slot), slot.slo}].add(slot);
  }
  for (const auto& sketch : row.batch.sketches) chunks[{sketch.hour, sketch.slo}].add(sketch);
  for (auto& position : row.batch.positions) positions[position.key] = std::move(position.state);
  if (row.alerts) alerts = std::move(row.alerts);
  add_totals(row.batch, totals);
}

Result<SqliteStore::Headroom> SqliteStore::headroom() {
  NINES_TRY(const int64_t pages, connection_->db.pragma("page_count"));
  NINES_TRY(const int64_t unused, connection_->db.pragma("freelist_count"));
  NINES_TRY(const int64_t cap, connection_->db.pragma("max_page_count"));
  return Headroom{pages - unused, cap};
}

// A prefix of the journal, so that later rows still overlay earlier ones. A row from the future is
// one written under a wrong clock and must not hold up the rest.
Status SqliteStore::gather(int64_t now_s, bool any_age, Folded& out) {
  const int64_t cutoff = now_s - options_.fold_after_s;
  Statement& scan = connection_->journal_scan.with(int64_t{-1});
  for (;;) {
    NINES_TRY(const bool more, scan.row());
    if (!more) return Ok{};
    const int64_t seq = scan.integer(0);
    const int64_t t = scan.integer(1);
    if (!any_age && t > cutoff && t <= now_s) break;
    if (out.rows == kRoundRows || out.chunks.size() >= kRoundChunks) {
      out.more = true;
      break;
    }
    const std::string_view body = scan.bytes(3);
    // A damaged row was counted when the file was opened; it leaves with its neighbours.
    if (row_crc(seq, t, body) == static_cast<uint32_t>(scan.integer(2))) {
      if (auto row = decode_journal(body)) out.add(std::move(*row));
    }
    out.last_seq = seq;
    ++out.rows;
  }
  scan.reset();
  return Ok{};
}

Status SqliteStore::write_folded(const Folded& folded) {
  Connection& c = *connection_;
  // First, so that at the cap their pages serve what comes now.
  NINES_CHECK(c.journal_drop.with(folded.last_seq).run());
  for (const auto& [key, added] : folded.chunks) {
    const auto& [hour, id] = key;
    Chunk chunk;
    NINES_TRY([[maybe_unused]] const bool any, read_chunk(hour, id, chunk));
    chunk.add(added);
    const std::string body = chunk.encode();
    const auto crc = static_cast<int64_t>(row_crc(hour, int64_t{id}, body));
    NINES_CHECK(c.chunk_put.with(hour, int64_t{id}, crc, Blob{body}).run());
  }
  for (const auto& [key, state] : folded.positions) {
    const auto crc = static_cast<int64_t>(row_crc(key, state));
    NINES_CHECK(state.empty() ? c.src_drop.with(std::string_view(key)).run()
                              : c.src_put.with(std::string_view(key), crc, Blob{state}).run());
  }
  if (folded.alerts) NINES_CHECK(c.put_meta("alerts", *folded.alerts));
  NINES_TRY(const std::string before, c.meta("totals", restored_.skipped_rows));
  slo::Batch totals;
  if (!before.empty()) (void)decode_totals(before, totals);
  add_totals(folded.totals, totals);
  const std::string after = encode_totals(totals);
  if (after != before) NINES_CHECK(c.put_meta("totals", after));
  return Ok{};
}

// true: foldable rows are left.
Result<bool> SqliteStore::fold_round(int64_t now_s, bool any_age) {
  Folded folded;
  NINES_CHECK(gather(now_s, any_age, folded));
  if (folded.rows == 0) return false;
  const auto write = [&]() -> Status {
    Transaction transaction(*connection_);
    NINES_CHECK(transaction.begin());
    NINES_CHECK(write_folded(folded));
    return transaction.commit();
  };
  Status status = with_ballast(write);
  for (int64_t hours = 0; hours < kRoundHours; ++hours) {
    if (status.ok() || status.error().code != Errc::exhausted) break;
    NINES_TRY(const Headroom room, headroom());
    if (!room.at_cap()) break;  // somebody else filled the disk: history stays
    NINES_TRY(const bool dropped, drop_oldest_hour());
    if (!dropped) break;
    status = write();
  }
  NINES_CHECK(std::move(status));
  stats_.journal_rows -= std::min<uint64_t>(stats_.journal_rows, folded.rows);
  return folded.more;
}

Status SqliteStore::retain(int64_t now_s) {
  NINES_CHECK(retain_events());
  Connection& c = *connection_;
  NINES_TRY(const bool any, c.chunk_oldest.with().row());
  if (!any) return Ok{};
  const int64_t oldest = c.chunk_oldest.integer(0);
  c.chunk_oldest.reset();
  // The newest log line bounds the clock: a clock that jumped years ahead deletes no history.
  NINES_TRY(const std::string bytes, c.meta("totals", restored_.skipped_rows));
  slo::Batch totals;
  const bool known = !bytes.empty() && decode_totals(bytes, totals) && totals.max_event_time.ns > 0;
  const int64_t newest = known ? std::min(now_s, totals.max_event_time.seconds()) : now_s;
  const int64_t last_expired = (newest - options_.keep_chunks_s) / 3600 - 1;
  if (oldest > last_expired) return Ok{};
  return c.chunk_drop.with(std::min(last_expired, oldest + kRoundHours)).run();
}

Status SqliteStore::retain_events() {
  Connection& c = *connection_;
  NINES_TRY(const bool any, c.event_bounds.with().row());
  const int64_t first = any ? c.event_bounds.integer(0) : 0;
  const int64_t last = any ? c.event_bounds.integer(1) : 0;
  c.event_bounds.reset();
  NINES_CHECK(retain_large_events(last));
  const int64_t drop = last - std::max<int64_t>(options_.keep_events, 1);
  if (first == 0 || first > drop) return Ok{};
  NINES_TRY(const bool told, c.cursor_least.with().row());
  const bool destinations = told && c.cursor_least.integer(0) > 0;
  const int64_t least = destinations ? c.cursor_least.integer(1) : drop;
  c.cursor_least.reset();
  NINES_CHECK(c.event_drop.with(drop).run());
  stats_.dropped_events +=
      static_cast<uint64_t>(std::max<int64_t>(drop - std::max(least, first - 1), 0));
  return Ok{};
}

Status SqliteStore::retain_large_events(int64_t last) {
  Connection& c = *connection_;
  const int64_t drop = last - std::max<int64_t>(options_.keep_large_events, 1);
  if (drop <= 0) return Ok{};
  NINES_TRY(const bool told, c.cursor_least.with().row());
  const bool destinations = told && c.cursor_least.integer(0) > 0;
  const int64_t least = destinations ? c.cursor_least.integer(1) : drop;
  c.cursor_least.reset();
  NINES_TRY(const bool any, c.event_large.with(drop, least, kLargeEventBytes).row());
  const int64_t untold = any ? c.event_large.integer(0) : 0;
  c.event_large.reset();
  NINES_CHECK(c.event_large_drop.with(drop, kLargeEventBytes).run());
  stats_.dropped_events += static_cast<uint64_t>(untold);
  return Ok{};
}

// false: there is none.
Result<bool> SqliteStore::drop_oldest_hour() {
  Connection& c = *connection_;
  NINES_TRY(const bool any, c.chunk_oldest.with().row());
  if (!any) return false;
  const int64_t oldest = c.chunk_oldest.integer(0);
  c.chunk_oldest.reset();
  NINES_CHECK(c.chunk_drop.with(oldest).run());
  ++stats_.dropped_hours;
  return true;
}

// The overflow policy of max_bytes: the oldest hours go, and are counted.
Status SqliteStore::relieve() {
  for (int64_t hours = 0; hours < kRoundHours; ++hours) {
    NINES_TRY(const Headroom room, headroom());
    if (!room.pressed()) break;
    NINES_TRY(const bool dropped, drop_oldest_hour());
    if (!dropped) break;
  }
  return Ok{};
}

Status SqliteStore::fold(WallTime now) {
  const auto work = [&]() -> Status {
    NINES_CHECK(ready());
    NINES_TRY(const Headroom room, headroom());
    bool more = true;
    for (int round = 0; more && round < kRounds; ++round) {
      NINES_TRY(more, fold_round(now.seconds(), room.pressed()));
    }
    NINES_CHECK(retain(now.seconds()));
    return relieve();
  };
  NINES_CHECK(note(work()));
  if (memory_ == nullptr && !ballast_.present()) ballast_.restore();
  ++stats_.folds;
  return Ok{};
}

}  // namespace nines::store
